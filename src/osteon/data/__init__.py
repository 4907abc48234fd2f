"""Cached radiographs as batches."""

from osteon.data.batch import Batch, Sample, collate
from osteon.data.canvas import Canvas, canvas_of
from osteon.data.module import RadiographData, epoch_of, mirrored
from osteon.data.radiographs import Radiographs, sample_seed
from osteon.data.samplers import OrderedSampler, ShuffledSampler, WeightedSampler

__all__ = [
    "Batch",
    "Canvas",
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
    "sample_seed",
]
