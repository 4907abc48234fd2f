"""The board as a table for other programs: a row a recipe, then a row a published system."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from osteon.leaderboard.board import Block, Board, Ranking
from osteon.leaderboard.panel import of_a_group
from osteon.leaderboard.panels import groups_of, prevalence, size_of
from osteon.leaderboard.references import PublishedBlock, published
from osteon.leaderboard.rows import Cell


def to_table(board: Board) -> pd.DataFrame:
    """Return a row a recipe and one a published system; `block` says which stand together.

    A score has the columns `<metric>`, `<metric>_sd`, `<metric>_lo` and `<metric>_hi`; the one that ranks has them by
    group too, as `kappa_body_part=wrist`, beside `n_body_part=wrist` and `prevalence_body_part=wrist`.
    """
    ranking = board.ranking
    rows = [row for block in board.blocks for row in _of_block(block, ranking)]
    rows += [row for block in published(board) for row in _of_published(block, ranking)]
    return pd.DataFrame(rows)


def _of_block(block: Block, ranking: Ranking) -> Iterator[dict[str, Any]]:
    share = prevalence(block)
    keys = {group: ranking.key(ranking.metric, group) for group in groups_of(block, ranking.metric)}
    for place, row in enumerate(block.rows, 1):
        base = {
            "block": f"set {block.digest[:8]}",
            "rank": place,
            "best": place == 1 and block.best is not None and block.best.marked,
            "recipe": row.name,
            "backbone": row.backbone,
            "trainings": len(row.trainings),
            "seeds": " ".join(map(str, row.seeds)),
            "runs": " ".join(training.name for training in row.trainings),
            "source": row.source,
            "task": ranking.task,
            "dataset": block.datasets,
            "split": block.split_name,
            "n": block.first.n,
            "n_clusters": block.first.n_clusters,
            "prevalence": share,
            "operating_point": ranking.point,
            "ranked_by": ranking.metric,
        }
        scores = {name: row.cells.get(ranking.key(name)) for name in ranking.shown}
        by = {f"{of_a_group(ranking.metric, [group])}_{group}": row.cells.get(key) for group, key in keys.items()}
        yield base | _flat(scores | by) | _sizes(block, ranking.metric, [*keys])


def _sizes(block: Block, metric: str, groups: list[str]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for group in groups:
        found[f"n_{group}"], found[f"prevalence_{group}"] = size_of(block, metric, group)
    return found


def _of_published(block: PublishedBlock, ranking: Ranking) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(block.rows, 1):
        base = {
            "block": "published: " + (block.why or "same split"),
            "rank": place,
            "best": False,
            "recipe": row.system,
            "backbone": row.backbone,
            "source": "published",
            "task": ranking.task,
            "dataset": block.dataset,
            "split": block.split,
            "n": block.n,
            "ranked_by": ranking.metric,
            "pretrained": row.pretrained,
            "full_data": row.full_data,
            "citation": row.citation,
            "note": row.note,
        }
        yield base | _flat(
            {
                metric if group == "all" else f"{of_a_group(metric, [group])}_{group}": cell
                for (metric, group), cell in row.cells.items()
            }
        )


def _flat(scores: dict[str, Cell | None]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, cell in scores.items():
        if cell is not None:
            found |= {name: cell.value, f"{name}_sd": cell.sd, f"{name}_lo": cell.lo, f"{name}_hi": cell.hi}
    return found
