"""Children's hands: bones appear in the atlas' order, plates narrow and fuse, girls are ahead, films show it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV

from osteon.phantoms import draw
from osteon.phantoms.anatomy.growing_hand import Child, centres, growing_hand
from osteon.phantoms.anatomy.maturity import CARPAL, growth, stage
from osteon.phantoms.geometry import Camera, turn, vector
from osteon.phantoms.rsna_boneage import picture
from osteon.phantoms.scene import Scene

CHILDREN, SIZE = 320, 96
ORDER = ("capitate", "hamate", "triquetrum", "lunate", "trapezium", "scaphoid", "trapezoid", "pisiform")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw("rsna_boneage", tmp_path_factory.mktemp("hands"), CHILDREN, 1, SIZE)


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, pd.DataFrame]:
    return {
        "train": pd.read_csv(root / "boneage-training-dataset.csv"),
        "val": pd.read_csv(root / "Bone Age Validation Set" / "Validation Dataset.csv"),
        "test": pd.read_csv(root / "boneage-test-dataset.csv"),
    }


def hand(body: int, at: float, male: bool = True) -> Scene:
    scene = Scene()
    growing_hand(Child(body, male, at), scene, 1.0)
    return scene


def profile(scene: Scene, bone: str, size: float) -> np.ndarray:
    """Bone crossed along a vertical middle line of a bone that stands upright, mm; 20 samples a mm."""
    camera = Camera(turn("z", 0), 20.0, vector(0, 0), vector(0, 0, 0))
    y = np.arange(int(-110 * size * 20), int(130 * size * 20), dtype=np.float32)[:, None]
    total = np.zeros_like(y)
    for solid in scene.bones[bone]:
        total = np.maximum(total, solid.shadow(camera).paths(np.full_like(y, np.float32(7 * size * 20)), y)[0])
    return total[:, 0] > 0.2


def longest_gap(scene: Scene, bone: str, size: float) -> float:
    """The longest break (mm) between a bone's first and last crossed place."""
    filled = np.flatnonzero(profile(scene, bone, size))
    return float(np.diff(filled).max() - 1) / 20


def test_carpal_bones_appear_in_the_order_of_the_atlas() -> None:
    assert sorted(CARPAL, key=lambda name: CARPAL[name])[:4] == list(ORDER[:4])
    assert max(CARPAL, key=lambda name: CARPAL[name]) == "pisiform"
    for body in range(8):
        counts = [sum(name in hand(body, at).bones for name in ORDER) for at in (1, 12, 36, 60, 100, 180)]
        assert counts[0] <= 2
        assert counts == sorted(counts)
        assert counts[1] == 2
        assert counts[-1] == 8


@pytest.mark.parametrize("body", range(4))
def test_the_radius_plate_that_is_drawn_narrows_with_age_and_closes(body: int) -> None:
    """Measured through the drawn solids: the dark band between the shaft's end and the epiphysis."""
    gaps = []
    for months in (84, 132, 180, 240):
        scene = Scene()
        size = growing_hand(Child(body, True, months), scene, 1.0)
        gaps.append(longest_gap(scene, "radius", size) / size)
        expected = centres(Child(body, True, months))["radius"].plate(months)
        assert gaps[-1] == pytest.approx(expected, abs=0.25)
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3]
    assert gaps[3] < 0.1


def test_a_girl_looks_as_an_older_boy_and_the_lead_never_shrinks() -> None:
    months = np.arange(0, 229, 6)
    lead = np.array([stage(float(at), False) - stage(float(at), True) for at in months])
    assert (np.diff(lead) >= 0).all()
    assert 18 <= lead[months == 120].item() <= 24
    assert stage(100.0, True) == 100.0
    assert all(np.diff([stage(float(at), False) for at in months]) > 0)


def test_hands_grow_and_stop() -> None:
    sizes = [growing_hand(Child(5, True, at), Scene(), 1.0) for at in range(6, 240, 12)]
    assert all(np.diff(sizes) >= 0)
    assert growth(24) == pytest.approx(0.56)
    assert growth(230) == 1.0


def test_plates_of_the_distal_phalanges_fuse_first_and_the_radius_last() -> None:
    own = centres(Child(3, True, 100))
    fuses = {bone: one.fuses for bone, one in own.items()}
    distal = np.mean([fuses[f"{ray}_3"] for ray in ("index", "middle", "ring", "little")])
    others = np.mean([fuses[f"{ray}_{joint}"] for ray in ("index", "middle", "ring", "little") for joint in (0, 1, 2)])
    assert distal < others < fuses["radius"]


