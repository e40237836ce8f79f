"""Claims about the metrics.jsonl of runs.

metrics.py falls RUN            the loss of training falls from report to report
metrics.py close RUN RUN BOUND  both report the same within the relative BOUND
metrics.py same RUN RUN         both report the same to the last bit
metrics.py equal RUN NAME VALUE every report of NAME is VALUE
"""
import json
import sys


def records(run):
    """The records without what depends on the clock."""
    lines = [json.loads(line) for line in open(run + "/metrics.jsonl")]
    assert lines, run + " reports nothing"
    for line in lines:
        del line["time_s"], line["samples_s"]
    return lines


def falls(run):
    losses = [line["loss"] for line in records(run) if line["split"] == "train"]
    assert len(losses) > 1, "one report cannot fall"
    assert all(b < a for a, b in zip(losses, losses[1:])), losses


def close(first, second, bound):
    a, b = records(first), records(second)
    assert len(a) == len(b)
    for one, other in zip(a, b):
        assert one.keys() == other.keys()
        for key in one:
            x, y = one[key], other[key]
            if isinstance(x, str):
                assert x == y
            elif abs(x - y) > float(bound) * max(abs(x), abs(y)):
                raise AssertionError(f"{key}: {x} and {y} in {one} and {other}")


def same(first, second):
    assert records(first) == records(second)


def equal(run, name, value):
    reported = [line[name] for line in records(run) if name in line]
    assert reported and all(x == float(value) for x in reported), reported


globals()[sys.argv[1]](*sys.argv[2:])
