"""Compares with real Keras: predictions, training steps, and whether Keras loads what we write.

    agreement_test.py DAIG VENV

Makes the virtual environment VENV, unless it is there, and installs the current Keras in it, from
PyPI. Exit code 77, skipped, where that cannot be done.
"""

import os
import subprocess
import sys
import tempfile

SKIPPED = 77


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def enter_environment(venv):
    """Goes on in the environment's own Python."""
    python = os.path.join(venv, "bin", "python")
    marker = os.path.join(venv, "complete")
    if not os.path.exists(marker):
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv],
                              capture_output=True, text=True)
        if made.returncode != 0:
            skip("no virtual environment can be made: " + made.stderr.strip())
        installed = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries",
             "1", "--timeout", "20", "keras", "jax", "h5py"], capture_output=True, text=True)
        if installed.returncode != 0:
            skip("Keras cannot be installed from PyPI: " + installed.stderr.strip()[-500:])
        open(marker, "w").close()
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", DAIG_KERAS_INSIDE="1")
    os.execv(python, [python] + sys.argv)


if "DAIG_KERAS_INSIDE" not in os.environ:
    enter_environment(os.path.abspath(sys.argv[2]))

import warnings

import h5py
import keras
import numpy
from keras import layers

warnings.filterwarnings("ignore")
DAIG = os.path.abspath(sys.argv[1])
failures = []


def daig(*words):
    done = subprocess.run([DAIG, *words], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"daig {words[0]} ended with {done.returncode}: {done.stderr}")


def check(name, what, ours, theirs, tolerance):
    """Relative to the largest value, as a float32 sum is no better than that."""
    scale = max(numpy.abs(theirs).max(), 1e-30)
    worst = numpy.abs(ours - theirs).max() / scale
    verdict = "ok" if worst <= tolerance else "FAILED"
    print(f"{name}: {what}: {worst:.1e} {verdict}")
    if verdict != "ok":
        failures.append((name, what))


def flat_weights(model):
    return numpy.concatenate([weight.flatten() for weight in model.get_weights()])


def agree(name, model, classes, optimizer="sgd", loss="sparse_categorical_crossentropy", steps=3):
    """One batch, several steps: predictions before and after, weights after."""
    random = numpy.random.default_rng(5)
    samples = 24
    x = random.normal(size=(samples, *model.input_shape[1:])).astype("float32")
    if classes is None:
        y = random.normal(size=(samples, model.output_shape[-1])).astype("float32")
        theirs_y = y
    else:
        y = random.integers(0, classes, samples).astype("int32")
        one_hot = "sparse" not in str(getattr(loss, "name", loss))
        theirs_y = numpy.eye(classes, dtype="float32")[y] if one_hot else y
    model.compile(optimizer=optimizer, loss=loss)
    for weight in model.weights:  # biases that are 0 would prove nothing
        weight.assign(weight + 0.1 * random.normal(size=weight.shape))
    numpy.save("x.npy", x)
    numpy.save("y.npy", y)
    model.save("before.h5")
    before = flat_weights(model)
    predictions = model.predict(x, verbose=0)
    daig("predict", "--model", "before.h5", "--data", "x.npy", "--out", "p.npy")
    check(name, "predictions", numpy.load("p.npy").reshape(predictions.shape), predictions, 1e-4)

    with tempfile.TemporaryDirectory() as run:
        daig("train", "--model", "before.h5", "--data", "x.npy", "--labels", "y.npy", "-n", "1",
             "--k", "1", "--batch-size", str(samples), "--epochs", str(steps), "--run-dir",
             os.path.join(run, "run"), "--out", "after.h5", "--quiet")
    for _ in range(steps):
        model.train_on_batch(x, theirs_y)
    trained = keras.models.load_model("after.h5")
    check(name, f"{steps} steps", flat_weights(trained) - before, flat_weights(model) - before, 1e-4)
    daig("predict", "--model", "after.h5", "--data", "x.npy", "--out", "p.npy")
    after = trained.predict(x, verbose=0)
    check(name, "predictions of the trained file", numpy.load("p.npy").reshape(after.shape), after,
          1e-4)
    with h5py.File("before.h5") as old, h5py.File("after.h5") as new:
        same = all(old.attrs[key] == new.attrs[key] for key in old.attrs)
        if not same or set(old.attrs) != set(new.attrs):
            failures.append((name, "attributes"))


def chain(shape, *middle, classes=3, last="softmax"):
    return keras.Sequential([keras.Input(shape), *middle, layers.Dense(classes, activation=last)])


def images(*middle, shape=(9, 8, 3)):
    return chain(shape, *middle, layers.Flatten())


def all_layers():
    for activation in ("linear", "relu", "tanh", "sigmoid", "softmax"):
        agree(f"Dense {activation}", chain((7,), layers.Dense(5, activation=activation)), 3)
    agree("Dense without bias", chain((7,), layers.Dense(5, use_bias=False)), 3)
    for padding in ("valid", "same"):
        for strides, dilation in ((1, 1), (2, 1), ((3, 2), 1), (1, 2)):
            agree(f"Conv2D {padding} {strides} {dilation}",
                  images(layers.Conv2D(4, (3, 2), strides=strides, padding=padding,
                                       dilation_rate=dilation, activation="relu")), 3)
        for kind in (layers.MaxPooling2D, layers.AveragePooling2D):
            for size, strides in ((2, None), ((3, 2), (2, 1)), (2, 3)):
                agree(f"{kind.__name__} {padding} {size} {strides}",
                      images(layers.Conv2D(2, 2), kind(size, strides=strides, padding=padding)), 3)
    agree("Conv2D without bias, 1 x 1", images(layers.Conv2D(4, 1, use_bias=False)), 3)
    for kind in (layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D):
        agree(kind.__name__, chain((6, 5, 2), layers.Conv2D(4, 3), kind()), 3)
    agree("Activation, ReLU, Softmax, Dropout 0",
          keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.Activation("tanh"),
                            layers.Dense(5), layers.ReLU(), layers.Dropout(0), layers.Dense(4),
                            layers.Softmax()]), 4)
    outside = inside = keras.Input((4, 5, 1))
    for layer in (layers.Conv2D(3, 2, activation="relu"), layers.Flatten(),
                  layers.Dense(3, activation="softmax")):
        inside = layer(inside)
    agree("a functional chain", keras.Model(outside, inside), 3)


