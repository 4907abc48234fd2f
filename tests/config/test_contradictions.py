"""Training options: what composes, what contradicts, and in which words."""

import pytest
from tests.composing import config, container

from osteon.config import BinarySpec, Config, MuraSpec, Task, Training, check_training
from osteon.errors import OsteonError


def with_task(config: Config, name: str, **changes: object) -> Config:
    task = Task(meaning="x", dataset=MuraSpec(kind="mura"), target="x", head=BinarySpec(kind="binary"))
    return config.model_copy(update={"tasks": {**config.tasks, name: task.model_copy(update=changes)}})


def test_default_file_is_the_schemas_default_and_names_every_key() -> None:
    told = container()["training"]
    assert set(told) == set(Training.model_fields)
    assert Training.model_validate(told) == Training()
    check_training(config())


GOOD = [
    ("training.imbalance=pos_weight",),
    ("training.imbalance=[focal]", "training.focal_alpha=0.25"),
    ("training.imbalance=[pos_weight,focal]", "training.allow_both=true"),
    ("training.imbalance=[sampler,pos_weight]", "training.allow_both=true"),
    ("training.imbalance=focal", "training.mixup=0.2", "training.cutmix=1.0"),
    ("training.imbalance=pos_weight", "tasks.hip_fracture.head.label_smoothing=0.1"),
    ("training.unfreeze=gradual", "training.unfreeze_epochs=2", "optimizer.layer_decay=0.75"),
    ("training.unfreeze=head", "optimizer.head_lr_factor=3.0"),
    ("training.tta=[flip,shift,scale]",),
    ("+training.imbalance_of.hip_fracture=sampler",),
]


@pytest.mark.parametrize("overrides", GOOD, ids="-".join)
def test_what_goes_together(overrides: tuple[str, ...]) -> None:
    check_training(config(*overrides))


BAD = [
    (["imbalance=[sampler,pos_weight]"], r"pos_weight and sampler both.*hip_fracture.*allow_both=true"),
    (["imbalance=[none,focal]"], r"'none' stands alone"),
    (["imbalance=[focal,pos_weight]", "allow_both=true", "focal_alpha=0.3"], r"focal_alpha.*focal \+ pos_weight"),
    (["tta=[flip,flip]"], "once"),
    (["unfreeze=gradual", "unfreeze_epochs=10"], r"unfreeze_epochs.*after 10 epochs.*run has 10"),
]


@pytest.mark.parametrize(("overrides", "says"), BAD)
def test_what_contradicts_itself(overrides: list[str], says: str) -> None:
    with pytest.raises(OsteonError, match=says):
        check_training(config(*(f"training.{override}" for override in overrides)))


OTHER = [
    (("training.unfreeze=head", "optimizer.layer_decay=0.7"), r"layer_decay: found 0\.7.*unfreeze=head"),
    (("training.imbalance=focal", "tasks.hip_fracture.head.label_smoothing=0.1"), r"label_smoothing: found 0\.1.*hard"),
    (("+training.imbalance_of.hip_fractur=focal",), r"no task 'hip_fractur'.*hip_fracture"),
]


@pytest.mark.parametrize(("overrides", "says"), OTHER)
def test_what_contradicts_other_keys(overrides: tuple[str, ...], says: str) -> None:
    with pytest.raises(OsteonError, match=says):
        check_training(config(*overrides))


VALUES = [
    ("training.imbalance=posweight", r"training\.imbalance: found 'posweight'"),
    ("training.imbalance=[focl]", r"training\.imbalance.*'focl'.*focal"),
    ("training.mixup=-0.1", r"training\.mixup: found -0\.1"),
    ("training.focal_alpha=1.0", r"training\.focal_alpha: found 1\.0"),
    ("training.unfreeze=top", r"training\.unfreeze: found 'top'"),
    ("training.unfreeze_epochs=0", r"training\.unfreeze_epochs: found 0"),
    ("training.tta=[mirror]", r"training\.tta.*'mirror'"),
    ("+training.mixpu=1.0", r"training\.mixpu: no such key.*mixup"),
    ("optimizer.layer_decay=1.5", r"optimizer\.layer_decay: found 1\.5"),
    ("optimizer.head_lr_factor=0.0", r"optimizer\.head_lr_factor: found 0\.0"),
    ("tasks.hip_fracture.head.label_smoothing=1.0", r"label_smoothing: found 1\.0"),
]


@pytest.mark.parametrize(("override", "says"), VALUES)
def test_values_outside_their_range_name_their_key(override: str, says: str) -> None:
    with pytest.raises(OsteonError, match=says):
        config(override)


def test_a_task_may_differ_from_the_others() -> None:
    training = Training(imbalance="pos_weight", imbalance_of={"b": ["focal"], "c": "none"})
    assert [training.measures(task) for task in "abc"] == [("pos_weight",), ("focal",), ()]


def test_tasks_of_one_dataset_share_rows() -> None:
    """Drawing task a's rare rows more often bends the classes that task b's weights were counted on."""
    two = with_task(with_task(config(), "a"), "b")
    clash = Training(imbalance_of={"a": "sampler", "b": "pos_weight"})
    with pytest.raises(OsteonError, match=r"pos_weight and sampler both act on the rows of task b"):
        check_training(two.model_copy(update={"training": clash}))
    apart = Training(imbalance_of={"a": "sampler", "hip_fracture": "pos_weight"})
    check_training(two.model_copy(update={"training": apart}))
    allowed = clash.model_copy(update={"allow_both": True})
    check_training(two.model_copy(update={"training": allowed}))


def test_a_flip_is_refused_where_the_side_is_an_input() -> None:
    with pytest.raises(OsteonError, match=r"laterality is an input, and training\.tta flips"):
        config("training.tta=[flip]", "covariates=[laterality]", "augment.horizontal_flip=0")


@pytest.mark.parametrize("key", ["imbalance=sampler", "imbalance=focal", "mixup=0.2", "cutmix=0.2", "tta=[scale]"])
def test_heads_without_classes_are_refused(key: str) -> None:
    """No such head yet; one that comes must be allowed by name, not by default."""
    boxes = BinarySpec.model_construct(kind="detection")  # type: ignore[arg-type]
    told = with_task(config(f"training.{key}"), "boxes", head=boxes)
    name = key.partition("=")[0]
    with pytest.raises(OsteonError, match=rf"training\.{name}: .*detection head of task boxes"):
        check_training(told)
