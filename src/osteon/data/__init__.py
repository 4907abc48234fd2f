"""Cached radiographs as batches."""

from osteon.data.batch import Batch, Sample, collate
from osteon.data.module import RadiographData
from osteon.data.radiographs import Radiographs, sample_seed
from osteon.data.samplers import OrderedSampler, ShuffledSampler

__all__ = [
    "Batch",
    "OrderedSampler",
    "RadiographData",
    "Radiographs",
    "Sample",
    "ShuffledSampler",
    "collate",
    "sample_seed",
]
