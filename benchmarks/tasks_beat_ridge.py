"""Does a small network beat ridge regression on 32x32 pixels, on the drawn phantoms of every task?

resnet18 from scratch at 128 px, seed 0, and `backbone=ridge` on the same phantoms and splits; the difference on test
patients with its paired 95 % interval (`osteon compare`). A network that does not beat the floor has a bug, or the
phantom shows nothing. Rows are added to the table as tasks are done; tasks that it has already are left out.

    python benchmarks/tasks_beat_ridge.py --out benchmarks/results/tasks_beat_ridge.md [--tasks mura knee_kl]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from osteon.compose import conf_dir
from osteon.scoring.comparison import Comparison, compare, side

COMMON = ("phantom.image_size=128", "augment=light", "callbacks.progress_bar=false")
NETWORK = ("backbone=resnet18", "optimizer.lr=1e-3", "optimizer.weight_decay=0.05", "callbacks.ema=0.98")
EPOCHS = 12
# Where twelve epochs of the common recipe do not do.
ALSO: dict[str, tuple[str, ...]] = {
    "knee_kl": ("tasks.knee_kl.head.loss=distance", "optimizer.head_lr_factor=5"),
}
HEAD = """Phantoms of 480 patients, test patients alone; resnet18 from scratch, 128 px, seed 0. The difference has its
paired 95 % interval; of errors (MAE) lower is better.

| task | score | ridge | resnet18 | difference | beaten | epochs | training, s |
|---|---|---|---|---|---|---|---|
"""


def tasks() -> list[str]:
    """Return the tasks whose head has a floor."""
    files = sorted((conf_dir() / "task").glob("*.yaml"))
    return [file.stem for file in files if not _boxes(yaml.safe_load(file.read_text(encoding="utf-8")))]


def _boxes(said: dict[str, object]) -> bool:
    return {"/head@head": "detection"} in (said.get("defaults") or [])  # type: ignore[operator]


def trained(task: str, folder: Path, words: tuple[str, ...]) -> Path:
    """Run `train.py` and return the run's folder."""
    command = [sys.executable, "-m", "osteon.train", f"task={task}", *COMMON, *words, f"hydra.run.dir={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task}: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder


def line(task: str, found: Comparison, seconds: float, epochs: int) -> str:
    """Return the task's row of the table: its monitored score on all test units."""
    rows = found.table[found.table["group"] == "all"]
    name = next(iter(found.chosen))
    row = rows[(rows["task"] == name) & (rows["metric"] == found.chosen[name][0])].iloc[0]
    better = row["hi"] < 0 if row["metric"] in ("mae", "rmse") else row["lo"] > 0
    said = f"{row['difference']:+.3f} [{row['lo']:+.3f}, {row['hi']:+.3f}]"
    scores = f"{row['metric']} | {row['a']:.3f} | {row['b']:.3f}"
    return f"| {task} | {scores} | {said} | {'yes' if better else '**no**'} | {epochs} | {seconds:.0f} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", default=tasks())
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    said = asked.out.read_text(encoding="utf-8") if asked.out.is_file() else HEAD
    for task in asked.tasks:
        if f"| {task} |" in said:
            continue
        with tempfile.TemporaryDirectory() as place:
            begun = time.monotonic()
            words = (*NETWORK, *ALSO.get(task, ()), f"trainer.max_epochs={asked.epochs}")
            network = trained(task, Path(place) / "resnet18", words)
            floor = trained(task, Path(place) / "ridge", ("backbone=ridge",))
            result = json.loads((network / "result.json").read_text(encoding="utf-8"))
            said += line(task, compare(side("A", floor), side("B", network)), result["seconds"]["train"], asked.epochs)
        asked.out.write_text(said, encoding="utf-8")
        print(f"{task}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(said)


if __name__ == "__main__":
    main()
