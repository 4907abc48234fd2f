"""A search: no trial twice and none lost, whoever is killed; nothing starts on a faulty space."""

import csv
import json
import re
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from tests.composing import config
from tests.launch.test_grid import alive, driver, starts, wait_for

from osteon.config import Search
from osteon.errors import OsteonError
from osteon.launch.history import write_trials
from osteon.launch.owners import ALIVE, OWNER, dead, owner
from osteon.launch.sampling import sampler
from osteon.launch.space import distribution, ends, flat, from_words, grid_size, grid_values, words
from osteon.launch.storages import hidden, storage_of
from osteon.launch.study import CONTINUES, REPLACED, Trials
from osteon.launch.trials import Objective

SPACE: dict[str, Any] = {"x": FloatDistribution(0.0, 1.0), "c": CategoricalDistribution(["a", "b"])}


def trials_of(folder: Path, **said: Any) -> Trials:
    said.setdefault("storage", str(folder / "s.journal"))  # made in no time; sqlite takes alembic a second
    return Trials(Search(**said), SPACE, "s", folder, {"settings": "one"}, "maximize", 4)


@pytest.mark.parametrize("storage", [pytest.param("", marks=pytest.mark.slow), "study.journal"])  # slow: sqlite's setup
def test_killed_and_resumed_by_two_processes(tmp_path: Path, storage: str) -> None:
    where = str(tmp_path / storage) if storage else ""
    first = driver("search", str(tmp_path), "20", "2", "0.4", where)
    wait_for(lambda: (tmp_path / "trial-0011").is_dir(), 120)
    first.kill()
    first.wait()
    killed = [int(line) for file in tmp_path.glob("*/starts.txt") for line in file.read_text().split()]
    wait_for(lambda: not any(alive(number) for number in killed))
    both = [driver("search", str(tmp_path), "20", "2", "0.4", where) for _ in range(2)]
    said = [process.communicate(timeout=240)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    study = optuna.load_study(study_name="stubs", storage=storage_of(where or str(tmp_path / "study.db")))
    ended = [one for one in study.trials if not one.user_attrs.get(REPLACED)]
    assert len(ended) == 20, "none lost, none too many"
    assert {one.state for one in ended} <= {TrialState.COMPLETE, TrialState.PRUNED}, [
        (o.number, o.state, o.user_attrs) for o in ended
    ]
    assert sum(one.state is TrialState.PRUNED for one in ended) >= 1
    drawn = Counter(json.dumps(one.params, sort_keys=True) for one in ended)
    assert max(drawn.values()) == 1, "no trial twice"
    replaced = {one.number for one in study.trials if one.user_attrs.get(REPLACED)}
    assert replaced, "two were at work when the process was killed"
    assert replaced == {one.user_attrs[CONTINUES] for one in ended if CONTINUES in one.user_attrs}
    for one in ended:
        if CONTINUES in one.user_attrs:
            before = study.trials[one.user_attrs[CONTINUES]].params
            assert before in ({}, one.params), "killed before it was drawn, or drawn alike"
    names = {f"trial-{one.number:04d}" for one in ended}
    assert {file.name for file in tmp_path.glob("trial-*")} == names, "a trial's number is its folder"
    again = {name for name, count in starts(tmp_path).items() if count > 1}
    assert again <= {f"trial-{one.number:04d}" for one in ended if CONTINUES in one.user_attrs}
    pruned = {f"trial-{one.number:04d}" for one in ended if one.state is TrialState.PRUNED}
    assert pruned == {file.parent.name for file in tmp_path.glob("*/pruned.txt")}
    for one in ended:
        if one.state is TrialState.COMPLETE:
            assert one.value == pytest.approx(one.params["score"])


def test_samplers_draw_no_trial_twice_after_a_resume(tmp_path: Path) -> None:
    for kind in ("tpe", "random", "cmaes"):
        drawn = []
        for _ in range(3):
            trials = trials_of(tmp_path / kind, trials=9, sampler=kind, startup_trials=2)
            for _ in range(3):
                trial = trials.ask()
                assert trial is not None
                drawn.append(json.dumps(trial.params))
                trials.tell(trial.number, trial.params["x"])
        assert trials.ask() is None
        assert len(set(drawn)) == 9, kind


def test_the_same_seed_draws_the_same_first_trials(tmp_path: Path) -> None:
    first, again, other = (
        [
            trials.ask().params
            for trials in [trials_of(tmp_path / str(n), seed=seed, sampler="random")]
            for _ in range(3)
        ]  # type: ignore[union-attr]
        for n, seed in enumerate((0, 0, 1))
    )
    assert first == again
    assert first != other


def test_a_grid_is_walked_once_over_restarts(tmp_path: Path) -> None:
    over = {"a": CategoricalDistribution([1, 2, 3]), "b": IntDistribution(2, 6, step=2)}
    seen = []
    while True:
        search = Search(sampler="grid", trials=99, storage=str(tmp_path / "g.journal"))
        trials = Trials(search, over, "g", tmp_path, {}, "maximize", 1)
        assert trials.total == 9
        trial = trials.ask()
        if trial is None:
            break
        seen.append((trial.params["a"], trial.params["b"]))
        trials.tell(trial.number, 1.0)
    assert sorted(seen) == [(a, b) for a in (1, 2, 3) for b in (2, 4, 6)]


def test_a_study_of_something_else_is_named(tmp_path: Path) -> None:
    trial = trials_of(tmp_path).ask()
    assert trial is not None
    where = str(tmp_path / "s.journal")
    with pytest.raises(OsteonError, match=r"holds another study named 's':\n  settings: it has 'one', found 'two'"):
        Trials(Search(storage=where), SPACE, "s", tmp_path, {"settings": "two"}, "maximize", 4)
    trials_of(tmp_path)  # the same is gone on with


@pytest.mark.parametrize("name", ["study.db", "study.journal"])
def test_a_storage_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"these are no trials\n" * 300)
    with pytest.raises(OsteonError, match=f"sweep.storage: .*{name} cannot be used"):
        trials_of(tmp_path, storage=str(file))


