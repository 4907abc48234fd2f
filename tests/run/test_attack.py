"""What an attack found in tables, roots and run folders; each stays mended."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.composing import SMALL, config

from osteon import predictions
from osteon.config import TableSpec, TargetSpec
from osteon.datasets import find_root, read
from osteon.datasets.table import card
from osteon.errors import OsteonError
from osteon.run.sources import locate
from osteon.run.sources import read as read_sources
from osteon.run.start import run
from osteon.scoring.folds import score_runs

SPEC = TableSpec(kind="table", name="hip", targets={"fracture": TargetSpec(meaning="a fracture")})


def table(root: Path, text: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b", "c"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / f"{name}.png")
    (root / "labels.csv").write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('path,fracture,notes\na.png,1,"ok\nb.png,0,ok\n', r"labels\.csv: row 2 has a cell of several lines"),
        ("path,fracture\na.png,1\n./a.png,0\n", "names an image twice"),
        ("path,fracture\nx/../a.png,1\n", r"without \.\."),
        ("path,fracture\na.png,1\n//a.png,0\n", "below the folder of images"),
        ("path,patient_id,fracture\na.png,17,1\nb.png,17.0,0\n", "spells one id in several ways"),
        ("path,patient_id,fracture\na.png,P1,1\nb.png,p1,0\n", "spells one id in several ways"),
    ],
)
def test_tables(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=words):
        read(table(tmp_path / "hip", text), SPEC)


def test_doubled_slashes_are_one_path(tmp_path: Path) -> None:
    root = table(tmp_path / "hip", "path,fracture\n./a.png,1\nb.png,0\n")
    assert read(root, SPEC).rows["path"].tolist() == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["slot", "group_id", "dataset", "target", "source", "probability"])
def test_reserved_names(name: str, tmp_path: Path) -> None:
    root = table(tmp_path / "hip", f"path,fracture,{name}\na.png,1,0\n")
    with pytest.raises(OsteonError, match=f"'{name}' is a name that Osteon uses itself"):
        read(root, SPEC.model_copy(update={"covariates": [name]}))


@pytest.mark.parametrize(("key", "value"), [("file", "../labels.csv"), ("images", "/etc")])
def test_places_outside_the_dataset(key: str, value: str, tmp_path: Path) -> None:
    root = table(tmp_path / "hip", "path,fracture\na.png,1\n")
    with pytest.raises(OsteonError, match=rf"dataset\.{key}: found '{value}'"):
        read(root, SPEC.model_copy(update={key: value}))


def test_a_root_that_holds_the_table_beats_a_backup_below(tmp_path: Path) -> None:
    root = table(tmp_path / "ward", "path,fracture\na.png,1\n")
    table(root / "backup" / "hip", "path,fracture\na.png,0\n")
    assert find_root(root, card(SPEC), {}) == root


def test_mura_without_its_valid_set_is_not_called_public_valid(tmp_path: Path) -> None:
    drawn = config("task=mura", *SMALL, f"data.cache_dir={tmp_path}")
    sources, _ = read_sources(locate(drawn), drawn)
    root = tmp_path / "MURA-v1.1"
    shutil.copytree(sources.roots["mura"], root)
    asked = config("task=mura", *SMALL, f"data.root={root}")
    assert read_sources(locate(asked), asked)[0].cards["mura"].split_names == {"test": "public-valid"}
    shutil.rmtree(root / "valid")
    for file in root.glob("valid_*.csv"):
        file.unlink()
    (root / "PHANTOM.txt").unlink()
    sources, reading = read_sources(locate(asked), asked)
    assert sources.cards["mura"].split_names == {}
    assert any("is not public-valid" in note for note in reading.notes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(config(*SMALL), tmp_path_factory.mktemp("run") / "a", []).folder


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "no threshold of task 'hip_fracture'"),
        ('{"hip_fracture": {"rule": "youden", "value": 7, "split": "val", "n": 9, "n_positive": 3}}', "is 7, expected"),
        (
            '{"hip_fracture": {"rule": "youden", "value": NaN, "split": "val", "n": 9, "n_positive": 3}}',
            "nan, expected",
        ),
        (
            '{"hip_fracture": {"rule": "youden", "value": true, "split": "val", "n": 9, "n_positive": 3}}',
            "True, expected",
        ),
        (
            '{"hip_fracture": {"rule": "youden", "value": "x", "split": "val", "n": 9, "n_positive": 3}}',
            "'x', expected",
        ),
    ],
)
def test_thresholds_that_no_run_wrote(content: str, words: str, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "thresholds.json").write_text(content)
    with pytest.raises(OsteonError, match=rf"thresholds\.json.*{words}"):
        score_runs([tmp_path / "run"], replicates=100)


def test_a_table_under_the_name_of_another_split(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    folder = tmp_path / "run" / "predictions"
    shutil.copy(folder / "val.parquet", folder / "test.parquet")
    with pytest.raises(OsteonError, match=r"test\.parquet: found rows of split val, expected test"):
        score_runs([tmp_path / "run"], replicates=100)


def fold_of(finished: Path, folder: Path, fold: int, **about: object) -> Path:
    """Write a copy of a run that calls itself a fold, its units renamed so that folds are disjoint."""
    shutil.copytree(finished, folder)
    for split in ("val", "test"):
        told = predictions.read(folder / "predictions" / f"{split}.parquet")
        frame = told.frame.assign(**{c: told.frame[c] + f"-{fold}" for c in ("image_id", "unit_id", "group_id")})
        said = {**told.run, "fold": fold, "folds": 2, **about}
        predictions.write(folder / "predictions" / f"{split}.parquet", frame, told.tasks, said, {})
    return folder


@pytest.mark.parametrize(("key", "words"), [("cohort", "images or splits"), ("settings", "settings")])
def test_folds_of_other_data_or_settings_are_not_joined(key: str, words: str, finished: Path, tmp_path: Path) -> None:
    folds = [fold_of(finished, tmp_path / "0", 0), fold_of(finished, tmp_path / "1", 1)]
    joined = score_runs(folds, replicates=100)
    assert joined["split_name"].unique().tolist() == ["test, 2 folds joined"]
    other = fold_of(finished, tmp_path / "2", 1, **{key: "another"})
    with pytest.raises(OsteonError, match=f"they differ in their {words}"):
        score_runs([folds[0], other], replicates=100)


def test_a_run_tells_its_cohort_and_settings(finished: Path) -> None:
    told = predictions.read(finished / "predictions" / "test.parquet").run
    assert len(told["cohort"]) == len(told["settings"]) == 64
    assert json.loads((finished / "split.json").read_text())["split_seed"] == 0
    assert pd.read_parquet(finished / "manifest.parquet")["image_id"].is_unique
