"""What a beam passes through: bones, soft tissue, gas, and the places where a bone breaks, is plated or wears out."""

from dataclasses import dataclass, field

import numpy as np

from osteon.phantoms.solids import Frame, Loft, Solid, Vector, unit


@dataclass(frozen=True)
class Site:
    """A place on a bone where it can break: all lengths in mm, world axes.

    `side` is a direction across the bone that turns with it; `half` is the bone's half width there; `before` and `after` are the distances to its two ends along `axis`.
    """

    bone: str
    name: str
    point: Vector
    axis: Vector
    side: Vector
    half: float
    before: float
    after: float


@dataclass(frozen=True)
class Joint:
    """A joint space: its middle, the direction across it, and its half width along `side` (mm)."""

    bone: str
    point: Vector
    across: Vector
    side: Vector
    half: float


@dataclass(frozen=True)
class Bed:
    """Where hardware lies: a line along a bone (mm), the direction its screws go in, the bone's half width there."""

    kind: str  # plate | wire | nail | hip_screw
    start: Vector
    end: Vector
    into: Vector
    half: float


@dataclass
class Scene:
    """An anatomy in one pose."""

    bones: dict[str, list[Solid]] = field(default_factory=dict)
    tissue: list[Solid] = field(default_factory=list)
    gas: list[tuple[Solid, float]] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    beds: list[Bed] = field(default_factory=list)

    def add(self, bone: str, *solids: Solid) -> None:
        """Add solids to a bone; what a bone's solids share is counted once."""
        self.bones.setdefault(bone, []).extend(solids)

    def breaks(self, bone: str, loft: Loft, *positions: float, name: str = "shaft") -> None:
        """Let `bone` break across `loft` at `positions` (0..1)."""
        axis = loft.end - loft.start
        length = float(np.linalg.norm(axis))
        for at in positions:
            half = float(np.interp(at, loft.stations[:, 0], loft.stations[:, 3]))
            point = loft.start + at * axis
            self.sites.append(Site(bone, name, point, unit(axis), loft.side, half, at * length, (1 - at) * length))

    def plated(self, loft: Loft, low: float, high: float, kind: str = "plate") -> None:
        """Let hardware lie on `loft` from `low` to `high` (0..1)."""
        axis = loft.end - loft.start
        half = float(np.interp((low + high) / 2, loft.stations[:, 0], loft.stations[:, 3]))
        self.beds.append(Bed(kind, loft.start + low * axis, loft.start + high * axis, unit(loft.side), half))


@dataclass(frozen=True)
class Build:
    """A patient's body: overall size, bone girth, cortical thickness, soft-tissue thickness (all factors near 1)."""

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
        start: tuple[float, ...],
        end: tuple[float, ...],
        *stations: tuple[float, ...],
        ends: float = 0.35,
    ) -> Loft:
        """Return a loft in `frame`: stations are (position, centre offset, half width, half depth, cortex), mm."""
        rows = [(u, c, 0.0, w * self.girth, d * self.girth, t * self.cortex) for u, c, w, d, t in stations]
        first, last = frame.point(*start), frame.point(*end)
        axis = unit(last - first)
        side = frame.axes[:, 0] if abs(axis @ frame.axes[:, 0]) < 0.8 else frame.axes[:, 1]
        return Loft(first, last, unit(side - (side @ axis) * axis), np.asarray(rows, float), ends)

    def sleeve(
        self, frame: Frame, start: tuple[float, ...], end: tuple[float, ...], *radii: tuple[float, float]
    ) -> Loft:
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
