"""How a model is trained beside its optimiser: class imbalance, mixing, freezing, views at prediction."""

from typing import Annotated, Literal

from pydantic import Field

from osteon.config.strict import Strict

Measure = Literal["none", "pos_weight", "sampler", "focal"]
View = Literal["flip", "shift", "scale"]

# Heads with one answer an image, whose loss is a sum over rows: these can be blended and averaged. Boxes cannot.
BLENDED = frozenset(("binary", "multiclass", "ordinal", "regression", "multilabel"))


class Training(Strict):
    """What is done against imbalance and overfitting; all of it is off by default.

    Attributes:
        imbalance: what is done about rare classes, for every task: `pos_weight` (rare classes weigh more in the loss),
            `sampler` (their rows are drawn more often) or `focal` (easy rows weigh less; Lin 2017).
        imbalance_of: task -> the same, where a task differs from the others.
        allow_both: whether two measures may act on the same rows.
        focal_gamma: exponent of the focal loss; 0 is the plain loss.
        focal_alpha: weight of the positive class in the focal loss (0 to 1), binary heads only; null: none.
        mixup: a of Beta(a, a), the share of the first image in a blend of two (Zhang 2018); 0: off.
        cutmix: a of Beta(a, a), the share of the first image beside a patch of the second (Yun 2019); 0: off.
        unfreeze: what of the network learns: `all`, the `head` alone, or `gradual`ly more from the top (Howard 2018).
        unfreeze_epochs: `gradual` only: epochs from one group of layers to the next.
        tta: views whose probabilities or values are averaged with those of the plain image, at prediction.
        loss_weights: how the losses of several tasks add up: `fixed` by each task's `loss_weight`, or by the
            `uncertainty` that each learns of itself (Kendall 2018).
        choose_by: what the best epoch is chosen by: `mean`, of all tasks' normalised scores, or the name of a task.
    """

    imbalance: Measure | list[Measure] = "none"
    imbalance_of: dict[str, Measure | list[Measure]] = Field(default_factory=dict)
    allow_both: bool = False
    focal_gamma: Annotated[float, Field(ge=0.0, le=10.0)] = 2.0
    focal_alpha: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    mixup: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    cutmix: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    unfreeze: Literal["all", "head", "gradual"] = "all"
    unfreeze_epochs: Annotated[int, Field(ge=1)] = 1
    tta: list[View] = Field(default_factory=list)
    loss_weights: Literal["fixed", "uncertainty"] = "fixed"
    choose_by: str = "mean"

    def measures(self, task: str) -> tuple[Measure, ...]:
        """Return what is done about rare classes of `task`, each measure once; empty where nothing is."""
        told = self.imbalance_of.get(task, self.imbalance)
        several = told if isinstance(told, list) else [told]
        return tuple(dict.fromkeys(measure for measure in several if measure != "none"))
