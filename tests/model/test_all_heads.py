"""Every head at once on one backbone: eight images are learned by heart, and the bundle's parts travel."""

import json

import numpy as np
import pytest
import torch
from tests.heads.cases import CASES

from osteon.backbone import create_backbone
from osteon.config import Backbone
from osteon.model import Labels, Model
from osteon.module.mixing import Blend

VALUES = {name: case.values(8, seed=4) for name, case in CASES.items()}


def built() -> Model:
    torch.manual_seed(0)
    spec = Backbone(name="test_resnet", pretrained=False, pretrained_path=None, options={})
    parts = {name: (case.spec, case.target) for name, case in CASES.items()}
    model = Model(create_backbone(spec, (64, 64), pretrained=False), parts, {})
    model.fit(VALUES)
    return model


def batch() -> tuple[torch.Tensor, Labels]:
    """Return eight images, each with a pattern of its own, and all their labels."""
    coarse = torch.randint(0, 256, (8, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    images = coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)
    targets = {name: case.encoded(8, seed=4) for name, case in CASES.items()}
    present = {name: torch.ones(values.shape, dtype=torch.bool) for name, values in targets.items()}
    return images, Labels(targets, present)


def test_eight_images_are_learned_by_heart_by_all_heads_together() -> None:
    model, (images, labels) = built(), batch()
    groups = [{"params": model.backbone.parameters(), "lr": 2e-3}, {"params": model.heads.parameters(), "lr": 1e-1}]
    optimizer = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [2e-3, 1e-1], 200)
    for _ in range(200):
        optimizer.zero_grad()
        losses = model.blended_losses(images, [labels]).values()
        torch.stack([found.total / found.count for found in losses]).sum().backward()
        optimizer.step()
        schedule.step()
    told = model.decode(model(images))  # in training mode: of these very images' statistics
    for name, values in VALUES.items():
        found = told[name]
        if CASES[name].target.kind == "regression":
            assert np.abs(found["value"] - values).max() < 12, name  # months of 240
        elif "probability" in found:
            np.testing.assert_array_equal(found["probability"] > 0.5, values == 1, name)
        else:
            np.testing.assert_array_equal(found["probabilities"].argmax(axis=1), values, name)


def test_spec_and_weights_are_all_that_a_model_is() -> None:
    model, (images, _) = built().eval(), batch()
    again = Model.from_spec(json.loads(json.dumps(model.spec()))).eval()
    again.load_state_dict(model.state_dict())
    with torch.inference_mode():
        one, two = model.decode(model(images)), again.decode(again(images))
    for name, columns in one.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(two[name][column], values)
    assert again.heads_by_task["l1"].state_dict()["mean"] == pytest.approx(VALUES["l1"].mean())


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_parts_of_a_blended_batch_add_up(parts: int) -> None:
    """Sums and counts of unequal parts are those of the whole, also where shares of two images count."""
    model, (images, labels) = built().eval(), batch()
    absent = {name: torch.rand(values.shape) < 0.6 for name, values in labels.targets.items()}
    blend = Blend(images, (Labels(labels.targets, absent, 0.3), Labels(labels.targets, labels.present, 0.7)))
    whole, counts = model.blended_losses(images, blend.labels), model.counts(blend.labels)
    found = [model.blended_losses(part.images, part.labels) for part in blend.parts(parts)]
    for name in CASES:
        torch.testing.assert_close(sum(part[name].total for part in found), whole[name].total, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(sum(part[name].count for part in found), counts[name])
