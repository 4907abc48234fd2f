import subprocess
import sys
import time

import pytest
import timm

from osteon.config.names import check_backbone_name, installed_names, listed_names
from osteon.errors import OsteonError


def test_list_agrees_with_the_installed_timm() -> None:
    # A newer timm may know more; what the package lists must exist, and most of timm must be listed.
    assert listed_names() <= set(installed_names())
    assert len(listed_names()) > 0.9 * len(installed_names())


def test_every_listed_name_has_an_entry_in_timm() -> None:
    architectures = [name for name in listed_names() if "." not in name]
    assert len(architectures) > 1000
    assert all(timm.is_model(name) for name in architectures)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("densnet121", "densenet121"),
        ("resnet18.a1_in2k", "resnet18.a1_in1k"),
        ("botnet50ts_256.tag", "Weights of 'botnet50ts_256': none"),
        ("hf-hub:timm/resnet18", "backbone.name"),
        ("resnet18.", "resnet18.tv_in1k"),
        ("", "Expected an architecture"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(name: str, says: str) -> None:
    with pytest.raises(OsteonError, match=r"^backbone\.name: timm has no model") as fault:
        check_backbone_name(name)
    assert says in str(fault.value)


def test_a_name_only_the_installed_timm_knows_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.config.names.listed_names", lambda: frozenset({"resnet18"}))
    check_backbone_name("densenet121.ra_in1k")


def test_a_known_name_imports_neither_timm_nor_torch() -> None:
    code = (
        "import sys; from osteon.config.names import check_backbone_name; check_backbone_name('densenet121.ra_in1k');"
        "sys.exit(bool({'timm', 'torch'} & set(sys.modules)))"
    )
    start = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    assert time.monotonic() - start < 5
