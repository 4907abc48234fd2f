"""Published systems as panels: a table a split, beside ours only where it is of the same units."""

from collections.abc import Iterator

from osteon.leaderboard.board import Ranking
from osteon.leaderboard.panel import Column, Entry, Panel, by_group
from osteon.leaderboard.references import PublishedBlock
from osteon.leaderboard.rows import Cell
from osteon.scoring.comparison.words import named, signed


def of_published(block: PublishedBlock, ranking: Ranking, digits: dict[str, int]) -> Panel:
    """Return the panel of published systems on one split; a difference only where ours is of the same units."""
    metrics = dict.fromkeys((ranking.metric, *(key[0] for row in block.rows for key in row.cells)))
    shown = [name for name in metrics if any((name, "all") in row.cells for row in block.rows)]
    scored = dict.fromkeys(key for row in block.rows for key in row.cells)
    groups = [group for metric, group in scored if metric == ranking.metric and group != "all"]
    columns = [Column("system", "name"), *(Column(named(name), "score") for name in shown)]
    ours = _ours(block, ranking)
    columns += [Column("difference", "score")] if ours is not None else []
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
    title = " · ".join(dict.fromkeys(["PUBLISHED", ranking.task, block.dataset, block.split, size]))
    return Panel(
        title,
        [*_why(block), *_trained(block), *_sources(block)],
        columns,
        rows,
        by_group=by_group(ranking.metric, groups),
    )


def _ours(block: PublishedBlock, ranking: Ranking) -> float | None:
    cell = block.beside.rows[0].cells.get(ranking.key(ranking.metric)) if block.beside is not None else None
    return cell.value if cell is not None else None


def _why(block: PublishedBlock) -> Iterator[str]:
    if block.beside is None:
        yield f"{block.why}; no difference is computed"
    else:
        yield "published on the same split; difference: row 1 above minus it, untested, as no predictions are published"


def _trained(block: PublishedBlock) -> Iterator[str]:
    """Say what all systems had to learn from, where it is stated of each."""
    words = {"pretrained": "from pretrained weights", "full_data": "on the full set"}
    had = [text for name, text in words.items() if all(getattr(row, name) == "yes" for row in block.rows)]
    if had:
        yield f"trained {', '.join(had)}"


def _sources(block: PublishedBlock) -> Iterator[str]:
    yield "empty: not stated; sources: " + "; ".join(dict.fromkeys(row.citation for row in block.rows))


def _plain(cell: Cell | None, decimals: int) -> Entry:
    """Return a published figure as it was published, without zeros that nobody measured."""
    if cell is None or cell.value is None:
        return Entry("")
    bounds = "" if cell.lo is None or cell.hi is None else f" [{cell.lo:g}, {cell.hi:g}]"
    return Entry(f"{cell.value:g}{bounds}", cell.value)
