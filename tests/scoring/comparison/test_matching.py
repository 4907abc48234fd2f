"""What two sides must share, and how it is said where they do not."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.scoring.coco import facts as boxes_facts
from tests.scoring.coco import table as boxes_table
from tests.scoring.comparison.conftest import Judge, Make, altered, noisy
from tests.scoring.conftest import FACTS
from tests.scoring.drawn import GRADE, graded

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, read, write
from osteon.scoring.comparison import side
from osteon.scoring.table import score

Pair = tuple[Path, Path]


def other_task(folder: Path, name: str, **facts: Any) -> Path:
    for file in (folder / "predictions").glob("*.parquet"):
        told = read(file)
        write(file, told.frame.assign(task=name), {name: replace(FACTS["mura"], **facts)}, told.run, {})
    thresholds = folder / "thresholds.json"
    thresholds.write_text(thresholds.read_text().replace('"mura"', f'"{name}"'))
    return folder


def of_one_unit(frame: pd.DataFrame) -> Any:
    return frame["unit_id"] == frame["unit_id"].iloc[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame[~of_one_unit(frame)],
            r"A .*and B .*different units.*1 of 40 units of A .*first test0/study0",
        ),
        (
            lambda frame: frame.assign(unit_id=frame["unit_id"].where(~of_one_unit(frame), "new")),
            r"1 of 40 units of A .*study0; 1 of 40 units of B .*first new\. Predict the same test images",
        ),
        (
            lambda frame: frame.assign(target=frame["target"].where(~of_one_unit(frame), 1 - frame["target"])),
            r"different targets for 1 of 40 units, first test0/study0: (0 and 1|1 and 0)\. Correct",
        ),
        (
            lambda frame: frame.assign(target=frame["target"].where(~of_one_unit(frame), np.nan)),
            r"different targets for 1 of 40 units, first test0/study0: [01] and none",
        ),
        (
            lambda frame: frame.assign(group_id=frame["unit_id"]),
            r"do not agree on which units share a patient \(group_id\), first unit test0/study",
        ),
    ],
)
def test_rows_that_differ(
    pair: Pair, judged: Judge, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    a, b = pair
    altered(b, lambda frame: change(frame) if (frame["split"] == "test").all() else frame)
    with pytest.raises(OsteonError, match=message):
        judged(a, b)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"unit": "image"}, "its unit is 'study' in A .*'image' in B"),
        ({"protocol_threshold": 0.4}, "protocol_threshold is 0.5"),
        ({"classes": ("healthy", "broken")}, "its classes is"),
    ],
)
def test_a_task_told_in_two_ways(pair: Pair, judged: Judge, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        judged(pair[0], other_task(pair[1], "mura", **facts))


def test_boxes_that_are_hit_by_two_rules(tmp_path: Path, judged: Judge) -> None:
    box = [[0.0, 0.0, 9.0, 9.0, 0.0]]
    frame = boxes_table([[[*box[0], 0.9]]] * 4, [box] * 4)
    for name, hit in (("a", "iou_0.5"), ("b", "centre")):
        write(
            tmp_path / name / "predictions" / "test.parquet", frame, {"wrist": boxes_facts(hit=hit)}, {"name": name}, {}
        )
    with pytest.raises(
        OsteonError, match=r"its hit is 'iou_0\.5' in A .*'centre' in B .*so its scores mean two things"
    ):
        judged(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("first", "second"), [("likeliest", "median"), ("median", "likeliest"), ("median", "expected")]
)
def test_each_side_calls_grades_by_its_own_rule(tmp_path: Path, judged: Judge, first: str, second: str) -> None:
    """What is compared is what either side's own scores say, whichever comes first; both rules are told."""
    frame, own = graded(), {}
    for call in (first, second):
        tasks = {"grade": replace(GRADE, call=call)}
        write(tmp_path / call / "predictions" / "test.parquet", frame, tasks, {"name": call}, {})
        rows = score(Predictions(frame, tasks), {}, replicates=100)
        own[call] = rows[(rows["group"] == "all") & (rows["metric"] == "accuracy")]["value"].item()
    found = judged(tmp_path / first, tmp_path / second)
    row = found.table[(found.table["group"] == "all") & (found.table["metric"] == "accuracy")].iloc[0]
    assert own[first] != own[second]
    assert (row["a"], row["b"]) == pytest.approx((own[first], own[second]), abs=1e-9)
    assert "called: the" not in row["note"]
    assert any(f"called: A the {first}, B the {second} grade" in note for note in found.notes)


def test_no_task_in_common(pair: Pair, judged: Judge) -> None:
    with pytest.raises(OsteonError, match=r"A \(.*\) has task mura, B \(.*\) has hip: no task in common"):
        judged(pair[0], other_task(pair[1], "hip"))


def test_a_task_that_one_lacks_is_named_and_the_other_compared(pair: Pair, judged: Judge) -> None:
    for file in (pair[0] / "predictions").glob("*.parquet"):
        told = read(file)
        both = pd.concat([told.frame, told.frame.assign(task="hip")], ignore_index=True)
        write(file, both, told.tasks | {"hip": TaskFacts(unit="study")}, told.run, {})
    thresholds = pair[0] / "thresholds.json"
    thresholds.write_text(
        thresholds.read_text().replace(
            '{\n  "mura"',
            '{\n  "hip": {"rule": "youden", "value": 0.5, "split": "val", "n": 9, "n_positive": 3},\n  "mura"',
        )
    )
    found = judged(*pair)
    assert set(found.table["task"]) == {"mura"}
    assert any("task hip: B" in note and "lacks it, not compared" in note for note in found.notes)


