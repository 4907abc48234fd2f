"""What updates the weights, and how its learning rate moves."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer as TorchOptimizer

from osteon.config import Optimizer, Scheduler


def build_optimizer(model: nn.Module, spec: Optimizer) -> TorchOptimizer:
    """Return the optimiser; biases and norm parameters (one dimension) are not decayed, as timm does."""
    decayed, free = _divide(parameter for parameter in model.parameters() if parameter.requires_grad)
    groups = [{"params": decayed, "weight_decay": spec.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if spec.kind == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0)
    kind = torch.optim.AdamW if spec.kind == "adamw" else torch.optim.Adam
    return kind(groups, lr=spec.lr, betas=(spec.betas[0], spec.betas[1]))


def _divide(parameters: Iterable[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for parameter in parameters:
        (decayed if parameter.ndim > 1 else free).append(parameter)
    return decayed, free


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
