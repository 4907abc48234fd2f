"""A W&B run says what the run folder says, lies below it, and shows no image that it may not show."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from tests.composing import SMALL, config
from tests.run.wandb_file import WandbRun, runs

from osteon import datasets, predictions
from osteon.config import Config
from osteon.errors import OsteonError
from osteon.manifest import Card
from osteon.predictions import TaskFacts
from osteon.run.loggers import curves, open_loggers
from osteon.run.start import Result, run
from osteon.run.tracking import Curves, check_images, images_shown, last_run, pictures, plots, tables
from osteon.run.tracking.curves import rates
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units

TASK = "hip_fracture"
WORDS = ("logger=wandb", "logger.wandb.tags=[mine]", "logger.wandb.table_rows=20", "logger.wandb.images=3")
WORDS += ("trainer.gradient_clip=1.0", "scheduler=constant", "scheduler.warmup_epochs=0")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(config(*WORDS, *SMALL), tmp_path_factory.mktemp("wandb") / "my_run", [])


@pytest.fixture(scope="module")
def logged(result: Result) -> WandbRun:
    (found,) = runs(result.folder)
    return found


def test_the_run_says_what_it_is(result: Result, logged: WandbRun) -> None:
    about, said = logged.about, logged.config
    assert (about.project, about.display_name, about.job_type) == ("osteon", "my_run", "train")
    assert about.run_group == "hip_fracture_test_resnet"
    assert list(about.tags) == ["hip_fracture", "test_resnet", "hip", "phantom", "mine"]
    assert said.pop("source") == "phantom"
    assert said["tasks"][TASK]["head"]["kind"] == "binary", "nested as composed"
    ours = config(*WORDS, *SMALL).model_dump(mode="json", exclude={"resume", "data"})
    assert {key: said[key] for key in ours} == ours
    assert logged.exit_code == 0


def test_curves_are_those_of_metrics_csv_by_epoch(result: Result, logged: WandbRun) -> None:
    metrics = pd.read_csv(result.folder / "metrics.csv")
    for name in ("train/loss", "val/monitor", f"val/{TASK}/auroc"):
        expected = metrics.loc[metrics[name].notna(), ["epoch", name]].to_numpy()
        np.testing.assert_allclose(logged.curve(name), expected, rtol=1e-6)
    rate = config(*WORDS, *SMALL).optimizer.lr
    assert logged.curve("lr") == [(0, pytest.approx(rate)), (1, pytest.approx(rate))]
    for (_, mean), (_, most) in zip(logged.curve("gradient/mean"), logged.curve("gradient/max"), strict=True):
        assert 0 < mean <= most
    axes = {
        record.metric.name or record.metric.glob_name: record.metric
        for record in logged.records
        if record.HasField("metric")
    }
    assert axes["*"].step_metric == "epoch"


def test_tables_hold_what_the_files_hold(result: Result, logged: WandbRun) -> None:
    columns, rows = logged.table(f"predictions/{TASK}")
    shown = pd.DataFrame(rows, columns=columns)
    assert len(shown) == 20
    written = predictions.merge(
        [predictions.read(result.folder / "predictions" / f"{split}.parquet") for split in ("val", "test")]
    ).frame.set_index("image_id")
    found = written.loc[shown["image_id"]]
    np.testing.assert_allclose(shown["probability"], found["probability"].to_numpy(), rtol=1e-6)
    assert shown["split"].tolist() == found["split"].tolist()
    assert shown["unit_id"].tolist() == found["unit_id"].tolist()
    names = {0: "negative", 1: "positive"}
    assert shown["target"].tolist() == [names[int(value)] for value in found["target"]]
    frozen = json.loads((result.folder / "thresholds.json").read_text())[TASK]["value"]
    assert shown["call"].tolist() == [names[int(value > frozen)] for value in found["probability"]]
    columns, rows = logged.table("scores")
    assert len(rows) == len(result.scores)
    auroc = result.scores.query("metric == 'auroc' and split == 'test' and group == 'all'").iloc[0]
    same = [row for row in rows if row[:5] == [TASK, "test", "all", None, "auroc"]]
    assert same[0][5:] == [
        pytest.approx(auroc["value"]),
        pytest.approx(auroc["lo"]),
        pytest.approx(auroc["hi"]),
        auroc["n"],
    ]
    assert logged.summary()[f"result/test/{TASK}/auroc"] == pytest.approx(auroc["value"])


def test_figures_are_those_of_the_run_folder(result: Result, logged: WandbRun) -> None:
    for name in ("roc", "precision_recall", "confusion", "scores"):
        shown = cv2.imread(str(logged.folder / "files" / logged.logged(f"{name}/{TASK}")["path"]))
        kept = cv2.imread(str(result.folder / "figures" / f"{TASK}_{name}.png"))
        assert shown.shape == kept.shape
        assert np.abs(shown.astype(int) - kept).mean() < 1, "the same but for the smoothing of edges"


@pytest.mark.parametrize("words", [("logger.wandb.images=2",)])
def test_boxes_are_logged_without_a_table_of_probabilities(tmp_path: Path, words: tuple[str, ...]) -> None:
    small = [word for word in SMALL if not word.startswith(("trainer.max_epochs", "phantom.patients"))]
    asked = ("task=fracatlas_detection", "logger=wandb", "trainer.max_epochs=1", "phantom.patients=40", *words)
    done = run(config(*small, *asked), tmp_path / "boxes", [])
    (found,) = runs(done.folder)
    told = {key for row in found.history() for key in row}
    assert "predictions/fracatlas_detection.image" in told
    assert "predictions/fracatlas_detection" not in told
    assert "froc/fracatlas_detection" in told


def test_images_are_the_cached_ones_with_their_captions(result: Result, logged: WandbRun) -> None:
    chance = logged.logged(f"by_chance/{TASK}")
    assert chance["count"] == 3
    kept = pd.read_parquet(result.folder / "manifest.parquet").set_index("image_id")["slot"]
    folder = Path(os.environ["OSTEON_CACHE"])
    stores = [np.load(file, mmap_mode="r") for file in folder.rglob("images.npy")]
    for name, text in zip(chance["filenames"], chance["captions"], strict=True):
        image, truth, call, share, split = text.split(" | ")
        assert split == "test"
        assert image in kept.index
        assert re.fullmatch(r"true (positive|negative)", truth)
        assert re.fullmatch(r"called (positive|negative)", call)
        assert re.fullmatch(r"p [01]\.\d{3}", share)
        pixels = cv2.imread(str(logged.folder / "files" / name), cv2.IMREAD_UNCHANGED)
        assert any(len(store) > kept[image] and np.array_equal(store[kept[image]], pixels) for store in stores)
    if any(f"mistakes/{TASK}" in row for row in logged.history()):
        assert logged.logged(f"mistakes/{TASK}")["count"] <= 3


def test_runs_of_one_process_are_runs_of_their_own_and_a_failed_one_says_so(tmp_path: Path) -> None:
    before = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    for number in (1, 2):
        with open_loggers(config(*WORDS, *SMALL), tmp_path / str(number)) as loggers:
            loggers[1].log_metrics({"epoch": 0.0, "number": float(number)})
    with pytest.raises(ValueError, match="stop"), open_loggers(config(*WORDS, *SMALL), tmp_path / "3"):
        raise ValueError("stop")
    one, two, three = (found for number in (1, 2, 3) for found in runs(tmp_path / str(number)))
    assert len({one.about.run_id, two.about.run_id, three.about.run_id}) == 3
    assert (one.curve("number"), two.curve("number")) == ([(0, 1)], [(0, 2)])
    assert [found.exit_code for found in (one, two, three)] == [0, 0, 1]
    assert {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"} == before


def test_a_resumed_run_names_the_one_before(tmp_path: Path) -> None:
    assert last_run(tmp_path) is None
    with open_loggers(config(*WORDS, *SMALL), tmp_path):
        pass
    first = last_run(tmp_path)
    with open_loggers(config(*WORDS, *SMALL), tmp_path, resumed_from=first):
        pass
    before, after = sorted(runs(tmp_path), key=lambda found: "resumed_from" in found.config)
    assert after.config["resumed_from"] == before.about.run_id == first
    assert after.about.run_group == before.about.run_group
    assert after.about.run_id != first


@pytest.mark.slow
def test_what_is_private_is_redacted_and_nothing_lies_elsewhere(tmp_path: Path) -> None:
    """In a process of its own: W&B's service, which writes logs as well, begins there."""
    program = (
        "import sys, wandb\n"
        "from tests.composing import SMALL, config\n"
        "from osteon.run.loggers import open_loggers\n"
        f"asked = config('logger=wandb', 'data.root=/mnt/praxis_rosalinde', 'data.cache_dir={tmp_path}', *SMALL)\n"
        "hide = lambda said: {**said, 'data': {**said['data'], 'root': 'd-1'}}\n"
        f"with open_loggers(asked, __import__('pathlib').Path({str(tmp_path / 'run')!r}), 'real', hide) as loggers:\n"
        "    table = wandb.Table(columns=['a'], data=[[1]])\n"
        "    loggers[1].experiment.log({'t': table, 'image': wandb.Image(__import__('numpy').zeros((8, 8)))})\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "HOME": str(home), "WANDB_MODE": "offline", "TMPDIR": str(tmp_path / "tmp")}
    env = {key: value for key, value in env.items() if key not in ("WANDB_SERVICE", "WANDB_API_KEY")}
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-c", program, "Argument_Rosalinde"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stderr
    left = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert any(file.suffix == ".wandb" for file in left)
    assert [file for file in left if b"osalinde" in file.read_bytes()] == []
    assert [file for file in home.rglob("*") if file.is_file() and "wandb" in str(file)] == []
    assert "osalinde" not in done.stdout + done.stderr


def test_online_without_a_key_stops_and_auto_with_a_wrong_one_goes_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(OsteonError, match="no key found"),
        open_loggers(config(*WORDS, "logger.wandb.mode=online"), tmp_path),
    ):
        pass
    monkeypatch.setenv("WANDB_MODE", "")
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with open_loggers(config(*WORDS), tmp_path / "auto"):
        pass
    assert "logged offline" in capsys.readouterr().err
    assert len(runs(tmp_path / "auto")) == 1


