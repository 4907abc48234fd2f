"""What is said about launching runs, not about a run: kept apart from `Config`, so that no result depends on it."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from osteon.config.strict import Count, Strict


class Launch(Strict):
    """How the jobs of a sweep are started.

    Attributes:
        name: of the folder below `runs/sweeps`, null: its tasks; the same name goes on with what lies there.
        devices: GPUs to hand out: `auto` for those that are visible, a number, or a list of ids.
        jobs: at once; null: as many as the devices allow, without GPUs one.
        threads: of each job; null: the cores shared out.
        retries: how often a job that crashed is started again, from its last epoch.
        stop_on_failure: whether a job that failed ends the others.
    """

    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] | None = None
    devices: Literal["auto"] | Count | list[str | int] = "auto"
    jobs: PositiveInt | None = None
    threads: PositiveInt | None = None
    retries: Count = 0
    stop_on_failure: bool = False


class Search(Strict):
    """A search of hyperparameters, one trial a run (or a run a seed or fold).

    Attributes:
        space: key of a setting -> its values (a list), or `low`, `high` and, if asked for, `log`, `step`.
        fixed: overrides that hold for every trial.
        trials: finished ones altogether, those of earlier calls included.
        sampler: how the next trial is chosen (Optuna).
        seed: of the sampler, with the trial's number.
        storage: where trials are kept: null: a file in the sweep's folder; a path (.db: sqlite, .journal: a journal),
            or the URL of a database, which several machines may share.
        metric: null: `val/monitor`, what epochs are chosen by; or `val/<task>/<its monitor>`.
        pruner: which trials are stopped early, by their score an epoch.
        startup_trials: trials that neither sampler nor pruner judges by others.
        warmup_epochs: epochs before a trial may be pruned.
        seeds: averaged inside a trial; empty: the run's own seed.
        folds: averaged inside a trial (data.folds); null: none.
        final: whether the best trial predicts test when the search is over.
    """

    space: dict[str, Any] = Field(default_factory=dict)
    fixed: list[str] = Field(default_factory=list)
    trials: PositiveInt = 20
    sampler: Literal["tpe", "cmaes", "random", "grid"] = "tpe"
    seed: Count = 0
    storage: str | None = None
    metric: str | None = None
    pruner: Literal["none", "median", "hyperband"] = "median"
    startup_trials: Count = 5
    warmup_epochs: Count = 1
    seeds: list[Count] = Field(default_factory=list)
    folds: Annotated[int, Field(ge=2)] | None = None
    final: bool = True

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must differ, found {self.seeds}")
        return self


class Ablation(Strict):
    """One factor at a time around a base, over seeds.

    Attributes:
        question: what it is to answer, in a sentence.
        base: overrides of the base, beside those of the command line.
        base_name: what the base is called in tables.
        factors: factor -> level -> overrides; the base is every factor's other level.
        grid: every combination of levels instead of one factor at a time.
        seeds: trainings of every variant.
        metric: that variants are compared by, on test; null: what epochs are chosen by.
        results: where tables and plot go; null: `experiments/<launch.name>/results`, of phantoms the sweep's folder.
        replicates: bootstrap replicates behind every interval and p.
    """

    question: str
    base: list[str]
    base_name: str = "base"
    factors: Annotated[dict[str, Annotated[dict[str, list[str]], Field(min_length=1)]], Field(min_length=1)]
    grid: bool = False
    seeds: Annotated[list[Count], Field(min_length=1)]
    metric: str | None = None
    results: str | None = None
    replicates: Annotated[int, Field(ge=100)] = 1000


class Launching(Strict):
    """The settings of `launch`, `sweep` and `ablation`."""

    launch: Launch
    sweep: Search | None = None
    ablation: Ablation | None = None
