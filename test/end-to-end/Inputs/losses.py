"""losses.py WORKLOADS.py NAME BENCH.json: a bench has the losses that another
system has with the same bits."""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("workloads", sys.argv[1])
workloads = importlib.util.module_from_spec(spec)
spec.loader.exec_module(workloads)
result = json.load(open(sys.argv[3]))
found = result["loss_1"], result["loss_20"]
expected = workloads.LOSSES[sys.argv[2]]
assert all(abs(a - b) < 3e-6 for a, b in zip(found, expected)), (found, expected)
