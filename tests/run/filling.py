"""Take the disk away from training runs, give it back, and go on. Run it in a namespace of its own, where it may mount.

Prints one JSON line a case: the exit status and words of the run that met the fault, what it left half-written, and in
what the run that went on differs from one that met none.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.run.interrupting import SMALL_RUN, child, difference, wait

from osteon.images import store
from osteon.run import start
from osteon.run.checkpoints import WholeFiles

# Phase -> the function at whose n-th call the disk goes.
PHASES: dict[str, tuple[Any, str, int]] = {
    "caching": (store, "write", 1),
    "writing the start": (start.leaving, "write_start", 1),
    "the first checkpoint": (WholeFiles, "save_checkpoint", 1),
    "a later checkpoint": (WholeFiles, "save_checkpoint", 4),
    "writing predictions": (start, "measure", 1),
    "writing the model": (start, "write_model", 1),
    "writing the result": (start.leaving, "write_result", 1),
}
KINDS = ("full", "read-only", "quota")


def take(kind: str, disk: Path) -> None:
    if kind == "quota":
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    elif kind == "read-only":
        # A second mount over the first: the first has files open for writing, as the lock of the run.
        subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
    else:
        with (disk / "ballast").open("wb", buffering=0) as handle:
            try:
                while True:
                    handle.write(bytes(4096))
            except OSError:
                pass


def give_back(kind: str, disk: Path) -> None:
    if kind == "read-only":
        subprocess.run(["umount", str(disk)], check=True)
    (disk / "ballast").unlink(missing_ok=True)


def armed(phase: str, kind: str, disk: Path) -> Callable[[], None]:
    """Return what a forked run does first: let the disk go at the phase's call, in the middle of the work there."""

    def arm() -> None:
        owner, name, calls = PHASES[phase]
        plain, left = getattr(owner, name), [calls]

        def taken(*values: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                take(kind, disk)
            return plain(*values, **options)

        setattr(owner, name, taken)
        if owner is store:
            from osteon.images import making

            making.store.write = taken

    return arm


def main(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], check=True)
    os.environ["OSTEON_CACHE"] = str(folder / "cache")
    assert wait(child([*SMALL_RUN, f"hydra.run.dir={folder / 'plain'}"], folder / "plain.txt")) == 0
    for phase in PHASES:
        for kind in KINDS:
            name = f"{phase} {kind}".replace(" ", "-")
            run, cache = disk / name, disk / f"cache-{name}" if phase == "caching" else folder / "cache"
            words = [*SMALL_RUN, f"data.cache_dir={cache}", f"hydra.run.dir={run}"]
            log, again = folder / f"{name}.txt", folder / f"{name}-again.txt"
            status = wait(child(words, log, armed(phase, kind, disk)))
            give_back(kind, disk)
            half = [str(path.relative_to(disk)) for path in disk.rglob(".*.part")]
            began = (run / "config.yaml").is_file()
            second = wait(child([f"resume={run}"] if began else words, again))
            fault = difference(folder / "plain", run) if second == 0 else again.read_text()[-3000:]
            said = [line for line in log.read_text().splitlines() if line.startswith("osteon: ")]
            told = {"phase": phase, "kind": kind, "status": status, "said": said, "half": half, "resumed": began}
            told["traceback"] = log.read_text()[-3000:] if "Traceback" in log.read_text() else ""
            print(json.dumps({**told, "difference": fault}), flush=True)
            subprocess.run(["rm", "-rf", str(run), str(cache) if phase == "caching" else str(run)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
