"""Where curves go: the settings of W&B, TensorBoard and MLflow."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from osteon.config.strict import Strict


class Wandb(Strict):
    """Weights & Biases. `auto` is online where a key is configured, offline otherwise; never a prompt.

    Attributes:
        name: of the run; null: the run folder's.
        group: runs that are shown as one; null: tasks and backbone, so that seeds and folds fall together.
        tags: beside tasks, backbone, datasets and `real` or `phantom`.
        table_rows: image predictions of val and test that a task's table shows at most, drawn by chance.
        images: most confident mistakes on test, and as many random test images, that are logged with their prediction;
            `auto` is 16 for phantoms and openly licensed sets, 0 for all others. Never for a gated set.
    """

    project: str
    entity: str | None
    name: str | None
    group: str | None
    tags: list[str]
    mode: Literal["auto", "online", "offline"]
    table_rows: Annotated[int, Field(ge=0, le=10_000)] = 1000
    images: Literal["auto"] | Annotated[int, Field(ge=0, le=200)] = "auto"


class TensorBoard(Strict):
    """Event files that `tensorboard --logdir` shows.

    Attributes:
        folder: where; null: `tensorboard` in the run folder.
    """

    folder: str | None


class MLflow(Strict):
    """A run in MLflow's local store; no server is needed.

    Attributes:
        file: the sqlite file of the store.
        experiment: null: tasks and backbone, so that seeds and folds fall together.
        name: of the run; null: the run folder's.
    """

    file: str
    experiment: str | None
    name: str | None

    @field_validator("file")
    @classmethod
    def _absolute(cls, typed: str) -> str:
        return str(Path(typed).expanduser().absolute())


class Logger(Strict):
    """Where curves go beside `metrics.csv`, which is always written."""

    wandb: Wandb | None = None
    tensorboard: TensorBoard | None = None
    mlflow: MLflow | None = None
