"""A finished run prepared again: its settings and images as they were, for what can be made from them later."""

from pathlib import Path

from osteon.compose import composed, conf_dir
from osteon.config import Config, checked
from osteon.run.prepare import Prepared, prepare
from osteon.run.resume import CONFIG_DIR, continued
from osteon.run.sources import locate
from osteon.run.unchanged import check_same_data
from osteon.scoring.runs import Run

OURS = ("resume=", "hydra.")


def settings_of(folder: Path) -> Config:
    """Return the settings that a run was started with, private places mapped back.

    Raises:
        OsteonError: the folder holds no run, or the ledger does not know where its data lies.
    """
    said = continued([f"resume={folder}"])
    words = [word for word in said if not word.startswith((CONFIG_DIR, "--", *OURS))]
    places = [word.partition("=")[2] for word in said if word.startswith(CONFIG_DIR)]
    found = [f"hydra.searchpath=[{','.join(f'file://{place}' for place in places)}]"] if places else []
    return checked(composed(conf_dir(), "train", [*words, *found]))


def prepared_again(run: Run) -> tuple[Config, Prepared]:
    """Return the settings and the images of a finished run.

    Raises:
        OsteonError: its data is not there, or not what it was.
    """
    config = settings_of(run.folder)
    rows, columns = run.result["image_size"]
    prepared = prepare(config, locate(config), (int(rows), int(columns)))
    check_same_data(run.folder, prepared.manifest, prepared.cache.folder.name)
    return config, prepared
