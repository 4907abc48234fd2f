"""What a process a job costs beside bare `python train.py`, and whether the launcher's memory grows with its jobs.

python benchmarks/launcher_overhead.py [--jobs 20] [--children 200]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
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


def seconds(words: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - begin


def overhead(jobs: int, folder: Path) -> None:
    """Alternate blocks of bare runs and sweeps, so that a busy machine slows both."""
    script = str(ROOT / "train.py")
    seconds([script, *TINY, "hydra.run.dir=warm"], folder)  # phantoms and cache are drawn once
    bare, swept, blocks = 0.0, 0.0, max(1, jobs // 5)
    for block in range(blocks):
        seeds = range(5 * block, 5 * block + 5)
        for seed in seeds:
            bare += seconds([script, *TINY, f"seed={seed}", f"hydra.run.dir=bare/{seed}"], folder)
        words = [
            script,
            "-m",
            *TINY,
            f"seed={','.join(map(str, seeds))}",
            "launch.jobs=1",
            f"launch.threads={threads()}",
        ]
        swept += seconds(words, folder)
    print(f"| {5 * blocks} bare runs of `python train.py` | {bare:.1f} s |")
    print(f"| the same as jobs, one at a time | {swept:.1f} s |")
    print(f"| ratio | {swept / bare:.3f} |")


def threads() -> int:
    """Return the threads that a bare run takes."""
    return int(os.environ.get("OMP_NUM_THREADS", psutil.cpu_count() or 1))


def memory(children: int, folder: Path) -> None:
    words = [sys.executable, "-c", CHILDREN, str(ROOT), str(folder), str(children)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rss = [float(value) for value in done.stdout.splitlines()[-1].split()[1:]]
    shown = ", ".join(f"{value:.0f}" for value in rss)
    print(f"| launcher's memory over {children} stub jobs, MiB (every 20th) | {shown} |")


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
