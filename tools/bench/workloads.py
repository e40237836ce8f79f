"""Workloads to measure Gradus beside other systems:
workloads.py FOLDER [NAME...]: writes models, data and initial weights.

Data and weights are a hash of their position, so that any system can make the
same bits: with the same mathematics it has the same losses. LOSSES has those of
PyTorch 1.13 in steps 1 and 20. tools/bench/run measures them all; to measure one:

    python3 tools/bench/workloads.py /tmp/bench
    gradus bench /tmp/bench/mlp-128.nn --weights /tmp/bench/mlp.safetensors
    gradus bench /tmp/bench/logistic-1000.nn --train hessian
    python3 tools/bench/torch_workloads.py /tmp/bench mlp-128
"""
import json
import math
import pathlib
import struct
import sys

BATCHES = 8  # used in turn

MLP = """\
# 784-256-128-10 with ReLU, cross-entropy, Adam.
data batches {{
  x: real[784]; y: index(10)
  train from csv("mlp-{batch}.csv", x = 0..784, y = 784)
}}
layer fc1 = Linear[784, 256]
layer fc2 = Linear[256, 128]
layer fc3 = Linear[128, 10]
export fn logits[B](x: real[B, 784]) -> real[B, 10] = fc1(x) |> relu |> fc2 |> relu |> fc3
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using adam(lr = 1e-3)
  epochs = 10; shuffle = false
}}
"""

TANH = """\
# 2-64-64-1 with tanh, squared error, gradient descent.
data batches {{
  x: real[2]; y: real
  train from csv("tanh-{batch}.csv", x = 0..2, y = 2)
}}
layer fc1 = Linear[2, 64]
layer fc2 = Linear[64, 64]
layer fc3 = Linear[64, 1]
export fn predict[B](x: real[B, 2]) -> real[B] =
  fc1(x) |> tanh |> fc2 |> tanh |> fc3 |> reshape[B]
train on batches(x, y), batch B = {batch} {{
  minimize mean(squared_error(predict(x), y)) using sgd(lr = 0.01)
  epochs = 10; shuffle = false
}}
"""

CONVOLUTIONS = """\
# Two convolutions of 5 x 5 with ReLU and pooling, two layers behind; momentum.
data batches {{
  x: real[784]; y: index(10)
  train from csv("lenet-{batch}.csv", x = 0..784, y = 784)
}}
layer c1 = Conv[1, 16, 5](pad = 2)
layer c2 = Conv[16, 32, 5](pad = 2)
layer fc1 = Linear[32 * 7 * 7, 128]
layer fc2 = Linear[128, 10]
export fn logits[B](x: real[B, 784]) -> real[B, 10] = reshape[B, 1, 28, 28](x)
  |> c1 |> relu |> max_pool(2)
  |> c2 |> relu |> max_pool(2)
  |> reshape[B, 32 * 7 * 7] |> fc1 |> relu |> fc2
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using momentum(lr = 0.01)
  epochs = 10; shuffle = false
}}
"""

