"""One's own COCO, PASCAL VOC or YOLO files, read into the boxes of each image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from osteon.config.specs import BoxFilesSpec
from osteon.datasets.annotations import (
    AnnotationError,
    Box,
    Coco,
    Share,
    names_near,
    pixels,
    read_voc,
    read_yolo,
    size_of,
)
from osteon.datasets.listing import folders, names
from osteon.errors import OsteonError

DEPTH = 6  # folders below that of the images or the annotations
# Folders that only tell files of one kind from those of another: train/images/a.png goes with train/labels/a.txt.
KINDS = frozenset(("images", "labels", "annotations", "jpegimages"))
NEAR = 0.5  # px


@dataclass
class Annotated:
    """What files say of images, by the images' paths below the dataset's root.

    Attributes:
        names: of the classes; those that a file declares, else those of the boxes.
        declared: whether a file declares them.
        boxes: of the images that were looked at.
        faults: why the annotation of an image cannot be used.
        strays: annotations of images that are not asked about.
    """

    names: tuple[str, ...] = ()
    declared: bool = True
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)


def of_coco(root: Path, spec: BoxFilesSpec, found: Coco, paths: Iterable[str]) -> Annotated:
    """Return what a COCO file says of images."""
    placed = {_placed(spec.images, name): name for name in found.boxes}
    answer = Annotated(found.names)
    wanted = set(paths)
    for path, name in placed.items():
        if path not in wanted:
            answer.strays.append(path)
        elif name in found.faults:
            answer.faults[path] = found.faults[name]
        else:
            _keep(answer, root, path, found.boxes[name], found.sizes.get(name))
    answer.strays += ["an image that the file does not list"] * found.strays
    return answer


def of_voc(root: Path, spec: BoxFilesSpec, paths: Iterable[str]) -> Annotated:
    """Return what PASCAL VOC files say of images."""
    answer = Annotated(declared=False)
    for path, file in _matched(root, spec, paths, ".xml", answer):
        try:
            read = read_voc(root / file)
        except AnnotationError as fault:
            answer.faults[path] = str(fault)
            continue
        _keep(answer, root, path, read.boxes, read.size)
    answer.names = tuple(sorted({box.name for boxes in answer.boxes.values() for box in boxes}))
    return answer


def of_yolo(root: Path, spec: BoxFilesSpec, paths: Iterable[str]) -> Annotated:
    """Return what YOLO files say of images; shares become px of the image as its header tells.

    Raises:
        OsteonError: nothing names the classes of the numbers, or two files name them differently.
    """
    answer, orders = Annotated(), dict[str, tuple[str, ...]]()
    for path, file in _matched(root, spec, paths, ".txt", answer):
        folder = file.rpartition("/")[0]
        if folder not in orders:
            orders[folder] = _order(root, spec, folder)
        try:
            shares: list[Share] = read_yolo(root / file, orders[folder])
            size = size_of(root / path) if shares else None
            answer.boxes[path] = [pixels(share, size) for share in shares] if size else []
        except AnnotationError as fault:
            answer.faults[path] = str(fault)
    if len(set(orders.values())) > 1:
        told = "; ".join(", ".join(order) for order in sorted(set(orders.values())))
        raise OsteonError(f"dataset.annotations: two exports number their classes differently: {told}. Keep one.")
    answer.names = next(iter(orders.values()), ())
    return answer


def _order(root: Path, spec: BoxFilesSpec, folder: str) -> tuple[str, ...]:
    named = names_near(root, folder)
    if named is None:
        raise OsteonError(
            f"dataset.annotations={spec.annotations}: nothing names the classes of these YOLO files. Put the export's "
            "data.yaml (names: [...]) or classes.txt (a name a line) beside them."
        )
    return named[1]


def _keep(answer: Annotated, root: Path, path: str, boxes: list[Box], size: tuple[float, float] | None) -> None:
    """Keep an image's boxes, unless the file speaks of another size than the image has, turned or scaled."""
    try:
        real = size_of(root / path) if size and boxes else size
    except AnnotationError:
        real = size  # the reader tells what is wrong with the image
    if size and real and max(abs(a - b) for a, b in zip(size, real, strict=True)) > NEAR:
        told = " x ".join(f"{value:g}" for value in size), " x ".join(f"{value:g}" for value in real)
        answer.faults[path] = f"annotated on an image of {told[0]}, but as it is read it has {told[1]}"
    else:
        answer.boxes[path] = boxes


def _matched(
    root: Path, spec: BoxFilesSpec, paths: Iterable[str], suffix: str, answer: Annotated
) -> list[tuple[str, str]]:
    """Return pairs of an image and its file, both below the root; note files without an image, and namesakes."""
    mine: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        mine.setdefault(_key(path, spec.images), []).append(path)
    pairs = []
    for file in below(root, spec.annotations, lambda name: name.lower().endswith(suffix)):
        images = mine.get(_key(file, spec.annotations), [])
        if len(images) == 1:
            pairs.append((images[0], file))
        elif not images and file.rpartition("/")[2].lower() not in {"classes.txt", "train.txt", "val.txt", "test.txt"}:
            answer.strays.append(file)
        answer.faults |= dict.fromkeys(images[: len(images) * (len(images) > 1)], "two images for one annotation file")
    return pairs


def below(root: Path, folder: str, wanted: Callable[[str], bool]) -> list[str]:
    """Return the files in a folder and below it, relative to `root`, the nearest first."""
    start = _tidy(folder)
    places = folders(root / start, DEPTH)
    return [
        _placed(start, f"{place}/{name}") for place in places for name in names(root / start / place) if wanted(name)
    ]


def _key(path: str, folder: str) -> tuple[str, ...]:
    """Return what an image and its annotation have in common: the place below their folders, without suffix."""
    inside = path.removeprefix(_tidy(folder)).strip("/")
    parts = inside.rpartition(".")[0].split("/")
    return (*(part for part in parts[:-1] if part.casefold() not in KINDS), parts[-1])


def _placed(folder: str, name: str) -> str:
    return f"{_tidy(folder)}/{name.replace(chr(92), '/').lstrip('/')}".lstrip("/")


def _tidy(folder: str) -> str:
    return "" if folder in {".", ""} else folder.strip("/").removeprefix("./")
