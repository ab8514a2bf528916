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


def spatial_layers():
    for padding in ("valid", "same", "causal"):
        for strides, dilation in ((1, 1), (2, 1), (1, 3)):
            agree(f"Conv1D {padding} {strides} {dilation}",
                  images(layers.Conv1D(4, 3, strides=strides, padding=padding,
                                       dilation_rate=dilation, activation="relu"),
                         shape=(11, 3)), 3)
    for padding in ("valid", "same"):
        for strides, dilation, multiplier in ((1, 1, 1), (2, 1, 3), (1, 2, 2)):
            agree(f"DepthwiseConv2D {padding} {strides} {dilation} {multiplier}",
                  images(layers.DepthwiseConv2D((3, 2), strides=strides, padding=padding,
                                                dilation_rate=dilation, activation="tanh",
                                                depth_multiplier=multiplier)), 3)
        for kind in (layers.MaxPooling1D, layers.AveragePooling1D):
            for size, strides in ((2, None), (3, 2)):
                agree(f"{kind.__name__} {padding} {size} {strides}",
                      images(layers.Conv1D(2, 2), kind(size, strides=strides, padding=padding),
                             shape=(9, 3)), 3)
    for kind in (layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D):
        agree(kind.__name__, chain((6, 2), layers.Conv1D(4, 3), kind()), 3)
    for kind in (layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D):
        agree(f"{kind.__name__} keepdims", images(layers.Conv2D(4, 3), kind(keepdims=True)), 3)
    for padding in (1, (2, 1), ((1, 0), (0, 2))):
        agree(f"ZeroPadding2D {padding}",
              images(layers.Conv2D(2, 2), layers.ZeroPadding2D(padding), layers.Conv2D(2, 2)), 3)
    agree("Reshape", chain((12,), layers.Dense(12), layers.Reshape((-1, 3)), layers.Conv1D(2, 2),
                           layers.Reshape((6,))), 3)
    agree("Dense and softmax over the last axis",
          images(layers.Dense(4, activation="softmax"), layers.Dense(3), layers.Softmax()), 3)
    agree("Dense over sequences, mse", keras.Sequential(
        [keras.Input((5, 3)), layers.Dense(4, activation="tanh"), layers.GlobalMaxPooling1D()]),
          None, loss=keras.losses.MeanSquaredError())


def all_activations():
    # From logits, as Keras cuts off probabilities below 1e-7, which large values lead to.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def agree_on(name, *middle):
        agree(name, chain((7,), *middle, last="linear"), 3, loss=loss)

    for activation in ("elu", "selu", "softplus", "softsign", "exponential", "hard_sigmoid",
                       "relu6", "leaky_relu", "gelu", "silu", "mish", "hard_silu"):
        agree_on(f"Dense {activation}", layers.Dense(5, activation=activation))
    agree("Conv2D gelu, Activation silu and elu",
          images(layers.Conv2D(3, 2, activation="gelu"), layers.Activation("silu"),
                 layers.Activation("elu")), 3)
    for layer in (layers.ReLU(max_value=0.5), layers.ReLU(negative_slope=0.2, threshold=0.3),
                  layers.ReLU(max_value=1, negative_slope=0.1, threshold=0.2),
                  layers.LeakyReLU(negative_slope=0.1), layers.ELU(alpha=0.5)):
        agree_on(type(layer).__name__, layers.Dense(6), layer)
    agree_on("a layer as an activation",
             layers.Dense(6, activation=layers.LeakyReLU(negative_slope=0.1)))


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


def all_optimizers():
    optimizers = keras.optimizers
    for optimizer in (optimizers.SGD(0.1), optimizers.SGD(0.1, momentum=0.9),
                      optimizers.SGD(0.1, momentum=0.8, nesterov=True), optimizers.Adam(0.01),
                      optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
                      optimizers.AdamW(0.01, weight_decay=0.05)):
        config = {key: value for key, value in optimizer.get_config().items() if value}
        agree(f"{type(optimizer).__name__} {config}",
              chain((6,), layers.Dense(5, activation="relu")), 3, optimizer=optimizer, steps=5)


print("Keras", keras.__version__, "with", keras.backend.backend())
keras.utils.set_random_seed(3)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    all_layers()
    spatial_layers()
    all_activations()
    all_losses()
    all_optimizers()
    os.chdir("/")
for failure in failures:
    print("failed:", *failure)
sys.exit(1 if failures else 0)
