"""Ablations: which variants there are, what is compared, what may be claimed; every file of ours composes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from sklearn.metrics import cohen_kappa_score

from osteon.compose import conf_dir
from osteon.config import Ablation, check_launch, checked
from osteon.launch.ablation import plain, variants
from osteon.launch.effects import as_grades, effects
from osteon.launch.setting import of_a_run
from osteon.launch.space import check_space, distribution, flat
from osteon.launch.writing import claims, write_results
from osteon.predictions import TaskFacts, write
from osteon.scoring.runs import load
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units

ABLATIONS = sorted(path.stem for path in (conf_dir() / "ablation").glob("*.yaml"))
SEARCHES = sorted(path.stem for path in (conf_dir() / "sweep").glob("*.yaml"))
FACTORS = {"size": {"small": ["a=1"], "large": ["a=2"]}, "aug": {"none": ["b=0"]}}


def composed(*words: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        found = OmegaConf.to_container(compose("train", list(words)), resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


class Composing:
    """A setting that composes without a process."""

    def composed(self, words: list[str]) -> Any:
        return checked(composed(*words))


def asked(**more: Any) -> Ablation:
    return Ablation(**({"question": "Which?", "base": [], "factors": FACTORS, "seeds": [0, 1]} | more))


def test_one_factor_at_a_time_and_all_combinations() -> None:
    assert variants(asked()) == {"base": (), "size: small": ("a=1",), "size: large": ("a=2",), "aug: none": ("b=0",)}
    whole = variants(asked(grid=True))
    assert len(whole) == 3 * 2
    assert whole["size: large, aug: none"] == ("a=2", "b=0")
    assert next(iter(whole)) == "base"


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_composes(name: str) -> None:
    said = composed(f"ablation={name}")
    ablation = check_launch(said).ablation
    assert ablation is not None
    assert said["launch"]["name"] == name
    assert "mode: MULTIRUN" in (conf_dir() / "ablation" / f"{name}.yaml").read_text()
    made = {}
    for variant, words in variants(ablation).items():
        config = checked(composed(*of_a_run([*ablation.base, *words])))
        made[variant] = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    assert len(set(made.values())) == len(made), "no variant is another one"


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_composes(name: str) -> None:
    said = composed(f"sweep={name}")
    search = check_launch(said).sweep
    assert search is not None
    assert "mode: MULTIRUN" in (conf_dir() / "sweep" / "optuna.yaml").read_text()
    space = {key: distribution(key, value) for key, value in flat(search.space).items()}
    check_space(Composing(), search.fixed, space)  # type: ignore[arg-type]


def test_an_ablation_takes_no_sweep_of_its_own() -> None:
    from osteon.errors import OsteonError

    assert plain(["a=1", "b=[1,2]"], None) == ["a=1", "b=[1,2]"]
    for word in ("a=1,2", "seed=3"):
        with pytest.raises(OsteonError, match="varies its own factors"):
            plain([word], None)


def run(folder: Path, seed: int, lift: float, settings: str, head: str = "binary", source: str = "real") -> Path:
    """Write a run of 120 patients whose answers are the better the higher `lift`."""
    told = np.random.default_rng(5)
    target = told.integers(0, 2 if head == "binary" else 5, 120).astype(float)
    rng = np.random.default_rng([seed, int(100 * lift)])
    facts = TaskFacts(
        head=head,
        unit="image",
        classes=() if head == "regression" else ("a", "b") if head == "binary" else tuple("01234"),
        low=0.0 if head == "regression" else None,
        high=4.0 if head == "regression" else None,
        cut=2 if head == "ordinal" else None,
    )
    about = {
        "name": folder.name,
        "fold": None,
        "folds": None,
        "seed": seed,
        "backbone": "x",
        "cohort": "c",
        "settings": settings,
    }
    for split in ("val", "test"):
        ids = [f"{split}{number}" for number in range(120)]
        frame = pd.DataFrame(
            {
                "task": "t",
                "split": split,
                "image_id": ids,
                "group_id": ids,
                "patient_id": ids,
                "study_id": ids,
                "unit_id": ids,
                "dataset": "d",
                "source": source,
                "target": target,
            }
        )
        noise = rng.normal(0, 1, 120)
        if head == "binary":
            frame["probability"] = 1 / (1 + np.exp(-(lift * (2 * target - 1) + noise)))
        if head == "regression":
            frame["value"] = np.clip(target + noise / lift, 0, 4)
        if head in ("ordinal", "multiclass"):
            logits = rng.normal(0, 1, (120, 5)) + lift * np.eye(5)[target.astype(int)]
            share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            frame["probabilities"] = list(share)
            if head == "ordinal":
                frame["value"] = share @ np.arange(5)
        write(folder / "predictions" / f"{split}.parquet", frame, {"t": facts}, about, {})
        if split == "val":
            freeze(folder / "thresholds.json", {"t": fit(units(frame, facts), facts)} if head == "binary" else {})
    (folder / "result.json").write_text(json.dumps({"source": source}))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    root = tmp_path_factory.mktemp("runs")
    lifts = {"base": 1.0, "worse": 0.3, "same": 1.01, "better": 2.5}
    return {name: [run(root / f"{name}{seed}", seed, lift, name) for seed in (0, 1, 2)] for name, lift in lifts.items()}


def test_effects_are_paired_differences_held_against_all(folders: dict[str, list[Path]]) -> None:
    found = effects(folders, "auroc", 400).set_index("variant")
    assert list(found.index) == list(folders)
    assert found.loc["worse", "difference"] == pytest.approx(found.loc["worse", "mean"] - found.loc["base", "mean"])
    assert (found["lo"].dropna() < found["difference"].dropna()).all()
    known = found["p"].dropna().sort_values()
    by_hand = (known * [3, 2, 1]).cummax().clip(upper=1)
    for name, value in by_hand.items():
        assert found.loc[name, "p_holm"] == pytest.approx(value)
    assert dict(found["better"]) == {"base": "", "worse": "base", "same": "", "better": "variant"}
    assert pd.isna(found.loc["base", "difference"])
    means = [load(folder) for folder in folders["worse"]]
    from sklearn.metrics import roc_auc_score

    by_seed = [
        roc_auc_score(*(one.predictions.frame.query("split == 'test'")[name] for name in ("target", "probability")))
        for one in means
    ]
    assert found.loc["worse", "mean"] == pytest.approx(np.mean(by_seed))
    assert found.loc["worse", "sd"] == pytest.approx(np.std(by_seed, ddof=1))


def test_claims_say_no_more_than_the_table(folders: dict[str, list[Path]], tmp_path: Path, capsys: Any) -> None:
    found = effects(folders, "auroc", 400)
    said = claims(asked(), "auroc", found, 3)
    assert said[0].startswith("'worse' is worse than base in AUROC: -0.")
    assert said[1].startswith("'better' is better than base in AUROC: +0.")
    assert said[2] == "No difference in AUROC to base can be claimed for 'same'. That does not show them equal."
    assert "after Holm over 3 variants" in said[0]
    assert "On 120 images of 120 patients" in said[3]
    write_results(tmp_path / "results", asked(), "auroc", found, 3)
    assert {file.name for file in (tmp_path / "results").iterdir()} == {
        "ablation.csv",
        "ablation.md",
        "forest.png",
        "forest.svg",
    }
    assert "'worse' is worse than base" in (tmp_path / "results" / "ablation.md").read_text()
    assert "PHANTOM" not in capsys.readouterr().out


def test_phantoms_are_stamped(tmp_path: Path, capsys: Any) -> None:
    two = {name: [run(tmp_path / name, 0, lift, name, source="phantom")] for name, lift in (("base", 1.0), ("b", 2.0))}
    write_results(tmp_path / "results", asked(), "auroc", effects(two, "auroc", 100), 1)
    assert "PHANTOM" in (tmp_path / "results" / "ablation.md").read_text()
    assert "nothing is said of recipes" in capsys.readouterr().out


def test_heads_are_compared_as_grades(tmp_path: Path) -> None:
    made = {
        head: [run(tmp_path / f"{head}{seed}", seed, 2.0, head, head) for seed in (0, 1)]
        for head in ("ordinal", "multiclass", "regression")
    }
    found = effects(made, "quadratic_kappa", 200).set_index("variant")
    for head, several in made.items():
        by_hand = []
        for folder in several:
            frame = load(folder).predictions.frame.query("split == 'test'")
            call = (
                np.rint(frame["value"])
                if head == "regression"
                else np.stack(frame["probabilities"].to_list()).argmax(1)
            )
            by_hand.append(cohen_kappa_score(frame["target"], call, weights="quadratic"))
        assert found.loc[head, "mean"] == pytest.approx(np.mean(by_hand)), head
    facts = load(made["ordinal"][0]).predictions.tasks["t"]
    assert as_grades(load(made["regression"][0]), facts).predictions.tasks["t"].head == "ordinal"
