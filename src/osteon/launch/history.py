"""What a search has found, for people: a table of trials, plots, and the command line of the best."""

import json
import shlex
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from osteon.files import aside, write_text
from osteon.launch.setting import Setting
from osteon.launch.space import words
from osteon.launch.study import CONTINUES, REPLACED, Trials
from osteon.launch.trials import Drawn, Objective, folder_of

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SHOWN = 10  # trials in the table
WORDS = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "at work", "WAITING": "in line"}


def write_trials(folder: Path, trials: Trials) -> None:
    """Write `trials.csv`: a row a trial, as the storage tells it."""
    import csv
    import io

    keys = list(trials.space)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", "state", "value", *keys, "seconds", "continues", "reason"])
    for trial in trials.study.get_trials(deepcopy=False):
        told = [trial.params.get(key, "") for key in keys]
        seconds = "" if trial.duration is None else round(trial.duration.total_seconds(), 1)
        more = [trial.user_attrs.get(CONTINUES, ""), trial.user_attrs.get("reason", "")]
        # Replaced: by the trial that continues it.
        state = "replaced" if trial.user_attrs.get(REPLACED) else WORDS[trial.state.name]
        rows.writerow([trial.number, state, value_of(trial), *told, seconds, *more])
    write_text(folder / "trials.csv", text.getvalue())


def value_of(trial: "FrozenTrial") -> Any:
    """Return the score of a trial; of a pruned one its last report, empty where it has none."""
    return "" if trial.value is None else trial.value


def show_trials(folder: Path, trials: Trials, objective: Objective) -> None:
    """Print the best trials."""
    done = trials.finished()
    ended = [trial for trial in done if trial.state.name == "COMPLETE" and trial.value is not None]
    ended.sort(key=lambda trial: trial.value or 0.0, reverse=objective.direction == "maximize")
    counts = [
        f"{sum(trial.state.name == name for trial in done)} {WORDS[name]}" for name in ("COMPLETE", "PRUNED", "FAIL")
    ]
    table = Table(title=f"{folder}: {', '.join(counts)}; the best {min(SHOWN, len(ended))}", title_justify="left")
    for heading in ("trial", objective.name, *trials.space):
        table.add_column(heading, overflow="fold")
    for trial in ended[:SHOWN]:
        told = [_short(trial.params[key]) for key in trials.space]
        table.add_row(str(trial.number), f"{trial.value:.4f}", *told)
    Console().print(table)


def plot(folder: Path, study: "Study", name: str) -> None:
    """Draw `history.png` (value of every trial) and `importance.png` (fANOVA: what share each setting explains)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization import matplotlib as drawing

    with warnings.catch_warnings(), pyplot.style.context("default"):
        warnings.simplefilter("ignore")
        axes = {"history": drawing.plot_optimization_history(study, target_name=name)}
        try:
            axes["importance"] = drawing.plot_param_importances(study, target_name=name)
        except (ValueError, RuntimeError, ZeroDivisionError) as fault:  # fewer than two trials, or all alike
            print(f"no importance of settings: {fault}")
        for stem, one in axes.items():
            figure: Any = one.figure
            with aside(folder / f"{stem}.png") as draft:
                figure.savefig(draft, format="png", dpi=120, bbox_inches="tight")
            pyplot.close(figure)


def show_best(setting: Setting, drawn: Drawn, best: "FrozenTrial", fixed: Sequence[str]) -> None:
    """Print the best trial, its command line, its test scores if there are any, and how often test was looked at."""
    objective = drawn.objective
    over = f", mean over {len(drawn.replicates)} runs" if len(drawn.replicates) > 1 else ""
    print(f"best trial {best.number}: {objective.name} {best.value:.4f}{over}")
    for _, more in drawn.replicates:
        command = ["python", "train.py", *setting.options, *fixed, *words(best.params), *more]
        print(f"  {shlex.join(command)}")
    folder = folder_of(setting, best.number)
    for name, _ in drawn.replicates:
        for line in tested(folder / name, objective.watched):
            print(f"  {line}")
    file = setting.folder / "tested.json"
    looks = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    if len(looks) > 1:
        numbers = ", ".join(f"{one['trial']} (of {one['trials']})" for one in looks)
        print(f"test was predicted for {len(looks)} trials: {numbers}. Report the one that your protocol named before.")


def tested(folder: Path, watched: Collection[tuple[str, str]]) -> list[str]:
    """Return a run's scores of tasks and metrics on test, with intervals; none where test was not predicted."""
    file = folder / "result.json"
    if not (folder / "predictions" / "test.parquet").is_file() or not file.is_file():
        return []
    said = json.loads(file.read_text(encoding="utf-8"))
    rows = [row for row in said["scores"] if row["split"] == "test" and row["group"] == "all"]
    lines = [_line(row) for row in rows if (row["task"], row["metric"]) in watched]
    return [*lines, f"all scores: osteon score {folder}"]


def _line(row: Mapping[str, Any]) -> str:
    point = f" ({row['operating_point']})" if row["operating_point"] else ""
    bounds = "" if row["lo"] is None else f" [{row['lo']:.3f}, {row['hi']:.3f}]"
    value = "undefined" if row["value"] is None else f"{row['value']:.3f}"
    return f"test {row['task']} {row['metric']}{point} {value}{bounds}, n {row['n']}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
