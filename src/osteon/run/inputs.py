"""What may be an input: no label in disguise, and no image whose mirroring would turn its label round."""

import re
from collections.abc import Collection, Mapping

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.manifest import Card, Target

# Ids, places and the split: of no new patient are they known, and a folder's name may be the label.
KEYS = frozenset(("image_id", "path", "patient_id", "study_id", "group_id", "split", "slot"))
GERMAN = tuple(stem + ending for stem in ("linke", "rechte") for ending in ("", "r", "s", "n", "m"))
SIDES = frozenset(("left", "right", "links", "rechts", *GERMAN))
# Short words are sides only where a class of either side is there: L5 is a vertebra, R0 a margin.
OPPOSITE = {"l": "r", "r": "l", "lt": "rt", "rt": "lt", "li": "re", "re": "li"}


def check_inputs(config: Config, cards: Mapping[str, Card]) -> None:
    """Refuse inputs that tell the label, and mirroring where a label names a side.

    Args:
        config: the run's settings.
        cards: dataset -> what it says of itself; it has the targets that the tasks ask for.

    Raises:
        OsteonError: names the key, what was found and the way out.
    """
    for column in config.joined:
        _check_covariate(column, cards)
    mirroring = _mirroring(config)
    if not mirroring:
        return
    for name, task in config.tasks.items():
        targets = cards[task.dataset.name].targets
        pair = _paired({one: _words(one) for one in task.targets})
        told = next((said for one in task.targets if (said := _side(one, targets[one]))), repr(pair) if pair else None)
        if told:
            raise OsteonError(
                f"tasks.{name}.target: {told} names a side, and a mirrored image shows the other one under the same "
                f"label. Set {' '.join(mirroring)}."
            )


def _check_covariate(column: str, cards: Mapping[str, Card]) -> None:
    owner = next((name for name, card in cards.items() if column in card.targets), None)
    if owner is not None:
        raise OsteonError(
            f"covariates: {column!r} is a label of the dataset {owner!r}: who reads a new film does not have it. "
            "Leave it out; a finding that is known beforehand is no target: list it in the dataset's covariates alone."
        )
    if column in KEYS:
        raise OsteonError(
            f"covariates: {column!r} names an image or a patient, or where it lies, which may be the label itself. "
            "Leave it out."
        )


def _mirroring(config: Config) -> list[str]:
    """Return the settings that would stop images from being mirrored; none where nothing mirrors them."""
    settings = {
        "augment.horizontal_flip=0": config.augment.horizontal_flip > 0,
        "data.canonical_laterality=null": config.data.canonical_laterality is not None,
        "training.tta=[]": "flip" in config.training.tta,
    }
    return [setting for setting, at_work in settings.items() if at_work]


def _side(name: str, target: Target) -> str | None:
    """Return what of a target names a side: `is_left`, classes L and R; None where nothing does."""
    asked = _words(name)
    if {*map(_bare, asked)} & (SIDES | {"laterality"}) or asked[-1:] in (["side"], ["seite"]):
        return repr(name)
    words = {one: _words(one) for one in target.classes}
    named = next((one for one, said in words.items() if {*map(_bare, said)} & SIDES), None) or _paired(words)
    return f"{name!r}: class {named!r}" if named else None


def _paired(words: Mapping[str, Collection[str]]) -> str | None:
    """Return the first class of which one of the other side is there, as of L and R, or L2 and R2."""
    every = {word for said in words.values() for word in said}
    for one, said in words.items():
        if any(OPPOSITE[bare] + word.removeprefix(bare) in every for word in said if (bare := _bare(word)) in OPPOSITE):
            return one
    return None


def _words(name: str) -> list[str]:
    """Return the words of a name, each with its number, such as of `left_hip`, `leftHip`, `Hip (left)` or `L2`."""
    return [word.casefold() for word in re.findall(r"(?:[A-Z]?[a-z]+|[A-Z]+(?![a-z]))\d*", name)]


def _bare(word: str) -> str:
    return word.rstrip("0123456789")
