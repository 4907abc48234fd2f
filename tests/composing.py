"""Compose the real conf as train.py does, without a process."""

from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from osteon.compose import conf_dir
from osteon.config import Config, checked

# A run of some seconds: the smallest network of timm on few, small phantoms.
SMALL = (
    "backbone=timm",
    "backbone.name=test_resnet",
    "phantom.patients=60",
    "phantom.size=96",
    "phantom.image_size=64",
    "trainer.max_epochs=2",
    "callbacks.progress_bar=false",
    "bootstrap=100",
    "data.max_rejected=0.1",
)


def small(task: str) -> tuple[str, ...]:
    """Return SMALL for a task; a head of boxes is made as narrow as it may be."""
    boxes = "/head@head: detection" in (conf_dir() / "task" / f"{task}.yaml").read_text(encoding="utf-8")
    narrow = ("width=64", "convs=1") if boxes else ()
    return (f"task={task}", *SMALL, *(f"tasks.{task}.head.{word}" for word in narrow))


def container(*overrides: str) -> dict[str, Any]:
    """Return the composed container of `train.yaml` with overrides."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = OmegaConf.to_container(compose("train", list(overrides)), resolve=True)
    assert isinstance(composed, dict)
    return {str(key): value for key, value in composed.items()}


def config(*overrides: str) -> Config:
    """Return the validated config of `train.yaml` with overrides."""
    return checked(container(*overrides))
