"""A film of a scene: attenuation, scatter, quantum noise, detector blur, response to 8 or 16 bit, collimation, marker."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.findings import Box, Break, Fracture, Hardware, boxes_inside
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Array, Camera, Crop, Solid

# Linear attenuation (1/mm) at the mean energy of a 55-75 kV beam: soft tissue, cortex, medulla, metal (NIST XCOM, rounded).
TISSUE, CORTEX, MEDULLA, METAL = 0.017, 0.078, 0.030, 0.80
HEADROOM = 0.12  # of the log range, kept above the densest bone: metal is the whitest thing on a film
# Strokes of the lead letters in a unit square: drawn by hand, as fonts differ between OpenCV's releases.
LETTERS = {
    "L": (((0, 0), (0, 1), (0.62, 1)),),
    "R": (((0, 1), (0, 0), (0.45, 0), (0.62, 0.12), (0.62, 0.4), (0.45, 0.52), (0, 0.52)), ((0.3, 0.52), (0.66, 1))),
}


@dataclass(frozen=True)
class Exposure:
    """How a film is taken and read out; nothing of it knows the label."""

    photons: float  # quanta a pixel in the open beam
    scatter: float  # share of scattered quanta behind the thickest tissue, 0..1
    blur: float  # detector blur, sd in px
    enhance: float  # local contrast enhancement of the reader, 0 none
    window: tuple[float, float]  # share of the film's log range below black and above white
    gamma: float
    border: tuple[float, float, float, float]  # collimated share at left, top, right, bottom
    tilt: float  # degrees the collimator is turned
    marker: str  # lead letter, "" for none
    marker_at: tuple[float, float]
    marker_size: float  # share of the longest side
    streak: float  # strength of line artefacts


def exposure(rng: np.random.Generator, marker: str) -> Exposure:
    """Draw how one film is taken; `marker` is the side's letter."""
    wide = rng.random() < 0.45
    border = rng.uniform(0, 0.07, 4) if wide else np.zeros(4)
    corner = (float(rng.choice([0.08, 0.87])), float(rng.choice([0.07, 0.88])))
    return Exposure(
        photons=float(np.exp(rng.uniform(np.log(1500), np.log(9000)))),
        scatter=float(rng.uniform(0.12, 0.4)),
        blur=float(rng.uniform(0.45, 0.75)),
        enhance=float(rng.uniform(0.2, 1.3)),
        window=(float(rng.uniform(-0.02, 0.1)), float(rng.uniform(0.0, 0.06))),
        gamma=float(rng.uniform(0.85, 1.35)),
        border=(float(border[0]), float(border[1]), float(border[2]), float(border[3])),
        tilt=float(rng.normal(0, 1.5)),
        marker=marker if rng.random() < 0.8 else "",
        marker_at=(corner[0] + float(rng.uniform(-0.04, 0.04)), corner[1] + float(rng.uniform(-0.04, 0.04))),
        marker_size=float(rng.uniform(0.03, 0.055)),
        streak=float(rng.uniform(0, 0.006)),
    )


@dataclass
class _Maps:
    """Path lengths (mm) on the film."""

    cortex: Array
    medulla: Array
    tissue: Array
    metal: Array


def expose(
    scene: Scene,
    camera: Camera,
    shape: tuple[int, int],
    how: Exposure,
    rng: np.random.Generator,
    fractures: tuple[Fracture, ...] = (),
    metal: tuple[Hardware, ...] = (),
    bits: int = 8,
) -> tuple[NDArray[Any], list[Box]]:
    """Take a film of `scene`.

    Args:
        shape: height and width in px.
        rng: draws quantum noise and texture only, so that films with and without a finding differ by the finding.
        bits: 8 or 16; white is bone.

    Returns:
        The film (height, width) as uint8 or uint16, and the boxes (xyxy, px) round the fractures seen on it.
    """
    maps, boxes = _cross(scene, camera, shape, fractures)
    for piece in metal:
        piece.draw(maps.metal, camera)
    texture = _texture(shape, camera.scale, rng)
    bone = maps.cortex + maps.medulla
    soft = np.maximum(maps.tissue, bone * 1.15)
    soften = 1 + 0.8 * float(np.exp(-np.percentile(soft, 90) / 60))  # thin parts are shot with a softer beam
    load = np.float32(TISSUE * soften) * (soft - bone) * (1 + 0.012 * texture[1])
    load += np.float32(CORTEX * soften) * maps.cortex + np.float32(MEDULLA * soften) * maps.medulla * (
        1 + 0.12 * texture[0]
    )
    load += np.float32(METAL) * maps.metal
    film = _read(_detect(load, soft, how, rng), how, soft)
    _frame(film, how)
    full = 2**bits - 1
    return np.clip(np.round(film * full), 0, full).astype(np.uint8 if bits == 8 else np.uint16), boxes


