"""Which rows there are, what stands in them, how they are ranked."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk

from osteon.errors import OsteonError
from osteon.leaderboard import leaderboard
from osteon.leaderboard.panels import groups_of, panels
from osteon.leaderboard.rows import Cell, cells
from osteon.leaderboard.sheet import to_table
from osteon.leaderboard.trainings import of_run
from osteon.predictions import TaskFacts, read, write
from osteon.scoring.bootstrap import replicate
from osteon.scoring.comparison import compare, side
from osteon.scoring.metrics import METRICS, sample_of
from osteon.scoring.table import score, to_records
from osteon.scoring.thresholds import freeze
from osteon.scoring.units import units
from tests.leaderboard.making import AGE, BOXES, GRADE, HIP, MURA, PARTS, boxes, images, leave, studies
from tests.scoring.drawn import FINDINGS, findings

KAPPA = ("kappa", "all", "protocol")


def test_seeds_of_a_recipe_are_one_row(two_recipes: Path) -> None:
    board = leaderboard([two_recipes], "mura", replicates=200)
    (block,) = board.blocks
    assert [row.name for row in block.rows] == ["densenet169 augment=sharp", "densenet169 augment=dull"]
    assert [row.seeds for row in block.rows] == [[0, 1, 2], [0, 1, 2]]
    told = [studies_kappa(two_recipes / "sharp" / f"seed{seed}") for seed in range(3)]
    cell = block.rows[0].cells[KAPPA]
    assert cell.value == pytest.approx(np.mean(told))
    assert cell.sd == pytest.approx(np.std(told, ddof=1))
    assert (cell.n, cell.n_clusters) == (210, 105)
    assert board.faults == []
    for part in PARTS:
        some = [studies_kappa(two_recipes / "sharp" / f"seed{seed}", part) for seed in range(3)]
        assert block.rows[0].cells["kappa", f"body_part={part}", "protocol"].value == pytest.approx(np.mean(some))


def studies_kappa(folder: Path, part: str | None = None) -> float:
    """Return the kappa of study means above 0.5, by scikit-learn."""
    frame = read(folder / "predictions" / "test.parquet").frame
    pooled = frame.groupby("unit_id").agg({"target": "first", "probability": "mean", "body_part": "first"})
    pooled = pooled if part is None else pooled[pooled["body_part"] == part]
    return float(sk.cohen_kappa_score(pooled["target"], pooled["probability"] > 0.5))


@pytest.mark.parametrize("seeds", [2, 5])
def test_the_interval_of_seeds_is_not_too_short(tmp_path: Path, seeds: int) -> None:
    """The mean of the bounds is at least as wide as the bootstrap's of the mean over seeds."""
    made = [
        leave(tmp_path / str(k), partial(studies, count=210, seed=k, noise=0.35), seed=k, stored=True)
        for k in range(seeds)
    ]
    cell = cells([of_run(folder, "mura") for folder in made])["auroc", "all", ""]
    samples = []
    for folder in made:
        frame = read(folder / "predictions" / "test.parquet").frame
        samples.append(sample_of(units(frame, MURA), MURA))
    prepared = [METRICS["auroc"].prepare(sample, "binary") for sample in samples]
    drawn = replicate(
        [lambda weights: np.mean([one(weights) for one in prepared], axis=0)], samples[0].clusters, 1000, 0, 210
    )[0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert cell.lo is not None
    assert cell.hi is not None
    assert cell.hi - cell.lo >= 0.98 * (high - low)


def test_one_training_has_its_own_interval(two_recipes: Path) -> None:
    folder = two_recipes / "sharp" / "seed0"
    told = json.loads((folder / "result.json").read_text())["scores"]
    row = next(r for r in told if r["metric"] == "auroc" and r["group"] == "all")
    cell = cells([of_run(folder, "mura")])["auroc", "all", ""]
    small = "small sample" in row["note"]
    assert cell == Cell(row["value"], row["lo"], row["hi"], None, row["n"], row["n_positive"], row["n_clusters"], small)


@pytest.mark.parametrize(
    ("make", "facts", "metric", "higher"),
    [
        (partial(images, task="bone_age"), AGE, "mae", False),
        (partial(images, task="knee_kl"), GRADE, "quadratic_kappa", True),
        (boxes, BOXES, "map50", True),
    ],
)
def test_any_task_is_ranked_by_its_monitor(
    tmp_path: Path, make: Any, facts: TaskFacts, metric: str, higher: bool
) -> None:
    for seed in range(3):
        leave(tmp_path / f"r{seed}", partial(make, seed=seed), facts, "test", settings=f"s{seed}")
    board = leaderboard([tmp_path], replicates=100)
    assert (board.ranking.metric, board.ranking.higher) == (metric, higher)
    values = [row.cells[metric, "all", ""].value for row in board.blocks[0].rows]
    assert values == sorted(values, reverse=higher)
    assert len(values) == 3


def test_a_hip_is_ranked_by_auroc_and_called_at_the_frozen_threshold(tmp_path: Path) -> None:
    def make(split: str) -> Any:
        return studies(split).assign(task="hip_fracture", dataset="hip")

    leave(tmp_path / "r", make, HIP, "test")
    ranking = leaderboard([tmp_path / "r"]).ranking
    assert (ranking.metric, ranking.point) == ("auroc", "frozen")
    assert leaderboard([tmp_path / "r"], point="protocol").ranking.key("kappa") == KAPPA
    assert leaderboard([tmp_path / "r"], metric="kappa").ranking.point == "protocol"


def test_mura_ranks_at_the_protocols_threshold(two_recipes: Path) -> None:
    ranking = leaderboard([two_recipes / "dull"]).ranking
    assert (ranking.metric, ranking.point) == ("kappa", "protocol")


def test_other_units_stand_apart(two_recipes: Path, tmp_path: Path) -> None:
    other = leave(tmp_path / "other", partial(studies, count=90), cohort="d")
    board = leaderboard([two_recipes, other], "mura", replicates=100)
    assert [len(block.rows) for block in board.blocks] == [2, 1]
    assert board.blocks[0].digest != board.blocks[1].digest
    assert any("2 test sets" in note for note in board.notes)


def test_another_label_is_another_test_set(tmp_path: Path) -> None:
    def relabelled(split: str) -> Any:
        frame = studies(split)
        return frame.assign(
            target=frame["target"].where(frame["unit_id"] != frame["unit_id"].iloc[0], 1.0 - frame["target"])
        )

    leave(tmp_path / "a", studies)
    leave(tmp_path / "b", relabelled, settings="t")
    leave(tmp_path / "c", studies, TaskFacts(**{**MURA.to_json(), "protocol_threshold": 0.4}), settings="u")
    assert len(leaderboard([tmp_path], replicates=100).blocks) == 3


def test_folds_are_joined_into_one_row(tmp_path: Path) -> None:
    def fold(number: int, split: str) -> Any:
        frame = studies(split, seed=number)
        return frame.assign(**{name: frame[name] + f"-{number}" for name in ("unit_id", "image_id", "group_id")})

    for number in range(2):
        leave(tmp_path / f"fold{number}", partial(fold, number), fold=number, folds=2)
    (block,) = leaderboard([tmp_path], replicates=100).blocks
    assert block.first.n == 140
    assert block.split_name == "public-valid, 2 folds joined"
    assert len(block.rows[0].trainings[0].places) == 2
    shutil.rmtree(tmp_path / "fold1")
    alone = leave(tmp_path / "whole", studies, settings="t")
    board = leaderboard([tmp_path, alone], replicates=100)
    assert {block.first.n for block in board.blocks} == {70}


def test_a_seed_that_is_there_twice_counts_once(two_recipes: Path, tmp_path: Path) -> None:
    again = shutil.copytree(two_recipes / "sharp" / "seed0", tmp_path / "again")
    board = leaderboard([two_recipes / "sharp", again], replicates=100)
    assert len(board.blocks[0].rows[0].trainings) == 3
    assert len(board.faults) == 1
    assert "seed 0 of this recipe is there already" in board.faults[0]


def test_a_run_named_twice_counts_once(two_recipes: Path) -> None:
    folder = two_recipes / "sharp" / "seed0"
    board = leaderboard([folder, folder / ".." / "seed0", str(folder)], replicates=100)
    assert len(board.blocks[0].rows[0].trainings) == 1
    assert board.faults == []


def test_recipes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in "ab":
        leave(tmp_path / name, studies, settings=name)
    rows = leaderboard([tmp_path], replicates=100).blocks[0].rows
    assert sorted(row.name for row in rows) == ["densenet169 (a)", "densenet169 (b)"]


def test_folders_of_one_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    folders = [leave(tmp_path / name / "seed0", studies, settings=name) for name in "ab"]
    files = [tmp_path / name / "reader.csv" for name in "ab"]
    for file in files:
        read(folders[0] / "predictions" / "test.parquet").frame.to_csv(file, index=False)
    rows = leaderboard([*folders, *files], replicates=100).blocks[0].rows
    assert sorted(row.name for row in rows) == sorted(
        [*(f"densenet169 ({folder})" for folder in folders), *map(str, files)]
    )


def test_phantoms_drawn_otherwise_under_the_same_ids_are_told(tmp_path: Path) -> None:
    folders = [
        leave(tmp_path / name, lambda split: studies(split).assign(source="phantom"), settings=name) for name in "ab"
    ]
    for folder, share in zip(folders, (0, 0.9), strict=True):
        (folder / "config.yaml").write_text(f"phantom: {{shortcut: {share}, size: 160}}\n")
    said = "the phantoms have the same ids, but not the same images: phantom.shortcut is 0 and 0.9"
    assert said in leaderboard([tmp_path], replicates=100).notes[0]
    assert said in compare(side("A", folders[0]), side("B", folders[1]), replicates=100).notes
    (folders[1] / "config.yaml").write_text("phantom: {shortcut: 0, size: 160}\n")
    assert leaderboard([tmp_path], replicates=100).notes == []
    assert compare(side("A", folders[0]), side("B", folders[1]), replicates=100).notes == ()


def test_a_row_is_told_from_those_of_its_own_test_set(tmp_path: Path) -> None:
    for name, count in (("a", 70), ("b", 84)):
        leave(tmp_path / name, partial(studies, count=count), settings=name, words=(f"augment={name}",))
    blocks = leaderboard([tmp_path], replicates=100).blocks
    assert [[row.name for row in block.rows] for block in blocks] == [["densenet169"], ["densenet169"]]


def test_values_written_in_two_ways_are_one_word(tmp_path: Path) -> None:
    words = {"a": ("backbone.pretrained=false", "optimizer.lr=1e-3", "augment=none"), "b": ("augment=light",)}
    words["b"] += ("backbone.pretrained=False", "optimizer.lr=0.001")
    for name, told in words.items():
        leave(tmp_path / name, partial(studies, seed=ord(name)), settings=name, words=told)
    rows = leaderboard([tmp_path], replicates=100).blocks[0].rows
    assert sorted(row.name for row in rows) == ["densenet169 augment=light", "densenet169 augment=none"]


def test_rows_of_one_command_line_say_what_tells_them_apart(tmp_path: Path) -> None:
    for name, rate in (("a", 0.1), ("b", 0.2)):
        folder = leave(tmp_path / name, studies, settings=name, words=("augment=none",))
        (folder / "config.yaml").write_text(f"optimizer: {{lr: {rate}}}\nseed: {rate}\n")
    notes = leaderboard([tmp_path], replicates=100).notes
    assert notes[-1].endswith("have one command line and differ in their settings: optimizer.lr is 0.1 and 0.2")


@pytest.mark.parametrize("stored", [True, False])
def test_a_finding_has_its_own_auroc(tmp_path: Path, stored: bool) -> None:
    facts = {name: TaskFacts(unit="study", of="shoulder", groups=("view",)) for name in FINDINGS}
    folder = tmp_path / "r"
    frames = {split: findings(split=split, first=k * 900).assign(view="AP") for k, split in enumerate(("val", "test"))}
    for split, frame in frames.items():
        write(folder / "predictions" / f"{split}.parquet", frame, facts, {"name": "r"}, {})
    freeze(folder / "thresholds.json", {})
    told = to_records(score(read(folder / "predictions" / "test.parquet"), {}, replicates=100)) if stored else []
    (folder / "result.json").write_text(json.dumps({"source": "real", "scores": told}))
    board = leaderboard([folder], "shoulder", replicates=100)
    groups = groups_of(board.blocks[0], board.ranking.metric)
    assert groups == [f"finding={name.removeprefix('shoulder.')}" for name in FINDINGS]
    for name, group in zip(FINDINGS, groups, strict=True):
        table = units(frames["test"].query("task == @name"), facts[name]).dropna(subset="target")
        cell = board.blocks[0].rows[0].cells[board.ranking.key("macro_auroc", group)]
        assert cell.n == len(table)
        known = sk.roc_auc_score(table["target"], table["probability"]) if table["target"].nunique() > 1 else None
        assert cell.value == (None if known is None else pytest.approx(known))
    (panel,) = panels(board)
    assert panel.by_group == "AUROC by finding"
    assert to_table(board)["n_finding=implant"].tolist() == [cell.n]
    assert to_table(board)["prevalence_finding=implant"].tolist() == [0.0]


def test_scores_are_made_where_none_are_stored(tmp_path: Path) -> None:
    folder = leave(tmp_path / "r", studies, stored=False)
    row = leaderboard([folder], replicates=100).blocks[0].rows[0]
    assert row.cells[KAPPA].value == pytest.approx(studies_kappa(folder))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"metric": "kapa"}, "--metric kapa: the runs have .*Did you mean 'kappa'"),
        ({"metric": "bias"}, "--metric bias: the runs have"),
        ({"point": "frosen"}, "--point: found 'frosen', expected protocol or frozen.*Did you mean 'frozen'"),
        ({"task": "mora"}, "--task mora: no run that could be read has it.*Their tasks: mura.*Did you mean 'mura'"),
        ({"replicates": 10}, "100 or more"),
    ],
)
def test_what_is_asked_for_must_exist(two_recipes: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(OsteonError, match=f"(?s){words}"):
        leaderboard([two_recipes], **more)


def test_several_tasks_need_a_choice(tmp_path: Path) -> None:
    leave(tmp_path / "a", studies)
    leave(tmp_path / "b", partial(images, task="bone_age"), AGE)
    with pytest.raises(OsteonError, match=r"--task: the runs have mura, bone_age; choose one"):
        leaderboard([tmp_path])
    board = leaderboard([tmp_path], "bone_age")
    assert board.faults == []
    assert board.notes == ["left out, of other tasks: 1 run"]