def test_a_database_of_somebody_else_is_named(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "study.db") as base:
        base.execute("create table studies (name text)")
    with pytest.raises(OsteonError, match="cannot be used"):
        trials_of(tmp_path, storage=str(tmp_path / "study.db"))
    with pytest.raises(OsteonError, match=r"expected a path ending in .db or .journal"):
        trials_of(tmp_path, storage="study.txt")


def test_a_password_is_not_told() -> None:
    assert hidden("cannot reach postgresql://me:s3cret@host/x") == "cannot reach postgresql://me:***@host/x"


def test_whose_process_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = trials_of(tmp_path)
    trial = trials.ask()
    assert trial is not None

    def state() -> Any:
        return trials.study.get_trials(deepcopy=True)[0]

    assert not dead(state())
    trial.set_user_attr(OWNER, re.sub(r":\d+$", ":1", owner()))  # its number is another process's by now
    assert dead(state())
    trial.set_user_attr(OWNER, "elsewhere:77:1")
    assert not dead(state())
    trial.set_user_attr(ALIVE, time.time() - 1000)
    assert dead(state())
    trial.set_user_attr(OWNER, "")
    assert dead(state())


def test_a_failed_trial_takes_its_place(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, trials=2)
    for state in ("FAIL", "PRUNED"):
        trial = trials.ask()
        assert trial is not None
        trial.report(0.5, 0)
        trials.tell(trial.number, None, state, "no luck")
    assert trials.ask() is None
    assert [one.value for one in trials.finished()][1] == 0.5, "of a pruned trial its last report"


def test_trials_of_others_are_counted_and_a_killed_one_is_told_as_replaced(tmp_path: Path) -> None:
    killed = trials_of(tmp_path, trials=3)
    assert killed.standing() == (0, None)
    for value in (0.75, None):
        trial = killed.ask()
        assert trial is not None
        if value is not None:
            killed.tell(trial.number, value)
    trial.set_user_attr(OWNER, "")
    trials = trials_of(tmp_path, trials=3)
    assert trials.standing() == (1, (0.75, "trial-0000"))
    again = trials.ask()
    assert again is not None
    trials.tell(again.number, 0.5)
    assert trials.standing() == (2, (0.75, "trial-0000"))
    write_trials(tmp_path, trials)
    with (tmp_path / "trials.csv").open(newline="") as handle:
        told = [(row["trial"], row["state"], row["continues"]) for row in csv.DictReader(handle)]
    assert told == [("0", "finished", ""), ("1", "replaced", ""), ("2", "finished", "1")]


