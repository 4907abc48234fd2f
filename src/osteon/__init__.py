"""Osteon: train, measure and compare deep-learning models on musculoskeletal radiographs."""

__version__ = "0.1.0"
