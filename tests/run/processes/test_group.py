"""Ranks that would train something else than rank 0 are named before anything is trained."""

import pytest

from osteon.errors import OsteonError
from osteon.run.processes.group import check_alike, gathered

SAID = {"optimizer.lr": 0.001, "seed": 0, "settings and images": "3fa9"}


def test_ranks_that_say_the_same_train() -> None:
    check_alike([SAID, dict(SAID)])
    assert gathered(SAID) == [SAID], "one process needs no group"


@pytest.mark.parametrize("key", SAID)
def test_a_rank_of_its_own_is_named(key: str) -> None:
    with pytest.raises(OsteonError, match=rf"rank 2 of 3 does not train what rank 0 trains: {key} 7 instead of"):
        check_alike([SAID, SAID, {**SAID, key: 7}])
