"""Traps of the tags that say what is seen: spacing, laterality, view, body part, and free text that stays inside."""

import numpy as np
import pytest

from osteon.images.read import decode
from tests.images.dicom.showing import AS_STORED, asymmetric, fault, shown
from tests.images.dicom.writing import Choices, Lut, write


@pytest.mark.parametrize(
    ("tags", "spacing"),
    [
        ({"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [0.4, 0.5]}, (0.2, 0.3)),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.4, 0.5]}, (0.4, 0.5)),
        ({"PixelSpacing": [0, 0]}, None),
        ({"PixelSpacing": [-0.1, 0.1], "NominalScannedPixelSpacing": [0.17, 0.18]}, (0.17, 0.18)),
        ({"ImagerPixelSpacing": [0.15, 0.15]}, (0.15, 0.15)),
        ({"PixelSpacing": [1000, 1000]}, None),
        ({}, None),
    ],
)
def test_spacing_falls_through_zeros_to_the_next_tag(tags: dict, spacing: tuple[float, float] | None) -> None:
    found = shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, **tags}))
    assert found.spacing == (pytest.approx(spacing) if spacing else None)


def test_spacing_is_rows_before_columns() -> None:
    found = shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, "PixelSpacing": [0.1, 0.2]}))
    assert found.pixels.shape == (13, 29)
    assert found.spacing == (0.1, 0.2)


@pytest.mark.parametrize(
    ("tags", "laterality"),
    [
        ({"ImageLaterality": "R", "Laterality": "L"}, "R"),
        ({"Laterality": "L"}, "L"),
        ({"FrameLaterality": "R"}, "R"),
        ({"ImageLaterality": "B"}, None),
        ({"ImageLaterality": ""}, None),
        ({"ImageLaterality": "", "Laterality": "R"}, "R"),
    ],
)
def test_laterality(tags: dict, laterality: str | None) -> None:
    assert shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, **tags})).laterality == laterality


@pytest.mark.parametrize(("said", "body_part"), [("HIP", "hip"), ("HAND", "hand"), ("B\u00fccken", None), ("", None)])
def test_body_part_is_of_a_closed_vocabulary(said: str, body_part: str | None) -> None:
    tags = {**AS_STORED, "SpecificCharacterSet": "ISO_IR 192", "BodyPartExamined": said}
    assert shown(asymmetric(), Choices(8, 8, tags=tags)).body_part == body_part


def test_a_body_part_in_bytes_of_no_character_set_is_null() -> None:
    data = write(asymmetric(), Choices(8, 8, tags={**AS_STORED, "BodyPartExamined": "BQCKEN"}))
    assert decode(data.replace(b"BQCKEN", b"B\xfcCKEN")).body_part is None


@pytest.mark.parametrize(
    ("said", "view"), [("AP", "ap"), ("PA", "pa"), ("LL", "lateral"), ("RL", "lateral"), ("", None)]
)
def test_view(said: str, view: str | None) -> None:
    assert shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, "ViewPosition": said})).view == view


SECRET = "QZXSECRET"


FREE_TEXT = ("PatientName", "PatientID", "StudyDescription", "WindowCenterWidthExplanation", "InstitutionName")


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_free_leaves_the_file(broken: bool) -> None:
    texts = dict.fromkeys((*FREE_TEXT, "BodyPartExamined", "ViewPosition", "Laterality"), SECRET)
    table = Lut(0, 8, np.arange(256, dtype=np.uint16))
    data = write(asymmetric(), Choices(8, 8, voi=(table,), tags=texts))
    words = fault(data[:-40]) if broken else str(vars(decode(data)))
    assert SECRET not in words
