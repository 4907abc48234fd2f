"""GRAZPEDWRI-DX (Nagy et al. 2022, Sci Data, doi:10.1038/s41597-022-01328-z), as published or mirrored.

`dataset.csv` beside images in whatever folders (`images_part1/`, `images/train/`, ...) and their boxes as PASCAL VOC
(`folder_structure/pascalvoc`) or YOLO (`folder_structure/yolov5`), found by the images' names.

An image of `diagnosis_uncertain` is left unlabelled: its readers did not commit themselves on the fracture, so that it
is neither a positive nor a negative, and its boxes of other classes (2.6 % of the images) are given up with it, as one
cell holds all boxes of an image. There is no official split; patients stay together in ours.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from osteon.config.specs import GrazPedWriSpec
from osteon.datasets.cells import age, laterality, mapped, number
from osteon.datasets.grazpedwri_boxes import CLASSES, Boxes, Files, files_below, read_boxes
from osteon.datasets.listing import part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_sheet, refuse, require, some
from osteon.manifest.boxes import of_class
from osteon.manifest.target import Reading, Target

FLAGS = ("initial_exam", "cast", "diagnosis_uncertain", "osteopenia", "metal", "fracture_visible")
NEEDED = ("filestem", "patient_id", "study_number", "gender", "age", "laterality", "projection", *FLAGS)
VIEWS = {"1": "PA", "2": "lateral", "3": "other"}
SEXES = {"m": "M", "f": "F"}
PUBLISHED = dict(zip(CLASSES, (276, 45, 8, 18_090, 818, 3_453, 567, 464, 23_722), strict=True))


def card(spec: GrazPedWriSpec) -> LocatedCard:
    """Return the collection's terms, counts and targets."""
    counts = {"images": 20_327, "patients": 6_091, "sex=M": 12_040, "sex=F": 8_285, "laterality=L": 11_135}
    counts |= {"initial_exam": 10_861, "cast": 5_776, "diagnosis_uncertain": 537, "osteopenia": 2_473, "metal": 708}
    labelled = {"fracture_visible": 13_550, **{f"boxes={name}": count for name, count in PUBLISHED.items()}}
    return LocatedCard(
        name=spec.name,
        title="GRAZPEDWRI-DX: paediatric wrist trauma with boxes",
        folders=("GRAZPEDWRI-DX", "GRAZPEDWRI_DX", "GRAZPEDWRI"),
        licence="CC BY 4.0 as published on figshare",
        citation="Nagy et al. 2022, A pediatric wrist trauma X-ray dataset (GRAZPEDWRI-DX) for machine learning, "
        "Scientific Data 9, doi:10.1038/s41597-022-01328-z",
        gated=False,
        patient_ids=True,
        targets={
            "fracture_visible": Target("a fracture is visible on this wrist radiograph"),
            "boxes": Target("what is found on this wrist radiograph, each in its box", "boxes", CLASSES),
            "fracture_boxes": Target("each visible fracture of this wrist radiograph", "boxes", ("fracture",)),
        },
        expected=counts | (labelled if spec.uncertain == "as_annotated" else {}),
        landmarks=("dataset.csv", "folder_structure", "images_part1"),
    )


def read(root: Path, spec: GrazPedWriSpec) -> Reading:
    """Read `dataset.csv`, find each image and its boxes, and note where they disagree.

    An image without an annotation file is unlabelled; one whose file is empty has no boxes. Where several files are of
    one image PASCAL VOC is taken, as it names its classes.

    Raises:
        OsteonError: `dataset.csv` is missing, lacks a column or has a cell that breaks its rule, or nothing names the
            classes of YOLO's numbers.
    """
    file = root / "dataset.csv"
    sheet = read_sheet(file)
    require(sheet, NEEDED, file)
    refuse(file, sheet["filestem"], sheet["filestem"].isna(), "must not be blank")
    there = files_below(root)
    rows = _rows(file, sheet, there, spec)
    found = read_boxes(root, there, rows["image_id"], spec.classes)
    unsure = (rows["diagnosis_uncertain"] == 1) & (spec.uncertain == "unlabelled")
    cells = [None if hidden else found.cells.get(stem) for stem, hidden in zip(rows["image_id"], unsure, strict=True)]
    rows["boxes"] = pd.Series(cells, index=rows.index, dtype="object")
    alone = of_class(cells, CLASSES.index("fracture"))
    rows["fracture_boxes"] = pd.Series(alone, index=rows.index, dtype="object")
    seen = rows["fracture_visible"]
    rows["fracture_visible"] = seen.mask(unsure)
    reasons = rows["image_id"].map(found.faults).astype("object")
    reasons[~rows["image_id"].isin([*there.images])] = "listed in dataset.csv, but not on disk"
    reasons[rows["image_id"].duplicated()] = "listed twice in dataset.csv"
    kept, rejected = part(rows, reasons)
    return Reading(kept, rejected, tuple(_notes(rows, seen, unsure, there, found)))


