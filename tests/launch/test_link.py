"""A run and its launcher: reports, the word to stop, and the end of an orphan."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from tests.launch.test_grid import alive

from osteon import launched

ORPHAN = """
import os, time
from osteon import launched
launched.GRACE = 0.5
launched.begin()
assert launched.NAME not in os.environ
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, launched.Link]]:
    mine, theirs = socket.socketpair()
    monkeypatch.setattr(launched, "_end_group", lambda: None)
    link = launched.Link(theirs, asks=True)
    yield mine, link
    mine.close()
    link.thread.join(10)  # before the patch is undone: it would end the tests


def test_a_report_waits_for_its_answer(ends: tuple[socket.socket, launched.Link]) -> None:
    mine, link = ends
    for stop in (False, True):
        mine.sendall(json.dumps({"stop": stop}).encode() + b"\n")
        assert link.report(3, {"val/monitor": 0.5}) is stop
        assert json.loads(mine.recv(999)) == {"epoch": 3, "values": {"val/monitor": 0.5}}


def test_a_dead_launcher_is_not_waited_for(ends: tuple[socket.socket, launched.Link]) -> None:
    mine, link = ends
    mine.close()
    assert link.report(0, {}) in (True, False)


def test_a_run_of_its_own_reports_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launched.NAME, raising=False)
    launched.begin()
    assert launched.report(0, {"val/monitor": 1.0}) is False


HANDED = """
from osteon import launched
launched.begin()
assert launched.NAME not in __import__('os').environ
print([launched.report(epoch, {'val/monitor': 0.25}) for epoch in (0, 1)])
"""


def test_a_process_reports_in_the_place_of_the_one_that_started_it(
    ends: tuple[socket.socket, launched.Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, link = ends
    monkeypatch.setattr(launched, "_link", link)
    with launched.handed_on() as (more, descriptors):
        process = subprocess.Popen(
            [sys.executable, "-c", HANDED], env={**os.environ, **more}, pass_fds=descriptors, stdout=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
    with mine.makefile("r") as lines:
        for epoch, stop in ((0, False), (1, True)):
            assert json.loads(lines.readline()) == {"epoch": epoch, "values": {"val/monitor": 0.25}}
            mine.sendall(json.dumps({"stop": stop}).encode() + b"\n")
    assert process.communicate(timeout=60)[0] == "[False, True]\n", "one line: what the job was given is said once"


def test_nothing_is_handed_on_to_other_ranks_and_without_a_launcher(
    ends: tuple[socket.socket, launched.Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launched, "_link", ends[1])
    with launched.handed_on(False) as handed:
        assert handed == ({}, ())
    monkeypatch.setattr(launched, "_link", None)
    with launched.handed_on() as handed:
        assert handed == ({}, ())


def test_an_orphan_ends_with_all_its_processes() -> None:
    mine, theirs = socket.socketpair()
    told = {"fd": theirs.fileno(), "job": "a", "devices": ["3"], "threads": 2, "asks": False, "port": 5}
    process = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], env={**os.environ, launched.NAME: json.dumps(told)},
        pass_fds=[theirs.fileno()], start_new_session=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    theirs.close()
    assert process.stdout is not None
    assert process.stdout.readline() == "osteon: job a: devices 3; 2 thread(s); port 5\n"
    other = int(process.stdout.readline())
    mine.close()  # as when the launcher is killed
    assert process.wait(20) != 0
    last = time.monotonic() + 20
    while alive(other):
        assert time.monotonic() < last
        time.sleep(0.05)
