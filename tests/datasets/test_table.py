from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import TableSpec
from osteon.config.targets import TargetSpec
from osteon.datasets import card, read
from osteon.errors import OsteonError
from osteon.manifest import Target, complete, validate
from osteon.manifest.schema import NULLABLE, STRINGS
from osteon.predictions import REQUIRED

FRACTURE = {"fracture": TargetSpec(meaning="a fracture on this radiograph")}
MORE = ("frame", "age_years", "slot", "probability", "probabilities", "value")
GRADES = ["none", "mild", "severe"]


def spec(**options: Any) -> TableSpec:
    return TableSpec(kind="table", name="clinic", **({"targets": FRACTURE, "private": False} | options))


def lay(
    root: Path, table: pd.DataFrame | str, file: str = "labels.csv", images: tuple[str, ...] = ("1", "2", "3")
) -> Path:
    for name in images:
        place = root / f"{name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 5), 9, np.uint8)).save(place)
    if isinstance(table, str):
        (root / file).write_text(table, encoding="utf-8")
    elif file.endswith("parquet"):
        table.to_parquet(root / file)
    else:
        table.to_csv(root / file, index=False)
    return root


PLAIN = pd.DataFrame({"path": ["1.png", "2.png", "3.png"], "fracture": [1, 0, None]})


MONTHS = TargetSpec(meaning="bone age", kind="regression", unit="months", low=0.0, high=240.0)


def test_a_number_keeps_its_value_and_its_scale(tmp_path: Path) -> None:
    lay(tmp_path, "path,age_months\n1.png,0\n2.png,\n3.png,130.5\n")
    chosen = spec(targets={"age_months": MONTHS})
    rows = validate(complete(read(tmp_path, chosen).rows), card(chosen).targets)
    assert rows["age_months"].fillna(-1).tolist() == [0.0, -1.0, 130.5]
    assert card(chosen).targets["age_months"] == Target("bone age", "regression", (), "months", 0.0, 240.0)


@pytest.mark.parametrize("wrong", ["-3", "241", "inf", "ten"])
def test_a_number_out_of_its_range_is_refused_by_row(wrong: str, tmp_path: Path) -> None:
    lay(tmp_path, f"path,age_months\n1.png,12\n2.png,{wrong}\n")
    with pytest.raises(OsteonError) as told:
        read(tmp_path, spec(targets={"age_months": MONTHS}))
    assert f"'age_months' must hold months from 0 to 240 or blank; found {wrong!r} in row 3" in str(told.value)


def test_ordinal_targets_are_indices_of_their_names(tmp_path: Path) -> None:
    lay(tmp_path, "path,kl\n1.png,4\n2.png,0\n3.png,\n")
    grades = TargetSpec(meaning="Kellgren-Lawrence grade", kind="ordinal", classes=["0", "1", "2", "3", "4"])
    chosen = spec(targets={"kl": grades})
    assert read(tmp_path, chosen).rows["kl"].fillna(-1).tolist() == [4.0, 0.0, -1.0]
    lay(tmp_path, "path,kl\n1.png,7\n")
    with pytest.raises(OsteonError, match=r"'kl' must hold one of 0, 1, 2, 3, 4; found '7' in row 2"):
        read(tmp_path, chosen)


