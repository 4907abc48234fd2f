"""Training images a second on a GPU, through Osteon's own trainer, loaders and loss, beside a loop of plain PyTorch.

python benchmarks/throughput.py [--backbone densenet121] [--size 320] [--batch 64] [--steps 100] [--repeats 3]

Images are drawn noise in the cache's own format: what is measured is reading, augmenting, transfer and arithmetic, not
decoding. Variants: float32, bf16, bf16 in channels_last, the same compiled (`--compile`), and the bare loop, which
takes one batch that already lies on the device, in bf16 and channels_last: the ceiling. Waiting is the share of the
wall time that the training loop stood still for the next batch. Without a GPU nothing is run, and that is what it says.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
import yaml
from torch.utils.data import DataLoader

from osteon.augment import build_augment
from osteon.backbone import create_backbone
from osteon.config import Augment, Backbone, BinarySpec, Optimizer, Scheduler, Training
from osteon.data import Batch, RadiographData
from osteon.manifest.target import Target
from osteon.model import Labels, Model
from osteon.module import OsteonModule, PredictionTable, Recipe

OPTIMIZER = Optimizer(kind="adamw", lr=1e-4, weight_decay=0.01, betas=[0.9, 0.999], momentum=0.0)
SCHEDULER = Scheduler(kind="constant", warmup_epochs=0.0, step_epochs=1, factor=0.1, patience=0)
WARM = 10  # steps that are not counted: clocks, allocator, compiler


class Clock(pl.Callback):
    """Notes when steps begin and end, and how long the loop stood between them."""

    def __init__(self) -> None:
        self.begun, self.ended, self.waited, self.last = 0.0, 0.0, 0.0, 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Batch, number: int) -> None:
        if number == WARM:
            torch.cuda.synchronize()
            self.begun = self.last = time.perf_counter()
        if number > WARM:
            self.waited += time.perf_counter() - self.last

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: object, batch: Batch, number: int
    ) -> None:
        self.last = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        torch.cuda.synchronize()
        self.ended = time.perf_counter()


def model_of(name: str, size: int, channels_last: bool, compiled: bool) -> Model:
    spec = Backbone(name=name, pretrained=False, pretrained_path=None, options={})
    model = Model(create_backbone(spec, (size, size), False), {"a": (BinarySpec(kind="binary"), Target("a"))}, {})
    model = model.to(memory_format=torch.channels_last) if channels_last else model
    if compiled:
        model.backbone.compile()
    return model


def data_of(folder: Path, asked: argparse.Namespace) -> tuple[RadiographData, pd.DataFrame]:
    rows, conf = (asked.steps + WARM) * asked.batch, Path(__file__).parents[1] / "conf" / "augment" / "radiograph.yaml"
    settings = Augment.model_validate(yaml.safe_load(conf.read_text(encoding="utf-8")))
    pixels = folder / "images.npy"
    if not pixels.is_file():
        np.save(pixels, np.random.default_rng(0).integers(0, 256, (1024, asked.size, asked.size), dtype=np.uint8))
    manifest = pd.DataFrame({"split": ["train"] * rows, "slot": np.arange(rows) % 1024})
    targets = {"a": (np.arange(rows) % 2).astype(np.float32)}
    augment = build_augment(settings, (asked.size, asked.size))
    return RadiographData(manifest, pixels, targets, asked.batch, asked.workers, augment, seed=0), manifest


def ours(folder: Path, asked: argparse.Namespace, precision: str, last: bool, compiled: bool) -> tuple[float, float]:
    """Return images a second and the share of the time that was waited for data."""
    data, manifest = data_of(folder, asked)
    table = PredictionTable(manifest, data.targets, {"a": np.ones(len(manifest), bool)}, {}, "phantom")
    recipe = Recipe({"a": 1.0}, OPTIMIZER, SCHEDULER, Training(), 1, data.steps_an_epoch(), "benchmark", 0)
    module = OsteonModule(model_of(asked.backbone, asked.size, last, compiled), recipe, table, lambda frame: {})
    clock = Clock()
    trainer = pl.Trainer(
        max_epochs=1, accelerator="gpu", devices=1, precision=precision, callbacks=[clock], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
        use_distributed_sampler=False, log_every_n_steps=50, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    spent = clock.ended - clock.begun
    return asked.steps * asked.batch / spent, clock.waited / spent


def bare(folder: Path, asked: argparse.Namespace) -> tuple[float, float]:
    """Return images a second of a plain loop over one batch on the device."""
    data, _ = data_of(folder, asked)
    model = model_of(asked.backbone, asked.size, True, False).cuda().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    loader: DataLoader[object] = data.train_dataloader()
    batch: Batch = next(iter(loader)).to(torch.device("cuda"))  # type: ignore[attr-defined]
    labels = Labels(batch.targets, batch.present)
    for step in range(WARM + asked.steps):
        if step == WARM:
            torch.cuda.synchronize()
            begun = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16):
            found = model.blended_losses(batch.images, [labels])["a"]
        (found.total / found.count).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    torch.cuda.synchronize()
    return asked.steps * asked.batch / (time.perf_counter() - begun), 0.0


def variants(folder: Path, asked: argparse.Namespace) -> dict[str, Callable[[], tuple[float, float]]]:
    made = {
        "float32": lambda: ours(folder, asked, "32-true", False, False),
        "bf16": lambda: ours(folder, asked, "bf16-mixed", False, False),
        "bf16, channels_last": lambda: ours(folder, asked, "bf16-mixed", True, False),
    }
    if asked.compile:
        made["bf16, channels_last, compiled"] = lambda: ours(folder, asked, "bf16-mixed", True, True)
    made["bare loop, bf16, channels_last"] = lambda: bare(folder, asked)
    return made


@contextmanager
def quietly() -> Iterator[None]:
    import logging
    import warnings

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="densenet121")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        print("not run: torch sees no CUDA device here, and figures of a CPU would say nothing of a GPU.")
        return 0
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, quietly():
        calls = variants(Path(folder), asked)
        for _ in range(asked.repeats):  # interleaved, so that a throttled clock meets all alike
            for name, call in calls.items():
                found.setdefault(name, []).append(call())
    device = torch.cuda.get_device_name(0)
    print(f"{device}, torch {torch.__version__}, {asked.backbone} at {asked.size} px, batch {asked.batch}, ")
    print(f"{asked.steps} steps, {asked.workers} workers, median of {asked.repeats} interleaved runs.\n")
    print("| variant | images/s | least to most | waiting for data |\n|---|---|---|---|")
    for name, runs in found.items():
        speeds = [speed for speed, _ in runs]
        waited = statistics.median(share for _, share in runs)
        print(
            f"| {name} | {statistics.median(speeds):,.0f} | {min(speeds):,.0f} to {max(speeds):,.0f} | {waited:.1%} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
