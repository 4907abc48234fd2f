"""Any collection in which the folder is the label: `<class>/<image>`, or `{train,val,test}/<class>/<image>`."""

import posixpath
import re
from collections import Counter
from pathlib import Path

import pandas as pd

from osteon.config.specs import FoldersSpec
from osteon.datasets.listing import children, folders, is_image, names
from osteon.datasets.root import LocatedCard
from osteon.datasets.table import COLUMNS, RESERVED
from osteon.errors import OsteonError, nearest
from osteon.manifest.target import Reading, Target

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
DEPTH = 6  # folders below a class


def card(spec: FoldersSpec) -> LocatedCard:
    """Return what the config says of the collection.

    Raises:
        OsteonError: classes that cannot be told apart, a target that has a name of Osteon's, or a pattern of patients
            that is no regular expression with a group.
    """
    _check(spec)
    classes = () if spec.target_kind == "binary" else tuple(spec.classes)
    return LocatedCard(
        name=spec.name,
        title=f"{spec.name}: a private collection" if spec.private else f"{spec.name}: {spec.meaning}",
        folders=(spec.name,),
        licence=spec.licence,
        citation=spec.citation,
        gated=spec.gated,
        patient_ids=bool(spec.patient),
        targets={spec.target: Target(_meaning(spec), spec.target_kind, classes)},
        private=spec.private,
        expected=spec.expected,
        # Without classes any folder that holds folders with files is one: `read` then lists what is there.
        landmarks=(*spec.classes, *(f"train/{name}" for name in spec.classes)) or ("*/*.*",),
    )


def read(root: Path, spec: FoldersSpec) -> Reading:
    """Walk the folders of the classes; hidden files, and files that are no images, are left out with a count.

    Raises:
        OsteonError: `classes` is not given, one has no folder, or a folder is none of them; an image's name does not
            fit `patient`.
    """
    said = f"data.roots.{spec.name}" if spec.private else str(root)
    there = children(root)
    parts: dict[str, str | None] = {name: SPLITS[name.casefold()] for name in there if name.casefold() in SPLITS}
    parts = parts or {"": None}
    loose = [] if "" in parts else [name for name in there if name not in parts]
    _check_folders(said, root, spec, [*parts], loose)
    notes: list[str] = []
    found = [
        (split, float(index), path)
        for part, split in parts.items()
        for index, name in enumerate(spec.classes)
        for path in _images(root, posixpath.join(part, name), notes)
    ]
    rows = pd.DataFrame(found, columns=["split", spec.target, "path"]).assign(image_id=lambda frame: frame["path"])
    rows["dataset"], rows["frame"] = spec.name, 0
    if spec.body_part:
        rows["body_part"] = spec.body_part
    if spec.patient:
        rows["patient_id"] = _patients(said, rows["path"], spec)
    official = {split: part for part, split in parts.items() if split in ("val", "test")}
    if "test" not in official:
        rows["split"] = rows["split"].where(rows["split"] != "train", None)
    empty = pd.DataFrame({"image_id": [], "path": [], "reason": []}, dtype="str")
    return Reading(rows, empty, tuple(_summed(notes)), {s: p for s, p in official.items() if s})


def _meaning(spec: FoldersSpec) -> str:
    if spec.target_kind == "binary" and len(spec.classes) == 2:
        return f"{spec.meaning}: 1 is {spec.classes[1]!r}, 0 is {spec.classes[0]!r}"
    return spec.meaning


def _check(spec: FoldersSpec) -> None:
    if spec.target in {*COLUMNS, *RESERVED}:
        raise OsteonError(f"dataset.target: {spec.target!r} is a name that Osteon uses itself; give it another.")
    if len({name.casefold() for name in spec.classes}) < len(spec.classes):
        raise OsteonError(f"dataset.classes: names must differ in more than case, found {', '.join(spec.classes)}")
    bad = [name for name in spec.classes if not name or re.search(r"[/\\]|^\.", name)]
    if bad:
        raise OsteonError(f"dataset.classes: {bad[0]!r} is no name of a folder in the dataset.")
    if spec.target_kind == "binary" and spec.classes and len(spec.classes) != 2:
        raise OsteonError(f"dataset.classes: a binary target has two, found {', '.join(spec.classes)}")
    try:
        fits = not spec.patient or re.compile(spec.patient).groups >= 1
    except re.error as fault:
        raise OsteonError(f"dataset.patient: {spec.patient!r} is no regular expression ({fault}).") from None
    if not fits:
        raise OsteonError(f"dataset.patient: {spec.patient!r} has no group; put the patient in brackets: ^(\\d+)_")


def _check_folders(said: str, root: Path, spec: FoldersSpec, parts: list[str], loose: list[str]) -> None:
    """Refuse folders that are no class, classes that are no folder, and a config without classes."""
    found = sorted({name for part in parts for name in children(root / part)})
    # Of a private set a folder may be a patient's: only those that the config names are shown.
    shown = [name for name in found if not spec.private or name in spec.classes]
    hidden = f" and {len(found) - len(shown)} not shown" if len(shown) < len(found) else ""
    listed = f"{', '.join(shown) or 'none'}{hidden}"
    if not spec.classes:
        ready = f"dataset.classes=[{','.join(shown)}]" if shown else listed
        raise OsteonError(f"dataset.classes: not given. Name them in index order. Folders in {said}: {ready}")
    foreign = [name for name in found if name not in spec.classes] + loose
    if foreign:
        which = f"{len(foreign)} folders" if spec.private else repr(foreign[0])
        hint = "" if spec.private else nearest(foreign[0], spec.classes)
        raise OsteonError(f"{said}: {which} not in dataset.classes.{hint} Classes: {', '.join(spec.classes)}")
    missing = [name for name in spec.classes if name not in found]
    if missing:
        raise OsteonError(f"{said}: the folder of class {', '.join(missing)} is missing; found {listed}")


def _images(root: Path, folder: str, notes: list[str]) -> list[str]:
    """Return the paths of a class' images, however deep; what is left out is noted."""
    below = folders(root / folder, DEPTH)
    files = [posixpath.join(folder, at, name) for at in below for name in names(root / folder / at)]
    notes += ["foreign"] * sum(not is_image(file) for file in files)
    hidden = [entry for at in below for entry in (root / folder / at).glob(".*") if entry.is_file()]
    notes += ["hidden"] * len(hidden)
    return [file for file in files if is_image(file)]


def _summed(notes: list[str]) -> list[str]:
    counts = Counter(notes)
    words = {"hidden": "hidden files", "foreign": "files that are no images"}
    return [f"left out: {counts[key]:,} {said}" for key, said in words.items() if counts[key]]


def _patients(said: str, paths: pd.Series, spec: FoldersSpec) -> pd.Series:
    names_ = paths.map(posixpath.basename)
    groups = names_.str.extract(spec.patient)[0]
    lost = names_[groups.isna() | (groups == "")]
    if len(lost):
        first = "" if spec.private else f", first {lost.iloc[0]!r}"
        raise OsteonError(f"{said}: dataset.patient={spec.patient!r} finds no patient in {len(lost):,} names{first}")
    return f"{spec.name}:" + groups
