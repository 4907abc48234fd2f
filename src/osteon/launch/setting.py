"""What all jobs of a sweep share: how they are composed, where they lie, how they are launched."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from osteon.compose import config_options
from osteon.config import Config, Launching, check_launch, checked
from osteon.errors import OsteonError
from osteon.run import check_names
from osteon.run.processes.place import once

# Said to the launcher, not to a run.
OURS = ("launch", "sweep", "ablation", "hydra")


@dataclass(frozen=True)
class Setting:
    """What all jobs of a sweep share.

    Attributes:
        loader: Hydra's config loader.
        config: the sweep's own composed config, from which a job's is composed.
        launching: settings of `launch`, `sweep` and `ablation`.
        folder: of the sweep.
        options: command-line options that a job needs as well (`--config-dir`).
    """

    loader: Any
    config: Any
    launching: Launching
    folder: Path
    options: tuple[str, ...]

    @classmethod
    def of(cls, hydra_context: Any, config: Any) -> "Setting":
        """Read the sweep's own settings.

        Raises:
            OsteonError: they are wrong, or this process is one of several that were started alike.
        """
        once()
        container = OmegaConf.to_container(_without_hydra(config), resolve=True)
        assert isinstance(container, dict)
        launching = check_launch({str(key): value for key, value in container.items()})
        folder = Path(str(config.hydra.sweep.dir)).absolute()
        return cls(hydra_context.config_loader, config, launching, folder, tuple(config_options(sys.argv[1:])))

    def composed(self, words: Sequence[str]) -> Config:
        """Return a job's validated settings; the data is looked for as well.

        Raises:
            OsteonError: a setting is wrong or the data is not there.
            HydraException: a key or a file does not exist.
        """
        from osteon.run.sources import locate

        job = self.loader.load_sweep_config(self.config, list(words))
        container = OmegaConf.to_container(_without_hydra(job), resolve=True)
        assert isinstance(container, dict)
        config = checked({str(key): value for key, value in container.items()})
        check_names(config)
        if config.resume is not None:
            raise OsteonError("resume: goes on in one run's own folder, so it is no part of a sweep. Leave it out.")
        if config.data.folds is not None and config.data.fold is None:
            folds = ",".join(map(str, range(config.data.folds)))
            raise OsteonError(
                f"data.folds: trains all folds in one run, but a job is one fold. Say data.fold={folds} and join them "
                f"by osteon score {self.folder}/*; a search averages over sweep.folds={config.data.folds}."
            )
        locate(config)
        return config


def of_a_run(words: Sequence[str]) -> list[str]:
    """Return the overrides that a run is told, a later word in the place of an earlier one of the same key."""
    kept = {key_of(word): word for word in words if key_of(word).partition(".")[0] not in OURS}
    return list(kept.values())


def key_of(word: str) -> str:
    """Return the key of an override, without `+`, `++` or `~` before it."""
    return word.lstrip("+~").partition("=")[0]


def _without_hydra(config: Any) -> Any:
    return OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
