"""Is a backbone's name one of timm's? Answered from a list in the package, so that a typo costs no import of torch.

After an upgrade of timm the list is written anew by `python -m osteon.config.names`.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from osteon.errors import OsteonError, nearest
from osteon.files import write_text

LIST = "timm_names.txt"
# Stands in a backbone's place, and is none: see `osteon.run.floor`.
RIDGE = "ridge"


@cache
def listed_names() -> frozenset[str]:
    """Return the names kept in the package: architectures (`densenet121`) and weights (`densenet121.ra_in1k`)."""
    lines = files("osteon.config").joinpath(LIST).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line)


def check_backbone_name(name: str) -> None:
    """Refuse a name that neither the package's list nor the installed timm knows.

    timm is imported only for a name that the list lacks (about 5 s, once).

    Raises:
        OsteonError: names `backbone.name`, what was found and the nearest right names.
    """
    if name == RIDGE or name in listed_names() or name in _installed():
        return
    architecture = name.partition(".")[0]
    if architecture in listed_names():
        tags = sorted(known for known in listed_names() if known.startswith(f"{architecture}."))
        hint = f" Weights of {architecture!r}: {', '.join(tags) or 'none'}."
    else:
        hint = nearest(name, listed_names()) or nearest(architecture, listed_names())
    raise OsteonError(
        f"backbone.name: timm has no model {name!r}.{hint} "
        "Expected an architecture, or architecture.weights as `timm.list_models(pretrained=True)` prints them."
    )


def installed_names() -> list[str]:
    """Return the architectures and weights of the installed timm, sorted (imports torch)."""
    import timm

    return sorted({*timm.list_models(), *timm.list_models(pretrained=True)})


@cache
def _installed() -> frozenset[str]:
    return frozenset(installed_names())


if __name__ == "__main__":
    write_text(Path(__file__).with_name(LIST), "\n".join(installed_names()) + "\n")
