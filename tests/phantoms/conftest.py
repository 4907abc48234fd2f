from pathlib import Path

import pytest

from osteon.phantoms import draw

PATIENTS = {"mura": 112, "fracatlas": 90, "hip": 70}
SIZE = 96


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each dataset drawn once: small films, seed 3."""
    return {name: draw(name, tmp_path_factory.mktemp(name), count, 3, SIZE) for name, count in PATIENTS.items()}
