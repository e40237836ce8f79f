"""A workload in PyTorch, from the files that workloads.py or scaling.py writes:
torch_workloads.py FOLDER NAME [KEY=VALUE...] [--variant V] [--seconds S] [--threads N]

Prints one line of JSON with the keys of `gradus bench --json`: the median time of a
step on batches that are in memory (forward, backward, update, the loss as a number),
the losses of steps 1 and 20, the first step, peak memory. KEY=VALUE are dims of the
model. Variants, joined by +:
  eager          modules and an optimizer as they come
  foreach        updates of all parameters in a few calls
  jit            foreach, forward and loss as a trace
  channels_last  the channels of images innermost
and for the Hessian also vectorized and functorch.
"""
import argparse
import json
import math
import pathlib
import re
import statistics
import struct
import time

import numpy
import torch
from torch import nn
from torch.nn import functional


class Layers(nn.ModuleDict):
    """Linear layers, named as in the weights: fc1 and so on."""

    def __init__(self, sizes, activation):
        pairs = enumerate(zip(sizes, sizes[1:]), 1)
        super().__init__({f"fc{i}": nn.Linear(*pair) for i, pair in pairs})
        self.activation = activation

    def outputs(self, x):
        *hidden, last = self.values()
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)


class Classifier(Layers):
    def __init__(self, *sizes):
        super().__init__(sizes, functional.relu)

    def forward(self, x, y):
        return functional.cross_entropy(self.outputs(x), y)


class Tower(Classifier):
    """The layers whose width and depth scaling.py varies."""

    def __init__(self, Width=256, Depth=2):
        super().__init__(64, *[Width] * (Depth + 1), 10)


class Curve(Layers):
    def __init__(self):
        super().__init__([2, 64, 64, 1], torch.tanh)

    def forward(self, x, y):
        return functional.mse_loss(self.outputs(x).squeeze(1), y)


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 5, padding=2)
        self.c2 = nn.Conv2d(16, 32, 5, padding=2)
        self.fc1 = nn.Linear(32 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x, y):
        h = x
        for layer in (self.c1, self.c2):
            h = functional.max_pool2d(functional.relu(layer(h)), 2)
        h = functional.relu(self.fc1(h.flatten(1)))
        return functional.cross_entropy(self.fc2(h), y)


