"""The board as panels: a table a test set, then one a published split; what terminal, Markdown and page are made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from osteon.leaderboard.board import Block, Board, Ranking
from osteon.leaderboard.references import PublishedBlock, published
from osteon.leaderboard.rows import Cell, Row
from osteon.scoring.comparison.words import chance, named, plural, signed
from osteon.scoring.registry import IN_UNITS, METRICS

SMALL = "* small sample: intervals may be too short"
PHANTOM = "phantom: drawn images, not patients"
BEST = "best"


@dataclass(frozen=True)
class Entry:
    """What stands in a table's cell: its text, and the number that it is sorted by (None: by its text)."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Column:
    """A column: its heading, and where it is shown.

    `part` is "name", "score" (beside it, everywhere), "group" (a table of its own on a terminal) or "fact" (on the page
    only: all rows of a block share it, or it is long).
    """

    heading: str
    part: str


@dataclass(frozen=True)
class Panel:
    """A table with its heading.

    Attributes:
        title: what the rows have in common.
        lead: the facts of the test set; empty for published rows.
        captions: what to know of the figures.
        columns: in their order.
        rows: an entry a column.
        stamped: whether the rows are of phantoms.
        by_group: heading of the table of groups; "" where there is none.
    """

    title: str
    captions: list[str]
    columns: list[Column]
    rows: list[list[Entry]]
    stamped: bool = False
    by_group: str = ""


def panels(board: Board) -> list[Panel]:
    """Return the panels of a board, ours first."""
    digits = _digits(board)
    return [
        *(_of_block(block, board.ranking, digits) for block in board.blocks),
        *(_of_published(block, board.ranking, digits) for block in published(board)),
    ]


def groups_of(block: Block, metric: str) -> list[str]:
    """Return the groups of the first column that a task is scored by, such as body_part=wrist, in their order."""
    names = block.rows[0].trainings[0].facts.groups
    found = dict.fromkeys(key[1] for row in block.rows for key in row.cells if key[0] == metric)
    return [group for group in found if names and group.partition("=")[0] == names[0]]


def text_of(cell: Cell | None, decimals: int = 3) -> str:
    """Return "0.705 (0.012) [0.60, 0.80]": the value, its sd over seeds, its interval; "n/a" where there is none."""
    if cell is None or cell.value is None:
        return "n/a"
    spread = "" if cell.sd is None else f" ({cell.sd:.{decimals}f})"
    bound = 2 if decimals == 3 else decimals
    bounds = "" if cell.lo is None or cell.hi is None else f" [{cell.lo:.{bound}f}, {cell.hi:.{bound}f}]"
    return f"{cell.value:.{decimals}f}{spread}{bounds}"


def _digits(board: Board) -> dict[str, int]:
    """Return how many decimals scores in a unit have: three figures of the largest."""
    found = {}
    for name in (*IN_UNITS, "mse", "class_mse"):
        values = [
            cell.value or 0.0
            for block in board.blocks
            for row in block.rows
            for key, cell in row.cells.items()
            if key[0] == name
        ]
        largest = max(map(abs, values), default=0.0)
        found[name] = 3 if largest < 1 else 2 if largest < 10 else 1
    return found


def _of_block(block: Block, ranking: Ranking, digits: dict[str, int]) -> Panel:
    shown = [name for name in ranking.shown if any(ranking.key(name) in row.cells for row in block.rows)]
    groups = groups_of(block, ranking.metric)
    columns = [
        Column("#", "name"),
        Column("recipe", "name"),
        Column("seeds", "score"),
        *(Column(named(name), "score") for name in shown),
    ]
    columns += [Column(group.partition("=")[2], "group") for group in groups]
    columns += [Column(name, "fact") for name in ("n", "positive", "backbone", "source", "runs")]
    rows = []
    for place, row in enumerate(block.rows, 1):
        cells = [row.cells.get(ranking.key(name)) for name in shown]
        marks = f" {BEST}" if place == 1 and block.best is not None and block.best.marked else ""
        entries = [
            Entry(f"{place}{marks}", place),
            Entry(row.name + ("*" if any(c and c.small for c in cells) else "")),
        ]
        entries.append(Entry(str(len(row.trainings)), len(row.trainings)))
        entries += [_entry(cell, digits.get(name, 3)) for name, cell in zip(shown, cells, strict=True)]
        by = [row.cells.get(ranking.key(ranking.metric, group)) for group in groups]
        entries += [_entry(cell, digits.get(ranking.metric, 3)) for cell in by]
        rows.append([*entries, *_facts(row, block)])
    column = groups[0].partition("=")[0].replace("_", " ") if groups else ""
    by_group = f"{named(ranking.metric)} by {column}" if groups else ""
    return Panel(
        _title(block, ranking),
        list(_captions(block, ranking, shown)),
        columns,
        rows,
        block.source == "phantom",
        by_group,
    )


def _facts(row: Row, block: Block) -> list[Entry]:
    share = prevalence(block)
    runs = ", ".join(training.name for training in row.trainings)
    return [
        Entry(f"{block.first.n:,}", block.first.n),
        Entry("" if share is None else f"{share:.1%}", share),
        Entry(row.backbone),
        Entry(row.source),
        Entry(runs),
    ]


def prevalence(block: Block) -> float | None:
    """Return the share of positive units; None where the task has none."""
    overall = [cell for row in block.rows for key, cell in row.cells.items() if key[:2] == ("auroc", "all")]
    first = overall[0] if overall else None
    return first.n_positive / first.n if first and first.n and first.n_positive is not None else None


