"""FracAtlas (Abedeen et al. 2023, Sci Data, doi:10.1038/s41597-023-02432-4) in its published layout.

No patient is known. The authors' split holds fractured images only and cannot train a classifier.

Boxes are those of the COCO JSON (category 0), in px of the upright image: some files are stored turned, by an EXIF tag.
PASCAL VOC and YOLO are compared with it, and what they say otherwise is noted. An image of `fractured=0` was looked at
and has none; a fractured one without a box is left unlabelled; one box on an image of `fractured=0` is kept and noted.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from osteon.config.specs import FracAtlasSpec
from osteon.datasets.annotations import Box, cell
from osteon.datasets.fracatlas_boxes import compared, read_boxes
from osteon.datasets.listing import names, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_sheet, refuse, require, some
from osteon.manifest.target import Reading, Target

REGIONS = ("hand", "leg", "hip", "shoulder")
VIEWS = ("frontal", "lateral", "oblique")
FLAGS = (*REGIONS, "mixed", "hardware", "multiscan", *VIEWS)
FOLDERS = {1.0: "Fractured", 0.0: "Non_fractured"}
SPLIT = Path("Utilities", "Fracture Split")


def card(spec: FracAtlasSpec) -> LocatedCard:
    """Return FracAtlas' terms, counts and target."""
    return LocatedCard(
        name=spec.name,
        title="FracAtlas: fractures of hand, leg, hip and shoulder",
        folders=("FracAtlas",),
        licence="CC BY 4.0",
        citation="Abedeen et al. 2023, FracAtlas: A Dataset for Fracture Classification, Localization and "
        "Segmentation of Musculoskeletal Radiographs, Scientific Data 10, doi:10.1038/s41597-023-02432-4",
        gated=False,
        patient_ids=False,
        targets={
            "fractured": Target("a fracture anywhere on this radiograph, as annotated by two radiologists"),
            "boxes": Target("each visible fracture, as annotated by two radiologists", "boxes", ("fracture",)),
        },
        expected={"images": 4_083, "fractured": 717, "boxes=fracture": 922},
        landmarks=("dataset.csv", "images/Fractured", "images/Non_fractured"),
    )


def read(root: Path, spec: FracAtlasSpec) -> Reading:
    """Read `dataset.csv`, find each image in its folder, and note where table, folder and boxes disagree.

    Raises:
        OsteonError: `dataset.csv` is missing, lacks a column, or holds a value that is no flag or count.
    """
    file = root / "dataset.csv"
    sheet = read_sheet(file)
    require(sheet, ("image_id", *FLAGS, "fractured", "fracture_count"), file)
    refuse(file, sheet["image_id"], sheet["image_id"].isna(), "must not be blank")
    numbers = pd.DataFrame({name: _flag(file, sheet[name]) for name in (*FLAGS, "fractured")})
    numbers["fracture_count"] = _count(file, sheet["fracture_count"])
    places = {label: set(names(root / "images" / folder)) for label, folder in FOLDERS.items()}
    rows = _rows(sheet["image_id"], numbers, places, spec.name)
    reasons = pd.Series(None, index=rows.index, dtype="object")
    known = set().union(*places.values())
    reasons[~rows["image_id"].isin(known)] = "listed in dataset.csv, but not on disk"
    reasons[rows["image_id"].duplicated()] = "listed twice in dataset.csv"
    found, told = read_boxes(root)
    reasons = reasons.where(reasons.notna(), rows["image_id"].map(found.faults))
    rows["boxes"] = _cells(rows, found.boxes if found.names else None)
    kept, rejected = part(rows, reasons)
    notes = (*_notes(root, rows, places, found.boxes), *told, *compared(root, found, rows["image_id"]))
    return Reading(kept, rejected, notes)


def _cells(rows: pd.DataFrame, boxes: Mapping[str, list[Box]] | None) -> pd.Series:
    """Return the boxes of each image; none where it is not fractured, null where nobody says."""
    classes = {"fractured": 0}
    cells = [
        cell(boxes[name], classes) if boxes and boxes.get(name) else [] if boxes is not None and label == 0 else None
        for name, label in zip(rows["image_id"], rows["fractured"], strict=True)
    ]
    return pd.Series(cells, index=rows.index, dtype="object")


def _rows(image_id: pd.Series, numbers: pd.DataFrame, places: dict[float, set[str]], dataset: str) -> pd.DataFrame:
    other = {1.0: 0.0, 0.0: 1.0}
    folders = [
        FOLDERS[label] if name in places[label] or name not in places[other[label]] else FOLDERS[other[label]]
        for name, label in zip(image_id, numbers["fractured"].fillna(0.0), strict=True)
    ]
    rows = pd.DataFrame({"image_id": image_id, "dataset": dataset, "frame": 0})
    rows["path"] = "images/" + pd.Series(folders, index=rows.index, dtype="str") + "/" + image_id
    rows["body_part"] = _joined(numbers, REGIONS)
    rows["view"] = _joined(numbers, VIEWS)
    return pd.concat([rows, numbers], axis=1).reset_index(drop=True)


def _joined(numbers: pd.DataFrame, flags: tuple[str, ...]) -> pd.Series:
    """Name the flags that are set, in a fixed order: `leg+hip`; null where none is."""
    texts = [
        "+".join(name for name, value in zip(flags, row, strict=True) if value == 1)
        for row in numbers[[*flags]].to_numpy()
    ]
    return pd.Series([text or None for text in texts], index=numbers.index, dtype="object")


def _flag(file: Path, values: pd.Series) -> pd.Series:
    refuse(file, values, values.notna() & ~values.isin(["0", "1"]), "must hold 0 or 1")
    return values.astype("float64")


def _count(file: Path, values: pd.Series) -> pd.Series:
    refuse(file, values, values.notna() & ~values.str.fullmatch(r"\d+").fillna(False).astype(bool), "must hold a count")
    return values.astype("float64")


def _notes(root: Path, rows: pd.DataFrame, places: dict[float, set[str]], boxes: Mapping[str, list[Box]]) -> list[str]:
    label = rows.set_index("image_id")["fractured"]
    label = label[~label.index.duplicated()]
    misplaced = [
        name for value, other in ((1.0, 0.0), (0.0, 1.0)) for name in places[value] if label.get(name) == other
    ]
    boxed = {name for name, found in boxes.items() if found}
    bare = [name for name in label.index[label == 1.0] if name not in boxed] if boxes else []
    found = [
        ("in the folder of the other label (dataset.csv wins)", misplaced),
        (
            "on disk but not in dataset.csv (left out)",
            [n for files in places.values() for n in files if n not in label],
        ),
        ("in both folders", places[1.0] & places[0.0]),
        (
            "with a fracture box but fractured=0 (dataset.csv wins; the box is kept)",
            [n for n in boxed if label.get(n) == 0.0],
        ),
        ("with fractured=1 but without a box (their boxes are unknown)", bare),
        ("with boxes but not in dataset.csv (left out)", [n for n in boxed if n not in label]),
    ]
    notes = [f"images {words}: {some(sorted(images))}" for words, images in found if images]
    if (root / SPLIT).is_dir():
        notes.append("the authors' split holds fractured images only; it is left aside for one of our own")
    return notes
