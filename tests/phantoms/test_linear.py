"""Ridge on 32x32 pixels does better than chance on each set, and is far from perfect. Patients are disjoint."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from osteon.images import read_image
from osteon.phantoms import draw, shoulder

SIDE = 32


def small(path: Path) -> np.ndarray:
    image = read_image(path).pixels
    scale = SIDE / max(image.shape)
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    out = np.zeros((SIDE, SIDE), np.float32)
    y, x = (SIDE - image.shape[0]) // 2, (SIDE - image.shape[1]) // 2
    out[y : y + image.shape[0], x : x + image.shape[1]] = image
    return out.ravel() / 255


def ridge(root: Path, paths: pd.Series, patients: pd.Series, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are unseen, and the scores (rows, columns of `target`) there."""
    pixels = np.stack([small(root / path) for path in paths])
    test = patients.isin(sorted(patients.unique())[::3]).to_numpy()
    model = RidgeCV(np.logspace(-1, 5, 13)).fit(pixels[~test], target[~test])
    return test, np.asarray(model.predict(pixels[test]))


@pytest.mark.slow
def test_shoulder_findings(tmp_path: Path) -> None:
    root = draw("shoulder", tmp_path, 400, 1, 96)
    rows = pd.read_csv(root / "labels.csv")
    target = rows[list(shoulder.FINDINGS)].fillna(0).to_numpy(float)
    test, score = ridge(root, rows["path"], rows["patient_id"], target)
    found = [roc_auc_score(target[test, i], score[:, i]) for i in range(6)]
    assert 0.58 < np.mean(found) < 0.8
    assert max(found) < 0.97


@pytest.mark.slow
def test_wrist_fractures(tmp_path: Path) -> None:
    root = draw("wrist", tmp_path, 350, 1, 96)
    rows = pd.read_csv(root / "labels.csv")
    target = rows["fracture"].to_numpy(float)
    test, score = ridge(root, rows["path"], rows["patient_id"], target)
    assert 0.58 < roc_auc_score(target[test], score) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "patients", "low", "high"),
    [("shoulder_implant", 900, 0.31, 0.6), ("views", 500, 0.5, 0.95), ("hip", 400, 0.22, 0.6)],
)
def test_classes(name: str, patients: int, low: float, high: float, tmp_path: Path) -> None:
    root = draw(name, tmp_path, patients, 1, 96)
    if name == "shoulder_implant":
        files = sorted(root.rglob("*.jpg"))
        rows = pd.DataFrame({"path": [file.relative_to(root).as_posix() for file in files]})
        rows["patient_id"], rows["class"] = rows.index, rows["path"].str.split("/").str[0]
    else:
        rows = pd.read_csv(root / "labels.csv")
        rows["class"] = rows["fracture_type" if name == "hip" else "body_part_view"]
    classes = sorted(rows["class"].unique())
    target = np.stack([(rows["class"] == one).to_numpy(float) for one in classes], 1)
    test, score = ridge(root, rows["path"], rows["patient_id"], target)
    assert low < balanced_accuracy_score(target[test].argmax(1), score.argmax(1)) < high
