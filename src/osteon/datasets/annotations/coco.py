"""COCO's object detection JSON (Lin 2014, arXiv:1405.0312): `images`, `annotations` with `bbox` xywh, `categories`."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osteon.datasets.annotations.box import AnnotationError, Box, drawn, number
from osteon.datasets.wording import File, beside, path_of
from osteon.errors import OsteonError


@dataclass(frozen=True)
class Coco:
    """A file's content by the name of each image.

    Attributes:
        names: of the categories, in the order of their ids; ids are whatever the file says, 0 among them.
        boxes: image's `file_name` -> its boxes; an image that is listed without any has none.
        sizes: image's `file_name` -> (width, height), where the file tells.
        faults: image's `file_name` -> why its annotations cannot be used.
        strays: how many annotations are of images that the file does not list.
    """

    names: tuple[str, ...]
    boxes: Mapping[str, list[Box]]
    sizes: Mapping[str, tuple[float, float]]
    faults: Mapping[str, str]
    strays: int


def read_coco(file: File) -> Coco:
    """Read the file.

    Raises:
        OsteonError: it is missing, no JSON, cut off, lacks a list, or two images or categories have one id or one
            category's name stands there twice.
    """
    content = _content(file)
    of = _unique(file, "categories", content["categories"], "name")
    files = _unique(file, "images", content["images"], "file_name")
    if len(set(of.values())) < len(of):
        raise OsteonError(f"{file}: two categories have one name: {', '.join(map(str, of.values()))}")
    boxes: dict[str, list[Box]] = {str(name): [] for name in files.values()}
    listed = Counter(map(str, files.values()))
    faults = {name: "listed twice among the images" for name, count in listed.items() if count > 1}
    strays = 0
    for entry in content["annotations"]:
        name = files.get(entry.get("image_id")) if isinstance(entry, dict) else None
        if name is None:
            strays += 1
            continue
        try:
            boxes[str(name)].append(_box(entry, of))
        except AnnotationError as fault:
            faults.setdefault(str(name), str(fault))
    sizes = {str(i["file_name"]): (i["width"], i["height"]) for i in content["images"] if _sized(i)}
    return Coco(tuple(str(of[key]) for key in sorted(of, key=str)), boxes, sizes, faults, strays)


def _content(file: File) -> dict[str, Any]:
    if not path_of(file).is_file():
        raise OsteonError(f"{file}: there is no such file.{beside(file)}")
    try:
        content = json.loads(path_of(file).read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise OsteonError(f"{file}: cannot be read ({fault.strerror}).") from fault
    except json.JSONDecodeError as fault:
        said = f"{fault.msg} at line {fault.lineno}, column {fault.colno}"
        raise OsteonError(f"{file}: no JSON, or cut off ({said}). Export or download it again.") from None
    except UnicodeDecodeError:
        raise OsteonError(f"{file}: not UTF-8; a COCO file is JSON in UTF-8.") from None
    except RecursionError:
        raise OsteonError(f"{file}: nested too deeply for a COCO file.") from None
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise OsteonError(f"{file}: no list {key!r}; expected COCO's images, annotations and categories.")
    return dict(content)


def _unique(file: File, key: str, entries: list[Any], word: str) -> dict[Any, Any]:
    """Return id -> `word` of the entries of a list."""
    known: dict[Any, Any] = {}
    for place, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), (int, str)) or not entry.get(word):
            raise OsteonError(f"{file}: entry {place} of {key!r} lacks 'id' or {word!r}.")
        if entry["id"] in known:
            raise OsteonError(f"{file}: two of {key!r} have the id {entry['id']!r}; ids must tell them apart.")
        known[entry["id"]] = entry[word]
    return known


def _box(entry: dict[str, Any], of: Mapping[Any, Any]) -> Box:
    category, bbox = entry.get("category_id"), entry.get("bbox")
    if not isinstance(category, (int, str)) or category not in of:
        raise AnnotationError(
            f"a box of category {category!r}, which is not among the categories {', '.join(map(str, of))}"
        )
    if entry.get("iscrowd"):
        raise AnnotationError("a crowd region (iscrowd=1), which is no box")
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise AnnotationError("an annotation without a bbox of four numbers")
    x, y, width, height = (number(value) for value in bbox)
    return drawn(str(of[category]), (x, y, x + width, y + height))


def _sized(image: dict[str, Any]) -> bool:
    return all(isinstance(image.get(key), (int, float)) for key in ("width", "height"))
