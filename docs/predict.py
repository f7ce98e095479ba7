#!/usr/bin/env python3
"""Predicts with an export of `ensemble export R --output DIR`; needs numpy and nothing else.

    python3 docs/predict.py DIR rows.csv > out.csv

Prints what `ensemble predict R --input rows.csv` prints into a pipe, and shows how little an export takes to be used:
safetensors are a header and a buffer, data.json says how raw numbers become inputs, and manifest.json which layers make
scores of them and which models are averaged. It reads the layers of the built-in mlp, lenet and resnet. Of a run that
averages over dropout masks it prints what `ensemble predict R --mc 0` does: masks take the random numbers of the run.
"""
import csv
import json
import struct
import sys
from pathlib import Path

import numpy as np


def read_safetensors(path):
    """Named float32 arrays: a little-endian length, that many bytes of JSON, then the data."""
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            sys.exit(f"{path}: {name} is {entry['dtype']}, and this reader knows F32 alone.")
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return tensors


class Layers:
    """Hands out the tensors of one layer after another: layers.N counts the layers that own some."""

    def __init__(self, tensors):
        self.tensors, self.number = tensors, -1

    def next(self):
        self.number += 1
        prefix = f"layers.{self.number}."
        return {name[len(prefix):]: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}


def dense(x, layer, layers):
    w = layers.next()
    return x @ w["weight"].T + w["bias"]


def convolution(x, layer, layers):
    """Weight [filters, channels, size, size]."""
    w, p, size, stride = layers.next(), layer["padding"], layer["size"], layer["stride"]
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    y = np.einsum("nchwij,fcij->nfhw", windows, w["weight"], optimize=True)
    return y + w["bias"][:, None, None] if "bias" in w else y


def batch_norm(x, layer, layers):
    """With the running statistics of training, per channel."""
    w = {name: tensor.reshape(-1, *[1] * (x.ndim - 2)) for name, tensor in layers.next().items()}
    return (x - w["running_mean"]) / np.sqrt(w["running_var"] + np.float32(1e-5)) * w["weight"] + w["bias"]


def residual(x, layer, layers):
    """relu(F(x) + x); where F halves the image or adds channels, x is every second pixel, then channels of zeros."""
    channels, stride = layer["channels"], layer["stride"]
    y = convolution(x, {"padding": 1, "size": 3, "stride": stride}, layers)
    y = np.maximum(batch_norm(y, layer, layers), 0)
    y = batch_norm(convolution(y, {"padding": 1, "size": 3, "stride": 1}, layers), layer, layers)
    x = x[:, :, ::stride, ::stride]
    return np.maximum(y + np.pad(x, ((0, 0), (0, channels - x.shape[1]), (0, 0), (0, 0))), 0)


def max_pool(x, *_):
    """The maximum of each 2x2 square; an odd row or column at the end is left out."""
    n, c, h, w = x.shape
    return x[:, :, :h // 2 * 2, :w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def pad_image(x, layer, _):
    """Zeros around images that are smaller, the odd one below and to the right."""
    rows, columns = (max(0, layer["size"] - side) for side in x.shape[2:])
    return np.pad(x, ((0, 0), (0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))


def dropout(x, layer, _):
    """At test time vanilla dropout multiplies by the keep probability, inverted dropout does nothing."""
    return x * np.float32(1 - layer["rate"]) if layer["kind"] == "vanilla" else x


FUNCTIONS = {
    "dense": dense,
    "convolution": convolution,
    "batchNorm": batch_norm,
    "residual": residual,
    "maxPool": max_pool,
    "padImage": pad_image,
    "dropout": dropout,
    "relu": lambda x, *_: np.maximum(x, 0),
    "channelMean": lambda x, *_: x.mean((2, 3)),
    "flatten": lambda x, *_: x.reshape(len(x), -1),
}


def scores(x, tensors, description):
    layers = Layers(tensors)
    for layer in description:
        if layer["layer"] not in FUNCTIONS:
            sys.exit(f"This reader knows no layer {layer['layer']!r}; it knows {', '.join(sorted(FUNCTIONS))}.")
        x = FUNCTIONS[layer["layer"]](x, layer, layers)
    return x


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def read_rows(path, data):
    """Raw numbers in the order of the run's columns; other columns, such as a label, are left out."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    return np.array([[row[column] for column in data["columns"]] for row in rows], dtype=np.float32).reshape(-1, len(data["columns"]))


def predict(folder, raw):
    """Averaged class probabilities, [rows, classes]."""
    folder = Path(folder)
    manifest, data = (json.loads((folder / name).read_text("utf-8")) for name in ("manifest.json", "data.json"))
    if manifest["monteCarloSamples"]:
        print(f"Dropout by weight scaling: `ensemble predict` averages over {manifest['monteCarloSamples']} masks, unless --mc is 0.", file=sys.stderr)
    x = raw / np.float32(data["scale"])
    if data.get("mean") is not None:
        x = (x - np.float32(data["mean"])) / np.float32(data["deviation"])
    x = x.reshape(-1, *manifest["inputShape"])
    total, weights = 0, 0
    for constituent in manifest["constituents"]:
        tensors = read_safetensors(folder / constituent["file"])
        total = total + constituent["weight"] * softmax(scores(x, tensors, manifest["layers"]))
        weights += constituent["weight"]
    return total / weights


def main(folder, rows):
    data = json.loads((Path(folder) / "data.json").read_text("utf-8"))
    probabilities = predict(folder, read_rows(rows, data))
    entropy = -(probabilities * np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))).sum(1)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["label", "entropy"] + [f"p({name})" for name in data["classes"]])
    for row, h in zip(probabilities, entropy):
        out.writerow([data["classes"][row.argmax()], float(h)] + [float(p) for p in row])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: predict.py EXPORT rows.csv")
    main(*sys.argv[1:])
