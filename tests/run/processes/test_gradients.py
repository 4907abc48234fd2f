"""At the same weights two processes have the gradient of one, at every step, whatever each of them has been given.

Held at the same weights, as two runs drift apart by more than their gradients differ: rounding (1e-8) carries an
activation over the kink of a ReLU, and Adam turns gradients that are zero but for rounding into whole steps.
"""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.run.processes.pairs import BOXES, SGD, TWO, VIT, alone, trained
from tests.run.processes.traced import trace

STEPS = 12
WORDS = (*SGD, *BOXES, VIT, "trainer.max_epochs=1", f"trainer.epoch_length={STEPS}")
BY = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")


@pytest.mark.slow  # two runs, three processes that import torch
@pytest.mark.parametrize(
    ("words", "of_two"),
    [
        ((), ()),
        (("data.batch_size=8",), ("trainer.accumulate=2",)),
        (("data.batch_size=12", "data.batching=per_task"), ()),
    ],
    ids=["plain", "accumulated", "per_task"],
)
def test_gradients_are_those_of_one_process(
    words: tuple[str, ...], of_two: tuple[str, ...], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    settings = (*WORDS, *words)
    launcher = (*BY, "tests.run.processes.traced", str(two))
    trained(project, *settings, *TWO, *of_two, f"hydra.run.dir={tmp_path / 'run'}", by=launcher)
    trace(monkeypatch, one, two)
    alone(tmp_path / "alone", *settings)
    uneven = 0
    for step in range(STEPS):
        whole, *parts = (torch.load(file) for file in [one / f"{step}.0.pt", *sorted(two.glob(f"{step}.*.pt"))])
        check_counts(whole, parts)
        uneven += any(len({part["counts"][task] for part in parts}) == 2 for task in whole["counts"])
        for part in parts:
            assert part["gradients"].keys() == whole["gradients"].keys()
            theirs, ours = (joined(one["gradients"]) for one in (part, whole))
            assert float((theirs - ours).norm() / ours.norm()) < 2e-6
    assert uneven > STEPS // 4, "processes have unequal counts, or this shows nothing"


def check_counts(whole: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    assert len(parts) == 2
    for task, count in whole["counts"].items():
        assert sum(part["counts"][task] for part in parts) == count


def joined(gradients: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([value.flatten() for value in gradients.values()])
