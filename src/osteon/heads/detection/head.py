"""Boxes: where something lies on the image, of which class, and how sure that is."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.models.detection.fcos import FCOS

from osteon.config.heads import DetectionSpec
from osteon.errors import OsteonError
from osteon.heads.base import Columns, Head, LossSum
from osteon.heads.detection.dense import Targets, anchors_of, build_fcos, build_matcher
from osteon.heads.detection.pyramid import Pyramid

BOX, MARGIN = 4, 1  # numbers beside the classes' logits: four distances, one centre-ness


class DetectionHead(Head):
    """FCOS (Tian 2019) on a feature pyramid; boxes in pixels of the canvas, here and in targets.

    Targets are (B, M, 5): `x1 y1 x2 y2 class`, filled up with rows of class -1; NaN throughout where nobody looked.
    Outputs are (B, cells, classes + 5). The loss is the sum of FCOS' three: focal of the classes, GIoU of the boxes,
    cross entropy of the centre-ness; its count is that of positive anchors.

    Args:
        spec: see `DetectionSpec`.
        channels: of each map of the backbone, fine to coarse.
        strides: of each map.
        size: (height, width) of the images in pixels.
        names: classes of boxes.
    """

    kind: ClassVar[str] = "detection"

    def __init__(
        self,
        spec: DetectionSpec,
        channels: Sequence[int],
        strides: Sequence[float],
        size: tuple[int, int],
        names: Sequence[str],
    ) -> None:
        super().__init__()
        self.size, self.kinds = size, len(names)
        self.pyramid = Pyramid(channels, strides, spec.finest, spec.levels, spec.width, max(size))
        levels = self.pyramid.strides
        self.fcos: FCOS = build_fcos(
            spec.width, self.kinds, spec.convs, levels, spec.score_threshold, spec.nms, spec.most
        )
        self.matcher: FCOS = build_matcher(levels)
        anchors = anchors_of(size, levels, _grids(size, levels))
        self.cells = [len(level) for level in anchors]
        self.anchors: Tensor
        self.register_buffer("anchors", torch.cat(anchors), persistent=False)

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return targets (N, M, 5) as float32; the manifest has judged them."""
        return np.asarray(values, dtype=np.float32)

    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Return (B, cells, classes + 5); the vector has no part but that its parameters are reached."""
        found = self.fcos.head(self.pyramid(pyramid))
        joined = torch.cat([found["cls_logits"], found["bbox_regression"], found["bbox_ctrness"]], dim=2)
        return joined + 0.0 * vector.float().sum().to(joined.dtype)

    def loss(self, output: Tensor, target: Tensor, present: Tensor, share: float = 1.0) -> LossSum:
        """Sum the three losses in float32 over the images that somebody looked at, whether they have boxes or not."""
        rows = _looked(present)
        if not bool(rows.any()):
            return LossSum(output.float().sum() * 0.0, torch.zeros((), device=output.device))
        with torch.autocast(output.device.type, enabled=False):
            targets = _targets(target[rows])
            anchors = [self.anchors] * len(targets)
            matched = self.matcher.compute_loss(targets, {}, anchors, self.cells)
            found = self.fcos.head.compute_loss(targets, self._split(output[rows].float()), anchors, matched)
            count = _positive(matched).to(output.device)
            # torchvision divides each by the positive anchors, or by 1 where there are none.
            total = torch.stack(list(found.values())).sum() * count.clamp(min=1.0)
        return LossSum(total * share, count * share)

    def count(self, target: Tensor, present: Tensor, share: float = 1.0) -> Tensor:
        """Return the positive anchors that `loss` would count."""
        targets = _targets(target[_looked(present)])
        matched = self.matcher.compute_loss(targets, {}, [self.anchors] * len(targets), self.cells)
        return _positive(matched).to(target.device) * share

    @torch.no_grad()
    def decode(self, output: Tensor) -> Columns:
        """Return `boxes`, an object array (B,) of (n, 6) `x1 y1 x2 y2 class score` in canvas pixels, best first.

        In float32: bfloat16 has a grid of 2 px above 256.
        """
        with torch.autocast(output.device.type, enabled=False):
            plain = output.float()
            if not bool(torch.isfinite(plain).all()):
                raise OsteonError(f"{self.kind} head: its output is not finite; training has diverged.")
            split = {name: list(torch.split(part, self.cells, dim=1)) for name, part in self._split(plain).items()}
            anchors = [list(torch.split(self.anchors, self.cells))] * len(plain)
            found = self.fcos.postprocess_detections(split, anchors, [self.size] * len(plain))
        boxes = np.empty(len(found), dtype=object)
        for place, one in enumerate(found):
            columns = [one["boxes"], one["labels"][:, None].float(), one["scores"][:, None]]
            boxes[place] = torch.cat(columns, dim=1).cpu().numpy().astype(np.float64)
        return {"boxes": boxes}

    def _split(self, output: Tensor) -> dict[str, Tensor]:
        classes, boxes, margin = torch.split(output, [self.kinds, BOX, MARGIN], dim=2)
        return {"cls_logits": classes, "bbox_regression": boxes, "bbox_ctrness": margin}


def _grids(size: tuple[int, int], strides: Sequence[float]) -> list[tuple[int, int]]:
    return [(-(-size[0] // int(stride)), -(-size[1] // int(stride))) for stride in strides]


def _looked(present: Tensor) -> Tensor:
    return present.flatten(1).any(dim=1)


def _targets(target: Tensor) -> Targets:
    """Return torchvision's targets of (B, M, 5) padded ones."""
    found = []
    for rows in target:
        real = rows[rows[:, 4] >= 0]
        found.append({"boxes": real[:, :4].float().reshape(-1, 4), "labels": real[:, 4].long()})
    return found


def _positive(matched: Sequence[Tensor]) -> Tensor:
    if not matched:
        return torch.zeros(())
    return torch.stack([(one >= 0).sum() for one in matched]).sum().float()
