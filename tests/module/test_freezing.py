"""What is frozen stays bit for bit, what is freed learns, and the epoch alone decides."""

import copy
from pathlib import Path

import pytest
import torch
from tests.two_ranks import on_two_ranks
from torch import nn

from osteon.backbone import create_backbone
from osteon.config import Backbone, BinarySpec, Optimizer
from osteon.manifest.target import Target
from osteon.model import Model
from osteon.module.freezing import Freezing
from osteon.module.optim import build_optimizer

ADAMW = Optimizer(kind="adamw", lr=1e-2, weight_decay=0.5, betas=[0.9, 0.999], momentum=0.0)


def built(name: str = "test_resnet") -> Model:
    torch.manual_seed(0)
    spec = Backbone(name=name, pretrained=None, pretrained_path=None, options={})
    parts = {"a": (BinarySpec(kind="binary", dropout=0.2), Target("a"))}
    return Model(create_backbone(spec, (64, 64), False), parts, {})


def train(model: Model, freezing: Freezing, optimizer: torch.optim.Optimizer, epochs: range) -> None:
    """Two steps an epoch, seeded by epoch, as the module does."""
    model.train()
    for epoch in epochs:
        freezing.apply(epoch)
        for step in range(2):
            torch.manual_seed(100 * epoch + step)
            images = torch.randint(0, 256, (4, 1, 64, 64), dtype=torch.uint8)
            loss = model.losses(images, {"a": torch.tensor([0.0, 1, 0, 1])}, {"a": torch.ones(4, dtype=torch.bool)})[
                "a"
            ]
            optimizer.zero_grad()
            (loss.total / loss.count).backward()
            optimizer.step()


def state(model: Model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before: dict[str, torch.Tensor], model: Model) -> set[str]:
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
def test_head_alone_leaves_the_backbone_bit_for_bit(kind: str) -> None:
    """Neither decay, nor momentum, nor BatchNorm's running values touch it."""
    model = built()
    before = state(model)
    optimizer = build_optimizer(model, ADAMW.model_copy(update={"kind": kind, "momentum": 0.9}))
    train(model, Freezing(model, "head"), optimizer, range(2))
    assert changed(before, model) == {"heads.task_a.linear.weight", "heads.task_a.linear.bias"}


def test_without_freezing_everything_learns() -> None:
    model = built()
    before = state(model)
    train(model, Freezing(model, "all"), build_optimizer(model, ADAMW), range(1))
    assert changed(before, model) == set(before)


def test_gradual_frees_one_group_more_from_the_top() -> None:
    model = built("resnet18")
    freezing = Freezing(model, "gradual", 2)
    stages = [{name.split(".")[0] for name in freezing.learning(epoch)} for epoch in range(13)]
    top_down = ["layer4", "layer3", "layer2", "layer1"]
    assert stages[0] == stages[1] == set()
    for freed in range(1, 5):
        assert stages[2 * freed] == stages[2 * freed + 1] == set(top_down[:freed])
    assert stages[10] == {*top_down, "conv1", "bn1"}
    assert freezing.learning(10) == freezing.learning(99) == {n for n, _ in model.backbone.network.named_parameters()}


def test_freed_layers_learn_and_the_rest_does_not() -> None:
    model = built()
    freezing, optimizer = Freezing(model, "gradual", 1), build_optimizer(model, ADAMW)
    train(model, freezing, optimizer, range(1))
    before = state(model)
    train(model, freezing, optimizer, range(1, 2))
    moved = {name.removeprefix("backbone.network.") for name in changed(before, model) if "network" in name}
    learning = freezing.learning(1)
    assert learning
    assert learning <= moved
    buffers = {name for name, _ in model.backbone.network.named_buffers()}
    owners = {name.rpartition(".")[0] for name in learning}
    assert {name.rpartition(".")[0] for name in moved & buffers} <= owners, "running values of freed layers only"


def test_frozen_layers_are_in_eval_mode_and_freed_ones_come_back() -> None:
    model = built()
    freezing = Freezing(model, "gradual", 1)
    model.train()
    freezing.apply(0)
    norms = [m for m in model.backbone.network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert model.heads_by_task["a"].training
    model.eval()  # a validation in between
    freezing.apply(99)
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    freezing.apply(0)
    assert not any(norm.training for norm in norms), "the epoch decides, not the order of calls"


def test_a_norm_above_the_last_layer_is_no_step_of_its_own() -> None:
    groups = Freezing(built("convnext_atto"), "gradual", 1).groups
    assert {"head.norm.weight", "head.norm.bias"} < set(groups[0])
    assert any(name.startswith("stages.3") for name in groups[0])


def test_parameters_that_never_learn_are_not_freed() -> None:
    model = built()
    stem = next(model.backbone.network.parameters()).requires_grad_(False)
    freezing = Freezing(model, "gradual", 1)
    freezing.apply(99)
    assert not stem.requires_grad


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("mode", ["head", "gradual"])
def test_resumed_anywhere_it_ends_bit_for_bit_the_same(mode: str, stop: int) -> None:
    whole = built()
    train(whole, Freezing(whole, mode, 1), build_optimizer(whole, ADAMW), range(4))  # type: ignore[arg-type]
    first = built()
    optimizer = build_optimizer(first, ADAMW)
    train(first, Freezing(first, mode, 1), optimizer, range(stop))  # type: ignore[arg-type]
    kept = copy.deepcopy((first.state_dict(), optimizer.state_dict()))
    second = built()
    resumed = build_optimizer(second, ADAMW)
    second.load_state_dict(kept[0])
    resumed.load_state_dict(kept[1])
    train(second, Freezing(second, mode, 1), resumed, range(stop, 4))  # type: ignore[arg-type]
    assert changed(state(whole), second) == set()


DDP = """
import sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from osteon.module.freezing import Freezing
from osteon.module.optim import build_optimizer
from tests.module.test_freezing import ADAMW, built

torch.set_num_threads(1)
class Step(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.model = built()
    def forward(self, images):
        return self.model.losses(images, {"a": torch.ones(4)}, {"a": torch.ones(4, dtype=torch.bool)})["a"].total
dist.init_process_group("gloo")
plain = Step()
step = DistributedDataParallel(plain, find_unused_parameters=True)
freezing, optimizer = Freezing(plain.model, "gradual", 1), build_optimizer(plain.model, ADAMW)
for epoch in range(3):
    plain.model.train(); freezing.apply(epoch)
    before = {n: p.detach().clone() for n, p in plain.model.backbone.network.named_parameters()}
    torch.manual_seed(10 * epoch + dist.get_rank())
    for _ in range(2):  # a block's inner layers learn from the second step on: its last norm begins at 0
        optimizer.zero_grad()
        step(torch.randint(0, 256, (4, 1, 64, 64), dtype=torch.uint8)).backward()
        optimizer.step()
    moved = {n for n, p in plain.model.backbone.network.named_parameters() if not torch.equal(p, before[n])}
    assert moved == freezing.learning(epoch), (epoch, moved ^ freezing.learning(epoch))
    for parameter in plain.parameters():
        other = parameter.detach().clone()
        dist.broadcast(other, 0)
        assert torch.equal(other, parameter)
open(f"{sys.argv[1]}/done{dist.get_rank()}", "w").close()
"""


@pytest.mark.slow
def test_ranks_agree_while_layers_are_freed(project: Path, tmp_path: Path) -> None:
    on_two_ranks(DDP, project, tmp_path)
