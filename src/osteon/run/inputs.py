"""What may be an input: no label in disguise, and no image whose mirroring would turn its label round."""

import re
from collections.abc import Mapping

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.manifest import Card, Target

# Ids, places and the split: of no new patient are they known, and a folder's name may be the label.
KEYS = frozenset(("image_id", "path", "patient_id", "study_id", "group_id", "split", "slot"))
SIDES = frozenset(("left", "right", "links", "rechts"))


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
        told = next((said for one in task.targets if (said := _side(one, targets[one]))), None)
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
    if _words(name) & (SIDES | {"laterality"}):
        return repr(name)
    named = [one for one in target.classes if _words(one) & SIDES]
    single = [one for one in target.classes if _words(one) & {"l", "r"}]
    both = {"l", "r"} <= {word for one in single for word in _words(one)}
    return f"{name!r}: class {(named or single)[0]!r}" if named or both else None


def _words(name: str) -> set[str]:
    """Return the words of a name, such as of `left_hip`, `leftHip` or `Hip (left)`."""
    return {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
