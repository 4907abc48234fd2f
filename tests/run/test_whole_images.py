"""One answer of all boxes of an image or exam: its truth is the dataset's own word where the task names one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.composing import config, small

from osteon import predictions
from osteon.errors import OsteonError
from osteon.run.again import prepared_again
from osteon.run.drawn import TRUE, draw_films
from osteon.run.sources import locate
from osteon.run.start import Result, run
from osteon.run.unchanged import check_same_data
from osteon.scoring.runs import load

TASK = "wrist_fracture_detection"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Result:
    words = [*small(TASK), "trainer.max_epochs=1"]
    return run(config(*words), tmp_path_factory.mktemp("run") / "wrist", words)


def test_the_truth_of_image_and_exam_is_what_the_dataset_says_of_the_image(trained: Result) -> None:
    manifest = pd.read_parquet(trained.folder / "manifest.parquet").set_index("image_id")
    frame = predictions.read(trained.folder / "predictions" / "test.parquet").frame
    for unit in ("image", "study"):
        rows = frame[frame["task"] == f"{TASK}.{unit}"].set_index("image_id")
        expected = manifest.loc[rows.index, "fracture_visible"].astype("float64")
        pd.testing.assert_series_equal(rows["target"], expected, check_names=False)
    # An exam counts once, and is positive where any of its images is.
    scores = trained.scores[(trained.scores["split"] == "test") & (trained.scores["group"] == "all")]
    said = scores[(scores["task"] == f"{TASK}.study") & (scores["metric"] == "auroc")].iloc[0]
    exams = rows.groupby("unit_id")["target"].max().dropna()
    assert (said["n"], said["n_positive"]) == (len(exams), exams.sum())


def test_what_augmentation_took_is_reported(trained: Result) -> None:
    curves = pd.read_csv(trained.folder / "metrics.csv")
    facts = trained.facts["training"]
    assert facts["boxes_lost_an_epoch"] == curves["train/boxes_lost"].mean()
    assert facts["images_emptied_an_epoch"] == curves["train/images_emptied"].mean()


@pytest.mark.parametrize(
    ("target", "said"), [("fracture_visble", "Did you mean 'fracture_visible'"), ("boxes", "expected a binary one")]
)
def test_a_truth_that_is_none_is_refused_before_an_image_is_read(target: str, said: str, tmp_path: Path) -> None:
    wrong = config(*small(TASK), f"tasks.{TASK}.whole.target={target}")
    with pytest.raises(OsteonError, match=rf"tasks\.{TASK}\.whole\.target: .*{said}"):
        locate(wrong)


def test_films_of_ones_choice_are_drawn_from_a_finished_run(trained: Result) -> None:
    found = load(trained.folder)
    settings, prepared = prepared_again(found)  # the very images, boxes included, or it refuses
    held = prepared.manifest[prepared.manifest["fracture_boxes"].map(lambda cell: cell is not None and len(cell) > 0)]
    chosen = [held[held["split"] == split]["image_id"].iloc[0] for split in ("train", "test")]
    for file in draw_films(found, settings, prepared, chosen):
        film = np.asarray(Image.open(file))
        assert (film == TRUE).all(-1).any(), file
    with pytest.raises(OsteonError, match=r"no image 'nobody'"):
        draw_films(found, settings, prepared, ["nobody"])


def test_other_boxes_are_other_data(trained: Result) -> None:
    prepared = prepared_again(load(trained.folder))[1]
    moved = prepared.manifest.copy()
    place = moved.index[moved["fracture_boxes"].map(lambda cell: cell is not None and len(cell) > 0)][0]
    moved.at[place, "fracture_boxes"] = [[1.0, 2.0, 3.0, 4.0, 0.0]]
    with pytest.raises(OsteonError, match=r"1 images have another fracture_boxes"):
        check_same_data(trained.folder, moved, prepared.cache.folder.name)
