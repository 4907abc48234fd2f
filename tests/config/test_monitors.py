import pytest

from osteon.config.monitors import MONITORS, check_monitor
from osteon.errors import OsteonError
from osteon.scoring.metrics import METRICS


@pytest.mark.parametrize("head", MONITORS)
def test_names_are_those_of_the_registry(head: str) -> None:
    assert sorted(MONITORS[head]) == sorted(
        name for name, metric in METRICS.items() if head in metric.heads and metric.monitored
    )


def test_recall_of_a_class_is_known_to_multiclass_only() -> None:
    check_monitor("k", "recall_3", "multiclass")
    with pytest.raises(OsteonError, match="k: a binary head has no score 'recall_3'"):
        check_monitor("k", "recall_3", "binary")
