"""Trains a model without a cache, with an empty one and with a full one, and wants the
same weights of all: warm_and_cold.py MODEL [key=value...]."""
import os
import shutil
import subprocess
import sys

FOLDER = "warm-and-cold"


def train(run, *flags):
    result = subprocess.run(
        ["gradus", "train", *sys.argv[1:], "-o", run, "--overwrite", "--timing", *flags],
        env=dict(os.environ, GRADUS_CACHE=FOLDER),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return open(run + "/weights.safetensors", "rb").read(), result.stderr


shutil.rmtree(FOLDER, ignore_errors=True)
without, log = train("without", "--no-cache")
assert not os.path.exists(FOLDER), log
cold, log = train("cold")
assert " native " in log, log
warm, log = train("warm")
assert " native " not in log and "not found" not in log, log
assert without == cold == warm
