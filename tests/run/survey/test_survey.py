"""`osteon data list | check | split` as a user types them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.composing import config
from typer.testing import CliRunner, Result

from osteon.cli import app
from osteon.errors import OsteonError
from osteon.images import build
from osteon.manifest import Card, Target, complete, from_file
from osteon.run.divide import divide
from osteon.run.survey.chosen import cached, choose, spec_of
from osteon.run.survey.counts import counted, labels
from osteon.run.survey.leaks import _labels
from osteon.run.survey.splitting import _useless, divided, wanted

GRADES = "01234"


def say(*words: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, words)], env={"COLUMNS": "200"})


def refused(*words: object) -> str:
    fault = say(*words).exception
    assert isinstance(fault, OsteonError)
    return str(fault)


def draw(path: Path, seed: int) -> None:
    """A smooth picture of its own: its hash differs from every other's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(size=(12, 12))
    smooth = cv2.resize(noise, (72, 72), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), np.clip(128 + 60 * smooth, 0, 255).astype(np.uint8))


@pytest.fixture
def knees(tmp_path: Path) -> Path:
    root, seed = tmp_path / "kneeKL224", 0
    for split, patients in (("train", range(100, 140)), ("val", range(200, 210)), ("test", range(300, 310))):
        for patient in patients:
            for side in "LR":
                draw(root / split / GRADES[seed % 5] / f"{patient}{side}.png", seed)
                seed += 1
    return root


@pytest.fixture
def makers(tmp_path: Path) -> Path:
    root = tmp_path / "shoulder_implant"
    for place, maker in enumerate(("Cofield", "Depuy", "Tornier", "Zimmer")):
        for number in range(15):
            draw(root / maker / f"{maker}.{number}.jpg", 100 * place + number)
    return root


def test_the_list_names_terms_counts_and_targets() -> None:
    done = say("list")
    assert done.exit_code == 0
    for words in (
        "rsna_boneage",
        "bone_age regression",
        "14,236",
        "non-commercial",
        "Halabi",
        "CC BY 4.0",
        "kl ordinal",
    ):
        assert words in done.output, words


def test_a_clean_subset_passes_and_its_counts_are_judged_unless_it_is_said(knees: Path) -> None:
    done = say("check", "knee_kl", knees, "--subset")
    assert done.exit_code == 0, done.output
    assert "nothing wrong was found" in done.output
    assert "120" in done.output
    done = say("check", "knee_kl", knees.parent)
    assert done.exit_code == 1
    assert "WRONG: not the complete release: images 120 of 8,260" in done.output


def test_leaks_rejected_rows_and_damaged_files_are_told(knees: Path) -> None:
    shutil.copy(knees / "train/0/100L.png", knees / "test/0/999L.png")
    draw(knees / "val/1/101L.png", 900)
    draw(knees / "train/3/100L.png", 901)
    (knees / "train/2/102L.png").unlink(missing_ok=True)
    broken = next((knees / "train/2").iterdir())
    broken.write_bytes(broken.read_bytes()[:300])
    done = say("check", "knee_kl", knees, "--subset")
    assert done.exit_code == 1
    for words in (
        "WRONG: patients in two splits: 1 ",
        "WRONG: rejected, the same knee in two grades: 2: train/0/100L.png, train/3/100L.png",
        f"1: train/2/{broken.name}",
        "thing(s) wrong",
    ):
        assert words in done.output, words


def test_a_copied_file_across_splits_is_told(knees: Path) -> None:
    shutil.copy(knees / "train/0/100L.png", knees / "test/0/999L.png")
    done = say("check", "knee_kl", knees, "--subset")
    assert done.exit_code == 1
    assert "WRONG: the same picture, byte for byte, in two splits: 1 (2 images)" in done.output


def test_the_official_split_is_written_as_it_is(knees: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    done = say("split", "knee_kl", knees, "--out", out)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out)
    assert list(table) == ["image_id", "group_id", "split"]
    assert (table["split"] == table["image_id"].str.split("/").str[0]).all()
    assert table["group_id"].nunique() == 60
    assert "split by patient: 0 shared" in done.output
    assert "official test split; folds would mix" in refused("split", "knee_kl", knees, "--folds", 3)


