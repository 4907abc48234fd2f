"""Boxes of phantoms are those of what is drawn: a film with a finding differs from one without it inside its box."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from osteon.config.specs import FracAtlasSpec, GrazPedWriSpec
from osteon.datasets import card, read
from osteon.images import read_image
from osteon.manifest import complete, typed, validate
from osteon.manifest.boxes import array_of
from osteon.phantoms import draw
from osteon.phantoms.exposure import exposure, mark, marked
from osteon.phantoms.film import Finding, Subject, film
from osteon.phantoms.grazpedwri import CLASSES, OTHERS, picture
from osteon.phantoms.hip import TYPES
from osteon.phantoms.hip_boxes import hips
from osteon.phantoms.wrist_findings import Put, broken, metal, periosteal_reaction
from osteon.run.survey.chosen import spec_of

SIZE = 192
FOUND: dict[str, Put] = {
    "radius": broken("radius"),
    "ulna": broken("ulna"),
    "metal": metal,
    "periostealreaction": periosteal_reaction,
    **{name: put for name, (put, _) in OTHERS.items()},
}
SHOWN = {"pronatorsign": ("lateral",), "softtissue": ("frontal",)}  # the others are seen from both sides
FAINT = ("pronatorsign",)  # a stripe of fat: what it changes of the window counts beside it


def pair(put: Put, view: str, number: int) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float, float, float]]]:
    """A film without and with a finding, in grey levels of 8 bits, and the finding's boxes."""
    subject, place = Subject("wrist", 40 + number, bool(number % 2)), (5, number, 1, 0)
    without, *_ = picture(subject, view, SIZE, place, [], None)
    with_it, boxes, names, _ = picture(subject, view, SIZE, place, [("found", put, number)], None)
    return without / 257, with_it / 257, [box for box, name in zip(boxes, names, strict=True) if name == "found"]


@pytest.mark.parametrize("name", FOUND)
def test_a_film_changes_inside_the_box_and_nowhere_else(name: str) -> None:
    for view in SHOWN.get(name, ("frontal", "lateral")):
        shares, seen = [], []
        for number in range(6):
            without, with_it, boxes = pair(FOUND[name], view, number)
            assert len(boxes) == 1
            x0, y0, x1, y1 = (int(value) for value in boxes[0])
            assert 0 <= x0 < x1 <= without.shape[1]
            assert 0 <= y0 < y1 <= without.shape[0]
            assert (x1 - x0) * (y1 - y0) < 0.2 * without.size
            inside = np.zeros(without.shape, bool)
            inside[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2] = True
            window = np.polyfit(without[~inside], with_it[~inside], 2)  # the reader's, which follows the film
            change = np.abs(with_it - np.polyval(window, without))
            shares.append((change[inside] ** 2).sum() / (change**2).sum())
            seen.append(np.percentile(change[inside], 90))
        assert np.mean(shares) > (0.85 if name in FAINT else 0.97)
        assert np.mean(seen) > (5 if name in FAINT else 15), "grey levels: what nobody can see is no truth"


@pytest.mark.parametrize("name", FOUND)
def test_a_box_is_tight(name: str) -> None:
    """Cut by a fifth on any side, it would lose some of what changed."""
    for number in range(3):
        without, with_it, boxes = pair(FOUND[name], SHOWN.get(name, ("frontal",))[0], number)
        x0, y0, x1, y1 = (int(value) for value in boxes[0])
        change = np.abs(with_it - without)[y0:y1, x0:x1] > (2 if name in FAINT else 4)
        down, across = np.flatnonzero(change.any(axis=1)), np.flatnonzero(change.any(axis=0))
        assert across[0] <= 0.2 * (x1 - x0) + 2
        assert across[-1] >= 0.8 * (x1 - x0) - 3
        assert down[0] <= 0.2 * (y1 - y0) + 2
        assert down[-1] >= 0.8 * (y1 - y0) - 3


def test_a_marker_s_box_holds_its_letter() -> None:
    for number in range(20):
        how, film_ = exposure(np.random.default_rng(number), "LRTHV"[number % 5]), np.zeros((180, 130), np.float32)
        box = marked(how, (180, 130))
        mark(film_, how)
        assert (box is None) == (not how.marker)
        if box:
            y, x = np.nonzero(film_ > 0.02)
            np.testing.assert_allclose(box, [x.min(), y.min(), x.max() + 1, y.max() + 1], atol=1.6)


@pytest.fixture(scope="module")
def wrists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw("grazpedwri", tmp_path_factory.mktemp("g"), 120, 4, 64)


def rows_of(root: Path, spec: GrazPedWriSpec | FracAtlasSpec) -> pd.DataFrame:
    targets = card(spec).targets
    return validate(typed(complete(read(root, spec).rows), targets), targets)


