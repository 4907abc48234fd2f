"""Every config file composes and validates; every fault is one line with key, value and the nearest right name."""

from pathlib import Path
from typing import Any

import pytest
from tests.composing import config, container

from osteon.compose import conf_dir
from osteon.config import check_config
from osteon.errors import OsteonError


def files(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


GROUPS = [
    "task",
    "augment",
    "backbone",
    "optimizer",
    "scheduler",
    "trainer",
    "logger",
    "callbacks",
    "data",
    "experiment",
]
CASES = [(group, name) for group in GROUPS for name in files(group)]


@pytest.mark.parametrize(("group", "name"), CASES)
def test_every_file_composes(group: str, name: str) -> None:
    extra = ["backbone.name=resnet18"] if (group, name) == ("backbone", "timm") else []
    assert config(f"{group}={name}", *extra).tasks


@pytest.mark.parametrize("name", files("task"))
def test_file_name_is_the_task_key(name: str) -> None:
    assert list(config(f"task={name}").tasks) == [name]
    first = (conf_dir() / "task" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# @package tasks.{name}"


SAME = {"hip_boxes": "hip"}  # another table of one dataset: its patients must not be split twice


@pytest.mark.parametrize("name", [name for name in files("dataset") if name != "table"])
def test_dataset_swaps_into_the_single_task(name: str) -> None:
    swapped = config("task=hip_fracture", f"dataset={name}")
    assert swapped.tasks["hip_fracture"].dataset.name == SAME.get(name, name)
    assert swapped.dataset is None


def test_one_task_or_many_compose_alike() -> None:
    assert list(config("task=[mura,hip_fracture]").tasks) == ["mura", "hip_fracture"]


def test_swapping_the_dataset_of_two_tasks_is_refused() -> None:
    with pytest.raises(OsteonError, match=r"dataset@tasks\.mura\.dataset=hip"):
        config("task=[mura,hip_fracture]", "dataset=hip")


FAULTS = [
    ("trainer.max_epochs", "ten", r"trainer\.max_epochs: found 'ten', expected a whole number"),
    ("trainer.max_epochs", 2.5, r"trainer\.max_epochs: found 2\.5"),
    ("trainer.max_epochs", 0, r"trainer\.max_epochs: found 0, expected greater than 0"),
    ("trainer", None, r"trainer: found None, expected a group of settings"),
    ("seed", True, r"seed: found True, expected a whole number"),
    ("optimizer.lr", "1e-3x", r"optimizer\.lr: found '1e-3x', expected a number"),
    ("optimizer.lr", float("nan"), r"optimizer\.lr: found nan"),
    ("optimizer.betas", [0.9], r"optimizer\.betas: found \[0\.9\], expected 2 values"),
    ("optimizer.kind", "adamW", r"optimizer\.kind: found 'adamW', expected .*Did you mean 'adamw'"),
    ("trainer.max_epoch", 3, r"trainer\.max_epoch: no such key\. Did you mean 'max_epochs'"),
    ("lrr", 0.1, r"lrr: no such key"),
    ("tasks.hip_fracture.unitt", "study", r"tasks\.hip_fracture\.unitt: no such key\. Did you mean 'unit'"),
    ("tasks.hip_fracture.unit", "stud", r"tasks\.hip_fracture\.unit: found 'stud', .*Did you mean 'study'"),
    ("tasks.hip_fracture.head.kind", "binry", r"tasks\.hip_fracture\.head\.kind: found 'binry'.*Did you mean 'binary'"),
    ("tasks.hip_fracture.head.bins", 3, r"tasks\.hip_fracture\.head\.bins: no such key"),
    ("tasks.hip_fracture.dataset.fil", "a", r"tasks\.hip_fracture\.dataset\.fil: no such key\. Did you mean 'file'"),
    ("data.image_size", [1, 2, 3], r"data\.image_size: found \[1, 2, 3\], expected a whole number or 2 values"),
    (
        "tasks.hip_fracture.dataset.targets.fracture.classes",
        ["a", "A"],
        r"classes: class names must differ in more than",
    ),
    ("data.fold", 1, r"data: fold needs folds"),
    ("data.workers", -1, r"data\.workers: found -1"),
    ("tasks", {}, r"tasks: found"),
]


@pytest.mark.parametrize(("key", "value", "message"), FAULTS)
def test_fault_is_named(key: str, value: Any, message: str) -> None:
    composed = container("task=hip_fracture")
    node: Any = composed
    *parents, last = key.split(".")
    for part in parents:
        node = node[part]
    node[last] = value
    with pytest.raises(OsteonError, match=message):
        check_config(composed)


def test_missing_key_is_named() -> None:
    composed = container()
    del composed["optimizer"]["lr"]
    with pytest.raises(OsteonError, match=r"optimizer\.lr: missing"):
        check_config(composed)


def test_every_fault_is_listed() -> None:
    composed = container()
    composed["seed"], composed["trainer"]["max_epochs"] = "x", "ten"
    with pytest.raises(OsteonError, match=r"(?s)seed: .*\ntrainer\.max_epochs: "):
        check_config(composed)


def test_whole_numbers_are_taken_for_fractions() -> None:
    assert config("optimizer.lr=1", "tasks.hip_fracture.protocol_threshold=1").optimizer.lr == 1


def test_conf_is_found_from_a_checkout(project: Path) -> None:
    assert conf_dir() == project / "conf"
