"""Which datasets a run needs, where each lies, and what its adapter reads there: real data or drawn phantoms."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from osteon import datasets, phantoms
from osteon.config import Config, Data, Task
from osteon.errors import OsteonError, nearest
from osteon.identity import Places
from osteon.manifest import Card, Reading, Target, complete, target_of, typed, validate
from osteon.manifest.schema import SPLITS
from osteon.phantoms.stamp import edition, is_phantom
from osteon.phantoms.switches import Switches
from osteon.run.alike import check_alike, shared_numbers
from osteon.run.hiding import Hidden, hide_private
from osteon.run.inputs import check_inputs
from osteon.run.variants import Variants, joined_card, joined_reading, variants


@dataclass(frozen=True)
class Sources:
    """The datasets of a run.

    Attributes:
        kind: `real` or `phantom`; a run is never both.
        roots: dataset -> its folder; empty for phantoms that are not drawn yet.
        cards: dataset -> what it says of itself.
        specs: dataset -> its settings, in every way that a task gives them.
        hidden: what hashes of private sets stand for; empty until `read`.
    """

    kind: str
    roots: dict[str, Path]
    cards: dict[str, Card]
    specs: Variants
    hidden: Hidden = field(default_factory=Hidden)

    @property
    def places(self) -> Places:
        """What must not be written as it was typed; empty where no set is private."""
        return self.hidden.places

    def target(self, name: str, task: Task) -> Target:
        """Return the target that the task of that name asks for.

        Raises:
            OsteonError: it lists several, and one of them is not binary.
        """
        return target_of(task.target, self.cards[task.dataset.name].targets, f"tasks.{name}.target")

    def split_names(self, task: Task) -> dict[str, str]:
        """Return what the owners of a task's data call the splits; of several datasets all names are joined."""
        names = [self.cards[one].split_names for one in task.dataset_names]
        said = {split: " + ".join(dict.fromkeys(name.get(split, split) for name in names)) for split in SPLITS}
        return {split: name for split, name in said.items() if name != split}

    def divided_by(self, data: Data) -> "Sources":
        """Return the sources without the official names of splits that the run has chosen otherwise."""
        gone = ({"test"} if data.test_on.wanted else set()) | ({"train", "val"} if data.train_on.wanted else set())
        cards = {
            name: replace(
                card, split_names={split: said for split, said in card.split_names.items() if split not in gone}
            )
            for name, card in self.cards.items()
        }
        return replace(self, cards=cards)

    def targets(self) -> dict[str, Target]:
        """Return every target column that some dataset declares."""
        return {name: target for card in self.cards.values() for name, target in card.targets.items()}


def locate(config: Config) -> Sources:
    """Find the folder of every dataset that some task asks for.

    Raises:
        OsteonError: a root that is not there, a dataset that has neither root nor phantom, real mixed with phantom,
            a target that its dataset does not declare, an input that tells the label, or mirrored images of a task
            that asks for the side.
    """
    specs = variants(config.tasks)
    cards = {name: joined_card([datasets.card(spec) for spec in said]) for name, said in specs.items()}
    for name, task in config.tasks.items():
        check_alike(name, task, [cards[one] for one in task.dataset_names])
    check_inputs(config, cards)
    _check_roots(config, specs)
    real = {name: config.data.root is not None or bool(config.data.roots.get(name)) for name in specs}
    if len(set(real.values())) > 1:
        without = ", ".join(name for name, given in real.items() if not given)
        raise OsteonError(f"data.roots: real data and phantoms do not mix; give data.root or data.roots for {without}.")
    if not all(real.values()):
        for name in specs:
            _check_phantom(name)
        return Sources("phantom", {}, cards, specs)
    root = Path(config.data.root).expanduser().resolve() if config.data.root else None
    private = any(card.private for card in cards.values())
    roots = {name: datasets.find_root(root, card, config.data.roots, private) for name, card in cards.items()}
    drawn = {name for name, folder in roots.items() if is_phantom(folder)}
    if drawn and len(drawn) < len(roots):
        raise OsteonError(
            f"data.root: {', '.join(sorted(drawn))} lies there as drawn phantoms; they do not mix with real data."
        )
    return Sources("phantom" if drawn else "real", roots, cards, specs)


def read(sources: Sources, config: Config) -> tuple[Sources, Reading]:
    """Read every dataset, drawing its phantom first where there is no root; rows are typed and checked.

    Ids and paths of private sets are hashes in everything that is returned but `Sources.hidden`.

    Raises:
        OsteonError: a dataset is not as its adapter expects, or its rows break a rule of the manifest.
    """
    roots = sources.roots or {name: _draw(config, name) for name in sources.specs}
    found = {
        name: joined_reading([datasets.read(roots[name], spec) for spec in said], name)
        for name, said in sources.specs.items()
    }
    shared = shared_numbers(found)
    # Before anything is checked: what an error shows from here on are hashes.
    found, hidden = hide_private(found, sources.cards, roots, config, drawn=not sources.roots)
    readings = list(found.values())
    targets = sources.targets()
    rows = typed(complete(pd.concat([reading.rows for reading in readings], ignore_index=True)), targets)
    if rows["image_id"].duplicated().any() and len(readings) > 1:
        rows["image_id"] = rows["dataset"] + ":" + rows["image_id"]  # two datasets name files alike
    rejected = pd.concat([reading.rejected for reading in readings], ignore_index=True)
    # A phantom is never the complete release, and its oddities are drawn on purpose.
    told = (*(note for reading in readings for note in reading.notes), *shared)
    notes = told if sources.kind == "real" else ()
    cards = {
        name: replace(card, split_names=reading.split_names)
        for (name, card), reading in zip(sources.cards.items(), readings, strict=True)
    }
    located = Sources(sources.kind, roots, cards, sources.specs, hidden)
    return located, Reading(validate(rows, targets), rejected, notes)


def real_paths(sources: Sources, rows: pd.DataFrame) -> list[str]:
    """Return where the images of manifest rows lie, absolute; for opening them, never to be written anywhere.

    Args:
        sources: as `read` returned them.
        rows: rows with `dataset` and `path`, which is a hash where the dataset is private.
    """
    files = sources.hidden.files
    roots = {name: os.path.abspath(root) for name, root in sources.roots.items()}
    pairs = zip(rows["dataset"], rows["path"], strict=True)
    return [os.path.join(roots[of], files[of][path] if of in files else path) for of, path in pairs]


def _check_roots(config: Config, specs: Mapping[str, object]) -> None:
    """Refuse a root for a dataset that nobody knows: a typo there would train on phantoms."""
    known = {*specs, *phantoms.PHANTOMS, *datasets.ADAPTERS}
    for name in config.data.roots:
        if name not in known:
            raise OsteonError(
                f"data.roots.{name}: no task of this run uses a dataset of that name.{nearest(name, specs)} "
                f"It uses: {', '.join(specs)}"
            )


def _check_phantom(name: str) -> None:
    if name not in phantoms.PHANTOMS:
        raise OsteonError(
            f"data.root: the dataset {name!r} has no phantom (there are: {', '.join(phantoms.PHANTOMS)}). "
            "Give the folder that holds it: data.root=/path"
        )


def _draw(config: Config, name: str) -> Path:
    size = config.phantom
    folder = Path(config.data.cache_dir).expanduser() / "phantoms"
    switches = Switches(size.label_noise, size.missing, size.shortcut, size.hardware, size.cast)
    folder = folder / f"{name}-{size.patients}-{size.size}px-seed{size.seed}{switches.slug}-{edition()}"
    return phantoms.draw(name, folder, size.patients, size.seed, size.size, switches)
