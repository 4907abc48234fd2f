"""A grid of processes: what is missing is run, nothing twice, whatever fails or is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.launch.stubs import grid, job, setting, start

from osteon.errors import OsteonError
from osteon.launch.child import last_words
from osteon.launch.grid import SWEEP, alone, check_all, run_grid, run_jobs
from osteon.launch.outcome import JobsFailed, judged
from osteon.scoring.foreign import runs_among

DRIVER = Path(__file__).with_name("sweeping.py")


def driver(*words: str) -> "subprocess.Popen[str]":
    root = DRIVER.parents[2]
    path = os.pathsep.join([str(root), str(root / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(DRIVER), *words], env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit it ignored
    )  # fmt: skip


def starts(folder: Path) -> dict[str, int]:
    return {file.parent.name: len(file.read_text().splitlines()) for file in folder.glob("*/starts.txt")}


def wait_for(found: Callable[[], bool], seconds: float = 60) -> None:
    last = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < last, "waited in vain"
        time.sleep(0.02)


def alive(number: int) -> bool:
    """Tell whether a process is there and no zombie (nobody may reap orphans here)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "jobs.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_failed_job_and_a_killed_launcher_leave_just_what_is_missing(tmp_path: Path) -> None:
    first = driver("grid", str(tmp_path), "3", "0.6")
    wait_for(lambda: len(list(tmp_path.glob("*/result.json"))) >= 4)
    first.kill()
    first.wait()
    done = {file.parent.name for file in tmp_path.glob("*/result.json")}
    assert 4 <= len(done) < 12
    numbers = [int(line) for file in tmp_path.glob("*/starts.txt") for line in file.read_text().split()]
    wait_for(lambda: not any(alive(number) for number in numbers))  # stubs that nobody listens to end
    before = starts(tmp_path)
    jobs = grid(tmp_path, ["lr=1", "lr=2"], ["size=3", "size=4"], range(3), "seconds=0.6")
    named = {one.name: one for one in jobs}
    assert set(named) >= set(before)
    done = {file.parent.name for file in tmp_path.glob("*/result.json")}
    broken = next(name for name in named if name not in done)

    def failing(one: object, workers: int) -> list[str]:
        extra = ["fail=99"] if one is named[broken] else []
        return [*start(one, workers), *extra, "seconds=0"]  # type: ignore[arg-type]

    table = run_jobs(setting(tmp_path, jobs=2), jobs, failing)
    after = starts(tmp_path)
    assert all(after[name] == before[name] for name in done), "what was finished is left alone"
    assert len(table) == len(after) == 12
    assert {name for name, (_, end) in table.items() if end.status != "finished"} == {broken}
    assert table[broken][1].reason == "made to fail (status 3)"
    with pytest.raises(JobsFailed, match="1 of 12 jobs have no result"):
        check_all(table, tmp_path)
    again = run_jobs(setting(tmp_path, jobs=2), jobs, start)
    assert {name for name, count in starts(tmp_path).items() if count > after[name]} == {broken}, "just what is missing"
    assert all(end.status == "finished" for _, end in again.values())
    assert [row["status"] for row in rows(tmp_path)] == ["finished"] * 12
    assert {(row["lr"], row["size"], row["seed"]) for row in rows(tmp_path)} == {
        (lr, size, str(seed)) for lr in "12" for size in "34" for seed in range(3)
    }


def test_a_grid_that_grew_runs_the_new_jobs_only(tmp_path: Path) -> None:
    small = grid(tmp_path, ["lr=1", "lr=2"], ["size=3"], [0, 1])
    run_jobs(setting(tmp_path, jobs=4), small, start)
    large = grid(tmp_path, ["lr=1", "lr=2", "lr=5"], ["size=3", "size=4"], [0, 1, 2])
    table = run_jobs(setting(tmp_path, jobs=4), large, start)
    assert set(starts(tmp_path).values()) == {1}
    assert len(table) == 18
    assert len({one.folder for one in large}) == 18
    left = sorted(path for path in tmp_path.iterdir() if not path.name.startswith("."))  # as a shell's * names them
    assert {path.name for path in left} >= {"jobs.csv", "jobs.json"}
    assert runs_among(left) == sorted(one.folder for one in large)


