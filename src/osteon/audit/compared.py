"""One baseline against the model, on the same units of test."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.audit.features import Baseline
from osteon.audit.ridge import decode, fit_on_train
from osteon.manifest import Target
from osteon.predictions import TaskFacts
from osteon.scoring.comparison.paired import Contrast, drawn, interval
from osteon.scoring.metrics import METRICS, Metric, estimate, sample_of
from osteon.scoring.rows import LEAST_REPLICATES, Job, computed
from osteon.scoring.sample import Sample
from osteon.scoring.units import units

# What a baseline is held to the model by, and what an answer that knows nothing scores.
MEASURE = {"binary": "auroc", "multiclass": "macro_auroc", "ordinal": "quadratic_kappa", "regression": "mae"}
CHANCE = {"auroc": 0.5, "macro_auroc": 0.5, "quadratic_kappa": 0.0}
# A baseline that has this share of what the model has above chance comes near it.
NEAR = 0.5
FEWEST = 10  # labelled train images


@dataclass(frozen=True)
class Asked:
    """One task as it is audited.

    Attributes:
        task: its name.
        facts: of it.
        test: its image predictions of test.
        truth: (N,) labels of the manifest's rows.
        train: (N,) bool.
        image_id: (N,) of the manifest.
        replicates: bootstrap replicates behind the paired interval.
    """

    task: str
    facts: TaskFacts
    test: pd.DataFrame
    truth: NDArray[np.float64]
    train: NDArray[np.bool_]
    image_id: pd.Series
    replicates: int

    @property
    def metric(self) -> Metric:
        """The metric that baselines are held to the model by."""
        return METRICS[MEASURE[self.facts.head]]


def compared(asked: Asked, baseline: Baseline) -> dict[str, Any]:
    """Return a row: the baseline's score with its interval, the model's, the paired difference, and the verdict.

    The baseline is ridge regression on train images, pooled to units as the model's answers are. `share` is what it has
    of the model's advantage over chance. `verdict`: "shortcut" where it scores better than chance, and is not shown to
    be worse than the model or has half of its advantage; "weak" where the model is not shown to be better, nor the
    baseline better than chance; "" where the model stands clear; "not judged" with the reason in `note`.
    """
    row: dict[str, Any] = {"task": asked.task, "kind": "baseline", "name": baseline.name, "shown": baseline.words}
    row |= {"metric": asked.metric.name, "unit": asked.facts.unit}
    made = units(asked.test, asked.facts)
    made = made[made["target"].notna()]
    if why := _lacking(asked, baseline, made):
        return row | {"verdict": "not judged", "note": why}
    answered = units(_answers(asked, baseline), asked.facts).loc[made.index]
    model, other = sample_of(made, asked.facts), sample_of(answered, asked.facts)
    row |= {"n": len(made), "n_clusters": model.clusters}
    return row | _judged(asked, model, other, _chance(asked, made))


def _lacking(asked: Asked, baseline: Baseline, made: pd.DataFrame) -> str:
    """Say why a baseline cannot be judged; "" where it can."""
    known = asked.train & ~np.isnan(asked.truth) & np.isfinite(baseline.features).all(1)
    if known.sum() < FEWEST:
        return f"{int(known.sum())} labelled train images, {FEWEST} are needed"
    if len(np.unique(asked.truth[known])) < 2:
        return "train has one outcome only"
    if not np.ptp(baseline.features[known], axis=0).any():
        return "it is the same on all train images"
    if made["target"].nunique() < 2:
        return f"test has {len(made)} labelled units" + (" of one outcome" if len(made) else "")
    return ""


def _answers(asked: Asked, baseline: Baseline) -> pd.DataFrame:
    """Return the image predictions of test with the baseline's answers in place of the model's."""
    facts = asked.facts
    kind: Any = facts.head
    target = Target(
        "", kind, facts.classes if facts.head in ("multiclass", "ordinal") else (), low=facts.low, high=facts.high
    )
    usable = np.asarray(np.isfinite(baseline.features).all(1), bool)
    features = np.where(
        usable[:, None], baseline.features, np.nan_to_num(baseline.features[asked.train & usable].mean(0))
    )
    fitted = fit_on_train(features, asked.truth, asked.train & usable, target)
    place = pd.Series(np.arange(len(asked.image_id)), index=asked.image_id)
    rows = place.reindex(asked.test["image_id"]).to_numpy(np.intp)
    columns = decode(fitted(features[rows]), fitted, target)
    return asked.test.assign(**{name: list(values) for name, values in columns.items()})


def _chance(asked: Asked, made: pd.DataFrame) -> float:
    """Return what an answer that knows nothing scores; of a number, the error of always saying train's median."""
    if asked.metric.name in CHANCE:
        return CHANCE[asked.metric.name]
    middle = np.nanmedian(asked.truth[asked.train])
    return float(np.abs(made["target"].to_numpy(np.float64) - middle).mean())


def _judged(asked: Asked, model: Sample, other: Sample, chance: float) -> dict[str, Any]:
    metric, head = asked.metric, asked.facts.head
    own = next(computed([Job(metric, other)], head, "", LEAST_REPLICATES, 0))
    value = estimate(metric, model, head)
    row = {name: own[name] for name in ("value", "lo", "hi", "method")} | {"model": value, "chance": chance}
    if value is None or own["value"] is None:
        return row | {"verdict": "not judged", "note": f"{metric.name} is undefined on test"}
    contrast = Contrast(metric, head, (other,), (model,))
    draws, apart = drawn([contrast], asked.replicates, 0)[0], value - own["value"]
    found = interval(draws, model.clusters, contrast.differing())
    sign = 1 if metric.higher_is_better else -1
    ahead, gained = sign * (value - chance), sign * (own["value"] - chance)
    share = gained / ahead if ahead > 0 else None
    row |= {"difference": apart, "difference_lo": found.low, "difference_hi": found.high, "share": share}
    if found.low is None or found.high is None:
        return row | {"verdict": "not judged", "note": "; ".join(found.notes)}
    clear = sign * found.low > 0 and sign * found.high > 0
    worst = own["lo"] if sign > 0 else own["hi"]
    knows = worst is not None and sign * (worst - chance) > 0
    near = share is not None and share >= NEAR
    return row | {"verdict": "shortcut" if knows and (near or not clear) else "" if clear else "weak"}
