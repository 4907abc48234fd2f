"""Several datasets behind one task, and test sets chosen by dataset, site or body part."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.composing import SMALL, config

from osteon.config import Config
from osteon.config.data import Part
from osteon.errors import OsteonError
from osteon.manifest import Target, complete
from osteon.run import facts
from osteon.run.external import hold_out, learn_from, matching
from osteon.run.inherit import _check_unseen
from osteon.run.prepare import Prepared, prepare
from osteon.run.sources import locate
from osteon.run.start import run

WARDS = (
    "task=hip_fracture",
    *SMALL,
    "backbone.pretrained=false",
    "+dataset@tasks.hip_fracture.also.ward9=hip",
    "tasks.hip_fracture.also.ward9.name=ward9",
)


def ward(root: Path, seed: int, site: str | None = None, columns: str = "fracture") -> None:
    """Lay a table of 40 patients with one film each, two at a second site; half of them are fractured."""
    rng = np.random.default_rng(seed)
    root.mkdir(parents=True)
    rows = []
    for number in range(40):
        broken = number % 2
        pixels = rng.integers(0, 120, (48, 40), dtype=np.uint8) + np.uint8(100 * broken)
        Image.fromarray(pixels).save(root / f"{number}.png")
        where = {} if site is None else {"site": site if number < 20 else "south"}
        rows.append(
            {"path": f"{number}.png", "patient_id": f"p{number}", "study_id": f"s{number}", columns: broken, **where}
        )
    pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)


@pytest.fixture
def wards(tmp_path: Path) -> tuple[str, ...]:
    ward(tmp_path / "hip", 0, "north")
    ward(tmp_path / "ward9", 1, "east")
    return (*WARDS, f"data.root={tmp_path}", f"data.key_file={tmp_path / 'key'}")


def prepared(*words: str) -> tuple[Config, Prepared]:
    settings = config(*words)
    return settings, prepare(settings, locate(settings), (64, 64))


def test_one_task_draws_on_two_datasets(wards: tuple[str, ...]) -> None:
    _, made = prepared(*wards)
    assert made.manifest["dataset"].value_counts().to_dict() == {"hip": 40, "ward9": 40}
    assert made.members["hip_fracture"].all()
    assert pd.crosstab(made.manifest["dataset"], made.manifest["split"]).to_numpy().min() > 0


def test_trained_on_one_dataset_and_tested_on_all_of_the_other(wards: tuple[str, ...], tmp_path: Path) -> None:
    words = (*wards, "data.train_on.dataset=hip", "data.test_on.dataset=ward9", "trainer.max_epochs=1")
    result = run(config(*words), tmp_path / "run", [])
    manifest = pd.read_parquet(tmp_path / "run" / "manifest.parquet")
    split = manifest.groupby("split")["dataset"].agg(set).to_dict()
    assert split == {"train": {"hip"}, "val": {"hip"}, "test": {"ward9"}}
    assert len(manifest) == 80, "none of the other's own test images is lost"
    test = pd.read_parquet(tmp_path / "run" / "predictions" / "test.parquet")
    assert (len(test), set(test["dataset"])) == (40, {"ward9"})
    assert "dataset=ward9" in set(result.scores["group"])
    assert any("test is dataset=ward9: 40 images of 40" in note for note in result.facts["notes"])


def test_one_site_is_left_out(wards: tuple[str, ...]) -> None:
    _, made = prepared(*wards, "data.test_on.site=south")
    south = made.manifest["site"] == "south"
    assert ((made.manifest["split"] == "test") == south).all()
    assert south.sum() == 40


def test_targets_of_another_meaning_do_not_make_one_task(wards: tuple[str, ...]) -> None:
    other = "tasks.hip_fracture.also.ward9.targets.fracture.meaning='any fracture'"
    with pytest.raises(OsteonError, match=r"also: 'hip' and 'ward9' declare 'fracture' differently: its meaning is"):
        prepared(*wards, other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data.test_on.site=nrth"], r"data.test_on.site: no image has 'nrth'. Did you mean 'north'"),
        (["data.test_on.body_part=hip"], "There are: none, as nothing says the body_part"),
        (["data.test_on.site=east", "data.test_on.dataset=hip"], "no image is of dataset=hip, site=east"),
        (["data.test_on.site=[]"], r"data.test_on: site found \[\], expected a value or a list of them"),
        (["data.test_on.site=2"], r"data.test_on.site: no image has '2'. There are: south"),
        (["data.test_on.site=true"], "data.test_on.site: found True, expected"),
        (
            ["data.test_on.dataset=ward9", "data.train_on.dataset=ward9"],
            "no image in train.* change data.test_on or data.train_on or data.val_fraction or data.split_seed",
        ),
        (["data.test_on.site=[north,east,south]"], "all 80 images are of .*; none is left to learn from"),
        (["data.train_on.site=west"], "data.train_on.site: no image has 'west'"),
        (["data.test_on.site=east", "data.folds=5"], "test_on and folds both say what the test set is"),
        (["data.test_on.site=east", "data.split_file=x.csv"], "test_on and split_file both say"),
        (["tasks.hip_fracture.also.ward9.name=hip"], "also names a dataset twice"),
    ],
)
def test_what_does_not_fit_is_named(wards: tuple[str, ...], words: list[str], said: str) -> None:
    with pytest.raises(OsteonError, match=said):
        prepared(*wards, *words)


def test_mura_tested_on_hands_alone_is_not_its_public_test_set() -> None:
    settings, made = prepared("task=mura", *SMALL, "data.test_on.body_part=hand")
    assert set(made.manifest.loc[made.manifest["split"] == "test", "body_part"]) == {"hand"}
    assert "hand" not in set(made.manifest.loc[made.manifest["split"] != "test", "body_part"])
    assert made.sources.split_names(settings.tasks["mura"]) == {}
    _, whole = prepared("task=mura", *SMALL)
    assert whole.sources.split_names(settings.tasks["mura"]) == {"test": "public-valid"}


ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("ABC"), st.sampled_from([None, "train", "val", "test"])), min_size=2
)


@settings(deadline=None)
@given(ROWS)
def test_no_group_and_no_copy_is_on_both_sides(rows: list[tuple[int, str, str | None]]) -> None:
    ids = [f"i{number}" for number in range(len(rows))]
    frame = complete(
        pd.DataFrame({"image_id": ids, "path": ids, "dataset": "d", "site": [site for _, site, _ in rows]})
    )
    frame = frame.assign(
        group_id=[f"g{patient}" for patient, _, _ in rows], slot=range(len(rows)), split=[split for *_, split in rows]
    )
    if not 0 < (frame["site"] == "A").sum() < len(frame):
        return
    kept, _ = hold_out(frame, Part(site="A"))
    test = kept[kept["split"] == "test"]
    assert set(test["image_id"]) == set(frame.loc[frame["site"] == "A", "image_id"]), "all of the site, nothing else"
    assert not set(test["group_id"]) & set(kept.loc[kept["split"] != "test", "group_id"])


def test_a_copy_of_a_tested_image_is_not_learned_from() -> None:
    ids = ["a", "b", "c"]
    frame = complete(pd.DataFrame({"image_id": ids, "path": ids, "dataset": "d", "site": ["A", "B", "B"]}))
    kept, told = hold_out(frame.assign(group_id=ids, slot=[0, 0, 1]), Part(site="A"))
    assert kept["image_id"].to_list() == ["a", "c"]
    assert any("left out: 1 other images of groups that are tested, or copies" in note for note in told)


def test_test_stays_whole_where_training_is_restricted() -> None:
    ids = ["a", "b", "c", "d"]
    frame = complete(pd.DataFrame({"image_id": ids, "path": ids, "dataset": "d", "site": ["A", "B", "A", "B"]}))
    kept, _ = learn_from(frame.assign(split=["train", "train", "test", "test"]), Part(site="A"))
    assert kept["image_id"].to_list() == ["a", "c", "d"]
    assert matching(frame, Part(site=["A", "B"]), "data.train_on").all()


def test_a_site_may_be_a_number_and_is_told_once(tmp_path: Path) -> None:
    ids = ["a", "b", "c"]
    frame = complete(pd.DataFrame({"image_id": ids, "path": ids, "dataset": "d", "site": ["1", "2", None]}))
    kept, told = hold_out(frame.assign(group_id=ids, slot=range(3)), Part(site=[1, "1"]))
    assert kept.loc[kept["split"] == "test", "image_id"].to_list() == ["a"]
    assert "test is site=1: 1 images of 1 groups (patients)" in told
    assert any(note.startswith("1 images do not say their site and may be of it") for note in told)
    with pytest.raises(OsteonError, match="1 images say none"):
        matching(frame, Part(site="3"), "data.test_on")


def test_patients_of_one_number_in_two_datasets_are_told(wards: tuple[str, ...]) -> None:
    _, made = prepared(*wards, "data.test_on.dataset=ward9")
    said = [note for note in made.notes if "40 patient ids of ward9 (40) are also ids of hip" in note]
    assert len(said) == 1
    assert "p1" not in said[0], "no id is told"


def test_boxes_of_two_datasets_have_their_images_scored_by_dataset() -> None:
    words = ("task=hip_fracture_detection", "+dataset@tasks.hip_fracture_detection.also.other=hip_boxes")
    settings = config(*words, "tasks.hip_fracture_detection.also.other.name=other")
    target = Target("a fracture", "boxes", ("fracture",))
    found = facts._facts_of_task("finding", settings.tasks["hip_fracture_detection"], target)
    assert len(found) > 1
    assert all("dataset" in one.groups for one in found.values())


def test_weights_that_know_a_patient_of_a_joined_group_are_refused(tmp_path: Path) -> None:
    ids = ["a", "b"]
    frame = complete(pd.DataFrame({"image_id": ids, "path": ids, "dataset": "d", "patient_id": ["d:1", "d:0"]}))
    alone = frame.assign(group_id=["patient:d:1", "patient:d:0"], split=["train", "val"])
    alone.to_parquet(tmp_path / "manifest.parquet")
    joined = frame.assign(group_id="patient:d:0", split="test")[:1]  # its group has the name of a copy's patient
    with pytest.raises(OsteonError, match="has learned from 1 patients"):
        _check_unseen(tmp_path / "manifest.parquet", joined)
