"""What a process a job costs beside bare `python train.py`, and whether the launcher's memory grows with its jobs.

Blocks of five bare runs and of a sweep of five alternate, so that a busy machine slows both; every sweep pays for its
launcher's start. CPU seconds (of the process and all that it started) do not depend on what else runs.

python benchmarks/launcher_overhead.py [--jobs 20] [--children 200]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
# Two training steps of timm's smallest network.
TINY = (
    "backbone=timm", "backbone.name=test_resnet", "phantom.patients=30", "phantom.size=64", "phantom.image_size=32",
    "trainer.max_epochs=1", "trainer.limit_batches=2", "callbacks.progress_bar=false", "bootstrap=100",
    "data.max_rejected=0.2",
)  # fmt: skip
CHILDREN = """
import sys
from pathlib import Path
import psutil
sys.path.insert(0, sys.argv[1])
from tests.launch.stubs import job, setting, start
from osteon.launch.grid import run_jobs
folder, count = Path(sys.argv[2]), int(sys.argv[3])
jobs = [job(folder, f"seed={seed}", "epochs=5") for seed in range(count)]
ended, seen = 0, []
def noted(one, workers):
    global ended
    ended += 1
    if ended % 20 == 1:
        seen.append(psutil.Process().memory_info().rss / 2**20)
    return start(one, workers)
run_jobs(setting(folder, jobs=4), jobs, noted)
print("rss", " ".join(f"{value:.1f}" for value in seen))
"""


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall's clock, and on all cores."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


def spent(words: list[str], folder: Path) -> Spent:
    """Run Python to its end, and return what it and all its processes took."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(time.perf_counter() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def overhead(jobs: int, folder: Path) -> None:
    script = str(ROOT / "train.py")
    spent([script, *TINY, "hydra.run.dir=warm"], folder)  # phantoms and cache are drawn once
    bare, swept, blocks = Spent(), Spent(), max(1, jobs // 5)
    for block in range(blocks):
        seeds = range(5 * block, 5 * block + 5)
        for seed in seeds:
            bare += spent([script, *TINY, f"seed={seed}", f"hydra.run.dir=bare/{seed}"], folder)
        asked = (f"seed={','.join(map(str, seeds))}", "launch.jobs=1", f"launch.threads={threads()}")
        swept += spent([script, "-m", *TINY, *asked], folder)
    done = len(list(folder.glob("runs/sweeps/*/*/result.json")))
    assert done == 5 * blocks, f"{done} jobs have a result"
    print(f"| | wall, s | CPU, s |\n|---|---|---|\n| {5 * blocks} bare runs of `python train.py` {_row(bare)}")
    print(f"| the same as jobs, one at a time {_row(swept)}")
    print(f"| ratio | {swept.wall / bare.wall:.3f} | {swept.cpu / bare.cpu:.3f} |")


def _row(one: Spent) -> str:
    return f"| {one.wall:.1f} | {one.cpu:.1f} |"


def threads() -> int:
    """Return the threads that a bare run takes."""
    return int(os.environ.get("OMP_NUM_THREADS", psutil.cpu_count() or 1))


def memory(children: int, folder: Path) -> None:
    words = [sys.executable, "-c", CHILDREN, str(ROOT), str(folder), str(children)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rss = [float(value) for value in done.stdout.splitlines()[-1].split()[1:]]
    shown = ", ".join(f"{value:.0f}" for value in rss)
    print(f"Launcher's memory over {children} stub jobs, MiB at every 20th: {shown}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--children", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        memory(asked.children, Path(folder) / "stubs")
        if asked.jobs:
            overhead(asked.jobs, Path(folder))


if __name__ == "__main__":
    main()
