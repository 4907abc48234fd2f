"""Where `conf` lies, and Hydra's composition errors in our words. Imports Hydra only when asked."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError, nearest


def conf_dir() -> Path:
    """Return the folder of config files: inside the package (a wheel), else two folders up (a checkout).

    Raises:
        OsteonError: neither place holds `train.yaml`.
    """
    package = Path(__file__).resolve().parent
    places = [package / "conf", package.parents[1] / "conf"]
    for place in places:
        if (place / "train.yaml").is_file():
            return place
    raise OsteonError(f"conf/train.yaml: not found in {places[0]} or {places[1]}. Reinstall osteon.")


def config_options(words: Sequence[str]) -> list[str]:
    """Return the user's own folders (absolute) and files of settings, one word each: a resumed run composes of them."""
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        said = value if equals else following
        if option in ("--config-dir", "-cd"):
            found.append(f"--config-dir={Path(said).expanduser().absolute()}")
        if option in ("--config-name", "-cn"):
            found.append(f"--config-name={said}")
    return found


def composed(folder: Path, name: str, words: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a file with overrides, as plain containers with string keys at the top.

    Args:
        folder: of the file, absolute.
        name: without `.yaml`.
        words: overrides.

    Raises:
        OsteonError: a key or a file does not exist, in our words.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(folder), version_base="1.3"):
            found = OmegaConf.to_container(compose(name, list(words)), resolve=True)
    except Exception as fault:
        text = explain(fault, words)
        if text is None:
            raise
        raise OsteonError(text) from fault
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def explain(fault: Exception, words: Sequence[str]) -> str | None:
    """Put a Hydra or OmegaConf composition error in our words, with the nearest right name; None for other errors.

    Args:
        fault: what Hydra raised.
        words: the command line, to name the group that was given no file.
    """
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(fault, MissingConfigException):
        return _missing(fault.missing_cfg_file or "", fault.options or [], str(fault))
    if isinstance(fault, OverrideParseException):
        return _unread(str(fault.override))
    if isinstance(fault, ValueError) and "group override must be" in str(fault):
        return _no_file(words)
    cause = fault.__cause__ if isinstance(fault.__cause__, OmegaConfBaseException) else fault
    if isinstance(cause, OmegaConfBaseException):
        return _of_no_dataset(words) or _omegaconf(cause, str(fault))
    return _hydra(str(fault)) if isinstance(fault, HydraException) else None


def _unread(word: str) -> str:
    """Show how a word is written that Hydra cannot read: braces and regular expressions want quotes of their own."""
    key, equals, value = word.partition("=")
    if not (key and equals and value) or "'" in value or value.count("[") != value.count("]"):
        return f"{word}: is no setting; expected key=value, such as seed=1 or 'training.tta=[flip,scale]'."
    return f"{word}: its value has signs of Hydra's own grammar. Quote it twice, for the shell too: \"{key}='{value}'\""


def _of_no_dataset(words: Sequence[str]) -> str | None:
    """Say where a task's own dataset is set: `dataset.<key>` is only there once `dataset=<file>` swaps it."""
    said = {word.lstrip("+").partition("=")[0]: word.lstrip("+").partition("=")[2] for word in words}
    key = next((key for key in said if key.startswith("dataset.")), None)
    if key is None or "dataset" in said:
        return None
    task = said.get("task", "hip_fracture").strip("[]").partition(",")[0]
    return (
        f"{key}: no dataset is swapped here. Set the task's own with tasks.{task}.{key}={said[key]}, or name "
        f"another before: dataset=<file of conf/dataset> {key}={said[key]}"
    )


def _hydra(text: str) -> str:
    """Say in our words that a task is listed twice; other texts of Hydra stay."""
    twice = re.search(r"@tasks\.(\w+)\.\w+ appears more than once", text)
    return f"task: {twice[1]!r} is listed twice. Name each task once." if twice else text


def _missing(wanted: str, options: Sequence[str], text: str) -> str:
    group, _, name = wanted.rpartition("/")
    if not options:
        return text
    generic = " Any other timm model: backbone=timm backbone.name=<name>." if group == "backbone" else ""
    listed = ", ".join(sorted(options))
    return f"{group}: no file {name!r} in conf/{group}.{nearest(name, options)}{generic}\nThere are: {listed}"


def _no_file(words: Sequence[str]) -> str:
    """Name the group that was set to null (only `dataset` and `experiment` may be)."""
    group = next((word.partition("=")[0] for word in words if word.endswith(("=null", "="))), "a group")
    files = sorted(path.stem for path in (conf_dir() / group.lstrip("+~")).glob("*.yaml"))
    return f"{group}: found null, expected a file of conf/{group}. There are: {', '.join(files)}"


def _omegaconf(cause: Exception, text: str) -> str:
    key = str(getattr(cause, "full_key", "") or getattr(cause, "key", "") or "")
    parent = getattr(cause, "parent_node", None)
    try:
        options = [str(option) for option in parent] if parent is not None else []
    except Exception:  # the node at fault may itself not be readable
        options = []
    if "is not in struct" in str(cause):
        return f"{key}: no such key.{nearest(key.rpartition('.')[2], options)}"
    first = str(cause).splitlines()[0]
    return f"{key}: {first}" if key else text