def test_the_same_seed_is_the_same_film_and_white_is_bone() -> None:
    one, same = (picture(Child(7, False, 90.0), 96, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert one.dtype == np.uint8
    assert one.shape[0] == 96 > one.shape[1]
    assert one[one.shape[0] // 2 :, one.shape[1] // 3 : -one.shape[1] // 3].mean() > one[:6, :6].mean()


def test_a_left_hand_with_its_fingers_up_has_its_thumb_at_the_right() -> None:
    """On flesh alone: below the fingertips the right half of the middle rows reaches further out than the left."""
    thumb = []
    for seed in range(12):
        film = picture(Child(seed, True, 150.0), 128, np.random.default_rng(seed)).astype(float)
        rows = film[50:75]
        columns = np.linspace(-1, 1, film.shape[1])
        weight = rows * (np.abs(columns) > 0.35)
        thumb.append(float((weight * columns).sum()))
    assert np.mean(np.array(thumb) > 0) > 0.7


def test_three_sets_with_three_schemas_as_the_original(root: Path, tables: dict[str, pd.DataFrame]) -> None:
    assert list(tables["train"]) == ["id", "boneage", "male"]
    assert list(tables["val"]) == ["Image ID", "male", "Bone Age (months)"]
    assert list(tables["test"]) == ["Case ID", "Sex"]
    assert [len(table) / CHILDREN for table in tables.values()] == [0.75, 0.125, 0.125]
    text = (root / "Bone Age Validation Set" / "Validation Dataset.csv").read_text()
    assert "TRUE" in text
    assert "True" not in text
    assert "True" in (root / "boneage-training-dataset.csv").read_text()
    assert set(tables["test"]["Sex"]) == {"F", "M"}


def test_every_row_has_its_film_and_every_film_its_row(root: Path, tables: dict[str, pd.DataFrame]) -> None:
    folders = {
        "train": ["boneage-training-dataset"],
        "val": [f"Bone Age Validation Set/boneage-validation-dataset-{n}" for n in (1, 2)],
        "test": ["boneage-test-dataset"],
    }
    seen: list[int] = []
    for split, table in tables.items():
        there = [int(file.stem) for folder in folders[split] for file in (root / folder).glob("*.png")]
        assert sorted(there) == sorted(table.iloc[:, 0])
        seen += there
    assert len(set(seen)) == CHILDREN == len(list(root.rglob("*.png")))
    first = [int(file.stem) for file in (root / folders["val"][0]).glob("*.png")]
    second = [int(file.stem) for file in (root / folders["val"][1]).glob("*.png")]
    assert max(first) < 10_000 <= min(second)


def test_readings_are_near_the_truth_but_not_equal_to_it(root: Path, tables: dict[str, pd.DataFrame]) -> None:
    truth = pd.DataFrame(json.loads((root / "truth.json").read_text())).T
    train = tables["train"].set_index(tables["train"]["id"].astype(str))
    error = train["boneage"] - truth.loc[train.index, "months"].astype(float)
    assert 2.0 < error.std() < 4.0
    assert abs(error.mean()) < 1.0
    assert train["boneage"].between(1, 228).all()
    assert (train["male"] == truth.loc[train.index, "male"].astype(bool)).all()
    plate = truth.loc[train.index, "plate_mm"].astype(float)
    for male in (True, False):
        chosen = train["male"] == male
        assert train["boneage"][chosen].corr(plate[chosen], method="spearman") < -0.95


def test_pixels_tell_some_of_the_age_and_sex_tells_more(root: Path) -> None:
    """A ridge on 32x32 pixels beats the median by far, is far from the readers, and gains by knowing the sex."""
    truth = json.loads((root / "truth.json").read_text())
    films = {file.stem: cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in root.rglob("*.png")}
    pixels = np.stack([cv2.resize(films[i], (32, 32), interpolation=cv2.INTER_AREA).ravel() / 255 for i in truth])
    months = np.array([one["months"] for one in truth.values()])
    male = np.array([[5.0 * one["male"]] for one in truth.values()])
    test = np.arange(len(months)) % 3 == 0

    def error(x: np.ndarray) -> float:
        model = RidgeCV(np.logspace(-1, 5, 13)).fit(x[~test], months[~test])
        return float(np.abs(model.predict(x[test]) - months[test]).mean())

    floor = float(np.abs(np.median(months[~test]) - months[test]).mean())
    assert 12 < error(pixels) < 0.9 * floor
    assert error(np.hstack([pixels, male])) < error(pixels)


def test_the_stage_without_the_sex_leaves_months_of_doubt() -> None:
    """The same bones mean ages that lie a year or more apart in the two sexes."""
    girls = np.array([stage(float(at), False) for at in range(229)])
    for boy in (120.0, 150.0, 180.0):
        assert boy - float(np.interp(boy, girls, np.arange(229.0))) > 12
