"""Boxes of one's own as COCO, PASCAL VOC or YOLO files, beside a folder of images and, perhaps, a table of them.

An image that COCO lists without a box, or whose file holds none, was looked at; one that no annotation speaks of is
unlabelled. Without a table patients are unknown, and folders train, val and test among the images are the split.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from osteon.config.specs import BoxFilesSpec, TableSpec
from osteon.datasets import table
from osteon.datasets.annotations import Coco, cell, read_coco
from osteon.datasets.box_sources import Annotated, below, of_coco, of_voc, of_yolo
from osteon.datasets.folders import SPLITS
from osteon.datasets.listing import absent, is_image, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import some
from osteon.datasets.wording import File, PrivateFile
from osteon.errors import OsteonError, nearest
from osteon.manifest.target import Reading, Target

BOXES = "boxes"  # the target's name


def card(spec: BoxFilesSpec) -> LocatedCard:
    """Return what the config says of the collection.

    Raises:
        OsteonError: a place is not below the dataset's folder, classes that cannot be told apart, or what a table's
            settings may not say.
    """
    table.check_places(spec.name, annotations=spec.annotations, images=spec.images, table=spec.table)
    if len(set(spec.classes)) < len(spec.classes):
        raise OsteonError(f"dataset.classes: a class stands there twice: {', '.join(spec.classes)}")
    if BOXES in spec.targets:
        raise OsteonError(f"dataset.targets: {BOXES!r} is the name of what the annotations hold; call yours otherwise.")
    of = table.card(_table(spec))
    return LocatedCard(
        name=spec.name,
        title=f"{spec.name}: private boxes"
        if spec.private
        else f"{spec.name}: {spec.annotations} beside {spec.images}",
        folders=(spec.name,),
        licence=spec.licence,
        citation=spec.citation,
        gated=spec.gated,
        patient_ids=bool(spec.table),
        targets={BOXES: Target(spec.meaning, "boxes", tuple(spec.classes)), **of.targets},
        private=spec.private,
        landmarks=(spec.annotations,) if spec.annotations not in {"", "."} else (spec.images,),
    )


def read(root: Path, spec: BoxFilesSpec) -> Reading:
    """Read the table, if there is one, and the boxes of each image.

    Raises:
        OsteonError: annotations that are missing or broken as a whole, classes that they do not have or that are not
            given, or a fault of the table. What is wrong with one image's annotation rejects the image.
    """
    coco = read_coco(_file(root, spec, spec.annotations)) if spec.kind == "coco" else None
    if coco is None and not (root / spec.annotations).is_dir():
        raise OsteonError(
            f"{_file(root, spec, spec.annotations)}: there is no such folder: dataset.annotations=<folder>"
        )
    base = table.read(root, _table(spec)) if spec.table else _listed(root, spec, coco)
    rows = base.rows
    if coco is not None:
        found = of_coco(root, spec, coco, rows["path"])
    else:
        found = (of_voc if spec.kind == "voc" else of_yolo)(root, spec, rows["path"])
    respelt = _alike(spec, found)
    _check_classes(spec, found)
    classes = {name: index for index, name in enumerate(spec.classes)}
    cells = [cell(found.boxes[path], classes) if path in found.boxes else None for path in rows["path"]]
    rows = rows.assign(**{BOXES: pd.Series(cells, index=rows.index, dtype="object")})
    kept, rejected = part(rows, rows["path"].map(found.faults).astype("object"))
    return Reading(
        kept,
        pd.concat([base.rejected, rejected], ignore_index=True),
        (*base.notes, *respelt, *_notes(spec, rows, found)),
        base.split_names,
    )


def _table(spec: BoxFilesSpec) -> TableSpec:
    shared = {name: getattr(spec, name) for name in ("name", "images", "columns", "targets", "covariates", "private")}
    return TableSpec(kind="table", file=spec.table, **shared)


def _file(root: Path, spec: BoxFilesSpec, place: str) -> File:
    return PrivateFile(root / place, f"data.roots.{spec.name}: {place}", frozenset()) if spec.private else root / place


def _listed(root: Path, spec: BoxFilesSpec, coco: Coco | None) -> Reading:
    """Return a row for every image: those that COCO lists, else those in the folder."""
    if coco is not None:
        outside = [name for name in coco.boxes if table.leaves(name)]
        if outside:
            shown = f"{len(outside)} of them" if spec.private else repr(outside[0])
            raise OsteonError(f"{spec.annotations}: file_name must lie below dataset.images; found {shown}")
        paths = sorted({f"{spec.images}/{name}".removeprefix("./").replace("\\", "/") for name in coco.boxes})
    else:
        paths = below(root, spec.images, is_image)
    rows = pd.DataFrame({"image_id": paths, "dataset": spec.name, "path": paths, "frame": 0})
    official = {path: next((SPLITS[p] for p in path.casefold().split("/")[:-1] if p in SPLITS), None) for path in paths}
    if {"val", "test"} & {*official.values()}:
        split = rows["path"].map(official).astype("object")
        rows["split"] = split if "test" in official.values() else split.where(split != "train", None)
    reasons = pd.Series(None, index=rows.index, dtype="object")
    reasons[absent(root, rows["path"])] = "listed in the annotations, but not on disk"
    kept, rejected = part(rows, reasons)
    names = {split: split for split in ("val", "test") if "split" in rows and (rows["split"] == split).any()}
    return Reading(kept, rejected, (), names)


def _alike(spec: BoxFilesSpec, found: Annotated) -> list[str]:
    """Give boxes the class asked for whose name is theirs but for case and blanks at its ends, and say so.

    A box under "Fracture" left out of "fracture" would make its image a negative.
    """
    asked = Counter(_plain(name) for name in spec.classes)
    names = {_plain(name): name for name in spec.classes if asked[_plain(name)] == 1}
    known = {*found.names, *(box.name for boxes in found.boxes.values() for box in boxes)} - {*spec.classes}
    other = {name: names[_plain(name)] for name in known if _plain(name) in names}
    taken = Counter(box.name for boxes in found.boxes.values() for box in boxes if box.name in other)
    for path, boxes in found.boxes.items():
        found.boxes[path] = [box._replace(name=other.get(box.name, box.name)) for box in boxes]
    found.names = tuple(dict.fromkeys(other.get(name, name) for name in found.names))
    return [f"classes spelt otherwise, taken for those asked for: {_counts(taken)}"] if taken else []


def _plain(name: str) -> str:
    return name.strip().casefold()


def _check_classes(spec: BoxFilesSpec, found: Annotated) -> None:
    listed = ", ".join(found.names) or "none"
    if not spec.classes:
        raise OsteonError(
            f"dataset.classes: not given. Name those that you ask for in index order. The annotations have: "
            f"dataset.classes=[{','.join(found.names)}]"
        )
    missing = [name for name in spec.classes if name not in found.names]
    if missing and (found.declared or len(missing) == len(spec.classes)):
        raise OsteonError(
            f"dataset.classes: the annotations have no class {missing[0]!r}.{nearest(missing[0], found.names)} "
            f"They have: {listed}"
        )


def _notes(spec: BoxFilesSpec, rows: pd.DataFrame, found: Annotated) -> list[str]:
    """Return findings; of a private set without the names of files."""
    others = Counter(box.name for boxes in found.boxes.values() for box in boxes if box.name not in spec.classes)
    silent = rows["path"][~rows["path"].isin([*found.boxes, *found.faults])]
    unused = [name for name in spec.classes if name not in found.names]
    notes = [f"boxes of classes that are not asked for (left out): {_counts(others)}"] if others else []
    if unused:
        notes.append(f"classes that no box is of: {', '.join(unused)}")
    if len(silent):
        notes.append(f"images that no annotation speaks of (their boxes are unknown): {_some(spec, [*silent])}")
    if found.strays:
        notes.append(f"annotations of images that are not there (left out): {_some(spec, found.strays)}")
    return notes


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in found.most_common())


def _some(spec: BoxFilesSpec, names: Sequence[str]) -> str:
    return f"{len(names):,}" if spec.private else some(names)
