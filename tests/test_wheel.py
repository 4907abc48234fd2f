"""The wheel alone, without the checkout: config files inside it, and a run from another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("osteon-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def python(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


def test_wheel_holds_every_config_file(site: Path, project: Path) -> None:
    inside = {str(path.relative_to(site / "osteon" / "conf")) for path in (site / "osteon" / "conf").rglob("*.yaml")}
    assert inside == {str(path.relative_to(project / "conf")) for path in (project / "conf").rglob("*.yaml")}
    assert (site / "osteon" / "py.typed").is_file()
    assert (site / "hydra_plugins" / "osteon_plugins.py").is_file()
    assert not (site / "hydra_plugins" / "__init__.py").exists(), "the package is shared with other plugins"
    assert (site / "osteon" / "config" / "timm_names.txt").is_file()


def test_composes_from_another_folder(site: Path, tmp_path: Path) -> None:
    done = python(site, tmp_path, "-c", "import osteon; print(osteon.__file__)")
    assert done.stdout.startswith(str(site))
    done = python(site, tmp_path, "-m", "osteon.cli", "train", "task=mura", "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert "unit: study" in done.stdout


@pytest.mark.slow
def test_trains_from_another_folder(site: Path, tmp_path: Path) -> None:
    words = ("task=hip_fracture", "backbone=timm", "backbone.name=test_resnet", "phantom.patients=60")
    done = python(site, tmp_path, "-m", "osteon.cli", "train", *words, "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "result.json").is_file()
    assert "PHANTOM" in done.stdout
