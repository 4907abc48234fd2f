"""Invented people: names, birth dates, numbers and free text that a real archive's headers and file names would hold.

Every patient is told from every other by strings that stand nowhere else, so that a search for them in what a run
leaves is a proof. No rule of this file knows a label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Any

import numpy as np

# Given names are made of these: no word of a language or of a program holds three of them in a row.
_FIRST = (
    "Zel",
    "Quo",
    "Vax",
    "Myr",
    "Jor",
    "Tyv",
    "Wix",
    "Kaz",
    "Pyx",
    "Duv",
    "Fyn",
    "Gwo",
    "Hex",
    "Lux",
    "Rzo",
    "Bim",
)
_MIDDLE = ("qua", "vy", "zo", "mbi", "ffi", "rru", "xe", "dda", "wyo", "kki", "jju", "ppo", "zzi", "gge", "vva", "lmo")
_LAST = (
    "bel",
    "dra",
    "fex",
    "gon",
    "jix",
    "kor",
    "lith",
    "mok",
    "nax",
    "pru",
    "rik",
    "sov",
    "tuk",
    "vex",
    "wyn",
    "zor",
)
_HOSPITALS = {"north": "Phantom Infirmary of Northmoorby", "south": "Phantom Clinic of Southquarrel"}
_HOSPITALS |= {"harbour": "Phantom Hospital of Harbourvex"}
_EARLIEST, _DAYS = date(2015, 1, 1), 2900  # of a first exam
BETWEEN = 60  # days at most from a patient's first exam to the last: the age stays what the table says


@dataclass(frozen=True)
class Person:
    """Who a film is of, in a header's words.

    Attributes:
        given: given name; the family name is PHANTOM.
        record: the hospital's number of the patient (MRN).
        sex: F or M.
        age: years, at every exam.
        born: date of birth.
        first: date of the first exam.
        referrer: who asked for the film, as a DICOM person name.
        hospital: where it was taken.
    """

    given: str
    record: str
    sex: str
    age: int
    born: date
    first: date
    referrer: str
    hospital: str

    @property
    def name(self) -> str:
        """DICOM person name."""
        return f"PHANTOM^{self.given.upper()}"

    def accession(self, study: int) -> str:
        """Return the order number of an exam, counted from 1 (at most 16 characters)."""
        return f"A{self.record.removeprefix('MRN-')}-{study}"

    def day(self, study: int) -> date:
        """Return an exam's date."""
        return self.first + timedelta(days=(study - 1) * BETWEEN)

    def file(self, study: int, number: int) -> PurePosixPath:
        """Return the name of a film's file, which names its patient as an export by hand does."""
        return PurePosixPath(f"PHANTOM_{self.given.upper()}_{self.born.year}_{study}_{number}.dcm")

    def description(self, part: str) -> str:
        """Return what the technician typed as the exam's title."""
        return f"{part} of {self.given} Phantom"

    def comment(self) -> str:
        """Return free text about the patient."""
        title = "Mrs" if self.sex == "F" else "Mr"
        return f"{title} {self.given} Phantom, born {self.born:%d.%m.%Y}, fell at home. Drawn by code, of no patient."


def person(seed: int, patient: int, who: Mapping[str, Any], rng: np.random.Generator) -> Person:
    """Invent a patient.

    Args:
        seed: of the dataset; it is the middle of the record number.
        patient: counted from 0; no two have one name or number.
        who: sex, age_years and site of the table.
        rng: draws dates and the referrer.
    """
    age = int(who["age_years"])
    first = _EARLIEST + timedelta(days=int(rng.integers(_DAYS)))
    birthday = first.replace(year=first.year - age, day=min(first.day, 28))
    born = birthday - timedelta(days=int(rng.integers(365 - BETWEEN - 5)))  # the next birthday is after the last exam
    record = f"MRN-{1000 + seed % 9000}-{patient + 1:05d}"
    referrer = f"PHANTOM-REFERRER^{_given(int(rng.integers(4096)))[::-1].upper()}"
    return Person(_given(patient), record, str(who["sex"]), age, born, first, referrer, _HOSPITALS[who["site"]])


def _given(number: int) -> str:
    """Return a given name of the number's own: 4,096 of three syllables, then with a Roman-looking tail."""
    mixed, tail = number * 1597 % 4096, number // 4096  # odd factor: neighbours differ, none coincide
    name = _FIRST[mixed // 256] + _MIDDLE[mixed // 16 % 16] + _LAST[mixed % 16]
    return name + "xiv" * tail
