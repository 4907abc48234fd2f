"""What goes with a table of predictions: the facts of its tasks and of its run."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.predictions.boxes import overlap_of

CHOICES = {
    "head": ("binary", "multiclass", "ordinal", "regression", "detection"),
    "pool": ("mean", "max", "noisy_or", "vote"),
    "truth": ("same", "any", "max"),
}
# What chooses the best epoch where nothing is said, by head.
MONITOR = {
    "binary": "auroc",
    "multiclass": "macro_auroc",
    "ordinal": "quadratic_kappa",
    "regression": "mae",
    "detection": "map50",
}
# Facts that the first files do not have; their defaults say what was true then.
LATER = ("of", "low", "high", "unit_name", "cut", "hit", "call")
# How a grade is called from the probabilities of all: what costs least by 0-1, absolute and squared error.
CALLS = ("likeliest", "median", "expected")


@dataclass(frozen=True)
class TaskFacts:
    """What scoring must know of a task; plain JSON in the file's metadata.

    Attributes:
        head: "binary" (column `probability`, of the positive class), "multiclass" (column `probabilities`), "ordinal"
            (columns `probabilities` and `value`, the expected grade), "regression" (column `value`, in the unit) or
            "detection" (columns `boxes` and `truth`, see `boxes.COLUMNS`; `target` counts the true boxes).
        unit: the name of the unit of evaluation (image, study, joint, patient); `unit_id` holds it. Boxes are scored
            image by image: of a detection task it is "image".
        pool: how image probabilities become a unit's: mean, max, noisy_or, vote.
        truth: how image targets become a unit's: same (a conflict is an error), any, max.
        classes: class names in the order of the class indices; for binary, negative then positive; of the boxes for
            detection; none for regression.
        groups: columns by whose values the scores are also given; a column named twice counts once.
        protocol_threshold: in [0, 1]; a unit is called positive (a box is shown) where its probability is strictly
            above.
        rule: how the frozen threshold is found on val: youden, max_kappa, sens_<x>, spec_<x>; for detection max_f1 or
            fp_<x>, x false positives an image. "" means youden, or max_f1.
        monitor: the metric that chooses the best epoch; "" means the first of `MONITOR`, by head.
        of: the multilabel task whose label this is; "" for a task of its own.
        low: least value of a regression target, in its unit; None where it is not known.
        high: greatest value.
        unit_name: the unit of a regression target in words, such as months.
        cut: ordinal: the grade from which on a unit counts as positive in `auroc_at_cut`; None: there is no such score.
        hit: detection: when a predicted box hits a true one of its class, in the FROC curve and at an operating point:
            iou_<x> (intersection over union of x or more) or "centre" (its centre lies inside); "" means iou_0.5.
            Average precisions have thresholds of their own.
        call: ordinal: which grade is called: the `likeliest`, the `median` (the highest k with P(grade >= k) > 0.5, the
            rule of Cao 2020) or the `expected` one, rounded; "" means the likeliest.
    """

    head: str = "binary"
    unit: str = "unit"
    pool: str = "mean"
    truth: str = "same"
    classes: tuple[str, ...] = ("negative", "positive")
    groups: tuple[str, ...] = ()
    protocol_threshold: float = 0.5
    rule: str = ""
    monitor: str = ""
    of: str = ""
    low: float | None = None
    high: float | None = None
    unit_name: str = ""
    cut: int | None = None
    hit: str = ""
    call: str = ""

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.head == "regression":
            object.__setattr__(self, "classes", ())
        self._fill()
        for name, options in CHOICES.items():
            value = getattr(self, name)
            if value not in options:
                hint = nearest(str(value), options)
                raise OsteonError(f"task {name}: {value!r} is not one of {', '.join(options)}.{hint}")
        if not 0 <= self.protocol_threshold <= 1:
            raise OsteonError(f"task protocol_threshold: {self.protocol_threshold} is outside [0, 1].")
        short = len(self.classes) < {"regression": 0, "detection": 1}.get(self.head, 2)
        if short or (self.head == "binary" and len(self.classes) != 2):
            raise OsteonError(f"task classes: {list(self.classes)} do not fit a {self.head} head.")
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "groups", tuple(dict.fromkeys(self.groups)))
        self._check_scale()
        self._check_grades()
        if self.head == "detection":
            self._check_boxes()

    def _fill(self) -> None:
        """Put what the head has in the place of facts that are not told."""
        boxes = self.head == "detection"
        told = {
            "monitor": self.monitor or MONITOR.get(self.head, ""),
            "rule": self.rule or ("max_f1" if boxes else "youden"),
            "unit": "image" if boxes and self.unit == "unit" else self.unit,
            "hit": (self.hit or "iou_0.5") if boxes else "",
            "call": (self.call or CALLS[0]) if self.head == "ordinal" else self.call,
        }
        for name, value in told.items():
            object.__setattr__(self, name, value)

    def _check_boxes(self) -> None:
        """Refuse what boxes have not: a unit other than the image, two classes of one name, an unknown rule."""
        overlap_of(self.hit)
        if self.unit != "image":
            raise OsteonError(f"task unit: {self.unit!r}, but boxes are scored image by image; expected 'image'.")
        if len(set(self.classes)) < len(self.classes):
            raise OsteonError(f"task classes: {list(self.classes)} has a name twice; every class has its own score.")
        name = self.monitor.removeprefix("ap50_")
        if name != self.monitor and name not in self.classes:
            raise OsteonError(
                f"task monitor: {self.monitor!r}, but the classes are {', '.join(self.classes)}."
                f"{nearest(self.monitor, [f'ap50_{one}' for one in self.classes])}"
            )

    def _check_scale(self) -> None:
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise OsteonError(f"task low, high: {self.low:g} is not below {self.high:g}.")

    def _check_grades(self) -> None:
        """Refuse a class that there is not, in the recall of one or as the cut between grades, and an unknown call."""
        last = len(self.classes) - 1
        recall = re.fullmatch(r"recall_(\d+)", self.monitor)
        if recall and self.head in ("multiclass", "ordinal") and int(recall[1]) > last:
            raise OsteonError(
                f"task monitor: {self.monitor!r}, but the classes are {', '.join(self.classes)}; "
                f"expected recall_0 to recall_{last}."
            )
        if self.cut is not None and (self.head != "ordinal" or not 1 <= self.cut <= last):
            expected = f"expected 1 to {last}" if self.head == "ordinal" else "only an ordinal head has one"
            raise OsteonError(f"task cut: {self.cut}, but {expected}.")
        if self.call not in (CALLS if self.head == "ordinal" else ("",)):
            expected = f"not one of {', '.join(CALLS)}" if self.head == "ordinal" else "only an ordinal head has one"
            hint = nearest(self.call, CALLS) if self.head == "ordinal" else " Leave it out."
            raise OsteonError(f"task call: {self.call!r}, {expected}.{hint}")
        if self.pool == "vote" and self.call in CALLS[1:]:
            raise OsteonError(
                f"task call: {self.call!r}, but images vote for what is likeliest. Use pool=mean, or call=likeliest."
            )
        if self.monitor == "auroc_at_cut" and self.cut is None:
            raise OsteonError("task monitor: 'auroc_at_cut' needs a cut: the grade from which on a unit is positive.")

    def _check_kinds(self) -> None:
        for name in ("head", "unit", "pool", "truth", "rule", "monitor", "of", "unit_name", "hit", "call"):
            if not isinstance(value := getattr(self, name), str):
                raise OsteonError(f"task {name}: {value!r} is not a text.")
        for name in ("classes", "groups"):
            value = getattr(self, name)
            if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
                raise OsteonError(f"task {name}: {value!r} is not a list of texts.")
        value = self.protocol_threshold
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise OsteonError(f"task protocol_threshold: {value!r} is not a number in [0, 1].")
        self._check_numbers()

    def _check_numbers(self) -> None:
        for name in ("low", "high"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise OsteonError(f"task {name}: {value!r} is not a number.")
        if self.cut is not None and (isinstance(self.cut, bool) or not isinstance(self.cut, int)):
            raise OsteonError(f"task cut: {self.cut!r} is not a whole number.")

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
        return asdict(self) | {"classes": list(self.classes), "groups": list(self.groups)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TaskFacts":
        """Return the facts of a JSON object; keys of later versions are left aside."""
        return cls(**{item.name: value[item.name] for item in fields(cls) if item.name in value})


@dataclass(frozen=True)
class Predictions:
    """A checked table of predictions with what its file says of its tasks and its run.

    `guessed` names the tasks that the file says nothing of, so that their facts are guesses.
    """

    frame: pd.DataFrame
    tasks: dict[str, TaskFacts]
    run: dict[str, Any] = field(default_factory=dict)
    split_names: dict[str, str] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()

    def split_name(self, task: str, split: str) -> str:
        """Return what the owners of a task's data call a split; `split_names` has `task/split`, or `split` for all."""
        return self.split_names.get(f"{task}/{split}", self.split_names.get(split, split))


def owner(name: str, tasks: Collection[str]) -> str | None:
    """Return the task of a run that a task of its predictions comes from: itself, or what its findings stand under."""
    return max((one for one in tasks if name == one or name.startswith(f"{one}.")), key=len, default=None)
