"""Whether images of a run's datasets may be logged: never those of a gated set."""

from collections.abc import Mapping

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.manifest import Card

SHOWN = 16  # images of each kind where nothing stands against it
UNSTATED = "not stated"


def check_images(config: Config, cards: Mapping[str, Card], kind: str) -> None:
    """Refuse to log images of a set whose terms forbid passing them on; called before anything is read.

    Args:
        config: settings of the run.
        cards: dataset -> what it says of itself.
        kind: `real` or `phantom`; a phantom in the layout of a gated set is nobody's image.

    Raises:
        OsteonError: names the dataset, its licence and the ways out.
    """
    settings = config.logger.wandb
    if settings is None or settings.images in ("auto", 0) or kind == "phantom":
        return
    for name, card in cards.items():
        if card.gated:
            raise OsteonError(
                f"logger.wandb.images={settings.images}: images of the dataset {name!r} may not be passed on (licence: "
                f"{card.licence}). Use logger.wandb.images=auto, or 0; a set of your own says gated: false where its "
                "owners allow it."
            )


def images_shown(config: Config, cards: Mapping[str, Card], kind: str) -> int:
    """Return how many images of each kind are logged: what was asked for, or by `auto` what the licences allow.

    Raises:
        OsteonError: as `check_images`.
    """
    check_images(config, cards, kind)
    settings = config.logger.wandb
    if settings is None:
        return 0
    if settings.images != "auto":
        return settings.images
    return SHOWN if kind == "phantom" or all(_is_open(card) for card in cards.values()) else 0


def _is_open(card: Card) -> bool:
    return not card.gated and not card.private and card.licence != UNSTATED
