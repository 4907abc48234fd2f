"""Which layers learn in which epoch: all, the heads alone, or one group of layers more every few epochs."""

from collections.abc import Iterator
from typing import Literal

from torch import nn

from osteon.model import Model
from osteon.module.layers import layer_groups


class Freezing:
    """Sets what of a model learns, from the number of the epoch alone, so that a resumed run needs no state.

    A frozen parameter has `requires_grad` false and no gradient, which every optimiser skips: no step, no decay, no
    momentum. It stays in its parameter group, so that checkpoints of all epochs fit one another. Frozen layers are in
    eval mode: their BatchNorm keeps its running values and their dropout is off.

    With several processes, DistributedDataParallel must have seen every parameter learn when it wrapped the model
    (call `apply` no earlier than the start of the first epoch) and must look for unused ones
    (`ddp_find_unused_parameters_true`); a static graph cannot follow a change.

    Args:
        model: backbone and heads, as yet all of it learning.
        mode: `all`; `head`: the backbone never learns; `gradual`: heads first, then from the top one group of the
            backbone's layers more, as timm divides them (Howard 2018).
        epochs: `gradual` only: epochs from one group to the next.
    """

    def __init__(self, model: Model, mode: Literal["all", "head", "gradual"], epochs: int = 1) -> None:
        self.model, self.mode, self.epochs = model, mode, epochs
        network = model.backbone.network
        self._able = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
        self.groups = _top_down(network) if mode == "gradual" else []

    def learning(self, epoch: int) -> set[str]:
        """Return the names of the backbone's parameters that learn in `epoch`, counted from 0."""
        if self.mode == "all":
            return set(self._able)
        freed = self.groups[: epoch // self.epochs]
        return {name for group in freed for name in group} & self._able

    def apply(self, epoch: int) -> None:
        """Freeze and free for `epoch`; call at its start, after Lightning has put the model into train mode."""
        if self.mode == "all":
            return
        learning = self.learning(epoch)
        for name, parameter in self.model.backbone.network.named_parameters():
            parameter.requires_grad_(name in learning)
            if name not in learning:
                parameter.grad = None
        self.model.train()
        for module in _frozen(self.model.backbone.network):
            module.eval()


def _top_down(network: nn.Module) -> list[list[str]]:
    """Return the groups from the top; one of norms and biases only joins the one below it, as it is no layer."""
    shapes = {name: parameter.ndim for name, parameter in network.named_parameters()}
    result: list[list[str]] = []
    carried: list[str] = []
    for group in reversed(layer_groups(network, coarse=True)):
        carried = [*carried, *group]
        if any(shapes[name] > 1 for name in group):
            result.append(carried)
            carried = []
    return [*result, carried] if carried else result


def _frozen(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the outermost modules that have parameters, none of which learns."""
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        yield module
        return
    for child in module.children():
        yield from _frozen(child)
