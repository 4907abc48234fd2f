"""The model: a backbone with a head for every clinical question, the labels of a batch, and a plain description."""

from osteon.model.labels import Labels
from osteon.model.network import Model, build_model, head_key

__all__ = ["Labels", "Model", "build_model", "head_key"]
