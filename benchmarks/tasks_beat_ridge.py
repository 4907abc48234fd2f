"""Does a small network beat ridge regression on 32x32 pixels, on the drawn phantoms of every task?

resnet18 from scratch at 128 px, seed 0, and `backbone=ridge` on the same phantoms and splits; the difference on test
patients with its paired 95 % interval (`osteon compare`). A network that does not beat the floor has a bug, or the
phantom shows nothing. `cpu` is the network's run in seconds of one core, whatever runs beside it, phantoms drawn
included: 600 are five minutes of two cores. Rows are added as tasks are done; tasks that are there are left out.

    python benchmarks/tasks_beat_ridge.py --out benchmarks/results/tasks_beat_ridge.md [--tasks mura knee_kl]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from osteon.compose import conf_dir
from osteon.scoring.comparison import Comparison, compare, side

COMMON = ("phantom.image_size=128", "augment=light", "callbacks.progress_bar=false")
NETWORK = ("backbone=resnet18", "optimizer.lr=1e-3", "optimizer.weight_decay=0.05", "callbacks.ema=0.98")
HEAD = """Phantoms, test patients alone; resnet18 from scratch, 128 px, seed 0. The difference has its paired 95 %
interval; of errors (MAE) lower is better. `cpu`: seconds of one core, drawing, training and scoring.

| task | score | n | ridge | resnet18 | difference | beaten | patients | epochs | cpu |
|---|---|---|---|---|---|---|---|---|---|
"""


class Size(NamedTuple):
    """How many patients are drawn, for how many epochs, and what else is said; each fits in 600 s of one core."""

    patients: int = 480
    epochs: int = 20
    also: tuple[str, ...] = ()


SIZES = {
    "bone_age": Size(1600, 20),
    "femur_or_hip_fracture": Size(3000, 30),
    "fracatlas_fracture": Size(3000, 12),
    "hip_fracture": Size(480, 12),
    "knee_kl": Size(480, 20, ("tasks.knee_kl.head.loss=distance", "optimizer.head_lr_factor=5")),
}


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


def spent() -> float:
    """Return the CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def line(task: str, found: Comparison, seconds: float, size: Size) -> str:
    """Return the task's row of the table: its monitored score on all test units."""
    rows = found.table[found.table["group"] == "all"]
    name = next(iter(found.chosen))
    row = rows[(rows["task"] == name) & (rows["metric"] == found.chosen[name][0])].iloc[0]
    better = row["hi"] < 0 if row["metric"] in ("mae", "rmse") else row["lo"] > 0
    said = f"{row['difference']:+.3f} [{row['lo']:+.3f}, {row['hi']:+.3f}]"
    scores = f"{row['metric']} | {row['n']} | {row['a']:.3f} | {row['b']:.3f}"
    told = f"{'yes' if better else '**no**'} | {size.patients} | {size.epochs} | {seconds:.0f}"
    return f"| {task} | {scores} | {said} | {told} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", default=tasks())
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    said = asked.out.read_text(encoding="utf-8") if asked.out.is_file() else HEAD
    for task in asked.tasks:
        if f"| {task} |" in said:
            continue
        with tempfile.TemporaryDirectory() as place:
            size, begun = SIZES.get(task, Size()), spent()
            drawn = f"phantom.patients={size.patients}"
            words = (drawn, *NETWORK, *size.also, f"trainer.max_epochs={size.epochs}")
            network = trained(task, Path(place) / "resnet18", words)
            seconds = spent() - begun
            floor = trained(task, Path(place) / "ridge", (drawn, "backbone=ridge"))
            said += line(task, compare(side("A", floor), side("B", network)), seconds, size)
        asked.out.write_text(said, encoding="utf-8")
        print(said.splitlines()[-1], file=sys.stderr)
    print(said)


if __name__ == "__main__":
    main()
