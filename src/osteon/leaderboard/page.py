"""The board as one HTML page: columns sort by a click; nothing is fetched, so that it can be sent by mail."""

from importlib.resources import files

from osteon.leaderboard.board import Board
from osteon.leaderboard.panels import panels


def to_page(board: Board) -> str:
    """Return a self-contained HTML page of a board."""
    from jinja2 import Environment, StrictUndefined

    template = files("osteon.leaderboard").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(board=board, panels=panels(board))
