"""No label goes in as an input, and no image is mirrored whose label names a side."""

from dataclasses import replace

import pytest
from tests.composing import config

from osteon import datasets
from osteon.errors import OsteonError
from osteon.manifest import Target
from osteon.run.inputs import check_inputs
from osteon.run.sources import locate

MIRRORED = ("augment.horizontal_flip=0.5", "data.canonical_laterality=R", "training.tta=[flip]")
STILL = ("augment.horizontal_flip=0", "data.canonical_laterality=null", "training.tta=[]")


@pytest.mark.parametrize(
    ("task", "column", "said"),
    [
        ("bone_age", "bone_age", "a label of the dataset 'rsna_boneage'"),
        ("knee_oa", "kl", "a label of the dataset 'knee_kl'"),
        ("knee_kl", "path", "may be the label itself"),
        ("bone_age", "image_id", "may be the label itself"),
        ("bone_age", "split", "may be the label itself"),
    ],
)
def test_what_tells_the_label_is_no_input(task: str, column: str, said: str) -> None:
    with pytest.raises(OsteonError, match=rf"covariates: '{column}'.*{said}"):
        locate(config(f"task={task}", f"covariates=[{column}]"))


def test_what_is_known_of_a_patient_is_an_input() -> None:
    locate(config("task=bone_age", "covariates=[sex,age_years]"))


def sided(name: str, target: Target, *words: str) -> None:
    """Check a run of `hip_fracture` whose dataset has `target` and whose task asks for it."""
    asked = config(*words)
    task = asked.tasks["hip_fracture"].model_copy(update={"target": name})
    card = replace(datasets.card(task.dataset), targets={name: target})
    check_inputs(asked.model_copy(update={"tasks": {"hip_fracture": task}}), {task.dataset.name: card})


@pytest.mark.parametrize("setting", MIRRORED)
@pytest.mark.parametrize(
    ("name", "target"),
    [
        (
            "my_laterality",
            Target("side", "multiclass", ("L", "R")),
        ),  # as a table's `laterality` must be called
        ("fracture_left", Target("a fracture of the left hip")),
        ("isRight", Target("the right hip")),
        ("side", Target("side", "multiclass", ("hip_l", "hip_r", "none"))),
        ("view", Target("view", "multiclass", ("both", "Left hip"))),
        ("boxes", Target("hips", "boxes", ("right", "left"))),
        ("hip_side", Target("1 is left")),
        ("befund", Target("Seite", "multiclass", ("linke Hüfte", "rechte Hüfte"))),
        ("kind", Target("side", "multiclass", ("Lt", "Rt"))),
        ("finger", Target("finger", "multiclass", ("L2", "R2"))),
    ],
)
def test_a_label_that_names_a_side_forbids_every_mirror(name: str, target: Target, setting: str) -> None:
    others = [word for word in STILL if not word.startswith(setting.partition("=")[0])]
    with pytest.raises(OsteonError, match=r"tasks\.hip_fracture\.target.* names a side") as told:
        sided(name, target, setting, *others)
    assert setting.partition("=")[0] in str(told.value)
    sided(name, target, *STILL)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("narrowing_lateral", Target("joint space", "ordinal", ("0", "1", "2", "3"))),
        ("upright", Target("the patient stood")),
        ("leftover", Target("a remnant of cement")),
        ("level", Target("level or margin", "multiclass", ("L1", "L2", "R0"))),
        ("spine", Target("level", "multiclass", ("L1", "L5", "S1"))),
        ("frozen_side_effect", Target("an effect")),
        ("maker", Target("maker", "multiclass", ("L. Link", "Depuy"))),
        ("view", Target("view", "multiclass", ("ap", "lateral"))),
    ],
)
def test_a_label_of_no_side_may_be_mirrored(name: str, target: Target) -> None:
    sided(name, target, *MIRRORED)


def test_labels_of_either_side_in_one_task_forbid_mirrors() -> None:
    asked = config("task=hip_fracture", *MIRRORED)
    target = Target("a fracture")
    task = asked.tasks["hip_fracture"].model_copy(update={"target": ["fracture_l", "fracture_r"]})
    card = replace(datasets.card(task.dataset), targets={"fracture_l": target, "fracture_r": target})
    with pytest.raises(OsteonError, match="'fracture_l' names a side"):
        check_inputs(asked.model_copy(update={"tasks": {"hip_fracture": task}}), {task.dataset.name: card})
