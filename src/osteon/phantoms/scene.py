"""What a beam passes through: bones, soft tissue, gas, and the places where a bone breaks, is plated or wears out."""

from dataclasses import dataclass, field

import numpy as np

from osteon.phantoms.geometry import Frame, Vector, norm, unit
from osteon.phantoms.solids import Loft, Solid


@dataclass(frozen=True)
class Site:
    """A place on a bone where it can break: all lengths in mm, world axes.

    `side` is a direction across the bone that turns with it; `half` is the bone's half width there; `before` and
    `after` are the distances to its two ends along `axis`.
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


@dataclass(frozen=True)
class Mark:
    """A bone's own axes in a scene, and the factors (near 1) by which this body is larger and fleshier than most."""

    frame: Frame
    size: float
    flesh: float = 1.0
    corner: tuple[float, float] = (0.0, 0.0)  # mm; of a femur: where neck and shaft meet


@dataclass
class Scene:
    """An anatomy in one pose.

    Attributes:
        bones: name -> solids; the paths of different bones add up.
        tissue: soft tissue, counted once where it overlaps.
        gas: what takes a share (0..1) of the tissue away.
        sites: where a bone can break; the order is the same in every pose, and so for `joints` and `beds`.
        joints: where degenerative change is put.
        beds: where hardware is put.
        casts: plaster round the limb; only what lies between a solid's outside and its hollow counts.
        marks: bone -> where it is, for what is put on it or in its place.
    """

    bones: dict[str, list[Solid]] = field(default_factory=dict)
    tissue: list[Solid] = field(default_factory=list)
    gas: list[tuple[Solid, float]] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    beds: list[Bed] = field(default_factory=list)
    casts: list[Solid] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)

    def add(self, bone: str, *solids: Solid) -> None:
        """Add solids to a bone; what a bone's solids share is counted once."""
        self.bones.setdefault(bone, []).extend(solids)

    def breaks(self, bone: str, loft: Loft, *positions: float, name: str = "shaft") -> None:
        """Let `bone` break across `loft` at `positions` (0..1)."""
        axis = loft.end - loft.start
        length = norm(axis)
        for at in positions:
            half = float(np.interp(at, loft.stations[:, 0], loft.stations[:, 3]))
            point = loft.start + at * axis
            self.sites.append(Site(bone, name, point, unit(axis), loft.side, half, at * length, (1 - at) * length))

    def plated(self, loft: Loft, low: float, high: float, kind: str = "plate") -> None:
        """Let hardware lie on `loft` from `low` to `high` (0..1)."""
        axis = loft.end - loft.start
        half = float(np.interp((low + high) / 2, loft.stations[:, 0], loft.stations[:, 3]))
        self.beds.append(Bed(kind, loft.start + low * axis, loft.start + high * axis, unit(loft.side), half))
