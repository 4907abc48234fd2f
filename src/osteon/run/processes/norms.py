"""What becomes of batch norm in a run: frozen, shared by its processes on GPUs, or each process' own on CPUs."""

import torch

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.module.norms import batch_norms, synchronise_norms


def settle_norms(model: Model, config: Config) -> tuple[Model, tuple[str, ...]]:
    """Return the model with the batch norm that the config asks for, and what is worth a note.

    Raises:
        OsteonError: it is to be frozen, and the backbone has none.
    """
    layers = len(list(batch_norms(model.backbone)))
    if config.backbone.norm == "frozen":
        if not layers:
            raise OsteonError(
                f"backbone.norm: found frozen, but {config.backbone.name} has no batch norm. Leave it at learned."
            )
        weighed = "" if model.backbone.weights != "none" else "; without pretrained weights it only passes values on"
        return model, (f"batch norm is frozen in all {layers} layers{weighed}",)
    if config.trainer.processes == 1 or not layers:
        return model, ()
    if config.trainer.accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return synchronise_norms(model), ()
    return model, (
        f"batch norm: on CPUs each of {config.trainer.processes} processes has statistics of its own part of a batch, "
        "so that weights differ from those of one process. backbone.norm=frozen, or a backbone without batch norm "
        "(convnext, vit), does not depend on it",
    )
