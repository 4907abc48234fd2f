from pathlib import Path

import pytest

from osteon.config.specs import DatasetSpec, FracAtlasSpec, MuraSpec, TableSpec
from osteon.datasets import card, find_root, read
from osteon.errors import OsteonError
from osteon.manifest.target import Card

MURA = MuraSpec(kind="mura")
FRACATLAS = FracAtlasSpec(kind="fracatlas")
TABLE = TableSpec(kind="table", name="hip", file="labels.csv", private=False)


def lay(root: Path, spec: DatasetSpec) -> Path:
    """Put down the landmark of a dataset."""
    root.mkdir(parents=True, exist_ok=True)
    if spec.kind == "mura":
        (root / "train" / "XR_HAND").mkdir(parents=True)
    else:
        (root / ("dataset.csv" if spec.kind == "fracatlas" else "labels.csv")).touch()
    return root


@pytest.mark.parametrize("spec", [MURA, FRACATLAS, TABLE], ids=lambda spec: spec.kind)
@pytest.mark.parametrize("above", [0, 1, 2])
def test_found_at_the_root_and_up_to_two_levels_below(spec: DatasetSpec, above: int, tmp_path: Path) -> None:
    folder = lay(tmp_path / "a" / "b" / card(spec).folders[0], spec)
    (tmp_path / "a" / "other").mkdir()
    assert find_root([folder, *folder.parents][above], card(spec), {}) == folder


def test_three_levels_below_is_too_far_and_the_error_lists_names_and_places(tmp_path: Path) -> None:
    lay(tmp_path / "a" / "b" / "c" / "FracAtlas", FRACATLAS)
    with pytest.raises(OsteonError) as fault:
        find_root(tmp_path, card(FRACATLAS), {})
    for word in ("data.root=", str(tmp_path), "FracAtlas", "dataset.csv", str(tmp_path / "a"), "data.roots.fracatlas="):
        assert word in str(fault.value)


@pytest.mark.parametrize("name", ["fracatlas", "FRACATLAS", "FracAtlas"])
def test_case_does_not_matter(name: str, tmp_path: Path) -> None:
    assert find_root(tmp_path, card(FRACATLAS), {}) if lay(tmp_path / name, FRACATLAS) else None


def test_an_archive_unpacked_into_a_folder_of_its_own_name(tmp_path: Path) -> None:
    inner = lay(tmp_path / "fracatlas" / "FracAtlas", FRACATLAS)
    for start in (tmp_path, tmp_path / "fracatlas", inner):
        assert find_root(start, card(FRACATLAS), {}) == inner


def test_a_renamed_folder_is_known_by_its_landmark_if_it_is_given_itself(tmp_path: Path) -> None:
    folder = lay(tmp_path / "my_copy", MURA)
    assert find_root(folder, card(MURA), {}) == folder
    with pytest.raises(OsteonError, match=r"MURA-v1\.1 or MURA"):
        find_root(tmp_path, card(MURA), {})


def test_several_datasets_below_one_root(tmp_path: Path) -> None:
    folders = [lay(tmp_path / card(spec).folders[0], spec) for spec in (MURA, FRACATLAS, TABLE)]
    assert [find_root(tmp_path, card(spec), {}) for spec in (MURA, FRACATLAS, TABLE)] == folders


def test_two_equal_candidates_are_not_chosen_between(tmp_path: Path) -> None:
    for parent in ("old", "new"):
        lay(tmp_path / parent / "hip", TABLE)
    with pytest.raises(OsteonError, match=r"could be any of .*new.*old.*data\.roots\.hip="):
        find_root(tmp_path, card(TABLE), {})
    assert find_root(tmp_path, card(TABLE), {"hip": str(tmp_path / "old" / "hip")}) == tmp_path / "old" / "hip"


@pytest.mark.parametrize("spec", [MURA, FRACATLAS, TABLE], ids=lambda spec: spec.kind)
@pytest.mark.parametrize("place", [".", "backup"])
def test_what_was_named_beats_a_copy_below_it(spec: DatasetSpec, place: str, tmp_path: Path) -> None:
    lay(tmp_path / place / card(spec).folders[0], spec)
    assert find_root(lay(tmp_path, spec), card(spec), {}) == tmp_path


def test_a_foreign_train_folder_is_no_landmark_of_mura(tmp_path: Path) -> None:
    (tmp_path / "train" / "cats").mkdir(parents=True)
    folder = lay(tmp_path / "MURA", MURA)
    assert find_root(tmp_path, card(MURA), {}) == folder


def test_roots_names_a_folder_directly_whatever_it_is_called(tmp_path: Path) -> None:
    folder = lay(tmp_path / "anything", FRACATLAS)
    assert find_root(None, card(FRACATLAS), {"fracatlas": str(folder), "mura": "/elsewhere"}) == folder


@pytest.mark.parametrize(
    ("make", "words"),
    [(None, "there is no such folder"), ("dir", "the folder is empty"), ("file", "this is a file")],
    ids=["missing", "empty", "file"],
)
@pytest.mark.parametrize("direct", [True, False], ids=["data.roots", "data.root"])
def test_missing_and_empty_roots(make: str | None, words: str, direct: bool, tmp_path: Path) -> None:
    place = tmp_path / "FracAtlas"
    if make == "dir":
        place.mkdir()
    elif make == "file":
        place.touch()
    root, roots = (None, {"fracatlas": str(place)}) if direct else (place, {})
    with pytest.raises(OsteonError, match=words) as fault:
        find_root(root, card(FRACATLAS), roots)
    assert str(fault.value).startswith(("data.roots.fracatlas=" if direct else "data.root=") + str(place))


def test_no_root_at_all() -> None:
    with pytest.raises(OsteonError, match=r"data\.root: not given.*data\.roots\.hip"):
        find_root(None, card(TABLE), {})


def test_a_dataset_folder_without_its_files_is_left_to_its_adapter(tmp_path: Path) -> None:
    (tmp_path / "FracAtlas" / "images").mkdir(parents=True)
    root = find_root(tmp_path, card(FRACATLAS), {})
    with pytest.raises(OsteonError, match=r"dataset\.csv: there is no such file"):
        read(root, FRACATLAS)
    (tmp_path / "MURA-v1.1").mkdir()
    with pytest.raises(OsteonError, match="the folder is empty"):
        find_root(tmp_path, card(MURA), {})


@pytest.mark.parametrize("spec", [MURA, FRACATLAS, TABLE], ids=lambda spec: spec.kind)
def test_every_card_states_terms_and_meaning(spec: DatasetSpec) -> None:
    found: Card = card(spec)
    assert found.name == spec.name
    assert found.licence
    assert found.citation
    assert all(len(target.meaning) > 10 for target in found.targets.values())
