import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from osteon.config import Optimizer, Scheduler
from osteon.module.optim import build_optimizer, rate_factor


def schedule(kind: str, warmup: float = 0.0) -> Scheduler:
    return Scheduler(kind=kind, warmup_epochs=warmup, step_epochs=2, factor=0.1, patience=1)  # type: ignore[arg-type]


def test_cosine_starts_at_one_and_ends_at_zero() -> None:
    factor = rate_factor(schedule("cosine"), 10, 4)
    assert factor(0) == 1.0
    assert factor(20) == pytest.approx(0.5)
    assert factor(40) == pytest.approx(0.0, abs=1e-12)
    assert factor(30) == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.75)))


def test_warmup_rises_to_one_without_a_step_of_zero() -> None:
    factor = rate_factor(schedule("constant", warmup=1.0), 10, 4)
    values = [factor(step) for step in range(12)]
    assert values[0] == pytest.approx(1 / 11)
    assert all(later > earlier for earlier, later in pairwise(values[:11]))
    assert values[10:] == [1.0, 1.0]


def test_step_drops_by_its_factor() -> None:
    factor = rate_factor(schedule("step"), 10, 8)
    assert [factor(step) for step in (0, 19, 20, 40)] == pytest.approx([1, 1, 0.1, 0.01])


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
def test_norms_and_biases_are_not_decayed(kind: str) -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    spec = Optimizer(kind=kind, lr=0.1, weight_decay=0.5, betas=[0.9, 0.99], momentum=0.9)  # type: ignore[arg-type]
    optimizer = build_optimizer(model, spec)
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays[id(model[0].weight)] == 0.5
    assert [decays[id(p)] for p in (model[0].bias, model[1].weight, model[1].bias)] == [0.0, 0.0, 0.0]
    assert isinstance(optimizer, {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}[kind])
