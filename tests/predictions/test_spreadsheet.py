"""One table, as different spreadsheets save it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.predictions import read

PLAIN = (
    "image_id,unit_id,group_id,target,probability,body_part\n"
    "01,007,p1,1,0.91,hand\n02,007,p1,1,0.7,hand\n03,008,p2,0,1e-3,\n04,009,p3,,0.25,wrist\n"
)


def semicolons(text: str) -> str:
    return text.replace(",", ";")


def decimal_commas(text: str) -> str:
    return semicolons(text).replace(".", ",")


def capitals(text: str) -> str:
    header, _, body = text.partition("\n")
    return f"{header.upper().replace('BODY_PART', 'body_part')}\n{body}"


FORMS: dict[str, Callable[[str], str]] = {
    "semicolons": semicolons,
    "decimal commas": decimal_commas,
    "tabs": lambda text: text.replace(",", "\t"),
    "capitals": capitals,
    "byte order mark": lambda text: "\ufeff" + text,
    "windows": lambda text: text.replace("\n", "\r\n"),
    "blank rows": lambda text: text + ",,,,,\n\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_alike(tmp_path: Path, form: str) -> None:
    (tmp_path / "plain.csv").write_text(PLAIN)
    (tmp_path / "sheet.csv").write_text(FORMS[form](PLAIN), encoding="utf-8", newline="")
    expected = read(tmp_path / "plain.csv")
    assert expected.frame["probability"].tolist() == [0.91, 0.7, 0.001, 0.25]
    found = read(tmp_path / "sheet.csv")
    assert found.tasks == expected.tasks
    pd.testing.assert_frame_equal(found.frame, expected.frame)


def test_blanks_round_names_and_ids_are_no_part_of_them(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(" image_id , unit_id, group_id ,target, probability\n a , u , p ,1,0.5\n")
    row = read(tmp_path / "sheet.csv").frame.iloc[0]
    assert (row["image_id"], row["unit_id"], row["group_id"], row["probability"]) == ("a", "u", "p", 0.5)


def test_lists_keep_their_commas(tmp_path: Path) -> None:
    text = 'image_id;unit_id;group_id;target;probabilities\na;a;a;2;"[0.1, 0.2, 0.7]"\n'
    (tmp_path / "sheet.csv").write_text(text)
    assert list(read(tmp_path / "sheet.csv").frame["probabilities"].iloc[0]) == [0.1, 0.2, 0.7]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"PK", r"a\.xlsx: a workbook is not read\. Save its sheet as CSV"),
        ("a.csv", PLAIN.encode("utf-16"), r"not in UTF-8 \(line 1\)\. Save the sheet"),
        ("a.csv", PLAIN.replace("p2", "päti").encode("latin-1"), r"not in UTF-8 \(line 4\)"),
        ("a.csv", decimal_commas(PLAIN).replace("0,7", "1.000,7").encode(), "probability is not a number"),
        ("a.csv", PLAIN.replace("target", "TARGET").replace("body_part", "Target").encode(), "no column target"),
    ],
)
def test_what_cannot_be_read_says_the_way_out(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OsteonError, match=message):
        read(tmp_path / name)


def test_fields_parted_by_something_else_are_told(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(PLAIN.replace(",", "|"))
    with pytest.raises(
        OsteonError, match=r"sheet.csv: one column alone, 'image_id\|unit_id.*commas, semicolons or tabs"
    ):
        read(tmp_path / "sheet.csv")


def test_a_missing_column_is_told_beside_those_of_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(PLAIN.replace("probability", "prob"))
    with pytest.raises(
        OsteonError, match="no column probability; found image_id, unit_id, group_id, target, prob, body_part\\."
    ):
        read(tmp_path / "sheet.csv")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("body_part", "probability"), "column probability is there 2 times"),
        (lambda text: text.replace(",body_part", ""), "5 headings, 6 cells in the row below, the last 'hand'"),
    ],
)
def test_headings_that_do_not_fit_the_cells(tmp_path: Path, change: Callable[[str], str], said: str) -> None:
    (tmp_path / "sheet.csv").write_text(change(PLAIN))
    with pytest.raises(OsteonError, match=f"sheet.csv: {said}"):
        read(tmp_path / "sheet.csv")


def test_a_list_that_is_none_is_named_with_its_column(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("image_id,unit_id,group_id,target,probabilities\na,a,a,1,0.2 0.8\n")
    with pytest.raises(OsteonError, match=r"sheet\.csv: column probabilities: '0\.2 0\.8' is no JSON list"):
        read(tmp_path / "sheet.csv")
