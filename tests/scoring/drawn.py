"""Drawn image predictions of the heads that are not binary: ties, several images a unit, units nobody labelled."""

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts

GRADES = ("none", "doubtful", "mild", "moderate", "severe")
AGE = TaskFacts(
    head="regression", unit="study", groups=("sex", "age_years"), low=0.0, high=240.0, unit_name="months", monitor="mae"
)
GRADE = TaskFacts(head="ordinal", unit="study", classes=GRADES, groups=("sex",), cut=2, unit_name="grades")
FINDINGS = {
    f"shoulder.{name}": TaskFacts(unit="study", groups=("sex",), of="shoulder", monitor="auroc")
    for name in ("fracture", "luxation", "calcification", "implant")
}


def images(studies: int = 120, split: str = "test", seed: int = 0, first: int = 0) -> pd.DataFrame:
    """Return one to three images a study, one to three studies a patient, with columns to group by."""
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(studies), rng.integers(1, 4, studies))
    patient = first + np.sort(rng.integers(0, max(studies // 2, 1), studies))[study]
    return pd.DataFrame(
        {
            "split": split,
            "image_id": [f"{split}/{first}/image{i}" for i in range(len(study))],
            "group_id": [f"patient:{split}{p:04d}" for p in patient],
            "unit_id": [f"{split}{first}/study{s:04d}" for s in study],
            "dataset": "drawn",
            "source": "real",
            "study": study,
            "sex": np.array(["F", "M"])[patient % 2],
            "age_years": (patient * 7) % 90 + 0.5,
        }
    )


def ages(studies: int = 120, seed: int = 0, **more: object) -> pd.DataFrame:
    """Return a bone-age task; every tenth study has no label."""
    table, rng = images(studies, seed=seed, **more), np.random.default_rng(seed + 1)  # type: ignore[arg-type]
    truth = np.clip(np.round(rng.normal(125, 42, studies)), 0, 240)[table["study"]]
    value = np.clip(np.round(truth + 2 + rng.normal(0, 15, len(table))), 0, 240)
    target = np.where(table["study"] % 10 == 9, np.nan, truth)
    return table.assign(task="age", target=target, value=value)


def graded(studies: int = 120, seed: int = 0, **more: object) -> pd.DataFrame:
    """Return a grading task; every tenth study has no label."""
    table, rng = images(studies, seed=seed, **more), np.random.default_rng(seed + 2)  # type: ignore[arg-type]
    truth = rng.choice(5, studies, p=[0.35, 0.2, 0.25, 0.15, 0.05])[table["study"]]
    seen = truth + rng.normal(0, 0.9, len(table))
    score = np.exp(-((seen[:, None] - np.arange(5)) ** 2))
    score /= score.sum(1, keepdims=True)
    target = np.where(table["study"] % 10 == 9, np.nan, truth)
    return table.assign(task="grade", target=target, probabilities=list(score), value=score @ np.arange(5))


def findings(studies: int = 160, seed: int = 0, **more: object) -> pd.DataFrame:
    """Return the four findings of a shoulder; each has its own unlabelled studies, the last has one outcome only."""
    parts = []
    for place, name in enumerate(FINDINGS):
        table, rng = images(studies, seed=seed, **more), np.random.default_rng(seed + 10 + place)  # type: ignore[arg-type]
        truth = (rng.random(studies) < (0.4, 0.2, 0.3, 0.0)[place])[table["study"]]
        # Not rounded: means of equal sums may differ in their last digit, so that ties would be a matter of luck.
        score = np.clip(rng.normal(0.35 + 0.25 * truth, 0.2), 0, 1)
        target = np.where(table["study"] % 7 == place, np.nan, truth)
        parts.append(table.assign(task=name, target=target, probability=score))
    return pd.concat(parts, ignore_index=True)
