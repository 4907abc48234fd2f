"""W&B sweeps: their YAML files checked before a server is asked, and the agent that runs `train.py` on what it says."""

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PositiveInt, ValidationError

from osteon.compose import composed, conf_dir
from osteon.config import Config, checked
from osteon.config.monitors import MONITOR
from osteon.config.strict import Strict
from osteon.errors import OsteonError, nearest
from osteon.run import check_names

ARGUMENTS = "${args_no_hyphens}"  # key=value, as Hydra takes them; W&B's own ${args} are --key=value


class Metric(Strict):
    """What a sweep watches: a name that a run logs, and whether more of it is better."""

    name: str
    goal: Literal["maximize", "minimize"]
    target: float | None = None


class Sweep(Strict):
    """The keys of W&B's sweep configuration that a sweep of ours uses."""

    method: Literal["grid", "random", "bayes"]
    metric: Metric | None = None
    parameters: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    command: list[str]
    program: str = "train.py"
    name: str | None = None
    description: str | None = None
    project: str | None = None
    entity: str | None = None
    run_cap: PositiveInt | None = None
    early_terminate: dict[str, Any] | None = None


def read(file: Path) -> dict[str, Any]:
    """Return a sweep's YAML as plain containers, checked against W&B's keys and against our own settings.

    `program` is filled in where it is missing: W&B's agent fails without, even where the command does not use it.

    Args:
        file: a path, or the name of a file of conf/sweep/wandb.

    Raises:
        OsteonError: names the key: unknown to W&B or to us, a value that no run takes, a metric that no run logs.
    """
    file = _found(file)
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        sweep = Sweep.model_validate(said)
    except (OSError, yaml.YAMLError) as fault:
        raise OsteonError(f"{file}: cannot be read ({fault}).") from fault
    except ValidationError as fault:
        error = fault.errors()[0]
        key = ".".join(map(str, error["loc"]))
        hint = nearest(key, Sweep.model_fields) if error["type"] == "extra_forbidden" else ""
        raise OsteonError(f"{file}: {key}: {error['msg']}.{hint}") from None
    _check(sweep, file)
    return {"program": sweep.program, **said}


def _found(file: Path) -> Path:
    ours = conf_dir() / "sweep" / "wandb"
    for place in (file, ours / file.name, ours / f"{file.name}.yaml"):
        if place.is_file():
            return place
    there = sorted(path.stem for path in ours.glob("*.yaml"))
    raise OsteonError(f"{file}: no such file.{nearest(file.stem, there)} Ours are {', '.join(there)}.")


def _check(sweep: Sweep, file: Path) -> None:
    """Hold a sweep against our settings.

    Raises:
        OsteonError: as `read`.
    """
    if ARGUMENTS not in sweep.command:
        raise OsteonError(f"{file}: command: lacks {ARGUMENTS}, by which W&B hands over key=value.")
    if sweep.method == "bayes" and sweep.metric is None:
        raise OsteonError(f"{file}: metric: missing, but method bayes needs one: {{name: {MONITOR}, goal: maximize}}.")
    base = fixed(sweep)
    config = _composed(base, file, "command")
    if config.logger.wandb is None:
        raise OsteonError(f"{file}: command: lacks logger=wandb, so that W&B would hear nothing of its runs.")
    names = [MONITOR, *(f"val/{name}/{task.monitor}" for name, task in config.tasks.items())]
    if sweep.metric is not None and sweep.metric.name not in names:
        hint = nearest(sweep.metric.name, names)
        raise OsteonError(
            f"{file}: metric.name: no run logs {sweep.metric.name!r}.{hint} There are {', '.join(names)}."
        )
    for key, about in sweep.parameters.items():
        for value in values(about, f"{file}: parameters.{key}"):
            _composed([*base, f"{key}={_text(value)}"], file, f"parameters.{key}")


def fixed(sweep: Sweep) -> list[str]:
    """Return the overrides that a sweep's command holds itself."""
    return [word for word in sweep.command if "=" in word and not word.startswith(("$", "-"))]


def values(about: Mapping[str, Any], where: str) -> list[Any]:
    """Return all values of a parameter, else both ends.

    Raises:
        OsteonError: it has neither.
    """
    if "value" in about:
        return [about["value"]]
    if about.get("values"):
        return list(about["values"])
    if "min" in about and "max" in about and about["min"] <= about["max"]:
        return [about["min"], about["max"]]
    raise OsteonError(f"{where}: found {dict(about)}, expected value, values, or min not above max.")


def _text(value: Any) -> str:
    """Return a value as W&B puts it into a command line."""
    return str(value)


def _composed(words: list[str], file: Path, key: str) -> Config:
    try:
        config = checked(composed(conf_dir(), "train", words))
        check_names(config)
    except OsteonError as fault:
        raise OsteonError(f"{file}: {key}: {fault}") from fault
    return config


def run_agent(file: Path, count: int | None, project: str, sweep_id: str | None) -> int:
    """Make a sweep on W&B's server (or join one) and run its agent; return the agent's exit status.

    Args:
        file: of the sweep.
        count: runs of this agent; None: until the sweep is over.
        project: on the server.
        sweep_id: of a sweep that exists; None: make one.

    Raises:
        OsteonError: the file is wrong, no key is configured, or the server refuses.
    """
    said = read(file)
    if not (os.environ.get("WANDB_API_KEY") or _netrc()):
        raise OsteonError("osteon sweep wandb: a sweep lies on W&B's server, and no key is found. Set WANDB_API_KEY.")
    import wandb

    try:
        found = sweep_id or wandb.sweep(said, project=project)
    except Exception as fault:  # W&B's own kinds of error change from release to release
        line = " ".join(str(fault).split())[:200]
        raise OsteonError(f"osteon sweep wandb: the server refuses the sweep ({line}).") from fault
    words = [sys.executable, "-m", "wandb", "agent", "--project", project]
    words += [*itertools.chain(["--count", str(count)] if count else []), found]
    return subprocess.run(words, check=False).returncode


def _netrc() -> bool:
    place = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    return place.is_file() and "wandb" in place.read_text(encoding="utf-8", errors="ignore")
