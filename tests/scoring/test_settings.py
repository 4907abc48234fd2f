"""Settings in which two runs differ are named, as their config.yaml tells them."""

import json
from pathlib import Path

from osteon.scoring.settings import differing

CONFIG = "seed: {seed}\noptimizer:\n  lr: {rate}\ndata:\n  root: /{seed}\n  fold: null\nlogger:\n  wandb: null\n"


def left(folder: Path, seed: int, rate: float, more: str = "", commit: str = "a" * 40) -> Path:
    """Leave what tells the settings of a run."""
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG.format(seed=seed, rate=rate) + more)
    (folder / "result.json").write_text(json.dumps({"osteon": "0.1.0", "git_commit": commit}))
    return folder


def test_what_makes_another_recipe_is_named_and_what_does_not_is_not(tmp_path: Path) -> None:
    one, other = left(tmp_path / "a", 0, 0.1), left(tmp_path / "b", 1, 0.2)
    assert differing(one, other) == ": optimizer.lr is 0.1 and 0.2"
    assert differing(one, left(tmp_path / "c", 2, 0.1)) == ""


def test_versions_are_named_with_the_settings_that_one_does_not_know(tmp_path: Path) -> None:
    one = left(tmp_path / "a", 0, 0.1)
    other = left(tmp_path / "b", 0, 0.1, "training: {norm: learned}\n", "b" * 40)
    assert differing(one, other) == (
        ': training.norm is not there and "learned"; written by Osteon 0.1.0 (aaaaaaa) and 0.1.0 (bbbbbbb)'
    )


def test_many_are_counted(tmp_path: Path) -> None:
    more = "".join(f"x{k}: {k}\n" for k in range(9))
    one, other = left(tmp_path / "a", 0, 0.1), left(tmp_path / "b", 0, 0.1, more)
    assert differing(one, other).endswith("x5 is not there and 5; 3 more")


def test_a_folder_without_settings_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    assert differing(left(tmp_path / "a", 0, 0.1), tmp_path / "b") == ""
