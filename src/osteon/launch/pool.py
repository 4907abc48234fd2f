"""The devices of this machine and the jobs that hold them: never one device for two."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from osteon.errors import OsteonError


class Pool:
    """Devices to hand out, or places where there are none.

    Args:
        devices: ids as CUDA_VISIBLE_DEVICES takes them; empty where jobs run on the CPU.
        jobs: at once, at most; None: as many as the devices allow, without devices one.
    """

    def __init__(self, devices: Sequence[str], jobs: int | None) -> None:
        if len(set(devices)) < len(devices):
            raise OsteonError(f"launch.devices: found {', '.join(devices)}; name each device once.")
        self.devices = tuple(devices)
        self.free = list(devices)
        self.places = jobs or max(len(devices), 1)
        self.held = 0

    def at_once(self, count: int) -> int:
        """Return how many jobs of `count` devices run side by side.

        Raises:
            OsteonError: there are fewer devices.
        """
        if not self.devices:
            return self.places
        if count > len(self.devices):
            raise OsteonError(
                f"trainer.devices: a job asks for {count}, but launch.devices has {len(self.devices)} to hand out "
                f"({', '.join(self.devices)}). Lower it, or give more."
            )
        return min(self.places, len(self.devices) // count)

    def take(self, count: int) -> tuple[str, ...] | None:
        """Return the devices of a job that may start, () on the CPU; None where it has to wait."""
        if self.held >= self.places or (self.devices and len(self.free) < count):
            return None
        self.held += 1
        taken, self.free = (self.free[:count], self.free[count:]) if self.devices else ([], [])
        return tuple(taken)

    def give(self, devices: Sequence[str]) -> None:
        """Take the devices of a job back; they are handed out in their own order again."""
        self.held -= 1
        self.free = sorted([*self.free, *devices], key=self.devices.index)


def devices_of(asked: str | int | Sequence[str | int], accelerator: str) -> list[str]:
    """Return the ids of the devices to hand out.

    Args:
        asked: `auto`, a number or ids, as in `launch.devices`.
        accelerator: of the jobs; none are handed out to jobs that ask for the CPU.
    """
    if accelerator in ("cpu", "mps"):
        return []
    if isinstance(asked, int):
        return [str(number) for number in range(asked)]
    if not isinstance(asked, str):
        return [str(one) for one in asked]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [one.strip() for one in visible.split(",") if one.strip() and one.strip() != "-1"]
    return _listed()


def _listed() -> list[str]:
    """Ask the driver: asking torch would take seconds and memory on every device."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        said = subprocess.run(
            [tool, "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return said.stdout.split()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
