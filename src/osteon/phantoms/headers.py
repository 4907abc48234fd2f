"""Headers of phantoms: who, where, when and what, as archives write it (PS3.3 A.26); nothing is taken from a clock."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osteon.phantoms.person import Person

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DX = "1.2.840.10008.5.1.4.1.1.1.1"  # Digital X-Ray Image Storage - For Presentation
COMMENT = "Phantom: drawn by code (osteon.phantoms) with known truth, of no patient."
# SNOMED CT codes of PS3.16: CID 4009 (region), CID 4010 (view).
_REGIONS = {"HIP": ("24136001", "Hip joint"), "PELVIS": ("816092008", "Pelvis")}
_VIEWS = {
    "AP": ("399348003", "antero-posterior"),
    "LL": ("399173006", "left lateral"),
    "RL": ("399198007", "right lateral"),
    "LATERAL": ("399067008", "lateral"),
}


@dataclass(frozen=True)
class Shot:
    """What a film shows, and its place among the patient's films.

    Attributes:
        seed: of the dataset with the size of its films: two drawings never share an identifier.
        study: exam, counted from 1.
        number: film of the exam, counted from 1.
        part: HIP or PELVIS.
        side: L or R.
        view: AP, LL, RL or LATERAL.
        spacing: mm a pixel.
    """

    seed: tuple[int, int]
    study: int
    number: int
    part: str
    side: str
    view: str
    spacing: float


def describe(data: "Dataset", person: Person, shot: Shot) -> None:
    """Write everything but the pixels and their grey levels into `data`."""
    _patient(data, person, shot)
    _equipment(data, person)
    _anatomy(data, shot)


def uid(*place: object) -> str:
    """Return a UID derived from a place (PS3.5 B.2: 2.25. and a 128-bit number)."""
    digest = hashlib.blake2b("/".join(str(part) for part in place).encode(), digest_size=16).digest()
    return f"2.25.{int.from_bytes(digest, 'big')}"


def _patient(data: "Dataset", person: Person, shot: Shot) -> None:
    day = f"{person.day(shot.study):%Y%m%d}"
    time = f"{8 + shot.study:02d}{int(person.record[-2:]) % 60:02d}{shot.number:02d}"
    exam = (shot.seed, person.record, shot.study)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientName, data.PatientID = person.name, person.record
    data.PatientBirthDate, data.PatientSex = f"{person.born:%Y%m%d}", person.sex
    data.PatientAge, data.PatientComments = f"{person.age:03d}Y", person.comment()
    data.StudyInstanceUID, data.StudyID = uid(*exam), str(shot.study)
    data.StudyDate = data.ContentDate = day
    data.StudyTime = data.ContentTime = time
    data.AccessionNumber = person.accession(shot.study)
    data.ReferringPhysicianName = person.referrer
    data.StudyDescription = person.description("Hip")
    data.SeriesInstanceUID, data.SeriesNumber = uid(*exam, shot.number), shot.number
    data.SOPClassUID, data.SOPInstanceUID, data.InstanceNumber = DX, uid(*exam, shot.number, "image"), 1


def _equipment(data: "Dataset", person: Person) -> None:
    data.Modality, data.PresentationIntentType = "DX", "FOR PRESENTATION"
    data.Manufacturer, data.InstitutionName = "Osteon", person.hospital
    data.DetectorType = None
    data.ImageType = ["ORIGINAL", "PRIMARY"]
    data.AcquisitionContextSequence = []
    data.BurnedInAnnotation, data.LossyImageCompression = "NO", "00"
    data.ImageComments = COMMENT


def _anatomy(data: "Dataset", shot: Shot) -> None:
    data.BodyPartExamined, data.ViewPosition = shot.part, shot.view
    data.ImageLaterality = "B" if shot.part == "PELVIS" else shot.side
    data.PatientOrientation = ["L", "F"] if shot.view == "AP" else ["A", "F"]
    data.AnatomicRegionSequence = [_code(*_REGIONS[shot.part])]
    data.ViewCodeSequence = [_code(*_VIEWS[shot.view])]


def _code(value: str, meaning: str) -> "Dataset":
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item