GPT = """\
# Four transformer blocks of width 128 with four heads, on 128 of 256 tokens;
# every parameter decays.
dim V = 256, T = 128, D = 128, H = 4, L = 4
dim K = D / H
data batches {{
  x: index(V)[T]; y: index(V)[T]
  train from npy(x = "gpt-{batch}-x.npy", y = "gpt-{batch}-y.npy")
}}
module SelfAttention {{
  param Wq: real[D, H, K] ~ xavier(D, D); param bq: real[H, K] = 0
  param Wk: real[D, H, K] ~ xavier(D, D); param bk: real[H, K] = 0
  param Wv: real[D, H, K] ~ xavier(D, D); param bv: real[H, K] = 0
  param Wo: real[H, K, D] ~ xavier(D, D); param bo: real[D] = 0
  fn call[B, S](x: real[B, S, D]) -> real[B, S, D] {{
    let q[b, h, i, c] = sum[d](x[b, i, d] * Wq[d, h, c]) + bq[h, c]
    let k[b, h, j, c] = sum[d](x[b, j, d] * Wk[d, h, c]) + bk[h, c]
    let v[b, h, j, c] = sum[d](x[b, j, d] * Wv[d, h, c]) + bv[h, c]
    let score[b, h, i, j] =
      where(j <= i, sum[c](q[b, h, i, c] * k[b, h, j, c]) / sqrt(K), -inf)
    let weight = softmax(score, axis = -1)
    let mix[b, i, h, c] = sum[j](weight[b, h, i, j] * v[b, h, j, c])
    let y[b, i, d] = sum[h, c](mix[b, i, h, c] * Wo[h, c, d]) + bo[d]
    return y
  }}
}}
module Block {{
  layer ln1 = LayerNorm[D]; layer att = SelfAttention
  layer ln2 = LayerNorm[D]; layer up = Linear[D, 4 * D]; layer down = Linear[4 * D, D]
  fn call[B, S](x: real[B, S, D]) -> real[B, S, D] {{
    let y = x + (x |> ln1 |> att)
    return y + (y |> ln2 |> up |> gelu_tanh |> down)
  }}
}}
param tok: real[V, D] ~ normal(0, 0.02)
param pos: real[T, D] ~ normal(0, 0.02)
layer blocks[L] = Block; layer ln = LayerNorm[D]
export fn logits[B](x: index(V)[B, T]) -> real[B, T, V] {{
  var h = tok[x] + pos
  for block in blocks {{ h = block(h) }}
  return ln(h) @ tok.T
}}
optimizer decaying[..S](lr: real, decay: real) {{
  state m: real[..S] = 0
  state v: real[..S] = 0
  step(p: real[..S], g: real[..S]) {{
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g^2
    p = p - lr * decay * p - lr * (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
  }}
}}
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using decaying(lr = 3e-4, decay = 0.01)
  epochs = 10; shuffle = false
}}
"""

RECURRENT = """\
# A recurrent layer of 64 over T positions, cross-entropy behind the last, Adam.
dim T = 500
data batches {{
  x: real[T, 8]; y: index(4)
  train from npy(x = "rnn-{batch}-x.npy", y = "rnn-{batch}-y.npy")
}}
layer rnn = RNN[8, 64]
layer out = Linear[64, 4]
export fn logits[B](x: real[B, T, 8]) -> real[B, 4] = out(rnn(x)[0..B, T - 1])
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using adam(lr = 1e-3)
  epochs = 10; shuffle = false
}}
"""

RESIDUAL = """\
# Three residual blocks with batch normalisation, at 28 x 28, 14 x 14 and 7 x 7 pixels;
# momentum.
data batches {{
  x: real[784]; y: index(10)
  train from csv("resnet-{batch}.csv", x = 0..784, y = 784)
}}
module Filter[In, Out, K](stride: int = 1) {{
  param w: real[Out, In, K, K] ~ he(In * K * K)
  layer norm = BatchNorm[Out]
  fn call[B, H, W](x: real[B, In, H, W]) = norm(conv2d(x, w, stride = stride, pad = K // 2))
}}
module Plain[C] {{
  layer a = Filter[C, C, 3]; layer b = Filter[C, C, 3]
  fn call[B, H, W](x: real[B, C, H, W]) -> real[B, C, H, W] = relu(x + (x |> a |> relu |> b))
}}
module Down[C] {{
  layer a = Filter[C, 2 * C, 3](stride = 2); layer b = Filter[2 * C, 2 * C, 3]
  layer short = Filter[C, 2 * C, 1](stride = 2)
  fn call[B, H, W](x: real[B, C, H, W]) = relu(short(x) + (x |> a |> relu |> b))
}}
layer stem = Filter[1, 16, 3]
layer block1 = Plain[16]
layer block2 = Down[16]
layer block3 = Down[32]
layer head = Linear[64, 10]
export fn logits[B](x: real[B, 784]) -> real[B, 10] = reshape[B, 1, 28, 28](x)
  |> stem |> relu |> block1 |> block2 |> block3 |> mean(axis = (2, 3)) |> head
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using momentum(lr = 0.001)
  epochs = 10; shuffle = false
}}
"""

LSTM = """\
# An LSTM of 256 that reads 64 tokens and says what comes next, Adam.
dim V = 256, T = 64, D = 64, H = 256
data batches {{
  x: index(V)[T]; y: index(V)[T]
  train from npy(x = "lstm-{batch}-x.npy", y = "lstm-{batch}-y.npy")
}}
layer embed = Embedding[V, D]
layer lstm = LSTM[D, H](forget = 0.0)
layer read = Linear[H, V]
export fn logits[B](x: index(V)[B, T]) -> real[B, T, V] = x |> embed |> lstm |> read
train on batches(x, y), batch B = {batch} {{
  minimize mean(cross_entropy(logits(x), y)) using adam(lr = 1e-3)
  epochs = 10; shuffle = false
}}
"""

