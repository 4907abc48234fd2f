import numpy as np
import pyarrow as pa
import pytest

from osteon.predictions.columns import from_arrow, to_arrow

CELLS = [np.arange(12.0).reshape(2, 6), None, np.empty((0, 6)), np.ones((1, 6))]


def same(found: object, expected: list) -> None:
    for ours, theirs in zip(found, expected, strict=True):  # type: ignore[call-overload]
        assert (ours is None) == (theirs is None)
        assert ours is None or np.array_equal(ours, theirs)


@pytest.mark.parametrize("cells", [CELLS, CELLS[1:3], [None], []])
def test_lists_are_what_python_makes_of_them(cells: list) -> None:
    made = to_arrow(cells, 6)
    assert made.type == pa.list_(pa.list_(pa.float64()))
    assert made.to_pylist() == [None if cell is None else cell.tolist() for cell in cells]
    same(from_arrow(pa.chunked_array([made]), 6), cells)


def test_pieces_and_slices_of_a_column() -> None:
    made = to_arrow(CELLS, 6)
    same(from_arrow(pa.chunked_array([made, made.slice(2), made.slice(1, 2)]), 6), [*CELLS, *CELLS[2:], *CELLS[1:3]])
    same(from_arrow(pa.chunked_array([made]).slice(2), 6), CELLS[2:])
    large = made.cast(pa.large_list(pa.large_list(pa.float64())))
    same(from_arrow(pa.chunked_array([large]), 6), CELLS)


@pytest.mark.parametrize(
    "cells", [[[[1.0, 2.0]]], [[[1, 2, 3, 4, 5, 6]]], [[None]], [[[1.0, 2, 3, 4, 5, None]]], ["a"]]
)
def test_what_is_no_column_of_boxes_is_left_alone(cells: list) -> None:
    assert from_arrow(pa.chunked_array([pa.array(cells)]), 6) is None
