"""Hypothesis strategies of stored values and the choices they are written with."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.images.dicom.reference import modality
from tests.images.dicom.writing import NATIVE, Choices, Lut

ROWS, COLUMNS, EDGE = 11, 17, 2
SHAPES = (None, "IDENTITY", "INVERSE")
FUNCTIONS = (None, "LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class Case:
    """(H, W) stored values, sign included, and how they are written."""

    stored: NDArray[np.int64]
    choices: Choices


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw one pixel format, one modality transform, one grey-level window or table, and padding."""
    choices = draw(formats())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stored, tags = _pixels(choices, draw(st.sampled_from(["none", "none", "value", "range"])), rng)
    choices = replace(choices, tags=tags)
    choices = draw(modalities(choices, stored))
    return Case(stored, draw(vois(choices, stored)))


@st.composite
def formats(draw: st.DrawFn) -> Choices:
    """Draw bits, sign, place of the stored bits in the word, junk beside them, and an uncompressed syntax."""
    stored = draw(st.integers(8, 16))
    allocated = 8 if stored == 8 and draw(st.booleans()) else 16
    high = draw(st.sampled_from([stored - 1, stored - 1, allocated - 1]))
    return Choices(
        allocated=allocated,
        stored=stored,
        high=high,
        signed=draw(st.booleans()),
        junk=draw(st.sampled_from([0, 0, 2**allocated - 1, 0xA5A5])),
        syntax=draw(st.sampled_from(NATIVE)),
    )


@st.composite
def modalities(draw: st.DrawFn, choices: Choices, stored: NDArray[np.int64]) -> Choices:
    """Draw a rescale (also negative, zero, fractional) or a modality table, or nothing."""
    kind = draw(st.sampled_from(["none", "rescale", "rescale", "table"]))
    if kind == "rescale":
        slope = draw(st.sampled_from([1, 2, 0.5, 0.1, -1, -10, -0.25, 0]))
        intercept = 0 if slope == 0 else draw(st.sampled_from([0, -1024, 300, 7.5]))
        return replace(choices, tags={**choices.tags, "RescaleSlope": slope, "RescaleIntercept": intercept})
    if kind == "table":
        bits = draw(st.sampled_from([8, 16]))
        first, count = draw(_span(stored))
        return replace(choices, modality=Lut(first, bits, _curve(draw, bits, count), wide=draw(st.booleans())))
    return choices


@st.composite
def vois(draw: st.DrawFn, choices: Choices, stored: NDArray[np.int64]) -> Choices:
    """Draw windows that hit, miss, or have no width, or tables, or nothing."""
    values = modality(stored, choices)
    kind = draw(st.sampled_from(["none", "window", "window", "windows", "missing", "table"]))
    if kind == "table" and (values == np.rint(values)).all() and values.min() >= -32768 and values.max() < 65536:
        bits = draw(st.sampled_from([8, 10, 12, 16]))
        first, count = draw(_span(values))
        luts = tuple(Lut(first, bits, _curve(draw, bits, count), draw(st.booleans())) for _ in range(2))
        return replace(choices, voi=luts, voi_signed=bool(first < 0 or values.min() < 0))
    if kind in {"none", "table"}:
        return choices
    found = [_window(draw, values, "missing" if kind == "missing" else draw(st.sampled_from(["hit", "hit", "none"])))]
    if kind == "windows":
        found += [_window(draw, values, "hit") for _ in range(2)]
    function = draw(st.sampled_from(FUNCTIONS))
    centres, widths = ([float(f"{pair[place]:.6g}") for pair in found] for place in (0, 1))
    tags = {**choices.tags, "WindowCenter": centres, "WindowWidth": widths}
    return replace(choices, tags={**tags, "VOILUTFunction": function} if function else tags)


def _window(draw: st.DrawFn, values: NDArray[np.float64], kind: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 8.0)
    if kind == "none":
        return (low + high) / 2, draw(st.sampled_from([0.0, -5.0]))
    width = span * draw(st.sampled_from([0.3, 0.7, 1.0, 1.6]))
    if kind == "missing":
        side = draw(st.sampled_from([-1, 1]))
        return (low + high) / 2 + side * (span * 12 + width), width
    return low + span * draw(st.sampled_from([0.3, 0.5, 0.65])), max(width, 4.0)


@st.composite
def _span(draw: st.DrawFn, values: NDArray[Any]) -> tuple[int, int]:
    """Draw the first value and the number of entries of a table: all of the values, or the middle part of them."""
    low, high = int(values.min()), int(values.max())
    shorter = draw(st.booleans())
    first = low + (high - low) // 5 if shorter else low
    return first, max(min((high - low) // 2 if shorter else high - low + 1, 65536), 2)


def _curve(draw: st.DrawFn, bits: int, count: int) -> NDArray[np.uint16]:
    """Return entries over the whole range of the bits: bent up or down, rising or falling."""
    steps = np.linspace(0, 1, count) ** draw(st.sampled_from([0.5, 1.0, 2.0]))
    steps = steps if draw(st.booleans()) else 1 - steps
    return np.asarray(np.rint(steps * (2**bits - 1)), np.uint16)


def _pixels(choices: Choices, pad: str, rng: np.random.Generator) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return values over a part of the range; padding, where there is any, lies outside that part, at one end."""
    low, high = (
        (-(1 << choices.stored - 1), (1 << choices.stored - 1) - 1)
        if choices.signed
        else (
            0,
            (1 << choices.stored) - 1,
        )
    )
    size = high - low + 1
    first, last = low + size // 8 + int(rng.integers(0, size // 4)), high - size // 8 - int(rng.integers(0, size // 4))
    slope = np.linspace(0, 1, ROWS)[:, None] * 0.6 + np.linspace(0, 1, COLUMNS)[None] * 0.4
    noisy = np.clip(slope + rng.normal(0, 0.1, slope.shape), 0, 1)
    values = np.asarray(np.rint(first + noisy * (last - first)), np.int64)
    if pad == "none":
        return values, {}
    top = bool(rng.integers(0, 2))
    value, limit = (high, high - 5) if top else (low, low + 5)
    border = np.ones(values.shape, bool)
    border[EDGE:-EDGE, EDGE:-EDGE] = False
    if pad == "value":
        values[border] = value
        return values, {"PixelPaddingValue": value}
    values[border] = rng.integers(min(value, limit), max(value, limit) + 1, int(border.sum()))
    return values, {"PixelPaddingValue": value, "PixelPaddingRangeLimit": limit}
