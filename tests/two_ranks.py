"""A script run by torchrun with two ranks, each of which leaves `done<rank>` in the folder that it is given."""

import os
import subprocess
import sys
from pathlib import Path


def on_two_ranks(script: str, project: Path, folder: Path) -> None:
    """Run a script and hold both ranks to their end."""
    file = folder / "ddp.py"
    file.write_text(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "PYTHONPATH": f"{project}:{project / 'src'}"}
    found = subprocess.run(
        [*command, str(file), str(folder)], capture_output=True, text=True, timeout=240, env=environment, cwd=project
    )
    assert found.returncode == 0, found.stderr[-3000:]
    assert sorted(path.name for path in folder.glob("done*")) == ["done0", "done1"]
