from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from osteon.config.specs import (
    DatasetSpec,
    FoldersSpec,
    FracAtlasSpec,
    GrazPedWriSpec,
    KneeKlSpec,
    MuraSpec,
    RsnaBoneAgeSpec,
    TableSpec,
)
from osteon.config.targets import TargetSpec
from osteon.datasets import card, find_root, read
from osteon.images import read_image
from osteon.manifest import complete, validate
from osteon.phantoms import PHANTOMS, draw
from osteon.phantoms.endoprosthesis import MAKES
from osteon.phantoms.views import CLASSES

PATIENTS = 20
SPECS: dict[str, DatasetSpec] = {
    "mura": MuraSpec(kind="mura"),
    "fracatlas": FracAtlasSpec(kind="fracatlas"),
    "grazpedwri": GrazPedWriSpec(kind="grazpedwri", uncertain="as_annotated"),
    "hip": TableSpec(kind="table", name="hip", targets={"fracture": TargetSpec(meaning="a proximal femur fracture")}),
    "rsna_boneage": RsnaBoneAgeSpec(kind="rsna_boneage"),
    "knee_kl": KneeKlSpec(kind="knee_kl"),
    "shoulder": TableSpec(kind="table", name="shoulder", targets={"fracture": TargetSpec(meaning="a fracture")}),
    "shoulder_implant": FoldersSpec(kind="folders", name="shoulder_implant", classes=list(MAKES)),
    "wrist": TableSpec(kind="table", name="wrist", targets={"fracture": TargetSpec(meaning="a fracture")}),
    "views": TableSpec(
        kind="table",
        name="views",
        targets={"body_part_view": TargetSpec(meaning="which", kind="multiclass", classes=list(CLASSES))},
    ),
}
GREYS = {"rsna_boneage": 25, "knee_kl": 25}  # the least range of grey values: their archives hold faint films


@pytest.fixture(scope="module", params=sorted(PHANTOMS))
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, draw(request.param, folder, PATIENTS, 3, 64)


def counted(name: str, root: Path) -> tuple[int, int]:
    """Images and the sum of their targets, counted without the adapter."""
    if name == "mura":
        images = list(root.glob("*/XR_*/patient*/study*/*.png"))
        return len(images), sum(path.parent.name.endswith("_positive") for path in images)
    if name == "rsna_boneage":
        tables = [pd.read_csv(file) for file in root.rglob("*.csv")]
        ages = [
            table[column].sum() for table in tables for column in ("boneage", "Bone Age (months)") if column in table
        ]
        return sum(map(len, tables)), int(sum(ages))
    if name == "knee_kl":
        knees = [file for file in root.rglob("*.png") if not file.parts[-3].startswith("auto")]
        return len(knees), sum(int(file.parent.name) for file in knees)
    if name == "shoulder_implant":
        made = [file.parent.name for file in root.rglob("*.jpg")]
        return len(made), sum(map(["Cofield", "Depuy", "Tornier", "Zimmer"].index, made))
    if name == "grazpedwri":
        films = pd.read_csv(root / "dataset.csv")
        return len(films), int(films["fracture_visible"].sum())
    if name == "views":
        views = pd.read_csv(root / "labels.csv")["body_part_view"]
        return len(views), sum(map(list(CLASSES).index, views))
    table = pd.read_csv(root / ("dataset.csv" if name == "fracatlas" else "labels.csv"))
    return len(table), int(table["fractured" if name == "fracatlas" else "fracture"].sum())


def test_every_phantom_is_read_by_the_adapter_of_its_dataset(drawn: tuple[str, Path]) -> None:
    name, root = drawn
    spec = SPECS[name]
    assert find_root(root.parent, card(spec), {}) == root
    reading = read(root, spec)
    rows = validate(complete(reading.rows), card(spec).targets)
    target = next(iter(card(spec).targets))
    assert (len(rows), int(rows[target].sum())) == counted(name, root)
    assert reading.rejected.empty
    assert (rows["patient_id"].nunique() if card(spec).patient_ids else len(rows)) == PATIENTS
    for path in np.random.default_rng(0).choice(rows["path"], 8, replace=False):
        pixels = read_image(root / path).pixels
        assert 40 <= max(pixels.shape) <= 64
        assert np.ptp(pixels) > GREYS.get(name, 100)