def test_spaces_are_read(tmp_path: Path) -> None:
    said = flat(
        {"optimizer": {"lr": {"low": 1e-5, "high": 0.1, "log": True}}, "augment": ["light", "none"], "a.b": [1]}
    )
    assert set(said) == {"optimizer.lr", "augment", "a.b"}
    assert flat({"optimizer.lr": [1.0], "optimizer": {"lr": None}, "augment": None, "seed": [1]}) == {"seed": [1]}
    assert distribution("lr", said["optimizer.lr"]) == FloatDistribution(1e-5, 0.1, log=True)
    assert distribution("n", {"low": 1, "high": 4}) == IntDistribution(1, 4)
    assert words({"a": 1e-05, "b": None, "c": True, "d": "x", "e": 3}) == ["a=1e-05", "b=null", "c=true", "d=x", "e=3"]
    assert ends(FloatDistribution(1, 2)) == [1, 2]
    over = {"a": FloatDistribution(0.0, 0.3, step=0.1), "b": CategoricalDistribution([None, 1])}
    assert grid_size(over) == 8
    assert grid_values(over)["a"] == pytest.approx([0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("optimizer.lr=interval(0.1,1)", FloatDistribution(0.1, 1.0)),
        ("optimizer.lr=tag(log,interval(1e-5,1e-2))", FloatDistribution(1e-5, 1e-2, log=True)),
        ("seed=range(0,10,3)", IntDistribution(0, 9, step=3)),
        ("seed=range(5,1,-2)", IntDistribution(3, 5, step=2)),
        ("augment.scale=range(0,1,0.25)", FloatDistribution(0.0, 0.75, step=0.25)),
        ("backbone=resnet18,resnet50", CategoricalDistribution(["resnet18", "resnet50"])),
    ],
)
def test_the_command_line_sweeps_over_what_a_grid_of_it_would(word: str, expected: Any) -> None:
    assert from_words([word, "task=mura"], None) == ({word.partition("=")[0]: expected}, ["task=mura"])
    with pytest.raises(OsteonError, match=r"seed=range.*empty range"):
        from_words(["seed=range(3,3)"], None)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "found \\[\\], expected a list of values"),
        (3, "found 3, expected a list"),
        ({"low": 1}, "expected a list of values, or low and high"),
        ({"low": 1, "high": 0}, "low <= high"),
        ({"low": 0, "high": 1, "log": True}, "low"),
        ({"low": "a", "high": 1}, "expected numbers"),
        ([[1]], "among its values"),
        ({"low": 0, "high": 1, "stp": 1}, "expected a list"),
    ],
)
def test_a_faulty_space_is_named(said: Any, message: str) -> None:
    with pytest.raises(OsteonError, match=f"sweep.space.lr: .*{message}"):
        distribution("lr", said)
    with pytest.raises(OsteonError, match="a grid needs values"):
        grid_values({"lr": FloatDistribution(0, 1)})


def test_objectives() -> None:
    plain = config("backbone=resnet18")
    assert (Objective(None, plain).name, Objective(None, plain).direction) == ("val/hip_fracture/auroc", "maximize")
    months = Objective(None, config("task=bone_age"))
    assert (months.name, months.direction) == ("val/bone_age/mae", "minimize")
    assert months.of_epoch({"val/monitor": -8.5}) == 8.5
    joint = config("task=[mura,bone_age]")
    assert (Objective(None, joint).name, Objective(None, joint).direction) == ("val/monitor", "maximize")
    assert Objective("val/bone_age/mae", joint).direction == "minimize"
    assert Objective("val/bone_age/mae", joint).of_epoch({"val/bone_age/mae": 3.0, "val/monitor": 0.0}) == 3.0
    with pytest.raises(OsteonError, match="no epoch logs 'val/hip_fracture/kappa'"):
        Objective("val/hip_fracture/kappa", plain)
    with pytest.raises(OsteonError, match="Nothing is tuned on test"):
        Objective("test/hip_fracture/auroc", plain)


def test_trials_side_by_side_are_seeded_by_their_number() -> None:
    over = {"x": FloatDistribution(0, 1)}
    search = Search(sampler="tpe", seed=3)
    drawn = []
    for number in (0, 1, 0):
        study = optuna.create_study(sampler=sampler(search, over, number, 9))
        drawn.append(study.ask(over).params["x"])
    assert drawn[0] == drawn[2] != drawn[1]
