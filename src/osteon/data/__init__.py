"""Cached radiographs as batches."""

from osteon.data.batch import Batch, Sample, collate
from osteon.data.module import RadiographData, epoch_of, mirrored
from osteon.data.radiographs import Radiographs, sample_seed
from osteon.data.samplers import OrderedSampler, ShuffledSampler, WeightedSampler

__all__ = [
    "Batch",
    "OrderedSampler",
    "RadiographData",
    "Radiographs",
    "Sample",
    "ShuffledSampler",
    "WeightedSampler",
    "collate",
    "epoch_of",
    "mirrored",
    "sample_seed",
]
