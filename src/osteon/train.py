"""`python train.py ...`: Hydra composes, the config is checked, and only then is anything heavy imported."""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from osteon import launched
from osteon.compose import conf_dir, config_options, explain
from osteon.errors import OsteonError

# Mappings whose keys the user makes up: Hydra's struct check would refuse a new one, pydantic checks them all.
OPEN = re.compile(
    r"^(?![+~])(sweep\.space|data\.roots|backbone\.options|training\.imbalance_of|(.*\.)?(dataset|also\.\w+)\.(columns|targets)|tasks\.\w+\.where)\.[^=]+=|^sweep\.space="
)


# Options of Hydra that are followed by a value.
VALUED = ("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--package", "-p")


def main() -> None:
    """Run Hydra's main; a fault of the input ends in its message and exit status 2, without a traceback."""
    import hydra
    from omegaconf import OmegaConf

    launched.begin()
    try:
        sys.argv[1:] = arrange(_in_one_folder(_with_run(sys.argv[1:])))
    except OsteonError as fault:
        _stop(str(fault))
    os.environ["HYDRA_FULL_ERROR"] = "1"  # lets Hydra's errors reach us as exceptions
    OmegaConf.register_new_resolver("osteon.tasks", lambda *, _root_: "+".join(_root_.tasks), replace=True)
    OmegaConf.register_new_resolver("osteon.sweep", _sweep_name, replace=True)
    try:
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="train")(_train)()
    except KeyboardInterrupt as signal:
        _stop("terminated", 143) if signal.args else _stop("interrupted", 130)
    except OsteonError as fault:
        _stop(str(fault), fault.status)
    except Exception as fault:
        text = explain(fault, sys.argv[1:])
        if text is None and isinstance(fault, OSError):  # Hydra makes the run folder
            said = f"{fault.filename or 'hydra.run.dir'}: {fault.strerror or fault}"
            text = f"{said}. Name another folder: hydra.run.dir=<path>"
        if text is None:
            raise
        _stop(text)


def arrange(words: Sequence[str]) -> list[str]:
    """Return the command line as Hydra wants it: options first, new keys of open mappings marked as such."""
    options: list[str] = []
    overrides: list[str] = []
    awaited = False
    for word in words:
        is_option = awaited or word.startswith("-") or not ("=" in word or word.startswith("~"))
        (options if is_option else overrides).append(word)
        awaited = not awaited and word in VALUED
    return options + [f"++{word}" if OPEN.match(word) else word for word in overrides]


def _sweep_name(*, _root_: Any) -> str:
    """Return the folder of a sweep: the name it was given, else its tasks, `_search` behind those of a search."""
    return str(_root_.launch.name or "+".join(_root_.tasks) + ("_search" if "sweep" in _root_ else ""))


def _with_run(words: list[str]) -> list[str]:
    """Put the words of an interrupted run before those that are said now."""
    words = [word.lstrip("+") if word.lstrip("+").startswith("resume=") else word for word in words]
    if not any(word.startswith("resume=") and word != "resume=null" for word in words):
        return words
    from osteon.run.resume import continued

    return continued(words)


def _in_one_folder(words: list[str]) -> list[str]:
    """Name the run's folder where several processes were started from outside; else nothing more is imported."""
    if not {"TORCHELASTIC_RUN_ID", "SLURM_STEP_NUM_TASKS"} & set(os.environ):
        return words
    from osteon.run.processes.place import shared_folder

    return shared_folder(words)


def _train(composed: Any) -> float:
    """Train, and return the best validation score, for sweepers; faults of the input end here, in our words."""
    from hydra.core.hydra_config import HydraConfig

    from osteon.run.processes.place import place

    try:
        return _checked(composed)
    except KeyboardInterrupt:
        folder = Path(HydraConfig.get().runtime.output_dir).resolve()
        if (folder / "config.yaml").is_file() and place().first:
            print(f"osteon: go on with: python train.py resume={folder}", file=sys.stderr)
        raise
    except launched.Pruned as reason:
        print(f"osteon: {reason}")
        raise SystemExit(0) from None
    except (OsteonError, SystemExit) as fault:  # caught inside the job, or Hydra prints a line of its own before ours
        with suppress(OSError):
            Path(HydraConfig.get().runtime.output_dir).rmdir()  # only where nothing was written
        if isinstance(fault, SystemExit):  # a rank has said what is wrong
            raise
        _stop(str(fault))


def _checked(composed: Any) -> float:
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from osteon.config import check_launch, checked
    from osteon.run import check_names
    from osteon.run.processes.place import settle

    container = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(container, dict)
    said = {str(key): value for key, value in container.items()}
    check_launch(said)
    config = checked(said)
    check_names(config)
    about = HydraConfig.get()
    config = settle(config, _place(about))
    folder = Path(about.runtime.output_dir).resolve()
    done = _already(config, folder)
    if done is not None:
        return done
    _find_data(config)
    return _run(config, folder, [*config_options(sys.argv[1:]), *about.overrides.task])


def _run(config: Any, folder: Path, overrides: list[str]) -> float:
    """Train in this process, or start one for each device or fold and wait for them."""
    from osteon.run.processes.place import place

    if config.data.folds is not None and config.data.fold is None:
        from osteon.run.folds import cross_validate

        return cross_validate(config, folder, overrides)
    if config.trainer.processes > place().world:
        from osteon.run.processes.spawn import spawn
        from osteon.run.unchanged import finished

        spawn(config, folder, overrides)
        done = finished(folder, config.test)
        if done is None:  # pruned, as rank 0 has said
            raise SystemExit(0)
        return float(done["training"]["best_monitor"])
    from osteon.run.start import run

    return float(run(config, folder, overrides).facts["training"]["best_monitor"])


def _place(about: Any) -> Any:
    """Return this process' place among those of a run; a multirun is walked by one process."""
    from hydra.types import RunMode

    from osteon.run.processes.place import once, place

    return once() if about.mode == RunMode.MULTIRUN else place()


def _find_data(config: Any) -> None:
    """Find the data before anything heavy is imported."""
    from osteon.run.sources import locate

    try:
        locate(config)
    except OsteonError as fault:
        if config.resume is None:
            raise
        raise OsteonError(f"{fault} The run may go on with data that was moved: data.root=<its new place>") from fault


def _already(config: Any, folder: Path) -> float | None:
    """Return the score of a finished run that is resumed, after saying so; refuse one resumed with other settings."""
    if config.resume is None:
        return None
    from osteon.run.unchanged import check_same, finished

    if Path(config.resume).expanduser().resolve() != folder:
        raise OsteonError(f"resume: goes on in the run's own folder, and not with -m; found {folder}.")
    check_same(folder, config)
    result = finished(folder, config.test)
    if result is None:
        return None
    print(f"osteon: {folder} is finished, there is nothing to do. Its scores: osteon score {folder}")
    return float(result["training"]["best_monitor"])


def _stop(text: str, status: int = 2) -> NoReturn:
    print(f"osteon: {text}", file=sys.stderr)
    raise SystemExit(status) from None


if __name__ == "__main__":
    main()
