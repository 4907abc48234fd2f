"""Shoulders, implants, wrists, views and hip types: layouts hold, labels are what is drawn, nothing else tells them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from osteon.config.specs import TableSpec
from osteon.config.targets import TargetSpec
from osteon.datasets import card, read
from osteon.manifest import complete, validate
from osteon.phantoms import draw, hip, shoulder, views
from osteon.phantoms.endoprosthesis import MAKES

PATIENTS = {"shoulder": 90, "shoulder_implant": 80, "wrist": 90, "views": 80, "hip": 60}
SIZE = 64


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: draw(name, tmp_path_factory.mktemp(name), count, 5, SIZE) for name, count in PATIENTS.items()}


def table(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "labels.csv")


def truth(root: Path) -> pd.DataFrame:
    told = json.loads((root / "truth.json").read_text())
    return pd.DataFrame({path: one["labels"] for path, one in told.items()}).T.infer_objects()


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("shoulder", "view,body_part,sex,age_years,site," + ",".join(shoulder.FINDINGS)),
        ("wrist", "view,body_part,sex,age_years,fracture,cast,metal"),
        ("views", "sex,age_years,body_part_view"),
    ],
)
def test_a_table_lists_every_film_once_with_its_columns(name: str, columns: str, drawn: dict[str, Path]) -> None:
    rows = table(drawn[name])
    assert ",".join(rows.columns) == f"path,patient_id,study_id,laterality,{columns}"
    on_disk = [f"images/{file.name}" for file in (drawn[name] / "images").iterdir()]
    assert sorted(rows["path"]) == sorted(on_disk)
    assert set(truth(drawn[name]).index) == set(on_disk)
    assert rows["patient_id"].nunique() == PATIENTS[name]
    assert rows.groupby("study_id")["patient_id"].nunique().max() == 1
    assert not (drawn[name] / "labels_true.csv").exists(), "labels are as they are"
    for path in rows["path"]:
        pixels = cv2.imread(str(drawn[name] / path), cv2.IMREAD_UNCHANGED)
        assert pixels.dtype == np.uint8
        assert max(pixels.shape) == SIZE
        assert np.ptp(pixels) > 100


def test_the_table_adapter_reads_them(drawn: dict[str, Path]) -> None:
    targets = {
        "shoulder": {name: TargetSpec(meaning=name) for name in shoulder.FINDINGS},
        "wrist": {"fracture": TargetSpec(meaning="a fracture")},
        "views": {"body_part_view": TargetSpec(meaning="part", kind="multiclass", classes=list(views.CLASSES))},
        "hip": {"fracture_type": TargetSpec(meaning="type", kind="multiclass", classes=list(hip.TYPES))},
    }
    for name, wanted in targets.items():
        spec = TableSpec(kind="table", name=name, targets=wanted)
        reading = read(drawn[name], spec)
        rows = validate(complete(reading.rows), card(spec).targets)
        assert len(rows) == len(table(drawn[name]))
        assert reading.rejected.empty


def test_shoulders_have_two_or_three_views_and_every_finding(drawn: dict[str, Path]) -> None:
    rows = table(drawn["shoulder"])
    seen = rows.groupby("study_id")["view"].agg(lambda view: ",".join(sorted(view)))
    assert set(seen) == {"axillary,frontal", "axillary,frontal,frontal"}
    assert (rows[list(shoulder.FINDINGS)].sum() > 0).all()
    one = rows.drop_duplicates("study_id")
    assert one[list(shoulder.FINDINGS)].isna().any().to_dict() == {n: n in shoulder.UNSAID for n in shoulder.FINDINGS}
    true = truth(drawn["shoulder"]).loc[rows["path"]].reset_index(drop=True)
    for name in shoulder.FINDINGS:
        said = rows[name].notna()
        assert (rows.loc[said, name] == true.loc[said, name]).all()


def test_shoulder_findings_go_together_as_in_a_clinic() -> None:
    rows = pd.DataFrame(
        [
            {"old": age >= 60, **shoulder.labels(age, np.random.default_rng([age, n]))}
            for age in (40, 75)
            for n in range(3000)
        ]
    )
    replaced, broken = rows["endoprosthesis"] == 1, rows["fracture"] == 1
    assert rows.loc[replaced, ["osteosynthesis", "osteoarthritis", "fracture"]].sum().sum() == 0
    assert (
        rows.loc[broken & ~replaced, "osteosynthesis"].mean()
        > 1.5 * rows.loc[~broken & ~replaced, "osteosynthesis"].mean()
    )
    whole = rows[(rows["osteosynthesis"] == 0) & ~replaced]
    assert whole.groupby("fracture")["dislocation"].mean().round(2).to_dict() == pytest.approx(
        {0: 0.13, 1: 0.28}, abs=0.03
    )
    for name in ("osteoarthritis", "endoprosthesis"):
        young, old = rows.groupby("old")[name].mean()
        assert old > 2 * young
    assert rows[list(shoulder.FINDINGS)].mean().between(0.05, 0.4).all()


def test_implants_are_filed_by_make_and_numbered_across_makes(drawn: dict[str, Path]) -> None:
    root = drawn["shoulder_implant"]
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*.jpg"))
    assert {file.split("/")[0] for file in files} == set(MAKES)
    assert {folder.name for folder in root.iterdir() if folder.is_dir()} == {"Cofield", "Depuy", "Tornier", "Zimmer"}
    told = json.loads((root / "truth.json").read_text())
    assert sorted(told) == files
    assert len(files) == PATIENTS["shoulder_implant"]
    for file, one in told.items():
        folder, name = file.split("/")
        assert name.startswith(f"{folder}.")
        assert one["make"] == folder
    assert sorted(int(file.split(".")[1]) for file in files) == list(range(1, len(files) + 1))
    made = pd.DataFrame(told).T
    for flag in ("view", "staples"):
        assert chi2_contingency(pd.crosstab(made[flag], made["make"])).pvalue > 0.001


def test_wrists_come_in_two_or_three_views_with_casts_that_tell_of_fractures(drawn: dict[str, Path]) -> None:
    rows = table(drawn["wrist"])
    assert set(rows["view"]) == {"PA", "lateral", "oblique"}
    assert rows.groupby("study_id")["view"].agg(set).map({"PA", "lateral"}.issubset).all()
    one = rows.drop_duplicates("study_id")
    assert rows.groupby("study_id")[["fracture", "cast", "metal", "laterality"]].nunique().max().max() == 1
    assert 0.35 < one["fracture"].mean() < 0.65
    assert fisher_exact(pd.crosstab(one["cast"], one["fracture"]), "greater").pvalue < 0.01
    told = json.loads((drawn["wrist"] / "truth.json").read_text())
    assert all(bool(told[row.path]["boxes"]) == bool(row.fracture) for row in rows.itertuples())
    for flag in (one["sex"], one["laterality"]):
        assert chi2_contingency(pd.crosstab(flag, one["fracture"])).pvalue > 0.001


def test_views_are_thirteen_and_their_studies_of_one_part(drawn: dict[str, Path]) -> None:
    rows = table(drawn["views"])
    limbs = [f"{part}_{view}" for part in ("ankle", "elbow", "foot", "hand", "knee") for view in ("ap", "lateral")]
    assert sorted(views.CLASSES) == sorted([*limbs, "pelvis_ap", "shoulder_ap", "shoulder_axillary"])
    assert set(rows["body_part_view"]) == set(views.CLASSES)
    part = rows["body_part_view"].str.split("_").str[0]
    assert part.groupby(rows["study_id"]).nunique().max() == 1
    assert (rows["laterality"].isna() == (part == "pelvis")).all()
    assert not rows.duplicated(["study_id", "body_part_view"]).any()


def test_hips_have_krogue_s_six_classes_and_hardware_is_no_fracture(drawn: dict[str, Path]) -> None:
    rows = table(drawn["hip"])
    assert set(rows["fracture_type"]) == set(hip.TYPES)
    broken = rows["fracture_type"].isin(["displaced_neck", "nondisplaced_neck", "intertrochanteric"])
    assert (broken == (rows["fracture"] == 1)).all()
    told = json.loads((drawn["hip"] / "truth.json").read_text())
    assert all(bool(told[row.path]) == bool(row.fracture) for row in rows.itertuples())
