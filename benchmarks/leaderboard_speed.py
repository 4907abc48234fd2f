"""Seconds of `osteon leaderboard` on 200 finished runs of MURA's size, beside reading their result.json alone.

python benchmarks/leaderboard_speed.py [--runs 200] [--repeats 5] [--seeds 1 5] [--folder DIR]

Every run has 1,199 test studies and as many of val, its own answers in its predictions and 320 scores with intervals
in result.json. The whole command is timed: start of Python, reading, the paired comparison of the two best recipes
(1,000 replicates), terminal, CSV, Markdown and page.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from osteon.predictions import TaskFacts, read, write
from osteon.scoring.table import score, to_records
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.leaderboard.making import MURA, leave, studies

STUDIES = 1199
TEMPLATES = 3
BARE = """import json, sys
from pathlib import Path
import pandas as pd
told = [json.loads(file.read_text()) for file in Path(sys.argv[1]).glob("*/result.json")]
rows = pd.DataFrame([row for one in told for row in one["scores"] if row["split"] == "test"])
print(rows[(rows["metric"] == "kappa") & (rows["group"] == "all")].sort_values("value").to_string())
"""


def make(root: Path, runs: int, seeds: int) -> None:
    """Leave `runs` runs, `seeds` of each recipe; scores are made of some and copied, predictions are each run's own."""
    for number in range(TEMPLATES):
        make_of = partial(studies, count=STUDIES, seed=number, noise=0.28 + 0.01 * (number % 3))
        folder = leave(root / ".made" / str(number), make_of)
        told = {half: read(folder / "predictions" / f"{half}.parquet") for half in ("val", "test")}
        cut = {"mura": fit(units(told["val"].frame, MURA), MURA)}
        rows = to_records(score(told["test"], cut, replicates=100))
        rows += to_records(score(told["val"], cut, replicates=100))
        for run in range(number, runs, TEMPLATES):
            place = root / f"run{run:03d}"
            about = {"name": place.name, "seed": run % seeds, "backbone": "densenet169", "cohort": "c"}
            about["settings"] = f"s{run // seeds}"
            for half, table in told.items():
                _write(place / "predictions" / f"{half}.parquet", table.frame, table.tasks, about)
            freeze(place / "thresholds.json", cut)
            (place / "result.json").write_text(json.dumps({"source": "real", "scores": rows}))
            words = f"task=mura\nseed={run % seeds}\noptimizer.lr={1e-4 * (1 + run // seeds):.4f}\n"
            (place / "overrides.txt").write_text(words)


def _write(file: Path, frame: object, tasks: dict[str, TaskFacts], about: dict[str, object]) -> None:
    write(file, frame, tasks, about, {"test": "public-valid"})  # type: ignore[arg-type]


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command; CPU time leaves out waiting for others, on a shared machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 5], help="runs of a recipe")
    parser.add_argument("--folder", type=Path, help="where runs are made and kept for the next call")
    asked = parser.parse_args()
    load = f"load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    print(f"{asked.runs} runs of {STUDIES:,} studies; median (least) of {asked.repeats} interleaved calls; {load}.\n")
    print("| call | wall, s | CPU, s |\n|---|---|---|")
    for seeds in asked.seeds:
        with tempfile.TemporaryDirectory() as name:
            root = (asked.folder or Path(name)) / f"{asked.runs}_{seeds}"
            if not root.is_dir():
                make(root, asked.runs, seeds)
            outputs = [f"--{kind}={Path(name) / f'board.{kind}'}" for kind in ("csv", "markdown", "html")]
            ours = [sys.executable, "-m", "osteon.cli", "leaderboard", str(root), "--task", "mura", *outputs]
            calls = {
                f"`osteon leaderboard`, {asked.runs // seeds} recipes of {seeds} seed(s)": ours,
                "json, pandas: result.json of the same runs, one sorted column": [
                    sys.executable,
                    "-c",
                    BARE,
                    str(root),
                ],
            }
            taken: dict[str, list[tuple[float, float]]] = {call: [] for call in calls}
            for _ in range(asked.repeats + 1):  # the first round warms the page cache
                for call, words in calls.items():
                    taken[call].append(seconds(words))
        for call, values in taken.items():
            middle, least = np.median(values[1:], axis=0), np.min(values[1:], axis=0)
            cells = [f"{one:.2f} ({low:.2f})" for one, low in zip(middle, least, strict=True)]
            print(f"| {call} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
