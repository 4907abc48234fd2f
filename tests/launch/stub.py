"""A run that takes no time: it says what it was given, reports made-up scores, and leaves what a run leaves.

Words: `seconds=`, `epochs=`, `score=` (of the last epoch), `fail=<n>` (exit with 3 the first n times),
`together=<n>` (go on when n jobs of the sweep have started).
"""

import json
import os
import socket
import sys
import time

folder = sys.argv[1]
said = dict(word.split("=", 1) for word in sys.argv[2:])
told = json.loads(os.environ["OSTEON_LAUNCHED"])
line = socket.socket(fileno=told["fd"])
lines = line.makefile("r")


def note(name: str, text: str) -> None:
    with open(os.path.join(folder, name), "a") as handle:
        handle.write(text)


def write(name: str, value: object) -> None:
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as handle:
        json.dump(value, handle)
    os.replace(path + ".part", path)


begun = time.time()
given = {
    name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MASTER_PORT", "LOCAL_RANK")
}
print(json.dumps({**told, **given}), flush=True)
note("starts.txt", f"{os.getpid()}\n")
write("config.yaml", {})
write("overrides.txt", [])
with open(os.path.join(folder, "starts.txt")) as handle:
    starts = len(handle.readlines())
if starts <= int(said.get("fail", 0)):
    print("osteon: made to fail")
    sys.exit(int(said.get("status", 3)))
sweep, last = os.path.dirname(folder), time.time() + 60
while sum(os.path.exists(os.path.join(sweep, name, "starts.txt")) for name in os.listdir(sweep)) < int(
    said.get("together", 0)
):
    if time.time() > last:
        sys.exit(8)
    time.sleep(0.02)
epochs, score = int(said.get("epochs", 1)), float(said.get("score", 0.5))
for epoch in range(epochs):
    time.sleep(float(said.get("seconds", 0.0)) / epochs)
    value = score * (epoch + 1) / epochs
    line.sendall(json.dumps({"epoch": epoch, "values": {"val/monitor": value}}).encode() + b"\n")
    if told["asks"]:
        answer = lines.readline()
        if not answer:
            sys.exit(9)
        if json.loads(answer)["stop"] and epoch + 1 < epochs:
            note("pruned.txt", f"{epoch}\n")
            sys.exit(0)
for name in ("predictions/val.parquet", "predictions/test.parquet", "thresholds.json", "model.pt"):
    write(name, {})
write("spans.json", [begun, time.time()])
write("result.json", {"training": {"best_monitor": score}, "seconds": {"all": 1.0}, "scores": [], "audit": {}})
