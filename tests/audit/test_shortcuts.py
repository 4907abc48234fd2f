"""A planted shortcut is flagged by the baseline that can see it, and clean films raise no such flag."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from osteon.audit import Audited, audit_run
from osteon.phantoms.switches import OFF, Switches
from osteon.scoring.runs import load
from tests.audit.made_run import films, leave, manifest_of, reader

# Drawing a set takes about three seconds: the first seed stands for all in the fast tests.
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3, 4))]


def audited(folder: Path) -> Audited:
    found = load(folder)
    return audit_run(folder, found.predictions, found.thresholds, replicates=400)


def verdicts(found: Audited) -> dict[str, str]:
    rows = found.table[found.table["kind"] == "baseline"]
    return dict(zip(rows["name"], rows["verdict"], strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tag_in_the_corner_is_seen_in_the_margin_alone(tmp_path: Path, seed: int) -> None:
    table, shown = films(tmp_path / "films", seed, Switches(shortcut=0.95))
    manifest = manifest_of(table.drop(columns="tag"))
    found = audited(leave(tmp_path / "run", manifest, reader(table["tag"].to_numpy(), seed), shown))
    assert verdicts(found)["margin"] == "shortcut"
    assert verdicts(found)["metadata"] != "shortcut"
    assert any("may read a marker" in text for text in found.warnings)


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_films_raise_no_flag(tmp_path: Path, seed: int) -> None:
    table, shown = films(tmp_path / "films", seed, OFF)
    found = audited(leave(tmp_path / "run", manifest_of(table), reader(table["fracture"].to_numpy(), seed, 0.3), shown))
    assert "shortcut" not in verdicts(found).values()
    assert not any("may" in text for text in found.warnings)


def people(seed: int = 0, count: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "path": "",
            "patient_id": [f"p{k:04d}" for k in range(count)],
            "study_id": "1",
            "fracture": rng.integers(0, 2, count),
            "sex": rng.choice(["F", "M"], count),
            "age_years": rng.uniform(20, 90, count),
        }
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("planted", ["site", "age_years", "cast", None])
def test_a_column_that_tells_the_label_is_flagged_and_others_are_not(
    tmp_path: Path, seed: int, planted: str | None
) -> None:
    table, rng = people(seed), np.random.default_rng(seed + 50)
    told = np.where(rng.random(len(table)) < 0.9, table["fracture"], 1 - table["fracture"])
    table["site"] = np.array(["north", "south"])[told if planted == "site" else rng.integers(0, 2, len(table))]
    table["cast"] = (told if planted == "cast" else rng.integers(0, 2, len(table))).astype(float)
    if planted == "age_years":
        table["age_years"] = 40 + 35 * told + rng.normal(0, 5, len(table))
    seen = told if planted else table["fracture"].to_numpy()
    found = verdicts(audited(leave(tmp_path / "run", manifest_of(table), reader(seen, seed, 0.4))))
    flagged = {"site": "metadata", "age_years": "metadata", "cast": "seen", None: ""}[planted]
    assert {name for name, verdict in found.items() if verdict == "shortcut"} == ({flagged} if flagged else set())


def test_the_size_of_the_film_is_looked_at(tmp_path: Path) -> None:
    table = people()
    rng = np.random.default_rng(0)
    height = np.where(table["fracture"] == 1, 512, 480) + rng.integers(0, 8, len(table))
    shown = pd.DataFrame({"height": height, "width": 400, "margin_0_0_mean": 10.0 + rng.normal(0, 1, len(table))})
    run = leave(tmp_path / "run", manifest_of(table), reader(table["fracture"].to_numpy(), 0), shown)
    found = verdicts(audited(run))
    assert found["size"] == "shortcut"
    assert found["margin"] == ""


def test_nothing_is_fitted_on_test(tmp_path: Path) -> None:
    table = people()
    table["site"] = np.array(["north", "south"])[table["fracture"]]
    manifest = manifest_of(table)
    turned = manifest.copy()
    turned.loc[turned["split"] == "test", "fracture"] = 1 - turned.loc[turned["split"] == "test", "fracture"]
    score = reader(table["fracture"].to_numpy(), 0)
    rows = [
        audited(leave(tmp_path / name, one, score)).table.query("kind == 'baseline'").iloc[0]
        for name, one in (("plain", manifest), ("turned", turned))
    ]
    assert rows[0]["value"] == pytest.approx(1 - rows[1]["value"]), "the same answers, told from other test labels"
