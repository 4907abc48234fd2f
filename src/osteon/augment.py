"""Random changes of a training image, seeded a call: numbers depend on neither workers nor ranks."""

import os
import random
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from osteon.config import Augment
from osteon.errors import OsteonError

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else every import asks the internet for a newer version

import albumentations as A  # noqa: N812
import cv2

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

NOISE_SD = (0.01, 0.05)  # of the full range
BLUR_SIGMA = (0.5, 1.5)  # pixels
ERASED_SIDE = (0.05, 0.2)  # of the image's side


class Augmenter:
    """Changes images of one size, reproducibly. Picklable, so that loader workers may hold it.

    albumentations left alone gives every worker the same draws, and the same again each epoch; hence a seed a call.
    """

    def __init__(self, spec: Augment, size: tuple[int, int]) -> None:
        self.spec, self.size = spec, size
        steps = _steps(spec)
        # Boxes lose only what falls outside the image; whether the rest is worth keeping, others decide.
        boxes = A.BboxParams(format="pascal_voc", clip=True, filter_invalid_bboxes=True)
        self._compose = A.Compose(steps, bbox_params=boxes) if steps else None
        if self._compose is not None:
            # One stream for all steps. albumentations' own set_random_seed gives every step a generator of the same
            # seed, whose draws then agree: flip and gamma correlated at -0.86 (400 draws; here 0.07).
            self._compose.set_random_state(np.random.default_rng(0), random.Random(0))

    def __call__(self, image: Image, seed: int) -> Image:
        """Return `image` (H, W) uint8 changed, of the same size; the change depends on `seed` alone.

        The given array is not written to; where the spec is all zero it comes back itself.
        """
        self._check(image)
        if self._compose is None:
            return image
        _reseed(self._compose, seed)
        changed: Image = self._compose(image=image)["image"]
        return changed

    def with_boxes(self, image: Image, boxes: Boxes, seed: int) -> tuple[Image, Boxes]:
        """Change an image and the boxes on it alike.

        Args:
            image: (H, W) uint8.
            boxes: (N, 4 or more) float32, xyxy in pixels; further columns (class, index) travel unchanged.
            seed: the same image comes back as from a call without boxes.

        Returns:
            The image, and the boxes (M, as many columns) still on it, clipped; a rotated box is the upright one
            around its corners, hence somewhat too large.
        """
        self._check(image)
        if self._compose is None:
            return image, boxes
        _reseed(self._compose, seed)
        changed = self._compose(image=image, bboxes=boxes)
        return changed["image"], np.asarray(changed["bboxes"], np.float32).reshape(-1, boxes.shape[1])

    def _check(self, image: Image) -> None:
        if image.dtype != np.uint8 or image.shape != self.size:
            raise OsteonError(
                f"augment: expected images of {self.size[0]}x{self.size[1]} uint8, found {image.shape} {image.dtype}."
            )


def build_augment(spec: Augment, size: tuple[int, int]) -> Augmenter:
    """Make the augmentation of a run for cached images of `size` (height, width) in pixels.

    Raises:
        OsteonError: the installed albumentations does not know an argument that is passed to it.
    """
    with warnings.catch_warnings():
        # It only warns of an argument it does not know, and then augments in another way than the config says.
        warnings.filterwarnings("error", message=".*not valid for transform.*")
        warnings.filterwarnings("ignore", message="Got processor for bboxes, but no transform")
        try:
            return Augmenter(spec, size)
        except (UserWarning, ValueError) as fault:
            raise OsteonError(
                f"augment: albumentations {A.__version__} refuses {spec.model_dump()} ({fault}). Install 2.0.8."
            ) from fault


def _steps(spec: Augment) -> list[A.BasicTransform]:
    """Return the transforms that `spec` asks for, geometry first; what is zero is left out."""
    gammas = (100.0 * (1.0 - spec.gamma), 100.0 * (1.0 + spec.gamma))
    steps = [
        (spec.horizontal_flip, A.HorizontalFlip(p=spec.horizontal_flip)),
        (spec.vertical_flip, A.VerticalFlip(p=spec.vertical_flip)),
        (max(spec.rotate, spec.translate, spec.scale, spec.shear), _affine(spec)),
        (max(spec.brightness, spec.contrast), _exposure(spec)),
        (spec.gamma, A.RandomGamma(gamma_limit=gammas, p=1.0)),
        (spec.noise, A.GaussNoise(std_range=NOISE_SD, p=spec.noise)),
        (spec.blur, A.GaussianBlur(blur_limit=0, sigma_limit=BLUR_SIGMA, p=spec.blur)),
        (spec.erase, _erasing(spec.erase)),
    ]
    return [step for amount, step in steps if amount > 0]


def _affine(spec: Augment) -> A.BasicTransform:
    """One warp for rotation (degrees), shift (fraction of each side), zoom and shear (degrees); what is bared is 0."""
    return A.Affine(
        rotate=(-spec.rotate, spec.rotate),
        translate_percent=(-spec.translate, spec.translate),
        scale=(1.0 - spec.scale, 1.0 + spec.scale),
        shear=(-spec.shear, spec.shear),
        keep_ratio=True,
        interpolation=cv2.INTER_LINEAR,
        border_mode=cv2.BORDER_CONSTANT,
        fill=0,
        p=1.0,
    )


def _exposure(spec: Augment) -> A.BasicTransform:
    return A.RandomBrightnessContrast(
        brightness_limit=spec.brightness, contrast_limit=spec.contrast, brightness_by_max=True, p=1.0
    )


def _erasing(probability: float) -> A.BasicTransform:
    return A.CoarseDropout(
        num_holes_range=(1, 1), hole_height_range=ERASED_SIDE, hole_width_range=ERASED_SIDE, fill=0, p=probability
    )


def _reseed(compose: Any, seed: int) -> None:
    """Put the two generators that all steps share at the start of `seed`."""
    compose.random_generator.bit_generator.state = np.random.PCG64(seed).state
    compose.py_random.seed(seed)
