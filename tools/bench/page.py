"""The page of measurements, as Markdown.

A row is a dict: name, threads, gradus (what `gradus bench` measured, a dict a round),
torch (the same by variant), starts (the same of short runs by what they are: compiled,
cached, torch) and kernels (of one step), both on one thread."""
import collections
import re
import statistics

# At most this part of PyTorch's time, whose variant is its best, on one thread and on
# two. Ratios travel between machines, times do not.
TARGETS = {
    "mlp-32": (0.50, 0.49),
    "mlp-128": (0.71, 0.68),
    "mlp-1024": (0.88, 0.85),
    "lenet-64": (0.80, 0.89),
    "tanh-64": (0.22, 0.23),
    "gpt-8": (0.78, 0.51),
    "logistic-product": (0.20,),
    "logistic-hessian": (0.37,),
}
# Seconds until the first step is done, without compiled code and with it.
STARTS = {
    "mlp-32": (0.35, 0.10),
    "mlp-128": (0.35, 0.10),
    "lenet-64": (0.70, 0.15),
    "gpt-8": (1.50, 0.30),
}
MEMORY = 0.5  # of PyTorch's, at most
DIGITS = 1e-5  # losses that differ by less, as a part of them, agree to five digits


def median(results, key):
    return statistics.median(result[key] for result in results)


def digits(x):
    """Three of them, without an exponent."""
    return f"{x:#.3g}".rstrip(".") if x < 1000 else f"{x:.0f}"


def milliseconds(seconds):
    return f"{digits(1e3 * seconds)} ms"


def best(row):
    """The fastest variant of PyTorch and what it measured; None without PyTorch."""
    variants = row["torch"].items()
    return min(variants, key=lambda v: median(v[1], "median_step_s"), default=None)


def ratios(row):
    """Gradus over PyTorch, a round each, in order."""
    pairs = zip(row["gradus"], best(row)[1])
    return sorted(a["median_step_s"] / b["median_step_s"] for a, b in pairs)


def floor(row):
    """Seconds that the multiply-adds of a step take at the peak of its cores."""
    return statistics.median(
        r["flops_per_step"] / (r["fma_peak_flops_per_s"] * row["threads"])
        for r in row["gradus"]
    )


def losses(row, known):
    """Of steps 1 and 20: Gradus's and those they should be, PyTorch's or `known`."""
    ours = [median(row["gradus"], key) for key in ("loss_1", "loss_20")]
    if row["torch"]:
        return ours, [median(best(row)[1], key) for key in ("loss_1", "loss_20")]
    return ours, known.get(row["name"])


def losses_agree(row, known):
    ours, expected = losses(row, known)
    pairs = zip(ours, expected or ours)
    return all(abs(a - b) <= DIGITS * abs(b) for a, b in pairs)


def table(heads, lines):
    rule = "|".join("---" for _ in heads)
    texts = ["| " + " | ".join(cells) + " |" for cells in [heads, *lines]]
    return "\n".join([texts[0], f"|{rule}|", *texts[1:]]) + "\n"


def target(row):
    """What the table says of a target: met, missed, or none."""
    bounds = TARGETS.get(row["name"], ())
    if row["threads"] > len(bounds):
        return "none"
    bound = bounds[row["threads"] - 1]
    if not row["torch"]:
        return f"{bound:.2f}"
    met = statistics.median(ratios(row)) <= bound
    return f"{bound:.2f}, {'met' if met else '**missed**'}"


def is_missed(row):
    return row["torch"] and "missed" in target(row)


def targets_met(missed, judged):
    """One line on so many targets, of which these are missed."""
    rest = f"; missed: {', '.join(missed)}" if missed else ""
    return f"Targets met: {judged - len(missed)} of {judged}{rest}.\n"


def ratios_met(rows):
    judged = [row for row in rows if row["torch"] and target(row) != "none"]
    missed = [f"{row['name']} on {row['threads']}" for row in rows if is_missed(row)]
    return targets_met(missed, len(judged))


