"""Hydra's errors in our words."""

import pytest
from hydra.errors import HydraException

from osteon.compose import explain
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


def test_a_new_column_of_a_dataset_that_is_not_swapped() -> None:
    with pytest.raises(
        OsteonError, match=r"dataset: no dataset is swapped here\. Set the task's own with tasks\.<task>"
    ):
        config("task=mura", "++dataset.columns.path=Datei")
