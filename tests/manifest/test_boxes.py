"""Boxes of a manifest: cells, clipping, and faults that are named with their image and number."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.manifest import Target, complete, typed, validate
from osteon.manifest.boxes import array_of, cell_of, clipped, looked, of_class, padded

TARGETS = {"boxes": Target("a finding", "boxes", ("fracture", "text"))}
ONE = [1.0, 2.0, 5.0, 8.0, 0.0]
TWO = [0.5, 0.25, 9.0, 3.0, 1.0]


def frame(*cells: object) -> pd.DataFrame:
    ids = [f"i{number}" for number in range(len(cells))]
    rows = pd.DataFrame({"image_id": ids, "dataset": "d", "path": ids, "boxes": pd.Series(cells, dtype="object")})
    return typed(complete(rows), TARGETS)


def test_none_found_is_not_nobody_looked() -> None:
    assert looked([None, [], [ONE], float("nan"), pd.NA]).tolist() == [False, True, True, False, False]
    assert array_of([]).shape == (0, 5)
    with pytest.raises(OsteonError, match="nobody looked"):
        array_of(None)
    with pytest.raises(OsteonError, match=r"expected \[x1, y1, x2, y2, class\].*found \[1\.0, 2\.0\]"):
        array_of([[1.0, 2.0]])


def test_a_parquet_keeps_cells(tmp_path: Path) -> None:
    before = validate(frame([ONE, TWO], [], None), TARGETS)
    before.to_parquet(tmp_path / "manifest.parquet")
    after = pd.read_parquet(tmp_path / "manifest.parquet")
    assert looked(after["boxes"]).tolist() == [True, True, False]
    np.testing.assert_array_equal(array_of(after["boxes"][0]), [ONE, TWO])
    assert array_of(after["boxes"][1]).shape == (0, 5)
    assert cell_of(array_of(after["boxes"][0])) == [ONE, TWO]
    validate(typed(after, TARGETS), TARGETS)


def test_padded_by_hand() -> None:
    filled = padded([[ONE, TWO], [], None, [ONE]])
    blank = [0, 0, 0, 0, -1]
    np.testing.assert_array_equal(filled, [[ONE, TWO], [blank] * 2, [[np.nan] * 5] * 2, [ONE, blank]])
    np.testing.assert_array_equal(padded([[]]), [[blank]])
    assert padded([]).shape == (0, 1, 5)


def test_one_class_alone() -> None:
    assert of_class([[ONE, TWO], [TWO], [], None], 0) == [[ONE], [], [], None]
    assert of_class([[ONE, TWO]], 1) == [[[*TWO[:4], 0.0]]]


def test_clipping_by_hand() -> None:
    boxes = np.array(
        [[1, 1, 4, 4, 0], [-2, 3, 5, 99, 1], [20, 0, 30, 5, 0], [0, 0, 20, 10, 1], [-5, 0, 0, 5, 0]], float
    )
    inside, cut, dropped = clipped(boxes, height=10, width=20)
    np.testing.assert_array_equal(inside, [[1, 1, 4, 4, 0], [0, 3, 5, 10, 1], [0, 0, 20, 10, 1]])
    assert (cut, dropped) == (1, 2)
    assert boxes[1, 0] == -2.0


CORNER = st.floats(-50, 150)


@given(st.lists(st.tuples(CORNER, CORNER, CORNER, CORNER), max_size=8))
def test_what_is_clipped_lies_inside_and_nothing_is_lost(corners: list[tuple[float, float, float, float]]) -> None:
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d), 1.0] for a, b, c, d in corners]).reshape(-1, 5)
    inside, cut, dropped = clipped(boxes, 60, 100)
    assert len(inside) + dropped == len(boxes)
    assert (inside[:, :4] >= 0).all()
    assert (inside[:, :4] <= [100, 60, 100, 60]).all()
    assert (inside[:, 2:4] > inside[:, :2]).all()
    again, none, lost = clipped(inside, 60, 100)
    np.testing.assert_array_equal(again, inside)
    assert (none, lost) == (0, 0)
    assert cut <= len(inside)


FAULTS = [
    ([[5.0, 2.0, 1.0, 8.0, 0.0]], r"box 1: \[5\.0, 2\.0, 1\.0, 8\.0, 0\.0\] has no area: x2 must be above x1"),
    ([ONE, [1.0, 8.0, 5.0, 8.0, 0.0]], r"image_id='i1', box 2: .* has no area"),
    ([[1.0, float("nan"), 5.0, 8.0, 0.0]], "has a number that is not finite"),
    ([[1.0, 2.0, float("inf"), 8.0, 0.0]], "has a number that is not finite"),
    ([[1.0, 2.0, 5.0, 8.0, 2.0]], "has no class of that index; there are 2"),
    ([[1.0, 2.0, 5.0, 8.0, -1.0]], "has no class of that index"),
    ([[1.0, 2.0, 5.0, 8.0, 0.5]], "has no class of that index"),
    ([[1.0, 2.0, 5.0, 8.0]], r"\[1\.0, 2\.0, 5\.0, 8\.0\] is not five numbers"),
    ([["1", 2.0, 5.0, 8.0, 0.0]], "is not five numbers"),
    ([7.0], "7.0 is not five numbers"),
    (3.0, "is no list of boxes"),
    ("[[1, 2, 5, 8, 0]]", "is no list of boxes"),
]


@pytest.mark.parametrize(("cell", "words"), FAULTS)
def test_a_box_that_cannot_be_is_named(cell: object, words: str) -> None:
    with pytest.raises(OsteonError, match=rf"manifest: boxes must hold boxes .* 0 to 1 \(fracture, text\).*{words}"):
        validate(frame([ONE], cell, None), TARGETS)


def test_many_faults_are_counted() -> None:
    with pytest.raises(OsteonError, match=r"12 box\(es\).*; and 7 more"):
        validate(frame(*[[[3.0, 1.0, 1.0, 2.0, 0.0]]] * 12), TARGETS)
