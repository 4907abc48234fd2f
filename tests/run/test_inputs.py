"""What goes in beside the pixels: covariates, one laterality, a split file, faults in phantoms."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests.composing import SMALL, config

from osteon.data import Radiographs, mirrored
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.run.prepare import prepare
from osteon.run.sources import locate
from osteon.run.start import run


def test_covariates_join_the_model_and_an_empty_list_ablates_them(tmp_path: Path) -> None:
    made = {}
    for name, word in (("with", "seed=0"), ("without", "covariates=[]"), ("others", "covariates=[sex,age_years]")):
        if name == "others":  # the phantom tells no age
            with pytest.raises(OsteonError, match=r"'age_years' is empty in every train row"):
                run(config("task=bone_age", *SMALL, word), tmp_path / name, [])
            continue
        run(config("task=bone_age", *SMALL, word), tmp_path / name, [])
        content = torch.load(tmp_path / name / "model.pt", weights_only=True)
        made[name] = Model.from_spec(content["model"])
        made[name].load_state_dict(content["state_dict"])
    assert [one.name for one in made["with"].covariates] == ["sex"]
    assert made["without"].covariates == ()
    model, images = made["with"].eval(), torch.zeros(2, 1, 64, 64, dtype=torch.uint8)
    with torch.inference_mode():
        boy, girl = model(images, torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))["bone_age"]
    assert not torch.equal(boy, girl), "the same image of a girl is read otherwise"
    with pytest.raises(OsteonError, match=r"trained with covariates \(sex\)"):
        model(images)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("task=bone_age", "training.mixup=0.2"), r"blend images of two patients.*\(sex\)"),
        (("covariates=[laterality]",), "augment.horizontal_flip mirrors images"),
        (("task=bone_age", "covariates=[sax]"), r"no column 'sax'"),
    ],
)
def test_what_would_not_be_true_is_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=said):
        run(
            config(*SMALL, *words, *([] if any("task" in w for w in words) else ["augment.horizontal_flip=0.5"])),
            tmp_path,
            [],
        )


def test_the_other_side_is_mirrored_and_the_unknown_one_is_not(tmp_path: Path) -> None:
    pixels = np.arange(3 * 4 * 6, dtype=np.uint8).reshape(3, 4, 6)
    np.save(tmp_path / "images.npy", pixels)
    manifest = pd.DataFrame({"laterality": ["L", "R", None]})
    flags = mirrored(manifest, "R")
    assert flags.tolist() == [True, False, False]
    assert not mirrored(manifest, None).any()
    data = Radiographs(tmp_path / "images.npy", np.arange(3), np.arange(3), {"a": np.zeros(3)}, mirror=flags)
    assert np.array_equal(data[(0, 0)].image, pixels[0][:, ::-1])
    assert np.array_equal(data[(0, 1)].image, pixels[1])
    assert np.array_equal(data[(0, 2)].image, pixels[2])


def test_a_split_file_is_followed(tmp_path: Path) -> None:
    asked = config("task=knee_kl", *SMALL)
    first = prepare(asked, locate(asked), (32, 32)).manifest
    turned = first.assign(split=first["split"].map({"train": "test", "test": "train", "val": "val"}))
    turned[["image_id", "group_id", "split"]].to_csv(tmp_path / "split.csv", index=False)
    again = config("task=knee_kl", *SMALL, f"data.split_file={tmp_path / 'split.csv'}")
    found = prepare(again, locate(again), (32, 32)).manifest
    assert found["split"].tolist() == turned["split"].tolist()
    turned[["image_id", "group_id", "split"]][1:].to_csv(tmp_path / "split.csv", index=False)
    with pytest.raises(OsteonError, match="lacks images of the dataset"):
        prepare(again, locate(again), (32, 32))


def test_a_class_without_an_image_in_train_is_told(tmp_path: Path) -> None:
    asked = config("task=implant", *SMALL)
    plain = prepare(asked, locate(asked), (32, 32))
    assert not any("no image in train of" in note for note in plain.notes)
    shutil.copytree(next(iter(plain.sources.roots.values())), tmp_path / "set")
    for file in (tmp_path / "set").rglob("Zimmer/*"):
        file.unlink()
    without = config("task=implant", *SMALL, f"++data.roots.shoulder_implant={tmp_path / 'set'}")
    notes = prepare(without, locate(without), (32, 32)).notes
    assert "implant: no image in train of Zimmer; the model cannot learn to tell it" in notes


def test_faults_of_phantoms_are_settings(tmp_path: Path) -> None:
    plain, faulty = (config("task=wrist_fracture", *SMALL, *words) for words in ((), ("phantom.missing=0.3",)))
    labelled = [prepare(one, locate(one), (32, 32)).manifest["fracture"].notna().mean() for one in (plain, faulty)]
    assert labelled[0] == 1.0
    assert 0.4 < labelled[1] < 0.9
    asked = config("task=knee_kl", *SMALL, "phantom.missing=0.3")
    with pytest.raises(OsteonError, match="missing"):
        prepare(asked, locate(asked), (32, 32))
