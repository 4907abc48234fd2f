"""The closed choices of a config: which dataset adapter, which head, and the parameters each of them takes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

TargetKind = Literal["binary", "multiclass"]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Smoothing = Annotated[float, Field(ge=0.0, lt=1.0)]  # share of a target spread evenly over all classes

# Cells that say nothing. "none" is no blank: it says that somebody looked and found none.
BLANKS = ("", "nan", "na", "n/a", "<na>", "null")


class Strict(BaseModel):
    """A config node: unknown keys are refused and nothing is coerced, so that `seed=true` is not 1."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TargetSpec(Strict):
    """A target column of a table dataset and what its values mean.

    Attributes:
        meaning: the clinical statement that a value of 1 (or the class) makes, in words.
        kind: `binary` takes 0 and 1; `multiclass` takes one of `classes`.
        classes: class names in index order; multiclass only.
    """

    meaning: str
    kind: TargetKind = "binary"
    classes: list[str] = []

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


class MuraSpec(Strict):
    """MURA-v1.1 in its official layout."""

    kind: Literal["mura"]
    name: str = "mura"


class FracAtlasSpec(Strict):
    """FracAtlas in its published layout."""

    kind: Literal["fracatlas"]
    name: str = "fracatlas"


class TableSpec(Strict):
    """A CSV or parquet with one row an image, beside a folder of images.

    Attributes:
        name: the dataset's name; also the folder looked for below `data.root`.
        file: the table, relative to the dataset's root.
        images: folder that the table's paths are relative to, relative to the dataset's root.
        columns: manifest column -> the table's column, where they differ (`path: filename`).
        targets: target columns with their meaning.
        covariates: further columns to keep (flags, scores).
        private: ids and paths are patients' business: outside the reader they are keyed hashes. False for a set whose
            ids its owners published.
    """

    kind: Literal["table"]
    name: str
    file: str = "labels.csv"
    images: str = "."
    columns: dict[str, str] = {}
    targets: dict[str, TargetSpec] = {}
    covariates: list[str] = []
    licence: str = "not stated"
    citation: str = "not stated"
    gated: bool = True
    private: bool = True


DatasetSpec = Annotated[MuraSpec | FracAtlasSpec | TableSpec, Field(discriminator="kind")]


class BinarySpec(Strict):
    """One logit; the probability that the target is 1."""

    kind: Literal["binary"]
    dropout: Fraction = 0.0
    label_smoothing: Smoothing = 0.0


class MulticlassSpec(Strict):
    """One logit a class; classes exclude each other."""

    kind: Literal["multiclass"]
    dropout: Fraction = 0.0
    label_smoothing: Smoothing = 0.0


HeadSpec = Annotated[BinarySpec | MulticlassSpec, Field(discriminator="kind")]
