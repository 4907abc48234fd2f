import contextlib
import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from osteon.errors import OsteonError
from osteon.images import ImageError, decode, read_image
from osteon.images.plain import MAX_PIXELS
from osteon.images.window import window

RNG = np.random.default_rng(5)
GREY = cv2.GaussianBlur(RNG.integers(0, 256, (40, 60), dtype=np.uint8), (0, 0), 3)
COLOUR = cv2.GaussianBlur(RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8), (0, 0), 3)
DEEP = (np.arange(2400, dtype=np.uint16).reshape(40, 60) * 20) + 700
LUMA = np.array([0.299, 0.587, 0.114])


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(header: bytes, data: bytes) -> bytes:
    chunks = (b"IHDR" + header, b"IDAT" + data, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def png_header(width: int, height: int) -> bytes:
    return png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), zlib.compress(b"\0" * 64))


def with_alpha(values: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([values, alpha]).astype(np.uint8))


def over_black(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return values * (alpha / 255.0)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_eight_bit_grey_stays_untouched(kind: str) -> None:
    found = decode(encoded(Image.fromarray(GREY), kind))
    np.testing.assert_array_equal(found.pixels, GREY)
    assert found.pixels.dtype == np.uint8
    assert (found.height, found.width) == (40, 60)
    assert "8 bit as stored" in found.decision


def test_grey_stored_as_three_equal_channels_stays_untouched() -> None:
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(np.dstack([GREY] * 3)))).pixels, GREY)


ALPHA = np.broadcast_to(np.linspace(0, 255, 60).round().astype(np.uint8), (40, 60))
PALETTE = Image.fromarray(GREY).convert("P")


@pytest.mark.parametrize(
    ("image", "expected", "tolerance"),
    [
        pytest.param(Image.fromarray(COLOUR), COLOUR @ LUMA, 1, id="RGB"),
        pytest.param(with_alpha(COLOUR, ALPHA), over_black(COLOUR @ LUMA, ALPHA), 2, id="RGBA"),
        pytest.param(with_alpha(GREY, ALPHA), over_black(GREY, ALPHA), 1, id="LA"),
        pytest.param(Image.fromarray(GREY > 127), np.where(GREY > 127, 255, 0), 0, id="1"),
        pytest.param(PALETTE, GREY, 0, id="P"),
    ],
)
def test_every_mode_becomes_one_channel(image: Image.Image, expected: np.ndarray, tolerance: float) -> None:
    found = decode(encoded(image)).pixels
    assert found.shape == (40, 60)
    assert np.abs(found.astype(float) - expected).max() <= tolerance


def test_palette_with_a_transparent_colour_lies_over_black() -> None:
    found = decode(encoded(PALETTE, transparency=int(np.asarray(PALETTE)[0, 0]))).pixels
    assert found[0, 0] == 0
    assert found.max() > 0


def test_cmyk_jpeg_is_read_as_its_colours() -> None:
    found = decode(encoded(Image.fromarray(np.dstack([GREY] * 3)).convert("CMYK"), "JPEG", quality=100)).pixels
    assert np.abs(found.astype(float) - GREY).max() <= 6


def percentile_window(values: np.ndarray) -> np.ndarray:
    """Independent: sort and interpolate, then a straight line."""
    ordered = np.sort(values.astype(float).ravel())
    low, high = np.interp(np.array([0.005, 0.995]) * (ordered.size - 1), np.arange(ordered.size), ordered)
    return np.interp(values.astype(float), [low, high], [0.0, 255.0])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_grey_is_windowed_by_percentiles(suffix: str) -> None:
    found = decode(cv2.imencode(suffix, DEEP)[1].tobytes())
    assert np.abs(found.pixels - percentile_window(DEEP)).max() <= 0.51
    assert "percentiles" in found.decision


