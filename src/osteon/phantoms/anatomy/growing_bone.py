"""A growing tubular bone: a shaft, a growth plate that narrows and fuses, an epiphysis that fills its end."""

from dataclasses import dataclass

from osteon.phantoms.anatomy.maturity import Centre
from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, turn
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Solid, ball

CARTILAGE = 0.6  # mm of joint cartilage left on a grown bone's end
SEAM = 0.32  # mm: half thickness of the dense line on either side of a plate, and of a fused plate's


@dataclass(frozen=True)
class Tube:
    """A growing bone's measures, mm; widths are half widths before the body's girth is applied.

    Attributes:
        name: of the bone.
        length: from its base's joint to its head's.
        widths: of its base, shaft and head.
        zone: the length at one end that epiphysis and plate take up.
        distal: whether that is its far end, as in the metacarpals of the four fingers.
        round: 0..1, how round the epiphysis is: a head's, or the flat disc at a phalanx' base.
    """

    name: str
    length: float
    widths: tuple[float, float, float]
    zone: float
    distal: bool = False
    round: float = 0.45


def growing_bone(body: Build, scene: Scene, frame: Frame, tube: Tube, centre: Centre, stage: float) -> None:
    """Add `tube` along the y axis of `frame` as it looks at `stage` (months of a boy's bone age)."""
    (base, shaft, head), long = tube.widths, tube.length
    upright = frame if not tube.distal else frame.moved(0, long, 0, turn("z", 180))
    near, far = (head, base) if tube.distal else (base, head)
    plate = centre.plate(stage) * body.size
    start = tube.zone if plate > 0 else CARTILAGE
    parts: list[Solid] = [
        body.loft(
            upright, (0, start), (0, long - CARTILAGE),
            (0, 0, near * (0.98 if plate > 0 else 1.0), near * 0.84, 0.9), (0.17, 0, near * 0.74, near * 0.66, 1.4),
            (0.5, 0, shaft, shaft * 0.9, 1.9), (0.78, 0, (shaft + far) * 0.47, far * 0.78, 1.5),
            (0.93, 0, far, far * 0.92, 0.9), (1, 0, far * 0.93, far * 0.88, 0.8), ends=0.16 if plate > 0 else 0.35,
        )
    ]  # fmt: skip
    if plate > 0:
        parts.append(_seam(body, upright, start + SEAM, near * 0.93, 1.0))
        parts += _epiphysis(body, upright, tube, near, centre.shape(stage), plate)
    elif (line := centre.scar(stage)) > 0:
        parts.append(_seam(body, upright, tube.zone, near * 0.86, line))
    scene.add(tube.name, *parts)


def _epiphysis(body: Build, frame: Frame, tube: Tube, near: float, shape: float, plate: float) -> list[Solid]:
    """Return the ossified part of the bone's end, beyond the plate; nothing before it is seen."""
    if shape <= 0:
        return []
    wide = near * (0.26 + 0.78 * shape**0.75)
    thick = max((tube.zone - plate - CARTILAGE) * (0.34 + 0.66 * shape**0.9), 0.8)
    end = tube.zone - plate
    stations = ((0, 0, wide * 0.94, wide * 0.8, 0.7), (1, 0, wide, wide * 0.84, 0.7))
    return [body.loft(frame, (0, end - thick), (0, end), *stations, ends=0.15 + tube.round * (1.5 - shape))]


def _seam(body: Build, frame: Frame, at: float, wide: float, plain: float) -> Solid:
    """Return a dense line across the bone: the edge of a plate, or what is left of one."""
    half = (wide * body.girth, SEAM, wide * 0.8 * body.girth * plain)
    return ball(frame, (0, at), half, half[0])
