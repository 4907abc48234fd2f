import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from osteon.errors import OsteonError
from osteon.images import Cache, ImageError, build, digests, fingerprint, letterbox, read_image, store
from osteon.images import cache as module

SIZE = (48, 40)


def film(seed: int, shape: tuple[int, int] = (70, 90)) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def rows_of(root: Path, dataset: str = "clinic") -> pd.DataFrame:
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return pd.DataFrame({"image_id": [f"id/{path}" for path in paths], "dataset": dataset, "path": paths, "frame": 0})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "clinic"
    (folder / "a").mkdir(parents=True)
    for seed in range(12):
        cv2.imwrite(str(folder / ("a" if seed % 2 else ".") / f"{seed:02d}.png"), film(seed, (60 + seed, 90)))
    return folder


@pytest.fixture(autouse=True)
def _files_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are younger than the two seconds that digests wait before they are remembered."""
    monkeypatch.setattr(digests, "SETTLED_SECONDS", 0.0)


def make(root: Path, cache_dir: Path, rows: pd.DataFrame | None = None, workers: int = 2) -> Cache:
    return build({"clinic": root}, rows_of(root) if rows is None else rows, SIZE, cache_dir, workers, progress=False)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def leftovers(cache_dir: Path) -> list[Path]:
    return [path for path in cache_dir.rglob("*") if ".part" in path.name or path.name == store.PIXELS]


def test_every_slot_holds_its_letterboxed_image_and_facts(root: Path, tmp_path: Path) -> None:
    cache, rows = make(root, tmp_path / "cache"), rows_of(root)
    pixels = cache.pixels()
    assert isinstance(pixels, np.memmap)
    assert (pixels.shape, pixels.dtype) == ((12, *SIZE), np.uint8)
    assert not pixels.flags.writeable
    for slot, path in zip(cache.slots, rows["path"], strict=True):
        original = read_image(root / path).pixels
        expected, place = letterbox(original, SIZE)
        np.testing.assert_array_equal(pixels[slot], expected)
        np.testing.assert_array_equal(cache.hashes()[slot], fingerprint(original))
        assert cache.letterbox(int(slot)) == place
    assert cache.rejected.empty
    assert list(cache.rejected.columns) == ["image_id", "path", "reason"]
    assert cache.bytes == sum(path.stat().st_size for path in cache.folder.iterdir())


def test_the_store_is_the_same_to_the_byte_for_any_number_of_workers_and_any_order(root: Path, tmp_path: Path) -> None:
    first = make(root, tmp_path / "1", workers=1)
    shuffled = rows_of(root).sample(frac=1, random_state=1)
    for name, workers in (("0", 0), ("5", 5)):
        other = make(root, tmp_path / name, shuffled, workers)
        assert other.folder.name == first.folder.name
        assert content(other.folder) == content(first.folder)
        np.testing.assert_array_equal(other.slots, first.slots[shuffled.index])


def test_a_second_start_reads_and_decodes_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make(root, tmp_path / "cache")
    said = capsys.readouterr().err
    assert said.startswith("cache: 12 images, ")
    assert str(first.folder) in said

    def forbidden(*_: Any) -> Any:
        raise AssertionError("read again")

    monkeypatch.setattr(store, "_image", forbidden)
    monkeypatch.setattr(digests, "_read", forbidden)
    again = make(root, tmp_path / "cache")
    np.testing.assert_array_equal(again.slots, first.slots)
    assert capsys.readouterr().err == ""


def test_the_key_is_content_size_and_frame_not_the_place(root: Path, tmp_path: Path) -> None:
    cache_dir = tmp_path / "cache"
    first = make(root, cache_dir)
    moved = root.rename(tmp_path / "moved")
    assert make(moved, cache_dir).folder == first.folder
    taller = build({"clinic": moved}, rows_of(moved), (50, 40), cache_dir, 1, progress=False)
    assert taller.folder != first.folder
    changed = moved / "00.png"
    cv2.imwrite(str(changed), film(99))
    assert make(moved, cache_dir).folder != first.folder


def test_a_file_changed_in_place_is_seen_though_its_size_and_time_are_kept(root: Path, tmp_path: Path) -> None:
    file = root / "00.png"
    before, stat = make(root, tmp_path / "cache"), file.stat()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert make(root, tmp_path / "cache").folder != before.folder


def test_young_files_are_not_remembered(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "SETTLED_SECONDS", 3600.0)
    make(root, tmp_path / "cache")
    read: list[int] = []
    digests.digests([str(root / "00.png")], tmp_path / "cache" / "digests.sqlite", 1, lambda n: read.append(n) or int)
    assert read == [1]


def test_equal_bytes_share_a_slot_and_hard_links_are_read_once(root: Path, tmp_path: Path) -> None:
    os.link(root / "00.png", root / "link.png")
    (root / "copy.png").write_bytes((root / "00.png").read_bytes())
    counted: list[int] = []
    paths = [str(root / name) for name in ("00.png", "link.png", "copy.png")]
    found, _ = digests.digests(paths, tmp_path / "memo.sqlite", 2, lambda n: counted.append(n) or int)
    assert counted == [2], "two inodes"
    assert len(set(found)) == 1
    cache, rows = make(root, tmp_path / "cache"), rows_of(root)
    slots = dict(zip(rows["path"], cache.slots, strict=True))
    assert slots["00.png"] == slots["link.png"] == slots["copy.png"]
    assert len(cache.index) == 12


def test_bad_images_are_rejected_rows_with_a_reason(root: Path, tmp_path: Path) -> None:
    good = (root / "00.png").read_bytes()
    (root / "cut.png").write_bytes(good[: len(good) // 2])
    (root / "end.png").write_bytes(good[:-4])
    (root / "text.png").write_text("no image")
    (root / "empty.png").touch()
    rows = rows_of(root)
    gone = pd.DataFrame({"image_id": ["gone"], "dataset": "clinic", "path": ["gone.png"], "frame": 0})
    frame = pd.DataFrame({"image_id": ["frame"], "dataset": "clinic", "path": ["00.png"], "frame": 7})
    rows = pd.concat([rows, gone, frame], ignore_index=True)
    cache = make(root, tmp_path / "cache", rows)
    reasons = dict(zip(cache.rejected["image_id"], cache.rejected["reason"], strict=True))
    expected = {
        "id/cut.png": "truncated", "id/end.png": "truncated", "id/text.png": "not an image", "id/empty.png": "empty",
        "gone": "missing", "frame": "frame 7",
    }  # fmt: skip
    assert set(reasons) == set(expected)
    for name, words in expected.items():
        assert words in reasons[name]
        assert ".png" not in reasons[name], "stored under the content, which has no name"
    assert (cache.slots < 0).sum() == len(expected)
    assert cache.slots[rows["image_id"] == "id/00.png"].item() >= 0
    again = make(root, tmp_path / "cache", rows)
    pd.testing.assert_frame_equal(again.rejected, cache.rejected)


def test_nothing_readable_is_all_rejected(tmp_path: Path) -> None:
    (tmp_path / "clinic").mkdir()
    rows = pd.DataFrame({"image_id": ["x"], "dataset": "clinic", "path": ["x.png"], "frame": 0})
    cache = make(tmp_path / "clinic", tmp_path / "cache", rows)
    assert cache.slots.tolist() == [-1]
    assert cache.pixels().shape == (0, *SIZE)
    assert cache.hashes().shape == (0, 32)


def test_several_datasets_share_a_store(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    cv2.imwrite(str(other / "b.png"), film(50))
    rows = pd.concat([rows_of(root), rows_of(other, "other")], ignore_index=True)
    cache = build({"clinic": root, "other": other}, rows, SIZE, tmp_path / "cache", 2, progress=True)
    np.testing.assert_array_equal(cache.pixels()[cache.slots[-1]], letterbox(film(50), SIZE)[0])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_an_error_that_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The disk takes five images and a half, then refuses."""
    left, write = [6_000 + 5 * SIZE[0] * SIZE[1]], os.pwrite

    def pwrite(file: int, data: Any, offset: int) -> int:
        if left[0] <= 0:
            raise OSError(code, os.strerror(code))
        left[0] -= len(data)
        return write(file, data[: max(1, len(data) // 2)], offset)  # a disk may also take a part

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(OsteonError, match=r"data\.cache_dir=") as fault:
        make(root, tmp_path / "cache")
    assert os.strerror(code) in str(fault.value)
    if code != errno.EROFS:
        assert "12 images of 48 x 40 take" in str(fault.value)
        assert "are free" in str(fault.value)
    assert leftovers(tmp_path / "cache") == []
    monkeypatch.setattr(os, "pwrite", write)
    assert (make(root, tmp_path / "cache").slots >= 0).all()


def test_short_writes_are_continued(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, write = make(root, tmp_path / "whole"), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: write(file, data[:100], offset))
    assert content(make(root, tmp_path / "parts").folder) == content(whole.folder)


def test_too_little_space_is_said_before_anything_is_written(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "free", lambda _: 1000)
    with pytest.raises(OsteonError, match="1 kB are free"):
        make(root, tmp_path / "cache")
    assert leftovers(tmp_path / "cache") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs of 1 MB cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("told_before", [True, False], ids=["seen before", "seen while writing"])
def test_a_small_disk_that_fills(
    root: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, told_before: bool
) -> None:
    if not told_before:
        monkeypatch.setattr(store, "needed", lambda *_: 0)
    with pytest.raises(OsteonError, match=r"data\.cache_dir=.*are free"):
        build({"clinic": root}, rows_of(root), (400, 400), small_disk, 2, progress=False)
    assert leftovers(small_disk) == []
    assert (build({"clinic": root}, rows_of(root), (40, 40), small_disk, 2, progress=False).slots >= 0).all()


def test_a_data_root_may_be_read_only_and_a_cache_too_once_it_is_made(root: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        mounted = subprocess.run(["mount", "--bind", str(root), str(root)], capture_output=True, check=False)
        if mounted.returncode or subprocess.run(["mount", "-o", "remount,ro,bind", str(root)], check=False).returncode:
            pytest.skip("nothing can be mounted read-only here")
    else:
        root.chmod(0o555)
    try:
        with pytest.raises(OSError, match=r"."):
            (root / "new").touch()
        assert (make(root, tmp_path / "cache").slots >= 0).all()
        with pytest.raises(OsteonError, match=r"data\.cache_dir="):
            make(root, root / "cache")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(root)], check=True)


def test_a_cache_dir_that_is_a_file_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(OsteonError, match=r"data\.cache_dir="):
        make(root, tmp_path / "cache")


def test_drafts_of_dead_processes_go_and_those_of_living_ones_stay(root: Path, tmp_path: Path) -> None:
    cache_dir = tmp_path / "cache"
    key = make(root, tmp_path / "elsewhere").folder.name
    dead = [cache_dir / "pixels" / f".{name}.{os.getpid() + 1}.part" for name in (key, "dead")]
    alive = cache_dir / "pixels" / ".alive.1.part"
    for folder in (*dead, alive, cache_dir / "locks"):
        folder.mkdir(parents=True)
    (dead[0] / store.PIXELS).write_bytes(b"half")
    with FileLock(cache_dir / "locks" / "alive.lock"):
        make(root, cache_dir)
    assert [folder.exists() for folder in (*dead, alive)] == [False, False, True]


SCRIPT = """
import sys, pandas as pd
from pathlib import Path
from osteon.images import build
root, cache = map(Path, sys.argv[1:])
rows = pd.read_json(sys.stdin)
print(build({"clinic": root}, rows, (48, 40), cache, 1, progress=False).folder)
"""


def test_two_processes_make_one_store(root: Path, tmp_path: Path) -> None:
    text, cache_dir = rows_of(root).to_json(), tmp_path / "cache"
    cache_dir.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(root), str(cache_dir)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    said = [job.communicate(text, timeout=60) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], said
    assert len({out for out, _ in said}) == 1
    assert sum("built in" in err for _, err in said) == 1, "the second one reuses what the first made"


def test_a_waiting_process_says_so_and_reuses(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make(root, tmp_path / "made")
    cache_dir = tmp_path / "cache"
    (cache_dir / "locks").mkdir(parents=True)
    (cache_dir / "pixels").mkdir()
    held = threading.Event()

    def finish() -> None:
        with FileLock(cache_dir / "locks" / f"{made.folder.name}.lock"):
            held.set()
            time.sleep(0.4)
            made.folder.rename(cache_dir / "pixels" / made.folder.name)

    capsys.readouterr()
    other = threading.Thread(target=finish)
    other.start()
    held.wait()
    assert (make(root, cache_dir).slots >= 0).all()
    other.join()
    said = capsys.readouterr().err
    assert "waiting for another process" in said
    assert "built" not in said


def test_a_file_that_changes_under_the_builder_stops_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = digests.digests

    def then_change(*arguments: Any) -> Any:
        found = real(*arguments)
        cv2.imwrite(str(root / "00.png"), film(77))
        return found

    monkeypatch.setattr(module, "digests", then_change)
    with pytest.raises(OsteonError, match=r"00\.png: changed"):
        make(root, tmp_path / "cache")
    assert leftovers(tmp_path / "cache") == []


@pytest.mark.parametrize("damage", ["cut", "index", "header", "no pixels"])
def test_a_damaged_store_is_named_with_the_way_out(root: Path, tmp_path: Path, damage: str) -> None:
    folder = make(root, tmp_path / "cache").folder
    file = folder / (store.INDEX if damage == "index" else store.PIXELS)
    data = file.read_bytes()
    file.write_bytes(b"\0" * 64 + data[64:] if damage == "header" else data[:-100])
    if damage == "no pixels":
        file.unlink()
    with pytest.raises(OsteonError, match=r"damaged.*Delete this folder") as fault:
        make(root, tmp_path / "cache")
    assert str(folder) in str(fault.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *((lambda index, name=name: index.drop(columns=name), f"lacks {name}") for name in store.COLUMNS),
        (lambda index: index[::-1], "lists other images"),
        (lambda index: index.assign(digest=index["digest"].str.replace("a", "b")), "lists other images"),
        (lambda index: index.assign(frame=1), "lists other images"),
        (lambda index: index[:-1], "lists other images"),
        (lambda index: index.assign(slot=index["slot"] + 1), "slot out of place"),
        (lambda index: index.assign(slot=index["slot"].to_numpy()[::-1]), "slot out of place"),
        (lambda index: index.assign(slot=-1), "slot out of place"),
        (lambda index: index.assign(slot=-2), "slot out of place"),
        (lambda index: index.assign(slot="0"), "slot out of place"),
    ],
)
def test_an_index_that_is_not_of_these_images_is_refused(
    root: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    folder = make(root, tmp_path / "cache").folder
    change(pd.read_parquet(folder / store.INDEX)).to_parquet(folder / store.INDEX, index=False)
    with pytest.raises(OsteonError, match=rf"{words}.*Delete this folder"):
        make(root, tmp_path / "cache")


def test_an_empty_cache_dir_is_no_place(root: Path) -> None:
    with pytest.raises(OsteonError, match=r"data\.cache_dir: found nothing"):
        make(root, Path(""))


def test_a_damaged_memory_of_digests_is_forgotten(root: Path, tmp_path: Path) -> None:
    first = make(root, tmp_path / "cache")
    memo = tmp_path / "cache" / "digests.sqlite"
    memo.write_bytes(b"no database at all" * 100)
    assert make(root, tmp_path / "cache").folder == first.folder
    counted: list[int] = []
    digests.digests([str(root / "00.png")], memo, 1, lambda n: counted.append(n) or int)
    assert counted == [], "remembered anew"


def test_no_path_or_name_is_kept(root: Path, tmp_path: Path) -> None:
    """File names can be names of patients: the cache knows content only."""
    (root / "Meier_Hans.png").write_bytes((root / "00.png").read_bytes() + b"x")
    make(root, tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("*"):
        assert "Meier" not in file.name
        assert not file.is_file() or b"Meier" not in file.read_bytes()


def test_real_radiographs(test_data: Path, tmp_path: Path) -> None:
    root = test_data / "fracatlas" / "FracAtlas"
    names = ["IMG0002588", "IMG0002628", "IMG0004028", "IMG0004119", "IMG0004122", "IMG0004177", "IMG0004251"]
    paths = sorted(p.relative_to(root).as_posix() for name in (*names, "IMG0004256") for p in root.rglob(f"{name}.jpg"))
    rows = pd.DataFrame({"image_id": paths, "dataset": "clinic", "path": paths, "frame": 0})
    cache = make(root, tmp_path / "cache", rows)
    assert [Path(path).stem for path in cache.rejected["path"]] == [*names[2:], "IMG0004256"]
    assert cache.rejected["reason"].str.contains("truncated").all()
    for path in cache.rejected["path"]:
        with pytest.raises(ImageError, match="truncated"):
            read_image(root / path)


@pytest.mark.slow
def test_a_hundred_thousand_links_to_a_thousand_files_are_ready_within_five_seconds(tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for seed in range(1000):
        cv2.imwrite(str(root / f"{seed:03d}-00.png"), film(seed))
        for copy in range(1, 100):
            os.link(root / f"{seed:03d}-00.png", root / f"{seed:03d}-{copy:02d}.png")
    rows = rows_of(root)
    first = make(root, tmp_path / "cache", rows)
    begun = time.monotonic()
    again = make(root, tmp_path / "cache", rows)
    taken = time.monotonic() - begun
    np.testing.assert_array_equal(again.slots, first.slots)
    assert (len(rows), len(again.index)) == (100_000, 1000)
    assert taken < 5.0, taken
