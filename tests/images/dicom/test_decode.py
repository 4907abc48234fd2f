"""The reader's contract on films small enough to be worked out by hand."""

import struct
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from imagecodecs import jpegls_encode
from pydicom.dataset import Dataset, FileMetaDataset

from osteon.errors import OsteonError
from osteon.images import ImageError, decode, read_image
from osteon.images.dicom.codestream import head_of
from osteon.images.dicom.fragments import frame_bytes
from osteon.images.window import PERCENTILES, edges, window

EXPLICIT = "1.2.840.10008.1.2.1"
# Windows of LINEAR from 0 to 255: PS3.3 C.11.2.1.2.1 with centre 128 and width 256 is the identity.
WHOLE = {"WindowCenter": 128, "WindowWidth": 256}


def film(values: object, **tags: object) -> bytes:
    """Write unsigned 16-bit MONOCHROME2 of 12 bits, or what the tags say; None leaves a tag out."""
    pixels = np.asarray(values, "<u2")
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = EXPLICIT
    said: Mapping[str, object] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "SOPInstanceUID": "1.2.3", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": pixels.shape[0], "Columns": pixels.shape[1],
        "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
        "PixelData": pixels.tobytes(), **tags,
    }  # fmt: skip
    for keyword, value in said.items():
        if value is not None:
            setattr(data, keyword, value)
    if "PixelData" in data:
        data["PixelData"].VR = "OW"
    buffer = BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def item(first: int, bits: int, *entries: int) -> Dataset:
    found = Dataset()
    found.add_new(0x00283002, "US", [len(entries), first, bits])
    found.add_new(0x00283006, "US", list(entries))
    return found


