"""Knee joints with Kellgren-Lawrence grades (Chen 2018, doi:10.17632/56rmx5bjcr.1), cut from the OAI's baseline films.

`{train,val,test}/{0..4}/<OAI id><L or R>.png` in `kneeKL224` or `kneeKL299`. The grade stands in the folder's name; ids
are made without it. The visit is the baseline's of every patient, so that a joint is one image.
"""

import re
from pathlib import Path

import pandas as pd

from osteon.config.specs import KneeKlSpec
from osteon.datasets.kellgren_lawrence import GRADES, TARGETS, WORDS, osteoarthritis
from osteon.datasets.listing import children, is_image, names, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import some
from osteon.errors import OsteonError
from osteon.manifest.target import Reading

SIZES = (224, 299)
SPLITS = ("train", "val", "test")
ASIDE = ("auto_test", "most_test", "most_auto_test")
_KNEE = re.compile(r"(?P<patient>\d+)(?:(?P<side>[LR])|_[12])\.\w+")  # auto_test/ numbers a film's knees: 9656070_2
_GRADE = re.compile(r"([0-4])[ _-]?([A-Za-z]*)")


def card(spec: KneeKlSpec) -> LocatedCard:
    """Return the collection's terms, counts and targets."""
    known = {"split=train": 5_778, "split=val": 826}
    whole = {"images": 8_260, "patients": 4_130, **known, "split=test": 1_656}
    grades = dict(zip((f"kl={grade}" for grade in GRADES), (3_253, 1_495, 2_175, 1_086, 251), strict=True))
    return LocatedCard(
        name=spec.name,
        title="Knee osteoarthritis severity grading: single knees of the OAI",
        folders=tuple(f"kneeKL{size}" for size in SIZES if spec.size in (None, size)),
        licence="CC BY 4.0 as published on Mendeley Data; the films are the OAI's",
        citation="Chen 2018, Knee Osteoarthritis Severity Grading Dataset, Mendeley Data, doi:10.17632/56rmx5bjcr.1",
        gated=False,
        patient_ids=True,
        targets=TARGETS,
        expected=known if spec.auto_test else whole | grades,
        split_names={"val": "val", "test": "auto_test" if spec.auto_test else "test"},
        landmarks=("train/0", "train/4", "test/0", "val/0"),
    )


def read(root: Path, spec: KneeKlSpec) -> Reading:
    """Walk the folders of splits and grades. A patient is `oai:<id>` and holds both knees; the visit is the baseline.

    Raises:
        OsteonError: no training set, a grade folder that is missing or unknown, or both sizes at once.
    """
    below = _release(root, spec)
    notes: list[str] = []
    chosen = {split: split for split in SPLITS} | ({"test": "auto_test"} if spec.auto_test else {})
    there = children(root / below)
    _check_splits(root / below, there, chosen)
    found = [
        (split, grade, f"{below}{folder}/{name}", file)
        for split, folder in chosen.items()
        if folder in there
        for grade, name in _grades(root / below / folder, folder, notes)
        for file in names(root / below / folder / name)
    ]
    left = [file for *_, file in found if not is_image(file)]
    if left:
        notes.append(f"files that are no images (left out): {some(left)}")
    rows = _rows([entry for entry in found if is_image(entry[3])], spec.name)
    numbered = rows["image_id"][rows["patient_id"].notna() & rows["laterality"].isna()]
    if len(numbered):
        notes.append(f"knees that are numbered, not named L or R (their side is unknown): {some(numbered)}")
    notes += [f"no folder {folder}/: the {split} set is cut from train" for split, folder in chosen.items()
              if folder not in there]  # fmt: skip
    foreign = [name for name in there if name not in (*SPLITS, *ASIDE)]
    if foreign:
        notes.append(f"folders that are no split of the release (left out): {some(foreign)}")
    aside = [name for name in ASIDE if name in there and name != chosen["test"]]
    if aside:
        notes.append(f"left out: {', '.join(aside)} (auto_test/ shows the knees of test/: dataset.auto_test=true)")
    official = {split: folder for split, folder in chosen.items() if folder in there and split != "train"}
    if "test" not in official:
        rows["split"] = rows["split"].where(rows["split"] != "train", None)
    kept, rejected = part(rows.drop(columns="reason"), rows["reason"])
    return Reading(kept, rejected, tuple(notes), official)


