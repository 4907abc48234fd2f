"""`init_from`: the backbone and the heads that answer alike, nothing that does not fit, no image that is known."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tests.composing import config
from tests.heads.cases import CASES

from osteon.backbone import create_backbone
from osteon.config import Backbone
from osteon.errors import OsteonError
from osteon.manifest.covariates import Covariate
from osteon.model import Model
from osteon.run.check import check_names
from osteon.run.inherit import inherit

MANIFEST = pd.DataFrame(
    {
        "group_id": ["patient:1", "patient:2", "image:3"],
        "patient_id": ["1", "2", None],
        "split": ["train", "val", "test"],
    }
)


def built(*tasks: str, name: str = "test_vit", size: int = 160, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    spec = Backbone(name=name, pretrained=False, pretrained_path=None, options={})
    parts = {task: (CASES[task].spec, CASES[task].target) for task in tasks}
    return Model(create_backbone(spec, (size, size), pretrained=False), parts, {})


def left(folder: Path, model: Model, manifest: pd.DataFrame = MANIFEST, **more: Any) -> str:
    """Leave what a finished run does, and return the word that names it."""
    folder.mkdir()
    scale = {"mean": model.backbone.mean, "std": model.backbone.std, "image_size": list(model.backbone.size)}
    content = {"model": model.spec(), "state_dict": model.state_dict(), "preprocessing": scale, **more}
    torch.save(content, folder / "model.pt")
    manifest.to_parquet(folder / "manifest.parquet")
    return f"init_from={folder}"


def test_backbone_and_matching_heads_are_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    before = built("softmax", "binary", seed=1)
    word = left(tmp_path / "first", before)
    model = built("softmax", "l1")
    fresh = {key: value.clone() for key, value in model.state_dict().items()}
    (said,) = inherit(model, config(word), MANIFEST)
    after = model.state_dict()
    for key, value in before.state_dict().items():
        if key.startswith("backbone."):
            assert torch.equal(after[key], value)
    for key, value in model.heads_by_task["softmax"].state_dict().items():
        assert torch.equal(value, before.heads_by_task["softmax"].state_dict()[key])
    assert all(torch.equal(after[key], fresh[key]) for key in fresh if key.startswith("heads.task_l1"))
    assert "heads taken: softmax" in said
    assert "l1 made anew: that run has no such task" in said
    assert "left there: binary" in said
    count = len(before.backbone.state_dict())
    assert f"{count} of {count} tensors of the backbone" in said
    assert model.backbone.weights.startswith("run:first:")


def test_a_head_that_answers_otherwise_is_made_anew(tmp_path: Path) -> None:
    before = built("softmax", "binary", seed=1)
    before.parts["softmax"] = (CASES["distance"].spec, CASES["distance"].target)
    word = left(tmp_path / "first", before)
    model = built("softmax", "binary")
    model.join([Covariate("age_years", mean=50.0, sd=10.0)])
    (said,) = inherit(model, config(word), MANIFEST)
    assert "softmax made anew: its head or target is described otherwise" in said
    assert "binary made anew: its shape differs (other covariates)" in said


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (("test_convnext", 160), r"has the backbone test_vit, this one test_convnext.*backbone.name=test_vit"),
        (("test_vit", 96), r"another shape \(first: network.pos_embed.*use data.image_size=\[160,160\]"),
    ],
)
def test_another_network_is_refused_by_name(model: tuple[str, int], said: str, tmp_path: Path) -> None:
    word = left(tmp_path / "first", built("binary"))
    with pytest.raises(OsteonError, match=said):
        inherit(built("binary", name=model[0], size=model[1]), config(word), MANIFEST)


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_patient_that_it_has_learned_from_is_not_scored(split: str, tmp_path: Path) -> None:
    other = MANIFEST.assign(split=[split, "train", "train"])
    word = left(tmp_path / "first", built("binary"))
    with pytest.raises(OsteonError, match=rf"learned from 1 patients .groups. of this run's {split} .first: patient:1"):
        inherit(built("binary"), config(word), other)


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"nothing")
    with pytest.raises(OsteonError, match="cannot be read"):
        inherit(built("binary"), config(f"init_from={tmp_path}"), MANIFEST)
    with pytest.raises(OsteonError, match=r"holds no model.pt. Name the folder of a finished run"):
        check_names(config(f"init_from={tmp_path / 'none'}"))
    with pytest.raises(OsteonError, match="not from both"):
        check_names(config(f"init_from={tmp_path}", "backbone.pretrained=true"))
