"""Who is named when processes end, without any training: ranks here only sleep, or end as they are told."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from osteon.errors import OsteonError
from osteon.run.processes.spawn import LOST, Rank, _end, _watch

SLEEP = "import time; time.sleep(60)"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
# It sees the other one go, and takes a second to die: it must not be blamed.
LEFT_ALONE = f"import time; time.sleep(0.3); raise SystemExit({LOST})"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def started(*programs: str) -> list[Rank]:
    ranks = []
    for number, program in enumerate(programs):
        said = None if number == 0 else tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=said, stderr=said)
        ranks.append(Rank(number, process, said))
    return ranks


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ((SLEEP, KILLED), r"rank 1 of 2 was killed by SIGKILL; the others were stopped.*memory ran out"),
        ((KILLED, STUBBORN), r"rank 0 of 2 was killed by SIGKILL"),
        ((LEFT_ALONE, "raise SystemExit(7)"), r"rank 1 of 2 ended with exit status 7"),
        ((LEFT_ALONE, KILLED, SLEEP), r"rank 1 of 3 was killed by SIGKILL"),
        ((SLEEP, "raise ValueError('no such thing')"), r"exit status 1.*Its last words: ValueError: no such thing"),
    ],
)
def test_the_rank_that_ended_first_is_named_within_seconds(
    programs: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    began, ranks = time.monotonic(), started(*programs)
    with pytest.raises(OsteonError, match=said):
        _watch(ranks, tmp_path)
    assert time.monotonic() - began < 30.0
    assert all(rank.ended is not None for rank in ranks), "none is left"


def test_what_rank_0_has_said_is_not_said_again(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        _watch(started("raise SystemExit(2)", SLEEP), tmp_path)
    assert stop.value.code == 2


def test_a_run_that_ends_well_is_left_to_end(tmp_path: Path) -> None:
    _watch(started("pass", "import time; time.sleep(0.5)"), tmp_path)


def test_the_way_on_is_told_where_an_epoch_is_whole(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(OsteonError, match=rf"python train.py resume={tmp_path}"):
        _watch(started(SLEEP, KILLED), tmp_path)


def test_processes_are_ended_whatever_they_do_with_sigterm() -> None:
    ranks = started(STUBBORN, SLEEP)
    time.sleep(0.3)
    _end(ranks)
    assert [rank.ended for rank in ranks][1] in (-signal.SIGTERM, -signal.SIGKILL)
    assert ranks[0].ended is not None
