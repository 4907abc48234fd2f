"""Every subset scored at once is every subset scored alone."""

import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from osteon.ensemble.bulk import COUNTED, auroc, scores_of
from osteon.ensemble.search import Search, subsets
from osteon.ensemble.show import searched
from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, read
from osteon.scoring.metrics import metric, monitor
from osteon.scoring.ranking import auroc as prepared_auroc
from osteon.scoring.sample import Sample
from tests.ensemble.conftest import FINDINGS, Blend, Make

pytestmark = pytest.mark.filterwarnings("ignore:kappa", "ignore:quadratic_kappa")


@pytest.mark.parametrize(
    ("task", "name"),
    [("fracture", "auroc"), ("fracture", "kappa"), ("fracture", "balanced_accuracy"), ("fracture", "brier"),
     ("type", "macro_auroc"), ("type", "kappa"), ("grade", "quadratic_kappa"), ("grade", "mae"), ("age", "mae")],
)  # fmt: skip
@pytest.mark.parametrize("rule", ["mean", "vote", "median"])
def test_each_subset_scores_as_the_ensemble_of_it_alone(
    make: Make, blend: Blend, task: str, name: str, rule: str
) -> None:
    if (task, rule) == ("age", "vote"):
        pytest.skip("nobody votes on a number")
    folders = [make(seed, (task,)) for seed in range(3)]
    found = blend(folders, search=True, metric=name, rule=rule).searches[task]
    assert found.metric == name
    for row, val, test in zip(found.chosen, found.val, found.test, strict=True):
        inside = [folder for folder, chosen in zip(folders, row, strict=True) if chosen]
        if len(inside) < 2 and rule != "mean":
            continue
        folder = inside[0] if len(inside) == 1 else blend(inside, str(row), rule=rule).folder
        for split, value in (("val", val), ("test", test)):
            told = read(folder / "predictions" / f"{split}.parquet")
            facts = TaskFacts.from_json(told.tasks[task].to_json() | {"monitor": name})
            assert value == monitor(told.frame, facts), "to the last digit"


@pytest.mark.parametrize("pool", ["mean", "max", "noisy_or", "vote"])
def test_units_are_pooled_as_the_task_says(make: Make, blend: Blend, pool: str) -> None:
    from tests.ensemble.test_refusals import described

    folders = [described(make(seed), "fracture", pool=pool) for seed in range(3)]
    found = blend(folders, search=True).searches["fracture"]
    told = read(blend(folders, "all").folder / "predictions" / "test.parquet")
    assert found.test[-1] == monitor(told.frame, told.tasks["fracture"])


def test_a_searched_ensemble_says_how_many_take_part_and_never_calls_itself_best(make: Make, blend: Blend) -> None:
    made = blend([make(seed) for seed in range(3)], search=True)
    inside = [f"net{k}" for k, weight in enumerate(made.weights["fracture"]) if weight > 0]
    told = read(made.folder / "predictions" / "test.parquet").run["backbone"]
    assert told == f"mean of {len(inside)} of 3 (chosen on val): {', '.join(inside)}"


def test_findings_share_one_subset_chosen_by_their_mean(make: Make, blend: Blend) -> None:
    folders = [make(seed, tuple(FINDINGS)) for seed in range(3)]
    made = blend(folders, search=True)
    assert list(made.searches) == list(made.weights) == ["shoulder"]
    told = read(made.folder / "predictions" / "val.parquet")
    values = [monitor(told.frame[told.frame["task"] == name], facts) for name, facts in told.tasks.items()]
    kept = [value for value, name in zip(values, told.tasks, strict=True) if name != "shoulder.implant"]
    found = made.searches["shoulder"]
    assert found.val[found.best] == pytest.approx(np.mean(kept)), "the finding of one outcome is left out"


