"""A 5-megapixel, 12-bit radiograph from DICOM file to a 512 x 512 canvas: osteon, bare pydicom and MONAI, interleaved.

Bare pydicom is `dcmread(path).pixel_array` and one INTER_AREA resize: no window, no polarity, no checks. MONAI is
LoadImage with PydicomReader and the same resize. The image is synthetic: smooth anatomy with quantum noise.

    python benchmarks/dicom_reading.py --out benchmarks/results/dicom_reading.md
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from monai.transforms import LoadImage
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from osteon.images.letterbox import letterbox
from osteon.images.read import read_image

ROWS, COLUMNS, BITS, SIZE = 2500, 2048, 12, 512
PROMISE = 1.5
ENCODERS: dict[str, tuple[UID, Callable[[np.ndarray], bytes] | None]] = {
    "uncompressed": (ExplicitVRLittleEndian, None),
    "uncompressed, no window": (ExplicitVRLittleEndian, None),
    "RLE": (RLELossless, None),
    "JPEG lossless .70": (JPEGLosslessSV1, lambda grey: imagecodecs.ljpeg_encode(grey, bitspersample=BITS)),
    "JPEG-LS lossless": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG 2000 lossless": (
        JPEG2000Lossless,
        lambda grey: imagecodecs.jpeg2k_encode(grey, level=0, codecformat="j2k", reversible=True, bitspersample=BITS),
    ),
}


def radiograph() -> np.ndarray:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    bone = np.exp(-((columns / 0.25) ** 2)) * (1 + 0.3 * np.sin(9 * rows))
    grey = 600 + 1500 * np.exp(-((columns / 0.7) ** 4)) + 1300 * bone
    return np.clip(np.rint(grey + rng.normal(0, 12, grey.shape)), 0, 2**BITS - 1).astype(np.uint16)


def store(grey: np.ndarray, name: str, path: Path) -> None:
    syntax, encoder = ENCODERS[name]
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", "1.2.3.4"
    dataset.Rows, dataset.Columns = grey.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME1"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, BITS, BITS - 1, 0
    if "no window" not in name:
        dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PixelSpacing = [0.15, 0.15]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    dataset.PixelData = encapsulate([encoder(grey)]) if encoder else grey.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OB" if encoder else "OW"
    dataset["PixelData"].is_undefined_length = bool(encoder)
    if syntax == RLELossless:
        dataset.compress(RLELossless, grey, encoding_plugin="pydicom", generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def ours(path: Path) -> np.ndarray:
    return letterbox(read_image(path).pixels, (SIZE, SIZE))[0]


def bare(path: Path) -> np.ndarray:
    return shrunk(dcmread(path).pixel_array)


def monai(path: Path) -> np.ndarray:
    load = LoadImage(reader="PydicomReader", image_only=True)
    return shrunk(np.asarray(load(path)).T)


def shrunk(values: np.ndarray) -> np.ndarray:
    scale = SIZE / max(values.shape)
    size = round(values.shape[1] * scale), round(values.shape[0] * scale)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


WAYS = {"osteon": ours, "bare pydicom": bare, "MONAI": monai}


def measured(path: Path, repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of each way, interleaved; the first round warms caches and imports.

    The order turns, as whoever comes after MONAI finds the processor's caches full of its arrays.
    """
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for turn in range(repeats + 1):
        ways = list(WAYS.items())
        for name, way in ways[turn % 3 :] + ways[: turn % 3]:
            begin = time.perf_counter()
            way(path)
            taken[name].append(1000 * (time.perf_counter() - begin))
    return {name: values[1:] for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # MONAI warns twice a file
    cv2.setNumThreads(1)
    grey, load = radiograph(), os.getloadavg()[0]
    lines = [
        "# A 5-megapixel DICOM file to a 512 x 512 canvas",
        "",
        f"{ROWS} x {COLUMNS}, {BITS} bit, MONOCHROME1; medians of {args.repeats} interleaved runs in ms",
        "(uncompressed: three times as many), files hot.",
        "The best run of each suffers least from other work on the machine.",
        f"`python benchmarks/dicom_reading.py {' '.join(sys.argv[1:])}`, {platform.machine()}, one thread, "
        f"load average {load:.1f} before.",
        "",
        "| transfer syntax | osteon | bare pydicom | MONAI | osteon / bare | best runs: osteon / bare |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in ENCODERS:
            path = Path(folder) / "a.dcm"
            store(grey, name, path)
            taken = measured(path, args.repeats * (1 if ENCODERS[name][0] != ExplicitVRLittleEndian else 3))
            middle = {way: statistics.median(values) for way, values in taken.items()}
            best = min(taken["osteon"]) / min(taken["bare pydicom"])
            cells = " | ".join(f"{middle[way]:.1f}" for way in WAYS)
            lines.append(f"| {name} | {cells} | {middle['osteon'] / middle['bare pydicom']:.2f} | {best:.2f} |")
    text = "\n".join([*lines, "", f"The promise: at most {PROMISE} times bare pydicom, uncompressed."]) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
