"""The reference itself: against hand-worked numbers, and against dcmtk on files drawn at random."""

import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from tests.images.dicom.cases import SHAPES, Case, cases
from tests.images.dicom.reference import expect, level, percentile
from tests.images.dicom.test_property import FIXED
from tests.images.dicom.writing import Choices, Lut, write

DCM2PNM = shutil.which("dcm2pnm")


@pytest.mark.parametrize(
    ("function", "value", "wanted"),
    [
        # PS3.3 C.11.2.1.2.1, its example: centre 2048, width 4096 maps 0..4095 onto the whole range.
        ("LINEAR", 0, 0),
        ("LINEAR", 4095, 255),
        ("LINEAR", 2047.5, 127.5),
        ("LINEAR", 819, 51),
        ("LINEAR_EXACT", 0, 0),
        ("LINEAR_EXACT", 4096, 255),
        ("LINEAR_EXACT", 1024, 63.75),
        ("SIGMOID", 2048, 127.5),
        ("SIGMOID", 3072, 255 / (1 + np.exp(-1))),
    ],
)
def test_window_functions_by_hand(function: str, value: float, wanted: float) -> None:
    assert level(value, 2048, 4096, function) == pytest.approx(wanted)


def test_tables_and_percentiles_by_hand() -> None:
    table = Lut(10, 8, np.array([5, 6, 255], np.uint16))
    assert np.allclose(expect(np.array([[0, 10, 11, 12, 99]]), Choices(voi=(table,))).standard, [5, 5, 6, 255, 255])
    assert percentile(np.array([4.0, 1.0, 3.0, 2.0]), 50) == 2.5


@pytest.mark.slow
@pytest.mark.skipif(DCM2PNM is None, reason="dcm2pnm (Debian: dcmtk) is not installed")
def test_the_reference_agrees_with_dcmtk(tmp_path: Path) -> None:
    """Left out: what dcmtk 3.6.7 lacks or reads otherwise.

    It has no LINEAR_EXACT, cuts fractional modality values to integers, and lets the shape IDENTITY cancel MONOCHROME1.
    It also truncates where the standard leaves rounding open, in two steps: two levels, not one.
    """
    source, target, turn, seen = tmp_path / "a.dcm", tmp_path / "a.pgm", count(), Counter[str]()

    def compare(case: Case) -> None:
        number = next(turn)
        photometric, shape = ("MONOCHROME1", "MONOCHROME2")[number % 2], SHAPES[number % 3]
        if comparable(case) and (photometric, shape) != ("MONOCHROME1", "IDENTITY"):
            tags = {key: value for key, value in case.choices.tags.items() if not key.startswith("PixelPadding")}
            tags |= {"PresentationLUTShape": shape} if shape else {}
            choices = replace(case.choices, photometric=photometric, tags=tags)
            source.write_bytes(write(case.stored, choices))
            table = "+Wl" if choices.voi else "+Wi"
            subprocess.run([str(DCM2PNM), "-q", "-O", table, "1", str(source), str(target)], check=True)
            away = np.abs(np.asarray(Image.open(target)) - expect(case.stored, choices).standard)
            seen["compared"] += 1
            seen["table" if choices.voi else str(tags.get("VOILUTFunction"))] += 1
            assert away.max() <= 2.01, choices

    settings(FIXED, max_examples=500)(given(cases())(compare))()
    print(dict(seen))
    assert seen["compared"] > 100


def comparable(case: Case) -> bool:
    tags = case.choices.tags
    slope, intercept = tags.get("RescaleSlope", 1), tags.get("RescaleIntercept", 0)
    whole = slope != 0 and slope == round(slope) and intercept == round(intercept)
    window = tags.get("WindowWidth", [0])[0] >= 1 and tags.get("VOILUTFunction") != "LINEAR_EXACT"
    return whole and (bool(case.choices.voi) or window)
