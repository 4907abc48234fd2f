"""A W&B run of its own for every run of ours: where it lies, what it is called, what it is told."""

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from pytorch_lightning.loggers import WandbLogger

from osteon.config import Config, Wandb
from osteon.errors import OsteonError

Redact = Callable[[Mapping[str, Any]], Mapping[str, Any]]
NO_KEY = "logger.wandb.mode=online: no key found. Set WANDB_API_KEY or use logger.wandb.mode=offline."
_HOSTS = {"api.wandb.ai", "api.forge.coreweave.com"}  # W&B's own, before and from release 0.31
_TAG, _GROUP = 64, 128  # characters that W&B allows
# W&B would note command line, host, user, git remote and installed packages: names and places of the people at work.
_SETTINGS: dict[str, Any] = {
    "x_disable_meta": True,
    "x_save_requirements": False,
    "disable_git": True,
    "disable_code": True,
}
_SETTINGS |= {"disable_job_creation": True, "silent": True, "console": "off", "init_timeout": 30.0}


def open_run(config: Config, folder: Path, source: str, redact: Redact, resumed_from: str | None) -> WandbLogger:
    """Begin a W&B run; it is offline unless a key is configured, and never asks.

    Args:
        config: settings of the run, with `logger.wandb`.
        folder: the run folder, below which W&B writes.
        source: `real` or `phantom`.
        redact: takes the config as plain containers, and returns it without private places.
        resumed_from: id of the W&B run that this one goes on from. W&B resumes no run offline: a new one in the same
            group says so in its config.

    Raises:
        OsteonError: W&B is to be online and there is no key, or it cannot be reached.
    """
    settings = config.logger.wandb
    assert settings is not None
    said = dict(redact(config.model_dump(mode="json", exclude={"resume"}))) | {"source": source}
    told = said["logger"]["wandb"]  # a name or a tag may hold a private folder, too
    name = told["name"] or folder.name
    facts = {
        "project": settings.project,
        "entity": settings.entity,
        "name": name,
        "group": (told["group"] or group(config))[:_GROUP],
        "job_type": "train",
        "tags": tags(config, source, told["tags"]),
        "config": said | ({"resumed_from": resumed_from} if resumed_from else {}),
    }
    run = _begin(settings, folder, facts)
    run.define_metric("epoch")
    run.define_metric("*", step_metric="epoch")
    return WandbLogger(experiment=run, save_dir=folder, project=settings.project, name=name)


def group(config: Config) -> str:
    """Return the group that runs fall into which differ by seed, fold or settings only."""
    return f"{'+'.join(config.tasks)}_{config.backbone.name}"


def tags(config: Config, source: str, asked: Sequence[str]) -> list[str]:
    """Return tasks, backbone, datasets, source and the user's own tags, each once."""
    sets = [name for task in config.tasks.values() for name in task.dataset_names]
    return list(dict.fromkeys(tag[:_TAG] for tag in (*config.tasks, config.backbone.name, *sets, source, *asked)))


def last_run(folder: Path) -> str | None:
    """Return the id of the last W&B run below a run folder, None where there is none."""
    runs = sorted(folder.glob("wandb/*run-*-*"), key=lambda run: re.sub(r"^\D*", "", run.name))
    return runs[-1].name.rsplit("-", 1)[1] if runs else None


@contextmanager
def kept_below(folder: Path) -> Iterator[None]:
    """Keep what W&B stages beside its run (copies of tables, logs of its service) below the run folder, and quiet.

    W&B reads these variables whenever it stages something, so that they hold for the whole run.
    """
    ours = {"WANDB_ERROR_REPORTING": "false"}
    ours |= dict.fromkeys(("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_ARTIFACT_DIR"), str(folder / "wandb" / "staged"))
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin(settings: Wandb, folder: Path, facts: Mapping[str, Any]) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    if settings.mode == "online" and not _key():
        raise OsteonError(NO_KEY)
    muted = os.environ.get("WANDB_MODE", "") in ("offline", "dryrun", "disabled")
    online = settings.mode == "online" or (settings.mode == "auto" and _key() and not muted)
    try:
        return _init("online" if online else "offline", folder, facts)
    except Exception as fault:  # W&B's own kinds of error change from release to release
        if settings.mode != "auto" or not online:
            raise OsteonError(
                f"logger.wandb: {_line(fault)}. Use logger.wandb.mode=offline, and sync later."
            ) from fault
        print(f"W&B cannot be reached ({_line(fault)}); the run is logged offline.", file=sys.stderr)
        return _init("offline", folder, facts)


def _init(mode: Literal["online", "offline"], folder: Path, facts: Mapping[str, Any]) -> Any:
    import wandb

    # An id of our own: WANDB_RUN_ID would give two runs of one process the same. A sweep's agent needs its own.
    own = None if os.environ.get("WANDB_SWEEP_ID") else secrets.token_hex(4)
    settings = wandb.Settings(**_SETTINGS)
    return wandb.init(mode=mode, id=own, dir=str(folder), reinit="create_new", settings=settings, **facts)


def _line(fault: Exception) -> str:
    text = " ".join(str(fault).split()).rstrip(".")
    return text[:200] or type(fault).__name__


def _key() -> bool:
    """Tell whether a key is configured; asking wandb itself could open a prompt."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    own = urlparse(os.environ.get("WANDB_BASE_URL", "")).netloc
    netrc = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    words = netrc.read_text(encoding="utf-8", errors="ignore").split() if netrc.is_file() else []
    return not ({own} if own else _HOSTS).isdisjoint(words)
