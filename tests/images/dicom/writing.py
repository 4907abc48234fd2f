"""Small DICOM files written from an array and a set of choices, good and bad ones."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

CR = "1.2.840.10008.5.1.4.1.1.1"
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
Values = NDArray[Any]
Encoder = Callable[[Values, "Choices"], bytes]


@dataclass(frozen=True)
class Lut:
    """A lookup table. `first` is the value that its first entry maps; `wide` stores 8-bit entries in 16-bit words."""

    first: int
    bits: int
    entries: NDArray[np.uint16]
    wide: bool = False
    said_bits: int | None = None


@dataclass(frozen=True)
class Choices:
    """How an array is stored. `tags` are set last; None deletes one. `junk` fills the bits above the high bit."""

    allocated: int = 16
    stored: int = 12
    high: int | None = None
    signed: bool = False
    photometric: str = "MONOCHROME2"
    syntax: UID = ExplicitVRLittleEndian
    frames: int | None = None
    planar: int = 0
    junk: int = 0
    modality: Lut | None = None
    voi: tuple[Lut, ...] = ()
    voi_signed: bool | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    encoder: Encoder | None = None
    split: int = 1
    preamble: bool = True

    @property
    def high_bit(self) -> int:
        return self.stored - 1 if self.high is None else self.high


def write(values: Values, choices: Choices | None = None) -> bytes:
    """Return a DICOM file of (H, W), (H, W, 3) or, with `frames`, (F, H, W[, 3]) stored values."""
    choices = choices or Choices()
    dataset = describe(values, choices)
    if choices.encoder is None:
        _put(dataset, 0x7FE00010, "OB" if choices.allocated <= 8 else "OW", native(values, choices))
    else:
        frames = values if choices.frames else [values]
        codes = [choices.encoder(frame, choices) for frame in frames]
        _put(dataset, 0x7FE00010, "OB", encapsulate(codes, fragments_per_frame=choices.split))
        dataset["PixelData"].is_undefined_length = True
    for keyword, value in choices.tags.items():
        _choose(dataset, keyword, value)
    return serialise(dataset, choices)


def describe(values: Values, choices: Choices) -> Dataset:
    """Return the dataset without pixels."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CR, "1.2.3.4"
    rows, columns = values.shape[1:3] if choices.frames else values.shape[:2]
    colour = values.ndim == (4 if choices.frames else 3)
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = choices.photometric
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = choices.allocated, choices.stored, choices.high_bit
    dataset.PixelRepresentation = int(choices.signed)
    if colour:
        dataset.PlanarConfiguration = choices.planar
    if choices.frames:
        dataset.NumberOfFrames = choices.frames
    if choices.modality:
        item = lut_item(choices.modality, choices.signed, choices.syntax)
        item.ModalityLUTType = "US"
        dataset.ModalityLUTSequence = Sequence([item])
    if choices.voi:
        signed = choices.signed if choices.voi_signed is None else choices.voi_signed
        dataset.VOILUTSequence = Sequence([lut_item(lut, signed, choices.syntax) for lut in choices.voi])
    return dataset


def lut_item(lut: Lut, signed: bool, syntax: UID = ExplicitVRLittleEndian) -> Dataset:
    """Return a table as an item: 8-bit entries as bytes unless `wide`, all others as 16-bit words."""
    item = Dataset()
    said = lut.bits if lut.said_bits is None else lut.said_bits
    count = len(lut.entries) % 65536
    if signed and count < 32768 and lut.first < 32768:
        _put(item, 0x00283002, "SS", [count, lut.first, said])
    else:
        _put(item, 0x00283002, "US", [count, lut.first % 65536, said])
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if lut.bits == 8 and not lut.wide:
        code = lut.entries.astype(np.uint8).tobytes()
        words = np.frombuffer(code + b"\0" * (len(code) % 2), "<u2")
    else:
        words = lut.entries
    _put(item, 0x00283006, "OW", words.astype(f"{order}u2").tobytes())
    return item


def native(values: Values, choices: Choices) -> bytes:
    """Return uncompressed pixel data: stored bits shifted below the high bit, junk above them."""
    if values.dtype.kind == "f":
        return values.astype(f"<f{values.dtype.itemsize}").tobytes()
    if choices.planar and values.ndim >= 3:
        values = np.moveaxis(values, -1, -3)
    if choices.allocated == 1:
        return _even(np.packbits(values.ravel().astype(np.uint8), bitorder="little").tobytes())
    order = ">" if choices.syntax == ExplicitVRBigEndian else "<"
    return _even(words(values, choices).astype(f"{order}u{choices.allocated // 8}").tobytes())


def words(values: Values, choices: Choices) -> NDArray[np.uint64]:
    """Return the stored words, before any compression."""
    shift = choices.high_bit + 1 - choices.stored
    kept = (values.astype(np.int64) & ((1 << choices.stored) - 1)) << shift
    outside = ((1 << choices.allocated) - 1) & ~(((1 << choices.stored) - 1) << shift)
    return np.asarray(kept | (choices.junk & outside), np.uint64)


def serialise(dataset: Dataset, choices: Choices) -> bytes:
    """Return the bytes of a file in the chosen syntax, or of a bare dataset without preamble."""
    implicit = choices.syntax == ImplicitVRLittleEndian
    little = choices.syntax != ExplicitVRBigEndian
    into = io.BytesIO()
    if not choices.preamble:
        dcmwrite(into, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
        return into.getvalue()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CR, "1.2.3.4"
    meta.TransferSyntaxUID = choices.syntax
    dataset.file_meta = meta
    dcmwrite(into, dataset, enforce_file_format=True)
    return into.getvalue()


def _choose(dataset: Dataset, keyword: str, value: Any) -> None:
    if value is None:
        if keyword in dataset:
            delattr(dataset, keyword)
    elif isinstance(value, DataElement):
        dataset.add(value)
    elif keyword in {"PixelPaddingValue", "PixelPaddingRangeLimit"}:
        tag = 0x00280120 if keyword == "PixelPaddingValue" else 0x00280121
        _put(dataset, tag, "SS" if dataset.get("PixelRepresentation") else "US", value)
    else:
        setattr(dataset, keyword, value)


def _put(dataset: Dataset, tag: int, vr: str, value: Any) -> None:
    dataset.add(DataElement(Tag(tag), vr, value))


def _even(code: bytes) -> bytes:
    return code + b"\0" * (len(code) % 2)
