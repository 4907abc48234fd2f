"""Damaged DICOM files from seeds, and the process that reads them: one line a file, or its death, names the seed.

python -m tests.images.dicom.fuzzing 0 300
"""

import random
import resource
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, UID, RLELossless

from osteon.images.radiograph import ImageError
from osteon.images.read import decode
from tests.images.dicom.encoders import LOSSLESS, LOSSY, rle
from tests.images.dicom.writing import NATIVE, Choices, Lut, write

MEMORY = 1 << 30
SHAPE = (24, 20)
WINDOW = {"WindowCenter": [2000.0, 1500.0], "WindowWidth": [3000.0, 900.0], "RescaleSlope": 1, "RescaleIntercept": 0}
SYNTAXES = sorted({*NATIVE, *(uid for uid, _ in LOSSLESS.values()), *(one[0] for one in LOSSY.values()), MPEG2MPML})
NUMBERS: dict[str, tuple[object, ...]] = {
    "Rows": (0, 1, 23, 25, 65535),
    "Columns": (0, 1, 19, 21, 65535),
    "BitsAllocated": (0, 1, 7, 8, 12, 16, 32, 64, 65535),
    "BitsStored": (0, 1, 8, 13, 16, 17, 33, 65535),
    "HighBit": (0, 7, 15, 31, 65535),
    "PixelRepresentation": (0, 1, 2, 65535),
    "SamplesPerPixel": (0, 1, 2, 3, 4, 65535),
    "PlanarConfiguration": (0, 1, 7),
    "NumberOfFrames": ("0", "-1", "2", "1000000000", "1.5"),
    "PhotometricInterpretation": ("", "FOO", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR", "MONOCHROME1"),
    "WindowCenter": ("1e300", "-1e300", "", "5\\"),
    "WindowWidth": ("0", "-1", "1e300", "1e-300", "\\\\"),
    "RescaleSlope": ("0", "1e300", "1e-300", "-0", ""),
    "RescaleIntercept": ("1e300", "-1e308", ""),
    "VOILUTFunction": ("", "FOO", "SIGMOID", "LINEAR_EXACT"),
    "PixelPaddingValue": (0, 4095, 32767),
    "PixelSpacing": ("0\\0", "1e300\\-1", "1", ""),
}


def corpus() -> list[tuple[np.ndarray, Choices]]:
    """Return small valid images of every syntax, with and without tables, in grey and in colour."""
    rng = np.random.default_rng(0)
    grey = np.add.outer(np.arange(SHAPE[0]) * 90, np.arange(SHAPE[1]) * 70) + rng.integers(0, 300, SHAPE)
    byte, colour = grey // 16, rng.integers(0, 256, (*SHAPE, 3))
    found = [(grey, Choices(syntax=syntax, tags=WINDOW)) for syntax in NATIVE]
    found += [(grey, Choices(syntax=s, encoder=e, tags=WINDOW)) for s, e in LOSSLESS.values()]
    found += [(grey if c.stored > 8 else byte, replace(c, syntax=s, encoder=e)) for s, e, c in LOSSY.values()]
    curve = np.arange(4096, dtype=np.uint16)
    found.append((grey, Choices(modality=Lut(0, 16, curve), voi=(Lut(0, 12, curve), Lut(5, 8, curve // 16)))))
    found += [
        (colour, Choices(8, 8, photometric="RGB", planar=planar, syntax=syntax))
        for planar in (0, 1)
        for syntax in NATIVE
    ]
    found.append((colour, Choices(8, 8, photometric="RGB", syntax=RLELossless, encoder=rle)))
    found.append((np.stack([grey, grey, grey]), Choices(frames=3)))
    found.append((np.stack([grey, grey]), Choices(frames=2, syntax=RLELossless, encoder=rle)))
    found.append((grey, Choices(preamble=False)))
    return found


def damaged(seed: int, images: list[tuple[np.ndarray, Choices]]) -> bytes:
    """Return the damaged file of a seed: one kind of harm, sometimes two."""
    rng = random.Random(seed)
    values, choices = images[seed % len(images)]
    kind = rng.randrange(9)
    if kind == 0:
        choices = replace(choices, tags={**choices.tags, **_wrong(rng)})
    if kind == 1 and choices.encoder:
        return _fragments(values, choices, rng)
    data = bytearray(write(values, choices))
    if kind == 2:
        other = rng.choice(SYNTAXES)
        data = bytearray(bytes(data).replace(_uid(choices.syntax), _uid(UID(other))[: len(_uid(choices.syntax))]))
    if kind != 0 or rng.random() < 0.3:
        _HARM[kind % len(_HARM)](data, rng)
    return bytes(data)


def _uid(uid: UID) -> bytes:
    return str(uid).encode()


def _wrong(rng: random.Random) -> dict[str, object]:
    names = rng.sample(sorted(NUMBERS), rng.choice([1, 1, 2, 3]))
    return {name: None if rng.random() < 0.25 else rng.choice(NUMBERS[name]) for name in names}


def _fragments(values: np.ndarray, choices: Choices, rng: random.Random) -> bytes:
    codes = [choices.encoder(frame, choices) for frame in (values if choices.frames else [values])]  # type: ignore[misc]
    pieces = [piece for code in codes for piece in np.array_split(np.frombuffer(code, np.uint8), rng.randrange(1, 5))]
    parts = [piece.tobytes() for piece in pieces]
    rng.shuffle(parts)
    parts = parts[: rng.randrange(len(parts) + 1)] + ([b""] if rng.random() < 0.3 else [])
    whole = encapsulate(parts, has_bot=rng.random() < 0.5) if parts and all(parts) else b"\xfe\xff\x00\xe0\0\0\0\0" * 2
    marked = write(values, replace(choices, encoder=lambda *_: b"PIXELS"))
    start = marked.index(b"\xfe\xff\x00\xe0")
    return marked[:start] + whole + (b"\xfe\xff\xdd\xe0\0\0\0\0" if rng.random() < 0.8 else b"")


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 2, 5, 30])):
        data[rng.randrange(len(data))] = rng.randrange(256)


def _flip_header(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 2, 4])):
        data[rng.randrange(128, min(len(data), 900))] = rng.randrange(256)


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.choice([rng.randrange(len(data)), len(data) - rng.randrange(1, 40)]) :]


