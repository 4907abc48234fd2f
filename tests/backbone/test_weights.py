import hashlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants as hub
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from osteon.backbone import BackboneModule, create_backbone
from osteon.config import Backbone
from osteon.errors import OsteonError

torch.set_num_threads(1)  # two tests at once on two cores would wait for each other's threads

WAYS = ("backbone.pretrained_path", "HF_HUB_OFFLINE", "backbone.pretrained=false")


def build(path: Path | None, name: str = "resnet18", pretrained: bool = True, size: int = 64) -> BackboneModule:
    spec = Backbone(name=name, pretrained=None, pretrained_path=str(path) if path else None, options={})
    return create_backbone(spec, (size, size), pretrained)


def colour_model(name: str = "resnet18", **options: object) -> dict[str, Tensor]:
    """The state dict of a model as published: three channels, 1000 classes, no zero anywhere."""
    torch.manual_seed(7)
    model = timm.create_model(name, **options)
    return {key: value + 0.01 if value.is_floating_point() else value for key, value in model.state_dict().items()}


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and a hub that nobody answers at, whatever network this machine has."""
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        hub, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "hub"


@pytest.mark.parametrize("offline", [False, True])
def test_no_network_is_an_error_with_the_ways_out_within_seconds(
    hub_cache: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", offline)
    start = time.monotonic()
    with pytest.raises(OsteonError, match=r"resnet18\.a1_in1k could not be fetched") as fault:
        build(None)
    assert time.monotonic() - start < 5
    assert all(way in str(fault.value) for way in WAYS)


def test_a_hub_that_never_answers_is_given_up(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(hub, "ENDPOINT", address)
        monkeypatch.setattr(hub, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr("osteon.backbone.weights.TIMEOUT", 0.5)
        start = time.monotonic()
        with pytest.raises(OsteonError, match="could not be fetched"):
            build(None)
        assert 0.4 < time.monotonic() - start < 5


def test_weights_at_an_address_fail_as_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    cfg = timm.get_pretrained_cfg("legacy_xception")
    monkeypatch.setattr(cfg, "url", "http://127.0.0.1:9/xception.pth")
    monkeypatch.setattr("timm.models._builder.get_pretrained_cfg", lambda *_, **__: cfg)
    with pytest.raises(OsteonError, match=r"legacy_xception\.tf_in1k could not be loaded") as fault:
        build(None, "legacy_xception", size=96)
    assert all(way in str(fault.value) for way in WAYS)
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("offline", [False, True])
def test_a_filled_hub_cache_is_enough(hub_cache: Path, monkeypatch: pytest.MonkeyPatch, offline: bool) -> None:
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", offline)
    state, folder = colour_model(), hub_cache / "models--timm--resnet18.a1_in1k"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    save_file(state, folder / "snapshots" / "abc" / "model.safetensors")
    backbone = build(None)
    assert backbone.weights == "resnet18.a1_in1k"
    assert torch.equal(backbone.network.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])


@pytest.mark.parametrize("name", ["botnet50ts_256", "regnetz_005", "coatnet_0_224"])
def test_a_name_without_weights_is_refused(name: str) -> None:
    with pytest.raises(OsteonError, match=f"no pretrained weights for '{name}'") as fault:
        build(None, name)
    assert "backbone.pretrained=false" in str(fault.value)


@pytest.mark.parametrize(
    ("suffix", "save"),
    [
        (".safetensors", save_file),
        (".pth", torch.save),
        (".bin", torch.save),
        (".pt", lambda state, path: torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, path)),
    ],
)
def test_a_file_is_folded_to_one_channel_and_named(
    tmp_path: Path, suffix: str, save: Callable[[dict[str, Tensor], Path], None]
) -> None:
    path, state = tmp_path / f"mine{suffix}", colour_model()
    save(state, path)
    backbone = build(path, pretrained=False)
    assert backbone.weights == f"file:mine{suffix}:{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    torch.testing.assert_close(backbone.network.conv1.weight, state["conv1.weight"].sum(1, keepdim=True))
    assert torch.equal(backbone.network.bn1.running_mean, state["bn1.running_mean"])
    assert "100.0%" in backbone.report
    assert "ignored" not in backbone.report


def test_a_grey_image_is_seen_as_the_colour_model_sees_it(tmp_path: Path) -> None:
    """With equal mean and sd a channel, folding is exact: the same vector as from three equal channels."""
    path, name = tmp_path / "m.pth", "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    colour = timm.create_model(name, num_classes=0, img_size=64).eval()
    torch.save(colour.state_dict(), path)
    backbone = build(path, name).eval()
    images = torch.randint(0, 256, (2, 1, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        expected = colour(((images / 255 - 0.5) / 0.5).repeat(1, 3, 1, 1))
        torch.testing.assert_close(backbone(images).vector, expected, rtol=1e-4, atol=1e-5)


def test_a_one_channel_file_of_another_size_is_taken(tmp_path: Path) -> None:
    """Our own ViT at 96 px serves one at 64: timm resizes the position embedding."""
    path = tmp_path / "vit.pth"
    torch.save(colour_model("vit_tiny_patch16_224", in_chans=1, img_size=96, num_classes=0), path)
    assert "100.0%" in build(path, "vit_tiny_patch16_224").report


def test_missing_keys_are_reported_and_too_many_refused(tmp_path: Path) -> None:
    state = colour_model()
    path = tmp_path / "part.pth"
    torch.save({key: value for key, value in state.items() if not key.startswith(("bn1", "layer1"))}, path)
    assert "not in the weights: bn1.weight, bn1.bias, bn1.running_mean and" in build(path).report
    torch.save({key: value for key, value in state.items() if not key.startswith("layer4")}, path)
    with pytest.raises(OsteonError, match=r"do not fit resnet18.*Expected at least 90%"):
        build(path)


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("exit 1",)


def test_a_file_never_runs_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr("os.system", ran.append)
    torch.save({"state_dict": colour_model(), "extra": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(OsteonError, match="or holds more than weights"):
        build(tmp_path / "evil.pth")
    assert not ran


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("other.pth", {"conv.weight": torch.ones(3)}, "do not fit resnet18"),
        ("list.pth", [1, 2], "could not be loaded"),
        ("number.pth", {"x": 1}, "do not fit resnet18"),
        ("garbage.pth", b"not a checkpoint", "is damaged"),
        ("garbage.safetensors", b"\xff" * 64, "could not be loaded"),
        ("empty.safetensors", b"", "could not be loaded"),
        ("model.onnx", b"x", "is not one of"),
        ("absent.pth", None, "no file at"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(tmp_path: Path, name: str, content: object, says: str) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(OsteonError, match=says) as fault:
        build(path)
    assert "backbone.pretrained_path" in str(fault.value)
    assert name in str(fault.value)


def test_weights_of_another_shape_or_with_nan_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.pth"
    torch.save(colour_model("resnet34") | {"layer1.0.conv1.weight": torch.ones(1, 2, 3, 3)}, path)
    with pytest.raises(OsteonError, match="could not be loaded into resnet18"):
        build(path)
    torch.save({key: value * torch.nan for key, value in colour_model().items()}, path)
    with pytest.raises(OsteonError, match="NaN"):
        build(path)


def test_a_path_with_pretrained_false_is_a_contradiction() -> None:
    spec = Backbone(name="resnet18", pretrained=False, pretrained_path="x.pth", options={})
    with pytest.raises(OsteonError, match="contradict"):
        create_backbone(spec, (64, 64), pretrained=False)


def test_an_unknown_option_is_blamed_also_when_weights_are_loaded(tmp_path: Path) -> None:
    torch.save(colour_model(), tmp_path / "m.pth")
    spec = Backbone(name="resnet18", pretrained=None, pretrained_path=str(tmp_path / "m.pth"), options={"foo": 1})
    with pytest.raises(OsteonError, match=r"backbone\.options"):
        create_backbone(spec, (64, 64), pretrained=True)
    assert torch.nn.Module.load_state_dict.__qualname__ == "Module.load_state_dict"
