"""THE table: one row an image, whatever the dataset. Its columns, and the faults that stop a run."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from osteon.errors import OsteonError
from osteon.manifest import boxes
from osteon.manifest.target import Target

STRINGS = ("image_id", "dataset", "path")
NULLABLE = ("split", "group_id", "patient_id", "study_id", "laterality", "view", "body_part", "sex", "site", "device")
MEASURED = ("age_years", "spacing_mm_row", "spacing_mm_column")
SPLITS = ("train", "val", "test")
SHOWN = 5


def complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with every manifest column present and typed; columns the dataset lacks are null."""
    frame = rows.reset_index(drop=True).copy()
    for column in STRINGS + NULLABLE:
        values = frame[column] if column in frame else pd.Series([None] * len(frame), dtype=object)
        frame[column] = values.astype(object).where(values.notna(), None).astype("str")
    frame["frame"] = frame["frame"].astype("int64") if "frame" in frame else 0
    for column in MEASURED:
        numbers = frame[column] if column in frame else pd.Series([None] * len(frame))
        frame[column] = pd.to_numeric(numbers, errors="coerce").astype("float64")
    return frame


def typed(frame: pd.DataFrame, targets: Mapping[str, Target]) -> pd.DataFrame:
    """Return `frame` with its target columns as they are kept: boxes in nested lists or None, all else float64."""
    frame = frame.copy(deep=False)
    for name, target in targets.items():
        if target.kind == "boxes":
            frame[name] = pd.Series(boxes.plain(frame[name]), index=frame.index, dtype="object")
        else:
            frame[name] = pd.to_numeric(frame[name]).astype("float64")
    return frame


def validate(frame: pd.DataFrame, targets: Mapping[str, Target]) -> pd.DataFrame:
    """Check a completed manifest and return it.

    Args:
        frame: one row an image, as `complete` returns it.
        targets: the target columns it must hold, with the range of each.

    Raises:
        OsteonError: every fault with the first rows at fault: a column missing, a duplicate image, a patient in two
            splits, a study of two patients, a target outside its range, an unknown laterality, sex or split.
    """
    missing = [name for name in (*STRINGS, *NULLABLE, *targets) if name not in frame]
    if missing:
        raise OsteonError(f"manifest: column(s) {', '.join(missing)} missing. It has: {', '.join(map(str, frame))}")
    faults = [fault for fault in _faults(frame, targets) if fault]
    if faults:
        raise OsteonError("\n".join(faults))
    return frame


def _schema(targets: Mapping[str, Target]) -> Any:
    """Return the pandera schema of one row: what each column may hold, whatever the other rows say."""
    import pandera.pandas as pa

    def closed(*values: object) -> Any:
        return pa.Column(nullable=True, checks=pa.Check.isin(list(values)))

    def measured(target: Target) -> Any:
        least, most = (-sys.float_info.max if target.low is None else target.low), target.high
        return pa.Column(nullable=True, checks=pa.Check.in_range(least, sys.float_info.max if most is None else most))

    columns: dict[str, Any] = {name: pa.Column(nullable=False) for name in STRINGS}
    columns |= {"laterality": closed("L", "R"), "sex": closed("F", "M"), "split": closed(*SPLITS)}
    for name, target in targets.items():
        if target.kind == "regression":
            columns[name] = measured(target)
        elif target.kind != "boxes":
            columns[name] = closed(*map(float, range(len(target.classes) or 2)))
    return pa.DataFrameSchema(columns)


def _column_faults(frame: pd.DataFrame, targets: Mapping[str, Target]) -> Iterable[str]:
    """Put what the schema finds in our words, all columns at once."""
    from pandera.errors import SchemaErrors

    schema = _schema(targets)
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as found:
        for column, cases in found.failure_cases.groupby("column", sort=False):
            rule = f"{column} must {_rule(schema.columns[column].checks, targets.get(str(column)))}"
            at_fault = frame.index.isin(cases["index"])
            yield _rows(frame, pd.Series(at_fault, index=frame.index), rule, str(column))


def _rule(checks: list[Any], target: Target | None) -> str:
    if not checks:
        return "not be empty"
    limits = checks[0].statistics
    if "allowed_values" in limits:
        return f"be one of {', '.join(_shown(value) for value in limits['allowed_values'])} or empty"
    unit = f" {target.unit}" if target and target.unit else ""
    return f"lie from {limits['min_value']:g} to {limits['max_value']:g}{unit} or be empty"


def _faults(frame: pd.DataFrame, targets: Mapping[str, Target]) -> Iterable[str]:
    yield from _column_faults(frame, targets)
    yield from (boxes.faults(frame, name, target) for name, target in targets.items() if target.kind == "boxes")
    yield _rows(frame, frame["image_id"].duplicated(keep=False), "the same image_id twice; one row an image")
    yield _crossing(frame, "patient_id", "split", "a patient in two splits; a patient belongs to one, in all datasets")
    yield _crossing(frame, "group_id", "split", "images that must stay together in two splits")
    yield _two_patients(frame)


def _two_patients(frame: pd.DataFrame) -> str:
    """Find the exam of one patient whose other images name none; numbers that every patient has are left alone."""
    known = frame[frame["study_id"].notna()]
    counts = known.groupby(["dataset", "study_id"])["patient_id"].agg(["size", "count", "nunique"])
    torn = counts.index[(counts["nunique"] == 1) & (counts["count"] < counts["size"])]
    at_fault = known.set_index(["dataset", "study_id"]).index.isin(torn)
    return _rows(known, pd.Series(at_fault, index=known.index), "a study with and without a patient", "study_id")


def _crossing(frame: pd.DataFrame, key: str, across: str, rule: str) -> str:
    known = frame[frame[key].notna() & frame[across].notna()]
    known = known.sort_values([key, across], kind="stable")  # the rows that disagree stand side by side
    counts = known.groupby(key)[across].transform("nunique")
    return _rows(known, counts > 1, rule, key, across, *(["dataset"] if known["dataset"].nunique() > 1 else []))


def _rows(frame: pd.DataFrame, at_fault: pd.Series, rule: str, *columns: str) -> str:
    bad = frame[at_fault.to_numpy(dtype=bool)]
    if bad.empty:
        return ""
    shown = [", ".join(f"{c}={row[c]!r}" for c in ("image_id", *columns)) for _, row in bad.head(SHOWN).iterrows()]
    more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    return f"manifest: {rule}. {len(bad):,} row(s): {'; '.join(shown)}{more}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
