from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import OaiSpec
from osteon.datasets import card, find_root, read
from osteon.errors import OsteonError
from osteon.manifest import complete, validate

HEADER = "ID|SIDE|READPRJ|VERSION|V00XRKL|V00XROSFL|V00XRJSM"
LINES = (
    "9000001|1: Right|15|0.8|2: Minimal|1: Grade 1|0",
    "9000001|2: Left|15|0.8|0|.M: Missing|.M",
    "9000002|1|15|0.8|.T: Technical|0|0",
    "9000002|2|15|0.8|4|3|2.4",
    "9000002|2|37|0.8|3|3|2",
    "9000003|1|42|0.8|1|0|0",
)


def spec(**options: Any) -> OaiSpec:
    return OaiSpec(kind="oai", **options)


def picture(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6), 90, np.uint8)).save(root / name)


def readings(root: Path, *lines: str, header: str = HEADER, name: str = "kXR_SQ_BU00.txt") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join((header, *lines)) + "\n")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    picture(tmp_path, *(f"V00/{name}.png" for name in ("9000001R", "9000001L", "9000002R", "9000002L", "9000003R")))
    (tmp_path / "General").mkdir()
    (tmp_path / "General" / "enrollees.txt").write_text("ID|P02SEX|P02RACE\n9000001|2: Female|1\n9000002|1: Male|1\n")
    (tmp_path / "General" / "SubjectChar00.txt").write_text("ID|V00AGE\n9000001|61\n9000002|.M\n")
    return readings(tmp_path, *LINES)


def fault(root: Path, **options: Any) -> str:
    with pytest.raises(OsteonError) as told:
        read(root, spec(**options))
    return str(told.value)


def test_a_row_is_a_knee_at_a_visit_as_one_project_read_it(root: Path) -> None:
    reading = read(root, spec())
    rows = validate(complete(reading.rows), card(spec()).targets).set_index("image_id")
    assert rows.index.tolist() == ["V00/9000001R", "V00/9000001L", "V00/9000002L"]
    assert rows["laterality"].tolist() == ["R", "L", "L"], "side 1 is the right knee"
    assert rows["kl"].tolist() == [2.0, 0.0, 4.0]
    assert rows["oa"].tolist() == [1.0, 0.0, 1.0]
    assert rows["osteophytes_femur_lateral"].fillna(-1).tolist() == [1.0, -1.0, 3.0]
    assert rows["narrowing_medial"].fillna(-1).tolist() == [0.0, -1.0, -1.0], "a change within a grade is no grade"
    assert rows["patient_id"].tolist() == ["oai:9000001", "oai:9000001", "oai:9000002"]
    assert rows["sex"].tolist() == ["F", "F", "M"]
    assert rows["age_years"].fillna(-1).tolist() == [61.0, 61.0, -1.0]
    assert rows["path"].tolist()[0] == "V00/9000001R.png"
    assert any("2 readings of project 37 are left out; 4 of project 15" in note for note in reading.notes)
    assert any("V00XRJSM has 1 cells" in note and "'2.4' in row 5" in note for note in reading.notes)
    assert any("no column V00XRSCFL" in note for note in reading.notes)


def test_a_missing_grade_is_rejected_with_its_reason_and_never_0(root: Path) -> None:
    rejected = read(root, spec()).rejected
    assert rejected["image_id"].tolist() == ["V00/9000002R"]
    assert rejected["reason"][0] == "no Kellgren-Lawrence grade: .T, technical fault of the film"
    readings(root, "9000001|1|15|0|.J|0|0", "9000001|2|15|0||0|0", "9000002|1|15|0|.M|0|0", "9000002|2|15|0|1|0|0")
    reasons = read(root, spec()).rejected["reason"].str.removeprefix("no Kellgren-Lawrence grade: ").tolist()
    assert reasons == [".J, excluded", "blank", ".M, missing"]


