"""Seconds from process start to the first training step, and memory growth of loader workers, by manifest size.

    python benchmarks/large_manifest.py [--rows 1000 100000] [--epochs 4]

Draws 1,000 noise images once and hard-links them to as many rows as asked for; the cache is warm in the timed start.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FILES = 1000


def layout(folder: Path, rows: int) -> Path:
    """Write `rows` hard links to 1,000 small images, and their table."""
    import numpy as np
    import pandas as pd
    from PIL import Image

    root = folder / f"hip{rows}" / "hip"
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(FILES):
        Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(root / "images" / f"{number}.png")
    for number in range(FILES, rows):
        os.link(root / "images" / f"{number % FILES}.png", root / "images" / f"{number}.png")
    number = np.arange(rows)
    table = {"path": [f"images/{n}.png" for n in number], "patient_id": number // 2, "study_id": "1", "view": "frontal"}
    pd.DataFrame({**table, "fracture": (number // 2) % 3 == 0}).astype({"fracture": int}).to_csv(
        root / "labels.csv", index=False
    )
    return root


def start(root: Path, cache: Path, epochs: int) -> dict[str, Any]:
    """Run to the first training step, then read `epochs` epochs with two workers and weigh them."""
    begin = time.monotonic()
    import psutil
    import pytorch_lightning as pl

    from osteon.compose import composed, conf_dir
    from osteon.config import checked
    from osteon.module.imbalance import balance
    from osteon.run import folder, making
    from osteon.run.prepare import prepare
    from osteon.run.sources import locate
    from osteon.run.trainer import build_trainer, quiet

    words = [f"data.root={root}", f"data.cache_dir={cache}", "backbone.pretrained=false", "data.image_size=64"]
    words += ["callbacks.progress_bar=false", "backbone=timm", "backbone.name=test_resnet", "task=hip_fracture"]
    config = checked(composed(conf_dir(), "train", words))
    sources = locate(config)
    model = making.make_model(config, sources, (64, 64))
    prepared = prepare(config, sources, (64, 64))
    quiet()
    out = cache / "run"
    folder.write_start(out, config, prepared, words)
    train = (prepared.manifest["split"] == "train").to_numpy()
    data = making.make_data(config, prepared, balance(config.training, {}, prepared.targets, train))
    trainer = build_trainer(config, out, [])
    seconds: list[float] = []

    class First(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            seconds.append(time.monotonic() - begin)
            trainer.should_stop = True

    trainer.callbacks.insert(0, First())  # type: ignore[attr-defined]
    trainer.limit_train_batches = 1
    trainer.limit_val_batches = 0
    module = making.make_module(config, prepared, model, data.steps_an_epoch())
    trainer.fit(module, datamodule=data)
    data.trainer, data.workers = None, 2
    loader, weights = data.train_dataloader(), []
    for _ in range(epochs):
        for _batch in loader:
            pass
        workers = psutil.Process().children()
        weights.append(max(worker.memory_full_info().uss for worker in workers) / 1e6)
    return {"seconds": seconds[0], "worker_mb": [round(weight, 1) for weight in weights]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(start(*asked.child, asked.epochs)))
        return
    print("| rows | first step, s (cache warm) | largest worker's own memory after each epoch, MB |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        for rows in asked.rows:
            root = layout(Path(temporary), rows)
            command = [sys.executable, __file__, "--child", str(root), str(Path(temporary) / "cache")]
            for epochs in (1, asked.epochs):  # the first call warms the cache
                done = subprocess.run(
                    [*command, "--epochs", str(epochs)], check=True, text=True, stdout=subprocess.PIPE
                )
            told = json.loads(done.stdout.splitlines()[-1])
            print(f"| {rows:,} | {told['seconds']:.1f} | {', '.join(map(str, told['worker_mb']))} |", flush=True)


if __name__ == "__main__":
    main()
