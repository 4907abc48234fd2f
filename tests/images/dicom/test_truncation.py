"""Pixel data that ends early is refused in every syntax, also where the decoder itself would fill it up with grey."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from osteon.images.radiograph import ImageError
from osteon.images.read import decode
from tests.images.dicom.encoders import LOSSLESS, LOSSY
from tests.images.dicom.test_lossless import EVEN, chosen, ramp
from tests.images.dicom.test_lossy import lossy
from tests.images.dicom.writing import Choices, Values, write

SHARES = (0.3, 0.9, 0.99)
REAL = ("966_fixed.dcm", "RG1_J2KI.dcm", "RG2_JPLY_fixed.dcm", "RG3_J2KR.dcm")


def image(name: str) -> tuple[np.ndarray, Choices]:
    return lossy(name) if name in LOSSY else (ramp(12, False, EVEN), chosen(12, False, name))


def cut(code: bytes, share: float) -> bytes:
    short = code[: int(len(code) * share)]
    return short + b"\0" * (len(short) % 2)


def cutting(encoder: Callable[[Values, Choices], bytes], share: float) -> Callable[[Values, Choices], bytes]:
    return lambda values, choices: cut(encoder(values, choices), share)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_a_codestream_that_ends_early_is_refused_though_its_fragment_is_whole(name: str, share: float) -> None:
    values, choices = image(name)
    assert choices.encoder
    decode(write(values, choices))
    with pytest.raises(ImageError):
        decode(write(values, replace(choices, encoder=cutting(choices.encoder, share))))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_a_file_that_ends_early_is_refused(name: str, share: float) -> None:
    data = write(*image(name))
    with pytest.raises(ImageError, match=r"truncated"):
        decode(data[: int(len(data) * share) if share > 0.5 else len(data) - 300])


@pytest.mark.parametrize("name", REAL)
def test_real_codestreams_cut_short_are_refused(name: str, test_data: Path) -> None:
    original = (test_data / "dicom" / name).read_bytes()
    code = next(generate_frames(dcmread(test_data / "dicom" / name).PixelData, number_of_frames=1))
    header = original[: original.index(b"\xfe\xff\x00\xe0", original.index(b"\xe0\x7f\x10\x00"))]
    for share in SHARES:
        whole = header + encapsulate([cut(code, share)]) + b"\xfe\xff\xdd\xe0\0\0\0\0"
        with pytest.raises(ImageError):
            decode(whole)
