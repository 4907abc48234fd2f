"""What osteoarthritis does to a knee, by severity: the signs that Kellgren and Lawrence's grades are read from.

Kellgren and Lawrence, Ann Rheum Dis 1957;16:494: 1 doubtful narrowing, possible lipping; 2 definite osteophytes,
possible narrowing; 3 several osteophytes, definite narrowing, some sclerosis; 4 large osteophytes, marked narrowing,
severe sclerosis, deformity. The millimetres are chosen to look so.
"""

from dataclasses import dataclass

import numpy as np

SPACE, SPACE_SD = 4.6, 0.6  # mm of joint space in an unworn knee of mean size
MEDIAL = 0.8  # share of worn knees that are worn more on the inner side
# Severity (a grade and its neighbourhood: 2 stands for 1.5 to 2.5) and what is seen of it: the share of joint space
# lost, the spurs' length (mm), sclerosis (1: as dense as a cortex), the worn plateau's sinking (mm).
SEVERITY = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
LOSS = (0.0, 0.01, 0.04, 0.08, 0.15, 0.28, 0.46, 0.66, 0.88, 0.99)
SPUR = (0.0, 0.1, 0.6, 1.2, 2.0, 2.8, 3.6, 4.5, 5.5, 6.5)
DENSE = (0.0, 0.0, 0.04, 0.1, 0.2, 0.36, 0.6, 0.85, 1.15, 1.4)
SUNK = (0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.4, 0.9, 1.8, 2.8)


@dataclass(frozen=True)
class Wear:
    """What is worn in one knee; pairs are (medial, lateral).

    Attributes:
        space: joint space, mm.
        femur: length of the femur's spurs, mm.
        tibia: length of the tibia's.
        dense: sclerosis, 1 where it is as dense as a cortex.
        sunk: how far the plateau has sunk at its rim, mm.
    """

    space: tuple[float, float]
    femur: tuple[float, float]
    tibia: tuple[float, float]
    dense: tuple[float, float]
    sunk: tuple[float, float]


def wear(severity: float, body: int, left: bool) -> Wear:
    """Return what `severity` (-0.5 to 4.5) has done to one knee of a body; equal knees differ in detail."""
    rng, at = np.random.default_rng([body, 2]), float(np.clip(severity, 0, SEVERITY[-1]))
    healthy = float(np.clip(rng.normal(SPACE, SPACE_SD), 3.4, 5.8))
    own = np.random.default_rng([body, 3 + left])
    worse = int(own.random() >= MEDIAL)
    side = np.array([1.0, 0.55]) if worse == 0 else np.array([0.55, 1.0])
    loss = np.interp(at, SEVERITY, LOSS) * np.array([1.0, 0.2] if worse == 0 else [0.2, 1.0])
    space = healthy * (1 - np.clip(loss * own.normal(1, 0.1), 0, 0.99)) + own.normal(0, 0.2, 2)
    spur = np.interp(at, SEVERITY, SPUR) * (0.4 + 0.6 * side) * np.exp(own.normal(0, 0.3, (2, 2)))
    dense = np.interp(at, SEVERITY, DENSE) * side * np.exp(own.normal(0, 0.4, 2))
    sunk = np.interp(at, SEVERITY, SUNK) * np.where(side == 1, 1.0, 0.0)
    pairs = (np.maximum(space, 0.1), *spur, dense, sunk)
    return Wear(*((float(a), float(b)) for a, b in pairs))
