"""Accumulation, epoch length, averaging, clipping and loader workers: what each promises of a whole run."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from tests.composing import SMALL, config

from osteon.data import Batch
from osteon.module import OsteonModule
from osteon.run import trainer as training
from osteon.run.faults import in_our_words
from osteon.run.start import run

PLAIN = (
    *SMALL,
    "trainer.precision=32-true",
    "optimizer=sgd",
    "optimizer.lr=0.05",
    "augment=none",
    "trainer.max_epochs=1",
)


def trained(folder: Path, *words: str) -> dict[str, Any]:
    """Train and return what `last.ckpt` holds."""
    run(config(*words), folder, [])
    content: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def test_a_batch_in_parts_has_the_gradients_of_the_whole(tmp_path: Path) -> None:
    """Two tasks, so that parts carry unequal counts of labels; no batch norm, whose statistics are a part's own."""
    words = ("task=[mura,hip_fracture]", *PLAIN, "backbone.name=test_vit", "data.batch_size=15", "trainer.max_epochs=2")
    whole = trained(tmp_path / "whole", *words)
    parts = trained(tmp_path / "parts", *words, "trainer.accumulate=4")
    assert whole["global_step"] == parts["global_step"]
    for name, value in whole["state_dict"].items():
        torch.testing.assert_close(parts["state_dict"][name], value, rtol=1e-4, atol=1e-5)
    curves = [pd.read_csv(tmp_path / name / "metrics.csv") for name in ("whole", "parts")]
    for column in ("train/loss", "train/mura/loss"):
        np.testing.assert_allclose(curves[0][column].dropna(), curves[1][column].dropna(), rtol=1e-4)


def test_a_part_is_as_large_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    plain = OsteonModule._loss

    def spy(module: OsteonModule, part: Any, *rest: Any) -> torch.Tensor:
        sizes.append(len(part.images))
        return plain(module, part, *rest)

    monkeypatch.setattr(OsteonModule, "_loss", spy)
    trained(tmp_path, *PLAIN, "trainer.accumulate=3", "data.batch_size=16", "trainer.limit_batches=2")
    assert sizes == [5, 5, 6] * 2


@pytest.mark.parametrize(("length", "epochs"), [(2, 4), (7, 2)])
def test_epochs_of_a_given_length_go_through_all_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, epochs: int
) -> None:
    seen: list[list[int]] = []
    plain = OsteonModule.training_step

    def spy(module: OsteonModule, batch: Batch, batch_idx: int) -> torch.Tensor:
        seen.append(batch.rows.tolist())
        return plain(module, batch, batch_idx)

    monkeypatch.setattr(OsteonModule, "training_step", spy)
    words = (f"trainer.epoch_length={length}", f"trainer.max_epochs={epochs}", "data.batch_size=8")
    last = trained(tmp_path, *PLAIN, *words)
    assert last["epoch"] == epochs - 1
    assert [len(rows) for rows in seen] == [8] * length * epochs
    manifest = pd.read_parquet(tmp_path / "manifest.parquet")
    train = np.flatnonzero(manifest["split"] == "train")
    rows = [row for batch in seen for row in batch]
    whole = len(rows) // len(train)
    assert whole >= 1
    for number in range(whole):
        assert sorted(rows[number * len(train) : (number + 1) * len(train)]) == train.tolist(), "each image once a pass"


def test_the_average_of_the_weights_is_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[dict[str, torch.Tensor]] = []

    class Recorder(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
            steps.append({name: value.detach().double().clone() for name, value in module.named_parameters()})

    plain = training._callbacks
    monkeypatch.setattr(training, "_callbacks", lambda *a: [Recorder(), *plain(*a)])
    last = trained(tmp_path, *PLAIN, "callbacks.ema=0.3", "trainer.accumulate=2")
    expected = steps[0]  # torch begins with the first step's weights
    for number, step in enumerate(steps[1:], start=1):
        keep = min(0.3, (1 + number) / (10 + number))
        expected = {name: keep * expected[name] + (1 - keep) * step[name] for name in step}
    for name, value in expected.items():
        torch.testing.assert_close(last["state_dict"][name].double(), value, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(last["current_model_state"][name].double(), steps[-1][name])
    best = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    model = torch.load(tmp_path / "model.pt", weights_only=True)["state_dict"]
    assert all(torch.equal(best[f"model.{name}"], value) for name, value in model.items()), "the average is the result"


def test_clipping_bounds_the_gradient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    plain = torch.optim.SGD.step

    def spy(optimizer: torch.optim.SGD, closure: Any = None) -> Any:
        result = closure()
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.stack([gradient.norm() for gradient in gradients]).norm()))
        return plain(optimizer, lambda: result)

    monkeypatch.setattr(torch.optim.SGD, "step", spy)
    for name, clip in (("free", "null"), ("bound", "0.01")):
        trained(tmp_path / name, *PLAIN, f"trainer.gradient_clip={clip}", "trainer.limit_batches=2")
    assert min(norms[:2]) > 0.02
    np.testing.assert_allclose(norms[2:], 0.01, rtol=1e-3)


