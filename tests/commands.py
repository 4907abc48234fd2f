"""`train.py` in this process, from any folder: words -> exit status."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osteon import train

Command = Callable[..., int]


def commanded(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Command:
    """Return train.py as a function that is called with its words, at work in `folder`."""
    monkeypatch.chdir(folder)

    def call(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["train.py", *words])
        try:
            train.main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return call
