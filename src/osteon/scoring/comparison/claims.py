"""What may be claimed of a comparison, in sentences that a clinician reads; never more than the table holds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from osteon.scoring.comparison.table import Comparison
from osteon.scoring.comparison.words import chance, decimals_of, named, p_is, plural, small
from osteon.scoring.metrics import METRICS
from osteon.scoring.registry import IN_UNITS

LEVEL = 0.05
_PHANTOM = "Phantoms are drawn images, not patients: nothing above is a claim about patients."


def claims(found: Comparison) -> list[str]:
    """Return a sentence a task and chosen metric, one on its groups, and what the interval covers.

    A difference is claimed where Holm's p is 0.05 or less and the interval leaves out 0.
    """
    said: list[str] = []
    for task, metrics in found.chosen.items():
        rows = found.table[(found.table["task"] == task) & found.table["metric"].isin(metrics)]
        for (metric, _), part in rows.groupby(["metric", rows["operating_point"].fillna("")], sort=False):
            unit = f" {found.units[task]}" if metric in IN_UNITS and found.units.get(task) else ""
            said += _of_metric(part, f"{task}, " if len(found.chosen) > 1 else "", unit)
    phantom = found.table["source"].str.contains("phantom").any()
    return [*said, _covers(found), *([_PHANTOM] if phantom else [])]


def claimed(row: Any) -> bool:
    """Return whether a row's difference may be claimed."""
    return beyond(row.p_holm, row.lo, row.hi)


def beyond(p: Any, low: Any, high: Any) -> bool:
    """Return whether p is at most 0.05 and the interval leaves out 0; None and NaN: there is none."""
    return bool(pd.notna(p) and p <= LEVEL and pd.notna(low) and pd.notna(high) and low * high > 0)


def better(row: Any) -> str:
    """Return which side a row's difference favours, "" where the metric has no better and worse."""
    item = METRICS.get(row.metric)
    if item is not None and not item.monitored:
        return ""
    higher = item.higher_is_better if item is not None else True
    return "B" if (row.difference > 0) == higher else "A"


def _of_metric(part: pd.DataFrame, start: str, unit: str) -> Iterator[str]:
    decimals, groups = decimals_of(part), part[(part["group"] != "all") & part["p"].notna()]
    for row in part[part["group"] == "all"].itertuples():
        yield _capital(_stamp(row) + start + _point(row) + _sentence(row, unit, decimals))
    if len(groups):
        yield _of_groups(groups, start)


def _of_groups(rows: pd.DataFrame, start: str) -> str:
    """Say for which groups a difference is claimed, all others as those for which none can be."""
    first = next(rows.itertuples())
    found: dict[str, list[str]] = {}
    for row in rows.itertuples():
        side = (better(row) or "differs") if claimed(row) else ""
        found.setdefault(side, []).append(str(row.group))
    words = {"A": "A is better in", "B": "B is better in", "differs": "A and B differ in"}
    parts = [f"{words[side]} {', '.join(names)}" for side, names in found.items() if side]
    if rest := found.get(""):
        parts.append(f"no difference can be claimed in {', '.join(rest)}")
    over = f" (p by Holm over {len(rows)} groups)" if len(rows) > 1 else ""
    return _capital(
        f"{_stamp(first)}{start}{_point(first)}{named(str(first.metric))} by group{over}: {'; '.join(parts)}."
    )


def _stamp(row: Any) -> str:
    return "On phantoms, " if "phantom" in row.source else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _point(row: Any) -> str:
    return "" if pd.isna(row.operating_point) else f"at the {row.operating_point} threshold, "


def _sentence(row: Any, unit: str, decimals: int) -> str:
    name, on = named(row.metric), f"on {plural(row.n, row.unit)} of {plural(row.n_clusters, 'patient')}"
    if pd.isna(row.difference):
        return f"nothing can be said of {name}: {row.note or 'it is undefined'}."
    if pd.isna(row.p):
        return f"nothing is claimed of {name}: {row.note or 'it has no p'}."
    found, p = _found(row, unit, decimals), f"p {p_is(row.p)}"
    p += f", {chance(row.p_holm)} after Holm" if row.p_holm > row.p else ""
    few = " The sample is small, so that the interval may be too short." if small(row) else ""
    if not claimed(row):
        return f"no difference in {name} can be claimed: B's is {found}, {p}, {on}. That does not show them equal.{few}"
    side = better(row)
    return f"B's {name} is {found}, {p}, {on}{f': {side} is better' if side else ''}.{few}"


def _found(row: Any, unit: str, decimals: int) -> str:
    """Return "1.2 months lower than A's [0.4 to 2.0 lower]"."""
    if round(row.difference, decimals) == 0 and pd.isna(row.lo):
        return "the same as A's"
    value = f"{abs(row.difference):.{decimals}f}{unit} {_side(row.difference)} than A's"
    if pd.isna(row.lo):
        return f"{value} (too few patients differ for an interval)"
    near, far = sorted((row.lo, row.hi), key=abs)
    if row.lo * row.hi > 0:
        return f"{value} [{abs(near):.{decimals}f} to {abs(far):.{decimals}f} {_side(far)}]"
    return f"{value} [{abs(row.lo):.{decimals}f} lower to {abs(row.hi):.{decimals}f} higher]"


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _covers(found: Comparison) -> str:
    """Say what an interval is of: other patients, not other trainings."""
    counts = [len(side.trainings) for side in (found.a, found.b)]
    if max(counts) == 1:
        return (
            "Intervals cover other patients, not other trainings: they compare these two trained models, not their "
            "recipes. For these give several seeds a side."
        )
    said = f"Intervals cover other patients, not other trainings: they are of the mean of these {counts[0]} (A) and "
    said += f"{counts[1]} (B) trained models."
    spread = [text for row in _overall(found) if (text := _over_seeds(row, counts))]
    return " ".join([said, *spread])


def _overall(found: Comparison) -> Iterator[Any]:
    for task, metrics in found.chosen.items():
        table = found.table
        yield from table[
            (table["task"] == task) & table["metric"].isin(metrics) & (table["group"] == "all")
        ].itertuples()


def _over_seeds(row: Any, counts: list[int]) -> str:
    """Set the difference beside what seeds alone give, where both sides have several."""
    if min(counts) < 2 or pd.isna(row.a_sd) or pd.isna(row.b_sd):
        return ""
    error = float(np.hypot(row.a_sd / np.sqrt(counts[0]), row.b_sd / np.sqrt(counts[1])))
    inside = "within" if abs(row.difference) <= 2 * error else "beyond"
    point = "" if pd.isna(row.operating_point) else f" ({row.operating_point})"
    return (
        f"{named(row.metric)}{point} over seeds: sd {row.a_sd:.3g} (A) and {row.b_sd:.3g} (B); the difference is "
        f"{inside} two standard errors of that ({2 * error:.2g})."
    )
