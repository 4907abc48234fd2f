import pytest

from osteon.config.monitors import MONITORS, check_monitor, check_rule
from osteon.errors import OsteonError
from osteon.scoring.metrics import METRICS


@pytest.mark.parametrize("head", MONITORS)
def test_names_are_those_of_the_registry(head: str) -> None:
    assert sorted(MONITORS[head]) == sorted(
        name for name, metric in METRICS.items() if head in metric.heads and metric.monitored
    )


def test_average_precision_of_a_class_is_known_to_detection_only() -> None:
    check_monitor("k", "ap50_text", "detection")
    with pytest.raises(OsteonError, match="a binary head has no score"):
        check_monitor("k", "ap50_text", "binary")


def test_recall_of_a_class_is_known_to_multiclass_only() -> None:
    check_monitor("k", "recall_3", "multiclass")
    with pytest.raises(OsteonError, match="k: a binary head has no score 'recall_3'"):
        check_monitor("k", "recall_3", "binary")


@pytest.mark.parametrize(("rule", "head"), [("max_f1", "detection"), ("fp_0.5", "detection"), ("youden", "binary")])
def test_rules_that_fit(rule: str, head: str) -> None:
    check_rule("k", rule, head)


@pytest.mark.parametrize(
    ("rule", "head", "message"),
    [
        ("youden", "detection", r"k: 'youden' is no rule of a detection head. Expected max_f1 or fp_<x>"),
        ("max_f1", "binary", r"k: 'max_f1' is no rule of a binary head. Expected youden"),
        ("fp_1", "ordinal", "no rule of a ordinal head"),
        ("fp_0", "detection", "with x above 0"),
    ],
)
def test_rules_of_another_head(rule: str, head: str, message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check_rule("k", rule, head)
