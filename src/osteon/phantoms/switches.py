"""Faults that an experiment puts into phantoms on purpose: wrong and missing labels, a shortcut, metal, casts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError

Value = int | str | None  # None: nobody looked
RANGES = {
    "label_noise": (0.0, 1.0),
    "missing": (0.0, 1.0),
    "shortcut": (-1.0, 1.0),
    "hardware": (0.0, 1.0),
    "cast": (0.0, 1.0),
}
REPORT, TAG = 90, 91  # the streams of a study's report and of a film's tag, at places that nothing else has


@dataclass(frozen=True)
class Switches:
    """What is put into a set of phantoms; by default nothing is.

    Attributes:
        label_noise: share of labels that are wrong (0..1): drawn study by study and column by column, whatever the
            truth is; the truth stays in `labels_true.csv`.
        missing: share of labels that are blank (0..1), beside those that the set leaves blank itself.
        shortcut: a lead tag tells the label: it lies on (1 + shortcut) / 2 of the positive studies' films and on
            (1 - shortcut) / 2 of the others' (-1..1; 0: on every second film, telling nothing). None: no film has one.
        hardware: share of studies with metal, drawn apart from the label (0..1). None: as the set has it.
        cast: share of studies in a cast, drawn apart from the label (0..1). None: as the set has it.

    Raises:
        OsteonError: a share out of its range.
    """

    label_noise: float = 0.0
    missing: float = 0.0
    shortcut: float | None = None
    hardware: float | None = None
    cast: float | None = None

    def __post_init__(self) -> None:
        """Refuse shares out of range."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise OsteonError(f"phantom.{name}: {value}; expected a number in {low:g}..{high:g}.")

    @property
    def on(self) -> dict[str, float]:
        """The switches that differ from their default."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: float(value) for name, (value, default) in values.items() if value != default}

    @property
    def slug(self) -> str:
        """For a folder's name: empty where nothing is switched on."""
        return "".join(f"-{name}{value:g}" for name, value in self.on.items())


OFF = Switches()


def mistaken(
    true: Mapping[str, Value], allowed: Mapping[str, Sequence[Value]], switches: Switches, rng: np.random.Generator
) -> dict[str, Value]:
    """Return labels of which `switches.label_noise` are another of the column's `allowed` values, drawn evenly."""
    said = dict(true)
    for name, options in allowed.items():
        wrong, which = rng.random(2).tolist()
        others = [option for option in options if option != true[name]]
        if wrong < switches.label_noise and true[name] is not None and others:
            said[name] = others[int(which * len(others))]
    return said


def emptied(labels: Mapping[str, Value], switches: Switches, rng: np.random.Generator) -> dict[str, Value]:
    """Return labels of which `switches.missing` are blank."""
    return {name: None if rng.random() < switches.missing else value for name, value in labels.items()}


def is_tagged(positive: bool, switches: Switches, rng: np.random.Generator) -> bool:
    """Tell whether a film gets the tag; without a shortcut none does."""
    told = (switches.shortcut or 0.0) * (1 if positive else -1)
    return switches.shortcut is not None and bool(rng.random() < (1 + told) / 2)


def tag(pixels: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return a film (height, width) with a lead tag, a ring round a dot, in one of its corners."""
    height, width = pixels.shape
    radius = max(0.028 * max(height, width), 2.0)
    x = float(rng.uniform(0.07, 0.13)) if rng.random() < 0.5 else float(rng.uniform(0.87, 0.93))
    y = float(rng.uniform(0.07, 0.13)) if rng.random() < 0.5 else float(rng.uniform(0.87, 0.93))
    centre = (round(x * width * 16), round(y * height * 16))
    mask = np.zeros(pixels.shape, np.uint8)
    cv2.circle(mask, centre, round(radius * 16), 255, max(round(radius * 0.4), 1), cv2.LINE_AA, 4)
    cv2.circle(mask, centre, round(radius * 0.35 * 16), 255, -1, cv2.LINE_AA, 4)
    full = float(np.iinfo(pixels.dtype).max)
    return np.asarray(np.maximum(pixels, mask * (full / 255)), pixels.dtype)
