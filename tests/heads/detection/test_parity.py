"""On the same maps the head gives the boxes and the losses of torchvision's own FCOS."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS

from osteon.config.heads import DetectionSpec
from osteon.heads.detection import DetectionHead

SIZE = (128, 192)
CHANNELS, STRIDES = (16, 24, 32), (8.0, 16.0, 32.0)


class Maps(nn.Module):
    """Hands torchvision's FCOS the very levels that our head saw."""

    def __init__(self, levels: list[Tensor], width: int) -> None:
        super().__init__()
        self.levels, self.out_channels = levels, width

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict((str(place), level) for place, level in enumerate(self.levels))


def made(classes: int, threshold: float = 0.05) -> tuple[DetectionHead, list[Tensor], Tensor]:
    torch.manual_seed(0)
    spec = DetectionSpec(kind="detection", width=64, convs=2, score_threshold=threshold)
    head = DetectionHead(spec, CHANNELS, STRIDES, SIZE, [f"c{index}" for index in range(classes)])
    for parameter in head.parameters():
        nn.init.normal_(parameter, std=0.1)  # far from its start, so that boxes and scores spread
    maps = [
        torch.randn(4, channels, int(SIZE[0] // stride), int(SIZE[1] // stride))
        for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]
    return head, maps, torch.zeros(4, 8)


def theirs(head: DetectionHead, maps: list[Tensor], classes: int, threshold: float) -> FCOS:
    levels = head.pyramid(maps)
    sizes = tuple((int(stride),) for stride in head.pyramid.strides)
    return FCOS(
        Maps(levels, 64),
        classes,
        min_size=min(SIZE),
        max_size=max(SIZE),
        image_mean=[0.0],
        image_std=[1.0],
        anchor_generator=AnchorGenerator(sizes, ((1.0,),) * len(sizes)),
        head=copy.deepcopy(head.fcos.head),
        score_thresh=threshold,
    )


def boxes(classes: int) -> list[Tensor]:
    torch.manual_seed(1)
    found = []
    for count in (3, 0, 1, 6):
        corner, side = torch.rand(count, 2) * 60, 4 + torch.rand(count, 2) * 60
        label = torch.randint(classes, (count, 1)).float()
        found.append(torch.cat([corner, corner + side, label], dim=1))
    return found


def padded(found: list[Tensor]) -> Tensor:
    rows = torch.zeros(len(found), 7, 5)
    rows[:, :, 4] = -1
    for place, one in enumerate(found):
        rows[place, : len(one)] = one
    return rows


@pytest.mark.parametrize("classes", [1, 3, 9])
def test_losses_are_torchvisions(classes: int) -> None:
    head, maps, vector = made(classes)
    found = boxes(classes)
    targets = [{"boxes": one[:, :4], "labels": one[:, 4].long()} for one in found]
    expected = theirs(head, maps, classes, 0.05).train()(list(torch.zeros(4, 1, *SIZE)), targets)
    target = padded(found)
    present = torch.ones_like(target, dtype=torch.bool)
    loss = head.loss(head(maps, vector), target, present)
    assert loss.count > 0
    assert float((loss.total / loss.count).detach()) == pytest.approx(
        sum(float(one.detach()) for one in expected.values()), abs=1e-5
    )
    assert head.count(target, present) == loss.count


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("threshold", [0.05, 0.4])
def test_boxes_scores_and_labels_are_torchvisions(classes: int, threshold: float) -> None:
    head, maps, vector = made(classes, threshold)
    with torch.no_grad():
        expected = theirs(head, maps, classes, threshold).eval()(list(torch.zeros(4, 1, *SIZE)))
        found = head.decode(head(maps, vector))["boxes"]
    assert sum(map(len, found)) > 20, "the comparison must be of something"
    for one, other in zip(found, expected, strict=True):
        assert torch.from_numpy(one[:, :4]).float().sub(other["boxes"]).abs().max() < 1e-5
        assert torch.from_numpy(one[:, 5]).float().sub(other["scores"]).abs().max() < 1e-5
        assert (torch.from_numpy(one[:, 4]).long() == other["labels"]).all()


def test_a_batch_of_images_without_boxes_has_torchvisions_loss_and_no_count() -> None:
    head, maps, vector = made(2)
    targets = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)} for _ in range(4)]
    expected = theirs(head, maps, 2, 0.05).train()(list(torch.zeros(4, 1, *SIZE)), targets)
    target = padded([torch.zeros(0, 5)] * 4)
    loss = head.loss(head(maps, vector), target, torch.ones_like(target, dtype=torch.bool))
    assert loss.count == 0
    assert float(loss.total.detach()) == pytest.approx(sum(float(one.detach()) for one in expected.values()), rel=1e-6)
    loss.total.backward()
    assert all(parameter.grad is not None for parameter in head.parameters())
