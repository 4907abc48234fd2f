"""Damaged files cost one row each: pixels or an ImageError, never a crash, a hang, a traceback or a gigabyte."""

import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory limits need a POSIX system")
LIMIT_S = 10.0
START_S = 60.0


def read_damaged(project: Path, start: int, count: int) -> tuple[Counter[str], list[str], str]:
    """Read the seeds in children; one that dies or hangs gives its seed as a fault, and the next goes on behind it.

    Returns:
        how often each outcome came, the faults, and what the children said on stderr.
    """
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    said = ""
    end = start + count
    while start < end and len(faults) < 25:
        start, stderr = _child(project, start, end - start, outcomes, faults)
        said += stderr
    return outcomes, faults, said


def _child(project: Path, start: int, count: int, outcomes: Counter[str], faults: list[str]) -> tuple[int, str]:
    """Run one child; return the seed at which the next one starts, and stderr."""
    command = [sys.executable, "-m", "tests.images.dicom.fuzzing", str(start), str(count)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=project, stdout=pipe, stderr=pipe, text=True, errors="replace") as child:
        lines: queue.Queue[str | None] = queue.Queue()
        assert child.stdout
        assert child.stderr
        threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True).start()
        said: list[str] = []
        reading = threading.Thread(target=lambda: said.append(child.stderr.read()), daemon=True)  # type: ignore[union-attr]
        reading.start()
        seed, ended = _follow(lines, start - 1, outcomes, faults)
        if ended == "hangs":
            child.kill()
        code = child.wait()
        reading.join()
    if ended == "done" and code == 0:
        return start + count, said[0]
    assert seed >= start, f"the child died before its first file:\n{said[0][-2000:]}"
    faults.append(f"seed {seed} {ended} (exit {code}) {said[0][-300:]}")
    return seed + 1, said[0]


def _follow(lines: "queue.Queue[str | None]", seed: int, outcomes: Counter[str], faults: list[str]) -> tuple[int, str]:
    """Count outcomes until the child ends; return the last seed begun and "done", "dies" or "hangs"."""
    limit = START_S
    while True:
        try:
            line = lines.get(timeout=limit)
        except queue.Empty:
            return seed, "hangs"
        if line is None:
            return seed, "dies"
        word, _, rest = line.strip().partition(" ")
        if word == "memory":
            outcomes["megabytes"] = max(outcomes["megabytes"], int(rest) // 2**20)
            return seed, "done"
        if rest == "begins":
            seed, limit = int(word), LIMIT_S
            continue
        outcomes[rest.split()[0]] += 1
        if rest.startswith("WRONG"):
            faults.append(f"seed {word}: {rest}")


def _pump(stream: object, lines: "queue.Queue[str | None]") -> None:
    for line in stream:  # type: ignore[attr-defined]
        lines.put(line)
    lines.put(None)


def check(project: Path, count: int) -> None:
    begun = time.monotonic()
    outcomes, faults, said = read_damaged(project, 0, count)
    print(dict(outcomes), f"{time.monotonic() - begun:.1f} s, {len(said)} characters on stderr")
    assert not faults, "\n".join(faults)
    assert outcomes["pixels"] + outcomes["ImageError"] == count
    assert min(outcomes["pixels"], outcomes["ImageError"]) > count // 20, "the damage is too mild or too strong"
    assert outcomes["megabytes"] < 1024
    assert not said, f"decoders write to stderr: {said[:500]}"


def test_three_hundred_damaged_files(project: Path) -> None:
    check(project, 300)


@pytest.mark.slow
def test_five_thousand_damaged_files(project: Path) -> None:
    check(project, 5000)
