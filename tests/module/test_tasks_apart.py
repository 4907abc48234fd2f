"""Rows of one task have no part in what another task learns, unless batch norm lets them see one another."""

from collections.abc import Sequence

import pytest
import torch
from tests.heads.cases import CASES
from torch import Tensor, nn

from osteon.backbone import create_backbone
from osteon.config import Backbone, BinarySpec
from osteon.config.heads import DetectionSpec
from osteon.manifest.target import Target
from osteon.model import Labels, Model
from osteon.module.norms import batch_norms, freeze_norms, hold_norms, synchronise_norms

SIZE, OWN, OTHERS = (64, 64), 4, 3
A, B = CASES["softmax"], CASES["l1"]


def built(name: str) -> Model:
    torch.manual_seed(0)
    spec = Backbone(name=name, pretrained=False, pretrained_path=None, options={})
    boxes = Target("fractures", "boxes", ("fracture",))
    parts = {
        "grade": (A.spec, A.target),
        "age": (B.spec, B.target),
        "where": (DetectionSpec(kind="detection"), boxes),
        "broken": (BinarySpec(kind="binary"), Target("fracture")),
    }
    model = Model(create_backbone(spec, SIZE, pretrained=False), parts, {})
    model.heads_by_task["age"].fit(B.values(20))
    return model.train()


def batch(task: str, rows: int) -> tuple[Tensor, Labels]:
    """Return the first rows of one batch: those of `task`, then those of the three other tasks."""
    coarse = torch.randint(0, 256, (OWN + OTHERS, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    images = coarse.to(torch.uint8).repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    mine = torch.arange(OWN + OTHERS) < OWN
    box = torch.tensor([[[8.0, 8.0, 40.0, 48.0, 0.0]]]).repeat(OWN + OTHERS, 1, 1)
    targets = {
        "grade": A.encoded(OWN + OTHERS),
        "age": B.encoded(OWN + OTHERS),
        "where": box,
        "broken": torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
    }
    own = {name: (mine if name == task else ~mine) for name in targets}
    present = {
        name: own[name].reshape(-1, *[1] * (values.ndim - 1)).expand(values.shape) for name, values in targets.items()
    }
    return images[:rows], Labels(targets, present).rows(0, rows)


def learned(model: Model, task: str, rows: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the task's loss and its gradient for the backbone and its head."""
    images, labels = batch(task, rows)
    model.zero_grad()
    loss = model.blended_losses(images, [labels])[task].total
    loss.backward()
    wanted = [(name, p) for name, p in model.backbone.named_parameters()]
    wanted += [(name, p) for name, p in model.heads_by_task[task].named_parameters()]
    return loss.detach(), {name: p.grad.clone() for name, p in wanted if p.grad is not None}


def differ(model: Model, task: str) -> float:
    """Return the largest difference, relative to the largest gradient, that the others' rows make."""
    (alone, before), (beside, after) = (learned(model, task, rows) for rows in (OWN, OWN + OTHERS))
    scale = max(float(value.abs().max()) for value in before.values())
    found = max(float((after[name] - value).abs().max()) for name, value in before.items())
    return max(float((alone - beside).abs() / alone.abs()), found / scale)


@pytest.mark.parametrize("task", ["grade", "age", "where", "broken"])
@pytest.mark.parametrize("name", ["test_convnext", "test_vit"])
def test_without_batch_norm_a_task_learns_as_if_alone(name: str, task: str) -> None:
    assert differ(built(name), task) < 1e-5


@pytest.mark.parametrize("task", ["grade", "where"])
def test_with_batch_norm_it_does_not_until_that_is_frozen(task: str) -> None:
    model = built("test_resnet")
    assert differ(model, task) > 1e-3
    assert freeze_norms(model) > 0
    model.train()
    hold_norms(model)
    assert differ(model, task) < 1e-5


@pytest.mark.parametrize("name", ["grade", "age", "broken"])
def test_a_heads_gradient_for_its_features_is_that_of_its_rows_alone(name: str) -> None:
    head = built("test_vit").heads_by_task[name]
    vector = torch.randn(OWN + OTHERS, 64, generator=torch.Generator().manual_seed(2))[:, : _width(head)]
    found = []
    for rows in (OWN, OWN + OTHERS):
        _, labels = batch(name, rows)
        seen = vector[:rows].clone().requires_grad_()
        loss = head.loss(head([], seen), labels.targets[name], labels.present[name])
        loss.total.backward()
        assert seen.grad is not None
        found.append((loss.total.detach(), loss.count, seen.grad))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=0.0)
    assert found[0][1] == found[1][1] == OWN
    torch.testing.assert_close(found[1][2][:OWN], found[0][2], rtol=1e-5, atol=1e-7)
    assert not found[1][2][OWN:].any()


def _width(head: nn.Module) -> int:
    return next(p.shape[1] for p in head.parameters() if p.ndim == 2)


@pytest.mark.parametrize("name", ["test_resnet", "densenet121", "efficientnet_b0"])
def test_shared_batch_norm_says_the_same_and_keeps_its_activation(name: str) -> None:
    """torch's own converter drops the activation inside timm's batch norm: densenet would answer otherwise."""
    spec = Backbone(name=name, pretrained=False, pretrained_path=None, options={})
    torch.manual_seed(0)
    model = Model(create_backbone(spec, SIZE, pretrained=False), {"grade": (A.spec, A.target)}, {}).eval()
    images, keys = batch("grade", OWN)[0], list(model.state_dict())
    with torch.inference_mode():
        before = model(images)["grade"]
        shared = synchronise_norms(model)
        assert torch.equal(shared(images)["grade"], before)
    assert list(shared.state_dict()) == keys
    norms: Sequence[nn.Module] = list(batch_norms(shared))
    assert norms
    assert all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
