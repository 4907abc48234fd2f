"""`backbone=ridge` is a run like any other: the same images, splits, units and files."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from tests.composing import SMALL, config

from osteon import predictions
from osteon.audit.ridge import PENALTIES
from osteon.compose import conf_dir
from osteon.errors import OsteonError
from osteon.run import check_names
from osteon.run.start import run
from osteon.scoring.folds import score_runs

TASKS = ("bone_age", "hip_fracture", "implant", "knee_kl", "shoulder_findings")
FLOOR = ("backbone=ridge", *(word for word in SMALL if not word.startswith("backbone")))
KINDS = ("binary", "multiclass", "multilabel", "ordinal", "regression")


def test_a_task_of_every_kind_is_tried() -> None:
    assert {config(f"task={task}").tasks[task].head.kind for task in TASKS} == set(KINDS)
    assert all((conf_dir() / "task" / f"{task}.yaml").is_file() for task in TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_floor_is_scored_on_the_rows_of_the_network(task: str, tmp_path: Path) -> None:
    floor = run(config(f"task={task}", *FLOOR), tmp_path / "floor", [])
    network = run(config(f"task={task}", *SMALL, "trainer.limit_batches=1"), tmp_path / "network", [])
    key = ["task", "split", "image_id", "unit_id", "group_id", "target"]
    for split in ("val", "test"):
        ours, theirs = (predictions.read(one.folder / "predictions" / f"{split}.parquet") for one in (floor, network))
        pd.testing.assert_frame_equal(*(said.frame[key].reset_index(drop=True) for said in (ours, theirs)))
    again = score_runs([floor.folder], replicates=100)
    assert again["value"].notna().any()
    said = json.loads((floor.folder / "result.json").read_text())
    assert said["backbone"] == "ridge"
    assert said["training"]["penalty"][task] in PENALTIES
    assert torch.load(floor.folder / "model.pt", weights_only=True)["source"] == "phantom"


def test_boxes_are_refused() -> None:
    with pytest.raises(
        OsteonError, match="backbone=ridge: draws no boxes, which is what 'hip_fracture_detection' asks"
    ):
        check_names(config("backbone=ridge", "task=hip_fracture_detection"))


@pytest.mark.parametrize(
    "word", ["backbone.pretrained=true", "backbone.pretrained_path=x.pt", "++backbone.options.a=1"]
)
def test_what_only_a_network_has_is_refused(word: str) -> None:
    with pytest.raises(OsteonError, match="backbone=ridge"):
        check_names(config("backbone=ridge", word))
