"""The competition's file, and the number that comes out of that very file."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from typer.testing import CliRunner

from osteon.cli import app
from osteon.errors import OsteonError
from osteon.leaderboard.mura import export, score_file
from osteon.predictions import read
from osteon.scoring.folds import score_runs
from tests.leaderboard.making import AGE, PARTS, images, leave, studies

# As valid_labeled_studies.csv has it, and the competition's evaluation reads it.
LINE = re.compile(r"MURA-v1\.1/valid/XR_[A-Z]+/patient\d{5}/study\d+_(positive|negative)/,[01]")


def on_disk(split: str, first: int = 0) -> pd.DataFrame:
    """Return studies with the ids that MURA's adapter gives."""
    frame = studies(split, 120)
    place = {"test": "valid", "val": "train"}[split]
    number = frame["unit_id"].str.extract(r"study(\d+)")[0].astype(int)
    patient = (number // 2 + first).map("patient{:05d}".format)
    region = "XR_" + frame["body_part"].str.upper()
    image = frame["image_id"].str.extract(r"(image\d+\.png)")[0]
    start = place + "/" + region + "/" + patient + "/study" + (number % 2 + 1).astype(str)
    label = np.where(frame["target"] == 1, "_positive", "_negative")
    return frame.assign(
        image_id=start + "/" + image,
        patient_id="mura:" + patient,
        group_id="mura:" + patient,
        unit_id="mura:" + patient + "/" + region + "/study" + (number % 2 + 1).astype(str),
        path=start + label + "/" + image,
    )


@pytest.fixture
def mura(tmp_path: Path) -> Path:
    """Return a run of MURA; the manifest has its own order."""

    def make(split: str) -> pd.DataFrame:
        frame = on_disk(split, 500 if split == "val" else 0)
        # A mean of exactly 0.5 is normal: the rule is strict.
        frame.loc[frame["unit_id"] == frame["unit_id"].iloc[0], "probability"] = 0.5
        return frame

    folder = leave(tmp_path / "mura", lambda split: make(split).drop(columns="path"))
    manifest = pd.concat([make("val"), make("test").sort_values("body_part", kind="stable", ascending=False)])
    manifest[["image_id", "path", "patient_id"]].to_parquet(folder / "manifest.parquet")
    return folder


def test_the_file_keeps_the_contract(mura: Path, tmp_path: Path) -> None:
    export(mura, tmp_path / "predictions.csv")
    lines = (tmp_path / "predictions.csv").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 120
    assert all(LINE.fullmatch(line) for line in lines)
    # In the order of the lists that the run read: wrist first here.
    assert lines[0].startswith("MURA-v1.1/valid/XR_WRIST/")
    assert lines[-1].startswith("MURA-v1.1/valid/XR_ELBOW/")


def test_its_kappa_is_that_of_score_and_of_scikit_learn(mura: Path, tmp_path: Path) -> None:
    found = export(mura, tmp_path / "predictions.csv").set_index("group")["kappa"]
    table = score_runs([mura], replicates=100)
    table = table[(table["metric"] == "kappa") & (table["split"] == "test") & (table["operating_point"] == "protocol")]
    told = table.set_index("group")["value"]
    assert list(found.index) == ["all", *PARTS]
    for group in found.index:
        assert found[group] == told["all" if group == "all" else f"body_part={group}"]
    lines = pd.read_csv(tmp_path / "predictions.csv", header=None, names=["study", "call"])
    truth = lines["study"].str.contains("positive").astype(int)
    assert found["all"] == pytest.approx(sk.cohen_kappa_score(truth, lines["call"]))
    for part in PARTS:
        mine = lines["study"].str.contains(f"XR_{part.upper()}/")
        assert found[part] == pytest.approx(sk.cohen_kappa_score(truth[mine], lines.loc[mine, "call"]))


def test_a_mean_of_half_is_normal(mura: Path, tmp_path: Path) -> None:
    export(mura, tmp_path / "p.csv")
    frame = read(mura / "predictions" / "test.parquet").frame
    first = frame[frame["probability"] == 0.5]["image_id"].iloc[0].rpartition("/")[0]
    (line,) = [line for line in (tmp_path / "p.csv").read_text().splitlines() if f"{first}_" in line]
    assert line.endswith(",0")


def test_the_number_is_of_the_file(mura: Path, tmp_path: Path) -> None:
    """Calls changed in the file change its kappa: it is not the run's."""
    file = tmp_path / "p.csv"
    before = export(mura, file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line[:-1] + str(1 - int(line[-1])) for line in lines))
    truth = pd.DataFrame({"folder": [line[:-2] for line in lines]})
    truth = truth.assign(
        unit_id=truth["folder"],
        group_id=truth["folder"],
        target=truth["folder"].str.contains("positive").astype(float),
        part=truth["folder"].str.extract(r"XR_([A-Z]+)")[0].str.lower(),
    )
    after = score_file(file, truth)
    assert after["kappa"].iloc[0] < 0 < before["kappa"].iloc[0]


@pytest.mark.parametrize("line", ["a/,2", "a,1", "a/;1", "", "a/,1\na/,0"])
def test_a_line_that_is_none(line: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(line + "\n")
    with pytest.raises(OsteonError, match=r"p\.csv: (row|not the studies)"):
        score_file(tmp_path / "p.csv", pd.DataFrame({"folder": ["a/"], "target": [1.0]}))


def test_runs_of_other_data_are_refused(tmp_path: Path) -> None:
    folder = leave(tmp_path / "age", lambda split: images(split, "bone_age"), AGE)
    done = CliRunner().invoke(app, ["export", "mura", str(folder), "--out", str(tmp_path / "p.csv")])
    assert isinstance(done.exception, OsteonError)
    assert "no task is of MURA; tasks and their datasets: bone_age (rsna_boneage)" in str(done.exception)
    assert not (tmp_path / "p.csv").exists()


def manifest(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    file = folder / "manifest.parquet"
    change(pd.read_parquet(file)).to_parquet(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "manifest.parquet").unlink(), "no manifest.parquet"),
        (lambda f: (f / "manifest.parquet").write_bytes(b"x"), "not a readable manifest"),
        (lambda f: manifest(f, lambda m: m.iloc[:-1]), "lacks image valid/"),
        (lambda f: manifest(f, lambda m: m.assign(path="train/" + m["path"])), "is none of valid/ or test/"),
        (lambda f: manifest(f, lambda m: m.drop(columns="path")), "not a readable manifest"),
    ],
)
def test_a_manifest_that_does_not_fit(change: Callable[[Path], None], words: str, mura: Path, tmp_path: Path) -> None:
    change(mura)
    with pytest.raises(OsteonError, match=words):
        export(mura, tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_the_command_says_what_it_wrote(mura: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "mura", str(mura), "--out", str(tmp_path / "p.csv")])
    assert done.exit_code == 0, done.output
    assert "kappa of p.csv, study mean above 0.5" in done.output
    assert "wrist" in done.output