LOGISTIC = """\
# Logistic regression of 50 numbers: what a step takes whose direction is the
# gradient, a product with the Hessian, or the Hessian.
data batches {{
  x: real[50]; y: real
  train from csv("logistic-{batch}.csv", x = 0..50, y = 50)
}}
param w: real[50] = 0
optimizer along_product[P](lr: real) {{
  step(p: real[P], g: real[P], loss: fn(real[P]) -> real) {{
    p = p - lr * hvp(loss(p), p, g)
  }}
}}
optimizer along_hessian[P](lr: real) {{
  step(p: real[P], g: real[P], loss: fn(real[P]) -> real) {{
    p = p - lr * (hessian(loss(p), p) @ g)
  }}
}}
train gradient on batches(x, y), batch B = {batch} {{
  minimize mean(softplus(-y * (x @ w))) using sgd(lr = 0.1)
  epochs = 10; shuffle = false
}}
train product on batches(x, y), batch B = {batch} {{
  minimize mean(softplus(-y * (x @ w))) using along_product(lr = 0.1)
  epochs = 10; shuffle = false
}}
train hessian on batches(x, y), batch B = {batch} {{
  minimize mean(softplus(-y * (x @ w))) using along_hessian(lr = 0.1)
  epochs = 10; shuffle = false
}}
"""

WORKLOADS = {
    "mlp-32": (MLP, [784, 256, 128, 10], 32),
    "mlp-128": (MLP, [784, 256, 128, 10], 128),
    "mlp-1024": (MLP, [784, 256, 128, 10], 1024),
    "tanh-64": (TANH, [2, 64, 64, 1], 64),
    "lenet-64": (CONVOLUTIONS, ["c1 1 16 5", "c2 16 32 5", 1568, 128, 10], 64),
    "resnet-64": (RESIDUAL, [784], 64),
    "gpt-8": (GPT, None, 8),
    "rnn-64": (RECURRENT, None, 64),
    "lstm-32": (LSTM, None, 32),
    "logistic-1000": (LOGISTIC, [50], 1000),
}

LOSSES = {
    "mlp-32": (2.308276, 2.206708),
    "mlp-128": (2.318775, 2.279187),
    "mlp-1024": (2.308584, 2.297894),
    "tanh-64": (0.247940, 0.166694),
    "lenet-64": (2.304903, 2.294316),
    "gpt-8": (5.574516, 5.394338),
    "resnet-64": (2.328352, 2.289984),
    "rnn-64": (1.383464, 1.376527),
    "lstm-32": (5.545201, 5.542011),
}


def hashed(stream, count):
    """`count` whole numbers below 2^32 of one stream."""
    start = stream * 0x85EBCA77
    for i in range(1, count + 1):
        x = (i * 0x9E3779B1 + start) & 0xFFFFFFFF
        x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
        x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
        yield x ^ x >> 16


def uniform(stream, count):
    """In [0, 1), exact in single precision."""
    return [(x >> 8) * 2.0**-24 for x in hashed(stream, count)]


