"""Holds what `gradus bench --json` says of digits.nn against itself."""
import json
import sys

result = json.load(open(sys.argv[1]))
trained = len(sys.argv) > 2

assert result["precision"] == "f32" and result["threads"] >= 1, result
assert result["batch"] == (32 if trained else 16), result
assert result["steps"] >= 5, result
low, median, high = (
    result[key] for key in ("p10_step_s", "median_step_s", "p90_step_s")
)
assert 0 < low <= median <= high < 1, result
assert abs(result["samples_per_s"] * median - result["batch"]) < 1e-6
# Of 64-64-10: forward, the gradients of both W and of the hidden layer.
flops = 2 * result["batch"] * (2 * 64 * 64 + 3 * 64 * 10)
assert result["flops_per_step"] == flops, (result, flops)
peak = result["fma_peak_flops_per_s"]
assert peak > 1e9, result
assert abs(result["fraction_of_fma_peak"] * median * peak * result["threads"] / flops - 1) < 1e-6
assert 0 < result["compile_s"] < result["first_step_s"] + 0.02, result
assert 0 < result["anonymous_memory_bytes"] < result["peak_memory_bytes"]
assert result["data_bytes"] > 1437 * 64, result
assert (result["loss_1"] < 0.5) == trained, result
if not trained:
    assert result["loss_20"] < result["loss_1"], result
    kernels = result["kernels"]
    assert sum(kernel["flops"] for kernel in kernels) == flops, kernels
    assert all(0 < kernel["median_s"] < 1 for kernel in kernels), kernels
