"""The board as panels: a table a test set, then one a published split; what terminal, Markdown and page are made of."""

from collections.abc import Iterable, Iterator, Sequence

from osteon.leaderboard.board import Block, Board, Ranking
from osteon.leaderboard.panel import BEST, Column, Entry, Panel, by_group, text_of
from osteon.leaderboard.published_panels import of_published
from osteon.leaderboard.references import published
from osteon.leaderboard.rows import Cell, Key, Row
from osteon.leaderboard.trainings import FINDING
from osteon.scoring.comparison.words import named, p_is, plural, signed
from osteon.scoring.registry import IN_UNITS, METRICS

SMALL = "* small sample: intervals may be too short"
PHANTOM = "phantom: drawn images, not patients"


def panels(board: Board) -> list[Panel]:
    """Return the panels of a board, ours first."""
    digits = _digits(board)
    return [
        *(_of_block(block, board.ranking, digits) for block in board.blocks),
        *(of_published(block, board.ranking, digits) for block in published(board)),
    ]


def groups_of(block: Block, metric: str) -> list[str]:
    """Return the groups of the first column that a task is scored by, such as body_part=wrist, in their order."""
    training = block.rows[0].trainings[0]
    names = [FINDING] if training.facts.of == training.task else [*training.facts.groups]
    found = dict.fromkeys(key[1] for row in block.rows for key in row.cells if key[0] == metric)
    return [group for group in found if names and group.partition("=")[0] == names[0]]


def size_of(block: Block, metric: str, group: str) -> tuple[int | None, float | None]:
    """Return how many units a group has, and the share of positive ones; None where nobody says."""
    cell = block.rows[0].cells.get(("auroc", group, "")) or block.rows[0].cells.get(("macro_auroc", group, ""))
    if cell is None or not cell.n or cell.n_positive is None:
        held = next((cell for key, cell in block.rows[0].cells.items() if key[:2] == (metric, group)), None)
        return held.n if held else None, None
    return cell.n, cell.n_positive / cell.n


def _sizes(block: Block, metric: str, groups: Sequence[str]) -> str:
    """Return "n (positive): elbow 158 (41.8%), finger 175 (47.4%)"."""
    known = {group.partition("=")[2]: size_of(block, metric, group) for group in groups}
    said = [f"{name} {n:,}" + ("" if share is None else f" ({share:.1%})") for name, (n, share) in known.items() if n]
    shares = any(share is not None for _, share in known.values())
    return f"n{' (positive)' if shares else ''}: {', '.join(said)}" if said else ""


def _digits(board: Board) -> dict[str, int]:
    """Return how many decimals scores in a unit have, all alike: three figures of the largest."""
    found: dict[str, int] = {}
    for names in (IN_UNITS, ("mse", "class_mse")):
        cells = [row.cells.get((name, "all", "")) for block in board.blocks for row in block.rows for name in names]
        largest = max((abs(cell.value) for cell in cells if cell and cell.value is not None), default=0.0)
        found |= dict.fromkeys(names, 3 if largest < 1 else 2 if largest < 10 else 1)
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
    columns += [
        Column(group.partition("=")[2] + ("*" if _small(block, [ranking.key(ranking.metric, group)]) else ""), "group")
        for group in groups
    ]
    columns += [Column(name, "fact") for name in ("n", "positive", "backbone", "source", "runs")]
    rows, share = [], prevalence(block)
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
        rows.append([*entries, *_facts(row, block, share)])
    return Panel(
        _title(block, ranking),
        list(_captions(block, ranking, shown)),
        columns,
        rows,
        block.source == "phantom",
        by_group(ranking.metric, groups),
        _sizes(block, ranking.metric, groups),
    )


def _facts(row: Row, block: Block, share: float | None) -> list[Entry]:
    runs = ", ".join(training.name for training in row.trainings)
    return [
        Entry(f"{block.first.n:,}", block.first.n),
        Entry("" if share is None else f"{share:.1%}", share),
        Entry(row.backbone),
        Entry(row.source),
        Entry(runs),
    ]


def prevalence(block: Block) -> float | None:
    """Return the share of positive units, the same in all rows; None where the task has none."""
    cell = block.rows[0].cells.get(("auroc", "all", ""))
    return cell.n_positive / cell.n if cell and cell.n and cell.n_positive is not None else None


def _title(block: Block, ranking: Ranking) -> str:
    unit = block.rows[0].trainings[0].facts.unit
    share = prevalence(block)
    split = "test" if block.split_name == "test" else f"test ({block.split_name})"
    size = f"{plural(block.first.n or 0, unit)} of {plural(block.first.n_clusters or 0, 'patient')}"
    parts = [ranking.task, block.datasets, split, size, *([] if share is None else [f"{share:.1%} positive"])]
    stamp = "PHANTOM · " if block.source == "phantom" else ""
    return stamp + " · ".join([*dict.fromkeys(parts), f"set {block.digest[:8]}"])


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
    keys = [ranking.key(name) for name in shown]
    keys += [ranking.key(ranking.metric, group) for group in groups_of(block, ranking.metric)]
    if _small(block, keys):
        yield SMALL
    if block.source == "phantom":
        yield PHANTOM


def _small(block: Block, keys: Iterable[Key]) -> bool:
    """Tell whether an interval that is shown under one of these keys may be too short."""
    return any(cell.small for row in block.rows for key in keys if (cell := row.cells.get(key)))


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
    family = f" (Holm over {best.family} test sets)" if best.family > 1 else ""
    said = f"1 minus 2: {signed(best.difference, decimals)}{bounds}, paired, p {p_is(best.p)}{family}"
    if not best.marked:
        return f"no row is marked best; {said}"
    single = any(len(row.trainings) == 1 for row in block.rows[:2])
    whose = " (these trained models; one seed says little of a recipe)" if single else ""
    return f"{BEST}: better than the runner-up{whose}; {said}"


def _entry(cell: Cell | None, decimals: int) -> Entry:
    return Entry(text_of(cell, decimals), None if cell is None else cell.value)