SIGNED = {"PixelRepresentation": 1, "WindowCenter": 0.5, "WindowWidth": 3}
CASES = {
    "identity": ([[0, 85, 170, 255]], WHOLE, [[0, 85, 170, 255]]),
    "linear clips": ([[0, 100, 101, 102, 103]], {"WindowCenter": 102, "WindowWidth": 4}, [[0, 0, 85, 170, 255]]),
    "linear of width 1": ([[8, 9, 10, 11]] * 9, {"WindowCenter": 10, "WindowWidth": 1}, "misses"),
    "exact": (
        [[0, 1, 2, 4]],
        {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"},
        [[0, 64, 128, 255]],
    ),
    "sigmoid": ([[10, 15]], {"WindowCenter": 10, "WindowWidth": 20, "VOILUTFunction": "SIGMOID"}, [[128, 186]]),
    "rescaled": ([[0, 1, 2, 3]], {"RescaleSlope": -85, "RescaleIntercept": 255, **WHOLE}, [[255, 170, 85, 0]]),
    "slope of zero": ([[0, 85, 255]], {"RescaleSlope": 0, "RescaleIntercept": 7, **WHOLE}, [[0, 85, 255]]),
    "first sane window": (
        [[0, 85, 255]],
        {"WindowCenter": [5, 128, 9], "WindowWidth": [0, 256, 9]},
        [[0, 85, 255]],
    ),
    "signed": ([[0xFFF, 0, 1, 2]], SIGNED, [[0, 128, 255, 255]]),
    "junk above the stored bits": ([[0xF000, 0x3055, 0x10FF]], WHOLE, [[0, 85, 255]]),
    "shifted": ([[0 << 4, 85 << 4, 255 << 4]], {"HighBit": 15, **WHOLE}, [[0, 85, 255]]),
    "modality LUT": ([[0, 1, 2, 9]], {"ModalityLUTSequence": [item(1, 8, 0, 51, 255)], **WHOLE}, [[0, 0, 51, 255]]),
    "VOI LUT before the window": (
        [[4, 5, 6, 7]],
        {"VOILUTSequence": [item(4, 10, 0, 341, 682, 1023)], **WHOLE},
        [[0, 85, 170, 255]],
    ),
    "VOI LUT of fewer bits than it says": (
        [[4, 5, 6]],
        {"VOILUTSequence": [item(4, 16, 0, 51, 255)]},
        [[0, 51, 255]],
    ),
    "padding": ([[0, 85, 4095, 255]], {"PixelPaddingValue": 4095, **WHOLE}, [[0, 85, 0, 255]]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("inverted", [{}, {"PhotometricInterpretation": "MONOCHROME1"}], ids=["plain", "inverted"])
def test_by_hand(name: str, inverted: dict[str, object]) -> None:
    values, tags, expected = CASES[name]
    found = decode(film(values, **{**tags, **inverted}))
    if isinstance(expected, str):
        assert expected in found.decision
        return
    greys = np.array(expected)
    if inverted:
        greys = np.where(np.asarray(values) == tags.get("PixelPaddingValue"), 0, 255 - greys)
    assert np.abs(found.pixels.astype(int) - greys).max() <= (1 if name in {"sigmoid", "signed", "exact"} else 0)
    assert ("inverted" in found.decision) is bool(inverted)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME1", None, True), ("MONOCHROME1", "INVERSE", True), ("MONOCHROME1", "IDENTITY", False),
        ("MONOCHROME2", None, False), ("MONOCHROME2", "INVERSE", True), ("MONOCHROME2", "IDENTITY", False),
    ],
)  # fmt: skip
def test_inverted_once_and_never_twice(photometric: str, shape: str | None, inverted: bool) -> None:
    data = film([[0, 255]], PhotometricInterpretation=photometric, PresentationLUTShape=shape, **WHOLE)
    assert decode(data).pixels.tolist() == ([[255, 0]] if inverted else [[0, 255]])


def test_a_window_that_misses_gives_way_to_percentiles() -> None:
    ramp = np.arange(3000, 4000).reshape(20, 50)
    found = decode(film(ramp, WindowCenter=500, WindowWidth=100))
    np.testing.assert_array_equal(found.pixels, window(ramp.astype(np.uint16))[0])
    assert "window 500/100 linear misses the values, so window 3004.99 to 3994.01" in found.decision


def test_percentiles_leave_padding_out() -> None:
    values = np.full((20, 60), 4095)
    values[:, :50] = np.arange(1000).reshape(20, 50)
    found = decode(film(values, PixelPaddingValue=4095)).pixels
    np.testing.assert_array_equal(found[:, :50], window(values[:, :50].astype(np.uint16))[0])
    assert not found[:, 50:].any()


def test_the_window_of_counted_values_is_that_of_the_pixels() -> None:
    rng = np.random.default_rng(4)
    for size in (1, 2, 7, 1000, 4001):
        pixels = rng.gamma(2.0, 50.0, size).astype(np.int64)
        values, counts = np.unique(pixels, return_counts=True)
        low, high, rule = edges(values[::-1].astype(np.float64), counts[::-1])
        if rule == PERCENTILES:
            np.testing.assert_allclose((low, high), np.percentile(pixels, (0.5, 99.5)))
        else:
            assert (low, high) == (pixels.min(), pixels.max())


WIDE = {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}


def test_thirty_two_bits() -> None:
    wide = np.array([[0, 1 << 20, 1 << 21]], "<u4")
    tags = {"WindowCenter": 1 << 20, "WindowWidth": 1 << 21, "VOILUTFunction": "LINEAR_EXACT"}
    assert decode(film([[0] * 3], PixelData=wide.tobytes(), **WIDE, **tags)).pixels.tolist() == [[0, 128, 255]]


def test_floats_of_which_one_is_no_number() -> None:
    real = np.array([[np.nan, -1.5, 0.0, 1.5]], "<f4")
    tags = {"WindowCenter": 0, "WindowWidth": 3, "VOILUTFunction": "LINEAR_EXACT"}
    found = decode(film([[0] * 4], PixelData=None, FloatPixelData=real.tobytes(), **WIDE, **tags))
    assert found.pixels.tolist() == [[0, 0, 128, 255]]
    assert found.decision.startswith("DICOM 32 bit float MONOCHROME2")


FACTS = {"ImageLaterality": "R", "ViewPosition": "LL", "BodyPartExamined": "Hüfte", "PixelSpacing": [0.2, 0.3]}


def test_facts_of_the_film() -> None:
    found = decode(film([[0, 99, 255]], SpecificCharacterSet="ISO_IR 100", PatientName="Meier^Hans", **FACTS, **WHOLE))
    assert (found.spacing, found.laterality, found.view, found.body_part) == ((0.2, 0.3), "R", "lateral", "hip")
    assert found.decision == "DICOM 12 bit MONOCHROME2, uncompressed; window 128/256 linear; spacing from PixelSpacing"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.1, 0.1]}, (0.1, 0.1)),
        ({"PixelSpacing": [0.1, 40], "NominalScannedPixelSpacing": [0.2, 0.2]}, (0.2, 0.2)),
        ({"PixelSpacing": [-0.1, 0.1]}, None),
        ({}, None),
    ],
)
def test_spacing_that_cannot_be_falls_through(tags: dict[str, object], expected: tuple[float, float] | None) -> None:
    assert decode(film([[0, 255]], **tags, **WHOLE)).spacing == expected