def _title(block: Block, ranking: Ranking) -> str:
    unit = block.rows[0].trainings[0].facts.unit
    share = prevalence(block)
    split = "test" if block.split_name == "test" else f"test ({block.split_name})"
    size = f"{plural(block.first.n or 0, unit)} of {plural(block.first.n_clusters or 0, 'patient')}"
    parts = [ranking.task, block.datasets, split, size, *([] if share is None else [f"{share:.1%} positive"])]
    stamp = "PHANTOM · " if block.source == "phantom" else ""
    return stamp + " · ".join([*parts, f"set {block.digest[:8]}"])


def _captions(block: Block, ranking: Ranking, shown: list[str]) -> Iterator[str]:
    called = [named(name) for name in shown if name in METRICS and METRICS[name].needs_threshold]
    way = "highest" if ranking.higher else "lowest"
    unit = f" in {ranking.unit_name}" if ranking.metric in IN_UNITS and ranking.unit_name else ""
    yield f"ranked by {named(ranking.metric)}{unit}, {way} first" + (
        f"; {', '.join(called)} at the {ranking.point} threshold" if called and ranking.point else ""
    )
    if any(len(row.trainings) > 1 for row in block.rows):
        yield "several seeds: their mean, (sd over seeds), [mean of their bounds]"
    yield _claim(block, ranking)
    if any(cell.small for row in block.rows for cell in row.cells.values()):
        yield SMALL
    if block.source == "phantom":
        yield PHANTOM


def _claim(block: Block, ranking: Ranking) -> str:
    """Say whether the first row is better than the second, never more than the test shows."""
    best = block.best
    if best is None:
        return "one recipe: nothing to be best of"
    if best.p is None or best.difference is None:
        return f"no row is marked best: {best.why}"
    decimals = 3 if abs(best.difference) < 1 else 2
    bounds = (
        "" if best.lo is None or best.hi is None else f" [{signed(best.lo, decimals)}, {signed(best.hi, decimals)}]"
    )
    p = f"p = {chance(best.p)}".replace("= <", "< ")
    said = f"1 minus 2: {signed(best.difference, decimals)}{bounds}, paired, {p} (Holm over the test sets)"
    return f"{BEST}: better than the runner-up; {said}" if best.marked else f"no row is marked best; {said}"


def _entry(cell: Cell | None, decimals: int) -> Entry:
    return Entry(text_of(cell, decimals), None if cell is None else cell.value)


def _of_published(block: PublishedBlock, ranking: Ranking, digits: dict[str, int]) -> Panel:
    metrics = dict.fromkeys((ranking.metric, *(key[0] for row in block.rows for key in row.cells)))
    shown = [name for name in metrics if any((name, "all") in row.cells for row in block.rows)]
    groups = list(dict.fromkeys(key[1] for row in block.rows for key in row.cells if key[1] != "all"))
    columns = [Column("system", "name"), *(Column(named(name), "score") for name in shown)]
    ours = _ours(block, ranking)
    columns += [Column("ours - it", "score")] if ours is not None else []
    columns += [Column(group.partition("=")[2], "group") for group in groups]
    columns += [Column(name, "fact") for name in ("backbone", "pretrained", "all data", "source", "note")]
    rows = []
    for one in block.rows:
        cells = [one.cells.get((name, "all")) for name in shown]
        entries = [
            Entry(one.system),
            *(_plain(cell, digits.get(name, 3)) for name, cell in zip(shown, cells, strict=True)),
        ]
        if ours is not None:
            mine = one.cells.get((ranking.metric, "all"))
            gap = None if mine is None or mine.value is None else ours - mine.value
            entries.append(Entry("" if gap is None else signed(gap, digits.get(ranking.metric, 3)), gap))
        entries += [_plain(one.cells.get((ranking.metric, group)), 3) for group in groups]
        rows.append([*entries, *map(Entry, (one.backbone, one.pretrained, one.full_data, one.citation, one.note))])
    size = f"n = {block.n:,}" if block.n else "n not stated"
    title = " · ".join([f"PUBLISHED · {ranking.task}", block.dataset, block.split, size])
    by_group = f"{named(ranking.metric)} by {groups[0].partition('=')[0].replace('_', ' ')}" if groups else ""
    return Panel(title, [*_why(block), *_sources(block)], columns, rows, by_group=by_group)


def _ours(block: PublishedBlock, ranking: Ranking) -> float | None:
    cell = block.beside.rows[0].cells.get(ranking.key(ranking.metric)) if block.beside is not None else None
    return cell.value if cell is not None else None


def _why(block: PublishedBlock) -> Iterator[str]:
    if block.beside is None:
        yield f"{block.why}; no difference is computed"
    else:
        yield "published on the same split; ours is row 1 above. No predictions were published, so no test and no mark"


def _sources(block: PublishedBlock) -> Iterator[str]:
    yield "sources: " + "; ".join(dict.fromkeys(row.citation for row in block.rows))


def _plain(cell: Cell | None, decimals: int) -> Entry:
    """Return a published figure as it was published, without zeros that nobody measured."""
    if cell is None or cell.value is None:
        return Entry("")
    bounds = "" if cell.lo is None or cell.hi is None else f" [{cell.lo:g}, {cell.hi:g}]"
    return Entry(f"{cell.value:g}{bounds}", cell.value)