def test_a_group_told_in_two_ways_is_left_out(pair: Pair, judged: Judge) -> None:
    altered(pair[1], lambda frame: frame.assign(body_part="foot"))
    found = judged(*pair)
    assert set(found.table["group"]) == {"all"}
    assert any("not compared by body_part: A and B differ in it for 40 units" in note for note in found.notes)


def test_patients_may_be_called_differently(pair: Pair, judged: Judge) -> None:
    before = judged(*pair).table
    altered(pair[1], lambda frame: frame.assign(group_id="x" + frame["group_id"]))
    pd.testing.assert_frame_equal(judged(*pair).table, before)


def test_other_images_of_the_same_units_are_said(pair: Pair, judged: Judge) -> None:
    altered(pair[1], lambda frame: frame[frame["image_id"] != "test/0/image1"] if len(frame) > 60 else frame)
    found = judged(*pair)
    assert any("1 units have another number of images in B than in A" in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "message"),
    [({"split": "train"}, "--split: found 'train', expected test or val"),
     ({"metrics": ["kapa"]}, r"--metric kapa: the tasks compared have auroc, .* Did you mean 'kappa'"),
     ({"metrics": ["mae"]}, "--metric mae: the tasks compared have auroc"),
     ({"replicates": 10}, "--replicates: found 10")],
)  # fmt: skip
def test_wrong_words(pair: Pair, judged: Judge, words: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        judged(*pair, **words)


@pytest.mark.parametrize("column", ["probability", "target", "unit_id"])
def test_wrong_columns_are_named(pair: Pair, judged: Judge, column: str) -> None:
    file = pair[1] / "predictions" / "test.parquet"
    pd.read_parquet(file).drop(columns=column).to_parquet(file)
    with pytest.raises(OsteonError, match=rf"{pair[1].name}.*test\.parquet"):
        judged(*pair)


def test_no_number_for_a_probability(tmp_path: Path, pair: Pair, judged: Judge) -> None:
    frame = read(pair[1] / "predictions" / "test.parquet").frame
    frame["probability"] = frame["probability"].where(~of_one_unit(frame))
    frame.to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(OsteonError, match=r"theirs\.csv, task mura: probability is not in \[0, 1\] in .* rows"):
        judged(pair[0], tmp_path / "theirs.csv")


def test_folders_that_are_no_runs(tmp_path: Path, pair: Pair, judged: Judge) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OsteonError, match="empty: holds no run and no predictions"):
        judged(pair[0], tmp_path / "empty")
    with pytest.raises(OsteonError, match=r"nowhere: no such run folder or file"):
        judged(pair[0], tmp_path / "nowhere")
    with pytest.raises(OsteonError, match=r"no\*where: no such run folder or file"):
        judged(pair[0], tmp_path / "no*where")
    (pair[1] / "result.json").unlink()
    (pair[1] / "config.yaml").write_text("")
    with pytest.raises(OsteonError, match=r"not the folder of a finished run, it lacks result\.json"):
        judged(*pair)


def test_a_split_that_a_run_has_not_predicted(pair: Pair, judged: Judge) -> None:
    (pair[1] / "predictions" / "val.parquet").unlink()
    with pytest.raises(OsteonError, match=r"B .* has no predictions of val\. Choose another --split"):
        judged(*pair, split="val")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("backbone", "resnet50", "resnet18 and resnet50"), ("settings", "s1", "optimizer.lr is 0.1 and 0.2")],
)
def test_trainings_of_two_recipes_are_no_side(run: Make, tmp_path: Path, key: str, value: str, said: str) -> None:
    (tmp_path / "both").mkdir()
    for name, about in (("one", {}), ("two", {key: value, "seed": 1})):
        shutil.move(run(0, folds=1, **about), tmp_path / "both" / name)
        rate = 0.2 if name == "two" else 0.1
        (tmp_path / "both" / name / "config.yaml").write_text(f"optimizer: {{lr: {rate}}}\nseed: {rate}\n")
    with pytest.raises(OsteonError, match=rf"one and .*two differ in their {key}: {said}, so they are no trainings"):
        side("A", tmp_path / "both")


def test_one_seed_twice(run: Make, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for name in ("one", "two"):
        shutil.move(run(0, folds=1), tmp_path / "both" / name)
    with pytest.raises(OsteonError, match=r"seed 0 is there more than once: .*one, .*two"):
        side("A", tmp_path / "both")


def test_trainings_of_other_test_units(run: Make, tmp_path: Path, pair: Pair, judged: Judge) -> None:
    (tmp_path / "both").mkdir()
    for seed in (0, 1):
        shutil.move(run(seed, folds=1, seed=seed), tmp_path / "both" / str(seed))
    with pytest.raises(OsteonError, match="another training of A"):
        judged(tmp_path / "both", pair[1])


def test_noise_is_the_same_whatever_the_order(pair: Pair) -> None:
    frame = read(pair[0] / "predictions" / "test.parquet").frame
    turned = noisy(3)(frame.iloc[::-1]).sort_values("image_id")
    np.testing.assert_array_equal(noisy(3)(frame).sort_values("image_id")["probability"], turned["probability"])