def test_sixteen_bit_colour_png_keeps_its_lower_bits() -> None:
    twelve_bit = (DEEP // 16).astype(np.uint16)  # Pillow alone would keep the upper 8 of 16 bits: nearly black
    found = decode(cv2.imencode(".png", np.dstack([twelve_bit] * 3))[1].tobytes()).pixels
    assert np.abs(found - percentile_window(twelve_bit)).max() <= 0.51


def test_sixteen_bit_colour_tiff_is_refused_in_words() -> None:
    with pytest.raises(ImageError, match="one channel"):
        decode(cv2.imencode(".tif", np.dstack([DEEP] * 3))[1].tobytes())


def test_float_tiff_counts_values_that_are_no_number_as_lowest() -> None:
    values = DEEP.astype(np.float32)
    values[0, 0] = np.nan
    found = decode(encoded(Image.fromarray(values), "TIFF")).pixels
    assert found[0, 0] == 0
    assert found.max() == 255


@pytest.mark.parametrize("values", [GREY, DEEP], ids=["8 bit", "16 bit"])
def test_tiff_with_white_as_zero_is_inverted(values: np.ndarray) -> None:
    data = encoded(Image.fromarray(values), "TIFF")
    entry = struct.pack("<HHIHH", 262, 3, 1, 1, 0)  # photometric interpretation: black is zero
    assert data.count(entry) == 1
    found = decode(data.replace(entry, struct.pack("<HHIHH", 262, 3, 1, 0, 0))).pixels
    expected = 255 - values if values.dtype == np.uint8 else percentile_window(values.max() - values)
    assert np.abs(found - expected.astype(float)).max() <= 0.51


def test_sixteen_bit_grey_with_alpha_lies_over_black() -> None:
    alpha = np.where(np.arange(60) < 30, 0, 65535).astype(np.uint16)
    raw = np.dstack([DEEP, np.broadcast_to(alpha, DEEP.shape)]).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in raw)
    data = png(struct.pack(">IIBBBBB", 60, 40, 16, 4, 0, 0, 0), zlib.compress(lines))
    found = decode(data).pixels
    np.testing.assert_array_equal(found[:, :30], 0)
    assert np.abs(found - percentile_window(np.where(alpha, DEEP, 0))).max() <= 0.51


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(np.full((9, 9), 4000, np.uint16), np.zeros((9, 9)), id="constant"),
        pytest.param(np.pad(np.array([[9000]], np.uint16), 20), np.pad(np.array([[255]]), 20), id="one bright pixel"),
        pytest.param(np.array([[-5, 0, 5]], np.int32), np.array([[0, 128, 255]]), id="negative"),
    ],
)
def test_window_of_degenerate_images(values: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(window(values)[0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = encoded(Image.fromarray(GREY), kind, exif=tags)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    found = decode(data)
    np.testing.assert_array_equal(found.pixels, expected)
    assert found.pixels.shape == ((60, 40) if orientation > 4 else (40, 60))
    assert found.pixels.flags.c_contiguous


def test_deep_png_is_turned_too() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    found = decode(encoded(Image.fromarray(DEEP), exif=tags)).pixels
    np.testing.assert_array_equal(found, np.rot90(window(DEEP)[0], -1))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("BMP", {})],
    ids=["jpeg", "progressive", "png", "bmp"],
)
def test_truncated_files_are_refused_however_little_is_gone(kind: str, options: dict[str, bool]) -> None:
    data = encoded(Image.fromarray(GREY), kind, **options)
    decode(data)
    for lost in (*range(1, 60), len(data) // 4, len(data) // 2, len(data) - 30):
        with pytest.raises(ImageError):
            decode(data[:-lost])


def test_truncated_files_are_refused_though_another_library_asked_pillow_to_accept_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encoded(Image.fromarray(GREY), "JPEG")
    with pytest.raises(ImageError, match="truncated"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"path,label\na.png,1\n", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (b"\0" * 128 + b"DICM" + b"\0" * 400, "DICOM"),
        (png_header(200_000, 200_000), "too large|exceeds limit"),
        (png_header(MAX_PIXELS // 1000 + 1, 1000), "too large"),
        (png_header(0, 10), "zero size|not an image"),
        (RNG.bytes(5000), "not an image"),
        (b"\x89PNG\r\n\x1a\n" + RNG.bytes(500), "not an image|damaged"),
    ],
    ids=["empty", "text", "postscript", "dicom", "bomb", "too large", "zero size", "noise", "noise after a signature"],
)
def test_what_is_no_image_costs_an_image_error(data: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=reason):
        decode(data)
    file = tmp_path / "film.png"
    file.write_bytes(data)
    with pytest.raises(OsteonError, match=r"film\.png: ") as fault:
        read_image(file)
    assert "film.png" not in fault.value.reason  # type: ignore[attr-defined]  # stored under the content, not the name


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone\.png: file is missing"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="unreadable"):
        read_image(tmp_path)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "film.png").write_bytes(encoded(Image.fromarray(GREY), "JPEG"))
    assert read_image(tmp_path / "film.png").pixels.shape == (40, 60)


def test_frames_of_one_file() -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data, 0).pixels, GREY)
    np.testing.assert_array_equal(decode(data, 1).pixels, 255 - GREY)
    for wrong in (2, -1):
        with pytest.raises(ImageError, match="the file has 2"):
            decode(data, wrong)


@pytest.mark.parametrize("position", range(20, 400, 7))
def test_damaged_bytes_never_raise_anything_but_an_image_error(position: int) -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        data = bytearray(encoded(Image.fromarray(GREY), kind))
        data[position % len(data)] ^= 0xFF
        with contextlib.suppress(ImageError):
            assert decode(bytes(data)).pixels.dtype == np.uint8