def _release(root: Path, spec: KneeKlSpec) -> str:
    """Return the folder of a release below a root that is their parent, with a slash; empty where the root is one."""
    there = [f"kneeKL{size}" for size in SIZES if spec.size in (None, size) and (root / f"kneeKL{size}").is_dir()]
    if len(there) > 1:
        raise OsteonError(f"{root}: holds {' and '.join(there)}, the same knees twice. Choose one: dataset.size=224")
    return f"{there[0]}/" if there else ""


def _check_splits(root: Path, there: list[str], chosen: dict[str, str]) -> None:
    if chosen["test"] == "auto_test" and "auto_test" not in there:
        raise OsteonError(f"{root}: dataset.auto_test=true, but there is no folder auto_test.")
    if "train" in there:
        return
    graded = [name for name in there if _GRADE.fullmatch(name)]
    why = (
        f" The grades {', '.join(graded)} lie there without a split: another collection, or a copy that lost the "
        "official split; read it with dataset=folders."
        if graded
        else ""
    )
    raise OsteonError(
        f"{root}: no folder train; expected train, val and test, each with 0 to 4; found "
        f"{', '.join(there) or 'none'}.{why}"
    )


def _grades(folder: Path, said: str, notes: list[str]) -> list[tuple[float, str]]:
    """Return the grade and the name of every grade's folder."""
    found: dict[float, str] = {}
    for name in children(folder):
        grade = _grade(name)
        if grade is None or grade in found:
            twice = "a second folder of its grade" if grade is not None else "no Kellgren-Lawrence grade"
            raise OsteonError(f"{folder / name}: {twice}; expected folders 0, 1, 2, 3 and 4.")
        found[grade] = name
    missing = [grade for index, grade in enumerate(GRADES) if float(index) not in found]
    if missing:
        raise OsteonError(
            f"{folder}: the folder of grade {', '.join(missing)} is missing; found "
            f"{', '.join(found.values()) or 'none'}. Make it (empty) if there is truly no such knee."
        )
    renamed = [name for name in found.values() if name not in GRADES]
    if renamed:
        notes.append(f"{said}/: grades named {', '.join(renamed)}, as in a mirror; its counts may not be the release's")
    return sorted(found.items())


def _grade(name: str) -> float | None:
    """Read `2` or a mirror's `2Minimal`; a word that belongs to another grade makes it none."""
    match = _GRADE.fullmatch(name)
    if not match or (match[2] and match[2].casefold() not in WORDS[int(match[1])]):
        return None
    return float(match[1])


def _rows(found: list[tuple[str, float, str, str]], dataset: str) -> pd.DataFrame:
    rows = pd.DataFrame(found, columns=["split", "kl", "folder", "file"])
    knee = rows["file"].astype("str").str.extract(rf"^{_KNEE.pattern}$")
    image_id = rows["split"] + "/" + rows["file"]
    reasons = pd.Series(None, index=rows.index, dtype="object")
    reasons[image_id.duplicated(keep=False)] = "the same knee in two grades"
    reasons[knee["patient"].isna()] = "its name is not <OAI id><L or R>: the patient is unknown"
    return pd.DataFrame(
        {
            "image_id": image_id,
            "dataset": dataset,
            "path": rows["folder"] + "/" + rows["file"],
            "frame": 0,
            "patient_id": "oai:" + knee["patient"],
            "study_id": "baseline",
            "laterality": knee["side"],
            "body_part": "knee",
            "split": rows["split"].astype(object),
            "kl": rows["kl"],
            "oa": osteoarthritis(rows["kl"]),
            "reason": reasons,
        }
    )
