"""The workload rnn-64 in PyTorch, from the files that workloads.py writes:
torch_recurrent.py FOLDER [--variant eager|foreach] [--seconds S]

Prints the losses of steps 1 and 20 and the median time of a step on batches that are
in memory. One thread.
"""
import argparse
import json
import pathlib
import statistics
import struct
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

BATCH = 64


def parameters(path):
    """Tensors by name of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    for name, entry in json.loads(data[8 : 8 + length]).items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        numbers = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        yield name, torch.from_numpy(numbers.copy())


class Classifier(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.rnn = nn.RNN(8, 64, batch_first=True)
        self.out = nn.Linear(64, 4)
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(values["rnn.W"].T)
            self.rnn.weight_hh_l0.copy_(values["rnn.U"].T)
            self.rnn.bias_ih_l0.copy_(values["rnn.b"])
            self.rnn.bias_hh_l0.zero_().requires_grad_(False)
            self.out.weight.copy_(values["out.W"].T)
            self.out.bias.copy_(values["out.b"])
        self.rnn.bias_hh_l0.requires_grad_(False)

    def forward(self, x, y):
        return functional.cross_entropy(self.out(self.rnn(x)[0][:, -1]), y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--variant", default="foreach", choices=["eager", "foreach"])
    parser.add_argument("--seconds", type=float, default=5)
    line = parser.parse_args()
    torch.set_num_threads(1)
    model = Classifier(dict(parameters(line.folder / "rnn.safetensors")))
    x = torch.from_numpy(numpy.load(line.folder / "rnn-64-x.npy"))
    y = torch.from_numpy(numpy.load(line.folder / "rnn-64-y.npy")).long()
    batches = list(zip(x.split(BATCH), y.split(BATCH)))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, foreach=line.variant == "foreach")
    losses, times = [], []
    end = time.perf_counter() + line.seconds
    while len(losses) < 20 or time.perf_counter() < end:
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(*batches[len(losses) % len(batches)])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(time.perf_counter() - begin)
    median = statistics.median(times[5:])
    result = {"workload": "rnn-64", "variant": line.variant, "median_ms": 1e3 * median}
    print(json.dumps(result | {"loss1": losses[0], "loss20": losses[19]}))


if __name__ == "__main__":
    main()
