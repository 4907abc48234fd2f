"""THE table: one row an image, whatever the dataset. Its columns, and the faults that stop a run."""

from collections.abc import Iterable, Mapping

import pandas as pd

from osteon.errors import OsteonError
from osteon.manifest.target import Target

STRINGS = ("image_id", "dataset", "path")
NULLABLE = ("split", "group_id", "patient_id", "study_id", "laterality", "view", "body_part", "sex", "site", "device")
SPLITS = ("train", "val", "test")
SHOWN = 5


def complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with every manifest column present and typed; columns the dataset lacks are null."""
    frame = rows.reset_index(drop=True).copy()
    for column in STRINGS + NULLABLE:
        values = frame[column] if column in frame else pd.Series([None] * len(frame), dtype=object)
        frame[column] = values.astype(object).where(values.notna(), None).astype("str")
    frame["frame"] = frame["frame"].astype("int64") if "frame" in frame else 0
    ages = frame["age_years"] if "age_years" in frame else pd.Series([None] * len(frame))
    frame["age_years"] = pd.to_numeric(ages, errors="coerce").astype("float64")
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


def _faults(frame: pd.DataFrame, targets: Mapping[str, Target]) -> Iterable[str]:
    yield _rows(frame, frame[list(STRINGS)].isna().any(axis=1), "image_id, dataset and path must not be empty")
    yield _rows(frame, frame["image_id"].duplicated(keep=False), "the same image_id twice; one row an image")
    yield _rows(frame, _outside(frame["laterality"], ("L", "R")), "laterality must be L, R or empty", "laterality")
    yield _rows(frame, _outside(frame["sex"], ("F", "M")), "sex must be F, M or empty", "sex")
    yield _rows(frame, _outside(frame["split"], SPLITS), "split must be train, val, test or empty", "split")
    for name, target in targets.items():
        allowed = (0.0, 1.0) if target.kind == "binary" else tuple(map(float, range(len(target.classes))))
        yield _rows(frame, _outside(frame[name], allowed), f"{name} must be one of {_listed(allowed)} or empty", name)
    yield _crossing(frame, "patient_id", "split", "a patient in two splits; a patient belongs to one")
    yield _crossing(frame, "group_id", "split", "images that must stay together in two splits")
    yield _two_patients(frame)


def _outside(values: pd.Series, allowed: Iterable[object]) -> pd.Series:
    return values.notna() & ~values.isin(list(allowed))


def _two_patients(frame: pd.DataFrame) -> str:
    """A study id that is not made unique by its patient is fine; one without any patient in part of its rows is not."""
    known = frame[frame["study_id"].notna()]
    counts = known.groupby(["dataset", "study_id"])["patient_id"].agg(["size", "count"])
    torn = counts.index[(counts["count"] > 0) & (counts["count"] < counts["size"])]
    at_fault = known.set_index(["dataset", "study_id"]).index.isin(torn)
    return _rows(known, pd.Series(at_fault, index=known.index), "a study with and without a patient", "study_id")


def _crossing(frame: pd.DataFrame, key: str, across: str, rule: str) -> str:
    known = frame[frame[key].notna() & frame[across].notna()]
    counts = known.groupby(key)[across].transform("nunique")
    return _rows(known, counts > 1, rule, key, across)


def _rows(frame: pd.DataFrame, at_fault: pd.Series, rule: str, *columns: str) -> str:
    bad = frame[at_fault.to_numpy(dtype=bool)]
    if bad.empty:
        return ""
    shown = [", ".join(f"{c}={row[c]!r}" for c in ("image_id", *columns)) for _, row in bad.head(SHOWN).iterrows()]
    more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    return f"manifest: {rule}. {len(bad):,} row(s): {'; '.join(shown)}{more}"


def _listed(allowed: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in allowed)
