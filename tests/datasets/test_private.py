"""Messages of private tables: the file's configured name, rows, columns, and no cell that may tell of a patient."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import TableSpec
from osteon.config.targets import TargetSpec
from osteon.datasets import card, find_root, read
from osteon.datasets.wording import PrivateFile, cell, columns
from osteon.errors import OsteonError

FILE = PrivateFile(Path("/srv/Meier/labels.csv"), "data.roots.clinic: labels.csv", frozenset({"pat"}))
TARGETS = {"fracture": TargetSpec(meaning="a fracture on this radiograph")}


def spec(**options: Any) -> TableSpec:
    return TableSpec(kind="table", name="clinic", **({"targets": TARGETS} | options))


def lay(root: Path, text: str, images: tuple[str, ...] = ("Meier",)) -> Path:
    root.mkdir(exist_ok=True)
    for name in images:
        Image.fromarray(np.full((5, 5), 9, np.uint8)).save(root / f"{name}.png")
    (root / "labels.csv").write_text(text, encoding="utf-8")
    return root


def fault(root: Path, chosen: TableSpec) -> str:
    with pytest.raises(OsteonError) as told:
        read(root, chosen)
    return str(told.value)


def test_a_table_is_private_unless_it_says_otherwise() -> None:
    assert card(spec()).private
    assert not card(spec(private=False)).private
    assert card(spec(file="Meier.csv")).title == "clinic: a private table"


@pytest.mark.parametrize("value", ["2", "-1", "?", "L/R"])
def test_a_short_code_is_shown(value: str) -> None:
    assert cell(FILE, "fracture", value) == repr(value)


@pytest.mark.parametrize("value", ["Meier", "1950", "19500312", "1950-03-12", "no idea"])
def test_anything_longer_is_hidden_and_an_identity_always(value: str) -> None:
    assert cell(FILE, "fracture", value) == cell(FILE, "pat", "7") == "(hidden)"
    assert cell(Path("labels.csv"), "pat", value) == repr(value)


@pytest.mark.parametrize(
    "header",
    [["Meier.dcm", "a"], ["M1", "0"], ["films/17", "a"], ["a", "12.03.50"], ["a", "KH12345"], ["Meier^Anna", "a"]],
)
def test_a_patient_in_the_place_of_the_header_is_not_listed(header: list[str]) -> None:
    said = columns(FILE, header, "path")
    assert "looks like an image's row" in said
    assert not any(name in said for name in header if len(name) > 1)


@pytest.mark.parametrize("header", [["Datei", "Seite (L/R)", "KL-Grad", "age.years"], ["path", "icd10", "x_1"]])
def test_a_header_is_listed(header: list[str]) -> None:
    file = replace(FILE, known=frozenset(("path", "datei")))
    assert columns(file, header, "zzz") == f" It has: {', '.join(header)}"


def test_a_first_line_without_any_name_that_is_expected_is_not_listed() -> None:
    said = columns(replace(FILE, known=frozenset(("path", "fracture"))), ["Meier Anna", "Huber", "yes"], "path")
    assert "None of its 3 columns has a name that is expected" in said
    assert "Meier" not in said


def test_a_value_that_few_patients_share_is_left_empty(tmp_path: Path) -> None:
    lines = [f"{n}.png,P{n},{'Meier' if n == 3 else 'stress'},{'axial' if n == 4 else 'ap'},0" for n in range(8)]
    (tmp_path / "labels.csv").write_text("path,patient_id,site,view,fracture\n" + "\n".join(lines))
    for n in range(8):
        (tmp_path / f"{n}.png").touch()
    targets = {"fracture": TargetSpec(meaning="broken")}
    for private in (True, False):
        found = read(tmp_path, TableSpec(kind="table", name="ward", targets=targets, private=private))
        assert found.rows["site"].isna().tolist() == [private and n == 3 for n in range(8)]
        assert found.rows["view"].tolist()[3:5] == ["ap", "axial"], "a view's own name is no secret"
        assert [note[:13] for note in found.notes] == (["site: 1 value"] if private else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,fracture\nMeier.png,perhaps Meier\n", "'fracture' must hold .* found (hidden) in row 2"),
        ("path,fracture\nMeier.png,2\n", "found '2' in row 2"),
        ("path,fracture\nMeier.png,1\nMeier.png,0\n", "'path' .* image twice.*found (hidden) in row 2, (hidden)"),
        ("path,patient_id,fracture\nMeier.png,Meier,1\nMaier.png,MEIER,1\n", "'patient_id' spells one .* (hidden) in"),
        ("path,path,fracture\n", "the column 'path' stands there twice"),
        ("Meier.png,Meier.png,1\n", "the column (hidden) stands there twice"),
        ("Meier.png,1\nMaier.png,0\n", "no column 'path'.*first line looks like an image's row; .* the 2 columns"),
        ("file,fracture\nMeier.png,1\n", "no column 'path'. It has: file, fracture"),
        ("path,fracture\nweg/Meier.png,1\n", "^data.roots.clinic: no image .* First: listed in the table, but"),
    ],
)  # fmt: skip
def test_faults_name_rows_and_columns(text: str, words: str, tmp_path: Path) -> None:
    said = fault(lay(tmp_path / "Meier", text), spec())
    assert re.search(words.replace("(", r"\(").replace(")", r"\)"), said, re.DOTALL)
    assert said.startswith("data.roots.clinic: ")
    assert "eier" not in said.casefold()


def test_files_that_are_missing_or_no_table(tmp_path: Path) -> None:
    root = lay(tmp_path / "Meier", "path,fracture\n")
    (root / "Meier.csv").touch()
    assert fault(root, spec(file="label.csv")).startswith(
        "data.roots.clinic: label.csv: there is no such file. Other tables there: 2."
    )
    (root / "t.parquet").write_text("Meier")
    assert "cannot be read as parquet (ArrowInvalid)" in fault(root, spec(file="t.parquet"))
    (root / "latin.csv").write_bytes("path,fracture\nM\u00fcller.png,1\n".encode("latin-1"))
    assert "not UTF-8 (row 2)" in fault(root, spec(file="latin.csv"))
    for file in ("label.csv", "t.parquet", "latin.csv", "sub/label.csv"):
        assert "eier" not in fault(root, spec(file=file)).casefold()


def test_a_parquet_of_pandas_is_read_as_any(tmp_path: Path) -> None:
    root = lay(tmp_path, "")
    pd.DataFrame({"path": ["Meier.png"], "patient_id": ["7"], "fracture": [1]}).to_parquet(root / "t.parquet")
    assert read(root, spec(file="t.parquet")).rows["patient_id"].tolist() == ["clinic:7"], "hashed by the caller"


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("fault", ["missing", "file", "empty", "none", "several"])
def test_a_private_root_goes_by_its_key(fault: str, private: bool, tmp_path: Path) -> None:
    start = tmp_path / "Meier"
    start.mkdir()
    if fault == "file":
        start = start / "x"
        start.touch()
    elif fault == "missing":
        start = start / "x"
    elif fault != "empty":
        for name in ("Huber", "Maier"):
            (start / name / ("clinic" if fault == "several" else "x")).mkdir(parents=True)
            (start / name / ("clinic" if fault == "several" else "x") / "labels.csv").touch()
    for of in (card(spec(private=private)), card(spec(private=False))):  # a public set beside a private one
        with pytest.raises(OsteonError, match=r"^data\.root") as told:
            find_root(start, of, {}, private=private)
        for name in ("eier", "Huber", str(tmp_path)):
            assert (name not in str(told.value)) or not private
        assert private or "eier" in str(told.value)
    with pytest.raises(OsteonError, match=r"^data\.roots\.clinic: there is no such folder"):
        find_root(None, card(spec()), {"clinic": str(tmp_path / "Meier" / "nowhere")})
