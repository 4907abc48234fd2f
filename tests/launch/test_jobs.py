"""What a job asks of the machine is a number, known before any job starts."""

import pytest
from tests.composing import config

from osteon.errors import OsteonError
from osteon.launch.jobs import devices_asked


def test_devices_are_counted() -> None:
    assert devices_asked(config("task=mura")) == 1
    assert devices_asked(config("task=mura", "trainer=ddp", "trainer.devices=2")) == 2


def test_all_devices_for_each_of_several_jobs_are_refused() -> None:
    with pytest.raises(OsteonError, match=r"trainer\.devices: found auto; .* trainer\.devices=1"):
        devices_asked(config("task=mura", "trainer=ddp"))
