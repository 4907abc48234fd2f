"""What a run decides before data is read, and what several tasks share."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.composing import SMALL, config

from osteon.errors import OsteonError
from osteon.run.check import check_names
from osteon.run.making import image_size, make_model
from osteon.run.sources import locate
from osteon.run.start import run


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    root = tmp_path / "hip"
    (root / "images").mkdir(parents=True)
    pixels = np.zeros((32, 32), dtype=np.uint8)
    rows = []
    for number in range(40):
        Image.fromarray(pixels + number).save(root / "images" / f"{number}.png")
        rows.append(
            {"path": f"images/{number}.png", "patient_id": number, "study_id": 1, "view": "f", "fracture": number % 2}
        )
    pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)
    return root


def test_real_data_asks_for_pretrained_weights_and_a_failed_fetch_stops(hospital: Path, tmp_path: Path) -> None:
    asked = config(f"data.root={hospital}", "backbone=resnet18", f"data.cache_dir={tmp_path / 'cache'}")
    with pytest.raises(OsteonError, match=r"(?s)pretrained_path.*backbone\.pretrained=false"):
        run(asked, tmp_path / "run", [])
    assert not (tmp_path / "cache").exists(), "no image was read before"
    assert not (tmp_path / "run").exists()


def test_phantoms_start_from_random_weights() -> None:
    asked = config("backbone=resnet18", "phantom.image_size=64")
    sources = locate(asked)
    assert sources.kind == "phantom"
    assert make_model(asked, sources, (64, 64)).backbone.weights == "none"


def test_image_size_is_the_pretrained_one_on_real_data(hospital: Path) -> None:
    asked = config(f"data.root={hospital}", "backbone=inception_v3")
    assert image_size(asked, locate(asked)) == (299, 299)
    given = config(f"data.root={hospital}", "data.image_size=[64,48]")
    assert image_size(given, locate(given)) == (64, 48)
    assert image_size(config(), locate(config())) == (128, 128)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study_id": "same", "patient_id": "p"}, r"tasks\.hip_fracture: no image in (train|val|test).*1 groups"),
        ({"truth": "same"}, r"disagree|conflict|different"),
        ({"truth": "any"}, r"val.*(positive|negative)"),
    ],
)
def test_faults_of_units_stop_before_training(
    hospital: Path, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    """Two images a study, one fractured and one not: a conflict for `same`, no negative study for `any`."""
    table = pd.read_csv(hospital / "labels.csv")
    table["patient_id"], table["study_id"] = table["patient_id"] // 2, "1"
    truth = change.pop("truth", "any")
    table.assign(**change).to_csv(hospital / "labels.csv", index=False)
    words = (f"data.root={hospital}", "backbone.pretrained=false", f"tasks.hip_fracture.truth={truth}")
    with pytest.raises(OsteonError, match=message):
        run(config(*SMALL, *words, "data.image_size=32"), tmp_path / "run", [])
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("backbone=timm", "backbone.name=densenet12"), r"backbone\.name.*densenet121"),
        (("tasks.hip_fracture.monitor=aurc",), r"tasks\.hip_fracture\.monitor: .*'aurc'.*Did you mean 'auroc'"),
        (("backbone=ridge", "trainer.devices=2"), r"backbone=ridge: .*in one process"),
    ],
)
def test_names_are_checked(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check_names(config(*words))


def test_two_tasks_train_on_one_backbone(tmp_path: Path) -> None:
    words = ("task=[mura,hip_fracture]", f"hydra.run.dir={tmp_path}")
    result = run(config(words[0], *SMALL), tmp_path / "run", list(words))
    assert result.scores["task"].unique().tolist() == ["mura", "hip_fracture"]
    manifest = pd.read_parquet(tmp_path / "run" / "manifest.parquet")
    assert set(manifest["dataset"]) == {"mura", "hip"}
    assert (manifest.groupby("group_id")["split"].nunique() == 1).all()
    assert set(json.loads((tmp_path / "run" / "thresholds.json").read_text())) == {"mura", "hip_fracture"}


def test_two_runs_with_one_seed_give_identical_predictions(tmp_path: Path) -> None:
    tables = []
    for name in ("a", "b"):
        run(config(*SMALL), tmp_path / name, [])
        tables.append(pd.read_parquet(tmp_path / name / "predictions" / "test.parquet"))
    pd.testing.assert_frame_equal(*tables)


def test_wandb_is_offline_without_a_key_and_asks_nothing(tmp_path: Path) -> None:
    run(config("logger=wandb", *SMALL), tmp_path / "run", [])
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))