class Filter(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, size, stride=stride, padding=size // 2, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    """With twice the channels, half as high and wide, if it has a shortcut."""

    def __init__(self, width, shortcut):
        super().__init__()
        outputs = 2 * width if shortcut else width
        self.a = Filter(width, outputs, 3, stride=2 if shortcut else 1)
        self.b = Filter(outputs, outputs, 3)
        self.short = Filter(width, outputs, 1, stride=2) if shortcut else nn.Identity()

    def forward(self, x):
        return functional.relu(self.short(x) + self.b(functional.relu(self.a(x))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Filter(1, 16, 3)
        self.block1 = ResidualBlock(16, False)
        self.block2 = ResidualBlock(16, True)
        self.block3 = ResidualBlock(32, True)
        self.head = nn.Linear(64, 10)

    def forward(self, x, y):
        h = functional.relu(self.stem(x))
        for block in (self.block1, self.block2, self.block3):
            h = block(h)
        return functional.cross_entropy(self.head(h.mean((2, 3))), y)


class SelfAttention(nn.Module):
    def __init__(self, length, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        self.register_buffer("later", later)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        score = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5
        weight = functional.softmax(score.masked_fill(self.later, -math.inf), -1)
        return self.out((weight @ v).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, length, width, heads):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.att = SelfAttention(length, width, heads)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        y = x + self.att(self.ln1(x))
        h = functional.gelu(self.up(self.ln2(y)), approximate="tanh")
        return y + self.down(h)


class Gpt(nn.Module):
    def __init__(self, V=256, T=128, D=128, H=4, L=4):
        super().__init__()
        self.tok = nn.Parameter(0.02 * torch.randn(V, D))
        self.pos = nn.Parameter(0.02 * torch.randn(T, D))
        self.blocks = nn.ModuleList(Block(T, D, H) for _ in range(L))
        self.ln = nn.LayerNorm(D)

    def forward(self, x, y):
        h = functional.embedding(x, self.tok) + self.pos
        for block in self.blocks:
            h = block(h)
        scores = functional.linear(self.ln(h), self.tok)
        return functional.cross_entropy(scores.flatten(0, 1), y.flatten())


class Recurrent(nn.Module):
    def __init__(self, T=500):
        super().__init__()
        self.rnn = nn.RNN(8, 64, batch_first=True)
        # A second bias, which adds nothing.
        self.rnn.bias_hh_l0.requires_grad_(False).zero_()
        self.out = nn.Linear(64, 4)

    def forward(self, x, y):
        return functional.cross_entropy(self.out(self.rnn(x)[0][:, -1]), y)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(256, 64)
        self.lstm = nn.LSTM(64, 256, batch_first=True)
        # A second bias, which adds nothing.
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()
        self.read = nn.Linear(256, 256)

    def forward(self, x, y):
        scores = self.read(self.lstm(self.embed(x))[0])
        return functional.cross_entropy(scores.flatten(0, 1), y.flatten())


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(50))

    def forward(self, x, y):
        return loss_of_margins(self.w, x, y)


def loss_of_margins(w, x, y):
    return functional.softplus(-y * (x @ w)).mean()


def adam(parameters, foreach):
    return torch.optim.Adam(parameters, lr=1e-3, foreach=foreach)


def descent(rate, momentum=0):
    def optimizer(parameters, foreach):
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, foreach=foreach)

    return optimizer


def decaying_adam(parameters, foreach):
    return torch.optim.AdamW(parameters, lr=3e-4, weight_decay=0.01, foreach=foreach)


# Name before the batch size: model, its sizes, optimizer.
MODELS = {
    "mlp": (Classifier, [784, 256, 128, 10], adam),
    "tanh": (Curve, [], descent(0.01)),
    "lenet": (Convolutions, [], descent(0.01, momentum=0.9)),
    "gpt": (Gpt, [], decaying_adam),
    "rnn": (Recurrent, [], adam),
    "lstm": (Lstm, [], adam),
    "resnet": (Residual, [], descent(0.001, momentum=0.9)),
    "tower": (Tower, [], adam),
    "logistic": (Logistic, [], descent(0.1)),
}

# The ends of PyTorch's names of parameters and what the weights call them.
NAMES = {
    "qkv.weight": ["Wq", "Wk", "Wv"],
    "qkv.bias": ["bq", "bk", "bv"],
    "att.out.weight": ["att.Wo"],
    "att.out.bias": ["att.bo"],
    "rnn.weight_ih_l0": ["rnn.W"],
    "rnn.weight_hh_l0": ["rnn.U"],
    "rnn.bias_ih_l0": ["rnn.b"],
    "lstm.weight_ih_l0": ["lstm.W"],
    "lstm.weight_hh_l0": ["lstm.U"],
    "lstm.bias_ih_l0": ["lstm.b"],
    "embed.weight": ["embed.table"],
    "conv.weight": ["w"],
    "norm.weight": ["norm.gain"],
    "norm.bias": ["norm.bias"],
    "ln.weight": ["ln.gain"],
    "ln1.weight": ["ln1.gain"],
    "ln2.weight": ["ln2.gain"],
    "ln.bias": ["ln.bias"],
    "ln1.bias": ["ln1.bias"],
    "ln2.bias": ["ln2.bias"],
    "c1.weight": ["c1.w"],
    "c2.weight": ["c2.w"],
    "weight": ["W"],
    "bias": ["b"],
}


def tensors(path):
    """Tensors by name of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    for name, entry in json.loads(data[8 : 8 + length]).items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        numbers = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        yield name, torch.from_numpy(numbers.copy())


def load(model, weights):
    """Sets every parameter. PyTorch holds a matrix as [outputs, inputs]."""
    # PyTorch has states of its own, which begin as ours do.
    left = {name for name in weights if not name.startswith("state/")}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        end = next((end for end in NAMES if f".{name}".endswith(f".{end}")), "")
        start = name[: len(name) - len(end)]
        keys = [start + key for key in NAMES[end]] if end else [name]
        parts = [weights[key] for key in keys]
        if re.search(r"\b[WU][a-z]?$", keys[0]):
            inputs = parameter.shape[1]
            parts = [part.reshape(inputs, -1).T for part in parts]
        with torch.no_grad():
            parameter.copy_(torch.cat(parts).reshape(parameter.shape))
        left -= set(keys)
    assert not left, f"weights that no parameter takes: {left}"


def read_batches(folder, name, rows):
    """Pairs x, y of a workload's file, of `rows` rows each."""
    if (folder / f"{name}.csv").exists():
        table = numpy.loadtxt(folder / f"{name}.csv", "f4", delimiter=",", skiprows=1)
        x, y = table[:, :-1], table[:, -1]
        if not name.startswith(("tanh", "logistic")):
            y = y.astype("i8")
        if name.startswith(("lenet", "resnet")):
            x = x.reshape(-1, 1, 28, 28)
    else:
        x, y = (numpy.load(folder / f"{name}-{field}.npy") for field in "xy")
        y = y.astype("i8")
        x = x.astype("f4" if x.dtype.kind == "f" else "i8")
    # PyTorch aligns what it makes itself, and a split is a view.
    pairs = zip(*(torch.from_numpy(field).split(rows) for field in (x, y)))
    return [(x.clone(), y.clone()) for x, y in pairs if len(x) == rows]


def training_step(model, example, optimizer, variant="foreach"):
    """A function of a batch that trains the model on it and returns the loss.
    Batches have the shape of the example."""
    loss_of = model
    if "jit" in variant:
        loss_of = torch.jit.trace(model, example, check_trace=False)

    def step(*batch):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*batch)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def product_step(model, rate=0.1):
    """Along a product of the Hessian with the gradient."""

    def step(x, y):
        loss = model(x, y)
        (g,) = torch.autograd.grad(loss, model.w, create_graph=True)
        (product,) = torch.autograd.grad(g, model.w, g.detach())
        with torch.no_grad():
            model.w -= rate * product
        return loss.item()

    return step


def hessian_step(model, variant, rate=0.1):
    """Along the Hessian, as a matrix, times the gradient."""
    if "functorch" in variant:
        from functorch import hessian
    else:

        def hessian(f):
            vectorize = "vectorized" in variant
            return lambda w: torch.autograd.functional.hessian(
                f, w, vectorize=vectorize
            )

    def step(x, y):
        loss = model(x, y)
        (g,) = torch.autograd.grad(loss, model.w)
        matrix = hessian(lambda w: loss_of_margins(w, x, y))(model.w.detach())
        with torch.no_grad():
            model.w -= rate * (matrix @ g)
        return loss.item()

    return step


def seconds_since_process_start():
    after_name = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(after_name[19]) / 100


def peak_memory():
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status)[1])


