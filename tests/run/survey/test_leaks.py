from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from osteon.images import Cache
from osteon.manifest import complete
from osteon.run.survey.leaks import COPY, Finding, leaks

BITS = np.random.default_rng(0).integers(0, 256, (8, 32)).astype(np.uint8)


def flipped(hash_: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """The hash of a picture that differs in so many bits."""
    words = np.unpackbits(hash_)
    words[:bits] ^= 1
    return np.packbits(words)


def found(rows: dict[str, object], slots: list[int], hashes: list[NDArray[np.uint8]]) -> list[Finding]:
    size = len(slots)
    frame = complete(pd.DataFrame({"image_id": list("abcdef"[:size]), "dataset": "x", "path": "p"} | rows))
    frame["label"] = rows.get("label", 0.0)
    index = pd.DataFrame({"hash": [hash_.tobytes() for hash_ in hashes]})
    return leaks(frame, Cache(Path(), np.array(slots), index, pd.DataFrame()), ["label"])


def said(findings: list[Finding], words: str) -> Finding:
    return next(finding for finding in findings if words in finding.text)


def test_a_clean_set_has_no_finding() -> None:
    assert found({"split": ["train", "val", "test"]}, [0, 1, 2], [*BITS[:3]]) == []


def test_a_patient_on_both_sides_is_wrong() -> None:
    rows = {"split": ["train", "train", "test"], "patient_id": ["x:1", "x:2", "x:1"]}
    finding = said(found(rows, [0, 1, 2], [*BITS[:3]]), "patients in two splits")
    assert finding.wrong
    assert "1 (2 images): a and c" in finding.text


def test_rows_of_no_split_are_train() -> None:
    rows = {"split": [None, "test"], "patient_id": ["x:1", "x:1"]}
    assert said(found(rows, [0, 1], [*BITS[:2]]), "patients in two splits").wrong


def test_one_file_in_two_splits_is_wrong_and_in_one_a_note() -> None:
    across = said(found({"split": ["train", "test", "test"]}, [0, 0, 1], [*BITS[:2]]), "byte for byte, in two splits")
    assert across.wrong
    assert "1 (2 images): a and b" in across.text
    both = found({"split": ["train", "test", "test"]}, [0, 0, 1], [*BITS[:2]])
    assert not any("they stay in one split" in finding.text for finding in both), "they do not"
    inside = found({"split": ["train", "train", "test"]}, [0, 0, 1], [*BITS[:2]])
    assert [finding.wrong for finding in inside] == [False]
    assert "lie there twice" in inside[0].text


@pytest.mark.parametrize(("bits", "wrong"), [(1, True), (COPY, True), (COPY + 1, False), (40, False)])
def test_copies_by_their_look_are_wrong_and_look_alikes_are_told_of(bits: int, wrong: bool) -> None:
    hashes = [BITS[0], flipped(BITS[0], bits), BITS[1]]
    findings = found({"split": ["train", "test", "val"]}, [0, 1, 2], hashes)
    across = said(findings, "copies of one picture in two splits" if wrong else "look-alikes in two splits")
    assert across.wrong is wrong
    assert "1 (2 images): a and b" in across.text


def test_beyond_40_bits_they_are_two_pictures() -> None:
    assert found({"split": ["train", "test"]}, [0, 1], [BITS[0], flipped(BITS[0], 41)]) == []


def test_two_knees_of_a_patient_are_no_copies() -> None:
    rows = {"split": ["train", "train"], "patient_id": ["x:1", "x:1"]}
    assert found(rows, [0, 1], [BITS[0], flipped(BITS[0], 5)]) == []


def test_without_patients_and_splits_what_is_kept_together_is_told() -> None:
    findings = found({}, [0, 1, 2], [BITS[0], flipped(BITS[0], 31), BITS[1]])
    assert "kept together as no patient is known: 1 (2 images): a and b" in said(findings, "look-alikes").text


def test_one_picture_with_two_labels_is_wrong() -> None:
    finding = said(found({"label": [0.0, 1.0, 1.0]}, [0, 0, 1], [*BITS[:2]]), "two labels of 'label'")
    assert finding.wrong
    assert found({"label": [1.0, 1.0]}, [0, 0], [BITS[0]])[0].wrong is False


def test_images_that_could_not_be_read_are_left_aside() -> None:
    assert found({"split": ["train", "test", "test"]}, [0, -1, -1], [BITS[0]]) == []
