from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from tests.scoring.comparison.conftest import Judge, Make, altered, noisy
from typer.testing import CliRunner

from osteon.cli import app
from osteon.scoring.comparison import Comparison
from osteon.scoring.comparison.claims import better, claims
from osteon.scoring.comparison.show import show_comparison
from osteon.scoring.comparison.words import chance, plural, signed

Pair = tuple[Path, Path]


def printed(found: Comparison, width: int, asked: bool = False) -> str:
    text = StringIO()
    show_comparison(found, asked, Console(file=text, width=width))
    return text.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("asked", [False, True])
def test_the_terminals_tables(pair: Pair, judged: Judge, width: int, asked: bool) -> None:
    found = judged(*pair, metrics=["kappa"] if asked else [])
    text = printed(found, width, asked)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    row = found.table[(found.table["metric"] == "kappa") & (found.table["group"] == "all")].iloc[0]
    line = next(line for line in text.splitlines() if line.startswith("all" if asked else "kappa, protocol"))
    assert f"{row['a']:.3f}" in line
    assert f"[{row['lo']:+.3f}, {row['hi']:+.3f}]" in text
    assert f"A: {pair[0]}" in text.replace("\n", "")
    assert ("AUROC" in text) != asked
    assert "PHANTOM" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_phantoms_are_never_claimed_of_patients(pair: Pair, judged: Judge, width: int) -> None:
    for folder in pair:
        altered(folder, lambda frame: frame.assign(source="phantom"))
    altered(pair[1], noisy(5, 1.0))
    found = judged(*pair)
    said = claims(found)
    assert all(text.startswith("On phantoms") for text in said[:-2])
    assert "A is better" in said[0]
    assert said[-1] == "Phantoms are drawn images, not patients: nothing above is a claim about patients."
    assert "PHANTOM · mura" in printed(found, width)


def test_no_claim_says_so(run: Make, judged: Judge) -> None:
    said = claims(judged(run(0, folds=1), altered(run(0, folds=1), noisy(7, 0.03))))
    assert said[0].startswith("No difference in AUROC can be claimed: B's is ")
    assert "That does not show them equal." in said[0]
    assert not any("better" in text for text in said)


@pytest.mark.parametrize(
    ("metric", "difference", "side"),
    [("auroc", 0.1, "B"), ("auroc", -0.1, "A"), ("mae", 0.1, "A"), ("mae", -1, "B"), ("bias", 1, ""),
     ("recall_2", 0.1, "B"), ("within_6", -0.1, "A"), ("log_loss", -0.1, "B")],
)  # fmt: skip
def test_which_side_is_better(metric: str, difference: float, side: str) -> None:
    assert better(pd.Series({"metric": metric, "difference": difference})) == side


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "<0.001"), (0.0123, "0.012"), (0.0499, "0.0499"), (0.0501, "0.0501"), (0.05, "0.050"), (0.5, "0.50"),
     (1.0, "1.00"), (pd.NA, "n/a")],
)  # fmt: skip
def test_p_values_are_not_rounded_to_the_level(p: object, text: str) -> None:
    assert chance(p) == text


def test_small_words() -> None:
    assert (plural(1, "study"), plural(1200, "study"), plural(2, "image")) == ("1 study", "1,200 studies", "2 images")
    assert (signed(-0.0001, 3), signed(0.012, 3), signed(-1.25, 1)) == ("0.000", "+0.012", "-1.2")


def test_a_poor_terminal(pair: Pair, judged: Judge) -> None:
    raw = BytesIO()
    show_comparison(judged(*pair), console=Console(file=TextIOWrapper(raw, encoding="ascii"), width=100))


def test_the_command(pair: Pair, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.csv"
    words = ["compare", *map(str, pair), "--metric", "kappa", "--metric", "auroc", "--replicates", "100", "--csv", out]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out)
    assert set(table["metric"]) == {"auroc", "kappa"}
    assert "can be claimed" in done.output or "is better" in done.output
