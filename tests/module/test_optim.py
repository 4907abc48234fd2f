import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import nn

from osteon.config import Optimizer, Scheduler
from osteon.module.optim import build_optimizer, build_schedules, rate_factor


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


def rates_under(spec: Scheduler, monitors: list[float], steps: int = 4) -> list[float]:
    """Return the learning rate of every step as a loop like Lightning's drives the schedules."""
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": 0.5}], lr=1.0)
    built = build_schedules(optimizer, spec, steps, len(monitors), "val/monitor")
    rates = []
    for monitor in monitors:
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            for item in built:
                if item["interval"] == "step":
                    item["scheduler"].step()
        for item in built:
            if item["interval"] == "epoch":
                item["scheduler"].step(monitor)
    return rates


@pytest.mark.parametrize("kind", ["constant", "cosine", "step"])
@pytest.mark.parametrize("warmup", [0.0, 1.5])
def test_schedules_by_step_are_the_factor_times_the_groups_own_rate(kind: str, warmup: float) -> None:
    spec = schedule(kind, warmup)
    rates = rates_under(spec, [0.5] * 5)
    factor = rate_factor(spec, 4, 5)
    assert rates == pytest.approx([0.5 * factor(step) for step in range(20)])


def test_plateau_drops_when_the_monitor_stands_still() -> None:
    """Patience 1: better, then two epochs no better than the best, so the fourth epoch has a tenth."""
    rates = rates_under(schedule("plateau"), [0.5, 0.5, 0.4, 0.6, 0.6])
    assert rates[::4] == pytest.approx([0.5, 0.5, 0.5, 0.05, 0.05])


def test_plateau_drops_after_a_warmup_which_it_does_not_undo() -> None:
    """Warm-up of one epoch: 1/5 to 4/5; then the best of epoch 0 is not beaten, and each second epoch drops."""
    rates = rates_under(schedule("plateau", warmup=1.0), [0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    expected = [0.2, 0.4, 0.6, 0.8, *[1.0] * 8, *[0.1] * 8, *[0.01] * 4]
    assert rates == pytest.approx([0.5 * value for value in expected])


def test_plateau_counts_no_epoch_of_the_warmup_as_bad() -> None:
    rates = rates_under(schedule("plateau", warmup=3.0), [0.5] * 5)
    assert rates[12:] == pytest.approx([0.5] * 8), "epochs 1 and 2 are warm-up; 3 and 4 are within patience"


class Tiny(LightningModule):
    """One weight under the schedules that Lightning itself drives."""

    def __init__(self, monitors: list[float]) -> None:
        super().__init__()
        self.weight, self.monitors, self.rates = nn.Parameter(torch.ones(1)), monitors, []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
        return (self.weight * batch).sum()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val/monitor", self.monitors[self.current_epoch])

    def configure_optimizers(self) -> object:
        optimizer = torch.optim.SGD([self.weight], lr=0.5)
        return [optimizer], build_schedules(optimizer, schedule("plateau", 1.0), 4, 6, "val/monitor")


def fitted(module: Tiny, epochs: int, folder: Path, resume: str | None = None) -> Trainer:
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    loader = torch.utils.data.DataLoader(torch.ones(4, 1))
    trainer.fit(module, loader, torch.utils.data.DataLoader(torch.ones(1, 1)), ckpt_path=resume)
    return trainer


@pytest.mark.filterwarnings("ignore")
def test_lightning_drives_both_schedules_and_resumes_them(tmp_path: Path) -> None:
    monitors = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    whole, first, second = Tiny(monitors), Tiny(monitors), Tiny(monitors)
    fitted(whole, 6, tmp_path)
    expected = [0.2, 0.4, 0.6, 0.8, *[1.0] * 8, *[0.1] * 8, *[0.01] * 4]
    assert whole.rates == pytest.approx([0.5 * value for value in expected])
    fitted(first, 2, tmp_path).save_checkpoint(tmp_path / "two.ckpt")
    fitted(second, 6, tmp_path, str(tmp_path / "two.ckpt"))
    assert first.rates + second.rates == whole.rates
    assert torch.equal(second.weight, whole.weight)
