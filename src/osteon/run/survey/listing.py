"""`osteon data list`: the datasets that there are adapters and settings for."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from osteon import datasets
from osteon.manifest import Target
from osteon.run.survey.chosen import names, spec_of


def show_datasets(console: Console) -> None:
    """Print name, terms, counts of the complete release and targets of every dataset of `conf/dataset`."""
    table = Table(show_lines=True)
    for name in ("dataset", "licence and citation", "complete release", "targets"):
        table.add_column(name, overflow="fold")
    for name in names():
        card = datasets.card(spec_of(name))
        terms = "gated: no image is logged" if card.gated else "open"
        table.add_row(
            f"[bold]{escape(name)}[/]\n{escape(card.title)}",
            f"{escape(card.licence)} ({terms})\n{escape(card.citation)}",
            "\n".join(f"{what} {count:,}" for what, count in card.expected.items()) or "-",
            "\n".join(f"[bold]{escape(key)}[/] {_kind(target)}" for key, target in card.targets.items()) or "yours",
        )
    console.print(table)


def _kind(target: Target) -> str:
    """Return a target's kind; of boxes what they enclose, too."""
    return f"boxes of {escape(', '.join(target.classes)) or 'yours'}" if target.kind == "boxes" else target.kind