def test_a_split_is_that_of_a_run_and_can_be_read_back(makers: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    assert say("split", "shoulder_implant", makers, "--seed", 7, "--out", out).exit_code == 0
    again = tmp_path / "again.csv"
    say("split", "shoulder_implant", makers, "--seed", 7, "--out", again)
    assert out.read_bytes() == again.read_bytes()
    chosen = choose("shoulder_implant", makers)
    rows = chosen.reading.rows
    task = ("task=hip_fracture", "head@tasks.hip_fracture.head=multiclass", "tasks.hip_fracture.target=label")
    more = ("dataset=shoulder_implant", "tasks.hip_fracture.monitor=macro_auroc", "data.split_seed=7")
    run = config(*task, *more)
    cache = build({"shoulder_implant": makers}, rows, (32, 32), tmp_path / "cache", 1, False)
    of_run, _ = divide(rows.assign(slot=cache.slots), run, cache)
    read_back = from_file(rows, out)
    assert read_back["split"].tolist() == of_run["split"].tolist()
    assert read_back["group_id"].tolist() == of_run["group_id"].tolist()
    assert set(read_back["split"]) == {"train", "val", "test"}


def test_folds_are_a_file_each_and_every_image_is_tested_once(makers: Path, tmp_path: Path) -> None:
    done = say("split", "shoulder_implant", makers, "--folds", 3, "--out", tmp_path / "cv.csv")
    assert done.exit_code == 0, done.output
    tables = [pd.read_csv(tmp_path / f"cv-fold{fold}.csv").set_index("image_id") for fold in range(3)]
    tested = pd.concat([table[table["split"] == "test"] for table in tables])
    assert sorted(tested.index) == sorted(tables[0].index)


def test_a_private_folder_shows_no_name_and_its_split_holds_the_hashes_of_a_run(makers: Path, tmp_path: Path) -> None:
    words = ("dataset.name=shoulder_implant", "dataset.classes=[Cofield,Depuy,Tornier,Zimmer]")
    (makers / "Depuy" / "Depuy.3.jpg").write_bytes(b"no image")
    done = say("check", "folders", makers, *words)
    assert done.exit_code == 1
    assert "Depuy.3" not in done.output
    assert "rejected" in done.output
    out = tmp_path / "split.csv"
    assert say("split", "folders", makers, *words, "--out", out).exit_code == 0
    table = pd.read_csv(out)
    assert len(table) == 59
    assert table["image_id"].str.fullmatch(r"i-[0-9a-f]{16}").all()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("knee_k",), "conf/dataset: no file 'knee_k'. Did you mean 'knee_kl'?"),
        (("knee_kl", "dataset.size=225"), "dataset.size: found 225, expected 224 or 299"),
        (("knee_kl", "dataset.sise=224"), "sise"),
    ],
)
def test_a_name_or_setting_that_is_none_is_told(knees: Path, words: Sequence[str], told: str) -> None:
    assert told in refused("check", words[0], knees, *words[1:])


def test_a_split_that_nothing_can_be_done_with_says_so(makers: Path, tmp_path: Path) -> None:
    for maker in makers.iterdir():
        for file in sorted(maker.iterdir())[1:]:
            file.unlink()
    done = say("split", "shoulder_implant", makers, "--out", tmp_path / "split.csv", "--val", 0.1)
    assert done.exit_code == 0
    assert "warning: no image is in val; there are too few patients" in done.output
    whole = pd.DataFrame({"split": ["train", "val", "test"], "age": [np.nan, 3.0, np.nan]})
    assert _useless(whole, "age") == ["no image of train is labelled with age"]
    assert _useless(whole.assign(age=1.0), "age") == []


