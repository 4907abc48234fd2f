"""What is trained, made from settings and data: the model, the module round it, and its loaders."""

from osteon.augment import build_augment
from osteon.backbone import default_image_size
from osteon.config import Config
from osteon.config.monitors import MONITOR
from osteon.config.names import RIDGE
from osteon.data import RadiographData, mixture
from osteon.manifest.covariates import encode
from osteon.model import Model, build_model
from osteon.module import OsteonModule, Recipe
from osteon.module.imbalance import Balance
from osteon.run.choosing import Choice, floors, monitor_scores
from osteon.run.facts import digest, predicted_splits, run_facts
from osteon.run.floor import SIDE
from osteon.run.measure import prediction_table
from osteon.run.prepare import Prepared
from osteon.run.sources import Sources
from osteon.run.trainer import to_memory_format


def image_size(config: Config, sources: Sources) -> tuple[int, int]:
    """Return (height, width) in pixels: as asked for, small for phantoms, else what the backbone was pretrained at.

    Ridge regression has its own, whatever is asked for: it is the floor under networks of any size.
    """
    if config.backbone.name == RIDGE:
        return SIDE, SIDE
    asked = config.data.image_size or (config.phantom.image_size if sources.kind == "phantom" else None)
    if asked is None:
        return default_image_size(config.backbone.name)
    return (asked[0], asked[1]) if isinstance(asked, list) else (asked, asked)


def make_model(config: Config, sources: Sources, size: tuple[int, int]) -> Model:
    """Return backbone and heads, with pretrained weights by default on real data."""
    pretrained = config.backbone.pretrained
    wanted = sources.kind == "real" and config.init_from is None if pretrained is None else pretrained
    targets = {name: sources.target(name, task) for name, task in config.tasks.items()}
    model = build_model(config.tasks, targets, config.backbone, size, wanted)
    return to_memory_format(model, config.trainer)


def make_module(config: Config, prepared: Prepared, model: Model, steps_an_epoch: int) -> OsteonModule:
    """Return the LightningModule with the table and the scores that it is watched by."""
    table = prediction_table(config, prepared)
    recipe = Recipe(
        weights={name: task.loss_weight for name, task in config.tasks.items()},
        optimizer=config.optimizer,
        scheduler=config.scheduler,
        training=config.training,
        accumulate=config.trainer.accumulate,
        steps_an_epoch=steps_an_epoch,
        run=digest(run_facts(config, prepared)),
        seed=config.seed,
        covariates=encode(prepared.manifest, model.covariates) if model.covariates else None,
        squared=[name for name, task in config.tasks.items() if getattr(task.head, "loss", "") == "l2"],
        hold_norms=config.backbone.norm == "frozen",
    )
    choice = Choice(config.training.choose_by, floors(table) if len(config.tasks) > 1 else {})
    return OsteonModule(model, recipe, table, lambda frame: monitor_scores(frame, table.watched, MONITOR, choice))


def make_data(config: Config, prepared: Prepared, balanced: Balance) -> RadiographData:
    """Return the loaders over the cached images."""
    return RadiographData(
        prepared.manifest,
        prepared.cache.file,
        {
            name: prepared.canvas.place(values) if values.ndim == 3 else values
            for name, values in prepared.targets.items()
        },
        config.data.batch_size,
        config.data.workers,
        build_augment(config.augment, prepared.size),
        config.seed,
        config.trainer.epoch_length,
        balanced.row_weights,
        config.trainer.limit_batches,
        prepared.canvas.mirror,
        mixture(prepared.targets, (prepared.manifest["split"] == "train").to_numpy(), config.data),
        predicted_splits(config),
    )
