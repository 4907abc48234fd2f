"""One backbone, and around it a head for every clinical question."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from osteon.backbone import BackboneModule, Features, create_backbone
from osteon.config import Backbone, Task
from osteon.errors import OsteonError
from osteon.heads import Emphasis, Head, LossSum, build_head, check_pyramid
from osteon.manifest.covariates import Covariate
from osteon.manifest.target import Target
from osteon.model.labels import Labels, summed
from osteon.model.plain import Parts, columns_of, parts_of, plain_columns, plain_parts

JOINED = 32  # width of the covariates' embedding


class Model(nn.Module):
    """Images in, every task's answer out, in one pass of the backbone.

    Args:
        backbone: gives pyramid and vector.
        parts: task -> spec of its head, and the target it answers.
        options: the backbone's further arguments, kept so that `spec` can rebuild it.
        covariates: columns that join the backbone's vector by a small embedding, the same for all heads.

    Raises:
        OsteonError: no task, or a head that cannot answer its target.
    """

    def __init__(
        self,
        backbone: BackboneModule,
        parts: Parts,
        options: Mapping[str, Any],
        covariates: Sequence[Covariate] = (),
    ) -> None:
        super().__init__()
        if not parts:
            raise OsteonError("tasks: a model needs at least one. Choose one: task=<name>.")
        self.backbone, self.parts, self.options = backbone, dict(parts), dict(options)
        self.join(covariates)

    def join(self, covariates: Sequence[Covariate]) -> None:
        """Let columns join the vector; embedding and heads are made anew, so this comes before training."""
        self.covariates = tuple(covariates)
        taken = sum(one.width for one in self.covariates)
        # As the winner of RSNA 2017 did with sex: 32 units beside the image's own.
        self.embedding = nn.Sequential(nn.Linear(taken, JOINED), nn.ReLU()) if taken else None
        backbone = self.backbone
        shape = (backbone.width + (JOINED if taken else 0), backbone.channels, backbone.strides)
        if any(spec.kind == "detection" for spec, _ in self.parts.values()):
            check_pyramid(backbone.name, backbone.strides, backbone.size)
        self.heads = nn.ModuleDict(
            {
                head_key(task): build_head(spec, *shape, target, backbone.size)
                for task, (spec, target) in self.parts.items()
            }
        )

    @property
    def heads_by_task(self) -> dict[str, Head]:
        """Task -> its head, in the order of the config."""
        return {task: cast(Head, self.heads[head_key(task)]) for task in self.parts}

    def forward(self, images: Tensor, covariates: Tensor | None = None) -> dict[str, Tensor]:
        """Return task -> output of its head.

        Args:
            images: (B, 1, H, W) uint8.
            covariates: (B, K) float32 as `manifest.covariates.encode` gives them; None where the model has none.
        """
        features = self._features(images, covariates)
        return {task: head(*features) for task, head in self.heads_by_task.items()}

    def losses(
        self, images: Tensor, targets: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> dict[str, LossSum]:
        """Return task -> loss sum and count over the rows that carry its label; see `blended_losses`."""
        return self.blended_losses(images, [Labels(targets, present)])

    def blended_losses(
        self, images: Tensor, labels: Sequence[Labels], covariates: Tensor | None = None
    ) -> dict[str, LossSum]:
        """Return task -> loss sum and count over all `labels`, each weighing its share.

        Every head and the backbone have a part in the result, whatever labels the batch carries: else
        DistributedDataParallel stops at parameters without gradient.

        Args:
            images: (B, 1, H, W) uint8.
            labels: one for plain images; of blended ones, one for each image that went into them.
            covariates: (B, K) float32; None where the model has none.

        Raises:
            OsteonError: images that are not uint8 of one channel.
        """
        features = self._features(images, covariates)
        result = {}
        for task, head in self.heads_by_task.items():
            known = [part for part in labels if task in part.targets]
            if known:
                output = head(*features)
                result[task] = summed([head.loss(output, p.targets[task], p.present[task], p.share) for p in known])
            else:
                idle = head.untouched()
                result[task] = LossSum(idle.total + 0.0 * features.vector.float().sum(), idle.count)
        return result

    def counts(self, labels: Sequence[Labels]) -> dict[str, Tensor]:
        """Return task -> the count that `blended_losses` would give, scalar float32, without a forward pass."""
        device = next(self.parameters()).device
        result = {task: torch.zeros((), device=device) for task in self.parts}
        for task, head in self.heads_by_task.items():
            for part in labels:
                if task in part.targets:
                    result[task] += head.count(part.targets[task], part.present[task], part.share)
        return result

    def fit(self, targets: Mapping[str, np.ndarray]) -> None:
        """Let every head take what it needs of its train labels, before training; it goes with the weights.

        Args:
            targets: task -> (N,) or (N, labels) labels of the train rows alone, NaN where absent.

        Raises:
            OsteonError: labels that do not tell it; names the task.
        """
        for task, head in self.heads_by_task.items():
            try:
                head.fit(targets[task])
            except OsteonError as fault:
                raise OsteonError(f"tasks.{task}: {fault}") from fault

    def emphasise(self, emphasis: Mapping[str, Emphasis]) -> None:
        """Let classes or hard rows of some tasks weigh more in their loss; not part of `spec`, for training only.

        Raises:
            OsteonError: a head that cannot do so; names the task.
        """
        for task, asked in emphasis.items():
            try:
                self.heads_by_task[task].emphasise(asked)
            except OsteonError as fault:
                raise OsteonError(f"tasks.{task}: {fault}") from fault

    def decode(self, outputs: Mapping[str, Tensor]) -> dict[str, dict[str, np.ndarray[Any, np.dtype[np.float64]]]]:
        """Return task -> name -> plain values of a batch, named as in a predictions file.

        Raises:
            OsteonError: an output is not finite; names the task.
        """
        heads, result = self.heads_by_task, {}
        for task, output in outputs.items():
            try:
                result[task] = heads[task].decode(output)
            except OsteonError as fault:
                raise OsteonError(f"tasks.{task}: {fault}") from fault
        return result

    def spec(self) -> dict[str, Any]:
        """Return in plain containers what `from_spec` needs to build this model again, without its weights."""
        backbone = {"name": self.backbone.name, "size": list(self.backbone.size), "options": self.options}
        return {"backbone": backbone, "tasks": plain_parts(self.parts), "covariates": plain_columns(self.covariates)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Build a model with random weights from what `spec` returned; nothing is fetched. Load a state dict next."""
        told = spec["backbone"]
        backbone = Backbone(name=told["name"], pretrained=False, pretrained_path=None, options=told["options"])
        height, width = told["size"]
        network = create_backbone(backbone, (height, width), pretrained=False)
        return cls(network, parts_of(spec["tasks"]), told["options"], columns_of(spec.get("covariates", [])))

    def _features(self, images: Tensor, covariates: Tensor | None) -> Features:
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 1:
            raise OsteonError(
                f"model: images must be (B, 1, H, W) uint8 from 0 to 255, found {tuple(images.shape)} {images.dtype}. "
                "The model normalises them itself; hand it pixels as `osteon.images` reads them."
            )
        features: Features = self.backbone(images)
        if self.embedding is None:
            return features
        if covariates is None:
            names = ", ".join(one.name for one in self.covariates)
            raise OsteonError(
                f"model: it was trained with covariates ({names}); give them, encoded, beside the images."
            )
        with torch.autocast(images.device.type, enabled=False):
            joined = torch.cat([features.vector.float(), self.embedding(covariates.float())], dim=1)
        return Features(features.pyramid, joined)


def build_model(
    tasks: Mapping[str, Task],
    targets: Mapping[str, Target],
    backbone: Backbone,
    size: tuple[int, int],
    pretrained: bool,
) -> Model:
    """Build the model of a run.

    Args:
        tasks: task -> its config, of which only the head is read.
        targets: task -> the target that its dataset declares.
        backbone: which timm model.
        size: (height, width) of the images in pixels.
        pretrained: whether to start from timm's weights.

    Raises:
        OsteonError: see `create_backbone` and `build_head`.
    """
    parts: Parts = {name: (task.head, targets[name]) for name, task in tasks.items()}
    return Model(create_backbone(backbone, size, pretrained), parts, backbone.options)


def head_key(task: str) -> str:
    """Return a name that a ModuleDict takes: no dots, and none of its own attributes such as `keys`."""
    return "task_" + task.replace("%", "%25").replace(".", "%2E")