@pytest.mark.slow
def test_workers_change_no_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0, 1 and 2 workers, persistent and not, with random augmentation, mixup and dropout."""
    from osteon.data import module as loading

    words = (*SMALL, "augment=radiograph", "training.mixup=0.3", "tasks.hip_fracture.head.dropout=0.2")
    plain, tables = loading.DataLoader, []
    for workers, persistent in ((0, False), (1, True), (2, True), (2, False)):
        monkeypatch.setattr(
            loading,
            "DataLoader",
            lambda *a, persistent=persistent, **o: plain(*a, **o | {"persistent_workers": persistent}),
        )
        folder = tmp_path / f"{workers}-{persistent}"
        run(config(*words, f"data.workers={workers}"), folder, [])
        tables.append(pd.read_parquet(folder / "predictions" / "test.parquet"))
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)


def test_a_backbone_that_cannot_be_compiled_names_the_way_out(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from osteon.errors import OsteonError

    class NoCompilerError(RuntimeError):
        __module__ = "torch._inductor.exc"

    asked: Any = SimpleNamespace(received_sigterm=False)
    message = "trainer.compile: .*no g\\+\\+.*leave out trainer.compile=true"
    with pytest.raises(OsteonError, match=message), in_our_words(asked, asked, tmp_path):
        raise NoCompilerError("no g++")


def test_out_of_memory_names_what_to_lower(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from osteon.errors import OsteonError

    data: Any = SimpleNamespace(batch_size=64)
    asked: Any = SimpleNamespace(received_sigterm=False)
    message = r"out of memory.*trainer\.accumulate.*data\.batch_size \(now 64\).*data\.image_size"
    with pytest.raises(OsteonError, match=message), in_our_words(asked, data, tmp_path):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_result_tells_how_training_went(tmp_path: Path) -> None:
    trained(tmp_path, *PLAIN, "training.imbalance=pos_weight")
    facts = json.loads((tmp_path / "result.json").read_text())["training"]
    assert facts["resumed_at_epoch"] is None
    assert facts["stopped_early"] is False
    assert facts["imbalance"]["hip_fracture"]["measures"] == ["pos_weight"]


def test_of_epochs_that_score_alike_the_last_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([0.5, 0.7, 0.7, 0.6])
    monkeypatch.setattr("osteon.run.making.monitor_scores", lambda *_: {"val/monitor": next(said)})
    trained(tmp_path, "task=hip_fracture", *PLAIN, "trainer.max_epochs=4", "trainer.limit_batches=1")
    assert torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] == 2
    facts = json.loads((tmp_path / "result.json").read_text())["training"]
    assert facts["best_monitor"] == pytest.approx(0.7)


def test_a_smoke_test_of_several_tasks_scores_each(tmp_path: Path) -> None:
    """The first batches of val hold rows of one task alone, so validation is not cut."""
    trained(
        tmp_path,
        "task=[knee_kl,implant]",
        *PLAIN,
        "trainer.limit_batches=1",
        "trainer.max_epochs=1",
        "data.batch_size=4",
    )
    scores = pd.read_csv(tmp_path / "metrics.csv")
    assert scores[["val/knee_kl/quadratic_kappa", "val/implant/balanced_accuracy"]].notna().any().all()


@pytest.mark.slow  # a minute of compiling
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on CPUs")
def test_a_compiled_backbone_learns_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[bool] = []
    plain = OsteonModule.training_step

    def spy(module: OsteonModule, batch: Batch, batch_idx: int) -> torch.Tensor:
        compiled.append(module.model.backbone._compiled_call_impl is not None)
        return plain(module, batch, batch_idx)

    monkeypatch.setattr(OsteonModule, "training_step", spy)
    words = (*PLAIN, "backbone.name=test_vit", "trainer.limit_batches=3")
    whole = trained(tmp_path / "plain", *words)
    made = trained(tmp_path / "compiled", *words, "trainer.compile=true")
    assert compiled == [False] * 3 + [True] * 3
    assert list(made["state_dict"]) == list(whole["state_dict"])
    for name, value in whole["state_dict"].items():
        torch.testing.assert_close(made["state_dict"][name], value, rtol=1e-3, atol=1e-4)
