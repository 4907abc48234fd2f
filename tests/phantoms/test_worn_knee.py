"""Knees by Kellgren-Lawrence grade: narrower and spurred as the grade rises; both knees alike; Chen's layout."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from osteon.config.specs import KneeKlSpec
from osteon.datasets import read
from osteon.phantoms import draw
from osteon.phantoms.anatomy.osteoarthritis import wear
from osteon.phantoms.anatomy.worn_knee import worn_knee
from osteon.phantoms.contour import Contour
from osteon.phantoms.geometry import Camera, turn, vector
from osteon.phantoms.knee_kl import SHARES, Knee, knees, picture, severity
from osteon.phantoms.scene import Scene

PATIENTS, SIZE = 260, 96


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw("knee_kl", tmp_path_factory.mktemp("knees"), PATIENTS, 1, SIZE)


@pytest.fixture(scope="module")
def table(root: Path) -> pd.DataFrame:
    rows = json.loads((root / "truth.json").read_text())
    frame = pd.DataFrame(rows).T
    frame[["split", "grade", "name"]] = [path.split("/") for path in frame.index]
    return frame.assign(grade=frame["grade"].astype(int), space=frame[["medial_mm", "lateral_mm"]].min(axis=1))


def scene_of(body: int, level: float, left: bool = True) -> tuple[Scene, tuple[float, float]]:
    scene = Scene()
    return scene, worn_knee(scene, body, left, wear(level, body, left))


def filled(scene: Scene, bone: str, scale: float = 10.0) -> np.ndarray:
    """Where a bone is, on a grid of 0.1 mm over 100 x 80 mm round the joint."""
    camera = Camera(turn("z", 0), scale, vector(500.0, 400.0), vector(0, 0, 0))
    x, y = np.meshgrid(np.arange(1000, dtype=np.float32), np.arange(800, dtype=np.float32))
    return scene.bones[bone][0].shadow(camera).paths(x, y)[0] > 0


@pytest.mark.parametrize(("body", "level"), [(1, 0.0), (2, 1.5), (3, 2.4), (4, 3.2), (5, 4.4)])
def test_the_joint_space_told_is_the_one_drawn(body: int, level: float) -> None:
    """Measured on the drawn bones, column by column, between the femur's lowest and the tibia's highest place."""
    scene, told = scene_of(body, level)
    femur, tibia = filled(scene, "femur"), filled(scene, "tibia")
    lowest = np.where(femur.any(0), 800 - femur[::-1].argmax(0), 0)
    gap = np.where(tibia.any(0), tibia.argmax(0), 800) - lowest
    compartments = (slice(500 - 300, 500 - 140), slice(500 + 140, 500 + 300))
    for columns, expected in zip(compartments, told, strict=True):
        assert gap[columns].min() / 10 == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize("left", [True, False])
def test_wear_grows_with_severity_in_one_knee(left: bool) -> None:
    for body in range(10):
        at = [wear(level, body, left) for level in (0.0, 1.0, 2.0, 3.0, 4.0)]
        assert all(np.diff([min(one.space) for one in at]) < 0.05)
        assert all(np.diff([max(one.femur) + max(one.tibia) for one in at]) > 0)
        assert all(np.diff([max(one.dense) for one in at]) > 0)
        assert min(at[-1].space) < 1.5 < 3 < min(at[0].space)
        assert max(at[0].femur + at[0].tibia) < 0.2


def test_spurs_are_drawn_beyond_the_margins() -> None:
    wide = [np.ptp(np.flatnonzero(filled(scene_of(9, level)[0], "tibia")[:460].any(0))) / 10 for level in (0.0, 4.0)]
    assert wide[1] > wide[0] + 4


def test_severity_gives_each_grade_its_share_and_rises_with_rank() -> None:
    ranks = np.linspace(0, 1, 100_001)
    levels = np.array([severity(float(rank)) for rank in ranks])
    grades = np.clip(np.round(levels), 0, 4)
    assert [float((grades == grade).mean()) for grade in range(5)] == pytest.approx(SHARES, abs=0.001)
    assert (np.diff(levels) > 0).all()


def test_a_patient_s_knees_are_alike_but_not_equal() -> None:
    both = [found for patient in range(600) if len(found := knees(0, patient)) == 2]
    assert 0.88 < len(both) / 600 < 0.96
    assert all(right.body == left.body and not right.left and left.left for right, left in both)
    right, left = (np.array([pair[side].severity for pair in both]) for side in (0, 1))
    assert 0.5 < np.corrcoef(right, left)[0, 1] < 0.75


def test_a_contour_has_a_shell_and_its_area() -> None:
    """A disc of radius 20 mm: the path is the thickness inside, zero outside; cortex is thickest at the rim."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    disc = Contour(np.stack([20 * np.cos(angle), 20 * np.sin(angle), 0 * angle], 1), 30.0, 10.0, 1.0)
    camera = Camera(turn("z", 0), 4.0, vector(120.0, 120.0), vector(0, 0, 0))
    x, y = np.meshgrid(np.arange(240, dtype=np.float32), np.arange(240, dtype=np.float32))
    outside, hollow = disc.shadow(camera).paths(x, y)
    assert outside[120, 120] == pytest.approx(30)
    assert outside[120, 10] == 0
    assert (outside > 0).sum() / 16 == pytest.approx(np.pi * 400, rel=0.02)
    radius = np.hypot(x - 120, y - 120) / 4
    cortex = outside - hollow
    assert cortex[np.abs(radius - 19.2) < 0.3].mean() > 8 * max(cortex[radius < 9].mean(), 0.5)
    five = np.abs(radius - 15) < 0.15  # five of the rim's ten mm in: an ellipse's height there
    assert outside[five].mean() == pytest.approx(30 * np.sqrt(0.75), rel=0.02)