def _rows(file: Path, sheet: pd.DataFrame, there: Files, spec: GrazPedWriSpec) -> pd.DataFrame:
    stem, patient = sheet["filestem"], sheet["patient_id"]
    refuse(file, patient, patient.isna(), "must not be blank")
    rows = pd.DataFrame({"image_id": stem, "dataset": spec.name, "frame": 0})
    rows["path"] = [there.images.get(name, f"{name}.png") for name in stem]
    rows["patient_id"] = f"{spec.name}:" + patient
    rows["study_id"] = sheet["study_number"]
    rows["body_part"] = "wrist"
    rows["laterality"] = laterality(file, sheet["laterality"])
    rows["view"] = mapped(file, sheet["projection"], VIEWS, "must hold 1, 2, 3 or blank")
    other = sheet["gender"].str.casefold() == "o"  # two of them; the manifest knows F and M
    rows["sex"] = mapped(file, sheet["gender"].mask(other), SEXES, "must hold M, F, O or blank")
    rows["age_years"] = age(file, sheet["age"])
    for name in FLAGS:
        words = {"1": 1.0, "1.0": 1.0, "0": 0.0, "0.0": 0.0}
        rows[name] = mapped(file, sheet[name].fillna("0"), words, "must hold 1, 0 or blank").astype("float64")
    if "pixel_spacing" in sheet:
        rows["spacing_mm_row"] = rows["spacing_mm_column"] = number(file, sheet["pixel_spacing"], 0.0, 10.0, "mm")
    for ours, name in (("device", "device_manufacturer"), ("ao_classification", "ao_classification")):
        if name in sheet:
            rows[ours] = sheet[name]
    return rows.reset_index(drop=True)


def _notes(rows: pd.DataFrame, seen: pd.Series, unsure: pd.Series, there: Files, found: Boxes) -> list[str]:
    stems, prefix = rows["image_id"], rows["image_id"].str.partition("_")[0]
    owner = rows["patient_id"].str.partition(":")[2]
    strangers = stems[prefix.str.lstrip("0") != owner.str.lstrip("0")]
    known = {stem: [row[4] for row in cell] for stem, cell in found.cells.items()}
    index = float(CLASSES.index("fracture"))
    boxed = stems.isin([stem for stem, indices in known.items() if index in indices])
    bare = stems.isin([*known]) & ~boxed
    told: list[tuple[str, Iterable[str]]] = [
        ("of diagnosis_uncertain, left unlabelled", stems[unsure]),
        ("without an annotation file (their boxes are unknown)", stems[~stems.isin([*known, *found.faults])]),
        ("with a fracture box but without fracture_visible (each is kept)", stems[boxed & (seen == 0)]),
        ("with fracture_visible but without a fracture box (each is kept)", stems[bare & (seen == 1)]),
        ("whose name says another patient than patient_id (patient_id is taken)", strangers),
        ("on disk but not in dataset.csv (left out)", sorted({*there.images} - {*stems})),
        ("that lie there twice (the first is taken)", there.twice),
    ]
    counts = pd.Series([row[4] for cell in found.cells.values() for row in cell], dtype="float64").value_counts()
    boxes = {name: int(counts.get(float(at), 0)) for at, name in enumerate(CLASSES)}
    notes = [f"images {words}: {some(images)}" for words, images in told if len(list(images))] + found.notes
    if boxes != PUBLISHED:
        of = ", ".join(f"{name} {count:,} of {PUBLISHED[name]:,}" for name, count in boxes.items())
        notes.append(f"annotated boxes against those published (uncertain images among them): {of}")
    return notes
