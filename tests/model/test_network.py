import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from tests.two_ranks import on_two_ranks

from osteon.config import Backbone, BinarySpec, MulticlassSpec, MuraSpec, Task
from osteon.errors import OsteonError
from osteon.heads import BinaryHead, MulticlassHead
from osteon.manifest.target import Target
from osteon.model import Model, build_model

NAME = "mobilenetv3_small_050"
TARGETS = {"a": Target("fracture"), "b.c": Target("grade", "multiclass", ("0", "1", "2"))}


def task(head: BinarySpec | MulticlassSpec) -> Task:
    return Task(meaning="x", dataset=MuraSpec(kind="mura"), target="x", head=head)


def spec(name: str = NAME) -> Backbone:
    return Backbone(name=name, pretrained=None, pretrained_path=None, options={"drop_rate": 0.0})


def built(name: str = NAME, size: tuple[int, int] = (64, 64)) -> Model:
    torch.manual_seed(0)
    tasks = {"a": task(BinarySpec(kind="binary")), "b.c": task(MulticlassSpec(kind="multiclass", dropout=0.5))}
    return build_model(tasks, TARGETS, spec(name), size, pretrained=False)


@pytest.fixture(scope="module")
def shared() -> Model:
    return built()


@pytest.fixture
def model(shared: Model) -> Model:
    return copy.deepcopy(shared)


def pixels(rows: int = 4, size: int = 64) -> torch.Tensor:
    return torch.randint(0, 256, (rows, 1, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_answers_every_task_in_order(model: Model) -> None:
    outputs = model.eval()(pixels())
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {"a": (4, 1), "b.c": (4, 3)}
    decoded = model.decode(outputs)
    assert decoded["a"]["probability"].shape == (4,)
    np.testing.assert_allclose(decoded["b.c"]["probabilities"].sum(axis=1), 1)
    assert isinstance(model.heads_by_task["a"], BinaryHead)
    assert isinstance(model.heads_by_task["b.c"], MulticlassHead)


def test_losses_are_sums_over_the_rows_of_each_task(model: Model) -> None:
    model.eval()
    targets = {"a": torch.tensor([1.0, 0, torch.nan, 1]), "b.c": torch.tensor([torch.nan, 2, 0, torch.nan])}
    present = {name: ~values.isnan() for name, values in targets.items()}
    losses, decoded = model.losses(pixels(), targets, present), model.decode(model(pixels()))
    assert {name: part.count.item() for name, part in losses.items()} == {"a": 3, "b.c": 2}
    binary = 3 * log_loss([1, 0, 1], decoded["a"]["probability"][[0, 1, 3]], labels=[0, 1])
    classes = 2 * log_loss([2, 0], decoded["b.c"]["probabilities"][1:3], labels=[0, 1, 2])
    assert losses["a"].total.item() == pytest.approx(binary, rel=1e-4)
    assert losses["b.c"].total.item() == pytest.approx(classes, rel=1e-4)


LABELS = {
    "both": {"a": [1.0, 0, 1, 0], "b.c": [0.0, 1, 2, 0]},
    "one": {"a": [1.0, 0, 1, 0], "b.c": [torch.nan] * 4},
    "none": {"a": [torch.nan] * 4, "b.c": [torch.nan] * 4},
    "a task missing": {"b.c": [0.0, 1, 2, 0]},
    "no task": {},
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_every_parameter_has_a_finite_gradient_whatever_the_labels(
    model: Model, labels: dict[str, list[float]]
) -> None:
    targets = {name: torch.tensor(values) for name, values in labels.items()}
    losses = model.losses(pixels(), targets, {name: ~values.isnan() for name, values in targets.items()})
    total = torch.stack([part.total / part.count.clamp(min=1) for part in losses.values()]).sum()
    total.backward()
    assert list(losses) == ["a", "b.c"]
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "vit_tiny_patch16_224",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("densenet121", "convnext_atto", "inception_v3")),
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("swin_tiny_patch4_window7_224", "legacy_xception")),
    ],
)
def test_no_family_leaves_a_parameter_unused(name: str) -> None:
    model = built(name, (96, 96))
    losses = model.losses(pixels(2, 96), {"a": torch.ones(2)}, {"a": torch.ones(2, dtype=torch.bool)})
    torch.stack([part.total for part in losses.values()]).sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


