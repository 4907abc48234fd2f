"""What DICOM headers say reaches the cache's index, and from there the manifest."""

from pathlib import Path

import pandas as pd

from osteon.images import build, read_image
from osteon.images.read import READING_RULE
from osteon.manifest import complete
from osteon.run.film_facts import add_film_facts

NAMES = ("966_fixed.dcm", "RG2_JPLY_fixed.dcm", "RG3_J2KI.dcm")
# Read by eye from each header.
SAID = {
    "laterality": ["R", None, "R"],
    "view": ["pa", None, "ap"],
    "body_part": ["chest", "hip", "extremity"],
    "spacing_mm_row": [0.16, 0.2, None],
    "spacing_mm_column": [0.16, 0.2, None],
}


def test_headers_reach_the_manifest(test_data: Path, tmp_path: Path) -> None:
    root = test_data / "dicom"
    rows = pd.DataFrame({"image_id": NAMES, "dataset": "clinic", "path": NAMES, "laterality": ["L", None, None]})
    rows = complete(rows)
    for _ in range(2):  # as made, and as found again
        cache = build({"clinic": root}, rows, (64, 64), tmp_path, 2, progress=False)
        manifest, notes = add_film_facts(rows.assign(slot=cache.slots), cache.index)
        for column, said in SAID.items():
            expected = ["L", *said[1:]] if column == "laterality" else said
            found = [None if pd.isna(value) else value for value in manifest[column]]
            assert found == expected, column
        assert manifest["decision"].tolist() == [read_image(root / name).decision for name in NAMES]
        assert len(notes) == 1
        assert "1 DICOM headers say the other side" in notes[0]


def test_plain_images_say_nothing_of_the_film(test_data: Path, tmp_path: Path) -> None:
    path = next((test_data / "fracatlas").rglob("IMG0002588.jpg"))
    rows = complete(pd.DataFrame({"image_id": ["a"], "dataset": "clinic", "path": [path.name]}))
    cache = build({"clinic": path.parent}, rows, (64, 64), tmp_path, 1, progress=False)
    manifest, _ = add_film_facts(rows.assign(slot=cache.slots), cache.index)
    assert manifest[list(SAID)].isna().all(axis=None)
    assert "8 bit as stored" in manifest["decision"].item()


def test_the_rule_of_reading_is_not_that_of_a_release_without_dicom() -> None:
    assert READING_RULE > 1
