"""Making a store once: under a lock, with room seen to, aside and then renamed."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import Progress

from osteon.errors import OsteonError
from osteon.files import aside
from osteon.images import store
from osteon.images.digests import Step
from osteon.images.store import Source


def make(
    folder: Path, sources: Sequence[Source], size: tuple[int, int], workers: int, bar: Callable[[int], Step]
) -> bool:
    """Make the store at `folder` (`<cache_dir>/pixels/<key>`) unless another process just did.

    Args:
        folder: where the store goes.
        sources: what goes into it, in the order of its slots.
        size: rows and columns of the canvas.
        workers: threads.
        bar: called with the number of images; what it returns is called after each.

    Returns:
        Whether this process made it.

    Raises:
        OsteonError: the folder cannot be written, is too small or fills up; nothing half-written is left.
    """
    cache_dir, count = folder.parent.parent, len(sources)
    with store.told(cache_dir, count, size):
        folder.parent.mkdir(parents=True, exist_ok=True)
        (cache_dir / "locks").mkdir(exist_ok=True)
        with _locked(cache_dir / "locks" / f"{folder.name}.lock"):
            if folder.exists():
                return False
            _sweep(cache_dir, folder.name)
            if store.needed(count, size) > store.free(cache_dir):
                raise store.no_room(cache_dir, count, size, "the disk is too full")
            with aside(folder) as draft, store.told(cache_dir, count, size):
                store.write(draft, sources, size, workers, bar(count))
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"cache: waiting for another process that builds {path.stem}", file=sys.stderr)
        lock.acquire()
    except NotImplementedError as fault:
        raise OsteonError(
            f"data.cache_dir={path.parent.parent}: its file system has no locks. Choose another."
        ) from fault
    try:
        yield
    finally:
        lock.release()


def _sweep(cache_dir: Path, mine: str) -> None:
    """Remove drafts whose builder died: nobody holds their lock (mine is held by this process)."""
    for draft in (cache_dir / "pixels").glob(".*.part"):
        key = draft.name[1:].split(".")[0]
        if key == mine:
            shutil.rmtree(draft, ignore_errors=True)
            continue
        try:
            with FileLock(cache_dir / "locks" / f"{key}.lock", timeout=0):
                shutil.rmtree(draft, ignore_errors=True)
        except Timeout:
            continue


@contextmanager
def bars(shown: bool) -> Iterator[Callable[[str], Callable[[int], Step]]]:
    """Yield what makes a bar on stderr: `bar(title)(total)` returns the function that advances it by one."""
    with Progress(console=Console(stderr=True), transient=True, disable=not shown) as shown_bars:

        def bar(title: str) -> Callable[[int], Step]:
            def start(total: int) -> Step:
                task = shown_bars.add_task(title, total=total)
                return lambda: shown_bars.advance(task)

            return start

        yield bar