def test_layout_is_chen_s(root: Path, table: pd.DataFrame) -> None:
    assert root.name == "kneeKL224"
    for split in ("train", "val", "test", "auto_test"):
        assert sorted(folder.name for folder in (root / split).iterdir()) == ["0", "1", "2", "3", "4"]
    assert {file.relative_to(root).as_posix() for file in root.rglob("*.png")} == set(table.index)
    named = table["name"].where(table["split"] != "auto_test")
    assert named.dropna().str.fullmatch(r"9\d{6}[LR]\.png").all()
    assert table["name"][table["split"] == "auto_test"].str.fullmatch(r"9\d{6}_[12]\.png").all()
    film = cv2.imread(str(root / table.index[0]), cv2.IMREAD_UNCHANGED)
    assert film.shape == (SIZE, SIZE)
    assert film.dtype == np.uint8


def test_splits_share_no_patient_and_hold_their_shares(table: pd.DataFrame) -> None:
    patients = table["name"].str[:7].groupby(table["split"]).agg(set)
    assert not patients["train"] & patients["val"]
    assert not (patients["train"] | patients["val"]) & patients["test"]
    assert patients["auto_test"] <= patients["test"]
    assert [len(patients[split]) / PATIENTS for split in ("train", "val", "test")] == [0.7, 0.1, 0.2]


def test_grades_have_their_shares_and_mean_what_they_say(table: pd.DataFrame) -> None:
    official = table[table["split"] != "auto_test"]
    shares = official["grade"].value_counts(normalize=True).sort_index()
    assert list(shares) == pytest.approx(list(SHARES), abs=0.07)
    assert (np.abs(official["severity"].clip(0, 4) - official["grade"]) < 1.1).all()
    assert 0.8 < (official["severity"].round().clip(0, 4) == official["grade"]).mean() < 1
    space = official.groupby("grade")["space"].mean()
    assert (np.diff(space) < 0).all()
    assert space[0] > 4 > 1.5 > space[4]


def test_the_automatic_crop_is_another_crop_of_the_same_knee(root: Path, table: pd.DataFrame) -> None:
    sides = {"1": "R", "2": "L"}
    for path, row in table[table["split"] == "auto_test"].iterrows():
        number, digit = re.fullmatch(r"(\d+)_(\d)\.png", row["name"]).groups()
        twin = f"test/{row['grade']}/{number}{sides[digit]}.png"
        assert table.loc[twin, "severity"] == row["severity"]
        assert (cv2.imread(str(root / twin)) != cv2.imread(str(root / str(path)))).any()


def test_the_fibula_lies_at_the_outer_side() -> None:
    """On a frontal film a left knee's fibula is at the viewer's right: it brightens the margin there."""
    for left in (True, False):
        scene, _ = scene_of(3, 0.0, left)
        centre, _ = scene.bones["fibula"][0].ball()
        assert centre[0] > 20
        wide = np.mean([_fibula_side(left, seed) for seed in range(10)])
        assert (wide > 0) == left


def _fibula_side(left: bool, seed: int) -> float:
    film, _ = picture(Knee(seed, left, 0.0, 0), 128, np.random.default_rng(seed))
    lower = film[90:, :].astype(float)
    lower = (lower - lower.mean()) * (1 if lower[:, 50:78].mean() > lower.mean() else -1)
    return float(lower[:, 96:122].mean() - lower[:, 6:32].mean())


def test_pixels_tell_some_of_the_grade(root: Path, table: pd.DataFrame) -> None:
    """A ridge on 32x32 pixels is better than chance and far from perfect."""
    chosen = table[table["split"] != "auto_test"]
    films = [
        cv2.resize(cv2.imread(str(root / path), 0), (32, 32), interpolation=cv2.INTER_AREA) for path in chosen.index
    ]
    mirrored = [film if name[-5] == "L" else film[:, ::-1] for film, name in zip(films, chosen["name"], strict=True)]
    pixels, grade = np.stack([film.ravel() / 255 for film in mirrored]), chosen["grade"].to_numpy()
    test = (chosen["split"] != "train").to_numpy()
    found = RidgeCV(np.logspace(-1, 5, 13)).fit(pixels[~test], grade[~test]).predict(pixels[test])
    assert 0.65 < roc_auc_score(grade[test] >= 2, found) < 0.95
    assert 0.25 < cohen_kappa_score(np.clip(found.round(), 0, 4), grade[test], weights="quadratic") < 0.85


def test_the_adapter_reads_the_automatic_crops_in_place_of_the_test_knees(root: Path, table: pd.DataFrame) -> None:
    reading = read(root, KneeKlSpec(kind="knee_kl", auto_test=True))
    assert reading.rejected.empty
    counts = reading.rows["split"].value_counts()
    expected = table["split"].value_counts()
    assert counts.to_dict() == {"train": expected["train"], "val": expected["val"], "test": expected["auto_test"]}
