"""Holds what `gradus bench --against --json` says against itself."""
import json
import sys

result = json.load(open(sys.argv[1]))
against = result["against"]
assert against["file"] == "before.json" and against["median_step_s"] > 0, against
assert 0 < against["ratio_low"] <= against["ratio"] <= against["ratio_high"], against
blocks = result["blocks"]
assert 1 <= len(blocks) <= 20, blocks
assert all(b["median_s"] > 0 and b["fma_peak_flops_per_s"] > 1e8 for b in blocks)
