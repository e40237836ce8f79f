"""Trains MODEL in four processes at once, which share an empty cache, and wants the
same weights of all: at_once.py MODEL."""
import os
import subprocess
import sys

env = dict(os.environ, GRADUS_CACHE="at-once")
runs = [
    subprocess.Popen(
        ["gradus", "train", sys.argv[1], "epochs=1", "--quiet", "-o", f"at-once-{i}"],
        env=env,
    )
    for i in range(4)
]
assert [run.wait() for run in runs] == [0] * 4
weights = {open(f"at-once-{i}/weights.safetensors", "rb").read() for i in range(4)}
assert len(weights) == 1
