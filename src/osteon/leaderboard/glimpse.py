"""What a predictions file says of itself and whom it is about, without reading all of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, read
from osteon.predictions.metadata import KEY, About, parse
from osteon.predictions.rules import SCORES
from osteon.scoring.comparison.matching import SAME
from osteon.scoring.macro import owners


@dataclass(frozen=True)
class Units:
    """The test units of a task.

    Attributes:
        digest: sha256 of the units, their targets and what their scores mean; equal where two runs can be compared.
        labelled: how many units have a target.
        datasets: where they come from, joined by "+".
    """

    digest: str
    labelled: int
    datasets: str


def about(file: Path) -> About:
    """Return what a run's predictions file says of its tasks and its run.

    Raises:
        OsteonError: it is not a readable parquet file, or lacks a fact.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        said = json.loads((pq.read_schema(file).metadata or {}).get(KEY.encode(), b"{}"))
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise OsteonError(f"{file}: not a readable parquet file ({fault}). Write it again with the run.") from fault
    return parse(said, str(file), whole=True)


def members(tasks: Mapping[str, TaskFacts], task: str) -> list[str]:
    """Return the tasks of a file that make up a task: itself, or the findings of a multilabel one; empty: none."""
    return [task] if task in tasks else owners(tasks).get(task, [])


def units_of_file(file: Path, tasks: Mapping[str, TaskFacts], names: Sequence[str]) -> Units:
    """Return the units of tasks in a run's file; a file that breaks a rule where this can be seen at once is refused.

    Raises:
        OsteonError: a column is missing, or an answer is empty or no finite number; names the file and the column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    answers = SCORES[tasks[names[0]].head]
    wanted = [*dict.fromkeys(("task", _key(tasks[names[0]]), "target", "dataset", *answers))]
    try:
        with pq.ParquetFile(file) as handle:
            held = [name for name in wanted if name in handle.schema_arrow.names]
            table = handle.read(columns=held, use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise OsteonError(f"{file}: not a readable parquet file ({fault}). Write it again with the run.") from fault
    if held != wanted:
        read(file, guess=False)  # says which column is missing
    table = table.filter(pa.compute.is_in(table["task"], pa.array(names)))
    if not all(_sound(table[name], name) for name in answers if name != "truth"):
        read(file, guess=False)  # says which rows are at fault
    return units_of_table(table, tasks, names)


def units_of_table(table: Any, tasks: Mapping[str, TaskFacts], names: Sequence[str]) -> Units:
    """Return the units of a pyarrow table of image predictions of the test, with task, unit_id, image_id and target."""
    facts = tasks[names[0]]
    kept = table.select(["task", _key(facts), "target"])
    pooled = kept.group_by(["task", _key(facts)], use_threads=False).aggregate([("target", "max")])
    pooled = pooled.sort_by([("task", "ascending"), (_key(facts), "ascending")])
    told = [pooled[name].to_pylist() for name in ("task", _key(facts), "target_max")]
    meaning = {name: asdict(facts)[name] for name in SAME}
    digest = hashlib.sha256(json.dumps([meaning, *told], default=str).encode()).hexdigest()
    units = {unit for unit, target in zip(told[1], told[2], strict=True) if target is not None}
    return Units(digest, len(units), "+".join(sorted(set(table["dataset"].to_pylist()))))


def _key(facts: TaskFacts) -> str:
    # Boxes are scored image by image.
    return "image_id" if facts.head == "detection" else "unit_id"


def _sound(column: Any, name: str) -> bool:
    """Return whether every answer is a finite number, and every probability one from 0 to 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = column
    while not flat.null_count and (pa.types.is_list(flat.type) or pa.types.is_large_list(flat.type)):
        flat = pc.list_flatten(flat)
    if flat.null_count or not pa.types.is_floating(flat.type):
        return False
    if not len(flat):
        return True
    edges = pc.min_max(flat).as_py()
    finite = pc.all(pc.is_finite(flat)).as_py()
    return bool(finite and (not name.startswith("probabilit") or (edges["min"] >= 0 and edges["max"] <= 1)))
