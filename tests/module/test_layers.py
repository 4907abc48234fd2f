"""Layer-wise learning rates equal timm's own, for every backbone that has a file in conf."""

from pathlib import Path

import pytest
import timm
import torch
import yaml
from timm.optim import param_groups_layer_decay
from torch import nn

from osteon.backbone import create_backbone
from osteon.compose import conf_dir
from osteon.config import Backbone, BinarySpec, Optimizer
from osteon.errors import OsteonError
from osteon.manifest.target import Target
from osteon.model import Model
from osteon.module.layers import layer_groups, layer_of
from osteon.module.optim import build_optimizer

FILES = sorted((Path(conf_dir()) / "backbone").glob("*.yaml"))
NAMES = [yaml.safe_load(path.read_text())["name"] for path in FILES if path.stem not in ("timm", "ridge")]
FAST = ("resnet18.a1_in1k", "densenet121.ra_in1k", "vit_small_patch16_224.augreg_in21k_ft_in1k")


def spec(**options: object) -> Optimizer:
    told = {"kind": "adamw", "lr": 0.1, "weight_decay": 0.05, "betas": [0.9, 0.999], "momentum": 0.0, **options}
    return Optimizer.model_validate(told)


def built(name: str, size: tuple[int, int] = (64, 64)) -> Model:
    backbone = Backbone(name=name, pretrained=None, pretrained_path=None, options={})
    return Model(create_backbone(backbone, size, False), {"a": (BinarySpec(kind="binary"), Target("a"))}, {})


def rates(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, tuple[float, float]]:
    """Parameter name -> learning rate and weight decay."""
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    return {name: found[id(parameter)] for name, parameter in model.named_parameters()}


def timms(name: str, decay: float, **options: object) -> dict[str, tuple[float, float]]:
    """What timm gives the same network with a classifier of its own."""
    network = timm.create_model(name, num_classes=1, in_chans=1, pretrained=False, **options)
    groups = param_groups_layer_decay(network, weight_decay=0.05, layer_decay=decay)
    found = {id(p): (0.1 * g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]}
    return {key: found[id(parameter)] for key, parameter in network.named_parameters()}


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(n, marks=pytest.mark.slow) for n in NAMES if n not in FAST)])
def test_layers_are_timms(name: str) -> None:
    size = (224, 224) if timm.get_pretrained_cfg(name).fixed_input_size else (96, 96)
    model = built(name, size)
    found = rates(model, build_optimizer(model, spec(layer_decay=0.75)))
    expected = timms(name, 0.75)
    mine = {key.removeprefix("backbone.network."): value for key, value in found.items() if "network" in key}
    assert set(mine) <= set(expected)
    classifier = set(expected) - set(mine)
    assert 1 <= len(classifier) <= 2
    assert {key: mine[key] for key in mine} == {key: pytest.approx(expected[key]) for key in mine}
    assert {expected[key][0] for key in classifier} == {found["heads.task_a.linear.weight"][0]} == {0.1}
    assert len({rate for rate, _ in mine.values()}) >= 5


def test_rates_by_hand() -> None:
    """resnet18: stem, two blocks in each of four stages, head: ten layers."""
    model = built("resnet18")
    found = rates(model, build_optimizer(model, spec(layer_decay=0.5, head_lr_factor=3.0)))
    assert found["backbone.network.conv1.weight"] == (pytest.approx(0.1 * 0.5**9), 0.05)
    assert found["backbone.network.bn1.weight"] == (pytest.approx(0.1 * 0.5**9), 0.0)
    assert found["backbone.network.layer1.0.conv1.weight"] == (pytest.approx(0.1 * 0.5**8), 0.05)
    assert found["backbone.network.layer4.1.conv2.weight"] == (pytest.approx(0.05), 0.05)
    assert found["heads.task_a.linear.weight"] == (pytest.approx(0.3), 0.05)
    assert found["heads.task_a.linear.bias"] == (pytest.approx(0.3), 0.0)


def test_head_factor_alone() -> None:
    model = built("test_resnet")
    found = rates(model, build_optimizer(model, spec(head_lr_factor=10.0)))
    assert {rate for name, (rate, _) in found.items() if "heads" in name} == {1.0}
    assert {rate for name, (rate, _) in found.items() if "heads" not in name} == {0.1}


def test_without_factors_there_are_the_two_groups_of_old() -> None:
    model = built("test_resnet")
    groups = build_optimizer(model, spec()).param_groups
    assert [group["weight_decay"] for group in groups] == [0.05, 0.0]
    assert [id(p) for p in groups[0]["params"]] == [id(p) for p in model.parameters() if p.ndim > 1]
    assert [id(p) for p in groups[1]["params"]] == [id(p) for p in model.parameters() if p.ndim <= 1]


@pytest.mark.parametrize("decay", [None, 0.75])
def test_every_parameter_is_in_one_group_frozen_or_not(decay: float | None) -> None:
    model = built("test_resnet")
    for parameter in model.backbone.parameters():
        parameter.requires_grad_(False)
    groups = build_optimizer(model, spec(layer_decay=decay)).param_groups
    together = [id(p) for group in groups for p in group["params"]]
    assert len(together) == len(set(together)) == len(list(model.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_groups_hold_every_parameter_once(name: str) -> None:
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0, in_chans=1, pretrained=False)
    for coarse in (True, False):
        groups = layer_groups(network, coarse)
        assert sorted(n for group in groups for n in group) == sorted(n for n, _ in network.named_parameters())
        assert len(groups) >= 5


def test_a_network_that_timm_cannot_divide_is_refused() -> None:
    with pytest.raises(OsteonError, match=r"does not divide Linear.*optimizer\.layer_decay=null"):
        layer_of(nn.Linear(2, 2))
