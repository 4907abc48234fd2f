"""Hydra's errors in our words."""

import pytest
from hydra.errors import HydraException

from osteon.compose import composed, conf_dir, explain
from osteon.errors import OsteonError
from tests.composing import config


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("task=mura", "dataset.root=x"), r"^dataset\.root: no dataset is swapped .*tasks\.mura\.dataset\.root=x"),
        (("dataset.file=a.csv",), r"tasks\.hip_fracture\.dataset\.file=a\.csv, or name another before: dataset=<file"),
        (("dataset=hip", "dataset.fil=a.csv"), r"^dataset\.fil: no such key\. Did you mean 'file'"),
    ],
)
def test_a_key_of_a_dataset_that_is_not_swapped_names_the_right_one(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(HydraException) as fault:
        config(*words)
    text = explain(fault.value, words)
    assert text is not None
    with pytest.raises(OsteonError, match=said):
        raise OsteonError(text)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed={id}{side}.png", "Quote it twice, for the shell too: \"seed='{id}{side}.png'\""),
        (r"seed=^(\d+)[LR]", r"seed='^(\d+)[LR]'"),
        ("==", "==: is no setting; expected key=value"),
        ("seed=[1,", "seed=[1,: is no setting; expected key=value"),
    ],
)
def test_a_word_that_hydra_cannot_read_is_shown_as_it_should_be(word: str, said: str) -> None:
    with pytest.raises(OsteonError) as told:
        composed(conf_dir(), "train", [word])
    assert said in str(told.value)
    assert "hydra.cc" not in str(told.value)


def test_a_word_quoted_twice_is_read() -> None:
    quoted = r"dataset.patient='^(\d+)[LR]'"
    found = composed(conf_dir(), "train", ["task=implant", "dataset=folders", quoted])
    assert found["dataset"]["patient"] == r"^(\d+)[LR]"


def test_a_new_column_of_a_dataset_that_is_not_swapped() -> None:
    with pytest.raises(
        OsteonError, match=r"dataset: no dataset is swapped here\. Set the task's own with tasks\.<task>"
    ):
        config("task=mura", "++dataset.columns.path=Datei")
