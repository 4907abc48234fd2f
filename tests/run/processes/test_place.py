"""Who started the processes and how many there are: every mismatch is refused before anything is trained."""

import re

import pytest
from tests.composing import config

from osteon.errors import OsteonError
from osteon.run.processes.place import Place, place, settle, shared_folder

SLURM = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"}
TORCHRUN = {"TORCHELASTIC_RUN_ID": "abc", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, Place("nobody")),
        ({"RANK": "1", "WORLD_SIZE": "2"}, Place("nobody")),  # left over from something else
        ({"OSTEON_RANKS": "1", **TORCHRUN}, Place("osteon", 1, 2, 2)),
        (TORCHRUN, Place("torchrun", 1, 2, 2)),
        (SLURM | TORCHRUN, Place("torchrun", 1, 2, 2)),
        (SLURM, Place("slurm", 1, 2, 0)),
        (SLURM | {"SLURM_NTASKS_PER_NODE": "2"}, Place("slurm", 1, 2, 2)),
        ({"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, Place("nobody")),  # a batch script, no srun
    ],
)
def test_a_place_is_what_the_starter_says(told: dict[str, str], expected: Place) -> None:
    assert place(told) == expected


def test_a_rank_that_is_no_number_is_named() -> None:
    with pytest.raises(OsteonError, match=r"SLURM_PROCID: found 'x'"):
        place(SLURM | {"SLURM_PROCID": "x"})


@pytest.mark.parametrize(
    ("words", "here", "said"),
    [
        (("trainer.devices=2",), Place("slurm", 0, 1, 0), r"asks for 2 process.* SLURM .--ntasks. has started 1"),
        ((), Place("slurm", 0, 2, 2), r"asks for 1 process.*has started 2, 2 of them here.*--ntasks-per-node=1"),
        (("trainer.devices=4",), Place("torchrun", 0, 2, 2), r"--nproc-per-node=4"),
        (("trainer.devices=2",), Place("slurm", 0, 2, 0), r"Say --nodes=1 --ntasks-per-node=2"),
        (("trainer.devices=4",), Place("torchrun", 0, 4, 2), r"has started 4, 2 of them here"),
        (("trainer.devices=2", "trainer.nodes=2"), Place("nobody"), r"trainer.nodes: found 2, but nothing has started"),
        (("trainer.devices=3",), Place("nobody"), r"16 images a step do not divide over 3.*batch_size=15 or 18"),
        (("trainer.devices=32",), Place("nobody"), r"batch_size=32"),
        (("data.folds=5",), Place("torchrun", 0, 2, 2), r"data.folds: trains fold after fold"),
    ],
)
def test_another_number_of_processes_than_asked_for_is_refused(words: tuple[str, ...], here: Place, said: str) -> None:
    with pytest.raises(OsteonError, match=said):
        settle(config(*words), here)


@pytest.mark.parametrize(
    ("words", "here", "processes"),
    [
        ((), Place("nobody"), 1),
        (("trainer=ddp", "trainer.devices=2"), Place("nobody"), 2),
        (("trainer=ddp",), Place("torchrun", 0, 2, 2), 2),
        (("trainer=ddp", "trainer.nodes=2"), Place("slurm", 3, 8, 4), 8),
    ],
)
def test_devices_are_settled(words: tuple[str, ...], here: Place, processes: int) -> None:
    assert settle(config(*words), here).trainer.processes == processes


def test_auto_counts_gpus_and_says_so_where_there_are_none() -> None:
    import torch

    if torch.cuda.is_available():
        assert settle(config("trainer=ddp"), Place("nobody")).trainer.devices == torch.cuda.device_count()
    else:
        with pytest.raises(OsteonError, match=r"one process a GPU, and torch sees none.*trainer.devices=2"):
            settle(config("trainer=ddp"), Place("nobody"))


def test_ranks_from_outside_agree_on_a_folder() -> None:
    words = ["task=mura"]
    assert shared_folder(words, {}) == words
    for told in (SLURM, TORCHRUN):
        named = [shared_folder(words, told | {"SLURM_PROCID": rank, "RANK": rank}) for rank in "01"]
        assert named[0] == named[1]
        assert re.match(r"hydra.run.dir=runs/(slurm7\.0|abc)_", named[0][-1])
        mine = [*words, "hydra.run.dir=/x"]
        assert shared_folder(mine, told) == mine
    with pytest.raises(OsteonError, match="must agree on the run's folder"):
        shared_folder(words, TORCHRUN | {"TORCHELASTIC_RUN_ID": "none"})
