"""One folder that tasks describe in several ways, and patients that several datasets share."""

from pathlib import Path

import pandas as pd
import pytest
from tests.composing import SMALL, config

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.images import Cache
from osteon.manifest import Reading, complete, prove_disjoint
from osteon.run.divide import divide
from osteon.run.prepare import prepare
from osteon.run.sources import locate
from osteon.run.variants import joined_reading


def test_flags_and_boxes_of_one_folder_train_together() -> None:
    words = ("task=[hip_fracture,hip_localization,hip_fracture_detection]", *SMALL, "augment.horizontal_flip=0")
    settings = config(*words)
    prepared = prepare(settings, locate(settings), (64, 64))
    alone = config("task=hip_fracture", *SMALL)
    before = prepare(alone, locate(alone), (64, 64))
    assert list(prepared.sources.cards) == ["hip"]
    assert {"fracture", "boxes", "fracture_boxes"} <= set(prepared.manifest)
    assert sorted(prepared.manifest["image_id"]) == sorted(before.manifest["image_id"]), "one row an image"
    labels = prepared.manifest.set_index("image_id")["fracture"]
    assert labels.equals(before.manifest.set_index("image_id")["fracture"].loc[labels.index])
    assert all(members.all() for members in prepared.members.values())


def reading(**columns: list[object]) -> Reading:
    return Reading(pd.DataFrame({"image_id": ["a", "b"], **columns}), pd.DataFrame({"path": [], "reason": []}), ())


def test_an_image_that_one_description_lacks_is_null_there() -> None:
    left = reading(path=["a", "b"], sex=["F", None], flag=[1.0, 0.0])
    right = Reading(left.rows.assign(image_id=["b", "c"], path=["b", "c"], sex=["M", "F"]).drop(columns="flag"),
                    left.rejected, ())  # fmt: skip
    rows = joined_reading([left, right], "set").rows.set_index("image_id")
    assert rows["sex"].to_dict() == {"a": "F", "b": "M", "c": "F"}
    assert rows["flag"].isna().to_dict() == {"a": False, "b": False, "c": True}


def test_descriptions_that_disagree_are_refused() -> None:
    left, right = reading(patient_id=["p", "q"]), reading(patient_id=["p", "r"])
    with pytest.raises(OsteonError, match=r"1 images have another patient_id in each \(first: b\)"):
        joined_reading([left, right], "set")


def test_datasets_of_different_kinds_have_different_names(tmp_path: Path) -> None:
    settings = config("task=[hip_fracture,mura]", *SMALL)
    tasks = dict(settings.tasks)
    renamed = tasks["hip_fracture"].dataset.model_copy(update={"name": "mura"})
    tasks["hip_fracture"] = tasks["hip_fracture"].model_copy(update={"dataset": renamed})
    with pytest.raises(OsteonError, match=r"'mura' is of kind mura here and of kind table in another task"):
        locate(settings.model_copy(update={"tasks": tasks}))


def two_collections(first: str, second: str) -> tuple[Config, pd.DataFrame]:
    """40 patients of two datasets, 20 of them in both; only knee_kl has official splits."""
    frames = []
    for dataset in (first, second):
        patients = range(30) if dataset == "knee_kl" else range(10, 40)
        rows = pd.DataFrame({"patient_id": [f"oai:{number}" for number in patients]})
        rows["image_id"] = rows["path"] = dataset + rows["patient_id"]
        rows["split"] = ["train" if number % 3 else "test" for number in patients] if dataset == "knee_kl" else None
        frames.append(rows.assign(dataset=dataset, grade=0.0, fracture=0.0))
    frame = complete(pd.concat(frames, ignore_index=True))
    frame["slot"] = range(len(frame))
    settings = config("task=[knee_kl,hip_fracture]", *SMALL, "augment.horizontal_flip=0")
    knee, hip = settings.tasks["knee_kl"], settings.tasks["hip_fracture"]
    frame[knee.targets[0]], frame[hip.targets[0]] = 0.0, 0.0
    return settings, frame.assign(dataset=frame["dataset"].replace({"oai": hip.dataset.name}))


@pytest.mark.parametrize("order", [("knee_kl", "oai"), ("oai", "knee_kl")])
def test_a_patient_of_two_collections_lies_in_one_split_the_official_one(order: tuple[str, str], cache: Cache) -> None:
    """`oai:` is the namespace of both knee_kl and oai: one knee, one patient, whatever the collection."""
    settings, frame = two_collections(*order)
    divided, _ = divide(frame, settings, cache)
    prove_disjoint(divided)
    assert (divided.groupby("patient_id")["split"].nunique() == 1).all()
    official = frame.dropna(subset=["split"]).set_index("image_id")["split"]
    kept = divided.set_index("image_id")["split"].loc[official.index]
    assert (kept[official == "test"] == "test").all()
    assert kept[official == "train"].isin(["train", "val"]).all()


def test_official_splits_that_part_a_patient_are_refused() -> None:
    from osteon.manifest import validate

    _, frame = two_collections("knee_kl", "oai")
    frame.loc[frame["dataset"] != "knee_kl", "split"] = "train"
    with pytest.raises(OsteonError, match="a patient in two splits"):
        validate(frame, {})


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Cache:
    return object.__new__(Cache)  # patients are known: nothing is asked of the pixels
