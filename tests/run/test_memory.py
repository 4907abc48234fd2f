import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from osteon.run.memory import hold_pages
if sys.argv[1] == "held":
    assert hold_pages()
def turn():
    block = bytearray(b"1") * (16 << 20)
turn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(30):
    turn()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_pages_are_not_asked_for_anew() -> None:
    faults = {}
    for way in ("plain", "held"):
        done = subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True)
        faults[way] = int(done.stdout)
    assert faults["held"] * 20 < faults["plain"], faults
