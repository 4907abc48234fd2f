"""torchvision's FCOS around no backbone: its head, anchors, matching, losses and non-maximum suppression."""

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.models.detection.image_list import ImageList

Targets = list[dict[str, Tensor]]


class _Nothing(nn.Module):
    """Stands where FCOS wants a backbone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_channels = width


class _Matched(nn.Module):
    """Stands where FCOS wants a head, and hands on what it matched."""

    def compute_loss(
        self, targets: Targets, outputs: dict[str, Tensor], anchors: list[Tensor], matched: list[Tensor]
    ) -> list[Tensor]:
        return matched


def anchors_of(size: tuple[int, int], strides: tuple[float, ...], grids: list[tuple[int, int]]) -> list[Tensor]:
    """Return the (cells, 4) anchors of every level, as torchvision places them; squares of a step's side."""
    generator = _generator(strides)
    images = ImageList(torch.zeros(1, 1, *size), [size])
    found = generator(images, [torch.zeros(1, 1, *grid) for grid in grids])[0]
    return list(found.split([height * width for height, width in grids]))


def _generator(strides: tuple[float, ...]) -> AnchorGenerator:
    return AnchorGenerator(tuple((int(stride),) for stride in strides), ((1.0,),) * len(strides))


def build_fcos(
    width: int, classes: int, convs: int, strides: tuple[float, ...], threshold: float, nms: float, most: int
) -> FCOS:
    """Return FCOS with its head alone; labels count from 0, there is no background class.

    Args:
        width: channels of every level.
        classes: kinds of boxes.
        convs: convolutions before each answer.
        strides: px a step of every level.
        threshold: score below which a box is left out.
        nms: overlap (IoU) from which the lower of two boxes of a class is left out.
        most: boxes an image.
    """
    head = FCOSHead(width, 1, classes, convs)
    told = {"score_thresh": threshold, "nms_thresh": nms, "detections_per_img": most}
    return FCOS(_Nothing(width), classes, head=head, anchor_generator=_generator(strides), **told)


def build_matcher(strides: tuple[float, ...]) -> FCOS:
    """Return FCOS whose `compute_loss` gives the matches in place of losses; it has no parameters."""
    return FCOS(_Nothing(1), 1, head=_Matched(), anchor_generator=_generator(strides))
