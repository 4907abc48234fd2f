"""What Hydra asks of a launcher and of sweepers; the work is imported when there is some."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

from osteon.errors import OsteonError

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from osteon.launch.setting import Setting


class ProcessLauncher(Launcher):
    """Runs every job as a process of its own, some at a time, each in a folder that its overrides name."""

    def setup(self, *, hydra_context: "HydraContext", task_function: "TaskFunction", config: "DictConfig") -> None:
        """Keep what jobs are composed with."""
        self.hydra_context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run what is missing of the jobs; see `grid.run_grid`.

        Raises:
            OsteonError: a job's settings are wrong (before any starts), or jobs have failed (after all have ended).
        """
        from osteon.launch.grid import run_grid
        from osteon.launch.setting import Setting

        values = run_grid(Setting.of(self.hydra_context, self.config), job_overrides)
        return [JobReturn(overrides=list(words), _return_value=value, status=JobStatus.COMPLETED)
                for words, value in zip(job_overrides, values, strict=True)]  # fmt: skip


class JobSweeper(Sweeper):
    """Makes the jobs of a grid, of a search (`sweep=<file>`) or of an ablation (`ablation=<file>`).

    Hydra's own sweeper would leave `multirun.yaml`, in which private places stand in clear, and compose every job of a
    grid once more.
    """

    def setup(self, *, hydra_context: "HydraContext", task_function: "TaskFunction", config: "DictConfig") -> None:
        """Keep what jobs are composed with."""
        self.context, self.master, self.task = hydra_context, config, task_function

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs; return their validation scores, of a search the best.

        Raises:
            OsteonError: settings are wrong (before any job starts), or jobs have failed (after all have ended).
        """
        if "sweep" in self.master and "ablation" in self.master:
            raise OsteonError("ablation: found beside sweep. Run one after the other.")
        if "sweep" in self.master:
            from osteon.launch.search import run_search

            return run_search(self._setting(), arguments)
        if "ablation" in self.master:
            from osteon.launch.ablation import run_ablation

            return run_ablation(self._setting(), arguments)
        return self._grid(arguments)

    def _setting(self) -> "Setting":
        from osteon.launch.setting import Setting

        chosen = str(self.master.hydra.runtime.choices.get("hydra/launcher"))
        if chosen != "osteon":
            raise OsteonError(
                f"hydra/launcher={chosen}: searches and ablations start their jobs by hydra/launcher=osteon."
            )
        return Setting.of(self.context, self.master)

    def _grid(self, arguments: list[str]) -> list[Any]:
        """Hand all combinations to whatever launcher is asked for."""
        from hydra.core.override_parser.overrides_parser import OverridesParser
        from hydra.core.plugins import Plugins

        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.context, task_function=self.task, config=self.master
        )
        parser = OverridesParser.create(config_loader=self.context.config_loader)
        overrides = parser.parse_overrides(arguments)
        if empty := [one.input_line for one in overrides if one.is_sweep_override() and not _values(one)]:
            raise OsteonError(f"{empty[0]}: an empty grid, there is no job to run. Give at least one value.")
        batch = BasicSweeper.split_arguments(overrides, None)[0]
        return [result.return_value for result in launcher.launch(batch, initial_job_idx=0)]


def _values(override: Any) -> list[str]:
    return list(override.sweep_string_iterator()) if override.is_discrete_sweep() else ["an interval"]
