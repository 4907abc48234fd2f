"""From a composed container to a `Config`, or to an error that names key, value and the nearest right name."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from osteon.config.contradictions import check_training
from osteon.config.launching import Launching
from osteon.config.monitors import check_rule
from osteon.config.schema import Config
from osteon.config.specs import DatasetSpec
from osteon.config.strict import Strict
from osteon.errors import OsteonError, nearest

EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a group of settings",
    "model_attributes_type": "a group of settings",
}


def check_config(composed: Mapping[str, Any]) -> Config:
    """Validate a composed, resolved container and move a top-level `dataset` into its only task.

    Raises:
        OsteonError: one line a fault: key, value found, what was expected, nearest right name.
    """
    try:
        config = Config.model_validate(dict(composed))
    except ValidationError as fault:
        raise OsteonError("\n".join(_lines(fault))) from None
    config = _swap_dataset(config)
    check_training(config)
    for name, task in config.tasks.items():
        check_rule(f"tasks.{name}.threshold_rule", task.threshold_rule, task.head.kind)
    return config


def checked(composed: Mapping[str, Any]) -> Config:
    """Validate a composed container that also says how runs are launched (`check_launch`).

    Raises:
        OsteonError: as `check_config`.
    """
    return check_config({key: value for key, value in composed.items() if key not in Launching.model_fields})


def check_launch(composed: Mapping[str, Any]) -> Launching:
    """Validate what a composed container says of launching runs: `launch`, `sweep`, `ablation`.

    Raises:
        OsteonError: as `check_config`.
    """
    try:
        return Launching.model_validate({key: composed[key] for key in Launching.model_fields if key in composed})
    except ValidationError as fault:
        raise OsteonError("\n".join(_lines(fault, Launching))) from None


def check_dataset(composed: Mapping[str, Any]) -> DatasetSpec:
    """Validate the composed settings of one dataset.

    Raises:
        OsteonError: as `check_config`; the keys are named `dataset.<key>`.
    """
    try:
        return _Chosen.model_validate({"dataset": dict(composed)}).dataset
    except ValidationError as fault:
        raise OsteonError("\n".join(_lines(fault))) from None


class _Chosen(Strict):
    dataset: DatasetSpec


def _swap_dataset(config: Config) -> Config:
    if config.dataset is None:
        return config
    if len(config.tasks) > 1:
        keys = ", ".join(f"dataset@tasks.{name}.dataset={config.dataset.name}" for name in config.tasks)
        raise OsteonError(f"dataset: swaps the dataset of a single task, found {len(config.tasks)} tasks. Use {keys}")
    tasks = {name: task.model_copy(update={"dataset": config.dataset}) for name, task in config.tasks.items()}
    return config.model_copy(update={"tasks": tasks, "dataset": None})


def _lines(fault: ValidationError, root: Any = Config) -> list[str]:
    """Return one line a fault; what the members of a union each expected is joined by "or"."""
    found: dict[str, list[str]] = {}
    for error in fault.errors():
        head, said, expected = _line(_path(error["loc"], root), error, root).partition(", expected ")
        found.setdefault(head + said, [])
        if expected not in found[head + said]:
            found[head + said].append(expected)
    return [
        head + " or ".join(part.rstrip(".") if i < len(e) - 1 else part for i, part in enumerate(e))
        for head, e in found.items()
    ]


def _line(path: str, error: Any, root: Any) -> str:
    kind, found = error["type"], error["input"]
    if kind == "extra_forbidden":
        return f"{path}: no such key.{nearest(str(error['loc'][-1]), _siblings(error['loc'], root))}"
    if kind == "missing":
        return f"{path}: missing. Give it a value."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        if path == "dataset" and isinstance(found, Mapping) and "kind" not in found:
            return (
                "dataset: no dataset is swapped here. Set the task's own with tasks.<task>.dataset.<key>=<value>, or "
                "name another before: dataset=<file of conf/dataset>"
            )
        context = error.get("ctx", {})
        tag = str(context.get("tag", "nothing"))
        expected = str(context.get("expected_tags", "a kind"))
        return (
            f"{path}.kind: found {tag!r}, expected {expected}.{nearest(tag, expected.replace(chr(39), '').split(', '))}"
        )
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        options = expected.replace("'", "").replace(" or ", ", ").split(", ")
        return f"{path}: found {found!r}, expected {expected}.{nearest(str(found), options)}"
    if kind == "value_error":
        return f"{path or 'config'}: {error['ctx']['error']}"
    if kind in ("too_short", "too_long"):
        bounds = error["ctx"]
        return f"{path}: found {_shown(found)}, expected {bounds.get('min_length', bounds.get('max_length'))} values."
    message = error["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"{path}: found {_shown(found)}, expected {EXPECTED.get(kind, message)}."


def _shown(found: Any) -> str:
    return "a group of settings" if isinstance(found, Mapping) else repr(found)


def _path(loc: tuple[Any, ...], root: Any) -> str:
    """Join a location as a key path; the tags that pydantic adds for union members are left out."""
    model: Any = root
    kept: list[str] = []
    for part in loc:
        following = _step(model, part)
        if following is None and kept and _is_union_tag(model, part):
            model = _member(model, part)
            continue
        kept.append(str(part))
        model = following
    return ".".join(kept)


def _siblings(loc: tuple[Any, ...], root: Any) -> list[str]:
    model: Any = root
    for part in loc[:-1]:
        model = _member(model, part) if _is_union_tag(model, part) else _step(model, part)
    return list(model.model_fields) if _is_model(model) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _step(model: Any, part: Any) -> Any:
    """Return the annotation found under `part` of a model or of a mapping of models."""
    if _is_model(model):
        field = model.model_fields.get(part)
        return _unwrap(field.annotation) if field else None
    arguments = get_args(model)
    return _unwrap(arguments[1]) if len(arguments) == 2 and arguments[0] is str else None


def _unwrap(annotation: Any) -> Any:
    """Strip Annotated and Optional."""
    arguments = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _unwrap(arguments[0])
    rest = [argument for argument in arguments if argument is not type(None)]
    return _unwrap(rest[0]) if len(rest) == 1 and len(arguments) == 2 and rest != [str] else annotation


def _members(union: Any) -> dict[str, Any]:
    members = [_unwrap(member) for member in get_args(union)]
    return {
        get_args(m.model_fields["kind"].annotation)[0]: m for m in members if _is_model(m) and "kind" in m.model_fields
    }


def _is_union_tag(union: Any, part: Any) -> bool:
    """Tell whether `part` is a name that pydantic put into the location for a union member, not a key."""
    if part in _members(union):
        return True
    return not _is_model(union) and _step(union, part) is None and bool(get_args(union)) and not isinstance(part, int)


def _member(union: Any, part: Any) -> Any:
    return _members(union).get(part, union)