def missed_line(row):
    """What the target asks, how far steps lie apart, what they are made of."""
    fast, slow = (median(row["gradus"], f"p{p}_step_s") for p in (10, 90))
    bound = TARGETS[row["name"]][row["threads"] - 1]
    asked = bound * median(best(row)[1], "median_step_s")
    return (
        f"- {row['name']} on {row['threads']}: the target asks for "
        f"{milliseconds(asked)}, in which the contractions alone would run at "
        f"{100 * floor(row) / asked:.0f} % of the peak; a tenth of the steps takes less than "
        f"{milliseconds(fast)}, a tenth more than {milliseconds(slow)}; "
        f"{bounds_line(row)[1]}.\n"
    )


def step_line(row):
    time = median(row["gradus"], "median_step_s")
    cells = [row["name"], str(row["threads"]), milliseconds(time)]
    if row["torch"]:
        variant, results = best(row)
        theirs = milliseconds(median(results, "median_step_s"))
        found = ratios(row)
        spread = f"{found[0]:.2f} to {found[-1]:.2f}"
        cells += [f"{theirs} ({variant})", f"{statistics.median(found):.2f} ({spread})"]
    cells += [target(row), milliseconds(floor(row)), f"{floor(row) / time:.2f}"]
    everyone = row["gradus"] + [r for results in row["torch"].values() for r in results]
    return cells + [f"{statistics.mean(r['others'] for r in everyone):.1f}"]


def starts(row):
    """Seconds to the first step without compiled code and with it, each with its
    target or None."""
    times = [
        median(row["starts"][key], "first_step_s") for key in ("compiled", "cached")
    ]
    return list(zip(times, STARTS.get(row["name"], (None, None))))


def memory(row):
    """The peak of Gradus and of PyTorch, in bytes; without PyTorch of Gradus."""
    sides = [row["gradus"], best(row)[1]] if row["torch"] else [row["gradus"]]
    return [median(side, "peak_memory_bytes") for side in sides]


def starts_met(rows):
    """One line on first steps and memory."""
    missed, judged = [], 0
    for row in rows:
        for (time, bound), when in zip(starts(row), ("", " from the cache")):
            judged += bound is not None
            if bound is not None and time > bound:
                missed.append(row["name"] + when)
        if row["torch"]:
            ours, theirs = memory(row)
            judged += 1
            if ours > MEMORY * theirs:
                missed.append(f"memory of {row['name']}")
    return targets_met(missed, judged)


def start_text(time, bound):
    if bound is None:
        return f"{time:.2f} s"
    return f"{time:.2f} s ({bound:.2f}, {'met' if time <= bound else '**missed**'})"


def around_line(row):
    cells = [row["name"], f"{median(row['starts']['compiled'], 'compile_s'):.2f} s"]
    cells += [start_text(*start) for start in starts(row)]
    if row["torch"]:
        cells.append(f"{median(row['starts']['torch'], 'first_step_s'):.2f} s")
    peaks = memory(row)
    cells += [f"{peak / 2**20:.0f} MiB" for peak in peaks]
    return cells + ([f"{peaks[0] / peaks[1]:.2f}"] if row["torch"] else [])


def kind(kernel):
    if kernel["name"].endswith("rounds"):
        return "loops"
    if "_update" in kernel["name"]:
        return "contractions with an update" if kernel["flops"] else "updates"
    return "contractions" if kernel["flops"] else "pointwise and reductions"


def longest_kernel(kernels):
    """Name and seconds of the longest; those of equal layers count as one."""
    sums = collections.Counter()
    for kernel in kernels:
        name = re.sub(r"_\d+(?=_)", "_*", re.sub(r"_\d+$", "", kernel["name"]))
        sums[name] += kernel["median_s"]
    return sums.most_common(1)[0]


def bounds_line(row):
    """Parts of a step by kind of kernel, the longest first."""
    step = median(row["gradus"], "median_step_s")
    peak = median(row["gradus"], "fma_peak_flops_per_s") * row["threads"]
    kernels = row["kernels"]
    whole = max(step, sum(k["median_s"] for k in kernels))
    parts = {"between kernels": [whole - sum(k["median_s"] for k in kernels), 0]}
    for kernel in kernels:
        part = parts.setdefault(kind(kernel), [0, 0])
        part[0] += kernel["median_s"]
        part[1] += kernel["flops"]
    texts = []
    for name, (seconds, flops) in sorted(parts.items(), key=lambda p: -p[1][0]):
        if seconds < 0.01 * whole:
            continue
        rate = f" at {100 * flops / seconds / peak:.0f} % of the peak" if flops else ""
        texts.append(f"{name} {100 * seconds / whole:.0f} %{rate}")
    longest, seconds = longest_kernel(kernels)
    share = f"`{longest}`, {100 * seconds / whole:.0f} %"
    return [row["name"], "; ".join(texts), share]


