"""What updates the weights, and how its learning rate moves."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer as TorchOptimizer
from torch.optim.lr_scheduler import LambdaLR, MultiplicativeLR, ReduceLROnPlateau

from osteon.config import Optimizer, Scheduler
from osteon.model import Model
from osteon.module.layers import layer_of


def build_optimizer(model: nn.Module, spec: Optimizer, beside: Iterable[nn.Parameter] = ()) -> TorchOptimizer:
    """Return the optimiser over every parameter, frozen or not, so that its state fits whatever is freed later.

    Biases and norm parameters (one dimension) are not decayed, as timm does. With `layer_decay` d a layer k steps
    below the heads learns at lr x d^k, by timm's division into layers (Bao 2022, BEiT); heads at lr x
    `head_lr_factor`. Each factor has two groups, decayed and not; without factors there are just these two. What is
    learned `beside` the model learns as its heads do, and is not decayed.

    Raises:
        OsteonError: layer decay for a model that is no `Model`, or that timm cannot divide.
    """
    groups: dict[float, tuple[list[nn.Parameter], list[nn.Parameter]]] = {1.0: ([], [])}
    for parameter, factor in _factors(model, spec):
        groups.setdefault(factor, ([], []))[0 if parameter.ndim > 1 else 1].append(parameter)
    for parameter in beside:
        groups.setdefault(spec.head_lr_factor, ([], []))[1].append(parameter)
    told = [
        {"params": parameters, "weight_decay": decay, "lr": spec.lr * factor}
        for factor, pair in groups.items()
        for parameters, decay in zip(pair, (spec.weight_decay, 0.0), strict=True)
        if parameters or factor == 1.0
    ]
    if spec.kind == "sgd":
        return torch.optim.SGD(told, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0)
    kind = torch.optim.AdamW if spec.kind == "adamw" else torch.optim.Adam
    on_cpu = all(one.device.type == "cpu" for pair in groups.values() for half in pair for one in half)
    found = kind(told, lr=spec.lr, betas=(spec.betas[0], spec.betas[1]), fused=True if on_cpu else None)
    if on_cpu:  # a third of the time; it would forbid clipping under a scaler of gradients, and a CPU has none
        found._step_supports_amp_scaling = False
    return found


def _factors(model: nn.Module, spec: Optimizer) -> Iterator[tuple[nn.Parameter, float]]:
    """Yield each parameter with its factor of the learning rate."""
    if not isinstance(model, Model):
        yield from ((parameter, 1.0) for parameter in model.parameters())
        return
    decay = spec.layer_decay
    layers, top = layer_of(model.backbone.network) if decay is not None else ({}, 0)
    for name, parameter in model.named_parameters():
        layer = name.removeprefix("backbone.network.")
        if layer == name:
            yield parameter, spec.head_lr_factor
        else:
            yield parameter, 1.0 if decay is None else decay ** (top - layers[layer])


def build_schedules(
    optimizer: TorchOptimizer, spec: Scheduler, steps_an_epoch: int, epochs: int, monitor: str
) -> list[dict[str, Any]]:
    """Return the schedules as Lightning takes them: one by step, and for `plateau` one more an epoch on `monitor`.

    `plateau` and warm-up both scale the rate as it is, so that neither undoes the other; until the warm-up is over
    the plateau counts no epoch as bad. A higher `monitor` is better.

    Args:
        optimizer: whose groups keep their ratios.
        spec: how the rate moves.
        steps_an_epoch: optimiser steps, not batches, where gradients are accumulated.
        epochs: of the whole run.
        monitor: logged once an epoch.
    """
    factor = rate_factor(spec, steps_an_epoch, epochs)
    if spec.kind != "plateau":
        return [{"scheduler": LambdaLR(optimizer, factor), "interval": "step"}]
    plateau = ReduceLROnPlateau(optimizer, mode="max", factor=spec.factor, patience=spec.patience)
    plateau.cooldown_counter = math.ceil(spec.warmup_epochs)
    drops: dict[str, Any] = {"scheduler": plateau, "interval": "epoch", "monitor": monitor}
    if spec.warmup_epochs == 0:
        return [drops]
    warmup = MultiplicativeLR(optimizer, lambda step: factor(step) / factor(step - 1))
    for group in optimizer.param_groups:  # MultiplicativeLR leaves the first step as it is
        group["lr"] *= factor(0)
    return [{"scheduler": warmup, "interval": "step"}, drops]


def rate_factor(spec: Scheduler, steps_an_epoch: int, epochs: int) -> Callable[[int], float]:
    """Return step -> factor of the learning rate: linear warm-up, then `constant`, `cosine` to 0, or `step`.

    `plateau` is constant here after its warm-up; the drop on the monitor is a second scheduler, once an epoch.
    """
    warmup = spec.warmup_epochs * steps_an_epoch
    total = max(1.0, epochs * steps_an_epoch - warmup)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if spec.kind == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / total)))
        if spec.kind == "step":
            return float(spec.factor ** (step // (steps_an_epoch * spec.step_epochs)))
        return 1.0

    return factor
