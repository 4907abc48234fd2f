"""A real SLURM, as far as the tests need it: submit a job, ask what became of it and which processes are its tasks."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.run.processes.pairs import outside, wait_for

ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


def absent() -> str:
    """Return why there is no SLURM here; empty where there is one with an idle node."""
    if shutil.which("sinfo") is None:
        return "no SLURM here: sinfo is not installed"
    try:
        asked = ask("sinfo", "--noheader", "--format=%T")
    except subprocess.TimeoutExpired:
        return "SLURM is installed, but sinfo does not answer"
    if asked.returncode:
        return f"SLURM is installed, but sinfo fails: {asked.stderr.strip().splitlines()[-1]}"
    return "" if "idle" in asked.stdout.split() else f"SLURM has no idle node: {asked.stdout.split()}"


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=outside(), capture_output=True, text=True, timeout=20)


def script(project: Path) -> str:
    """Return the sbatch file that docs/slurm.md shows; `python` is the one that runs the tests."""
    text = (project / "docs" / "slurm.md").read_text(encoding="utf-8")
    shown = re.search(r"```bash\n(#!.*?)```", text, re.DOTALL)
    assert shown is not None
    return shown[1].replace("source .venv/bin/activate", f"PATH={Path(sys.executable).parent}:$PATH")


@dataclass(frozen=True)
class Job:
    """A job that was submitted."""

    number: str
    log: Path

    def told(self) -> dict[str, str]:
        return dict(re.findall(r"(\S+?)=(\S*)", ask("scontrol", "show", "job", self.number).stdout))

    def wait(self, seconds: float = 600.0) -> tuple[str, str]:
        """Return state and log of the job, when it has ended."""
        wait_for(lambda: self.told().get("JobState") in ENDED, seconds)
        return self.told()["JobState"], self.log.read_text(encoding="utf-8", errors="replace")

    def tasks(self) -> dict[int, int]:
        """Return rank -> process id of the step `srun` has started."""
        rows = [line.split() for line in ask("scontrol", "listpids", f"{self.number}.0").stdout.splitlines()[1:]]
        return {int(row[4]): int(row[0]) for row in rows if row[4].isdigit() and _leads(int(row[0]))}


def _leads(process: int) -> bool:
    """Whether a process is a task itself, not a loader worker of one."""
    try:
        parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        return "slurmstepd" in Path(f"/proc/{parent}/comm").read_text()
    except OSError:
        return False


def submit(folder: Path, text: str, project: Path, *words: str) -> Job:
    """Submit a script with words to it; it leaves its log in `folder`."""
    file, log = folder / "train.sbatch", folder / f"job{len(os.listdir(folder))}.log"
    file.write_text(text, encoding="utf-8")
    done = ask("sbatch", "--parsable", f"--output={log}", f"--chdir={project}", str(file), *words)
    assert done.returncode == 0, done.stderr
    return Job(done.stdout.strip(), log)
