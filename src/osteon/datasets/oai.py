"""The Osteoarthritis Initiative's central readings of knee films (kXR_SQ_BU) as the pipe-separated tables they come in.

A row of theirs is a participant, a side, a visit and a reading project; a row of ours is a knee at a visit as one
project read it. The films show both knees, so that the images are crops of single knees, one file a knee and visit.
"""

import re
import string
from pathlib import Path

import pandas as pd

from osteon.config.specs import OaiSpec
from osteon.datasets import oai_people
from osteon.datasets.cells import mapped
from osteon.datasets.kellgren_lawrence import GRADES, TARGETS, osteoarthritis
from osteon.datasets.listing import absent, folders, names, part, repeated
from osteon.datasets.oai_codes import PARTED, code, missing, unknown
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_capitals, refuse, require
from osteon.errors import OsteonError
from osteon.manifest.target import Reading, Target

MONTHS = {"V00": 0, "V01": 12, "V03": 24, "V05": 36, "V06": 48, "V08": 72, "V10": 96}
SIDES = {"1": "R", "1: right": "R", "2": "L", "2: left": "L"}  # 1 is the right knee
PROJECTS = {"15": 15, "37": 37, "42": 37}  # 42 is the later name of 37
DEPTH = 3
_TABLE = re.compile(r"kxr_sq_bu(\d\d)\.txt", re.IGNORECASE)
_LANDMARK = "[kK][xX][rR]_[sS][qQ]_[bB][uU][0-9][0-9].[tT][xX][tT]"
_PLACES = {("F", "L"): "femur_lateral", ("F", "M"): "femur_medial", ("T", "L"): "tibia_lateral"}
_PLACES |= {("T", "M"): "tibia_medial"}
# Column without its visit -> our target.
OARSI = {f"XR{short}{bone}{side}": f"{long}_{place}" for short, long in (("OS", "osteophytes"), ("SC", "sclerosis"))
         for (bone, side), place in _PLACES.items()}  # fmt: skip
OARSI |= {"XRJSL": "narrowing_lateral", "XRJSM": "narrowing_medial"}
OARSI |= {"XRATTL": "attrition_lateral", "XRATTM": "attrition_medial"}


def card(spec: OaiSpec) -> LocatedCard:
    """Return the initiative's terms and targets.

    Raises:
        OsteonError: the pattern of the images lacks a placeholder, has an unknown one, or leaves the folder.
    """
    _check_pattern(spec.images)
    oarsi = {name: Target(f"OARSI grade 0 to 3: {name.replace('_', ', ')}", "ordinal", GRADES[:4])
             for name in OARSI.values()}  # fmt: skip
    return LocatedCard(
        name=spec.name,
        title="Osteoarthritis Initiative: central readings of fixed-flexion knee radiographs",
        folders=("OAI",),
        licence="OAI data use terms: registration, research only, no redistribution, no re-identification",
        citation="Nevitt, Felson, Lester 2006, The Osteoarthritis Initiative: Protocol for the Cohort Study, "
        "https://nda.nih.gov/oai",
        gated=True,
        patient_ids=True,
        targets=TARGETS | oarsi,
        landmarks=(_LANDMARK,),
        deeper=tuple("*/" * depth + _LANDMARK for depth in range(1, DEPTH + 1)),
    )


def read(root: Path, spec: OaiSpec) -> Reading:
    """Read the readings of every visit, the participants' sex and age, and find each knee's image.

    Raises:
        OsteonError: no table is there, one lacks a column, a cell is no id, side, project or grade, or the images of
            several visits go by one name.
    """
    notes: list[str] = []
    below = folders(root, DEPTH)
    tables = _tables(root, below, spec, notes)
    read_in = [_visit(root, visit, file, spec, notes) for visit, file in tables.items()]
    held = [rows for rows in read_in if rows is not None]
    if not held:
        raise OsteonError(
            f"{root}: no image of a knee read by project {spec.project} is where dataset.images={spec.images!r} looks "
            f"for it. {' '.join(notes)}"
        )
    rows = pd.concat(held, ignore_index=True)
    rows = rows.join(oai_people.read(root, below, rows["patient_id"], rows["study_id"].map(MONTHS), notes))
    rows["dataset"], rows["frame"], rows["body_part"] = spec.name, 0, "knee"
    kept, rejected = part(rows.drop(columns="reason"), rows["reason"])
    return Reading(kept, rejected, tuple(notes))


def _check_pattern(pattern: str) -> None:
    try:
        parts = [part for part in string.Formatter().parse(pattern) if part[1] is not None]
    except ValueError as fault:
        raise OsteonError(f"dataset.images: {pattern!r} cannot be read ({fault}).") from None
    asked = {field for _, field, _, _ in parts}
    if odd := [field for _, field, spec, turned in parts if spec or turned]:
        raise OsteonError(f"dataset.images: {pattern!r} formats {{{odd[0]}}}; expected the bare name in braces.")
    if not {"id", "side"} <= asked <= {"id", "side", "visit"}:
        raise OsteonError(
            f"dataset.images: found {pattern!r}, expected {{id}} and {{side}}, and {{visit}} where there are several. "
            "A film shows both knees: cut it into one image a knee first."
        )
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise OsteonError(f"dataset.images: found {pattern!r}, expected a place below the dataset's folder.")