def _length(data: bytearray, rng: random.Random) -> None:
    """Overwrite four bytes after something that looks like a tag."""
    groups = [
        place for place in range(128, len(data) - 12) if data[place : place + 2] in (b"\x28\0", b"\xe0\x7f", b"\x02\0")
    ]
    place = rng.choice(groups or [200]) + rng.choice([4, 6, 8])
    data[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xfe\xff\xff\x7f", b"\0\0\0\0", rng.randbytes(4)])


def _insert(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place:place] = rng.choice([rng.randbytes(rng.randrange(1, 60)), b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000])


def _tail(data: bytearray, rng: random.Random) -> None:
    """Damage the last third, where the pixels of a small file lie."""
    for _ in range(rng.choice([1, 3, 20])):
        data[rng.randrange(len(data) * 2 // 3, len(data))] = rng.choice([0, 0xFF, rng.randrange(256)])


_HARM = (_flip, _flip_header, _truncate, _length, _insert, _tail, _tail)


def outcome(data: bytes) -> str:
    """Return how the reader ends: "pixels", "ImageError", or what is wrong with the way it ended."""
    try:
        found = decode(data)
    except ImageError as fault:
        plain = fault.reason and len(fault.reason) < 500 and "Traceback" not in fault.reason
        crowded = "MemoryError" in fault.reason or "bad_alloc" in fault.reason
        return "ImageError" if plain and not crowded else f"WRONG reason {fault.reason[:200]!r}"
    except BaseException as fault:
        return f"WRONG {type(fault).__name__}: {fault}"[:300].replace("\n", " ")
    if found.pixels.dtype != np.uint8 or found.pixels.ndim != 2 or not found.pixels.size:
        return f"WRONG pixels {found.pixels.dtype} {found.pixels.shape}"
    words = found.decision.lower().replace("nan", " nan ").split()
    return "WRONG decision " + found.decision if "nan" in words or "inf" in words else "pixels"


def main(start: int, count: int) -> None:
    images = corpus()
    for values, choices in images:
        decode(write(values, choices))  # everything is imported now, and the undamaged file is readable
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for seed in range(start, start + count):
        data = damaged(seed, images)
        print(seed, "begins", flush=True)
        print(seed, outcome(data), flush=True)
    print("memory", _peak(), flush=True)


def _peak() -> int:
    """Return the largest memory of this process, bytes; getrusage would count the parent's before the fork."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
