"""How the time of a step grows with batch, width, depth and length of sequences, and
the time to compile with the number of layers."""
import statistics

import plot
import processes
import workloads

TOWER = """\
# Depth layers of Width numbers between two others, ReLU, cross-entropy, Adam.
dim Width = 256, Depth = 2
data batches {
  x: real[64]; y: index(10)
  train from npy(x = "tower-4096-x.npy", y = "tower-4096-y.npy")
}
layer first = Linear[64, Width]
layer hidden[Depth] = Linear[Width, Width]
layer last = Linear[Width, 10]
export fn logits[B](x: real[B, 64]) -> real[B, 10] {
  var h = x |> first |> relu
  for layer in hidden { h = h |> layer |> relu }
  return last(h)
}
train on batches(x, y), batch B = 128 {
  minimize mean(cross_entropy(logits(x), y)) using adam(lr = 1e-3)
  epochs = 10; shuffle = false
}
"""

LENGTHS = [16, 64, 256, 1024]
LAYERS = [1, 3, 10, 30, 100]

# Name: what grows along x; of which model; its file, its other dims, the dim that
# grows, its values.
STEPS = {
    "batch": (
        "rows of a batch",
        "two layers of 256",
        *("tower-4096", {"Width": 256, "Depth": 2}, "batch", [16, 64, 256, 1024, 4096]),
    ),
    "width": (
        "width of layers",
        "two layers, a batch of 128",
        *("tower-4096", {"Depth": 2, "batch": 128}, "Width"),
        [64, 128, 256, 512, 1024, 2048],
    ),
    "depth": (
        "number of layers",
        "layers of 256, a batch of 128",
        *("tower-4096", {"Width": 256, "batch": 128}, "Depth", LAYERS),
    ),
    "attention": (
        "tokens under attention",
        "a transformer block of width 128, a batch of 4",
        *("gpt-4", {"L": 1}, "T", LENGTHS),
    ),
    "recurrent": (
        "rounds of a recurrent loop",
        "a recurrent layer of 64, a batch of 16",
        *("rnn-16", {}, "T", LENGTHS),
    ),
}

# The same for compilation: name of the curve, model, other dims, what grows.
COMPILED = [
    ("layers of 256", "tower-4096", {"Width": 256}, "Depth"),
    ("transformer blocks", "gpt-4", {"T": 64}, "L"),
]


def write_inputs(folder):
    """Models and data: one of each length of sequences in a folder of its own."""
    x = [2 * u - 1 for u in workloads.uniform(1000, 4096 * 64)]
    y = [label % 10 for label in workloads.hashed(2000, 4096)]
    workloads.write_npy(folder / "tower-4096-x.npy", [4096, 64], x, "f")
    workloads.write_npy(folder / "tower-4096-y.npy", [4096], y)
    (folder / "tower-4096.nn").write_text(TOWER)
    for length in LENGTHS:
        inside = folder / str(length)
        inside.mkdir()
        workloads.write_tokens("gpt-4", 4, inside, length)
        workloads.write_sequences("rnn-16", 16, inside, length)
        (inside / "gpt-4.nn").write_text(workloads.GPT.format(batch=4))
        (inside / "rnn-16.nn").write_text(workloads.RECURRENT.format(batch=16))


def point(program, folder, name, dims, rounds, seconds, torch):
    """Medians for one model: time of a step of Gradus and of PyTorch (None without
    it), arithmetic floor, compilation and first step of Gradus, in seconds."""
    if "T" in dims:
        folder = folder / str(dims["T"])
    words = [f"{key}={value}" for key, value in dims.items()]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(processes.gradus(program, folder, name, 1, seconds, words))
        if torch:
            theirs.append(processes.torch(folder, name, 1, seconds, "foreach", words))

    def median(of, results):
        return statistics.median(map(of, results)) if results else None

    return {
        "step": median(lambda r: r["median_step_s"], ours),
        "torch": median(lambda r: r["median_step_s"], theirs),
        "floor": median(
            lambda r: r["flops_per_step"] / r["fma_peak_flops_per_s"], ours
        ),
        "compile": median(lambda r: r["compile_s"], ours),
        "first": median(lambda r: r["first_step_s"], ours),
    }


def measure(program, folder, rounds, seconds, torch, say, most=None):
    """Curves by name: title, what grows, of which model, unit of y, series as plot.plot
    wants them. `most` limits the points of each."""
    write_inputs(folder)

    def points(name, model, others, grows, values, *how):
        for value in values[:most]:
            say(f"{name}: {value}")
            dims = others | {grows: value}
            yield value, point(program, folder, model, dims, *how)

    def series(name, found, key, unit, dashed, colour):
        return name, [(x, p[key] / unit) for x, p in found], dashed, colour

    curves = {}
    for name, (label, of, *model) in STEPS.items():
        found = list(points(name, *model, rounds, seconds, torch))
        lines = [series("Gradus", found, "step", 1e-3, False, 0)]
        if torch:
            lines.append(series("PyTorch", found, "torch", 1e-3, False, 1))
        lines.append(series("arithmetic at the peak", found, "floor", 1e-3, True, 2))
        curves[name] = f"Time of a step against {label}", label, of, "ms", lines
    lines = []
    for i, (name, *model) in enumerate(COMPILED):
        found = list(points(name, *model, LAYERS, rounds, 0.01, False))
        lines.append(series(f"{name}, to compile", found, "compile", 1, False, i))
        lines.append(
            series(f"{name}, until the first step", found, "first", 1, True, i)
        )
    title = "Time to compile against number of layers"
    of = "each of 256, or a transformer block of width 128"
    curves["compilation"] = title, "number of layers", of, "s", lines
    return curves


def write_plots(folder, curves):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, label, of, unit, series) in curves.items():
        along = f"{label} ({of})"
        plot.plot(folder / f"{name}.svg", title, along, f"time, {unit}", series)
