"""How a film is taken and read out: nothing of it knows the label. Collimation and lead marker."""

from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.geometry import Array, Bounds

# Strokes of the lead letters in a unit square: drawn by hand, as fonts differ between OpenCV's releases.
LETTERS = {
    "L": (((0, 0), (0, 1), (0.62, 1)),),
    "R": (((0, 1), (0, 0), (0.45, 0), (0.62, 0.12), (0.62, 0.4), (0.45, 0.52), (0, 0.52)), ((0.3, 0.52), (0.66, 1))),
    "T": (((0, 0), (0.7, 0)), ((0.35, 0), (0.35, 1))),
    "H": (((0, 0), (0, 1)), ((0.62, 0), (0.62, 1)), ((0, 0.5), (0.62, 0.5))),
    "V": (((0, 0), (0.35, 1), (0.7, 0)),),
}
MARKED = 0.8  # share of films with a marker
COLLIMATED = 0.45  # share of films that show the collimator's edge


@dataclass(frozen=True)
class Exposure:
    """How a film is taken.

    Attributes:
        photons: quanta a pixel behind the body's median thickness (the exposure is automatic).
        scatter: share of scattered quanta behind thick tissue, 0..1.
        blur: detector blur, sd in px.
        enhance: local contrast enhancement of the reader, 0 for none.
        window: share of the body's log range that is cut below and above.
        gamma: exponent of the response.
        border: collimated share of the film at left, top, right, bottom.
        tilt: how far the collimator is turned, degrees.
        marker: lead letter, empty for none.
        marker_at: where, share of the width and height.
        marker_size: share of the longest side.
        streak: relative strength of line artefacts.
    """

    photons: float
    scatter: float
    blur: float
    enhance: float
    window: tuple[float, float]
    gamma: float
    border: tuple[float, float, float, float]
    tilt: float
    marker: str
    marker_at: tuple[float, float]
    marker_size: float
    streak: float


def exposure(rng: np.random.Generator, marker: str) -> Exposure:
    """Draw how one film is taken; `marker` is the side's letter, L or R."""
    edges = rng.uniform(0, 0.07, 4) * float(rng.random() < COLLIMATED)
    corner = (float(rng.choice([0.08, 0.87])), float(rng.choice([0.07, 0.88])))
    drift = rng.uniform(-0.04, 0.04, 2)
    return Exposure(
        photons=float(np.exp(rng.uniform(np.log(4000), np.log(20000)))),
        scatter=float(rng.uniform(0.12, 0.4)),
        blur=float(rng.uniform(0.45, 0.75)),
        enhance=float(rng.uniform(0.4, 1.0)),
        window=(float(rng.uniform(-0.02, 0.06)), float(rng.uniform(0.0, 0.06))),
        gamma=float(rng.uniform(0.9, 1.2)),
        border=(float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])),
        tilt=float(rng.normal(0, 1.5)),
        marker=marker if rng.random() < MARKED else "",
        marker_at=(corner[0] + float(drift[0]), corner[1] + float(drift[1])),
        marker_size=float(rng.uniform(0.03, 0.055)),
        streak=float(rng.uniform(0, 0.006)),
    )


def collimate(film: Array, how: Exposure) -> None:
    """Darken what the collimator covers, in place; `film` (height, width) is in 0..1."""
    if not any(how.border):
        return
    height, width = film.shape
    left, top, right, bottom = how.border
    shares = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)])
    cos, sin = np.cos(np.radians(how.tilt)), np.sin(np.radians(how.tilt))
    corners = (shares - 0.5) * (width, height) @ np.array([(cos, sin), (-sin, cos)]) + (width / 2, height / 2)
    beam = np.zeros(film.shape, np.uint8)
    cv2.fillConvexPoly(beam, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    film *= 0.06 + 0.94 * cv2.GaussianBlur(beam, (0, 0), 0.8).astype(np.float32) / 255


def mark(film: Array, how: Exposure) -> None:
    """Put the lead marker on the film, in place."""
    if not how.marker:
        return
    strokes, wide = _strokes(how, film.shape)
    letter = np.zeros(film.shape, np.uint8)
    cv2.polylines(letter, [np.round(s * 16).astype(np.int32) for s in strokes], False, 255, wide, cv2.LINE_AA, 4)
    np.maximum(film, letter.astype(np.float32) / 255, out=film)


def marked(how: Exposure, shape: tuple[int, int]) -> Bounds | None:
    """Return the box (xyxy, px) round the lead marker on a film of (height, width); None where there is none."""
    if not how.marker:
        return None
    strokes, wide = _strokes(how, shape)
    points, pad = np.concatenate(strokes), wide / 2 + 1
    (x0, y0), (x1, y1) = (points.min(axis=0) - pad + 0.5).tolist(), (points.max(axis=0) + pad + 0.5).tolist()
    return x0, y0, x1, y1


def _strokes(how: Exposure, shape: tuple[int, ...]) -> tuple[list[np.ndarray], int]:
    """Return the letter's strokes, in px by the centres of pixels, and how wide they are drawn."""
    height, width = shape
    size, at = how.marker_size * max(height, width), np.array(how.marker_at) * (width, height)
    return [np.array(stroke) * size + at for stroke in LETTERS[how.marker]], max(round(size * 0.2), 1)
