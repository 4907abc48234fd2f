"""What every config node has in common: unknown keys are refused, nothing is coerced; and the ranges of numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveFloat = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """A config node: unknown keys are refused and nothing is coerced, so that `seed=true` is not 1."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
