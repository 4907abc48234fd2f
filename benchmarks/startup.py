"""Seconds until `--help`, `--cfg job` and a config error, beside a bare Hydra app in the same run.

python benchmarks/startup.py [--repeats 9]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """import hydra
@hydra.main(version_base="1.3", config_path=None)
def main(config):
    pass
main()
"""
CALLS = [
    ("bare Hydra app, `--help`", ["bare.py", "--help"]),
    ("`train.py --help`", ["train.py", "--help"]),
    ("`train.py --cfg job`", ["train.py", "--cfg", "job"]),
    ("wrong type: `trainer.max_epochs=ten`", ["train.py", "trainer.max_epochs=ten"]),
    ("misspelt key: `trainer.max_epoch=3`", ["train.py", "trainer.max_epoch=3"]),
    ("misspelt task: `task=hip_fractur`", ["train.py", "task=hip_fractur"]),
    ("unknown metric: `tasks.hip_fracture.monitor=aurc`", ["train.py", "tasks.hip_fracture.monitor=aurc"]),
]


def seconds(command: list[str], folder: str) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    script = Path(__file__).resolve().parents[1] / "train.py"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE, encoding="utf-8")
        (Path(folder) / "train.py").write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        taken: dict[str, list[float]] = {name: [] for name, _ in CALLS}
        for _ in range(repeats + 1):  # interleaved; the first round warms the page cache
            for name, words in CALLS:
                taken[name].append(seconds([sys.executable, *words], folder))
    bare = statistics.median(taken[CALLS[0][0]][1:])
    print(f"Median of {repeats} interleaved runs.\n\n| call | s | above bare Hydra, s |\n|---|---|---|")
    for name, values in taken.items():
        median = statistics.median(values[1:])
        print(f"| {name} | {median:.2f} | {median - bare:+.2f} |")


if __name__ == "__main__":
    main()
