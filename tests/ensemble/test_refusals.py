"""What cannot be averaged is refused, with the run and the column named; nothing half-written stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, read, write
from tests.ensemble.conftest import TASKS, Blend, Make
from tests.scoring.coco import facts as boxes_facts
from tests.scoring.coco import table as boxes_table
from tests.scoring.comparison.conftest import altered

Change = Callable[[pd.DataFrame], pd.DataFrame]


def described(folder: Path, task: str, **facts: Any) -> Path:
    """Write the predictions of a run again with another description of a task."""
    for file in (folder / "predictions").glob("*.parquet"):
        told = read(file)
        tasks = told.tasks | {task: TaskFacts.from_json(told.tasks[task].to_json() | facts)}
        write(file, told.frame, tasks, told.run, told.split_names)
    return folder


def hashed(letter: str) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        ids = [f"i-{letter * 8}{place:08x}" for place in range(len(frame))]
        return frame.assign(image_id=ids)

    return change


def test_one_run(make: Make, blend: Blend) -> None:
    one = make(0)
    with pytest.raises(OsteonError, match=r"an ensemble needs two runs or more, found .*run0\. Give"):
        blend([one])
    with pytest.raises(OsteonError, match="two runs or more"):
        blend([one, one.parent / "." / "run0"])


def test_no_val(make: Make, blend: Blend) -> None:
    folders = [make(0), make(1)]
    (folders[1] / "predictions" / "val.parquet").unlink()
    with pytest.raises(OsteonError, match=r"run1: no predictions of val \(predictions/val\.parquet\)"):
        blend(folders)


def test_an_unfinished_run(make: Make, blend: Blend) -> None:
    folders = [make(0), make(1)]
    (folders[1] / "result.json").unlink()
    (folders[1] / "config.yaml").write_text("")
    with pytest.raises(OsteonError, match=r"run1: not the folder of a finished run, it lacks result\.json"):
        blend(folders)


def of_first(frame: pd.DataFrame) -> Any:
    return frame["image_id"] == frame["image_id"].iloc[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f[~of_first(f)],
            r"run1: task fracture, val: image_id: 1 images of run0 are not here, first val/0/image0",
        ),
        (lambda f: f.assign(image_id="x" + f["image_id"]), r"image_id: \d+ images of run0 .*data\.split_seed"),
        (hashed("a"), r"image_id: \d+ images .* this run are not in run0, first i-a.*"),
        (lambda f: f.assign(target=1 - f["target"]), r"run1: task fracture, val: target differs from run0 in \d+ of"),
        (
            lambda f: f.assign(target=f["target"].where(~of_first(f))),
            r"target differs from run0 in 1 of .*: nan here, [01]",
        ),
        (lambda f: f.assign(unit_id=f["image_id"]), r"unit_id differs from run0"),
        (lambda f: f.assign(source="phantom"), r"source differs from run0 in .*phantom here, real there"),
        (lambda f: f.assign(group_id=f["unit_id"]), r"group_id: this run and run0 do not agree"),
    ],
)
def test_other_images_or_labels(make: Make, blend: Blend, change: Change, message: str, tmp_path: Path) -> None:
    folders = [make(0), altered(make(1), change)]
    with pytest.raises(OsteonError, match=message):
        blend(folders)
    assert not list(tmp_path.glob("*blend*")), "nothing is left"


def test_private_ids_made_with_two_keys(make: Make, blend: Blend) -> None:
    folders = [altered(make(0), hashed("a")), altered(make(1), hashed("b"))]
    with pytest.raises(
        OsteonError, match=r"run1.*image_id.*all ids are hashes: the runs were made with different keys"
    ):
        blend(folders)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"classes": ["negative", "broken"]}, r"run1: task fracture: its classes is .*broken.* in another member"),
        ({"classes": ["positive", "negative"]}, r"run1: task fracture: its classes is"),
        ({"unit": "image"}, "its unit is 'image', in another member 'study'"),
        ({"pool": "max"}, "its pool is 'max', in another member 'mean'"),
        ({"protocol_threshold": 0.3}, "its protocol_threshold is 0.3"),
    ],
)
def test_a_task_told_in_two_ways(make: Make, blend: Blend, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        blend([make(0), described(make(1), "fracture", **facts)])


@pytest.mark.parametrize("value", [np.nan, 1.2])
def test_no_number_for_a_probability(make: Make, blend: Blend, value: float) -> None:
    folders = [make(0), make(1)]
    file = folders[1] / "predictions" / "test.parquet"
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    frame = table.to_pandas()
    frame.loc[0, "probability"] = value
    import pyarrow as pa

    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(table.schema.metadata), file
    )
    with pytest.raises(
        OsteonError, match=r"run1/predictions/test\.parquet, task fracture: probability is not in \[0, 1\] in 1"
    ):
        blend(folders)


def test_a_folder_that_holds_something(make: Make, blend: Blend, tmp_path: Path) -> None:
    folders = [make(0), make(1)]
    (tmp_path / "blend").mkdir()
    assert blend(folders).folder.is_dir(), "an empty one is taken"
    before = (tmp_path / "blend" / "result.json").read_bytes()
    with pytest.raises(
        OsteonError, match=r"--out: .*blend is not empty \(predictions, result\.json, thresholds\.json\)"
    ):
        blend(folders)
    assert (tmp_path / "blend" / "result.json").read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(OsteonError, match=r"file is a file"):
        blend(folders, "file")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"rule": "average"}, r"--rule: 'average' is not one of mean, weighted, vote, median"),
        (
            {"rule": "weighted", "search": True},
            r"--search with --rule weighted: weights of 0 leave members out already",
        ),
        ({"search": True, "metric": "mae"}, r"metric 'mae' is not one of the binary head"),
        ({"tasks": ("fractur",)}, r"--task fractur: not a task of all members; .* Did you mean 'fracture'"),
        ({"replicates": 10}, r"--replicates: found 10"),
    ],
)
def test_wrong_words(make: Make, blend: Blend, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        blend([make(0), make(1)], **asked)


def test_nobody_votes_on_a_number(make: Make, blend: Blend) -> None:
    with pytest.raises(OsteonError, match="task age predicts a number, on which nobody votes"):
        blend([make(seed, ("age",)) for seed in range(2)], rule="vote")


def test_boxes_are_refused_and_other_tasks_of_the_run_taken(make: Make, blend: Blend) -> None:
    folders = [make(0), make(1)]
    box = [[0.0, 0.0, 9.0, 9.0, 0.0]]
    for folder in folders:
        for file in (folder / "predictions").glob("*.parquet"):
            told = read(file)
            boxes = boxes_table([[[*box[0], 0.9]]] * 4, [box] * 4).assign(split=file.stem)
            boxes[["image_id", "group_id", "unit_id"]] += file.stem
            both = pd.concat([told.frame, boxes], ignore_index=True)
            write(file, both, told.tasks | {"wrist": boxes_facts()}, told.run, {})
        text = (folder / "thresholds.json").read_text()
        one = '"wrist": {"rule": "max_f1", "value": 0.5, "split": "val", "n": 4, "n_positive": 4}, '
        (folder / "thresholds.json").write_text(text.replace("{", "{" + one, 1))
    with pytest.raises(OsteonError, match=r"task wrist: boxes cannot be averaged .* --task"):
        blend(folders)
    made = blend(folders, tasks=("fracture",))
    assert set(made.scores["task"]) == {"fracture"}


def test_tasks_that_one_lacks_are_said(make: Make, blend: Blend) -> None:
    made = blend([make(0, ("fracture", "age")), make(1, ("fracture",))])
    assert made.notes == ("task age: not of all members, left out",)
    with pytest.raises(OsteonError, match=r"run2 has age.*no task in common|no task in common: .*run2 has age"):
        blend([make(1, ("fracture",)), make(2, ("age",))], "none")


def test_a_group_in_which_members_differ_is_no_group(make: Make, blend: Blend) -> None:
    made = blend([make(0), altered(make(1), lambda frame: frame.assign(sex="F"))])
    assert made.notes == ("task fracture: no groups by sex, in which members differ",)
    assert set(made.scores["group"]) == {"all"}


def test_another_frameworks_predictions_take_part(make: Make, blend: Blend, tmp_path: Path) -> None:
    ours, theirs = make(0), tmp_path / "theirs" / "predictions"
    theirs.mkdir(parents=True)
    rows = {}
    for split in ("val", "test"):
        frame = read(ours / "predictions" / f"{split}.parquet").frame.drop(
            columns=["sex", "split", "dataset", "source"]
        )
        rows[split] = frame.assign(probability=0.5, split=split)
        rows[split].to_csv(theirs / f"{split}.csv", index=False)
    made = blend([theirs.parent, ours])
    assert made.scores["group"].str.startswith("sex").any(), "the facts of the run that tells them are taken"
    found = read(made.folder / "predictions" / "test.parquet").frame
    own = read(ours / "predictions" / "test.parquet").frame
    np.testing.assert_allclose(found["probability"], own["probability"] / 2 + 0.25)


def test_facts_of_every_head_are_known() -> None:
    assert {facts.head for facts in TASKS.values()} == {"binary", "multiclass", "ordinal", "regression"}


def test_members_that_vote_for_another_grade_than_is_called(make: Make, blend: Blend) -> None:
    members = [described(make(seed, ("grade",)), "grade", call="median") for seed in range(2)]
    with pytest.raises(OsteonError, match=r"--rule vote: task grade calls the median grade, .* Choose mean"):
        blend(members, rule="vote")
    members[1] = described(members[1], "grade", call="expected")
    with pytest.raises(OsteonError, match=r"its call is '(expected|median)', in another member"):
        blend(members)
