"""`draw`: the same bytes by seed, complete or absent, clear errors."""

import hashlib
import os
from pathlib import Path

import pytest

from osteon import phantoms
from osteon.errors import OsteonError
from osteon.phantoms import PHANTOMS, ROOTS, draw, writing

IMAGES = (".png", ".jpg", ".dcm")


def digests(root: Path) -> dict[str, str]:
    files = (file for file in root.rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("name", sorted(PHANTOMS))
def test_same_seed_same_bytes_other_seed_other_films(name: str, tmp_path: Path) -> None:
    one, same, other = (digests(draw(name, tmp_path / str(i), 9, seed, 64)) for i, seed in enumerate((5, 5, 6)))
    assert one == same
    images = {path for path in one if path.endswith(IMAGES)}
    assert images
    assert not {one[path] for path in images} & set(other.values())


@pytest.mark.parametrize("name", sorted(PHANTOMS))
def test_a_patient_is_drawn_alike_however_many_there_are(name: str, tmp_path: Path) -> None:
    few, many = (digests(draw(name, tmp_path / str(n), n, 2, 64)) for n in (4, 8))
    images = {path: value for path, value in few.items() if path.endswith(IMAGES)}
    assert images.items() <= many.items()


def test_workers_do_not_change_the_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = digests(draw("hip", tmp_path / "2", 5, 0, 64))
    monkeypatch.setattr(writing, "WORKERS", 1)
    assert digests(draw("hip", tmp_path / "1", 5, 0, 64)) == two


def test_a_complete_folder_is_used_again(tmp_path: Path) -> None:
    root = draw("hip", tmp_path, 3, 0, 64)
    before = {file: file.stat().st_mtime_ns for file in root.rglob("*")}
    assert draw("hip", tmp_path, 3, 0, 64) == root == tmp_path / ROOTS["hip"]
    assert {file: file.stat().st_mtime_ns for file in root.rglob("*")} == before
    assert "of no patient" in (root / writing.NOTICE).read_text()


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("stop"), OSError(28, "No space left on device")])
def test_an_interrupted_drawing_leaves_nothing(
    fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path, patients: int, seed: int, size: int) -> None:
        (folder / "images").mkdir()
        (folder / "images" / "1.png").write_bytes(b"half")
        raise fault

    monkeypatch.setitem(PHANTOMS, "hip", broken)
    with pytest.raises((type(fault), OsteonError)):
        draw("hip", tmp_path, 3, 0, 64)
    assert list(tmp_path.iterdir()) == []


def test_the_other_of_two_processes_may_be_done_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(folder: Path, patients: int, seed: int, size: int) -> None:
        root = tmp_path / ROOTS["hip"]
        root.mkdir()
        (root / writing.NOTICE).write_text("theirs")
        (folder / writing.NOTICE).write_text("ours")

    monkeypatch.setitem(PHANTOMS, "hip", slow)
    root = draw("hip", tmp_path, 3, 0, 64)
    assert (root / writing.NOTICE).read_text() == "theirs"
    assert os.listdir(tmp_path) == [ROOTS["hip"]]


@pytest.mark.parametrize(
    ("name", "patients", "seed", "size", "says"),
    [
        ("murra", 3, 0, 64, "Did you mean 'mura'"),
        ("hip", 0, 0, 64, "patients=0"),
        ("hip", 3, -1, 64, "seed=-1"),
        ("hip", 3, 0, 20, "size=20"),
    ],
)
def test_bad_arguments_are_named(name: str, patients: int, seed: int, size: int, says: str, tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=says):
        draw(name, tmp_path, patients, seed, size)


def test_streams_of_places_of_different_depth_are_different() -> None:
    """NumPy pads a seed with zeros: unguarded, (1, 2) and (1, 2, 0) would draw the same numbers."""
    drawn = [writing.stream(1, *place).random() for place in [(), (2,), (2, 0), (2, 0, 0), (0,), (0, 0)]]
    assert len(set(drawn)) == len(drawn)


def test_every_phantom_has_a_root_of_its_own() -> None:
    assert set(phantoms.ROOTS) == set(PHANTOMS)
    assert len(set(ROOTS.values())) == len(ROOTS)