def test_wrists_have_the_collection_s_layout(wrists: Path) -> None:
    assert (wrists / "dataset.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert cv2.imread(str(next(wrists.glob("images_part*/*.png"))), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    reading = read(wrists, GrazPedWriSpec(kind="grazpedwri"))
    assert not any(word in note for note in reading.notes for word in ("disagree", "without an annotation", "twice"))
    assert reading.rejected.empty
    rows = rows_of(wrists, GrazPedWriSpec(kind="grazpedwri", uncertain="as_annotated"))
    assert rows["patient_id"].nunique() == 120
    assert rows.groupby("patient_id")[["sex", "age_years", "laterality"]].nunique().max().max() == 1
    assert set(rows["view"]) == {"PA", "lateral"}
    broken_ = rows["fracture_boxes"].map(len) > 0
    assert (rows["fracture_visible"] == broken_).all()
    assert 0.4 < broken_.mean() < 0.7
    counts = pd.Series([CLASSES[int(box[4])] for cell in rows["boxes"] for box in cell]).value_counts()
    assert set(counts.index) >= {"text", "fracture", "metal", "periostealreaction", "pronatorsign", "softtissue"}
    assert counts["text"] > counts["fracture"] > counts["periostealreaction"] > counts.get("foreignbody", 0)
    cast = rows.groupby("fracture_visible")["cast"].mean()
    assert cast[1.0] > 0.25
    assert cast[0.0] < 0.15


def test_breaks_on_top_of_each_other_share_a_box_that_holds_both() -> None:
    both = [("fracture", FOUND["radius"], 1), ("fracture", FOUND["ulna"], 2)]
    apart, together = 0, 0
    for view in ("frontal", "lateral"):
        for number in range(5):
            subject, place = Subject("wrist", 70 + number, True), (6, number, 1, 0)
            _, boxes, names, _ = picture(subject, view, SIZE, place, both, None)
            seen = [box for box, name in zip(boxes, names, strict=True) if name == "fracture"]
            each = [picture(subject, view, SIZE, place, [one], None)[1][-1] for one in both]
            if len(seen) == 2:
                apart += view == "frontal"
                assert seen == each
            else:
                together += view == "lateral"
                hull = (*np.min(each, axis=0)[:2].tolist(), *np.max(each, axis=0)[2:].tolist())
                assert seen == [hull]
    assert apart == 5
    assert together >= 3


def test_a_marker_tells_nothing_of_the_fracture(wrists: Path) -> None:
    rows = rows_of(wrists, GrazPedWriSpec(kind="grazpedwri", uncertain="as_annotated"))
    words = rows["boxes"].map(lambda cell: sum(box[4] == CLASSES.index("text") for box in cell))
    broken_ = rows["fracture_visible"] == 1
    assert abs(words[broken_].mean() - words[~broken_].mean()) < 0.2


def test_hips_lie_in_their_boxes_and_breaks_in_hips(tmp_path: Path) -> None:
    root, spec = draw("hip", tmp_path, 40, 2, 96), spec_of("hip_boxes")
    targets = card(spec).targets
    rows = validate(typed(complete(read(root, spec).rows), targets), targets)
    labels = pd.read_csv(root / "labels.csv")
    assert rows["path"].tolist() == labels["path"].tolist()
    assert list(targets) == ["boxes", "fracture_boxes"], "a table of boxes needs no column of its own for fractures"
    assert (rows["fracture_boxes"].map(len) > 0).tolist() == (labels["fracture"] == 1).tolist()
    kinds = labels["fracture_type"].map(list(TYPES).index)
    for row, kind in zip(rows.itertuples(), kinds, strict=True):
        found = read_image(root / row.path)
        hips_ = array_of(row.boxes)
        assert 1 <= len(hips_) <= 2
        assert hips_[0, 4] == kind
        assert (hips_[1:, 4] == 0).all(), "the other side is whole"
        assert (hips_[:, :4] >= 0).all()
        assert (hips_[:, [2, 3]] <= [found.width, found.height]).all()
        x0, y0, x1, y1 = hips_[0, :4]
        for a, b, c, d, _ in array_of(row.fracture_boxes):
            assert x0 <= (a + c) / 2 <= x1
            assert y0 <= (b + d) / 2 <= y1
    assert (rows["boxes"].map(len) == 2).any(), "a whole pelvis shows two"


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_done_to_a_hip_lies_in_its_box(whole: bool) -> None:
    """The metal of a replaced joint is told from the film alone, and most of it lies in the box of its hip."""
    for number in range(4):
        subject = Subject("pelvis" if whole else "hip", 60 + number, bool(number % 2))
        replaced = [Finding("hip_replaced", 0, number, 1.0, 1.0)]
        plain, metal_ = (film(subject, "frontal", SIZE, (2, number), f).pixels.astype(int) for f in ([], replaced))
        [(kind, (x0, y0, x1, y1)), *others] = hips(subject, "frontal", SIZE, (2, number), {"left": "x", "right": "y"})
        y, x = np.nonzero(metal_ - plain > 60)
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        assert kind == "x"
        assert inside.mean() > 0.6, "the stem reaches further down than the hip"
        assert (len(others) == 1) == whole


def test_fracatlas_boxes_are_read_back(tmp_path: Path) -> None:
    root = draw("fracatlas", tmp_path, 40, 1, 64)
    rows = rows_of(root, FracAtlasSpec(kind="fracatlas"))
    assert (rows["boxes"].map(len) == rows["fracture_count"]).all()
    assert not any("otherwise than COCO" in note for note in read(root, FracAtlasSpec(kind="fracatlas")).notes)
    for row in rows[rows["fractured"] == 1].itertuples():
        found = read_image(root / row.path)
        assert (array_of(row.boxes)[:, [2, 3]] <= [found.width, found.height]).all(), "upright, whatever the EXIF tag"
