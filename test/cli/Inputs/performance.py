"""What the page of measurements says of made-up ones: performance.py SOURCE FOLDER."""
import pathlib
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/tools/bench")
import page
import plot


def result(seconds, loss=2.0, first=0.3, memory=2**27):
    return {
        "median_step_s": seconds,
        "p10_step_s": 0.9 * seconds,
        "p90_step_s": 2 * seconds,
        "flops_per_step": 10**8,
        "fma_peak_flops_per_s": 10**11,
        "compile_s": 0.5,
        "first_step_s": first,
        "peak_memory_bytes": memory,
        "loss_1": 3.0,
        "loss_20": loss,
        "others": 0.0,
    }


def row(name, *seconds, loss=2.0, memory=2**27):
    kernels = [
        {"name": "blocks_0_fc_matmul", "median_s": 0.001, "flops": 5 * 10**7},
        {"name": "blocks_1_fc_matmul_2", "median_s": 0.0005, "flops": 5 * 10**7},
        {"name": "b_sum_update", "median_s": 0.0004, "flops": 0},
    ]
    slow, fast = ([result(s, first=2.5, memory=2**28)] * 3 for s in (0.006, 0.004))
    ours = [result(s, loss, memory=memory) for s in seconds]
    cached = [result(0.002, first=0.2)] * 3
    peers = {"eager": slow, "jit": fast}
    return {
        "name": name,
        "threads": 1,
        "gradus": ours,
        "torch": peers,
        "starts": {"compiled": ours, "cached": cached, "torch": slow},
        "kernels": kernels,
    }


met = row("mlp-32", 0.002, 0.0018, 0.004)  # 0.45, 0.50 and 1.00 of PyTorch's time
missed = row("tanh-64", 0.002, 0.002, 0.002, loss=2.00001, memory=3 * 2**26)
differs = row("gpt-8", 0.002, 0.002, 0.002, loss=2.0001)
assert page.losses_agree(missed, {}) and not page.losses_agree(differs, {})

series = [
    ("Gradus", [(1, 0.02), (10, 3.0)], False, 0),
    ("<&", [(1, 1), (10, 2)], True, 1),
]
curves = {"depth": ("Time against layers", "layers", "of 8", "ms", series)}
print(
    page.markdown(
        [["date", "now"]], [met, missed, differs], {}, 3, 1.5, curves, "plots"
    )
)
path = pathlib.Path(sys.argv[2]) / "depth.svg"
plot.plot(path, "Time against layers", "layers", "time, ms", series)
texts = [
    e.text for e in xml.etree.ElementTree.parse(path).iter() if e.tag.endswith("text")
]
assert {"Time against layers", "layers", "time, ms", "Gradus", "<&"} <= set(
    texts
), texts
assert {"1", "10", "0.1"} <= set(texts), texts
