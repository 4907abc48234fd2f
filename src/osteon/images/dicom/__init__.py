"""DICOM radiographs as one upright uint8 channel: decode, modality, values of interest, inversion, each step once."""

import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom import colour, tags
from osteon.images.dicom.header import Header, of_frame
from osteon.images.dicom.layout import COLOUR, Layout, layout
from osteon.images.dicom.levels import levels, sampled
from osteon.images.dicom.modality import modality, padding
from osteon.images.dicom.reading import File, take_apart
from osteon.images.dicom.syntaxes import Samples, samples_of
from osteon.images.dicom.voi import clearly_windowed, greys
from osteon.images.radiograph import ImageError, Radiograph

__all__ = ["decode_dicom"]

# What needs to know every pixel's value: tables whose sign hangs on the values, and padding.
_COUNTED = ("ModalityLUTSequence", "VOILUTSequence", "PixelPaddingValue")


def decode_dicom(data: bytes, frame: int) -> Radiograph:
    """Decode one frame of a DICOM file.

    Stored values pass the modality LUT (else slope and intercept), the VOI LUT (else the first sane window, else
    percentiles 0.5 to 99.5, which also stand in for a rule that misses the values), and one inversion where
    PresentationLUTShape says INVERSE or, where there is none, the image is MONOCHROME1 (PS3.3 C.11, C.7.6.3.1.2).
    Padding becomes black. Colour becomes luma and passes none of these.

    Args:
        data: the file.
        frame: counted from 0.

    Raises:
        ImageError: no pixel data, truncated, damaged, too large, of a syntax without a decoder, or lacks the frame.
    """
    try:
        with np.errstate(over="ignore"):  # a window of absurd numbers ends in black or white
            return _decode(data, frame)
    except ImageError:
        raise
    except MemoryError as fault:
        raise ImageError("too large for the memory of this machine") from fault
    except Exception as fault:  # a damaged file can make a decoder raise anything: it costs one row, not the run
        raise ImageError(f"damaged: a DICOM that cannot be decoded ({type(fault).__name__})") from fault


def _decode(data: bytes, frame: int) -> Radiograph:
    file = take_apart(data)
    header = of_frame(file.dataset, frame)
    if file.element is None:
        raise ImageError(
            f"a DICOM without pixel data: {tags.sop_class(header)} holds none, or the header is cut off or damaged"
        )
    laid = layout(header, frame)
    samples = samples_of(file, file.element, laid, frame, header.as_stored("ExtendedOffsetTable"))
    pixels, said = _pixels(samples, header)
    spacing, source = tags.spacing(header)
    words = [
        _summary(file, laid, samples),
        *samples.layout.said,
        *said,
        f"spacing from {source}" if source else "no spacing",
    ]
    return Radiograph(
        pixels, "; ".join(words), spacing, tags.laterality(header), tags.view(header), tags.body_part(header)
    )


def _summary(file: File, laid: Layout, samples: Samples) -> str:
    kind = samples.words.dtype
    bits = f"{8 * kind.itemsize} bit float" if kind.kind == "f" else f"{laid.stored} bit"
    return f"DICOM {bits} {laid.photometric}, {samples.name or 'uncompressed'}"


def _pixels(samples: Samples, header: Header) -> tuple[NDArray[np.uint8], list[str]]:
    if samples.layout.photometric in COLOUR:
        pixels, said = colour.luma(samples)
        return pixels, [said]
    if samples.layout.photometric == "PALETTE COLOR":
        pixels, said = colour.palette(samples, header)
        return pixels, [said]
    return _grey(samples, header)


def _grey(samples: Samples, header: Header) -> tuple[NDArray[np.uint8], list[str]]:
    inverted, inversion_said = _inversion(samples.layout.photometric, header.text("PresentationLUTShape"))
    quick = _windowed(samples, header, inverted)
    if quick is not None:
        return quick[0], [words for words in (*quick[1], inversion_said) if words]
    found, signed = levels(samples.words, samples.layout), samples.layout.signed
    padded, padding_said = padding(found, header, samples.layout.stored, signed)
    values, modality_said = modality(found.values, header)
    known = np.isfinite(values) & ~padded
    if not known.any():
        raise ImageError("no finite value")
    shades = np.zeros(len(values))  # what is no number counts as the lowest
    shades[known], voi_said = greys(values[known], found.counts[known], header)
    if inverted:
        shades = 1.0 - shades
    shades[padded] = 0.0
    said = [modality_said, voi_said, inversion_said, padding_said]
    return found.paint(np.rint(shades * 255.0).astype(np.uint8)), [words for words in said if words]


def _windowed(samples: Samples, header: Header, inverted: bool) -> tuple[NDArray[np.uint8], list[str]] | None:
    """Show a large film through its window without counting every pixel; None where that would not be exact."""
    if any(header.as_stored(name) or header.items(name) for name in _COUNTED):
        return None
    found = sampled(samples.words, samples.layout)
    if found is None:
        return None
    values, modality_said = modality(found.values, header)
    shown = clearly_windowed(values, found.counts, header)
    if shown is None:
        return None
    shades = 1.0 - shown[0] if inverted else shown[0]
    return found.paint(np.rint(shades * 255.0).astype(np.uint8)), [modality_said, shown[1]]


def _inversion(photometric: str, shape: str) -> tuple[bool, str]:
    """Return whether low values are bright; where the two tags contradict each other the shape decides, as in dcmtk."""
    low_is_bright = photometric == "MONOCHROME1"
    inverted = shape == "INVERSE" or (low_is_bright and shape != "IDENTITY")
    said = "inverted" if inverted else ""
    if inverted == low_is_bright:
        return inverted, said
    return inverted, f"{said or 'not inverted'}, as PresentationLUTShape {shape} says"
