"""Real radiographs against dcmtk's own rendering: an independent reading of the standard in another language."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from osteon.images.read import decode
from tests.images.dicom.reference import luma

DCM2PNM = shutil.which("dcm2pnm")
DCMJ2PNM = shutil.which("dcmj2pnm")
needs_dcmtk = pytest.mark.skipif(DCM2PNM is None, reason="dcm2pnm (Debian: dcmtk) is not installed")
NAMES = (
    "966_fixed.dcm",
    "NM_Kakadu44_SOTmarkerincons.dcm",
    "RG1_J2KI.dcm",
    "RG2_JPLY_fixed.dcm",
    "RG3_J2KI.dcm",
    "RG3_J2KR.dcm",
)
SHARE = 0.999


def codestream(dataset: Dataset) -> bytes:
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


def independent(dataset: Dataset) -> NDArray[np.uint16]:
    """Return stored values by imagecodecs: OpenJPEG for JPEG 2000, libjpeg-turbo for 12-bit JPEG."""
    code = codestream(dataset)
    decoder = imagecodecs.jpeg8_decode if code[:2] == b"\xff\xd8" else imagecodecs.jpeg2k_decode
    return np.asarray(decoder(code), np.uint16)


def uncompressed(dataset: Dataset, values: NDArray[np.uint16], target: Path) -> None:
    dataset.PixelData = values.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(target, enforce_file_format=True)


def rendered(source: Path, tool: str | None, *options: str) -> NDArray[np.uint8]:
    """Return dcmtk's grey levels, its overlays off."""
    assert tool is not None
    target = source.with_suffix(".pgm")
    subprocess.run([tool, "-q", "-O", *options, str(source), str(target)], check=True, timeout=120)
    return np.asarray(Image.open(target))


def swapped(data: bytes) -> bytes:
    """Return a file of the other polarity, nothing else touched: the words are of one length."""
    other = {b"MONOCHROME1 ": b"MONOCHROME2 ", b"INVERSE ": b"IDENTITY"}
    other |= {value: key for key, value in other.items()}
    return re.sub(b"|".join(other), lambda found: other[found[0]], data)


def shares(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> tuple[float, float, int]:
    """Return the shares of pixels equal and within one level, and the largest difference."""
    assert ours.shape == theirs.shape
    away = np.abs(ours.astype(np.int16) - theirs)
    return float((away == 0).mean()), float((away <= 1).mean()), int(away.max())


@needs_dcmtk
@pytest.mark.slow
@pytest.mark.parametrize("swap", [False, True], ids=["as stored", "polarity swapped"])
@pytest.mark.parametrize("name", NAMES)
def test_a_real_radiograph_looks_as_dcmtk_shows_it(name: str, swap: bool, test_data: Path, tmp_path: Path) -> None:
    original = (test_data / "dicom" / name).read_bytes()
    if swap:
        original = swapped(original)
    ours = decode(original).pixels
    dataset = dcmread(io.BytesIO(original))
    plain = tmp_path / "plain.dcm"
    uncompressed(dataset, independent(dataset), plain)
    theirs = rendered(plain, DCM2PNM, "+Wi", "1")
    same, near, most = shares(ours, theirs)
    print(f"{name}{' swapped' if swap else ''}: equal {same:.4%}, within one level {near:.4%}, at most {most}")
    assert near >= SHARE
    assert np.ptp(ours) > 100


@needs_dcmtk
@pytest.mark.slow
def test_twelve_bit_jpeg_is_decoded_as_dcmtk_decodes_it(test_data: Path, tmp_path: Path) -> None:
    source = tmp_path / "rg2.dcm"
    shutil.copyfile(test_data / "dicom" / "RG2_JPLY_fixed.dcm", source)
    ours = decode(source.read_bytes()).pixels
    same, near, most = shares(ours, rendered(source, DCMJ2PNM, "+Wi", "1"))
    print(f"RG2 by dcmj2pnm: equal {same:.4%}, within one level {near:.4%}, at most {most}")
    assert near >= SHARE


@pytest.mark.parametrize("place", range(10))
def test_colour_dicoms_become_luma(place: int, test_data: Path) -> None:
    source = sorted((test_data / "ddh_hip" / "dicoms").glob("*.dcm"))[place]
    code = codestream(dcmread(source))
    ours = decode(source.read_bytes()).pixels
    for colour in (imagecodecs.jpeg2k_decode(code), np.asarray(Image.open(io.BytesIO(code)).convert("RGB"))):
        assert colour.shape == (*ours.shape, 3)
        assert np.abs(ours - luma(colour)).max() <= 1
