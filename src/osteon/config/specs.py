"""The closed choice of a dataset adapter, and the parameters each of them takes; see `heads` for those of heads."""

from typing import Annotated, Literal

from pydantic import Field

from osteon.config.strict import Strict
from osteon.config.targets import TargetSpec


class MuraSpec(Strict):
    """MURA-v1.1 in its official layout."""

    kind: Literal["mura"]
    name: str = "mura"


class FracAtlasSpec(Strict):
    """FracAtlas in its published layout."""

    kind: Literal["fracatlas"]
    name: str = "fracatlas"


class GrazPedWriSpec(Strict):
    """GRAZPEDWRI-DX: paediatric wrists with boxes of nine classes.

    Attributes:
        uncertain: what becomes of the images of `diagnosis_uncertain`: `unlabelled` (neither positive nor negative), or
            `as_annotated`, as most published results have them.
        classes: names in the order of YOLO's numbers, where no file beside the labels names them.
    """

    kind: Literal["grazpedwri"]
    name: str = "grazpedwri"
    uncertain: Literal["unlabelled", "as_annotated"] = "unlabelled"
    classes: list[str] = Field(default_factory=list)


class OwnSpec(Strict):
    """What somebody says of a collection of their own.

    Attributes:
        name: the dataset's name; also the folder looked for below `data.root`.
        licence: its terms, as printed and left in `result.json`.
        citation: the paper to cite.
        gated: whether a user must be let in first; images of such a set are never logged.
        private: ids and paths are patients' business: outside the reader they are keyed hashes. False for a set whose
            ids its owners published.
    """

    name: str
    licence: str = "not stated"
    citation: str = "not stated"
    gated: bool = True
    private: bool = True


class TableSpec(OwnSpec):
    """A CSV or parquet with one row an image, beside a folder of images.

    Attributes:
        file: the table, relative to the dataset's root.
        images: folder that the table's paths are relative to, relative to the dataset's root.
        columns: manifest column -> the table's column, where they differ (`path: filename`).
        targets: target columns with their meaning.
        covariates: further columns to keep (flags, scores).
    """

    kind: Literal["table"]
    file: str = "labels.csv"
    images: str = "."
    columns: dict[str, str] = Field(default_factory=dict)
    targets: dict[str, TargetSpec] = Field(default_factory=dict)
    covariates: list[str] = Field(default_factory=list)


class RsnaBoneAgeSpec(Strict):
    """RSNA Pediatric Bone Age 2017, as RSNA or Kaggle hand it out.

    Attributes:
        validation_as: which of our splits the official validation set is. The official test set comes without ages, so
            that nothing is scored on it; `test` scores on the validation set instead, and val is cut from train.
    """

    kind: Literal["rsna_boneage"]
    name: str = "rsna_boneage"
    validation_as: Literal["val", "test"] = "val"


class KneeKlSpec(Strict):
    """Knee joints with Kellgren-Lawrence grades (Chen 2018), cut from the OAI's films.

    Attributes:
        size: side of the crops in pixels, where both releases lie in one folder; they show the same knees.
        auto_test: test on `auto_test/`, the test knees as a detector found them, in place of `test/`, where they were
            cut by hand. The knees are the same, so that the two never make one test set.
    """

    kind: Literal["knee_kl"]
    name: str = "knee_kl"
    size: Literal[224, 299] | None = None
    auto_test: bool = False


class OaiSpec(Strict):
    """The Osteoarthritis Initiative's tables of central readings (kXR_SQ_BU), beside crops of single knees.

    Attributes:
        images: where the picture of a knee lies, below the dataset's root; `{visit}` is V00 to V10, `{id}` the
            participant and `{side}` L or R.
        project: the reading project whose grades are taken; 15 read the visits to 48 months, 37 those after it. Grades
            of two projects are never averaged.
        visits: V00, V01, ... to read; empty for all whose table is there.
    """

    kind: Literal["oai"]
    name: str = "oai"
    images: str = "{visit}/{id}{side}.png"
    project: Literal[15, 37] = 15
    visits: list[Literal["V00", "V01", "V03", "V05", "V06", "V08", "V10"]] = Field(default_factory=list)


class FoldersSpec(OwnSpec):
    """A folder a class, perhaps below a folder a split (train, val, test).

    Attributes:
        meaning: what the classes tell apart, in words.
        target: the name of the target that the folders' names are the values of.
        target_kind: `ordinal` where the classes rise in the order given; `binary` takes two, the second is positive.
        classes: the folders' names in index order; empty: an error lists those that are there.
        patient: regular expression whose first group is the patient in a file's name; empty: patients are unknown, and
            near-duplicates are kept together instead.
        expected: what -> its count in the complete release: `images`, `<target>=<class>`, ...
    """

    kind: Literal["folders"]
    meaning: str = "the class that the image's folder is named after"
    target: str = "label"
    target_kind: Literal["binary", "multiclass", "ordinal"] = "multiclass"
    classes: list[str] = Field(default_factory=list)
    body_part: str = ""
    patient: str = ""
    expected: dict[str, int] = Field(default_factory=dict)


class BoxFilesSpec(OwnSpec):
    """Boxes of one's own as COCO JSON, PASCAL VOC or YOLO files, with or without a table of the images.

    Attributes:
        annotations: COCO's file, or the folder of the others' files, one an image; relative to the dataset's root.
        images: folder that the images' names are relative to, relative to the dataset's root.
        classes: names of the boxes that are asked for, in index order, as the annotations have them; boxes of others
            are left out. Empty: an error lists those that are there.
        meaning: what a box states clinically, in words.
        table: one row an image with patients, exams, splits and other columns; empty: there is none, and
            near-duplicates are kept together in place of patients.
        columns: of the table, as of a table dataset; so are `targets` and `covariates`.
    """

    kind: Literal["coco", "voc", "yolo"]
    annotations: str
    images: str = "images"
    classes: list[str] = Field(default_factory=list)
    meaning: str = "what the box's class names"
    table: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    targets: dict[str, TargetSpec] = Field(default_factory=dict)
    covariates: list[str] = Field(default_factory=list)


DatasetSpec = Annotated[
    MuraSpec
    | FracAtlasSpec
    | GrazPedWriSpec
    | RsnaBoneAgeSpec
    | KneeKlSpec
    | OaiSpec
    | FoldersSpec
    | TableSpec
    | BoxFilesSpec,
    Field(discriminator="kind"),
]
