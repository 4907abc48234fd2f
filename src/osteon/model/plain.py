"""What a model is made of, in plain containers and back: lists, numbers and text that `weights_only` loading takes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from osteon.config.heads import HeadSpec
from osteon.manifest.covariates import Covariate
from osteon.manifest.target import Target

Parts = dict[str, tuple[HeadSpec, Target]]  # task -> spec of its head, and the target it answers


def plain_parts(parts: Parts) -> dict[str, Any]:
    """Return task -> `head` and `target` in plain containers."""
    return {
        task: {"head": head.model_dump(), "target": _listed(target, "classes")}
        for task, (head, target) in parts.items()
    }


def parts_of(plain: Mapping[str, Any]) -> Parts:
    """Return what `plain_parts` was given."""
    heads = TypeAdapter[HeadSpec](HeadSpec)
    return {
        task: (heads.validate_python(part["head"]), Target(**_tupled(part["target"], "classes")))
        for task, part in plain.items()
    }


def plain_columns(covariates: Sequence[Covariate]) -> list[dict[str, Any]]:
    """Return the columns that join the vector in plain containers."""
    return [_listed(one, "categories") for one in covariates]


def columns_of(plain: Sequence[Mapping[str, Any]]) -> list[Covariate]:
    """Return what `plain_columns` was given."""
    return [Covariate(**_tupled(one, "categories")) for one in plain]


def _listed(made: Any, field: str) -> dict[str, Any]:
    said = dataclasses.asdict(made)
    return {**said, field: list(said[field])}


def _tupled(said: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {**said, field: tuple(said[field])}