@pytest.mark.parametrize("file", ["labels.csv", "labels.parquet"])
def test_a_plain_table(file: str, tmp_path: Path) -> None:
    given = PLAIN.assign(
        patient_id=["007", "08", None], study_id=["1", "2", "3"], laterality=["left", "R", None],
        sex=["F", "male", ""], age_years=[61.5, 70, None], view="frontal", score=[0.25, None, 3],
        implant=["none", "plate", None], cast=["yes", "no", None], split=["train", "valid", "Test"],
    )  # fmt: skip
    chosen = spec(file=file, covariates=["score", "implant", "cast"])
    rows = validate(complete(read(lay(tmp_path, given, file), chosen).rows), card(chosen).targets)
    assert rows["image_id"].tolist() == rows["path"].tolist() == ["1.png", "2.png", "3.png"]
    assert rows["patient_id"].fillna("-").tolist() == ["clinic:007", "clinic:08", "-"]
    assert rows["study_id"].tolist() == ["1", "2", "3"]
    assert rows["laterality"].fillna("-").tolist() == ["L", "R", "-"]
    assert rows["sex"].fillna("-").tolist() == ["F", "M", "-"]
    assert rows["split"].tolist() == ["train", "val", "test"]
    np.testing.assert_array_equal(rows["fracture"], [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(rows["age_years"], [61.5, 70.0, np.nan])
    np.testing.assert_array_equal(rows["score"].astype(float), [0.25, np.nan, 3.0])
    np.testing.assert_array_equal(rows["cast"].astype(float), [1.0, 0.0, np.nan])
    assert rows["implant"].fillna("-").tolist() == ["none", "plate", "-"], "none is no blank"


def test_parquet_ids_with_a_gap_do_not_become_decimals(tmp_path: Path) -> None:
    given = PLAIN.assign(patient_id=[12.0, None, 7.0])
    rows = read(lay(tmp_path, given, "t.parquet"), spec(file="t.parquet")).rows
    assert rows["patient_id"].fillna("-").tolist() == ["clinic:12", "-", "clinic:7"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "BOM"])
def test_separators_byte_order_mark_and_blank_lines(mark: str, start: str, tmp_path: Path) -> None:
    text = start + f"path{mark}fracture\n\n1.png{mark}1\n 2.png {mark} 0 \n{mark}\n"
    rows = read(lay(tmp_path, text), spec()).rows
    assert rows["path"].tolist() == ["1.png", "2.png"]
    assert rows["fracture"].tolist() == [1.0, 0.0]


def test_columns_by_other_names_and_a_folder_of_images(tmp_path: Path) -> None:
    text = "Dateiname,Pat,Fraktur\n1.png,a,ja\nsub\\2.png,b,nein\n".replace("ja", "TRUE").replace("nein", "False")
    lay(tmp_path, text, "liste.csv", ("bilder/1", "bilder/sub/2"))
    columns = {"path": "Dateiname", "patient_id": "Pat", "fracture": "Fraktur"}
    rows = read(tmp_path, spec(file="liste.csv", images="bilder", columns=columns)).rows
    assert rows["path"].tolist() == ["bilder/1.png", "bilder/sub/2.png"]
    assert rows["patient_id"].tolist() == ["clinic:a", "clinic:b"]
    assert rows["fracture"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("positive", ["1", "1.0", "true", "TRUE", "yes", "Yes"])
@pytest.mark.parametrize("negative", ["0", "0.0", "False", "no"])
@pytest.mark.parametrize("blank", ["", "NaN", "NA"])
def test_binary_targets(positive: str, negative: str, blank: str, tmp_path: Path) -> None:
    text = f"path,fracture\n1.png,{positive}\n2.png,{negative}\n3.png,{blank}\n"
    np.testing.assert_array_equal(read(lay(tmp_path, text), spec()).rows["fracture"], [1.0, 0.0, np.nan])


@pytest.mark.parametrize("wrong", ["2", "-1", "maybe", "0.5", "none"])
def test_a_binary_target_refuses_anything_else_by_row(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(OsteonError) as fault:
        read(lay(tmp_path, f"path,fracture\n1.png,1\n2.png,{wrong}\n"), spec())
    for word in ("labels.csv", "'fracture'", f"{wrong!r} in row 3", "0/1"):
        assert word in str(fault.value)


@pytest.mark.parametrize("cells", [["none", "Mild", "SEVERE"], ["0", "1", "2"], ["0.0", "mild", "2.0"]])
def test_multiclass_targets_by_name_or_index(cells: list[str], tmp_path: Path) -> None:
    chosen = spec(targets={"grade": TargetSpec(meaning="severity", kind="multiclass", classes=GRADES)})
    given = pd.DataFrame({"path": ["1.png", "2.png", "3.png"], "grade": cells})
    rows = read(lay(tmp_path, given), chosen).rows
    assert rows["grade"].tolist() == [0.0, 1.0, 2.0]
    assert card(chosen).targets == {"grade": Target("severity", "multiclass", tuple(GRADES))}


def test_classes_named_by_numbers_are_never_taken_for_indices(tmp_path: Path) -> None:
    chosen = spec(targets={"kl": TargetSpec(meaning="grade", kind="multiclass", classes=["1", "2", "3"])})
    rows = read(lay(tmp_path, "path,kl\n1.png,1\n2.png,3\n"), chosen).rows
    assert rows["kl"].tolist() == [0.0, 2.0]
    with pytest.raises(OsteonError, match=r"must hold one of 1, 2, 3; found '0' in row 2"):
        read(lay(tmp_path, "path,kl\n1.png,0\n"), chosen)


@pytest.mark.parametrize(
    ("column", "wrong", "words"),
    [
        ("laterality", "B", "L, R, left, right"),
        ("sex", "1", "0 and 1 do not say"),
        ("sex", "0", "0 and 1 do not say"),
        ("sex", "divers", "F, M"),
        ("split", "dev", "train, val, valid"),
        ("age_years", "061Y", "years from 0 to 130"),
        ("age_years", "-3", "years from 0 to 130"),
        ("frame", "-1", "frame number"),
        ("path", "", "must not be blank"),
        ("path", "../secret.png", "below the folder of images"),
        ("path", "a/../../b.png", "below the folder of images"),
        ("path", "/etc/passwd", "below the folder of images"),
        ("path", "C:\\films\\1.png", "below the folder of images"),
        ("path", "1.png", "names an image twice"),
        ("path", "./1.png", "names an image twice"),
        ("path", ".//1.png", "names an image twice"),
        ("path", "././1.png", "names an image twice"),
        ("path", ".\\1.png", "names an image twice"),
        ("image_id", "x", "names an image twice"),
        ("image_id", "", "must not be blank"),
    ],
)
def test_cells_that_break_their_rule(column: str, wrong: str, words: str, tmp_path: Path) -> None:
    good = {
        "path": "1.png", "image_id": "x", "laterality": "L", "sex": "F", "split": "train", "age_years": "9",
        "frame": "0", "fracture": "1",
    }  # fmt: skip
    given = pd.DataFrame([good, good | {"path": "2.png", "image_id": "y"} | {column: wrong}])
    with pytest.raises(OsteonError, match=words) as fault:
        read(lay(tmp_path, given), spec())
    assert "labels.csv" in str(fault.value)
    assert repr(column) in str(fault.value)
    assert "row 3" in str(fault.value)


@pytest.mark.parametrize("file", ["labels.csv", "labels.parquet"])
def test_columns_of_blanks_alone_are_unknown(file: str, tmp_path: Path) -> None:
    blank = ["patient_id", "study_id", "sex", "laterality", "age_years", "split", "view", "cast"]
    lay(tmp_path, PLAIN.assign(**dict.fromkeys([*blank, "frame"], "")), file)
    rows = complete(read(tmp_path, spec(file=file, covariates=["cast"])).rows)
    assert rows[blank].isna().all(axis=None)
    assert rows["frame"].tolist() == [0, 0, 0]


def test_frames_of_one_file_are_several_images(tmp_path: Path) -> None:
    rows = read(lay(tmp_path, "path,frame,fracture\n1.png,0,1\n1.png,1,0\n2.png,,0\n"), spec()).rows
    assert rows["frame"].tolist() == [0, 1, 0]
    assert rows["image_id"].tolist() == ["1.png#0", "1.png#1", "2.png"]


def test_images_missing_on_disk_are_rejected_rows(tmp_path: Path) -> None:
    reading = read(lay(tmp_path, PLAIN, images=("1", "3")), spec())
    assert reading.rows["path"].tolist() == ["1.png", "3.png"]
    assert reading.rejected.to_dict("list") == {
        "image_id": ["2.png"], "path": ["2.png"], "reason": ["listed in labels.csv, but not on disk"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("file,fracture\n1.png,1\n", {}, "no column 'path'.*It has: file, fracture"),
        ("path,fractures\n1.png,1\n", {}, r"no column 'fracture'\. Did you mean 'fractures'"),
        ("path,fracture\n1.png,1\n", {"columns": {"sex": "gender"}}, "no column 'gender'"),
        ("path,fracture\n1.png,1\n", {"covariates": ["cast"]}, "no column 'cast'"),
        ("path,fracture\n1.png,1\n", {"columns": {"pacient_id": "path"}}, r"columns: 'pacient_id'.*'patient_id'"),
        ("path,fracture,sex\n1.png,1,F\n", {"covariates": ["sex"]}, "'sex' is a name that Osteon uses itself"),
        ("path,fracture,path\n1.png,1,2.png\n", {}, "'path' stands there twice"),
        ("path,fracture\n1.png\n", {}, "row 2 has 1 fields, the header has 2"),
        ("path,fracture\n1.png,1,9\n", {}, "row 2 has 3 fields, the header has 2"),
        ("path,fracture\n", {}, "no rows"),
        ("", {}, "the file is empty"),
        ("\n\npath,fracture\n\n1.png,1\n\n\n2.png,9\n", {}, "'9' in row 8"),
        ("path,fracture\n\n\n1.png\n", {}, "row 4 has 1 fields"),
        ("path|fracture\n1.png|1\n", {}, r"no column 'path'.*look parted by '\|'.*columns"),
        ("path|fracture\n1.png|1,5\n", {}, r"row 2 has 2 fields.*look parted by '\|'"),
        ("path;note,a,b\n1.png;1,2,3\n", {}, "look parted by ';'"),
        ('path,fracture\n1.png,"1\n2.png,0\n3.png,1\n', {}, "row 2 has a cell of several lines"),
        ('path,fracture\n1.png,0\n2.png,"1\n', {}, "row 3 has a cell of several lines"),
        ('path,fracture\n1.png,0\n2.png,"1' + "\n3.png,0" * 30_000, {}, "row 3.*a quote there not closed"),
        ('path,fracture\r1.png,"1\r2.png,0\r', {}, "row 2 has a cell of several lines"),
    ],
)
def test_tables_with_a_fault(text: str, options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=words):
        read(lay(tmp_path, text), spec(**options))


def test_a_table_that_is_not_there_or_no_table(tmp_path: Path) -> None:
    lay(tmp_path, PLAIN, "label.csv")
    with pytest.raises(OsteonError, match=r"labels\.csv: there is no such file\. Did you mean 'label\.csv'"):
        read(tmp_path, spec())
    (tmp_path / "latin.csv").write_bytes("path,fracture\nM\u00fcller.png,1\n".encode("latin-1"))
    with pytest.raises(OsteonError, match=r"latin\.csv: not UTF-8 \(row 2\), perhaps Latin-1"):
        read(tmp_path, spec(file="latin.csv"))
    (tmp_path / "wide.csv").write_bytes("path,fracture\n1.png,1\n".encode("utf-16"))
    with pytest.raises(OsteonError, match=r"wide\.csv: not UTF-8, it looks like UTF-16"):
        read(tmp_path, spec(file="wide.csv"))
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(OsteonError, match="cannot be read as parquet"):
        read(tmp_path, spec(file="text.parquet"))


def test_all_images_missing_stops(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=r"no image of the dataset 'clinic' can be used\. First: 1\.png"):
        read(lay(tmp_path, PLAIN, images=()), spec())


@pytest.mark.parametrize("images", ["films", "./films", "films//", "films/."])
@pytest.mark.parametrize("path", ["a/1.png", "a//1.png", "a/./1.png", "./a/1.png", "a\\1.png"])
def test_one_file_has_one_path(images: str, path: str, tmp_path: Path) -> None:
    root = lay(tmp_path, f"path,fracture\n{path},1\n", images=("films/a/1",))
    assert read(root, spec(images=images)).rows["path"].tolist() == ["films/a/1.png"]


@pytest.mark.parametrize("file", ["labels.csv", "labels.parquet"])
@pytest.mark.parametrize(("one", "other"), [("17", "17.0"), ("P1", "p1"), ("p1", "P1.00"), (" p1", "P1 ")])
@pytest.mark.parametrize("column", ["patient_id", "study_id"])
def test_ids_that_are_one_but_spelt_otherwise(column: str, one: str, other: str, file: str, tmp_path: Path) -> None:
    given = PLAIN.assign(**{column: [one, one, other]})
    with pytest.raises(OsteonError, match=rf"{column}' spells one id in several ways") as fault:
        read(lay(tmp_path, given, file), spec(file=file))
    for word in (file, f"{one.strip()!r} in row", f"{other.strip()!r} in row"):
        assert word in str(fault.value)


def test_studies_are_compared_within_their_patient(tmp_path: Path) -> None:
    given = PLAIN.assign(patient_id=["a", "b", "b"], study_id=["s1", "S1", "S2"])
    assert read(lay(tmp_path, given), spec()).rows["study_id"].tolist() == ["s1", "S1", "S2"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([" 7 ", "na", ""], ["clinic:7", "-", "-"]),
        ([17.0, None, 17.0], ["clinic:17", "-", "clinic:17"]),
        ([1e20, 17.0, None], ["clinic:1e+20", "clinic:17", "-"]),
        ([float("inf"), 17.5, None], ["clinic:inf", "clinic:17.5", "-"]),
        ([2**60 + 1, 2, 3], [f"clinic:{2**60 + 1}", "clinic:2", "clinic:3"]),
    ],
)
def test_ids_of_a_parquet_are_read_as_those_of_a_csv(ids: list[Any], expected: list[str], tmp_path: Path) -> None:
    rows = read(lay(tmp_path, PLAIN.assign(patient_id=ids), "t.parquet"), spec(file="t.parquet")).rows
    assert rows["patient_id"].fillna("-").tolist() == expected


@pytest.mark.parametrize("classes", [["mild", "Mild"], ["mild", " mild "], ["na", "mild"], ["mild", "NULL"], ["", "x"]])
def test_classes_that_cells_cannot_tell_apart(classes: list[str]) -> None:
    with pytest.raises(ValueError, match=r"classes\n.*(must differ|reads as a blank)"):
        TargetSpec(meaning="severity", kind="multiclass", classes=classes)


@pytest.mark.parametrize("name", sorted({*STRINGS, *NULLABLE, *REQUIRED, *MORE}))
@pytest.mark.parametrize("key", ["targets", "covariates"])
def test_names_that_osteon_uses_are_refused_before_anything_is_read(key: str, name: str) -> None:
    chosen = spec(targets={name: FRACTURE["fracture"]}) if key == "targets" else spec(covariates=[name])
    with pytest.raises(OsteonError, match=rf"dataset\.{key}: '{name}'.*dataset\.columns\.my_{name}={name}"):
        card(chosen)


def test_the_way_out_of_a_reserved_name_works(tmp_path: Path) -> None:
    root = lay(tmp_path, "path,value\n1.png,1\n2.png,0\n")
    chosen = spec(targets={"my_value": FRACTURE["fracture"]}, columns={"my_value": "value"})
    assert read(root, chosen).rows["my_value"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("value", ["/abs/path", "../x", "a/../../x", "a\\..\\x", "C:\\x", "\\\\server\\x"])
@pytest.mark.parametrize("key", ["file", "images"])
def test_places_outside_the_dataset_are_refused(key: str, value: str, tmp_path: Path) -> None:
    for attempt in (lambda: card(spec(**{key: value})), lambda: read(tmp_path, spec(**{key: value}))):
        with pytest.raises(
            OsteonError, match=rf"dataset\.{key}: found .* below the dataset's folder.*data\.roots\.clinic"
        ):
            attempt()
