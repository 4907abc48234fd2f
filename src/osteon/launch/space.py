"""A search space: from what a sweep file or the command line says to Optuna's distributions, and back to overrides."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from osteon.errors import OsteonError
from osteon.launch.setting import Setting

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

BOUNDS = {"low", "high"}
MORE = {"log", "step"}


def flat(space: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return key of a setting -> its values or bounds; keys may be nested or written with dots.

    A setting that is null is left out: a file that builds on another takes it out of the other's space so.
    """
    found: dict[str, Any] = {}
    for key, value in space.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and not set(value) & (BOUNDS | MORE):
            found |= flat(value, name)
        else:
            found[name] = value
    return found if path else {name: value for name, value in found.items() if value is not None}


def distribution(key: str, said: Any) -> "BaseDistribution":
    """Return the distribution of one setting.

    Raises:
        OsteonError: names the key, what was found and what was expected.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(said, Sequence) and not isinstance(said, str) and len(said):
        return CategoricalDistribution([_plain(key, value) for value in said])
    if not isinstance(said, Mapping) or not set(said) >= BOUNDS or set(said) - BOUNDS - MORE:
        raise OsteonError(
            f"sweep.space.{key}: found {said!r}, expected a list of values, or low and high (with log or step)."
        )
    numbers = [said["low"], said["high"], *([said["step"]] if said.get("step") is not None else [])]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise OsteonError(f"sweep.space.{key}: found {dict(said)}, expected numbers.")
    whole = all(isinstance(number, int) for number in numbers)
    options: dict[str, Any] = {name: said[name] for name in MORE if said.get(name) is not None}
    try:
        return (IntDistribution if whole else FloatDistribution)(said["low"], said["high"], **options)
    except ValueError as fault:
        raise OsteonError(f"sweep.space.{key}: {dict(said)}: {fault}") from fault


def _plain(key: str, value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise OsteonError(
        f"sweep.space.{key}: found {value!r} among its values, expected text, numbers, true, false or null."
    )


def from_words(arguments: Sequence[str], loader: Any) -> tuple[dict[str, "BaseDistribution"], list[str]]:
    """Return what the command line sweeps over (`a,b`, `choice`, `range`, `interval`, `tag(log, ...)`), and its rest.

    Raises:
        OsteonError: a range is empty.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import IntervalSweep, RangeSweep

    swept: dict[str, BaseDistribution] = {}
    fixed = []
    for one in OverridesParser.create(config_loader=loader).parse_overrides(list(arguments)):
        key, value = one.get_key_element(), one.value()
        if not one.is_sweep_override():
            fixed.append(one.input_line or "")
        elif isinstance(value, IntervalSweep):
            bounds: dict[str, Any] = {"low": value.start, "high": value.end, "log": "log" in value.tags}
            swept[key] = distribution(key, bounds)
        elif isinstance(value, RangeSweep) and value.start is not None and value.stop is not None:
            said = list(value.range())  # without its end, as a grid of the same words has it
            if not said:
                raise OsteonError(f"{one.input_line}: an empty range, there is nothing to search.")
            swept[key] = distribution(key, {"low": min(said), "high": max(said), "step": abs(value.step)})
        else:
            swept[key] = distribution(key, list(one.sweep_string_iterator()))
    return swept, fixed


def words(params: Mapping[str, Any]) -> list[str]:
    """Return the overrides of a trial's parameters."""
    return [f"{key}={_text(value)}" for key, value in params.items()]


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if isinstance(value, float) else str(value)


def check_space(setting: Setting, base: Sequence[str], space: Mapping[str, "BaseDistribution"]) -> None:
    """Compose both ends, or every value, of each setting before any trial starts.

    Raises:
        OsteonError: names the setting that does not exist or cannot have such a value.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from osteon.compose import explain

    if not space:
        raise OsteonError("sweep.space: is empty, there is nothing to search. Give settings with values or bounds.")
    for key, found in space.items():
        for value in ends(found):
            word = words({key: value})
            try:
                setting.composed([*base, *word])
            except OsteonError as fault:
                raise OsteonError(f"sweep.space.{key}: {fault}") from fault
            except (HydraException, OmegaConfBaseException) as fault:
                raise OsteonError(f"sweep.space.{key}: {explain(fault, word) or fault}") from fault


def ends(found: "BaseDistribution") -> list[Any]:
    """Return all values of a choice, else the lowest and the highest."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(found, CategoricalDistribution):
        return list(found.choices)
    assert isinstance(found, FloatDistribution | IntDistribution)
    return [found.low, found.high] if found.low != found.high else [found.low]


def grid_size(space: Mapping[str, "BaseDistribution"]) -> int:
    """Return how many points a grid has.

    Raises:
        OsteonError: a setting has no finite set of values.
    """
    size = 1
    for values in grid_values(space).values():
        size *= len(values)
    return size


def grid_values(space: Mapping[str, "BaseDistribution"]) -> dict[str, list[Any]]:
    """Return the values of every setting.

    Raises:
        OsteonError: a setting has bounds without a step.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, list[Any]] = {}
    for key, one in space.items():
        if isinstance(one, CategoricalDistribution):
            found[key] = list(one.choices)
        elif isinstance(one, IntDistribution) and not one.log:
            found[key] = list(range(one.low, one.high + 1, one.step))
        elif isinstance(one, FloatDistribution) and one.step:
            count = round((one.high - one.low) / one.step) + 1
            found[key] = [one.low + place * one.step for place in range(count)]
        else:
            raise OsteonError(f"sweep.space.{key}: a grid needs values, found bounds. Give a list, or a step.")
    return found
