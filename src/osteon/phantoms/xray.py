"""A film of a scene: attenuation, scatter, detector blur, quantum noise, and the reader's response to 8 or 16 bit."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.crossing import Paths, cross_scene
from osteon.phantoms.exposure import Exposure, collimate, mark
from osteon.phantoms.fractures import Fracture, boxes_inside
from osteon.phantoms.geometry import Array, Bounds, Camera
from osteon.phantoms.metal import Metal
from osteon.phantoms.scene import Scene

# Linear attenuation (1/mm) of soft tissue, cortex, medulla, metal: of the order of NIST XCOM's at 60-70 keV, with the
# bone's contrast raised and the metal's lowered as a film's latitude does.
TISSUE, CORTEX, MEDULLA, METAL = 0.017, 0.078, 0.030, 0.80
PLASTER = 0.030  # a cast's: gypsum with as much air
HEADROOM = 0.12  # of the log range, kept above the densest bone: metal is the whitest thing on a film
BEHIND = 0.3  # share of the scatter that reaches the detector behind metal
SKIN = 5.0  # mm of tissue from which on a pixel is body


def expose(
    scene: Scene,
    camera: Camera,
    shape: tuple[int, int],
    how: Exposure,
    rng: np.random.Generator,
    fractures: Sequence[Fracture] = (),
    metal: Sequence[Metal] = (),
    bits: int = 8,
) -> tuple[NDArray[Any], list[Bounds]]:
    """Take a film of `scene`.

    Args:
        scene: the anatomy in its pose.
        camera: how it is projected.
        shape: height and width in px.
        how: how it is exposed and read out.
        rng: draws quantum noise and texture only, so that films with and without a finding differ by the finding.
        fractures: what is broken.
        metal: what is plated.
        bits: 8 or 16; white is bone.

    Returns:
        The film (height, width) as uint8 or uint16, and the boxes (xyxy, px) round the fractures seen on it.
    """
    paths, boxes = cross_scene(scene, camera, shape, fractures)
    for piece in metal:
        piece.draw(paths.metal, camera)
    soft = np.maximum(paths.tissue, (paths.cortex + paths.medulla) * np.float32(1.15))
    load = _load(paths, soft, _texture(shape, camera.scale, rng))
    film = _respond(_detect(load, soft, paths.metal, how, rng), how, soft, paths.metal)
    collimate(film, how)
    mark(film, how)
    full = 2**bits - 1
    grey = np.clip(np.round(film * full), 0, full).astype(np.uint8 if bits == 8 else np.uint16)
    return grey, boxes_inside(boxes, shape[1], shape[0])


def _texture(shape: tuple[int, int], scale: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return trabecular and soft-tissue texture, unit sd: noise of about 1 mm, longer than wide, and of about 8 mm."""
    noise = rng.standard_normal(shape, np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(0.45 * scale, 0.55), sigmaY=max(0.8 * scale, 0.75))
    fine = fine - cv2.GaussianBlur(fine, (0, 0), max(1.8 * scale, 2.0))
    coarse = _wide(noise, 8, 0.0)
    return _of_unit(fine), _of_unit(coarse)


def _of_unit(noise: Any) -> Array:
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def _wide(image: Any, factor: int, blur: float) -> Array:
    """Return `image` without its detail: shrunk by `factor`, blurred by `blur` small pixels, enlarged again."""
    height, width = image.shape
    tiny = cv2.resize(image, (width // factor + 1, height // factor + 1), interpolation=cv2.INTER_AREA)
    if blur:
        tiny = cv2.GaussianBlur(tiny, (0, 0), blur)
    return np.asarray(cv2.resize(tiny, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _load(paths: Paths, soft: Array, texture: tuple[Array, Array]) -> Array:
    """Return the line integral of attenuation; thin parts are shot with a softer beam."""
    soften = 1 + 0.8 * float(np.exp(-np.percentile(soft, 90) / 60))
    flesh = soft - paths.cortex - paths.medulla
    load = np.float32(TISSUE * soften) * flesh * (1 + np.float32(0.012) * texture[1])
    load += np.float32(CORTEX * soften) * paths.cortex
    load += np.float32(MEDULLA * soften) * paths.medulla * (1 + np.float32(0.08) * texture[0])
    load += np.float32(PLASTER * soften) * paths.plaster
    return np.asarray(load + np.float32(METAL) * paths.metal, np.float32)


def _detect(load: Array, soft: Array, metal: Array, how: Exposure, rng: np.random.Generator) -> Array:
    """Return the detector's log signal: primary and scattered quanta, detector blur, quantum noise, line artefacts."""
    primary, share = np.exp(-load), np.float32(how.scatter) * np.minimum(soft / np.float32(120), 1)
    share = share * (np.float32(BEHIND) + np.float32(1 - BEHIND) * np.exp(-metal))
    signal = cv2.GaussianBlur(primary * (1 - share) + _wide(primary, 8, 3.0) * share, (0, 0), how.blur)
    grain = cv2.GaussianBlur(rng.standard_normal(load.shape, np.float32), (0, 0), 0.5) * np.float32(1.9)
    body = signal[soft > SKIN]
    typical = max(float(np.median(body)), 1e-4) if body.size else 1.0
    signal = signal + np.sqrt(np.maximum(signal, 0) * np.float32(typical / how.photons)) * grain
    signal = signal * (1 + np.float32(how.streak) * rng.standard_normal((1, load.shape[1]), np.float32))
    return np.asarray(-np.log(np.maximum(signal, np.float32(2e-4))), np.float32)


def _respond(log: Array, how: Exposure, soft: Array, metal: Array) -> Array:
    """Return the film in 0..1: local enhancement, a window over the body's range, an S-curve's shoulder, gamma."""
    log = log + np.float32(how.enhance) * (log - _wide(log, 4, 5.0)) * np.minimum(soft / np.float32(70), 1)
    body = log[(soft > SKIN) & (metal <= 0)]  # a reader's window does not follow metal
    low, high = np.percentile(body[::7], [4, 99.5]) if body.size > 100 else (0.0, 1.0)
    thick = float(np.median(soft[soft > SKIN])) if body.size else 0.0
    low = float(low) * (0.25 + 0.6 * min(thick / 130, 1))
    span = max(float(high) - low, 0.05)
    start, end = low + span * how.window[0], float(high) + span * (HEADROOM - how.window[1])
    film = np.clip((log - np.float32(start)) / np.float32(end - start), 0, 1.4)
    film = np.where(film > 0.85, 0.85 + 0.15 * np.tanh((film - 0.85) / 0.15), film)
    return np.asarray(film ** np.float32(how.gamma * (0.68 + 0.32 * min(thick / 80, 1))), np.float32)
