"""In the place of Python in a launcher's commands: a stub of `osteon.train`, told by its overrides."""

import json
import os
import sys

words = dict(word.split("=", 1) for word in sys.argv[3:])
resumed = "resume" in words
folder = words["resume" if resumed else "hydra.run.dir"].strip("'")
rate = float(words.get("optimizer.lr", 0.5))
said = [
    f"score={min(rate, 1.0)}",
    f"epochs={words.get('trainer.max_epochs', 3)}",
    f"fail={os.environ.get('SHIM_FAIL', 0)}",
]
with open(os.environ["SHIM_CALLS"], "a") as handle:
    handle.write(json.dumps(sys.argv[1:]) + "\n")
stub = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stub.py")
os.execv(os.environ["SHIM_PYTHON"], [os.environ["SHIM_PYTHON"], "-I", "-S", stub, folder, *said])