def measure(step, batches, seconds):
    """What `gradus bench` tells about steps on the batches in turn."""
    losses, times = [], []
    warm = time.perf_counter() + seconds / 5
    while len(losses) < 20 or time.perf_counter() < warm:
        losses.append(step(*batches[len(losses) % len(batches)]))
        if len(losses) == 1:
            first = seconds_since_process_start()
    done = len(losses)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        batch = batches[(done + len(times)) % len(batches)]
        begin = time.perf_counter()
        step(*batch)
        times.append(time.perf_counter() - begin)
    return {
        "steps": len(times),
        "median_step_s": statistics.median(times),
        "first_step_s": first,
        "peak_memory_bytes": peak_memory(),
        "loss_1": losses[0],
        "loss_20": losses[19],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name")
    parser.add_argument("dims", nargs="*")
    parser.add_argument("--variant", default="foreach")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--direction", choices=["gradient", "product", "hessian"])
    line = parser.parse_args()
    torch.set_num_threads(line.threads)
    torch.manual_seed(1)

    stem, _, rows = line.name.partition("-")
    dims = {key: int(value) for key, value in (d.split("=") for d in line.dims)}
    batches = read_batches(line.folder, line.name, dims.pop("batch", int(rows)))
    make, sizes, optimizer = MODELS[stem]
    model = make(*sizes, **dims)
    weights = line.folder / f"{stem}.safetensors"
    if weights.exists():
        load(model, dict(tensors(weights)))
    if "channels_last" in line.variant:
        order = torch.channels_last
        model = model.to(memory_format=order)
        batches = [(x.contiguous(memory_format=order), y) for x, y in batches]

    if line.direction == "product":
        step = product_step(model)
    elif line.direction == "hessian":
        step = hessian_step(model, line.variant)
    else:
        trained = [p for p in model.parameters() if p.requires_grad]
        update = optimizer(trained, foreach=line.variant != "eager")
        step = training_step(model, batches[0], update, line.variant)
    result = {"workload": line.name, "variant": line.variant, "threads": line.threads}
    print(json.dumps(result | measure(step, batches, line.seconds)))


if __name__ == "__main__":
    main()
