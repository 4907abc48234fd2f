"""What every test may lean on: real data where it lies, a cache of its own, no W&B, no network."""

import os
from collections.abc import Iterator
from pathlib import Path

# Before anything imports torch: two test processes with two threads each on two cores wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest

from tests.commands import Command, commanded

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def test_data() -> Path:
    folder = Path(os.environ.get("OSTEON_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real radiographs here: set OSTEON_TEST_DATA")
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Return train.py in this process, at work in the test's folder: words -> exit status."""
    return commanded(monkeypatch, tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests off the user's cache, off the network, and each worker on one thread."""
    patch = pytest.MonkeyPatch()
    patch.setenv("OSTEON_CACHE", str(tmp_path_factory.mktemp("cache")))
    key = tmp_path_factory.mktemp("identity") / "identity.key"
    key.write_text("5a" * 32 + "\n")  # a random one would give the tests' private sets another split each time
    patch.setenv("OSTEON_KEY", str(key))
    patch.setenv("WANDB_MODE", "offline")
    patch.setenv("WANDB_SILENT", "true")
    patch.delenv("WANDB_API_KEY", raising=False)
    patch.setenv("NETRC", "/nonexistent")
    patch.setenv("HF_HUB_OFFLINE", "1")
    patch.setenv("NO_COLOR", "1")
    patch.setenv("COLUMNS", "120")
    yield
    patch.undo()