def single(x):
    """The nearest number in single precision."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


def rows(name, batch):
    for k in range(BATCHES):
        if name.startswith("logistic"):
            x = [2 * u - 1 for u in uniform(1000 + k, batch * 50)]
            y = [2 * (label & 1) - 1 for label in hashed(2000 + k, batch)]
            for i in range(batch):
                yield x[i * 50 : (i + 1) * 50] + [y[i]]
        elif not name.startswith("tanh"):
            x = uniform(1000 + k, batch * 784)
            y = [label % 10 for label in hashed(2000 + k, batch)]
            for i in range(batch):
                yield x[i * 784 : (i + 1) * 784] + [y[i]]
        else:
            x = [2 * u - 1 for u in uniform(1000 + k, batch * 2)]
            for a, b in zip(x[0::2], x[1::2]):
                yield [a, b, single(math.sin(3 * a) * math.cos(2 * b))]


def weights(sizes):
    """Names, shapes and bytes: W uniform within 1 / sqrt(inputs), b zero. Layers
    are numbers of values, before them convolutions: name, channels, window."""
    convolutions = [size.split() for size in sizes if isinstance(size, str)]
    sizes = sizes[len(convolutions) :]
    stream = 1

    def drawn(inputs, count):
        # The stream counts tensors.
        nonlocal stream
        bound = single(inputs**-0.5)
        values = [single((2 * u - 1) * bound) for u in uniform(stream, count)]
        stream += 2
        return values

    for name, *numbers in convolutions:
        inputs, outputs, size = map(int, numbers)
        flat = drawn(inputs * size**2, outputs * inputs * size**2)
        shape = [outputs, inputs, size, size]
        yield f"{name}.w", shape, struct.pack(f"<{len(flat)}f", *flat)
        yield f"{name}.b", [outputs], bytes(4 * outputs)
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        # It fills [outputs, inputs], row by row.
        flat = drawn(inputs, inputs * outputs)
        turned = [flat[o * inputs + k] for k in range(inputs) for o in range(outputs)]
        yield f"fc{i + 1}.W", [inputs, outputs], struct.pack(
            f"<{len(turned)}f", *turned
        )
        yield f"fc{i + 1}.b", [outputs], bytes(4 * outputs)


def gpt_weights():
    """Names, shapes and bytes of GPT: matrices uniform with deviation 0.02, gains
    one, biases zero. A stream for each of PyTorch's tensors, which holds the
    matrices of queries, keys and values in one and all of them [outputs, inputs]."""
    stream = 0

    def drawn(outputs, inputs):
        nonlocal stream
        stream += 1
        bound = single(0.02 * math.sqrt(3))
        flat = [
            single(single(2 * u - 1) * bound) for u in uniform(stream, outputs * inputs)
        ]
        return [flat[i * inputs : (i + 1) * inputs] for i in range(outputs)]

    def tensor(name, shape, flat):
        return name, shape, struct.pack(f"<{len(flat)}f", *flat)

    def matrix(name, shape, lines):
        return tensor(name, shape, [x for line in lines for x in line])

    def constant(name, shape, value):
        return tensor(name, shape, [value] * math.prod(shape))

    def turned(name, shape, lines):
        return matrix(name, shape, zip(*lines))

    def norm(name):
        nonlocal stream
        stream += 2
        yield constant(f"{name}.gain", [128], 1.0)
        yield constant(f"{name}.bias", [128], 0.0)

    yield matrix("tok", [256, 128], drawn(256, 128))
    yield matrix("pos", [128, 128], drawn(128, 128))
    for block in (f"blocks.{i}" for i in range(4)):
        yield from norm(f"{block}.ln1")
        lines = drawn(384, 128)
        for i, name in enumerate("qkv"):
            part = lines[128 * i : 128 * (i + 1)]
            yield turned(f"{block}.att.W{name}", [128, 4, 32], part)
            yield constant(f"{block}.att.b{name}", [4, 32], 0.0)
        stream += 1
        yield turned(f"{block}.att.Wo", [4, 32, 128], drawn(128, 128))
        yield constant(f"{block}.att.bo", [128], 0.0)
        stream += 1
        yield from norm(f"{block}.ln2")
        for name, inputs, outputs in (("up", 128, 512), ("down", 512, 128)):
            yield turned(f"{block}.{name}.W", [inputs, outputs], drawn(outputs, inputs))
            yield constant(f"{block}.{name}.b", [outputs], 0.0)
            stream += 1
    yield from norm("ln")


def named(stream, name, shape, bound=None):
    """Of one stream: uniform within `bound`; without it ones if it is a gain or a
    variance, else zeros."""
    count = math.prod(shape)
    numbers = [float(name.endswith(("gain", "sigma2")))] * count
    if bound:
        numbers = [single((2 * u - 1) * bound) for u in uniform(stream, count)]
    return name, shape, struct.pack(f"<{count}f", *numbers)


def rnn_weights():
    """Names, shapes and bytes: matrices uniform within 1/8, biases zero."""
    shapes = [("rnn.W", [8, 64]), ("rnn.U", [64, 64]), ("rnn.b", [64])]
    shapes += [("out.W", [64, 4]), ("out.b", [4])]
    for stream, (name, shape) in enumerate(shapes):
        yield named(stream, name, shape, None if name.endswith("b") else 1 / 8)


def lstm_weights():
    """Names, shapes and bytes: matrices uniform within 1/16, biases zero."""
    shapes = [("embed.table", [256, 64]), ("lstm.W", [64, 1024])]
    shapes += [("lstm.U", [256, 1024]), ("lstm.b", [1024])]
    shapes += [("read.W", [256, 256]), ("read.b", [256])]
    for stream, (name, shape) in enumerate(shapes):
        yield named(stream, name, shape, None if name.endswith("b") else 1 / 16)


def resnet_weights():
    """Names, shapes and bytes: windows uniform within 1 / sqrt(inputs)."""
    filters = {"stem": (1, 16, 3), "block1.a": (16, 16, 3), "block1.b": (16, 16, 3)}
    for block, width in (("block2", 16), ("block3", 32)):
        filters[f"{block}.a"] = width, 2 * width, 3
        filters[f"{block}.b"] = 2 * width, 2 * width, 3
        filters[f"{block}.short"] = width, 2 * width, 1
    for stream, (name, (inputs, outputs, size)) in enumerate(filters.items()):
        shape = [outputs, inputs, size, size]
        yield named(stream, f"{name}.w", shape, single((inputs * size**2) ** -0.5))
        yield named(stream, f"{name}.norm.gain", [outputs])
        yield named(stream, f"{name}.norm.bias", [outputs])
        yield named(stream, f"state/{name}.norm.mu", [outputs])
        yield named(stream, f"state/{name}.norm.sigma2", [outputs])
    yield named(len(filters), "head.W", [64, 10], 1 / 8)
    yield named(len(filters), "head.b", [10])


def write_sequences(name, batch, folder, length=500):
    x, y = [], []
    for k in range(BATCHES):
        x += [2 * u - 1 for u in uniform(1000 + k, batch * length * 8)]
        y += [label % 4 for label in hashed(2000 + k, batch)]
    write_npy(folder / f"{name}-x.npy", [BATCHES * batch, length, 8], x, "f")
    write_npy(folder / f"{name}-y.npy", [BATCHES * batch], y)


def write_npy(path, shape, numbers, kind="i"):
    axes = f"({', '.join(map(str, shape))},)"
    head = f"{{'descr': '<{kind}4', 'fortran_order': False, 'shape': {axes}, }}"
    head = head.ljust(64 * 2 - 10 - 1) + "\n"
    magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head))
    path.write_bytes(
        magic + head.encode() + struct.pack(f"<{len(numbers)}{kind}", *numbers)
    )


def write_tokens(name, batch, folder, length=128):
    """`length` tokens a row that are seen and, one further, those that are expected."""
    seen, expected = [], []
    for k in range(BATCHES):
        tokens = [x % 256 for x in hashed(1000 + k, batch * (length + 1))]
        for i in range(0, len(tokens), length + 1):
            seen += tokens[i : i + length]
            expected += tokens[i + 1 : i + length + 1]
    for field, numbers in (("x", seen), ("y", expected)):
        write_npy(folder / f"{name}-{field}.npy", [BATCHES * batch, length], numbers)


def write_safetensors(path, tensors):
    head, data = {}, b""
    for name, shape, part in tensors:
        offsets = [len(data), len(data) + len(part)]
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
        data += part
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write(name, folder):
    model, sizes, batch = WORKLOADS[name]
    (folder / f"{name}.nn").write_text(model.format(batch=batch))
    stem = name.split("-")[0]
    if stem == "gpt":
        write_tokens(name, batch, folder)
        write_safetensors(folder / f"{stem}.safetensors", gpt_weights())
        return
    if stem == "lstm":
        write_tokens(name, batch, folder, length=64)
        write_safetensors(folder / f"{stem}.safetensors", lstm_weights())
        return
    if stem == "rnn":
        write_sequences(name, batch, folder)
        write_safetensors(folder / f"{stem}.safetensors", rnn_weights())
        return
    with open(folder / f"{name}.csv", "w") as file:
        width = 784 if isinstance(sizes[0], str) else sizes[0]
        file.write(",".join(f"c{i}" for i in range(width + 1)) + "\n")
        for row in rows(name, batch):
            file.write(",".join(f"{number:.9g}" for number in row) + "\n")
    if stem == "resnet":
        write_safetensors(folder / f"{stem}.safetensors", resnet_weights())
    elif len(sizes) > 1:
        write_safetensors(folder / f"{stem}.safetensors", weights(sizes))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or WORKLOADS:
        write(name, folder)


if __name__ == "__main__":
    main()