def test_overfits_eight_images(model: Model) -> None:
    """Eight images of noise, random labels: the loss reaches nearly nothing, and both heads tell all eight."""
    images = pixels(8)
    targets = {"a": torch.tensor([0.0, 1, 0, 1, 1, 0, 0, 1]), "b.c": torch.tensor([0.0, 1, 2, 0, 1, 2, 0, torch.nan])}
    present = {name: ~values.isnan() for name, values in targets.items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    first = last = 0.0
    for step in range(60):
        losses = model.losses(images, targets, present)
        total = torch.stack([part.total / part.count for part in losses.values()]).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        first, last = (total.item(), total.item()) if step == 0 else (first, total.item())
    assert last < 0.1 * first
    with torch.no_grad():
        decoded = model.train()(images)  # BatchNorm's running values lag 60 steps behind
    found = model.decode(decoded)
    np.testing.assert_array_equal(found["a"]["probability"] > 0.5, targets["a"] == 1)
    np.testing.assert_array_equal(found["b.c"]["probabilities"].argmax(axis=1)[:7], targets["b.c"][:7])


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 1, 64, 64),
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8),
        torch.zeros(2, 64, 64, dtype=torch.uint8),
        torch.zeros(2, 1, 64, 64, dtype=torch.int32),
    ],
)
def test_anything_but_one_channel_of_uint8_is_refused(model: Model, images: torch.Tensor) -> None:
    with pytest.raises(OsteonError, match=r"\(B, 1, H, W\) uint8"):
        model(images)


def test_a_diverged_output_names_its_task(model: Model) -> None:
    with pytest.raises(OsteonError, match=r"tasks\.b\.c: multiclass head"):
        model.decode({"b.c": torch.full((2, 3), torch.nan)})


NAMES = ["", ".", "a.b", "a%2Eb", "keys", "type", "training", "Hüfte 1", "task_a", "a/b"]


def test_any_task_name_is_a_module_of_its_own(model: Model) -> None:
    parts = {name: (BinarySpec(kind="binary"), Target("x")) for name in NAMES}
    odd = Model(model.backbone, parts, {})
    assert list(odd.heads_by_task) == NAMES
    assert len({id(head) for head in odd.heads_by_task.values()}) == len(NAMES)
    assert len([key for key in odd.state_dict() if key.endswith("linear.weight")]) == len(NAMES)


def test_without_a_task_there_is_no_model(model: Model) -> None:
    with pytest.raises(OsteonError, match="at least one"):
        Model(model.backbone, {}, {})


def test_plain_containers_rebuild_it_without_a_download(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"spec": model.spec(), "state": model.state_dict()}, tmp_path / "m.pt")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("went to the network"))
    kept = torch.load(tmp_path / "m.pt", weights_only=True)
    again = Model.from_spec(kept["spec"])
    again.load_state_dict(kept["state"])
    assert again.spec() == model.spec()
    for name, output in model.eval()(pixels()).items():
        assert torch.equal(again.eval()(pixels())[name], output)


DDP = """
import sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from tests.test_model import built, pixels

torch.set_num_threads(1)  # two tests at once on two cores would wait for each other's threads
class Step(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.model = built()
    def forward(self, images, targets, present):
        return sum(part.total for part in self.model.losses(images, targets, present).values())
dist.init_process_group("gloo")
rank, step = dist.get_rank(), DistributedDataParallel(Step())
for turn in range(3):
    here = ["a", "b.c"][(rank + turn) % 2]
    step(pixels(), {here: torch.ones(4)}, {here: torch.ones(4, dtype=torch.bool)}).backward()
open(f"{sys.argv[1]}/done{rank}", "w").close()
"""


@pytest.mark.slow
def test_ranks_with_labels_of_different_tasks_do_not_hang(project: Path, tmp_path: Path) -> None:
    on_two_ranks(DDP, project, tmp_path)
