"""Seconds until `--help`, `--cfg job` and a config error, beside a bare Hydra app in the same run.

CPU seconds are shown beside those of the clock: they depend less on what else runs on the machine.

python benchmarks/startup.py [--repeats 9]
"""

import argparse
import resource
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


def seconds(command: list[str], folder: str) -> tuple[float, float]:
    """Return seconds of the clock and of the CPU that a command took."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    script = Path(__file__).resolve().parents[1] / "train.py"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE, encoding="utf-8")
        (Path(folder) / "train.py").write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in CALLS}
        for _ in range(repeats + 1):  # interleaved; the first round warms the page cache
            for name, words in CALLS:
                taken[name].append(seconds([sys.executable, *words], folder))
    bare_wall, bare_cpu = medians(taken[CALLS[0][0]])
    print(f"Median of {repeats} interleaved runs.\n")
    print("| call | s | above bare Hydra, s | CPU, s | above bare Hydra, CPU s |\n|---|---|---|---|---|")
    for name, values in taken.items():
        wall, cpu = medians(values)
        print(f"| {name} | {wall:.2f} | {wall - bare_wall:+.2f} | {cpu:.2f} | {cpu - bare_cpu:+.2f} |")


def medians(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of clock and CPU, the first round left out."""
    return statistics.median(wall for wall, _ in values[1:]), statistics.median(cpu for _, cpu in values[1:])


if __name__ == "__main__":
    main()