CARDS = {
    name: datasets.card(config(f"task={task}").tasks[task].dataset)
    for name, task in (("mura", "mura"), ("fracatlas", "fracatlas_fracture"), ("hip", "hip_fracture"))
}


def asked(images: str) -> Config:
    return config("logger=wandb", f"logger.wandb.images={images}")


@pytest.mark.parametrize(
    ("images", "names", "kind", "count"),
    [
        ("auto", ["mura"], "real", 0),
        ("auto", ["fracatlas"], "real", 16),
        ("auto", ["fracatlas", "mura"], "real", 0),
        ("auto", ["hip"], "real", 0),
        ("auto", ["mura"], "phantom", 16),
        ("5", ["fracatlas"], "real", 5),
        ("5", ["mura"], "phantom", 5),
        ("0", ["mura"], "real", 0),
    ],
)
def test_images_are_shown_where_the_terms_allow_it(images: str, names: list[str], kind: str, count: int) -> None:
    assert images_shown(asked(images), {name: CARDS[name] for name in names}, kind) == count


def test_an_open_set_of_unstated_licence_or_private_ids_is_not_shown_unasked() -> None:
    card: Card = replace(CARDS["hip"], gated=False)
    for held in (card, replace(card, private=False), replace(card, licence="CC0")):
        assert images_shown(asked("auto"), {"hip": held}, "real") == 0
    assert images_shown(asked("auto"), {"hip": replace(card, private=False, licence="CC0")}, "real") == 16
    assert images_shown(asked("4"), {"hip": card}, "real") == 4, "the owner's own word"


