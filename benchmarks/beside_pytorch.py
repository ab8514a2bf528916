"""Gradients of the same models in DAIG and in PyTorch, on one thread each, in turns.

    beside_pytorch.py GRADIENT [--rounds 5] [--seconds 1] [--json]

GRADIENT is the benchmark of that name. Needs PyTorch (Debian: python3-torch), h5py and NumPy. The
models are Keras files that this program writes itself, as Keras 2 would; weights and data are
random. Prints the medians over all rounds, and PyTorch's time over DAIG's: above 1, DAIG is faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import h5py
import numpy
import torch
from torch import nn

torch.set_num_threads(1)
BATCH = 64


class LastStep(nn.Module):
    """An LSTM's output at the end of the sequence."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


def layer(kind, name, **options):
    return {"class_name": kind, "config": dict(options, name=name)}


def dense(name, units, activation="relu"):
    return layer("Dense", name, units=units, activation=activation, use_bias=True)


def conv(name, filters):
    return layer("Conv2D", name, filters=filters, kernel_size=[3, 3], strides=[1, 1],
                 padding="valid", activation="relu", use_bias=True,
                 data_format="channels_last", dilation_rate=[1, 1])


def pool(name):
    return layer("MaxPooling2D", name, pool_size=[2, 2], strides=[2, 2], padding="valid",
                 data_format="channels_last")


# Name -> (shape of a sample, Keras's layers, their arrays, PyTorch's model, its axes of a batch).
MODELS = {
    "mlp 784-512-256-10": (
        (784,), [dense("a", 512), dense("b", 256), dense("c", 10, "softmax")],
        {"a": [(784, 512), (512,)], "b": [(512, 256), (256,)], "c": [(256, 10), (10,)]},
        lambda: nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                              nn.Linear(256, 10)), None),
    "cnn 32-64": (
        (28, 28, 1), [conv("a", 32), pool("p"), conv("b", 64), pool("q"), layer("Flatten", "f"),
                      layer("Dropout", "d", rate=0.5), dense("c", 10, "softmax")],
        {"a": [(3, 3, 1, 32), (32,)], "b": [(3, 3, 32, 64), (64,)], "c": [(1600, 10), (10,)]},
        lambda: nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3),
                              nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5),
                              nn.Linear(1600, 10)), (0, 3, 1, 2)),
    "lstm 128, 50 x 32": (
        (50, 32), [layer("LSTM", "a", units=128, activation="tanh", use_bias=True,
                         recurrent_activation="sigmoid", return_sequences=False),
                   dense("c", 10, "softmax")],
        {"a": [(32, 512), (128, 512), (512,)], "c": [(128, 10), (10,)]},
        lambda: nn.Sequential(LastStep(32, 128), nn.Linear(128, 10)), None),
}


def write_keras_file(path, shape, layers, arrays):
    first = dict(layers[0], config=dict(layers[0]["config"], batch_input_shape=[None, *shape]))
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": [first] + layers[1:]}}
    training = {"loss": "sparse_categorical_crossentropy", "metrics": [],
                "optimizer_config": {"class_name": "SGD", "config": {"learning_rate": 0.01}}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model)
        file.attrs["training_config"] = json.dumps(training)
        file.attrs["keras_version"] = b"2.6.0"
        file.attrs["backend"] = b"tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [one["config"]["name"].encode() for one in layers]
        for one in layers:
            name = one["config"]["name"]
            group = weights.create_group(name)
            names = [f"{name}/w{i}:0" for i in range(len(arrays.get(name, [])))]
            group.attrs["weight_names"] = [text.encode() for text in names]
            for text, extents in zip(names, arrays.get(name, [])):
                group.create_dataset(text, data=numpy.zeros(extents, "float32"))


def time_of_daig(program, path, seconds):
    line = subprocess.run([program, "--model", path, "--batch", str(BATCH), "--seconds",
                           str(seconds), "--json"], capture_output=True, text=True)
    if line.returncode != 0:
        raise SystemExit(f"{program} ended with exit code {line.returncode}: {line.stderr}")
    return json.loads(line.stdout)["median_s"]


def time_of_pytorch(model, x, y, seconds):
    loss = nn.CrossEntropyLoss()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 8 or time.perf_counter() < end:
        start = time.perf_counter()
        model.zero_grad()
        loss(model(x), y).backward()
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("gradient")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (shape, layers, arrays, make, axes) in MODELS.items():
            path = os.path.join(folder, "model.h5")
            write_keras_file(path, shape, layers, arrays)
            x = torch.rand(BATCH, *shape)
            if axes:
                x = x.permute(*axes).contiguous()
            y = torch.randint(0, 10, (BATCH,))
            model = make()
            ours, theirs = [], []
            for _ in range(options.rounds):
                ours.append(time_of_daig(options.gradient, path, options.seconds))
                theirs.append(time_of_pytorch(model, x, y, options.seconds))
            row = {"name": name, "batch": BATCH, "daig_s": statistics.median(ours),
                   "pytorch_s": statistics.median(theirs)}
            row["ratio"] = row["pytorch_s"] / row["daig_s"]
            rows.append(row)
            print(f"{name:20}  DAIG {row['daig_s'] * 1e3:8.3f} ms   PyTorch "
                  f"{row['pytorch_s'] * 1e3:8.3f} ms   ratio {row['ratio']:.2f}", flush=True)
    if options.json:
        print(json.dumps({"rows": rows}))


main()
