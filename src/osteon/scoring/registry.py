"""Every metric: which heads have it, which way is better, whether it needs a threshold, how its interval is made."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.scoring import calibration, counts, deviation, froc, grades, precision, ranking
from osteon.scoring.sample import Evaluate, Sample, mean_of

Prepare = Callable[[Sample], Evaluate]
Success = Callable[[Sample], NDArray[np.bool_]]
# Worse than any that is found: what an error without a labelled unit counts as.
WORST = 1e9


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as in the score table and in `monitor`.
        heads: how to prepare it for each kind of head that has it.
        higher_is_better: its direction.
        needs_threshold: whether it is a metric of called classes, so that it exists at each operating point.
        range: least and greatest value.
        fallback: what an undefined value counts as where a number must be had (the monitored metric): chance, or worst.
        scale: where it has the jackknife's interval, the key of `jackknife.SCALES`, or `mover`.
        success: where it is a share of all units, which of them count.
        ranks: whether it compares the scores of units with each other.
        monitored: whether it has a better and a worse, so that an epoch can be chosen by it.
    """

    name: str
    heads: dict[str, Prepare]
    higher_is_better: bool = True
    needs_threshold: bool = False
    range: tuple[float, float] = (0.0, 1.0)
    fallback: float = 0.0
    scale: str = ""
    success: Success | None = None
    ranks: bool = False
    monitored: bool = True

    def prepare(self, sample: Sample, head: str) -> Evaluate:
        """Sort and count once; the result evaluates any weights."""
        return self.heads[head](sample)


def share(name: str, heads: tuple[str, ...], success: Success) -> Metric:
    """Return the metric of the share of units that `success` holds for."""

    def prepare(sample: Sample) -> Evaluate:
        return mean_of(sample, success(sample).astype(np.float64))

    return Metric(name, dict.fromkeys(heads, prepare), success=success)


def recall(place: str) -> Metric:
    """Return the metric of the recall of one class, told by its index."""
    index = int(place)
    prepare = counts.multiclass(counts.recall(index))
    return Metric(f"recall_{index}", dict.fromkeys(("multiclass", "ordinal"), prepare), needs_threshold=True)


def within(margin: str) -> Metric:
    """Return the metric of the share of units that are at most `margin` of the unit off."""
    return share(f"within_{int(margin)}", ("regression",), deviation.within(int(margin)))


def ap50(name: str) -> Metric:
    """Return the metric of the average precision of one class of boxes."""
    return Metric(f"ap50_{name}", {"detection": precision.ap50(name)}, ranks=True)


def _of_boxes(name: str, prepare: Prepare, **more: bool) -> Metric:
    return Metric(name, {"detection": prepare}, ranks=True, **more)  # type: ignore[arg-type]


def _called(name: str, formula: counts.Formula, several: counts.Several | None = None) -> Metric:
    more = dict.fromkeys(("multiclass", "ordinal"), counts.multiclass(several)) if several else {}
    return Metric(name, {"binary": counts.binary(formula), **more}, needs_threshold=True)


def _error(name: str, prepare: Prepare, heads: tuple[str, ...]) -> Metric:
    """Return the metric of an error: 0 at best, with a long tail."""
    top = (0.0, float("inf"))
    return Metric(name, dict.fromkeys(heads, prepare), False, range=top, fallback=WORST, scale="log")


def _number(name: str, prepare: Prepare, scale: str, range: tuple[float, float], **more: float | bool) -> Metric:  # noqa: A002
    return Metric(name, {"regression": prepare}, range=range, scale=scale, **more)  # type: ignore[arg-type]


_ANY = (float("-inf"), float("inf"))
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auroc", {"binary": ranking.auroc}, fallback=0.5, ranks=True),
        Metric(
            "macro_auroc",
            {"multiclass": ranking.macro_auroc, "multilabel": ranking.of_labels(ranking.auroc)},
            fallback=0.5,
            ranks=True,
        ),
        Metric("average_precision", {"binary": ranking.average_precision}, ranks=True),
        Metric("macro_average_precision", {"multilabel": ranking.of_labels(ranking.average_precision)}, ranks=True),
        Metric("brier", {"binary": calibration.brier}, False, fallback=1.0),
        Metric("multiclass_brier", {"multiclass": calibration.multiclass_brier}, False, range=(0.0, 2.0), fallback=2.0),
        Metric("log_loss", {"multiclass": calibration.log_loss}, False, range=(0.0, float("inf")), fallback=36.1),
        Metric("ece", {"binary": calibration.ece}, False, fallback=1.0),
        Metric(
            "quadratic_kappa",
            {"ordinal": counts.multiclass(grades.quadratic_kappa)},
            range=(-1.0, 1.0),
            scale="fisher z",
        ),
        Metric(
            "kappa",
            {"binary": counts.binary(counts.kappa), "multiclass": counts.multiclass(counts.multiclass_kappa)},
            needs_threshold=True,
            range=(-1.0, 1.0),
        ),
        _called("sensitivity", counts.sensitivity),
        _called("specificity", counts.specificity),
        _called("ppv", counts.ppv),
        _called("npv", counts.npv),
        _called("accuracy", counts.accuracy, counts.multiclass_accuracy),
        _called("balanced_accuracy", counts.balanced_accuracy, counts.multiclass_balanced_accuracy),
        _called("f1", counts.f1),
        share("top2", ("multiclass",), ranking.among(2)),
        share("top3", ("multiclass",), ranking.among(3)),
        share("off_by_one", ("ordinal",), grades.off_by_one),
        _error("mae", deviation.mae, ("regression", "ordinal")),
        _error("mse", deviation.mse, ("ordinal",)),
        _error("class_mae", grades.class_mae, ("ordinal",)),
        _error("class_mse", grades.class_mse, ("ordinal",)),
        Metric("auroc_at_cut", {"ordinal": grades.auroc_at_cut}, fallback=0.5, ranks=True),
        _error("rmse", deviation.rmse, ("regression",)),
        _number("bias", deviation.bias, "plain", _ANY, monitored=False),
        _number("loa_low", deviation.limit(-1), "mover", _ANY, monitored=False),
        _number("loa_high", deviation.limit(1), "mover", _ANY, monitored=False),
        within("12"),
        _number("pearson", deviation.pearson, "fisher z", (-1.0, 1.0)),
        _number("r2", deviation.r2, "log of the rest", (float("-inf"), 1.0), fallback=-WORST),
        _of_boxes("map50", precision.mean_precision((0,))),
        _of_boxes("map50_95", precision.mean_precision(precision.ALL_LEVELS)),
        # Val may have no class of so many boxes: every epoch would count the same.
        _of_boxes("map50_frequent", precision.mean_precision((0,), precision.frequent), monitored=False),
        _of_boxes("froc", froc.sensitivity_at(froc.RATES)),
        *(_of_boxes(f"froc_{rate:g}", froc.sensitivity_at((rate,))) for rate in froc.RATES),
        Metric("lesion_sensitivity", {"detection": froc.lesion_sensitivity}, needs_threshold=True),
        Metric(
            "fp_per_image",
            {"detection": froc.fp_per_image},
            higher_is_better=False,
            needs_threshold=True,
            range=(0.0, float("inf")),
            fallback=WORST,
            scale="log",
            monitored=False,
        ),
    )
}
# Scores in the unit of a number that is predicted.
IN_UNITS = ("mae", "rmse", "bias", "loa_low", "loa_high")
# What the binomial formulas hold for: shares of units.
PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