def test_columns_of_blanks_alone_are_unknown(root: Path) -> None:
    readings(root, "9000001|1|15|0|3||", "9000001|2|15|0|2||")
    (root / "General" / "enrollees.txt").write_text("ID|P02SEX\n9000001|\n")
    rows = read(root, spec()).rows
    assert rows["kl"].tolist() == [3.0, 2.0]
    assert rows[["sex", "osteophytes_femur_lateral", "narrowing_medial"]].isna().all(axis=None)


def test_project_42_is_37(root: Path) -> None:
    rows = read(root, spec(project=37)).rows
    assert rows["image_id"].tolist() == ["V00/9000002L", "V00/9000003R"]
    assert rows["kl"].tolist() == [3.0, 1.0], "not the mean of 3 and 4"


def test_visits_and_the_case_of_names(root: Path) -> None:
    header = HEADER.replace("V00", "V03").lower()
    readings(root, "9000001|1|15|0|3|0|0", header=header, name="X-Ray/SQ/kxr_sq_bu03.txt")
    assert any("visit V03 is left out" in note for note in read(root, spec()).notes)
    picture(root, "V03/9000001R.png")
    rows = read(root, spec()).rows
    later = rows[rows["study_id"] == "V03"].iloc[0]
    assert (later["image_id"], later["kl"], later["age_years"]) == ("V03/9000001R", 3.0, 63.0)
    assert read(root, spec(visits=["V03"])).rows["study_id"].tolist() == ["V03"]
    assert "dataset.visits names V10; tables there: V00, V03" in fault(root, visits=["V10"])


def test_a_knee_read_twice_by_one_project(root: Path) -> None:
    readings(root, *LINES[:2], LINES[0], LINES[1].replace("|0|.M: ", "|1|.M: "))
    reading = read(root, spec())
    assert reading.rows["image_id"].tolist() == ["V00/9000001R"]
    contrary = "listed twice, each time with another value"
    assert reading.rejected["reason"].tolist() == [contrary, "listed twice", contrary]


def test_a_knee_without_an_image_is_rejected(root: Path) -> None:
    (root / "V00" / "9000001L.png").unlink()
    rejected = read(root, spec()).rejected.set_index("image_id")["reason"]
    assert rejected["V00/9000001L"] == "listed in kXR_SQ_BU00.txt, but not on disk"


def test_sex_and_age_are_unknown_without_their_tables(root: Path) -> None:
    for file in (root / "General").iterdir():
        file.unlink()
    reading = read(root, spec())
    assert reading.rows[["sex", "age_years"]].isna().all(axis=None)
    assert {"no Enrollees.txt: sex is unknown", "no SubjectChar00.txt: age is unknown"} <= set(reading.notes)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("9000001|1|15|0|7|0|0", "'V00XRKL' must hold a grade from 0 to 4 or a missing code; found '7' in row 2"),
        ("9000001|3|15|0|1|0|0", "'SIDE' must hold 1 (right) or 2 (left); found '3' in row 2"),
        ("9000001|1: Left|15|0|1|0|0", "'SIDE' must hold 1 (right) or 2 (left); found '1: Left'"),
        ("9000001||15|0|1|0|0", "'SIDE' must not be blank"),
        ("9000001|1||0|1|0|0", "'READPRJ' must hold a project, 15, 37, 42; found a blank in row 2"),
        ("9000001|1|16|0|1|0|0", "'READPRJ' must hold a project, 15, 37, 42; found '16'"),
        ("L1|1|15|0|1|0|0", "'ID' must hold a participant; found 'L1'"),
        ("9000001|1|15|0|1|0", "row 2 has 6 fields, the header has 7"),
    ],
)
def test_a_bad_cell_is_named(root: Path, line: str, words: str) -> None:
    readings(root, line)
    told = fault(root)
    assert words in told
    assert "kXR_SQ_BU00.txt" in told


