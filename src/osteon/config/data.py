"""Where images come from: the settings of data and of the phantoms in their place."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from osteon.config.strict import Count, Fraction, Strict

Size = PositiveInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]


class Part(Strict):
    """Rows of a run's datasets by where they come from; what is null takes all, and all that is given must hold.

    Attributes:
        dataset: name, or names.
        site: value or values of the manifest's column; a number is its text, as sites are often numbered.
        body_part: the same.
    """

    dataset: str | list[str] | None = None
    site: str | int | list[str | int] | None = None
    body_part: str | list[str] | None = None

    @model_validator(mode="after")
    def _names_any(self) -> Self:
        if empty := [name for name, found in self.wanted.items() if not found]:
            raise ValueError(f"{empty[0]} found [], expected a value or a list of them; null takes all")
        return self

    @property
    def wanted(self) -> dict[str, list[str]]:
        """Column -> the values that are taken, each once; empty where nothing is asked for."""
        said = {name: getattr(self, name) for name in type(self).model_fields}
        listed = {name: found if isinstance(found, list) else [found] for name, found in said.items()}
        return {name: list(dict.fromkeys(map(str, found))) for name, found in listed.items() if found != [None]}


class Data(Strict):
    """Where images come from, how they are cached, split and batched. `root: null` means drawn phantoms.

    `key_file` holds the secret that ids and paths of private sets are hashed with. `split_file` is a split that others
    can reuse (`osteon data split`). With `canonical_laterality` images of the other side are mirrored; images whose
    side is unknown stay as they are.

    Attributes:
        batch_size: images a step, over all processes together; it must divide evenly among them.
        fold: which of `folds` is the test set; null with `folds` given: every fold is trained, one after the other.
        sampling: how often rows are drawn where several tasks are trained together: `proportional` to their numbers,
            `balanced` (every task alike), or between the two by `temperature` (rows ** (1 / temperature)).
        train_on: rows that are learned from and that the epoch is chosen by; others stay in test, where they are in it.
        test_on: rows that are the test set, all of them, whatever split they have; no other row is.
        batching: `mixed`: a batch holds rows of all tasks; `per_task`: it is worked through in one part a task, each
            part alone in its batch norm, and the gradients are added up.
    """

    root: str | None
    roots: dict[str, str]
    cache_dir: str
    key_file: str
    image_size: Size | None
    batch_size: PositiveInt
    workers: Count
    max_rejected: Fraction
    split_seed: Count
    val_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    fold: Count | None
    folds: Annotated[int, Field(ge=2)] | None
    split_file: str | None = None
    canonical_laterality: Literal["L", "R"] | None = None
    sampling: Literal["proportional", "balanced", "temperature"] = "proportional"
    temperature: Annotated[float, Field(ge=1.0, le=100.0)] = 2.0
    batching: Literal["mixed", "per_task"] = "mixed"
    train_on: Part = Field(default_factory=Part)
    test_on: Part = Field(default_factory=Part)

    @field_validator("root", "cache_dir", "key_file", "split_file")
    @classmethod
    def _absolute(cls, typed: str | None) -> str | None:
        """Anchor a place where the run is started, so that it can be resumed from elsewhere."""
        return str(Path(typed).expanduser().absolute()) if typed else typed

    @field_validator("roots")
    @classmethod
    def _all_absolute(cls, typed: dict[str, str]) -> dict[str, str]:
        return {name: str(Path(place).expanduser().absolute()) if place else place for name, place in typed.items()}

    @model_validator(mode="after")
    def _folds(self) -> Self:
        if self.fold is not None and self.folds is None:
            raise ValueError("fold needs folds: data.fold=0 data.folds=5")
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold counts from 0 to {self.folds - 1}, found {self.fold}")
        if self.test_on.wanted and (self.folds is not None or self.split_file is not None):
            other = "folds" if self.folds is not None else "split_file"
            raise ValueError(f"test_on and {other} both say what the test set is; leave one of them out")
        if self.val_fraction + self.test_fraction >= 1.0:
            raise ValueError("val_fraction and test_fraction leave nothing to train on")
        return self


class Phantom(Strict):
    """The drawn dataset that stands in where no data root is given, and the faults put into it on purpose.

    Attributes:
        label_noise: share of labels that are wrong.
        missing: share of labels that are blank.
        shortcut: how well a lead tag on the film tells the label (-1 to 1); null: no tag.
        hardware: share of studies with metal, drawn apart from the label; null: as the set has it.
        cast: the same of casts.
    """

    patients: Annotated[int, Field(ge=20)]
    size: Annotated[int, Field(ge=64, le=2048)]
    image_size: Size
    seed: Count
    label_noise: Fraction = 0.0
    missing: Fraction = 0.0
    shortcut: Annotated[float, Field(ge=-1.0, le=1.0)] | None = None
    hardware: Fraction | None = None
    cast: Fraction | None = None
