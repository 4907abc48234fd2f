import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.sparse.csgraph import connected_components

from osteon.images import ImageError, clusters, fingerprint, read_image
from osteon.images import near_duplicates as module
from osteon.images.near_duplicates import MAX_DISTANCE, mirrored

Change = Callable[[np.ndarray], np.ndarray]


def saved(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as again:
        return np.asarray(again)


def trimmed(image: np.ndarray, share: float) -> np.ndarray:
    rows, columns = round(image.shape[0] * share), round(image.shape[1] * share)
    return image[rows : image.shape[0] - rows, columns : image.shape[1] - columns]


COPIES: dict[str, Change] = {
    "re-saved": lambda image: saved(image, 50),
    "halved": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "squeezed": lambda image: cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA),
    "trimmed by 1 %": lambda image: trimmed(image, 0.01),
    "brighter": lambda image: cv2.add(image, 25),
    "more contrast": lambda image: cv2.convertScaleAbs(image, alpha=1.2),
    "gamma": lambda image: (255 * (image / 255.0) ** 0.7).astype(np.uint8),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "mirrored and re-saved": lambda image: saved(np.ascontiguousarray(image[:, ::-1]), 60),
}


@pytest.fixture(scope="module")
def films(test_data: Path) -> list[np.ndarray]:
    """Every fourth radiograph of FracAtlas, shrunk for speed."""
    found = []
    for path in sorted((test_data / "fracatlas" / "FracAtlas" / "images").glob("*/*.jpg"))[::4]:
        try:
            found.append(cv2.resize(read_image(path).pixels, (374, 454), interpolation=cv2.INTER_AREA))
        except ImageError:
            continue
    return found


@pytest.mark.parametrize("change", COPIES)
def test_a_changed_copy_is_merged_with_its_original(films: list[np.ndarray], change: str) -> None:
    chosen = films[::3]
    labels = clusters(np.array([fingerprint(image) for image in (*chosen, *map(COPIES[change], chosen))]))
    merged = labels[: len(chosen)] == labels[len(chosen) :]
    assert merged.mean() >= (0.95 if "trimmed" in change else 1.0)


def test_different_patients_are_not_chained_together(films: list[np.ndarray]) -> None:
    sizes = np.bincount(clusters(np.array([fingerprint(image) for image in films])))
    assert sizes.max() <= 2
    assert (sizes > 1).sum() <= 3


def test_the_known_copies_of_fracatlas_are_found(test_data: Path) -> None:
    """Five radiographs stand twice in these 700, seen by eye; two were cut below and saved again."""
    folder = test_data / "fracatlas" / "FracAtlas" / "images" / "Fractured"
    pairs = [(2750, 4114), (2849, 4207), (2746, 4117), (2749, 4113)]
    found = [fingerprint(read_image(folder / f"IMG000{name}.jpg").pixels) for pair in pairs for name in pair]
    assert clusters(np.array(found)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@given(st.integers(0, 2**32 - 1))
def test_the_hash_of_a_mirror_image_follows_from_the_hash(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (90, 128), dtype=np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 4)
    flipped = fingerprint(np.ascontiguousarray(image[:, ::-1]))
    assert np.bitwise_count(flipped ^ mirrored(fingerprint(image))).sum() <= 2


def reference(hashes: np.ndarray, limit: int) -> np.ndarray:
    """The full distance matrix, bit by bit."""
    bits, flipped = np.unpackbits(hashes, axis=1), np.unpackbits(mirrored(hashes), axis=1)
    near = ((bits[:, None] != bits).sum(2) <= limit) | ((bits[:, None] != flipped).sum(2) <= limit)
    return connected_components(near, directed=False)[1]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(0, 120))
def test_clusters_equal_those_of_the_full_matrix(seed: int, count: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (5, 32), dtype=np.uint8)
    noise = np.packbits(rng.random((count, 256)) < 0.12, axis=1)
    hashes = centres[rng.integers(0, 5, count)] ^ noise
    hashes[: count // 3] = mirrored(hashes[: count // 3])
    found, expected = clusters(hashes, limit), reference(hashes, limit)
    np.testing.assert_array_equal(found[:, None] == found, expected[:, None] == expected)
    _, first = np.unique(found, return_index=True)
    assert (np.diff(first) > 0).all(), "labels count up in the order of first appearance"


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 256, (300, 32), dtype=np.uint8)
    hashes[200:] = hashes[:100] ^ np.packbits(rng.random((100, 256)) < 0.05, axis=1)
    whole = clusters(hashes)
    monkeypatch.setattr(module, "_PAIRS_A_STEP", 700)
    np.testing.assert_array_equal(clusters(hashes), whole)
    assert whole.max() == 199


def test_none_one_and_all_equal() -> None:
    assert clusters(np.zeros((0, 32), np.uint8)).tolist() == []
    assert clusters(np.zeros((1, 32), np.uint8)).tolist() == [0]
    assert clusters(np.tile(fingerprint(np.zeros((9, 9), np.uint8)), (40_000, 1))).max() == 0


def test_constant_images_have_one_hash() -> None:
    assert len({fingerprint(np.full((50, 70), grey, np.uint8)).tobytes() for grey in range(1, 256)}) == 1
    assert MAX_DISTANCE < 44, "the first pair of two patients in FracAtlas"
