"""Cached radiographs as batches."""

from osteon.data.batch import Batch, Sample, collate
from osteon.data.canvas import Canvas, canvas_of
from osteon.data.module import RadiographData, epoch_of, mirrored
from osteon.data.radiographs import Radiographs, sample_seed
from osteon.data.samplers import Draw, OrderedSampler, ShuffledSampler, WeightedSampler
from osteon.data.streams import Mixture, mixture

__all__ = [
    "Batch",
    "Canvas",
    "Draw",
    "Mixture",
    "OrderedSampler",
    "RadiographData",
    "Radiographs",
    "Sample",
    "ShuffledSampler",
    "WeightedSampler",
    "canvas_of",
    "collate",
    "epoch_of",
    "mirrored",
    "mixture",
    "sample_seed",
]
