"""Predictions become units, units become metrics with intervals: tables that can be trusted."""
