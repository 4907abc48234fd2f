"""What the processes of a run tell one another: the counts of a batch, and what their heads said."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from osteon.data import Batch

# (B,) manifest rows of a batch; task -> column -> what its head said of them.
Collected = tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]


def everywhere(counts: Mapping[str, Tensor], images: int, world: int) -> tuple[dict[str, Tensor], int]:
    """Return the counts and images of a batch on all processes, added up in one message."""
    if world == 1:
        return dict(counts), images
    values = list(counts.values())
    total = torch.stack([*values, torch.tensor(float(images), device=values[0].device)])
    dist.all_reduce(total)
    *summed, found = total.unbind()
    return dict(zip(counts, summed, strict=True)), int(found)


def gathered(parts: Sequence[Collected], world: int) -> Collected:
    """Join the batches of this process, then of all processes; unequal lengths are fine."""
    if world > 1:
        everyone: list[Sequence[Collected]] = [[] for _ in range(world)]
        dist.all_gather_object(everyone, list(parts))
        parts = [part for rank in everyone for part in rank]
    rows = np.concatenate([rows for rows, _ in parts])
    decoded = {
        task: {name: np.concatenate([part[task][name] for _, part in parts]) for name in columns}
        for task, columns in parts[0][1].items()
    }
    return rows, decoded


def emptied(batch: Batch) -> dict[str, Tensor]:
    """Count the boxes that augmentation took, and the images that it left without any; nothing where none has boxes."""
    boxed = {name: values for name, values in batch.targets.items() if values.ndim == 3}
    if not boxed:
        return {}
    real = [(values[..., 4] >= 0) & batch.present[name][..., 4] for name, values in boxed.items()]
    left = torch.stack([rows.any(1) for rows in real]).any(0)
    none = (batch.lost > 0) & ~left.cpu()
    return {"boxes_lost": batch.lost.sum().float(), "images_emptied": none.sum().float()}
