"""MURA-v1.1 (Rajpurkar et al. 2018, arXiv:1712.06957) in its official layout.

A patient may have studies of several body parts, each counted from 1 (1,467 of the 11,184 of train do), so that a study
is named by body part and number. The label stands in the folder's name; ids are made without it.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.config.specs import MuraSpec
from osteon.datasets.listing import absent, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_lines, some
from osteon.errors import OsteonError
from osteon.manifest.target import Reading, Target

# Nothing may be tuned on what is reported: the public valid set is the test, and val is cut from train by patient.
SPLITS = {"train": None, "valid": "test", "test": "test"}
NAMES = {"valid": "public-valid", "test": "test"}
_STUDY = (
    r"(?P<part>train|valid|test)/(?P<region>XR_[A-Z]+)/(?P<patient>patient\w+)/"
    r"(?P<study>study\d+)(?P<label>_positive|_negative)?"
)
_IMAGE = re.compile(rf"(?:^|/){_STUDY}/(?P<file>[^/]+\.\w+)$")
_FOLDER = re.compile(rf"(?:^|/){_STUDY}/?$")


def card(spec: MuraSpec) -> LocatedCard:
    """Return MURA's terms, counts and target."""
    return LocatedCard(
        name=spec.name,
        title="MURA-v1.1: musculoskeletal radiographs of the upper extremity",
        folders=("MURA-v1.1", "MURA"),
        licence="Stanford University Dataset Research Use Agreement: non-commercial, no redistribution",
        citation="Rajpurkar et al. 2018, MURA: Large Dataset for Abnormality Detection in Musculoskeletal Radiographs, "
        "arXiv:1712.06957",
        gated=True,
        patient_ids=True,
        targets={
            "abnormal": Target(
                "abnormal as judged by the radiologist at reading time (fracture, hardware, degenerative change, "
                "other); not the same as fractured"
            )
        },
        expected={"images": 40_005, "studies": 14_656, "patients": 11_967},
        split_names={"test": "public-valid"},
        landmarks=("train_image_paths.csv", "valid_image_paths.csv", "train/XR_*", "valid/XR_*"),
    )


def read(root: Path, spec: MuraSpec) -> Reading:
    """Read the image lists (or, where they are missing, the folders) and the studies' labels.

    A study's label comes from `*_labeled_studies.csv`, else from its folder's name, else it is unknown.

    Raises:
        OsteonError: no images are listed or found, or a list has a line that is no MURA path or no label.
    """
    notes: list[str] = []
    paths = [path for name in SPLITS for path in _paths(root, name, notes)]
    if not paths:
        raise OsteonError(f"{root}: no MURA images; expected train/XR_*/patient*/study*/*.png and valid/ beside it.")
    found = pd.Series(paths, dtype="str").str.extract(_IMAGE)
    labels = {study: label for name in SPLITS for study, label in _labels(root, name, notes).items()}
    rows = _rows(found, labels, spec.name, notes)
    reasons = pd.Series(None, index=rows.index, dtype="object")
    reasons[absent(root, rows["path"])] = "listed, but not on disk"
    reasons[rows["image_id"].duplicated()] = "second image of this name in this study"
    reasons[rows["path"].duplicated()] = "listed twice"
    kept, rejected = part(rows, reasons)
    names = _split_names(kept["path"], notes)
    return Reading(kept, rejected, tuple(notes), names)


def _split_names(paths: pd.Series, notes: list[str]) -> dict[str, str]:
    """Name the test by the parts that it was found in; without the valid set it must not go by its name."""
    held = [name for name in NAMES if paths.str.startswith(f"{name}/").any()]
    if "valid" not in held:
        instead = "test is the part test/" if held else "test is cut from train by patient"
        notes.append(f"valid set missing: no image of valid/ was found; {instead} and is not public-valid")
    return {"test": "+".join(NAMES[name] for name in held)} if held else {}


def _paths(root: Path, name: str, notes: list[str]) -> list[str]:
    """Return a part's image paths, from its list or from its folders."""
    file = root / f"{name}_image_paths.csv"
    if file.is_file():
        return [line[0] for _, line in _parsed(file, _IMAGE, fields=1)]
    walked = sorted(path.relative_to(root).as_posix() for path in (root / name).glob("XR_*/patient*/study*/[!.]*"))
    images = [path for path in walked if _IMAGE.search(path)]
    if images:
        others = f"; {len(walked) - len(images):,} other files are left out" if len(images) < len(walked) else ""
        notes.append(f"no {file.name}: the {len(images):,} images below {name}/ are used{others}")
    return images


def _labels(root: Path, name: str, notes: list[str]) -> dict[str, float]:
    """Return label by study folder, without a slash at the end."""
    file = root / f"{name}_labeled_studies.csv"
    if not file.is_file():
        if (root / name).is_dir():
            notes.append(f"no {file.name}: labels are taken from the folders' names")
        return {}
    labels: dict[str, float] = {}
    for row, (path, value) in _parsed(file, _FOLDER, fields=2):
        study = _relative(path.rstrip("/"))
        if value not in {"0", "1"} or labels.get(study, float(value)) != float(value):
            raise OsteonError(f"{file}: label {value!r} of {path} in row {row}; expected 0 or 1, once a study.")
        labels[study] = float(value)
    return labels


def _parsed(file: Path, pattern: re.Pattern[str], fields: int) -> list[tuple[int, list[str]]]:
    """Return a list's numbered lines; a first line without a path is a header."""
    lines = read_lines(file)
    if lines and "/" not in lines[0][1][0]:
        lines = lines[1:]
    for row, line in lines:
        if len(line) != fields or not pattern.search(line[0]):
            expected = "XR_*/patient*/study*" + ("/image*.png" if fields == 1 else "/,label")
            raise OsteonError(
                f"{file}: row {row}: {','.join(line)!r} is no line of MURA; expected {fields} field(s), {expected}"
            )
    return lines


def _relative(path: str) -> str:
    """Cut what stands before train/, valid/ or test/: the lists carry the name of the root."""
    found = _FOLDER.search(path)
    return path[found.start("part") :] if found else path


def _rows(found: pd.DataFrame, labels: dict[str, float], dataset: str, notes: list[str]) -> pd.DataFrame:
    start = found["part"] + "/" + found["region"] + "/" + found["patient"] + "/" + found["study"]
    suffix = found["label"].fillna("")
    by_list = (start + suffix).map(labels).astype("float64")
    by_folder = suffix.map({"_positive": 1.0, "_negative": 0.0}).astype("float64")
    _tell(start + suffix, by_list, by_folder, notes)
    return pd.DataFrame(
        {
            "image_id": start + "/" + found["file"],
            "dataset": dataset,
            "path": start + suffix + "/" + found["file"],
            "frame": 0,
            "patient_id": "mura:" + found["patient"],
            "study_id": found["region"] + "/" + found["study"],
            "body_part": found["region"].str.removeprefix("XR_").str.lower(),
            "split": found["part"].map(SPLITS).astype(object),
            "abnormal": np.where(by_list.notna(), by_list, by_folder),
        }
    )


def _tell(studies: pd.Series, by_list: pd.Series, by_folder: pd.Series, notes: list[str]) -> None:
    conflict = by_list.notna() & by_folder.notna() & (by_list != by_folder)
    if conflict.any():
        notes.append(
            f"studies whose listed label contradicts their folder's name (the list wins): "
            f"{some(studies[conflict].unique())}"
        )
    unknown = by_list.isna() & by_folder.isna()
    if unknown.any():
        notes.append(f"studies without a label (predicted, never scored): {some(studies[unknown].unique())}")
