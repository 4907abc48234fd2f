"""What the simulations of coverage share: who was missed on which side, and the table of it."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TAIL = ("method", "coverage", "truth <", "truth >", "median width")
SIDES = "truth < interval and truth > interval are the shares missed on either side"
Row = tuple[str, str, float, float, float, float]  # metric, method, truth, value, low, high


def summary(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one row a metric and method: truth, mean value, shares missed below and above, median width."""
    frame = pd.DataFrame(rows, columns=["metric", "method", "truth", "value", "low", "high"])
    frame["below"], frame["above"] = frame["truth"] < frame["low"], frame["truth"] > frame["high"]
    frame["width"] = frame["high"] - frame["low"]
    found = frame.groupby(["metric", "method"], sort=False).agg(
        truth=("truth", "first"), mean=("value", "mean"), below=("below", "mean"), above=("above", "mean"),
        width=("width", "median"),
    )  # fmt: skip
    return found.reset_index()


def setting(args: argparse.Namespace, units: str, correlation: float = 0.5, digits: int = 1) -> str:
    """Say how many simulations and replicates stand behind a row."""
    error = np.sqrt(0.0475 / args.sims)
    return (
        f"{args.sims} simulations a row (standard error of a coverage of 95 %: {error:.{digits}%}), {args.replicates} "
        f"replicates, 1-{getattr(args, units)} {units} a patient, correlation {correlation} within one."
    )


def report(title: str, said: Sequence[str], result: pd.DataFrame, by: Sequence[str], columns: dict[str, str]) -> str:
    """Return Markdown with a table a group of `by`; `columns` is heading -> format of a row, before the shared ones."""
    lines = [f"# {title}", "", f"`{command()}`", "", *said]
    marks = ["---:"] * len(columns) + ["---", *["---:"] * 4]
    for name, part in result.groupby(list(by), sort=False):
        lines += ["", f"## {': '.join(name)}", "", f"| {' | '.join((*columns, *TAIL))} |", f"| {' | '.join(marks)} |"]
        for row in part.itertuples():
            own = " | ".join(form.format(row=row) for form in columns.values())
            missed = f"{1 - row.below - row.above:.1%} | {row.below:.1%} | {row.above:.1%} | {row.width:.3f}"
            lines.append(f"| {own} | {row.method} | {missed} |")
    return "\n".join(lines) + "\n"


def command() -> str:
    """Return what was typed, from the project's root."""
    return f"python benchmarks/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}".strip()


def simulate(
    parser: argparse.ArgumentParser,
    conditions: Callable[[argparse.Namespace], Any],
    told: Callable[[pd.DataFrame, argparse.Namespace], str],
) -> None:
    """Read the command line, simulate each condition, print the report and write it where asked."""
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    parts = []
    for part in conditions(args):
        parts.append(part)
        print(part.to_string(), file=sys.stderr, flush=True)
    text = told(pd.concat(parts), args)
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")