def test_images_of_a_gated_set_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=r"images=16: .*'mura' may not be passed on \(licence: Stanford.*=auto"):
        check_images(asked("16"), CARDS, "real")
    (tmp_path / "MURA-v1.1" / "train").mkdir(parents=True)
    (tmp_path / "MURA-v1.1" / "train_image_paths.csv").write_text("")
    words = ("task=mura", "logger=wandb", "logger.wandb.images=2", f"data.root={tmp_path}", "backbone.pretrained=false")
    with pytest.raises(OsteonError, match=r"logger\.wandb\.images=2"):
        run(config(*words), tmp_path / "run", [])
    assert not (tmp_path / "run").exists()


BINARY = TaskFacts(classes=("whole", "broken"))
GRADES = TaskFacts(head="multiclass", classes=("a", "b", "c"))


def frame(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    count = len(table)
    return table.assign(image_id=[f"i{n}" for n in range(count)], unit_id=[f"u{n}" for n in range(count)], split="test")


def test_calls_and_worst_mistakes_by_hand() -> None:
    binary = frame(target=[1.0, 0.0, 1.0, np.nan, 0.0], probability=[0.05, 0.9, 0.3, 0.8, 0.3])
    called = tables.called(binary, BINARY, Threshold("youden", 0.3, "val", 5, 2))
    assert called["call"].tolist() == ["whole", "broken", "whole", "broken", "whole"], "strictly above"
    assert called["target"].tolist() == ["broken", "whole", "broken", None, "whole"]
    np.testing.assert_allclose(called["p_truth"], [0.05, 0.1, 0.3, np.nan, 0.7])
    assert pictures.mistakes(called, 2)["image_id"].tolist() == ["i0", "i1"]
    assert pictures.mistakes(called, 9)["image_id"].tolist() == ["i0", "i1", "i2"]
    assert pictures.caption(called.iloc[3]) == "i3 | true unlabelled | called broken | p 0.800 | test"
    grades = frame(target=[2.0, 1.0], probabilities=[np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.8, 0.1])])
    called = tables.called(grades, GRADES, None)
    assert called["call"].tolist() == ["b", "b"]
    np.testing.assert_allclose(called[["probability", "p_truth"]], [[0.5, 0.3], [0.8, 0.8]])
    assert pictures.mistakes(called, 9)["image_id"].tolist() == ["i0"]