def _cross(
    scene: Scene, camera: Camera, shape: tuple[int, int], fractures: tuple[Fracture, ...]
) -> tuple[_Maps, list[Box]]:
    """Sum path lengths over the bones (once within a bone), and take the soft tissue's union."""
    maps = _Maps(*(np.zeros(shape, np.float32) for _ in range(4)))
    boxes: list[Box] = []
    for name, solids in scene.bones.items():
        broken = [f.seen(camera) for f in fractures if f.site.bone == name]
        found = _bone(solids, camera, shape, broken)
        if found is None:
            continue
        (x0, y0, x1, y1), outside, hollow, seen = found
        maps.cortex[y0:y1, x0:x1] += outside - hollow
        maps.medulla[y0:y1, x0:x1] += hollow
        boxes += seen
    _soft(scene, camera, maps.tissue)
    return maps, boxes_inside(boxes, shape[1], shape[0])


def _grid(
    bounds: tuple[float, float, float, float], shape: tuple[int, int], pad: float
) -> tuple[Crop, Array, Array] | None:
    """Return the crop of the film within bounds and its pixel coordinates, or None where they do not meet."""
    x0, y0 = max(int(bounds[0] - pad), 0), max(int(bounds[1] - pad), 0)
    x1, y1 = min(int(bounds[2] + pad) + 2, shape[1]), min(int(bounds[3] + pad) + 2, shape[0])
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    return (x0, y0, x1, y1), x, y


def _bone(
    solids: list[Solid], camera: Camera, shape: tuple[int, int], broken: list[Break]
) -> tuple[Crop, Array, Array, list[Box]] | None:
    shadows = [solid.shadow(camera) for solid in solids if broken or camera.sees(solid, shape)]
    if not shadows:
        return None
    bounds = np.asarray([shadow.bounds for shadow in shadows])
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    room = 2 + max((float(np.abs(b.step).sum() + np.abs(b.bow).sum()) for b in broken), default=0.0)
    grid = _grid((*low, *high), shape, room)
    if grid is None:
        return None
    (cx0, cy0, cx1, cy1), x, y = grid
    outside, hollow = np.zeros_like(x), np.zeros_like(x)
    left: Array = np.ones_like(x)
    sx, sy = x, y
    for line in broken:
        sx, sy, share = line.bend(sx, sy)
        left = left * share
    for shadow in shadows:
        part = _grid(shadow.bounds, shape, room)
        if part is None:
            continue
        a, b, c, d = part[0][0] - cx0, part[0][1] - cy0, part[0][2] - cx0, part[0][3] - cy0
        out, hole = shadow.paths(sx[b:d, a:c], sy[b:d, a:c])
        np.maximum(outside[b:d, a:c], out, out=outside[b:d, a:c])
        np.maximum(hollow[b:d, a:c], hole, out=hollow[b:d, a:c])
    found = [line.box(x, y, outside) for line in broken]
    return (cx0, cy0, cx1, cy1), outside * left, np.minimum(hollow, outside) * left, [box for box in found if box]


def _soft(scene: Scene, camera: Camera, tissue: Array) -> None:
    """Fill `tissue` with the union of the soft tissues less the gas, drawn at half resolution: it has no sharp edge."""
    small = Camera(camera.rotation, camera.scale / 2, camera.centre / 2 - 0.25, camera.target)
    height, width = (tissue.shape[0] + 1) // 2, (tissue.shape[1] + 1) // 2
    map_ = np.zeros((height, width), np.float32)
    for solid, share in [(solid, 0.0) for solid in scene.tissue] + [*scene.gas]:
        if not small.sees(solid, (height, width)):
            continue
        shadow = solid.shadow(small)
        if (grid := _grid(shadow.bounds, (height, width), 1)) is None:
            continue
        (x0, y0, x1, y1), x, y = grid
        path, part = shadow.paths(x, y)[0], map_[y0:y1, x0:x1]
        if share:
            part -= np.float32(share) * path
        else:
            np.maximum(part, path, out=part)
    cv2.GaussianBlur(map_, (0, 0), max(1.1 * camera.scale, 0.5), map_)
    np.maximum(map_, 0, out=map_)
    cv2.resize(map_, tissue.shape[::-1], tissue, interpolation=cv2.INTER_LINEAR)