def test_a_wrong_schema_or_a_missing_table_is_named(root: Path) -> None:
    readings(root, *LINES, header=HEADER.replace("V00XRKL", "V01XRKL"))
    assert "no column 'V00XRKL'. Did you mean 'V01XRKL'" in fault(root)
    assert "dataset.columns" not in fault(root), "its columns cannot be mapped"
    readings(root, *(line.replace("|", ",") for line in LINES), header=HEADER.replace("|", ","))
    assert "look parted by ',', which is not read as a separator here. The release parts fields by '|'" in fault(root)
    (root / "kXR_SQ_BU00.txt").unlink()
    assert "no table kXR_SQ_BU00.txt there or up to 3 levels below" in fault(root)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("enrollees.txt", "ID|P02SEX\n9000001|X\n", "'P02SEX' must hold 1 (male), 2 (female)"),
        ("enrollees.txt", "ID|P02SEX\n9000001|1\n9000001|2\n", "'ID' names a participant twice"),
        ("SubjectChar00.txt", "ID|V00AGE\n9000001|-3\n", "'V00AGE' must hold years from 0 to 130 or blank; found '-3'"),
        ("SubjectChar00.txt", "ID|AGE\n9000001|50\n", "no column 'V00AGE'"),
    ],
)
def test_a_fault_of_the_participants_tables_is_named(root: Path, file: str, text: str, words: str) -> None:
    (root / "General" / file).write_text(text)
    assert words in fault(root)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{visit}/{id}.png", "A film shows both knees"),
        ("{visit}/{id}{side}{year}.png", "expected {id} and {side}"),
        ("../{id}{side}.png", "below the dataset's folder"),
        ("{id}{side", "cannot be read"),
    ],
)
def test_a_pattern_that_cannot_find_single_knees_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(OsteonError) as told:
        card(spec(images=pattern))
    assert words in str(told.value)


@pytest.mark.parametrize("pattern", ["{id:d}{side}.png", "{visit}/{id}{side!x}.png", "{id}{side:{visit}}.png"])
def test_a_pattern_that_formats_is_refused(pattern: str) -> None:
    with pytest.raises(OsteonError, match=r"formats \{(id|side)\}; expected the bare name"):
        card(spec(images=pattern))


def test_columns_that_differ_in_capitals_only_are_named(root: Path) -> None:
    readings(root, *(f"{line}|1" for line in LINES), header=f"{HEADER}|v00xrkl")
    assert "V00XRKL stands there twice" in fault(root).replace("'", "")


def test_the_tables_own_folder_may_have_any_name(root: Path) -> None:
    assert find_root(root, card(spec()), {}) == root


def test_several_visits_of_one_image_are_refused(root: Path) -> None:
    """The knee of V00 would carry the grades of V00 and of V03."""
    readings(root, "9000001|1|15|0|3|0|0", header=HEADER.replace("V00", "V03"), name="kXR_SQ_BU03.txt")
    picture(root, "9000001R.png", "9000001L.png")
    told = fault(root, images="{id}{side}.png")
    assert "has no {visit}" in told
    assert "V00, V03" in told
    assert "dataset.visits=[V00]" in told
    assert read(root, spec(images="{id}{side}.png", visits=["V03"])).rows["kl"].tolist() == [3.0]


def test_the_root_may_have_any_name_and_its_tables_folders_of_their_own(root: Path) -> None:
    (root / "X-Ray" / "SQ").mkdir(parents=True)
    (root / "kXR_SQ_BU00.txt").rename(root / "X-Ray" / "SQ" / "kxr_sq_bu00.TXT")
    assert find_root(root, card(spec()), {}) == root
    assert len(read(root, spec()).rows) == 3
    named = root.rename(root.parent / "oai")
    assert find_root(named.parent, card(spec()), {}) == named, "a folder of the release's name goes first"


def test_no_image_at_all_names_the_pattern(root: Path) -> None:
    assert "where dataset.images='{id}{side}.png' looks" in fault(root, images="{id}{side}.png")


def test_the_patients_are_those_of_the_knee_collection(root: Path) -> None:
    knees = pd.Series(["oai:9000001"])
    assert knees.isin(read(root, spec()).rows["patient_id"]).all()
