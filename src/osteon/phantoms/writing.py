"""How phantoms reach the disk: in parallel, each place with a random stream of its own, files as real datasets have."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError

NOTICE = "PHANTOM.txt"
SENTENCE = (
    "The radiographs in this folder are phantoms: drawn by code (osteon.phantoms) with known truth, of no patient. "
    "A score measured on them says nothing about any clinical use.\n"
)
WORKERS = 2
Job = TypeVar("Job")
Result = TypeVar("Result")


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
    """Return `work` of every job, in order.

    Threads, because a child process would import the caller's main module again. They share the interpreter, so that a
    second one gains some tenths at most.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, jobs))


def save(path: Path, pixels: NDArray[Any], options: tuple[int, ...] = ()) -> None:
    """Write an image file in the format its suffix names; folders are made.

    Raises:
        OsteonError: the image could not be encoded.
        OSError: the disk is full or read-only.
    """
    done, data = cv2.imencode(path.suffix, pixels, list(options))
    if not done:
        raise OsteonError(f"{path}: this image could not be encoded as {path.suffix}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())


def stream(seed: int, *place: int) -> np.random.Generator:
    """Return the generator of one place (patient, study, image); streams of different places are independent.

    The seed sequence gets the place's length too: without it NumPy gives (1, 2) and (1, 2, 0) the same stream.
    """
    return np.random.default_rng([seed, len(place), *place])


def notice(folder: Path) -> None:
    """Say in the dataset's root that its images are phantoms; written last, so that it marks a complete folder."""
    (folder / NOTICE).write_text(SENTENCE, encoding="utf-8")
