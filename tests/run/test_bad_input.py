"""Bad input, each tried: a clear error before training or a reported row, and nothing half-written."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.composing import config

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.module import unit_ids
from osteon.run.folder import check_empty
from osteon.run.prepare import Prepared, prepare
from osteon.run.sources import locate

PATIENTS = 60


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """A folder of images with a table: two images a patient, every third patient fractured."""
    root = tmp_path / "hip"
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * PATIENTS):
        Image.fromarray(rng.integers(0, 255, (40, 30), dtype=np.uint8)).save(root / "images" / f"{number:03}.png")
        patient = number // 2
        row = {"path": f"images/{number:03}.png", "patient_id": f"{patient:04}", "study_id": "1", "view": "frontal"}
        rows.append({**row, "fracture": int(patient % 3 == 0)})
    pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)
    return root


def settings(root: Path, *words: str) -> Config:
    cache = root.parent / "cache"
    public = "tasks.hip_fracture.dataset.private=false"  # so that messages show the ids that the tests know
    return config(
        "task=hip_fracture",
        public,
        f"data.root={root}",
        f"data.cache_dir={cache}",
        "callbacks.progress_bar=false",
        *words,
    )


def prepared(root: Path, *words: str) -> Prepared:
    asked = settings(root, *words)
    return prepare(asked, locate(asked), (32, 32))


def edit(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    table = pd.read_csv(root / "labels.csv", dtype={"patient_id": str, "study_id": str})
    change(table).to_csv(root / "labels.csv", index=False)


def test_good_input_is_prepared(hospital: Path) -> None:
    ready = prepared(hospital)
    assert ready.sources.kind == "real"
    assert len(ready.manifest) == 2 * PATIENTS
    assert ready.kept_together == "patient"
    assert sum(ready.groups.values()) == PATIENTS
    assert ready.manifest["patient_id"].iloc[0] == "hip:0000"


def test_missing_root(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match="nowhere"):
        prepared(tmp_path / "nowhere")


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OsteonError, match=r"empty: the folder is empty"):
        prepared(tmp_path / "empty")


def test_truncated_png_and_text_named_png_are_rejected_rows(hospital: Path) -> None:
    first, second = (hospital / "images" / f"{n:03}.png" for n in (7, 11))
    first.write_bytes(first.read_bytes()[:-40])
    second.write_text("not an image")
    ready = prepared(hospital, "data.max_rejected=0.05")
    assert sorted(ready.rejected["path"]) == ["images/007.png", "images/011.png"]
    assert ready.rejected["reason"].str.len().gt(5).all()
    assert len(ready.manifest) == 2 * PATIENTS - 2


def test_too_many_rejected_stop_the_run(hospital: Path) -> None:
    for number in range(5):
        (hospital / "images" / f"{number:03}.png").write_text("no")
    with pytest.raises(OsteonError, match=r"data\.max_rejected: 5 of 120 images cannot be used \(4\.2%\).*000\.png"):
        prepared(hospital)


def test_missing_column(hospital: Path) -> None:
    edit(hospital, lambda table: table.rename(columns={"fracture": "fractured"}))
    with pytest.raises(OsteonError, match=r"(?s)labels\.csv.*'?fracture'?.*fractured"):
        prepared(hospital)


def test_label_two(hospital: Path) -> None:
    edit(hospital, lambda table: table.assign(fracture=table["fracture"] * 2))
    with pytest.raises(OsteonError, match=r"(?s)labels\.csv.*fracture.*2"):
        prepared(hospital)


def test_patient_in_two_splits(hospital: Path) -> None:
    edit(hospital, lambda table: table.assign(split=["train", "test"] * PATIENTS))
    with pytest.raises(OsteonError, match=r"a patient in two splits.*hip:0000"):
        prepared(hospital)


def test_no_positive_in_val(hospital: Path) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        negative = table["patient_id"].isin(table.loc[table["fracture"] == 0, "patient_id"].unique()[:8])
        return table.assign(split=np.where(negative, "val", "train"))

    edit(hospital, change)
    with pytest.raises(OsteonError, match=r"tasks\.hip_fracture: all 16 labelled images in val have fracture=0"):
        prepared(hospital)


def test_no_label_at_all(hospital: Path) -> None:
    edit(hospital, lambda table: table.assign(fracture=None))
    with pytest.raises(OsteonError, match=r"no labelled image in train \(\d+ without 'fracture'\)"):
        prepared(hospital)


def test_unlabelled_test_split_is_predicted_never_scored(hospital: Path) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        held = table["patient_id"].astype(int) >= 50
        return table.assign(split=np.where(held, "test", None), fracture=table["fracture"].where(~held))

    edit(hospital, change)
    ready = prepared(hospital)
    test = (ready.manifest["split"] == "test").to_numpy()
    assert test.sum() == 20
    assert np.isnan(ready.targets["hip_fracture"][test]).all()
    assert ready.members["hip_fracture"][test].all()


def test_filter_that_leaves_nothing(hospital: Path) -> None:
    with pytest.raises(OsteonError, match="none of 120 images is left"):
        prepared(hospital, "+tasks.hip_fracture.where.view=lateral")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "+tasks.hip_fracture.where.veiw=frontal",
            r"tasks\.hip_fracture\.where: no column 'veiw'.*Did you mean 'view'",
        ),
        ("tasks.hip_fracture.groups=[veiw]", r"tasks\.hip_fracture\.groups: no column 'veiw'.*Did you mean 'view'"),
        ("tasks.hip_fracture.target=fractur", r"no target 'fractur'.*Did you mean 'fracture'"),
    ],
)
def test_misspelt_columns(hospital: Path, word: str, message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        prepared(hospital, word)


def test_disk_full_while_caching(hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OsteonError, match=r"data\.cache_dir"):
            prepared(hospital)
    left = [path.name for path in (hospital.parent / "cache").rglob("*") if path.name.endswith((".npy", ".part"))]
    assert left == []
    assert len(prepared(hospital).manifest) == 2 * PATIENTS, "the run goes on after space is made"


def test_read_only_root(hospital: Path) -> None:
    before = sorted(path.name for path in hospital.rglob("*"))
    prepared(hospital)
    assert sorted(path.name for path in hospital.rglob("*")) == before


def test_phantoms_given_as_a_root_are_not_real(hospital: Path) -> None:
    (hospital / "PHANTOM.txt").write_text("drawn")
    assert prepared(hospital).sources.kind == "phantom"


def shared_content(ready: Prepared) -> int:
    return int((ready.manifest.groupby("slot")["split"].nunique() > 1).sum())


def test_copies_of_an_image_never_cross_splits_whatever_their_ids(hospital: Path) -> None:
    for number in range(40):
        shutil.copy(hospital / "images" / f"{number:03}.png", hospital / "images" / f"{number + 60:03}.png")
    ready = prepared(hospital)
    assert ready.manifest["slot"].nunique() == 2 * PATIENTS - 40
    assert shared_content(ready) == 0


def test_copies_of_a_known_patients_image_without_ids_follow_the_patient(hospital: Path) -> None:
    for number in range(40):
        shutil.copy(hospital / "images" / f"{number:03}.png", hospital / "images" / f"{number + 60:03}.png")
    without = [f"images/{number + 60:03}.png" for number in range(40)]
    edit(hospital, lambda table: table.assign(patient_id=table["patient_id"].where(~table["path"].isin(without))))
    ready = prepared(hospital, "tasks.hip_fracture.unit=image")
    assert shared_content(ready) == 0


def test_official_splits_win_over_copies_with_a_note(hospital: Path) -> None:
    shutil.copy(hospital / "images" / "000.png", hospital / "images" / "119.png")
    edit(hospital, lambda table: table.assign(split=np.where(table["patient_id"].astype(int) >= 45, "test", "train")))
    ready = prepared(hospital)
    assert shared_content(ready) == 1
    assert any("2 images are identical to one of another official split" in note for note in ready.notes)
    assert set(ready.manifest["split"]) == {"train", "val", "test"}, "val is cut from the official train"


def test_blank_split_follows_the_patients_official_one(hospital: Path) -> None:
    official = np.where(np.arange(2 * PATIENTS) < 90, "train", "test").astype(object)
    official[1::2] = None
    edit(hospital, lambda table: table.assign(split=official))
    ready = prepared(hospital)
    assert (ready.manifest.groupby("patient_id")["split"].nunique() == 1).all()
    assert (ready.manifest["split"] == "test").sum() == 30


def test_no_test_image(hospital: Path) -> None:
    edit(hospital, lambda table: table.assign(split=np.where(table["patient_id"].astype(int) >= 45, "val", "train")))
    with pytest.raises(OsteonError, match=r"tasks\.hip_fracture: no image in test.*60 groups"):
        prepared(hospital)


def test_exam_unknown_is_refused_not_scored_as_images(hospital: Path) -> None:
    edit(hospital, lambda table: table.drop(columns="study_id"))
    with pytest.raises(OsteonError, match=r"tasks\.hip_fracture\.unit: found 'study', but 120 of 120.*no study_id"):
        prepared(hospital)


def test_patient_unknown_keeps_the_exam_as_the_unit(hospital: Path) -> None:
    edit(hospital, lambda table: table.assign(study_id="e" + table["patient_id"]).drop(columns="patient_id"))
    assert unit_ids(prepared(hospital).manifest, "study").nunique() == PATIENTS


def test_misspelt_root(hospital: Path) -> None:
    with pytest.raises(OsteonError, match=r"data\.roots\.hipp: no task.*Did you mean 'hip'"):
        locate(config("task=hip_fracture", f"+data.roots.hipp={hospital}"))


def test_all_images_unusable(hospital: Path) -> None:
    for file in (hospital / "images").iterdir():
        file.write_text("no")
    with pytest.raises(
        OsteonError, match=r"data\.max_rejected: 120 of 120 images cannot be used \(100\.0%\).*Mend them\.$"
    ):
        prepared(hospital, "data.max_rejected=1.0")


def test_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 0")
    with pytest.raises(OsteonError, match=r"hydra\.run\.dir: .* holds another run \(config\.yaml\)"):
        check_empty(tmp_path)