def loss_line(row, known):
    ours, expected = losses(row, known)
    cells = [row["name"], str(row["threads"])]
    for i in range(2):
        cells += [f"{ours[i]:.6f}", f"{expected[i]:.6f}" if expected else "unknown"]
    said = "yes" if losses_agree(row, known) else "**no**"
    return cells + [said if expected else "not compared"]


def curve_section(name, curve, folder):
    title, label, of, unit, series = curve
    heads = [label, *(f"{line}, {unit}" for line, *_ in series)]
    lines = [
        [f"{x:g}", *(digits(points[i][1]) for _, points, *_ in series)]
        for i, (x, _) in enumerate(series[0][1])
    ]
    image = f"![{title}, {of}]({folder}/{name}.svg)"
    return f"### {title}\n\n{image}\n\n{table(heads, lines)}"


HEAD = """\
# Performance

Written by `tools/bench/run`, which measures all of it again.
"""

STEPS = """\
## Steps

Forward, backward and update in single precision, and the loss as a number, on batches
that are in memory. In each round every program trains for {seconds:g} s, in a process of
its own on the same cores, one after the other; times are medians of the rounds, here
{rounds}. A ratio is that of a round, Gradus over the fastest variant of PyTorch (eager,
foreach, traced, channels last), which has tcmalloc and the widest vectors. The floor is
the time of the contractions' multiply-adds at the peak that Gradus's process measures
between its steps. A target bounds the ratio. Others: the cores that other processes
kept busy meanwhile; where that is not 0.0, threads waited for each other.
"""

AROUND = """\
## Compilation, first step, memory

Steps on one thread, compilation on all cores. The first step is counted from the start
of the process, reading the data included: with nothing compiled before, and with the
code of an earlier run in the cache. Behind a time is its target. Memory is that of the
runs above on one thread, which also compile on one core; it is to be at most half of
PyTorch's.
"""

BOUNDS = """\
## What bounds a step

On one thread, each kernel timed by itself. Kinds below 1 % are left out; the longest
kernel is that of all equal layers together.
"""

SCALING = """\
## Scaling

On one thread, PyTorch with foreach, each with weights of its own. Both axes are
logarithmic. Were arithmetic all that takes time, a step would lie on the dashed line.
"""


def markdown(facts, rows, known, rounds, seconds, curves, folder):
    """The page. `facts` are lines about the machine, `known` losses by workload, and
    `folder` holds the plots of the curves."""
    with_torch = any(row["torch"] for row in rows)
    alone = [row for row in rows if row["threads"] == 1]
    peer = ["PyTorch", "ratio (least to greatest)"] if with_torch else []
    heads = ["workload", "threads", "Gradus", *peer, "target", "floor", "floor / step"]
    parts = [HEAD, table(["", ""], facts), STEPS.format(rounds=rounds, seconds=seconds)]
    parts.append(table([*heads, "others"], map(step_line, rows)))
    if with_torch:
        parts.append(ratios_met(rows))
        explained = [missed_line(row) for row in rows if is_missed(row)]
        parts += ["".join(explained)] if explained else []
    if alone:
        heads = ["workload", "compilation", "first step", "from the cache"]
        heads += ["PyTorch"] if with_torch else []
        heads += ["peak memory"] + (["PyTorch", "ratio"] if with_torch else [])
        lines = map(around_line, alone)
        parts += [AROUND, table(heads, lines), starts_met(alone)]
        heads = ["workload", "parts of a step", "longest kernel"]
        parts += [BOUNDS, table(heads, map(bounds_line, alone))]
    source = "PyTorch" if with_torch else "expected"
    heads = ["workload", "threads", "step 1", source, "step 20", source]
    lines = [loss_line(row, known) for row in rows]
    parts.append("## Losses\n\nWith the same data and weights.\n")
    parts.append(table([*heads, "agree to five digits"], lines))
    if curves:
        parts.append(SCALING)
        parts += [curve_section(name, curve, folder) for name, curve in curves.items()]
    return "\n".join(parts)