def _texture(shape: tuple[int, int], scale: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return trabecular and soft-tissue texture, unit sd: noise of about 1 mm, longer than wide, and of about 8 mm."""
    noise = rng.standard_normal(shape, np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(0.45 * scale, 0.55), sigmaY=max(0.8 * scale, 0.75))
    fine -= cv2.GaussianBlur(fine, (0, 0), max(1.8 * scale, 2.0))
    small = cv2.resize(noise, (max(shape[1] // 8, 4), max(shape[0] // 8, 4)), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return fine / max(float(fine.std()), 1e-6), coarse / max(float(coarse.std()), 1e-6)


def _detect(load: Array, soft: Array, how: Exposure, rng: np.random.Generator) -> Array:
    """Return the detector's log signal: primary quanta, scatter, detector blur, quantum noise."""
    primary = np.exp(-load)
    height, width = load.shape
    tiny = cv2.resize(primary, (width // 8 + 1, height // 8 + 1), interpolation=cv2.INTER_AREA)
    haze = cv2.resize(cv2.GaussianBlur(tiny, (0, 0), 3.0), (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.float32(how.scatter) * np.minimum(soft / np.float32(120), 1)
    signal = cv2.GaussianBlur(primary * (1 - share) + haze * share, (0, 0), how.blur)
    noise = cv2.GaussianBlur(rng.standard_normal(load.shape, np.float32), (0, 0), 0.5) * np.float32(1.9)
    typical = np.float32(max(float(np.median(signal[soft > 8])) if (soft > 8).any() else 1.0, 1e-4))
    signal += np.sqrt(np.maximum(signal, 0) * typical / np.float32(how.photons)) * noise
    signal += np.float32(how.streak) * rng.standard_normal((1, width), np.float32) * signal
    return -np.log(np.maximum(signal, np.float32(2e-4)))


def _read(log: Array, how: Exposure, soft: Array) -> Array:
    """Return the film in 0..1: local enhancement, window over the body's range, gamma."""
    if how.enhance:
        height, width = log.shape
        tiny = cv2.resize(log, (width // 4 + 1, height // 4 + 1), interpolation=cv2.INTER_AREA)
        wide = cv2.resize(cv2.GaussianBlur(tiny, (0, 0), 5.0), (width, height), interpolation=cv2.INTER_LINEAR)
        log = log + np.float32(how.enhance) * (log - wide) * np.minimum(soft / np.float32(70), 1)
    body = log[soft > 5]
    low, high = np.percentile(body[::7], [4, 99.5]) if body.size > 100 else (0.0, 1.0)
    low = low * (0.25 + 0.6 * min(float(np.median(soft[soft > 5])) / 130, 1)) if body.size else 0.0
    span = max(float(high - low), 0.05)
    start, end = low + span * how.window[0], high + span * (HEADROOM - how.window[1])
    film = np.clip((log - np.float32(start)) / np.float32(end - start), 0, 1.4)
    film = np.where(film > 0.85, 0.85 + 0.15 * np.tanh((film - 0.85) / 0.15), film)
    lift = 0.68 + 0.32 * min(float(np.median(soft[soft > 5])) / 80, 1) if body.size else 1.0
    return np.asarray(film ** np.float32(how.gamma * lift), np.float32)


def _frame(film: Array, how: Exposure) -> None:
    """Darken what the collimator covers and put the lead marker on, in place."""
    height, width = film.shape
    if any(how.border):
        left, top, right, bottom = how.border
        corners = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)]) * (
            width,
            height,
        )
        middle, angle = np.array([width / 2, height / 2]), np.radians(how.tilt)
        spin = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
        open_beam = np.zeros(film.shape, np.uint8)
        points = ((corners - middle) @ spin.T + middle) * 16
        cv2.fillConvexPoly(open_beam, np.round(points).astype(np.int32), 255, cv2.LINE_AA, 4)
        film *= 0.06 + 0.94 * cv2.GaussianBlur(open_beam, (0, 0), 0.8).astype(np.float32) / 255
    if how.marker:
        letter = np.zeros(film.shape, np.uint8)
        size, at = how.marker_size * max(height, width), np.array(how.marker_at) * (width, height)
        strokes = [np.round((np.array(stroke) * size + at) * 16).astype(np.int32) for stroke in LETTERS[how.marker]]
        cv2.polylines(letter, strokes, False, 255, max(round(size * 0.2), 1), cv2.LINE_AA, 4)
        np.maximum(film, letter.astype(np.float32) / 255 * 0.97, out=film)
