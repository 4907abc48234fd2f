"""Every file of the model's config groups holds every key of its schema, and nothing else."""

from pathlib import Path

import pytest
import timm
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from osteon.compose import conf_dir
from osteon.config import Augment, Backbone, HeadSpec, Optimizer, Scheduler
from osteon.config.names import check_backbone_name

SCHEMAS = {"backbone": Backbone, "augment": Augment, "optimizer": Optimizer, "scheduler": Scheduler, "head": HeadSpec}
FILES = [(group, path) for group in SCHEMAS for path in sorted((Path(conf_dir()) / group).glob("*.yaml"))]
BACKBONES = [path.stem for group, path in FILES if group == "backbone" and path.stem not in ("timm", "ridge")]


def composed(group: str, name: str, *overrides: str) -> object:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose(f"{group}/{name}", list(overrides))[group])


@pytest.mark.parametrize(("group", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_file_fits_its_schema(group: str, path: Path) -> None:
    name = ["backbone.name=resnet18"] if path.stem == "timm" else []
    parsed = TypeAdapter(SCHEMAS[group]).validate_python(composed(group, path.stem, *name))
    if not isinstance(parsed, Backbone | Augment):
        assert path.stem == parsed.kind
    first = path.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert len(first) <= 120


@pytest.mark.parametrize("name", BACKBONES)
def test_backbone_file_names_weights_of_its_own_name(name: str) -> None:
    found = composed("backbone", name)
    assert isinstance(found, dict)
    check_backbone_name(found["name"])
    assert timm.get_pretrained_cfg(found["name"]).has_weights
    assert found["pretrained"] is None
    assert name.split("_")[0] in found["name"]


def test_there_are_about_twenty_backbones() -> None:
    assert len(BACKBONES) >= 20
    assert set(BACKBONES) >= {"resnet18", "densenet121", "densenet169", "inception_v3", "vit_small_patch16_224"}
