"""The linear and autoencoder examples on Fashion-MNIST in PyTorch, to measure
beside `gradus bench examples/NAME.nn`:
torch_examples.py NAME [--variant V] [--seconds S] [--train]

Prints, as torch_workloads.py does, the median time of a step on batches that are in
memory: conversion of the bytes, forward, backward, update. With --train trains as the
example does instead and prints what its reports would. One thread.
"""
import argparse
import gzip
import json
import math
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional

from torch_workloads import measure, training_step

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
BATCH = 128


def idx(name):
    data = gzip.open(FOLDER / name).read()
    axes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    array = numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3])
    return torch.from_numpy(array.reshape(axes).copy())


class Linear(nn.Module):
    """Scores of ten classes, all parameters 0."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(784, 10))
        self.b = nn.Parameter(torch.zeros(10))

    def scores(self, image):
        return (image.float() / 255).reshape(-1, 784) @ self.w + self.b

    def reports(self, image, label):
        scores = self.scores(image)
        return {"accuracy": (scores.argmax(1) == label).float().mean()}


class Softmax(Linear):
    def forward(self, image, label):
        ridge = 1e-4 * (self.w**2).sum()
        return functional.cross_entropy(self.scores(image), label) + ridge


class Svm(Linear):
    def forward(self, image, label):
        # multi_margin_loss divides by the number of classes.
        hinge = 10 * functional.multi_margin_loss(self.scores(image), label)
        return hinge + 1e-4 * (self.w**2).sum()


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [784, 128, 32, 128, 784]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.in_features))
            nn.init.zeros_(layer.bias)

    def logits(self, pixels):
        enc1, enc2, dec1, dec2 = self.layers
        code = enc2(functional.relu(enc1(pixels)))
        return dec2(functional.relu(dec1(code)))

    def forward(self, image, label):
        pixels = (image.float() / 255).reshape(-1, 784)
        return functional.binary_cross_entropy_with_logits(self.logits(pixels), pixels)

    def reports(self, image, label):
        pixels = (image.float() / 255).reshape(-1, 784)
        error = torch.sigmoid(self.logits(pixels)) - pixels
        return {"loss": self(image, label), "error": (error**2).mean()}


MODELS = {
    "softmax_regression": (Softmax, 2e-3, 10),
    "svm": (Svm, 1e-3, 10),
    "autoencoder": (Autoencoder, 2e-3, 10),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=MODELS)
    parser.add_argument(
        "--variant", default="eager", choices=["eager", "foreach", "jit"]
    )
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--train", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    kind, rate, epochs = MODELS[options.name]
    model = kind()
    images = idx("train-images-idx3-ubyte.gz")
    labels = idx("train-labels-idx1-ubyte.gz").long()
    batches = [
        (images[i * BATCH : (i + 1) * BATCH], labels[i * BATCH : (i + 1) * BATCH])
        for i in range(8)
    ]
    optimizer = torch.optim.Adam(
        model.parameters(), lr=rate, foreach=options.variant != "eager"
    )
    step = training_step(model, batches[0], optimizer, options.variant)

    if options.train:
        steps = epochs * (len(images) // BATCH)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda t: 0.5 * (1 + math.cos(math.pi * (t + 1) / steps))
        )
        for _ in range(epochs):
            order = torch.randperm(len(images))
            for chosen in order[: len(images) // BATCH * BATCH].split(BATCH):
                step(images[chosen], labels[chosen])
                schedule.step()
        test = idx("t10k-images-idx3-ubyte.gz"), idx("t10k-labels-idx1-ubyte.gz").long()
        with torch.no_grad():
            found = {name: value.item() for name, value in model.reports(*test).items()}
        print(json.dumps({"name": options.name, **found}))
        return

    result = {"name": options.name, "variant": options.variant}
    print(json.dumps(result | measure(step, batches, options.seconds)))


if __name__ == "__main__":
    main()
