"""`data.folds=5` alone: every fold in a process of its own, then their out-of-fold predictions scored as one table."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.run.processes.spawn import PATIENCE, terminable
from osteon.run.resume import CONFIG, quoted
from osteon.run.unchanged import check_same, finished

SCORES = "scores.csv"


def cross_validate(config: Config, folder: Path, words: Sequence[str]) -> float:
    """Train the folds one after the other, skipping finished ones, and score them together.

    Leaves `fold0`, `fold1`, ... and `scores.csv` in `folder`; the same command with the same `hydra.run.dir` goes on
    where it was interrupted.

    Args:
        config: settings with `data.folds` and without `data.fold`.
        folder: holds the folds' run folders.
        words: the command line of this job, for the folds.

    Returns:
        The mean over the folds of the best validation score.

    Raises:
        OsteonError: a fold failed, or was trained with other settings before.
    """
    assert config.data.folds is not None
    places = [folder / f"fold{fold}" for fold in range(config.data.folds)]
    best = [_fold(config, place, fold, words) for fold, place in enumerate(places)]
    if config.test:
        _score(config, folder, places)
    else:
        told = ", ".join(f"{one:.4f}" for one in best)
        print(f"run: {folder}: best validation scores {told}; test=false: no fold has looked at its test images")
    return sum(best) / len(best)


def _fold(config: Config, place: Path, fold: int, words: Sequence[str]) -> float:
    """Return the best validation score of a fold, training it unless that is done."""
    begun = (place / CONFIG).is_file()
    if begun:
        check_same(place, config.model_copy(update={"data": config.data.model_copy(update={"fold": fold})}))
    if not (begun and finished(place, config.test)):
        print(f"osteon: fold {fold} of {config.data.folds}: {place}", flush=True)
        kept = [word for word in words if not word.startswith(("hydra.run.dir=", "resume="))]
        where = f"resume={quoted(str(place))}" if begun else f"hydra.run.dir={quoted(str(place))}"
        _run([sys.executable, "-m", "osteon.train", *kept, f"data.fold={fold}", where], place)
    return float((finished(place, config.test) or {})["training"]["best_monitor"])


def _run(command: Sequence[str], place: Path) -> None:
    with terminable():
        process = subprocess.Popen(command, start_new_session=True)
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(2 * PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if status:
        raise OsteonError(
            f"{place.name}: ended with exit status {status}; its own words stand above. Folds that are done stay: go "
            f"on with the same command and hydra.run.dir={place.parent}"
        )


def _score(config: Config, folder: Path, places: Sequence[Path]) -> None:
    from rich.console import Console

    from osteon.files import aside
    from osteon.scoring.folds import score_runs
    from osteon.scoring.show import show

    table = score_runs(places, replicates=config.bootstrap)
    show(table, Console())
    with aside(folder / SCORES) as draft:
        table.to_csv(draft, index=False)
    print(f"run: {folder} ({len(places)} folds, {SCORES})")
