"""What a dataset of one's own says of a target column: what its values mean, and on which scale they are."""

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from osteon.config.strict import Strict

TargetKind = Literal["binary", "multiclass", "ordinal", "regression", "boxes"]

# Cells that say nothing. "none" is no blank: it says that somebody looked and found none.
BLANKS = ("", "nan", "na", "n/a", "<na>", "null")


class TargetSpec(Strict):
    """A target column of a table dataset and what its values mean.

    Attributes:
        meaning: the clinical statement that a value of 1, the class or the number makes, in words.
        kind: `binary` takes 0 and 1; `multiclass` one of `classes`; `ordinal` one of `classes`, which rise in the order
            given; `regression` a number from `low` to `high`; `boxes` are read from four columns of corners and one of
            the class, a row a box.
        classes: class names in index order; multiclass, ordinal and boxes only.
        unit: of a regression target, in words, such as "months".
        low: least value that can be true, in `unit`; a cell below it is refused. Regression only.
        high: greatest value that can be true.
    """

    meaning: str
    kind: TargetKind = "binary"
    classes: list[str] = Field(default_factory=list)
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @field_validator("classes")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        """Refuse names that a table's cells cannot tell apart: cells are read whatever their case."""
        plain = [name.strip().casefold() for name in names]
        blank = [name for name, said in zip(names, plain, strict=True) if said in BLANKS]
        if blank:
            raise ValueError(f"the class name {blank[0]!r} reads as a blank cell; call it otherwise")
        if len(set(plain)) < len(names):
            raise ValueError(f"class names must differ in more than case and blanks, found {names}")
        return names

    @model_validator(mode="after")
    def _scale(self) -> Self:
        """Ask a regression target for its scale, and refuse one of any other kind."""
        told = [name for name in ("unit", "low", "high") if getattr(self, name) not in ("", None)]
        if self.kind != "regression" and told:
            raise ValueError(f"a {self.kind} target has no {', '.join(told)}; only a regression target is measured")
        if self.kind == "regression" and self.classes:
            raise ValueError(f"a regression target has no classes, found {self.classes}")
        if self.kind == "boxes" and not self.classes:
            raise ValueError("a boxes target needs classes, the names of what the boxes enclose, in index order")
        if self.kind == "regression" and (not self.unit or self.low is None or self.high is None):
            raise ValueError("a regression target needs unit, low and high, such as months, 0.0 and 240.0")
        if self.low is not None and self.high is not None and not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low must be below high, both finite, found {self.low:g} and {self.high:g}")
        return self
