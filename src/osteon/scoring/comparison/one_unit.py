"""Tests of a difference that hold where every patient has one unit: DeLong's of the AUROC, McNemar's of accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.comparison.paired import Contrast
from osteon.scoring.delong import components
from osteon.scoring.grades import at_cut
from osteon.scoring.sample import Floats

RANKED = ("auroc", "auroc_at_cut")


@dataclass(frozen=True)
class Tested:
    """A test beside the bootstrap: its name and two-sided p, or in `note` why there is none."""

    name: str | None = None
    p: float | None = None
    note: str = ""


def by_formula(contrast: Contrast) -> Tested:
    """Return DeLong's test of an AUROC, McNemar's exact one of an accuracy, nothing for other metrics.

    Refused, with the reason, where a patient has several units: both take units for independent.
    """
    name = {**dict.fromkeys(RANKED, "DeLong"), "accuracy": "McNemar"}.get(contrast.metric.name)
    sample = contrast.first
    if name is None or not len(sample.target):
        return Tested()
    if not sample.independent:
        several = int((np.bincount(sample.cluster) > 1).sum())
        return Tested(note=f"{name} refused: {several} of {sample.clusters} patients have several units")
    return _delong(contrast) if name == "DeLong" else _mcnemar(contrast)


def _delong(contrast: Contrast) -> Tested:
    made = contrast.a, contrast.b
    if contrast.metric.name == "auroc_at_cut":
        made = tuple(map(at_cut, contrast.a)), tuple(map(at_cut, contrast.b))
    positive = made[0][0].target == 1
    if min(positive.sum(), (~positive).sum()) < 2:
        return Tested(note="DeLong needs two positives and two negatives")
    p = delong([sample.score for sample in made[0]], [sample.score for sample in made[1]], positive)
    return Tested("DeLong", p) if p is not None else Tested(note="DeLong: no spread to measure")


def delong(a: Sequence[Floats], b: Sequence[Floats], positive: NDArray[np.bool_]) -> float | None:
    """Return the two-sided p of mean AUROC of B's trainings = mean AUROC of A's; None where there is no spread.

    z = difference / its standard error, the variance of the differences of the structural components, each kind over
    its count: the contrast of correlated AUROCs of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837.

    Args:
        a: (n,) scores of each training of A.
        b: those of B, of the same units.
        positive: (n,) which units are positive; two or more are, and two or more are not.
    """
    from scipy.special import ndtr

    of_a, of_b = (np.mean([components(score, positive) for score in scores], axis=0) for scores in (a, b))
    parts = of_b - of_a
    variance = sum(np.var(parts[kind], ddof=1) / kind.sum() for kind in (positive, ~positive))
    difference = float(parts[positive].mean())
    if variance < 1e-15:
        return 1.0 if abs(difference) < 1e-12 else None
    return float(2 * ndtr(-abs(difference) / np.sqrt(variance)))


def _mcnemar(contrast: Contrast) -> Tested:
    if len(contrast.a) > 1 or len(contrast.b) > 1:
        return Tested(note="McNemar refused: several trainings a side")
    a, b = (samples[0].call == samples[0].target for samples in (contrast.a, contrast.b))
    return Tested("McNemar", mcnemar(a, b))


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the exact two-sided p that A and B are right equally often; 1 where they never differ.

    Of the units that only one of them has right, A's share is binomial with 1/2. McNemar (1947), Psychometrika 12:153.

    Args:
        a: (n,) which units A has right.
        b: which B has right.
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact

    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    return float(exact(table, exact=True).pvalue)
