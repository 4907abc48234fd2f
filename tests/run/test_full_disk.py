"""A disk that fills up, becomes read-only or hits a quota: a clear error, nothing half-written, and the run goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.run.filling import KINDS, PHASES


def _may_mount() -> bool:
    """Tell whether this user may mount a disk of his own in a namespace of his own."""
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not _may_mount(), reason="needs a namespace in which a disk can be mounted (Linux, unshare -rm)")
def test_the_disk_goes_at_every_stage(tmp_path: Path) -> None:
    script = Path(__file__).with_name("filling.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    command = ["unshare", "-rm", sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(cases) == len(PHASES) * len(KINDS)
    for case in cases:
        assert case["status"] == 2, case
        assert len(case["said"]) == 1, case
        assert not case["traceback"], case
        assert case["half"] == [], case
        assert case["difference"] == "", "the run that went on gives the numbers of one that met no fault"