@pytest.mark.parametrize(("members", "count"), [(1, 1), (2, 3), (9, 511)])
def test_all_subsets_by_size(members: int, count: int) -> None:
    found = subsets(members)
    assert len({tuple(row) for row in found}) == len(found) == count
    assert found.any(1).all()
    assert (np.diff(found.sum(1)) >= 0).all()


def test_too_many_members_are_refused() -> None:
    with pytest.raises(OsteonError, match=r"--search: found 13 members, whose 8,191 subsets"):
        subsets(13)


def search_of(val: list[float], test: list[float], higher: bool = True) -> Search:
    return Search("auroc" if higher else "brier", higher, subsets(2), np.array(val), np.array(test))


@pytest.mark.parametrize(
    ("val", "higher", "best"),
    [
        ([0.7, 0.8, 0.8], True, 1),
        ([0.7, np.nan, 0.9], True, 2),
        ([0.1, 0.2, 0.05], False, 2),
        ([0.1, 0.1, 0.1], False, 0),
    ],
)
def test_the_best_on_val_with_fewest_members(val: list[float], higher: bool, best: int) -> None:
    assert search_of(val, [0.0, 0.0, 0.0], higher).best == best


def test_what_test_would_have_chosen_is_shown_as_optimistic() -> None:
    found = search_of([0.9, 0.8, 0.7], [0.6, 0.7, 0.75])
    lines = searched("hip", found, ["a", "b"])
    assert lines[0] == "hip: 3 subsets of 2 members, by AUROC on val"
    assert lines[2].split() == ["chosen", "on", "val", "0.900", "0.600", "a"]
    assert lines[-2].split() == ["(chosen", "on", "test)", "0.700", "0.750", "a", "+", "b"]
    assert lines[-1] == "  Chosen on test it would look 0.150 better: optimism, not a result."


@pytest.mark.parametrize("levels", [3, 20, 10_000])
def test_areas_of_many_columns_are_those_of_the_score_table(levels: int) -> None:
    rng = np.random.default_rng(levels)
    positive = rng.random(150) < 0.3
    score = np.round(np.clip(rng.normal(0.4 + 0.2 * positive, 0.2, (40, 150)), 0, 1) * levels) / levels
    found = auroc(score, positive)
    for row, value in zip(score, found, strict=True):
        sample = Sample(positive.astype(np.intp), row, positive.astype(np.intp), np.arange(150))
        assert value == prepared_auroc(sample)(sample.one())[0]
    assert np.isnan(auroc(score, np.ones(150, bool))).all()


def nine(units: int = 1199, images: int = 3197) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    study = np.sort(np.concatenate([np.arange(units), rng.integers(0, units, images - units)]))
    target = (rng.random(units) < 0.45)[study]
    return np.clip(rng.normal(0.35 + 0.3 * target, 0.25, (9, images)), 0, 1), study


def test_511_subsets_of_1199_studies_within_seconds(tmp_path: Path) -> None:
    """benchmarks/subset_search.py tells how long it takes; here it must not fall back to one by one."""
    import pandas as pd

    from osteon.ensemble.answers import Answers
    from osteon.ensemble.search import subset_scores

    score, study = nine()
    rows = pd.DataFrame({"unit_id": study.astype(str), "group_id": (study // 2).astype(str), "source": "real"})
    rows = rows.assign(image_id=np.arange(len(study)).astype(str), target=(study % 3 == 0) * 1.0, probability=score[0])
    found, facts = Answers(rows, score, np.empty(0)), TaskFacts(unit="study")
    start = time.process_time()
    both = [subset_scores(found, facts, subsets(9), "mean", metric(name, "binary")) for name in ("auroc", "kappa")]
    assert time.process_time() - start < 10
    assert [len(one) for one in both] == [511, 511]


def test_every_counted_metric_is_a_metric() -> None:
    for name in COUNTED:
        assert metric(name, "binary").needs_threshold
    assert len(list(combinations(COUNTED, 1))) == 8
    assert callable(scores_of)