def test_figures_of_several_classes_and_none_of_one_outcome() -> None:
    shares = [np.array([0.1, 0.5, 0.4]), np.array([0.1, 0.8, 0.1]), np.array([0.1, 0.2, 0.7])]
    made = units(frame(target=[2.0, 1.0, 2.0], probabilities=shares, group_id=list("abc")), GRADES)
    drawn = plots.plots("grade", made, GRADES, None, "phantom")
    assert set(drawn) == {"roc/grade", "precision_recall/grade", "confusion/grade", "scores/grade"}
    assert plots.plots("grade", made[made["target"] == 2], GRADES, None, "real") == {}


def test_rates_by_group_and_the_norm_before_clipping() -> None:
    assert rates([{"lr": 0.1}, {"lr": 0.1}]) == {"lr": 0.1}
    assert rates([{"lr": 0.1, "name": "heads"}, {"lr": 0.2}]) == {"lr/heads": 0.1, "lr/1": 0.2}
    module = torch.nn.Linear(2, 1)
    module.weight.grad, module.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    optimizer, said = torch.optim.SGD(module.parameters(), lr=0.5), []

    class Recorder:
        def log_metrics(self, metrics: dict[str, float], step: int) -> None:
            said.append((step, metrics))

    class Trainer:
        current_epoch, global_step = 3, 7

    watch = Curves(Recorder(), True)  # type: ignore[arg-type]
    watch.on_before_optimizer_step(Trainer(), module, optimizer)  # type: ignore[arg-type]
    module.weight.grad.zero_()
    watch.on_before_optimizer_step(Trainer(), module, optimizer)  # type: ignore[arg-type]
    watch.on_train_epoch_end(Trainer(), module)  # type: ignore[arg-type]
    assert said == [(7, {"epoch": 3.0, "lr": 0.5, "gradient/mean": 4.5, "gradient/max": 5.0})]
    assert curves(config(*SMALL), []) == []