@pytest.mark.parametrize(("devices", "each", "at_once"), [(8, 1, 8), (8, 2, 4), (3, 2, 1)])
def test_devices_are_all_used_and_never_twice(tmp_path: Path, devices: int, each: int, at_once: int) -> None:
    count = 2 * at_once + 1
    jobs = [job(tmp_path, f"seed={seed}", "seconds=0.3", f"together={at_once}", devices=each) for seed in range(count)]
    run_jobs(setting(tmp_path, devices=devices, threads=4), jobs, start)
    told = [json.loads((one.folder / "log.txt").read_text().splitlines()[0]) for one in jobs]
    spans = [json.loads((one.folder / "spans.json").read_text()) for one in jobs]
    for given in told:
        assert given["CUDA_VISIBLE_DEVICES"].split(",") == given["devices"]
        assert len(set(given["devices"])) == each
        assert given["OMP_NUM_THREADS"] == str(max(1, 4 // each))
        assert given["LOCAL_RANK"] is None
    busiest = 0
    for moment, _ in spans:
        now = [g for g, (begin, end) in zip(told, spans, strict=True) if begin <= moment < end]
        held = [device for given in now for device in given["devices"]]
        assert len(held) == len(set(held)), "one device for two jobs"
        ports = [given["port"] for given in now]
        assert len(ports) == len(set(ports))
        busiest = max(busiest, len(now))
    assert busiest == at_once
    if at_once == 8:
        assert {device for given in told for device in given["devices"]} == set("01234567")


@pytest.mark.slow  # 200 processes
def test_memory_does_not_grow_over_200_children(project: Path) -> None:
    words = [sys.executable, str(project / "benchmarks" / "launcher_overhead.py"), "--jobs", "0", "--children", "200"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = [float(value) for value in done.stdout.rpartition(":")[2].split(",")]
    assert len(found) == 10, "at every 20th"
    assert max(found[1:]) - found[1] <= 2, f"MiB: {found}"


def test_ranks_of_another_job_are_not_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "WANDB_RUN_ID"):
        monkeypatch.setenv(name, "1")
    one = job(tmp_path, "seed=0")
    run_jobs(setting(tmp_path), [one], start)
    assert json.loads((one.folder / "log.txt").read_text().splitlines()[0])["LOCAL_RANK"] is None


def test_threads_and_workers_are_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.launch.crew.cores", lambda: 16)
    asked = []

    def noted(one: object, workers: int) -> list[str]:
        asked.append(workers)
        return start(one, workers)  # type: ignore[arg-type]

    from dataclasses import replace

    jobs = [replace(job(tmp_path, f"seed={seed}"), workers=12) for seed in range(8)]
    run_jobs(setting(tmp_path, devices=8), jobs, noted)
    assert asked == [2] * 8
    assert json.loads((jobs[0].folder / "log.txt").read_text().splitlines()[0])["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize(("retries", "fail", "status"), [(0, 1, "failed"), (1, 1, "finished"), (1, 2, "failed")])
def test_a_crash_is_tried_again_as_often_as_asked(tmp_path: Path, retries: int, fail: int, status: str) -> None:
    one, other = job(tmp_path, f"fail={fail}"), job(tmp_path, "seed=1")
    table = run_jobs(setting(tmp_path, retries=retries), [one, other], start)
    assert table[one.name][1].status == status
    assert table[one.name][1].attempts == min(retries, fail) + 1
    assert table[other.name][1].status == "finished"


def test_a_fault_of_the_input_is_not_tried_again(tmp_path: Path) -> None:
    one = job(tmp_path, "fail=9", "status=2")
    run_jobs(setting(tmp_path, retries=5), [one], start)
    assert starts(tmp_path) == {one.name: 1}


def test_a_failure_stops_the_others_only_when_asked(tmp_path: Path) -> None:
    jobs = [job(tmp_path, "fail=9"), *(job(tmp_path, f"seed={seed}", "seconds=30") for seed in range(3))]
    began = time.monotonic()
    table = run_jobs(setting(tmp_path, jobs=2, stop_on_failure=True), jobs, start)
    assert time.monotonic() - began < 20
    assert [end.status for _, end in table.values()] == ["failed", "stopped", "waiting", "waiting"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_launcher_ends_its_children(tmp_path: Path, number: signal.Signals) -> None:
    process = driver("grid", str(tmp_path), "3", "60")
    wait_for(lambda: len(starts(tmp_path)) == 2)
    process.send_signal(number)
    assert process.wait(30) != 0
    numbers = [int(file.read_text()) for file in tmp_path.glob("*/starts.txt")]
    assert not any(alive(number) for number in numbers)
    assert sorted(row["status"] for row in rows(tmp_path)) == ["stopped"] * 2 + ["waiting"] * 10


def test_two_launchers_do_not_share_a_folder(tmp_path: Path) -> None:
    code = "import sys, pathlib; from osteon.launch.grid import SWEEP, alone\n"
    code += "with alone(pathlib.Path(sys.argv[1]), *SWEEP): pass"
    with alone(tmp_path, *SWEEP):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "another process is running this sweep" in done.stderr


def test_too_few_devices_and_an_empty_grid_are_named(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=r"a job asks for 4, but launch\.devices has 2"):
        run_jobs(setting(tmp_path, devices=2), [job(tmp_path, "seed=0", devices=4)], start)
    with pytest.raises(OsteonError, match="empty grid"):
        run_grid(setting(tmp_path), [])


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (-9, "killed by SIGKILL, as when memory runs out"),
        (-11, "killed by SIGSEGV"),
        (3, "no log (status 3)"),
        (0, "ended without a result"),
    ],
)
def test_a_killed_job_is_told_as_one(tmp_path: Path, status: int, reason: str) -> None:
    assert judged(job(tmp_path, "seed=0"), status, told=False, seconds=1.0, attempts=1).reason == reason


def test_the_reason_is_our_own_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("osteon: job ab: devices 0; 1 thread(s)\nTraceback\nosteon: seed: wrong\nlater noise\n")
    assert last_words(log) == "seed: wrong"
    log.write_text("osteon: job ab: devices 0; 1 thread(s)\nTraceback\nKeyError: 3\n\n")
    assert last_words(log) == "KeyError: 3"
    assert last_words(tmp_path / "none") == "no log"
