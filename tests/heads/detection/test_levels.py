"""Every backbone that has a file gets a pyramid whose levels lie where their strides say, or is refused by name."""

import pytest
import torch
from tests.module.test_layers import NAMES

from osteon.backbone import create_backbone
from osteon.config import Backbone
from osteon.config.heads import DetectionSpec
from osteon.errors import OsteonError
from osteon.heads.detection import DetectionHead, check_pyramid
from osteon.manifest import Target
from osteon.model import Model

REFUSED = ("inception_v3", "inception_resnet_v2", "xception")
FAST = (
    "resnet18.a1_in1k",
    "mobilenetv3_large_100.ra_in1k",
    "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "test_resnet",
)
SPEC = DetectionSpec(kind="detection", width=64, convs=1)
BOXES = Target("a fracture", "boxes", ("fracture",))


def built(name: str, size: tuple[int, int] = (128, 128), spec: DetectionSpec = SPEC) -> Model:
    backbone = create_backbone(
        Backbone(name=name, pretrained=None, pretrained_path=None, options={}), size, pretrained=False
    )
    return Model(backbone, {"a": (spec, BOXES)}, {})


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in sorted({*NAMES, *FAST})]
)
def test_levels_cover_the_image_or_the_backbone_is_refused_by_name(name: str) -> None:
    if name.split(".")[0] in REFUSED:
        with pytest.raises(OsteonError, match=name):
            built(name, (256, 256))
        return
    size = (224, 224) if "maxvit" in name or "swin" in name else (128, 128)
    model = built(name, size)
    head = model.heads_by_task["a"]
    assert isinstance(head, DetectionHead)
    assert head.pyramid.strides == (8.0, 16.0, 32.0, 64.0, 128.0)
    with torch.no_grad():
        output = model(torch.zeros(1, 1, *size, dtype=torch.uint8))["a"]
    assert output.shape == (1, len(head.anchors), 6)


@pytest.mark.parametrize("finest", [4, 8, 16])
@pytest.mark.parametrize("name", ["test_resnet", "vit_small_patch16_224.augreg_in21k_ft_in1k"])
def test_the_finest_level_is_what_was_asked_for(name: str, finest: int) -> None:
    spec = DetectionSpec(kind="detection", width=64, convs=1, finest=finest)
    head = built(name, spec=spec).heads_by_task["a"]
    assert isinstance(head, DetectionHead)
    assert head.pyramid.strides[0] == finest
    assert all(coarse == 2 * fine for fine, coarse in zip(head.pyramid.strides, head.pyramid.strides[1:], strict=False))


def test_every_parameter_of_a_network_that_only_finds_boxes_has_a_gradient() -> None:
    model = built("test_resnet")
    target = torch.tensor([[[10.0, 10.0, 60.0, 70.0, 0.0]]])
    present = torch.ones(1, 1, 5, dtype=torch.bool)
    loss = model.losses(torch.zeros(1, 1, 128, 128, dtype=torch.uint8), {"a": target}, {"a": present})["a"]
    loss.total.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize(
    ("strides", "size", "said"),
    [
        ((2.0, 4.0, 8.83, 18.3), (256, 256), "resnetish has maps of 2, 4, 8.83"),
        ((4.0, 8.0, 32.0), (256, 256), "twice the one before"),
        ((4.0, 8.0, 16.0, 32.0), (100, 128), "found 100x128; boxes need a multiple of 32"),
        ((16.0,), (112, 240), "multiple of 32"),
    ],
)
def test_maps_that_lie_elsewhere_are_refused(strides: tuple[float, ...], size: tuple[int, int], said: str) -> None:
    with pytest.raises(OsteonError, match=said):
        check_pyramid("resnetish", strides, size)


def test_no_level_is_made_from_a_map_of_one_cell() -> None:
    head = built("test_resnet", (64, 64)).heads_by_task["a"]
    assert isinstance(head, DetectionHead)
    assert head.pyramid.strides == (8.0, 16.0, 32.0, 64.0)
    assert head.cells == [64, 16, 4, 1]


@pytest.mark.parametrize(("options", "said"), [({"levels": 1}, "head.levels"), ({"finest": 4}, "head.finest")])
def test_levels_that_there_are_not_are_refused(options: dict[str, int], said: str) -> None:
    spec = DetectionSpec.model_validate({"kind": "detection", "width": 64, **options})
    with pytest.raises(OsteonError, match=said):
        DetectionHead(spec, (8, 8), (8.0, 16.0), (64, 64), ("a",))
