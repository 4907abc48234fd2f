"""Sweeps, searches and ablations: a process a job. Nothing here is imported before jobs are to be run."""
