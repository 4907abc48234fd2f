"""A film as a DICOM file: Digital X-Ray image for presentation. The same film gives the same bytes."""

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.headers import DX, Shot, describe, uid
from osteon.phantoms.person import Person
from osteon.phantoms.storing import Storage
from osteon.phantoms.syntaxes import encode

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def file_bytes(film: NDArray[np.uint16], person: Person, shot: Shot, how: Storage) -> bytes:
    """Return a film as the bytes of a DICOM file.

    Args:
        film: (height, width) uint16, white is 65535 and bone.
        person: whose film.
        shot: what it shows.
        how: how it is stored.

    Raises:
        OsteonError: an encoder refused the pixels.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    data = Dataset()
    describe(data, person, shot)
    _pixels(data, film, how)
    _grey_levels(data, how)
    _spacing(data, shot, how)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(DX), data.SOPInstanceUID
    meta.TransferSyntaxUID = UID(how.syntax)
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(uid("osteon.phantoms")), "OSTEON_PHANTOM"
    data.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def _pixels(data: "Dataset", film: NDArray[np.uint16], how: Storage) -> None:
    from pydicom.encaps import encapsulate

    values = how.stored(film)
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.PhotometricInterpretation = "MONOCHROME1" if how.inverted else "MONOCHROME2"
    data.PresentationLUTShape = "INVERSE" if how.inverted else "IDENTITY"
    data.Rows, data.Columns = (int(side) for side in values.shape)
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, how.bits, how.bits - 1
    data.PixelIntensityRelationship = "LOG"
    data.PixelIntensityRelationshipSign = 1 if how.inverted else -1
    stream = encode(values, how.bits, how.syntax)
    data.PixelData = values.astype("<u2").tobytes() if stream is None else encapsulate([stream])
    data["PixelData"].VR = "OW" if stream is None else "OB"


def _grey_levels(data: "Dataset", how: Storage) -> None:
    """Write the modality rescale (1 and 0 in the standard's words for DX; archives hold others) and the VOI."""
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = how.slope, how.intercept, "US"
    low, high = (how.slope * end + how.intercept for end in how.ends)
    if how.voi == "lut":
        data.VOILUTSequence = [_table(int(low), int(high))]
    elif how.voi == "exact":
        data.WindowCenter, data.WindowWidth, data.VOILUTFunction = (low + high) / 2, high - low, "LINEAR_EXACT"
    elif how.voi != "none":
        # PS3.3 C.11.2.1.2.1: LINEAR shows centre - 0.5 - (width - 1) / 2 as black, and + as white.
        centre, width = (low + high + 1) / 2, high - low + 1
        two = how.voi == "two"
        data.WindowCenter, data.WindowWidth = ([centre, centre], [width, width / 2]) if two else (centre, width)
        if two:
            data.WindowCenterWidthExplanation = ["NORMAL", "HARDER"]


def _table(low: int, high: int) -> "Dataset":
    """Return a VOI LUT (PS3.3 C.11.2.1.1) that rises in a line over `low`..`high` to 16 bits."""
    from pydicom.dataset import Dataset

    count = high - low + 1
    item = Dataset()
    item.add_new(0x00283002, "US", [count, low, 16])
    item.add_new(0x00283006, "OW", np.rint(np.linspace(0, 65535, count)).astype("<u2").tobytes())
    return item


def _spacing(data: "Dataset", shot: Shot, how: Storage) -> None:
    """Write the true scale: the beam is parallel, so that patient and detector have the same one."""
    text = f"{shot.spacing:.6f}"
    data.ImagerPixelSpacing = [text, text]
    if how.both_spacings:
        data.PixelSpacing = [text, text]
