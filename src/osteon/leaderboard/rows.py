"""Recipes: replicate seeds of the same settings on the same images are one row, their scores a mean and a spread."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteon.config.neutral import PLACES, WATCHING, under
from osteon.leaderboard.trainings import Training
from osteon.scoring.settings import differing, drawn_otherwise

Key = tuple[str, str, str]
# Words of a command line that make no other recipe: where files lie, which replicate, what is shown.
_ELSEWHERE = (*PLACES, *WATCHING, "seed", "hydra", "data.fold", "resume", "bootstrap")

MOST = 3  # pairs of rows that look alike are told apart


@dataclass(frozen=True)
class Cell:
    """A score of a recipe.

    Attributes:
        value: the mean over its trainings; None where one of them has none.
        lo: lower bound of 95 %; of several trainings the mean of their bounds, which is never too short for the mean's:
            the spread of a mean is at most the mean of the spreads.
        hi: upper bound.
        sd: standard deviation over trainings, n - 1 below; None where there is one.
        n: units.
        n_positive: positive units or true boxes; None where that means nothing.
        n_clusters: patients.
        small: whether the sample is so small that the interval may be too short.
    """

    value: float | None
    lo: float | None = None
    hi: float | None = None
    sd: float | None = None
    n: int | None = None
    n_positive: int | None = None
    n_clusters: int | None = None
    small: bool = False


@dataclass(frozen=True)
class Row:
    """A recipe on one test set.

    Attributes:
        name: what tells it from the other rows.
        trainings: its seeds.
        cells: by metric, group and operating point ("" where it needs none).
        words: of its command line, (setting, value); empty where it has none.
    """

    name: str
    trainings: tuple[Training, ...]
    cells: Mapping[Key, Cell]
    words: tuple[tuple[str, str], ...] = ()

    @property
    def backbone(self) -> str:
        """As its runs say; empty where they do not."""
        return str(self.trainings[0].said.get("backbone") or "")

    @property
    def seeds(self) -> list[int]:
        """Those that are known, in order."""
        told = (training.said.get("seed") for training in self.trainings)
        return sorted(seed for seed in told if seed is not None)

    @property
    def source(self) -> str:
        """Return real or phantom, or both."""
        return "+".join(sorted({training.source for training in self.trainings}))


def rows_of(trainings: Sequence[Training]) -> tuple[list[Row], list[str]]:
    """Return a row a recipe, and what to say of trainings that were left out because their seed is there already."""
    recipes: dict[Any, dict[Any, Training]] = {}
    twice: list[str] = []
    for training in trainings:
        recipe = recipes.setdefault(_recipe(training), {})
        seed = training.said.get("seed")
        kept = recipe.setdefault(training.places if seed is None else seed, training)
        if kept is not training:
            twice.append(f"{training.places[0]}: seed {seed} of this recipe is there already ({kept.places[0]}).")
    made = [tuple(one.values()) for one in recipes.values()]
    return [row for beside in _beside(made) for row in _named(beside)], twice


def _beside(recipes: Sequence[tuple[Training, ...]]) -> Iterable[list[tuple[Training, ...]]]:
    """Return the recipes of each test set: a name tells a row from those that stand beside it."""
    found: dict[str, list[tuple[Training, ...]]] = {}
    for recipe in recipes:
        found.setdefault(recipe[0].units.digest, []).append(recipe)
    return found.values()


def _named(recipes: Sequence[tuple[Training, ...]]) -> list[Row]:
    words = [_words(recipe[0].places[0]) for recipe in recipes]
    names = _names(recipes, words)
    return [Row(name, some, cells(some), told) for name, some, told in zip(names, recipes, words, strict=True)]


def cells(trainings: Sequence[Training]) -> dict[Key, Cell]:
    """Return the scores of a recipe by metric, group and operating point."""
    found: dict[Key, list[dict[str, Any]]] = {}
    for training in trainings:
        for row in training.scores:
            found.setdefault((row["metric"], row["group"], row["operating_point"] or ""), []).append(row)
    return {key: _cell(rows) for key, rows in found.items() if len(rows) == len(trainings)}


def _cell(rows: Sequence[Mapping[str, Any]]) -> Cell:
    value, lo, hi = (_mean([row[name] for row in rows]) for name in ("value", "lo", "hi"))
    spread = statistics.stdev([row["value"] for row in rows]) if len(rows) > 1 and value is not None else None
    small = any("small sample" in row["note"] and "small sample" in row["note"].split("; ") for row in rows)
    first = rows[0]
    return Cell(value, lo, hi, spread, first["n"], first["n_positive"], first["n_clusters"], small)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def _recipe(training: Training) -> Any:
    said = training.said
    if said.get("settings") is None or said.get("cohort") is None:
        return training.places
    return (*(said.get(name) for name in ("backbone", "settings", "cohort", "folds")), training.units.digest)


def _names(recipes: Sequence[tuple[Training, ...]], words: Sequence[tuple[tuple[str, str], ...]]) -> list[str]:
    """Return what tells recipes apart: the backbone and the words of its command line that not all of them share."""
    told = [set(one) for one in words if one]  # an ensemble has no command line
    shared = set.intersection(*told) if told else set()
    names = []
    for recipe, mine in zip(recipes, words, strict=True):
        backbone = recipe[0].said.get("backbone")
        parts = [str(backbone), *(f"{key}={text}" for key, text in mine if (key, text) not in shared)]
        names.append(" ".join(parts) if backbone else recipe[0].name)
    return [_apart(name, recipe[0], names, recipes) for name, recipe in zip(names, recipes, strict=True)]


def _apart(name: str, mine: Training, names: Sequence[str], recipes: Sequence[tuple[Training, ...]]) -> str:
    """Return a name with its folder where others have it too, with the whole path where their folders have one name."""
    rivals = [recipe[0].name for other, recipe in zip(names, recipes, strict=True) if other == name]
    if len(rivals) == 1:
        return name
    end = mine.name if rivals.count(mine.name) == 1 else str(mine.places[0])
    return end if name == mine.name else f"{name} ({end})"


def look_alike(rows: Sequence[Row]) -> list[str]:
    """Say of the first rows with one command line what else tells them apart, such as another version of Osteon."""
    alike: dict[Any, list[Row]] = {}
    for row in rows:
        if row.words:
            alike.setdefault((row.backbone, row.words), []).append(row)
    pairs = [some[:2] for some in alike.values() if len(some) > 1][:MOST]
    told = [differing(one.trainings[0].places[0], other.trainings[0].places[0]) for one, other in pairs]
    return [
        f"{one.name} and {other.name} have one command line and differ in their settings{text}"
        for (one, other), text in zip(pairs, told, strict=True)
        if text
    ]


def drawn_apart(rows: Sequence[Row]) -> str:
    """Return how the phantoms of a row of a test set were drawn otherwise than those of the first; "" where alike."""
    places = [row.trainings[0].places[0] for row in rows if "phantom" in row.source]
    return next(filter(None, (drawn_otherwise(places[0], place) for place in places[1:])), "")


def _words(place: Path) -> tuple[tuple[str, str], ...]:
    """Return the settings of a command line that make the recipe, 1e-3 and 0.001 as one."""
    file = place / "overrides.txt"
    told = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    parts = (word.lstrip("+~").partition("=") for word in told if word)
    return tuple(sorted((key, _plain(text)) for key, _, text in parts if not _elsewhere(key)))


def _plain(text: str) -> str:
    """Return a value as it is written most plainly: false for False, 0.001 for 1e-3."""
    if text.casefold() in ("true", "false", "null"):
        return text.casefold()
    try:
        return f"{float(text):g}" if "_" not in text else text
    except ValueError:
        return text


def _elsewhere(key: str) -> bool:
    return key in ("task", "backbone", "backbone.name") or under(key, _ELSEWHERE)