def test_a_film_of_both_sides_has_none_and_unknown_words_stay_inside() -> None:
    tags = {"ImageLaterality": "B", "Laterality": "L", "ViewPosition": "MEIER", "BodyPartExamined": "HANS MEIER"}
    found = decode(film([[0, 255]], **tags, **WHOLE))
    assert (found.laterality, found.view, found.body_part) == (None, None, None)
    assert "MEIER" not in found.decision


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (
            {"PixelData": None},
            r"without pixel data: Computed Radiography Image Storage holds none, or the header is cut off",
        ),
        ({"Rows": None}, r"Rows \(0028,0010\) is missing"),
        ({"Columns": 0}, r"Columns \(0028,0011\) is 0"),
        ({"BitsAllocated": None}, r"BitsAllocated \(0028,0100\) is missing"),
        ({"BitsAllocated": 12}, "BitsAllocated .* is 12"),
        ({"PixelData": b"\0\0"}, "truncated: 2 bytes of pixel data of 4"),
        ({"Rows": 60000, "Columns": 60000}, "too large"),
        ({"NumberOfFrames": 3}, "truncated: 4 bytes of pixel data of 12"),
        ({"PhotometricInterpretation": "MEIER"}, r"PhotometricInterpretation \(0028,0004\) is none that is read"),
        ({"SamplesPerPixel": 2}, "SamplesPerPixel .* is 2"),
    ],
)
def test_faults_are_named(tags: dict[str, object], reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as fault:
        decode(film([[0, 255]], **tags))
    assert "MEIER" not in fault.value.reason


def test_a_frame_that_is_not_there() -> None:
    for wrong in (1, -1):
        with pytest.raises(ImageError, match="the file has 1"):
            decode(film([[0, 255]]), wrong)


def test_a_syntax_without_a_decoder_is_named() -> None:
    data = film([[0, 255]])
    for other, name in ((b"1.2.840.10008.1.2.4.94", "JPIP Referenced"), (b"1.2.345.67890.1.2.4.94", "a vendor's own")):
        # The UID grows by two bytes; nothing reads the length of its group.
        place = data.index(struct.pack("<HH2sH", 2, 0x10, b"UI", 20))
        longer = data[:place] + struct.pack("<HH2sH", 2, 0x10, b"UI", 22) + other + data[place + 28 :]
        with pytest.raises(ImageError, match=name):
            decode(longer)


def packed(*values: bytes, table: tuple[int, ...] = ()) -> memoryview:
    offsets = struct.pack(f"<{len(table)}I", *table)
    items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value for value in (offsets, *values))
    return memoryview(b"".join(items) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))


def test_compressed_pixels_under_a_syntax_of_native_ones_are_read_for_what_they_are() -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    data = film(values, WindowCenter=2048, WindowWidth=4096)
    place = data.rindex(struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", values.nbytes))
    opened = struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) + bytes(packed(jpegls_encode(values)))
    found = decode(data[:place] + opened)
    np.testing.assert_array_equal(found.pixels, decode(data).pixels)
    assert "JPEG-LS" in found.decision


def test_a_folder_that_hides_a_module_is_told_and_no_image_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osteon.images.dicom", None)
    with pytest.raises(OsteonError, match="cannot be imported") as fault:
        decode(film([[0, 255]]))
    assert not isinstance(fault.value, ImageError)


START = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    ("value", "frames", "expected"),
    [
        (packed(b"aa", b"bb"), 1, b"aabb"),
        (packed(b"aa", b"bb"), 2, b"bb"),
        (packed(b"aa", b"bb", b"cc", table=(0, 10)), 2, b"bbcc"),
        (packed(START, b"bb", START + b"cc", b"dd"), 2, START + b"ccdd"),
    ],
    ids=["one frame", "one each", "by table", "by start"],
)
def test_fragments_belong_to_frames(value: memoryview, frames: int, expected: bytes) -> None:
    assert frame_bytes(value, frames - 1, frames, b"") == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (packed(b"aa", b"bb")[:-9], "a fragment of 1 bytes of 2"),
        (packed(b"aa")[:-8], "without their end"),
        (packed(), "without a fragment"),
        (packed(b"aa", b"bb", b"cc"), "cannot be told apart into 2 frames"),
    ],
)
def test_fragments_that_are_not_whole(value: memoryview, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        frame_bytes(value, 0, 2 if "frames" in reason else 1, b"")


def test_a_jpeg_too_short_for_its_image_is_refused_before_it_is_filled_up() -> None:
    head = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 800, 800, 1) + bytes([1, 0x11, 0])
    assert head_of(head + b"\0" * 1300 + b"\xff\xd9").rows == 800
    with pytest.raises(ImageError, match="cannot hold a JPEG of 800 x 800"):
        head_of(head + b"\xff\xd9")
    with pytest.raises(ImageError, match="without its end"):
        head_of(head + b"\x11" * 1300)


REAL = {
    "966_fixed.dcm": (
        "DICOM 12 bit MONOCHROME1, JPEG 2000; window 2048/4096 linear; inverted; spacing from PixelSpacing",
        ((0.16, 0.16), "R", "pa", "chest"),
    ),
    "RG1_J2KI.dcm": (
        "DICOM 15 bit MONOCHROME1, JPEG 2000; window 15000/30000 linear; inverted; no spacing",
        (None, None, "pa", "chest"),
    ),
    "RG2_JPLY_fixed.dcm": (
        "DICOM 10 bit MONOCHROME2, JPEG Extended; window 511/1024 linear; spacing from PixelSpacing",
        ((0.2, 0.2), None, None, "hip"),
    ),
    "RG3_J2KR.dcm": (
        "DICOM 10 bit MONOCHROME1, JPEG 2000; window 550/1024 linear; inverted; no spacing",
        (None, "R", "ap", "extremity"),
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_films(test_data: Path, name: str) -> None:
    found = read_image(test_data / "dicom" / name)
    assert found.decision == REAL[name][0]
    assert (found.spacing, found.laterality, found.view, found.body_part) == REAL[name][1]
    assert np.ptp(found.pixels) > 200