def test_what_cannot_be_read_is_in_no_split(makers: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    (makers / "Depuy" / "Depuy.3.jpg").write_bytes(b"no image")
    done = say("split", "shoulder_implant", makers, "--out", out)
    assert "1 image(s) cannot be used and are not listed" in done.output
    assert "Depuy/Depuy.3.jpg" not in out.read_text()
    for file in makers.glob("*/*.jpg"):
        file.write_bytes(b"no image")
    assert "none of 60 images can be read" in refused(
        "split", "shoulder_implant", makers, "--out", tmp_path / "none.csv"
    )
    assert not (tmp_path / "none.csv").exists()


def test_without_classes_the_folders_are_listed(makers: Path) -> None:
    told = refused("check", "folders", makers, "dataset.private=false")
    assert "dataset.classes=[Cofield,Depuy,Tornier,Zimmer]" in told


def test_shares_and_targets_that_cannot_be_are_refused(makers: Path) -> None:
    chosen = choose("shoulder_implant", makers)
    with pytest.raises(OsteonError, match="both together below 1"):
        wanted(chosen, 0, 0.5, 0.5, None, None)
    with pytest.raises(OsteonError, match=r"--target.*no target 'lable'.*Did you mean 'label'"):
        wanted(chosen, 0, 0.1, 0.2, None, "lable")
    parts = divided(chosen, cached(chosen), wanted(chosen, 0, 0.1, 0.2, None, None))
    assert len(parts) == 1


def test_counts_go_by_names(knees: Path) -> None:
    card = choose("knee_kl", knees).card
    rows = complete(
        pd.DataFrame({"image_id": list("abcd"), "dataset": "x", "path": "p", "split": [None, "val", "test", None]})
    )
    rows = rows.assign(
        patient_id=["1", "1", "2", None], sex=["M", "F", "M", None], kl=[0.0, 4.0, 4.0, np.nan], oa=[0, 1, 1, np.nan]
    )
    wanted_ = {"images": 6, "patients": 2, "split=train": 2, "split=val": 1, "sex=M": 2, "kl=4": 2, "kl=3": 0, "oa": 2}
    assert {key: counted(rows, 2, key, card) for key in wanted_} == wanted_
    assert counted(rows, 0, "nothing=1", card) is None


def test_labels_in_words() -> None:
    rows = pd.DataFrame({"t": [0.0, 1.0, 1.0, np.nan]})
    assert labels(rows, "t", Target("m")) == "2 of 3 (66.7%), 1 unlabelled"
    assert labels(rows, "t", Target("m", "ordinal", ("0", "1", "2"))) == "0 1, 1 2, 2 0, 1 unlabelled"
    numbers = Target("m", "regression", unit="months", low=0.0, high=9.0)
    assert labels(rows, "t", numbers) == "3: mean 0.7, 0 to 1 months, 1 unlabelled"
    assert labels(rows.iloc[3:], "t", numbers) == "none labelled"


@pytest.mark.parametrize(
    "name", ["rsna_boneage", "knee_kl", "oai", "folders", "shoulder_implant", "mura", "hip", "table"]
)
def test_every_file_of_conf_is_a_spec(name: str) -> None:
    assert spec_of(name).name == name


@pytest.mark.parametrize("name", ["knee_kl", "rsna_boneage", "shoulder_implant", "fracatlas"])
def test_real_sets_hold_no_leak(name: str, test_data: Path) -> None:
    done = say("check", name, test_data, "--subset")
    truncated = name == "fracatlas"
    assert done.exit_code == (1 if truncated else 0), done.output
    assert "in two splits: " not in done.output.replace("look-alikes in two splits", "")
    assert ("rejected, truncated: 6" in done.output) is truncated


def test_boxes_are_counted_by_class() -> None:
    about = Target("findings", "boxes", ("fracture", "text"))
    cells = [[[0.0, 0.0, 4.0, 4.0, 1.0], [1.0, 1.0, 2.0, 2.0, 1.0]], [[0.0, 0.0, 1.0, 1.0, 0.0]], [], None]
    rows = pd.DataFrame({"boxes": pd.Series(cells, dtype="object"), "image_id": list("abcd")})
    card = Card("x", "x", (), "", "", gated=False, patient_ids=False, targets={"boxes": about})
    assert counted(rows, 0, "boxes=text", card) == 2
    assert counted(rows, 0, "boxes=fracture", card) == 1
    assert counted(rows, 0, "boxes=metal", card) is None
    assert labels(rows, "boxes", about) == "fracture 1, text 2 box(es) on 2 of 3 images, 1 unlabelled"


def test_one_picture_with_two_sets_of_boxes_is_found() -> None:
    cells = [[[0.0, 0.0, 4.0, 4.0, 0.0]], [], [], None]
    rows = pd.DataFrame({"boxes": pd.Series(cells, dtype="object"), "image_id": list("abcd")})
    found = list(_labels(rows, pd.Series([0, 0, 1, 1]), ["boxes"]))
    assert [finding.text for finding in found] == ["the same picture with two labels of 'boxes': 1 (2 images): a and b"]


def test_boxes_outside_their_image_are_told(tmp_path: Path) -> None:
    lines = ["path,patient_id,x1,y1,x2,y2,class"]
    for place, corners in enumerate(["300,200,330,260", "60,20,90,40", "10,10,40,40"]):
        draw(tmp_path / "hip" / f"{place}.png", place)
        lines.append(f"{place}.png,p{place},{corners},fracture")
    (tmp_path / "hip" / "boxes.csv").write_text("\n".join(lines))
    said = say("check", "hip_boxes", tmp_path / "hip", "dataset.private=false", "--cache-dir", tmp_path / "cache")
    assert said.exit_code == 1
    assert "WRONG: fracture_boxes: 1 images have a box that lies outside altogether" in said.output
    assert "note: fracture_boxes: 1 boxes reached beyond their image" in said.output