def all_losses():
    for name in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        agree(name, chain((6,), layers.Dense(5, activation="relu")), 3, loss=name)
    for kind in (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy):
        for logits in (False, True):
            agree(f"{kind.__name__} from_logits={logits}",
                  chain((6,), layers.Dense(5, activation="relu"),
                        last="linear" if logits else "softmax"), 3, loss=kind(from_logits=logits))
    # Not by its name "mse": Keras 3 does not load its own files with that.
    agree("MeanSquaredError", chain((6,), layers.Dense(5), classes=2, last="linear"), None,
          loss=keras.losses.MeanSquaredError())


def load_with_state(path, optimizer):
    """As load_model is meant to: Keras 3 builds the optimizer of an HDF5 file for no variables."""
    model = keras.models.load_model(path, compile=False)
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        optimizer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


def goes_on(name, optimizer, steps=3):
    """Keras begins, DAIG goes on, Keras ends: as if Keras had done it all."""
    random = numpy.random.default_rng(7)
    x = random.normal(size=(24, 6)).astype("float32")
    y = random.integers(0, 3, 24).astype("int32")
    model = chain((6,), layers.Dense(5, activation="relu"))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    for _ in range(steps):
        model.train_on_batch(x, y)
    numpy.save("x.npy", x)
    numpy.save("y.npy", y)
    model.save("before.h5")
    before = flat_weights(model)
    with tempfile.TemporaryDirectory() as run:
        daig("train", "--model", "before.h5", "--data", "x.npy", "--labels", "y.npy", "-n", "2",
             "--in-process", "--k", "1", "--batch-size", "24", "--epochs", str(steps), "--run-dir",
             os.path.join(run, "run"), "--out", "after.h5", "--quiet")
        daig("replay", os.path.join(run, "run"))
    ours = load_with_state("after.h5", type(optimizer).from_config(optimizer.get_config()))
    for part in ("DAIG goes on", "Keras goes on"):
        for _ in range(steps):
            model.train_on_batch(x, y)
            if part == "Keras goes on":
                ours.train_on_batch(x, y)
        check(name, part, flat_weights(ours) - before, flat_weights(model) - before, 1e-4)
        for mine, theirs in zip(ours.optimizer.variables, model.optimizer.variables):
            check(name, "state: " + theirs.path.split("/")[-1], numpy.array(mine),
                  numpy.array(theirs), 2e-4)


def all_optimizers():
    optimizers = keras.optimizers
    schedules = optimizers.schedules
    for optimizer in (
            optimizers.SGD(0.1),
            optimizers.SGD(0.1, momentum=0.9),
            optimizers.SGD(0.1, momentum=0.8, nesterov=True),
            optimizers.SGD(0.1, momentum=0.8, weight_decay=0.1),
            optimizers.SGD(0.1, clipnorm=0.1),
            optimizers.SGD(0.1, global_clipnorm=0.1),
            optimizers.SGD(0.1, clipvalue=0.02),
            optimizers.Adam(0.01),
            optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
            optimizers.Adam(0.01, beta_2=0.7, amsgrad=True, weight_decay=0.1, clipnorm=0.1),
            optimizers.AdamW(0.01, weight_decay=0.05),
            optimizers.Nadam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3, weight_decay=0.1),
            optimizers.RMSprop(0.01, rho=0.8, epsilon=1e-3, weight_decay=0.1),
            optimizers.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-3),
            optimizers.Adagrad(0.05, initial_accumulator_value=0.02, epsilon=1e-3,
                               global_clipnorm=0.1),
            optimizers.Adamax(0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3, weight_decay=0.1),
            optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.8),
            optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)),
            optimizers.SGD(schedules.InverseTimeDecay(0.1, 2, 0.5)),
            optimizers.SGD(schedules.PolynomialDecay(0.1, 4, 0.01, power=2.0)),
            optimizers.SGD(schedules.PolynomialDecay(0.1, 2, 0.01, cycle=True)),
            optimizers.SGD(schedules.CosineDecay(0.1, 4, alpha=0.1)),
            optimizers.Adam(schedules.CosineDecay(0.01, 6, warmup_target=0.1, warmup_steps=2)),
            optimizers.RMSprop(schedules.PiecewiseConstantDecay([1, 4], [0.01, 0.005, 0.02]),
                               momentum=0.5)):
        config = {key: value for key, value in optimizer.get_config().items()
                  if value and key not in ("ema_momentum", "name")}
        name = f"{type(optimizer).__name__} {config}"
        goes_on(name, type(optimizer).from_config(optimizer.get_config()))
        if isinstance(config["learning_rate"], float):  # a schedule starts no other way than it goes on
            agree(name, chain((6,), layers.Dense(5, activation="relu")), 3, optimizer=optimizer,
                  steps=5)


print("Keras", keras.__version__, "with", keras.backend.backend())
keras.utils.set_random_seed(3)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    all_layers()
    all_losses()
    all_optimizers()
    os.chdir("/")
for failure in failures:
    print("failed:", *failure)
sys.exit(1 if failures else 0)
