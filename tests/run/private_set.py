"""A small private set full of a patient's traces, and a search for them in the bytes of whatever a run leaves."""

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PATIENTS = 60
# What may never be seen outside the set: each is a part of a folder, a file's name, an id, a cell or a header.
PLANTED = (
    *("Zwirnb\u00e4cher", "Rosalinde", "Oldenhoff", "KH4711", "ACC7788", "Sturzneigung", "Marienstift", "Uhrkettchen"),
    *("1947-03-29", "19470329", "29.03.1947", "Roentgen_2031", "Praxisliste"),
)
FOLDERS = ("Praxis_Oldenhoff", "Roentgen_2031")


def lay(folder: Path, dicom: bool) -> Path:
    """Write the set below `folder` and return its root: two images a patient, every third patient fractured."""
    root = folder.joinpath(*FOLDERS)
    (root / "Bilder_Rosalinde").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * PATIENTS):
        patient, fracture = number // 2, int(number // 2 % 3 == 0)
        pixels = rng.integers(0, 120, (48, 40), dtype=np.uint8) + np.uint8(100 * fracture)
        file = root / "Bilder_Rosalinde" / f"Zwirnb\u00e4cher_{number:03}.{'dcm' if dicom else 'png'}"
        if dicom:
            write_dicom(file, pixels, patient)
        else:
            Image.fromarray(pixels).save(file)
        rows.append(
            {
                "Datei": file.name, "Patient": f"KH4711-{patient:04}", "Auftrag": f"ACC7788-{number:04}",
                "Name": "Zwirnb\u00e4cher, Rosalinde", "geboren": "29.03.1947", "Befund": "Sturzneigung, Marienstift",
                "view": "frontal", "fracture": fracture,
            }
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(root / "Praxisliste.csv", index=False)
    return root


WORDS = (
    "tasks.hip_fracture.dataset.file=Praxisliste.csv",
    "tasks.hip_fracture.dataset.images=Bilder_Rosalinde",
    "+tasks.hip_fracture.dataset.columns.path=Datei",
    "+tasks.hip_fracture.dataset.columns.patient_id=Patient",
    "+tasks.hip_fracture.dataset.columns.study_id=Auftrag",
)


def write_dicom(file: Path, pixels: np.ndarray, patient: int) -> None:
    """Write an uncompressed radiograph whose header tells everything about its patient."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    image = FileDataset(str(file), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # archives hold values that no standard allows
        image.BodyPartExamined, image.ViewPosition = "HIP Rosalinde", "AP Rosalinde"
    image.PatientName, image.PatientID = "Zwirnb\u00e4cher^Rosalinde", f"KH4711-{patient:04}"
    image.PatientBirthDate, image.AccessionNumber = "19470329", f"ACC7788-{patient:04}"
    image.StudyDescription, image.SeriesDescription = "Becken Zwirnb\u00e4cher", "Uhrkettchen"
    image.PatientComments, image.InstitutionName = "Sturzneigung", "Marienstift"
    image.WindowCenter, image.WindowWidth, image.WindowCenterWidthExplanation = 128, 256, "Uhrkettchen"
    image.Rows, image.Columns = pixels.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.PixelData = pixels.tobytes()
    pydicom.dcmwrite(file, image, enforce_file_format=True)


def spilled(folders: Iterable[Path], words: Iterable[str] = PLANTED) -> list[str]:
    """Return `file: word` for every word that stands in a file below `folders`, in its name or in what it packs."""
    found = []
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            parts = [str(file.relative_to(folder)).encode(), *(contents(file) if file.is_file() else ())]
            found += [
                f"{file.relative_to(folder)}: {word}" for word in words if any(holds(part, word) for part in parts)
            ]
    return found


def contents(file: Path) -> Iterator[bytes]:
    """Yield a file's bytes, the text of a parquet and the members of a zip (checkpoints are zips)."""
    data = file.read_bytes()
    yield data
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        yield f"{table.schema.metadata}\n{table.to_pandas().to_csv()}".encode()
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def holds(data: bytes, word: str) -> bool:
    """Tell whether a word stands in bytes in any case, as UTF-8, UTF-16, Latin-1 or escaped."""
    forms = {form for text in (word, word.lower(), word.upper(), word.casefold()) for form in _encoded(text)}
    return any(form in data or form in data.lower() for form in forms)


def _encoded(text: str) -> Iterator[bytes]:
    yield from (text.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"))
    yield text.encode("ascii", "backslashreplace")  # as Python writes it: \xe4
    yield "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in text).encode()  # as JSON writes it: \u00e4
