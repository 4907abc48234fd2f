"""One patient's build: how the measures of an average skeleton become this patient's."""

from dataclasses import dataclass

import numpy as np

from osteon.phantoms.geometry import Frame, unit
from osteon.phantoms.solids import Loft

Place = tuple[float, ...]  # local x, y and, where it is not 0, z (mm)


@dataclass(frozen=True)
class Build:
    """A patient's body: factors near 1 on its size, the girth of its bones, their cortex, and its soft tissue."""

    size: float
    girth: float
    cortex: float
    flesh: float
    rng: np.random.Generator

    def vary(self, value: float, part: float = 0.05) -> float:
        """Return `value` scaled by the body's size and a personal deviation (relative sd `part`)."""
        return value * self.size * float(np.clip(self.rng.normal(1, part), 1 - 2.5 * part, 1 + 2.5 * part))

    def loft(
        self,
        frame: Frame,
        start: Place,
        end: Place,
        *stations: tuple[float, ...],
        ends: float = 0.35,
    ) -> Loft:
        """Return a loft in `frame`: stations are (position, centre offset, half width, half depth, cortex), mm."""
        rows = [(u, c, 0.0, w * self.girth, d * self.girth, t * self.cortex) for u, c, w, d, t in stations]
        first, last = frame.point(*start), frame.point(*end)
        axis = unit(last - first)
        side = frame.axes[:, 0] if abs(axis @ frame.axes[:, 0]) < 0.8 else frame.axes[:, 1]
        return Loft(first, last, unit(side - (side @ axis) * axis), np.asarray(rows, float), ends)

    def sleeve(self, frame: Frame, start: Place, end: Place, *radii: tuple[float, float]) -> Loft:
        """Return soft tissue along a line: `radii` are (half width, half depth) at even steps, mm."""
        steps = np.linspace(0, 1, len(radii))
        rows = [(u, 0.0, 0.0, w * self.flesh, d * self.flesh, 0.0) for u, (w, d) in zip(steps, radii, strict=True)]
        first, last = frame.point(*start), frame.point(*end)
        side = frame.axes[:, 0] if abs(unit(last - first) @ frame.axes[:, 0]) < 0.8 else frame.axes[:, 1]
        return Loft(first, last, side, np.asarray(rows, float), round_ends=0.9)


def build(rng: np.random.Generator) -> Build:
    """Draw a body. The generator goes on to give each bone its personal deviations, in the order of drawing."""
    size, girth, cortex, flesh = rng.normal(1, (0.06, 0.07, 0.15, 0.13))
    return Build(
        float(np.clip(size, 0.84, 1.16)),
        float(np.clip(size * girth, 0.8, 1.22)),
        float(np.clip(cortex, 0.65, 1.35)),
        float(np.clip(size * flesh, 0.75, 1.4)),
        rng,
    )