def _tables(root: Path, below: list[str], spec: OaiSpec, notes: list[str]) -> dict[str, Path]:
    """Return visit -> its table, in the order of the visits."""
    found: dict[str, Path] = {}
    for folder in below:
        for name in names(root / folder):
            match = _TABLE.fullmatch(name)
            if match and found.setdefault(f"V{match[1]}", root / folder / name) != root / folder / name:
                raise OsteonError(
                    f"{root}: two tables of visit V{match[1]}: {found[f'V{match[1]}']} and {folder}/{name}"
                )
    if not found:
        raise OsteonError(
            f"{root}: no table kXR_SQ_BU00.txt there or up to {DEPTH} levels below, nor of another visit."
        )
    foreign = sorted(set(found) - set(MONTHS))
    if foreign:
        notes.append(f"tables of visits that are not known (left out): {', '.join(foreign)}")
    lacking = [visit for visit in spec.visits if visit not in found]
    if lacking:
        raise OsteonError(
            f"{root}: dataset.visits names {', '.join(lacking)}; tables there: {', '.join(sorted(found))}"
        )
    used = {visit: found[visit] for visit in MONTHS if visit in found and (not spec.visits or visit in spec.visits)}
    if len(used) > 1 and "{visit" not in spec.images:
        raise OsteonError(
            f"dataset.images: {spec.images!r} has no {{visit}}, so that the readings of {', '.join(used)} would all be "
            f"of one image. Name the visit that the images are of: dataset.visits=[{next(iter(used))}]"
        )
    return used


def _visit(root: Path, visit: str, file: Path, spec: OaiSpec, notes: list[str]) -> pd.DataFrame | None:
    """Return a visit's knees and the reasons of those to reject; None where there is nothing to look at."""
    sheet = read_capitals(file, "|")
    grade = f"{visit}XRKL"
    require(sheet, ("ID", "SIDE", "READPRJ", grade), file, PARTED)
    refuse(file, sheet["ID"], ~sheet["ID"].str.fullmatch(r"\d+").fillna(False).astype(bool), "must hold a participant")
    sheet = _of_project(sheet, file, spec.project, notes)
    side = mapped(
        file, sheet["SIDE"].str.replace(r"\s*:\s*", ": ", regex=True), SIDES, "must hold 1 (right) or 2 (left)"
    )
    refuse(file, sheet["SIDE"], side.isna(), "must not be blank")
    rows = pd.DataFrame({"laterality": side})
    rows["path"] = [
        spec.images.format(visit=visit, id=patient, side=which)
        for patient, which in zip(sheet["ID"], side, strict=True)
    ]
    away = absent(root, rows["path"])
    if all(away):
        notes.append(f"{file.name}: no image of its {len(rows):,} knees lies there; visit {visit} is left out")
        return None
    rows["image_id"] = f"{visit}/" + sheet["ID"] + side
    rows["patient_id"], rows["study_id"] = "oai:" + sheet["ID"], visit
    rows["kl"] = code(sheet[grade]).pipe(lambda codes: _grades(file, codes, missing(codes)))
    rows["oa"] = osteoarthritis(rows["kl"])
    for column, name in OARSI.items():
        rows[name] = _oarsi(sheet, f"{visit}{column}", file, notes)
    rows["reason"] = _reasons(rows, sheet[grade], away, file)
    return rows


def _of_project(sheet: pd.DataFrame, file: Path, project: int, notes: list[str]) -> pd.DataFrame:
    """Return one project's rows; those of another are other readings of the same knees."""
    codes = code(sheet["READPRJ"])
    refuse(file, sheet["READPRJ"], ~codes.isin(list(PROJECTS)), f"must hold a project, {', '.join(PROJECTS)}")
    mine = codes.map(PROJECTS) == project
    if not mine.all():
        others = ", ".join(sorted({str(PROJECTS[other]) for other in codes[~mine]}))
        notes.append(f"{file.name}: {int((~mine).sum()):,} readings of project {others} are left out; "
                     f"{int(mine.sum()):,} of project {project} are used")  # fmt: skip
    return sheet[mine]


def _grades(file: Path, codes: pd.Series, lost: pd.Series) -> pd.Series:
    words = {text: float(index) for index in range(len(GRADES)) for text in (str(index), f"{index}.0")}
    return mapped(file, codes.mask(lost), words, "must hold a grade from 0 to 4 or a missing code").astype("float64")


def _oarsi(sheet: pd.DataFrame, column: str, file: Path, notes: list[str]) -> pd.Series:
    """Return an OARSI grade; what is no whole grade, such as a change within one, stays unknown."""
    if column not in sheet:
        notes.append(f"{file.name}: no column {column}; its grade is unknown")
        return pd.Series(None, index=sheet.index, dtype="float64")
    codes = code(sheet[column])
    grades = pd.to_numeric(codes.mask(missing(codes)), errors="coerce")
    odd = ~missing(codes) & ~grades.isin([0.0, 1.0, 2.0, 3.0])
    if odd.any():
        notes.append(f"{file.name}: {column} has {int(odd.sum()):,} cells that are no grade from 0 to 3, first "
                     f"{codes[odd].iloc[0]!r} in row {odd.idxmax()}; they are unknown")  # fmt: skip
    return grades.where(~odd).astype("float64")


def _reasons(rows: pd.DataFrame, said: pd.Series, away: list[bool], file: Path) -> pd.Series:
    reasons = repeated(rows["image_id"], rows["kl"].astype("str"))
    reasons[away] = f"listed in {file.name}, but not on disk"
    ungraded = rows["kl"].isna()
    reasons[ungraded] = [f"no Kellgren-Lawrence grade: {unknown(text)}" for text in said[ungraded]]
    return reasons
