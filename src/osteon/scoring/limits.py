"""The interval of a limit of agreement, wider on its outer side."""

from typing import cast

import numpy as np

from osteon.scoring import deviation, jackknife
from osteon.scoring.sample import Moments, Sample


def interval(sample: Sample, value: float) -> tuple[float | None, float | None, str]:
    """Return (low, high, method) of the limit of agreement `value`, without bounds where there is no spread.

    The intervals of the bias and of the standard deviation, the latter on a log scale, by the jackknife over patients;
    their distances from the estimates are joined as the sides of a right angle. Zou (2013), Stat Methods Med Res
    22:630, for several units a patient. The limit's own jackknife is symmetric and falls short on the outer side.
    """
    mean, spread = (cast(Moments, made(sample)) for made in (deviation.bias, deviation.spread))
    centre, width = (float(made(sample.one())[0]) for made in (mean, spread))
    if width == 0 or not np.isfinite(width):
        return None, None, "none"
    of_mean, of_spread = jackknife.interval(mean, centre, "plain"), jackknife.interval(spread, width, "log")
    if of_mean[0] is None or of_mean[1] is None or of_spread[0] is None or of_spread[1] is None:
        return None, None, "none"
    near, far = deviation.LIMIT * (width - of_spread[0]), deviation.LIMIT * (of_spread[1] - width)
    down, up = (near, far) if value > centre else (far, near)
    low, high = np.hypot(centre - of_mean[0], down), np.hypot(of_mean[1] - centre, up)
    return float(value - low), float(value + high), "jackknife, mover"
