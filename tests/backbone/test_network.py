from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from osteon.backbone import BackboneModule, create_backbone, default_image_size
from osteon.config import Backbone
from osteon.errors import OsteonError

torch.set_num_threads(1)  # two tests at once on two cores would wait for each other's threads

CONF = Path(__file__).resolve().parents[2] / "conf" / "backbone"
QUICK = {"resnet18", "densenet121", "efficientnet_b0", "mobilenetv3_large_100", "inception_v3", "swin_tiny"}
UNPADDED = {"inception_v3", "inception_resnet_v2", "xception"}
NAMES = [
    pytest.param(path.stem, marks=[pytest.mark.slow] if path.stem not in QUICK else [])
    for path in sorted(CONF.glob("*.yaml"))
    if path.stem != "timm"
]


def spec(name: str, **options: object) -> Backbone:
    return Backbone(name=name, pretrained=None, pretrained_path=None, options=options)


def built(name: str, size: tuple[int, int] = (64, 64), **options: object) -> BackboneModule:
    torch.manual_seed(0)
    return create_backbone(spec(name, **options), size, pretrained=False)


@pytest.mark.parametrize("name", NAMES)
def test_any_backbone_file(name: str) -> None:
    """The vector is the model's own, the maps are what channels and strides say, and uint8 equals float."""
    model = yaml.safe_load((CONF / f"{name}.yaml").read_text())["name"]
    size = (224, 224) if name == "maxvit_tiny" else (96, 96)
    backbone = built(model, size).eval()
    images = torch.randint(0, 256, (2, 1, *size), dtype=torch.uint8)
    with torch.no_grad():
        features = backbone(images)
        own = backbone.network((images.float() / 255 - backbone.mean) / backbone.std)
        again = backbone(images.float()).vector
    assert features.vector.shape == (2, backbone.width) == own.shape
    scale = own.abs().max()  # random weights of the Inceptions reach 1e4
    torch.testing.assert_close(features.vector / scale, own / scale, rtol=1e-4, atol=1e-5)
    assert torch.equal(again, features.vector)
    assert tuple(m.shape[1] for m in features.pyramid) == backbone.channels
    assert list(backbone.strides) == sorted(set(backbone.strides))
    for grid, stride in zip((m.shape[-2:] for m in features.pyramid), backbone.strides, strict=True):
        assert grid[0] == grid[1] == pytest.approx(size[0] / stride)
    assert all(stride.is_integer() for stride in backbone.strides) == (name not in UNPADDED)


def test_strides_are_those_of_the_map_and_not_those_stated() -> None:
    assert built("resnet18", (250, 200)).strides == (2.0, 4.0, 8.0, 16.0, 32.0)
    assert built("resnet18", (64, 64), output_stride=16).strides == (2.0, 4.0, 8.0, 16.0, 16.0)
    assert built("inception_v3", (256, 256)).strides == pytest.approx(
        (256 / 125, 256 / 60, 256 / 29, 256 / 14, 256 / 6)
    )


def test_a_vit_is_built_for_the_size_and_gives_one_map() -> None:
    backbone = built("vit_tiny_patch16_224", (96, 64))
    features = backbone(torch.zeros(2, 1, 96, 64, dtype=torch.uint8))
    assert [tuple(m.shape) for m in features.pyramid] == [(2, 192, 6, 4)]
    assert backbone.strides == (16.0,)


def test_width_is_that_of_the_vector_where_timm_states_another() -> None:
    backbone = built("mobilenetv3_small_050")
    assert backbone.width == 1024 != backbone.network.num_features


def test_channels_last_changes_nothing() -> None:
    backbone = built("resnet18").eval()
    images = torch.randint(0, 256, (2, 1, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        plain = backbone(images)
        last = backbone.to(memory_format=torch.channels_last)(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last.vector, plain.vector, rtol=1e-4, atol=1e-5)
    assert last.pyramid[-1].is_contiguous(memory_format=torch.channels_last)


def test_normalisation_is_timms_averaged_over_its_channels() -> None:
    backbone = built("resnet18")
    assert backbone.mean == pytest.approx(np.mean([0.485, 0.456, 0.406]))
    assert backbone.std == pytest.approx(np.mean([0.229, 0.224, 0.225]))
    assert built("vit_tiny_patch16_224.augreg_in21k_ft_in1k").mean == pytest.approx(0.5)


def test_measuring_leaves_no_trace() -> None:
    backbone = built("resnet18")
    assert backbone.training
    assert backbone.network.bn1.num_batches_tracked == 0
    assert backbone.weights == "none"
    assert not [key for key in backbone.state_dict() if not key.startswith("network.")]


def test_float_input_is_not_written_to() -> None:
    backbone, images = built("resnet18").eval(), torch.full((1, 1, 64, 64), 100.0)
    backbone(images)
    assert torch.equal(images, torch.full((1, 1, 64, 64), 100.0))


@pytest.mark.parametrize(
    ("name", "size"),
    [("resnet18", 224), ("inception_v3.tv_in1k", 299), ("tf_efficientnetv2_s", 300), ("botnet50ts_256", 256)],
)
def test_default_size_is_that_of_the_pretraining(name: str, size: int) -> None:
    assert default_image_size(name) == (size, size)


@pytest.mark.parametrize(
    ("name", "size", "options", "says"),
    [
        ("resnet18", (64, 64), {"dropp_rate": 0.1}, "backbone.options.*dropp_rate"),
        ("resnet18", (64, 64), {"drop_rate": "much"}, "backbone.options"),
        ("resnet18", (64, 64), {"in_chans": 3}, "backbone.options: in_chans"),
        ("resnet18", (64, 64), {"features_only": True, "pretrained": True}, "features_only, pretrained"),
        ("resnet18", (64, 64), {"global_pool": ""}, r"\(512, 2, 2\).*global_pool"),
        ("inception_v3", (32, 32), {}, "32x32.*data.image_size"),
        ("resnet999", (64, 64), {}, "backbone.name"),
    ],
)
def test_what_timm_refuses_is_said_with_its_key(
    name: str, size: tuple[int, int], options: dict[str, object], says: str
) -> None:
    with pytest.raises(OsteonError, match=says):
        built(name, size, **options)
