"""`osteon data check`: counts, rejected files, labels, leaks; and whether all is well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from osteon.errors import OsteonError
from osteon.images import Cache
from osteon.manifest import Target, validate
from osteon.phantoms.stamp import is_phantom
from osteon.run.clip_boxes import clip_boxes
from osteon.run.survey.chosen import Chosen
from osteon.run.survey.counts import counted, labels
from osteon.run.survey.leaks import SHOWN, Finding, leaks

COMPLETE = "the complete release has"  # a note on the number of images, which the counts tell better
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Checked:
    """The state of a dataset.

    Attributes:
        counts: `what`, `found`, `expected` (null where the release states none).
        labels: one row a target, one column a split that the owners made, else `all`.
        rejected: `image_id`, `path`, `reason`: rows of the adapter, then images that cannot be read.
        findings: what is wrong, then what is worth a look.
    """

    counts: pd.DataFrame
    labels: pd.DataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> bool:
        """Whether anything makes scores wrong or is missing."""
        return any(finding.wrong for finding in self.findings)


def check(chosen: Chosen, cache: Cache, subset: bool = False) -> Checked:
    """Judge a dataset.

    Args:
        chosen: its rows.
        cache: its pictures.
        subset: that it is not the complete release is known; its counts are not judged.
    """
    rows, card = chosen.reading.rows, chosen.card
    rejected = pd.concat([chosen.reading.rejected, cache.rejected], ignore_index=True)
    counts = _counts(chosen)
    judged = not subset and not is_phantom(chosen.root)
    findings = [
        *_short(counts, judged),
        *_unusable(rejected),
        *_invalid(rows, card.targets),
        *_beyond_the_image(rows, cache, card.targets),
        *leaks(rows, cache, card.targets),
        *(Finding(False, note) for note in chosen.reading.notes if COMPLETE not in note),
    ]
    return Checked(counts, _labels(chosen), rejected, tuple(sorted(findings, key=lambda found: not found.wrong)))


def _counts(chosen: Chosen) -> pd.DataFrame:
    rows, lost, card = chosen.reading.rows, len(chosen.reading.rejected), chosen.card
    keys = dict.fromkeys(["images", *card.expected, *(["patients"] if card.patient_ids else [])])
    found = [(key, counted(rows, lost, key, card), card.expected.get(key)) for key in keys]
    return pd.DataFrame(found, columns=["what", "found", "expected"]).astype({"found": "Int64", "expected": "Int64"})


def _short(counts: pd.DataFrame, judged: bool) -> Iterator[Finding]:
    off = counts[(counts["found"] != counts["expected"]).fillna(False)]
    if len(off):
        shown = ", ".join(f"{row.what} {row.found:,} of {row.expected:,}" for row in off.itertuples())
        yield Finding(judged, f"not the complete release: {shown}" + (" (--subset if that is meant)" if judged else ""))


def _unusable(rejected: pd.DataFrame) -> Iterator[Finding]:
    # What stands after a colon differs from file to file: `truncated: 20 bytes not processed`.
    for reason, of in rejected.groupby(rejected["reason"].map(lambda said: said.partition(": ")[0]), sort=False):
        first = ", ".join(map(str, of["path"].head(SHOWN)))
        yield Finding(True, f"rejected, {reason}: {len(of):,}: {first}{' ...' if len(of) > SHOWN else ''}")


def _invalid(rows: pd.DataFrame, targets: Mapping[str, Target]) -> Iterator[Finding]:
    try:
        validate(rows, targets)
    except OsteonError as fault:
        yield from (Finding(True, line) for line in str(fault).splitlines())


def _beyond_the_image(rows: pd.DataFrame, cache: Cache, targets: Mapping[str, Target]) -> Iterator[Finding]:
    """Tell of boxes as a run will clip or drop them."""
    columns = [name for name, target in targets.items() if target.kind == "boxes"]
    known = cache.slots >= 0
    _, cut, lost = clip_boxes(rows[known].assign(slot=cache.slots[known]), cache.index, columns)
    yield from (Finding(True, note) for note in lost)
    yield from (Finding(False, note) for note in cut)


def _labels(chosen: Chosen) -> pd.DataFrame:
    rows, targets = chosen.reading.rows, chosen.card.targets
    split = rows["split"].fillna("train") if rows["split"].notna().any() else pd.Series("all", index=rows.index)
    parts = {name: rows[split == name] for name in (*PARTS, "all") if (split == name).any()}
    held = {name: [f"{len(part):,}", *(labels(part, t, about) for t, about in targets.items())]
            for name, part in parts.items()}  # fmt: skip
    return pd.DataFrame(held, index=["images", *targets])


def show_checked(chosen: Chosen, checked: Checked, console: Console) -> None:
    """Print the state of a dataset: what it is, counts, labels, findings, and the verdict."""
    card = chosen.card
    stamp = " (drawn PHANTOM images)" if is_phantom(chosen.root) else ""
    console.print(f"[bold]{escape(card.name)}[/]: {escape(card.title)}{stamp}")
    console.print(f"licence: {escape(card.licence)}\ncitation: {escape(card.citation)}", highlight=False)
    counts = Table(title="counts", title_justify="left")
    for name in ("what", "found", "complete release"):
        counts.add_column(name, justify="left" if name == "what" else "right")
    for what, found, expected in checked.counts.itertuples(index=False, name=None):
        off = pd.notna(expected) and found != expected
        counts.add_row(str(what), _number(found), _number(expected), style="yellow" if off else "")
    console.print(counts)
    table = Table(title="labels", title_justify="left")
    table.add_column("target")
    for name in map(str, checked.labels):
        official = chosen.reading.split_names.get(name, name)
        table.add_column(name if official == name else f"{name} ({official})")
    for target, cells in checked.labels.iterrows():
        table.add_row(str(target), *map(escape, cells))
    console.print(table)
    for finding in checked.findings:
        said = "WRONG" if finding.wrong else "note"
        console.print(f"{said}: {finding.text}", style="red" if finding.wrong else "yellow", markup=False)
    wrong = sum(finding.wrong for finding in checked.findings)
    console.print(f"{wrong} thing(s) wrong" if wrong else "nothing wrong was found")


def _number(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:,}"
