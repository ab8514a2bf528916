"""Compares with real Keras: predictions, training steps, and whether Keras loads what we write.

    agreement_test.py DAIG VENV PART

PART is layers, sequences, losses or optimizers. Runs in the virtual environment that environment.py made. Exit code 77, skipped, where it is not
there.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile

import environment

environment.enter(sys.argv[2])

import warnings

import h5py
import keras
import numpy
from keras import layers

warnings.filterwarnings("ignore")
DAIG = os.path.abspath(sys.argv[1])
PART = sys.argv[3]
failures = []


def daig(*words):
    done = subprocess.run([DAIG, *words], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"daig {words[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def check(name, what, ours, theirs, tolerance):
    """Relative to the largest value, as a float32 sum is no better than that."""
    scale = max(numpy.abs(theirs).max(), 1e-30)
    worst = numpy.abs(ours - theirs).max() / scale
    verdict = "ok" if worst <= tolerance else "FAILED"  # so is nan
    print(f"{name}: {what}: {worst:.1e} {verdict}")
    if verdict != "ok":
        failures.append((name, what))


def flat_weights(model):
    return numpy.concatenate([weight.flatten() for weight in model.get_weights()])


def agree(name, model, classes, optimizer="sgd", loss="sparse_categorical_crossentropy", steps=3,
          make_x=None, labels=None, metrics=None):
    """One batch, several steps: predictions before and after, weights after. Labels may be given, as
    we get them and as Keras does; then it is asked, too, what an evaluation says. make_x(random,
    shape) draws the features, where they are not normal.
    """
    random = numpy.random.default_rng(5)
    samples = 24
    shape = (samples, *model.input_shape[1:])
    x = make_x(random, shape) if make_x else random.normal(size=shape).astype("float32")
    if labels is not None:
        y, theirs_y = labels
    elif classes is None:
        y = random.normal(size=(samples, model.output_shape[-1])).astype("float32")
        theirs_y = y
    else:
        y = random.integers(0, classes, samples).astype("int32")
        one_hot = "sparse" not in str(getattr(loss, "name", loss))
        theirs_y = numpy.eye(classes, dtype="float32")[y] if one_hot else y
    # Compiling the few steps of a model takes longer than taking them as they come.
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, run_eagerly=True)
    for weight in model.weights:  # biases that are 0 would prove nothing
        weight.assign(weight + 0.1 * random.normal(size=weight.shape))
    numpy.save("x.npy", x)
    numpy.save("y.npy", y)
    model.save("before.h5")
    before = flat_weights(model)
    predictions = numpy.asarray(model(x, training=False))
    daig("predict", "--model", "before.h5", "--data", "x.npy", "--out", "p.npy")
    check(name, "predictions", numpy.load("p.npy").reshape(predictions.shape), predictions, 1e-4)

    if labels is not None:
        judge(name, model, x, theirs_y)

    with tempfile.TemporaryDirectory() as run:
        daig("train", "--model", "before.h5", "--data", "x.npy", "--labels", "y.npy", "-n", "1",
             "--k", "1", "--batch-size", str(samples), "--epochs", str(steps), "--run-dir",
             os.path.join(run, "run"), "--out", "after.h5", "--quiet")
    for _ in range(steps):
        model.train_on_batch(x, theirs_y)
    trained = keras.models.load_model("after.h5")
    check(name, f"{steps} steps", flat_weights(trained) - before, flat_weights(model) - before, 1e-4)
    daig("predict", "--model", "after.h5", "--data", "x.npy", "--out", "p.npy")
    after = numpy.asarray(trained(x, training=False))
    check(name, "predictions of the trained file", numpy.load("p.npy").reshape(after.shape), after,
          1e-4)
    with h5py.File("before.h5") as old, h5py.File("after.h5") as new:
        same = all(old.attrs[key] == new.attrs[key] for key in old.attrs)
        if not same or set(old.attrs) != set(new.attrs):
            failures.append((name, "attributes"))


def judge(name, model, x, y):
    """What an evaluation says of before.h5; Keras's names of metrics are ours here."""
    ours = json.loads(daig("eval", "--model", "before.h5", "--data", "x.npy", "--labels", "y.npy",
                           "--json"))
    theirs = model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True)
    for key, value in theirs.items():
        check(name, key, numpy.array(ours.get(key, numpy.nan)), numpy.array(value), 1e-4)
    unexpected = {"accuracy", "mse", "mae"} & ours.keys() - theirs.keys()
    if unexpected:
        failures.append((name, f"evaluation says {unexpected}, too"))


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


def frozen(layer):
    layer.trainable = False
    return layer


def normalization_layers():
    """Moving statistics are weights: what the steps did to them is compared, too."""
    def normalized(**options):
        return layers.BatchNormalization(momentum=0.8, **options)

    def l1l2():
        return keras.regularizers.L1L2(0.01, 0.02)

    agree("BatchNormalization after Dense", chain((7,), layers.Dense(5), normalized()), 3)
    agree("BatchNormalization first", chain((7,), layers.BatchNormalization()), 3)
    agree("BatchNormalization after Conv2D",
          images(layers.Conv2D(4, 3), normalized(epsilon=0.01), layers.ReLU()), 3)
    for options in ({"scale": False}, {"center": False}, {"center": False, "scale": False}):
        agree(f"BatchNormalization {options}",
              chain((7,), layers.Dense(5, use_bias=False), normalized(**options)), 3)
    # The derivative by a bias below would be 0 but for rounding, which Adam would make a step of.
    for optimizer in (keras.optimizers.Adam(0.01), keras.optimizers.AdamW(0.01, weight_decay=0.05)):
        agree(f"BatchNormalization and {type(optimizer).__name__}",
              chain((7,), layers.Dense(5, use_bias=False), normalized(), layers.Activation("tanh")),
              3, optimizer=optimizer)
    agree("LayerNormalization",
          images(layers.Conv2D(4, 3), layers.LayerNormalization(), layers.ReLU()), 3)
    for options in ({"scale": False}, {"center": False}):
        agree(f"LayerNormalization {options}",
              chain((7,), layers.Dense(5), layers.LayerNormalization(epsilon=0.01, **options)), 3)
    agree("frozen BatchNormalization", chain((7,), layers.Dense(5), frozen(normalized())), 3)
    agree("frozen Dense below",
          chain((7,), frozen(layers.Dense(6, activation="relu")), layers.Dense(5), normalized()), 3)
    agree("frozen layers between",
          images(layers.Conv2D(4, 3), frozen(layers.Conv2D(3, 2, activation="relu"))), 3,
          optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    agree("regularizers",
          chain((7,), layers.Dense(5, kernel_regularizer="l2", bias_regularizer=l1l2()),
                normalized(gamma_regularizer=keras.regularizers.L1(0.1),
                           beta_regularizer=keras.regularizers.L2(0.1)),
                layers.Dense(4, kernel_regularizer=l1l2())), 3)
    agree("a regularizer of a frozen layer",
          chain((7,), frozen(layers.Dense(5, kernel_regularizer=l1l2())), layers.Dense(4)), 3)
    evaluation_agrees()


def evaluation_agrees():
    """The loss of a model with regularizers, one of a frozen layer among them."""
    random = numpy.random.default_rng(7)
    x = random.normal(size=(50, 6)).astype("float32")
    y = random.integers(0, 3, 50).astype("int32")
    model = chain((6,), layers.Dense(5, kernel_regularizer=keras.regularizers.L2(0.05)),
                  layers.BatchNormalization(gamma_regularizer=keras.regularizers.L1(0.02)),
                  layers.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)))
    for freeze in (False, True):
        model.layers[0].trainable = not freeze
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
        model.save("model.h5")
        numpy.save("x.npy", x)
        numpy.save("y.npy", y)
        report = json.loads(daig("eval", "--model", "model.h5", "--data", "x.npy", "--labels",
                                 "y.npy", "--json").splitlines()[-1])
        check("regularizers", f"evaluation, frozen: {freeze}", numpy.array(report["loss"]),
              numpy.array(model.evaluate(x, y, verbose=0)), 1e-4)


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


def recurrent_layers():
    def sequences(*middle):
        return chain((6, 4), *middle)

    def indices(random, shape):
        return random.integers(0, 11, shape).astype("int32")

    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        agree(kind.__name__, sequences(kind(5)), 3)
    # The others without a loop, which Keras would compile.
    LSTM, GRU, SimpleRNN = (functools.partial(kind, unroll=True)
                            for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN))
    for kind in (LSTM, GRU, SimpleRNN):
        name = kind.func.__name__
        agree(f"{name} without bias, backwards", sequences(kind(5, use_bias=False,
                                                                go_backwards=True)), 3)
        agree(f"{name} stack", sequences(kind(5, return_sequences=True), kind(4)), 3)
        agree(f"{name} backwards, all states",
              sequences(kind(3, return_sequences=True, go_backwards=True), layers.Flatten()), 3)
        for merge in ("concat", "sum", "mul", "ave"):
            agree(f"Bidirectional {name} {merge}",
                  sequences(layers.Bidirectional(kind(3, return_sequences=True), merge_mode=merge),
                            layers.Bidirectional(kind(4), merge_mode=merge)), 3)
    agree("GRU, reset before", sequences(GRU(5, reset_after=False, return_sequences=True),
                                         GRU(4, reset_after=False, use_bias=False)), 3)
    for kind in (LSTM, GRU):
        agree(f"{kind.func.__name__} with other functions",
              sequences(kind(5, activation="relu", recurrent_activation="hard_sigmoid")), 3)
    agree("Bidirectional of two kinds of LSTM",
          sequences(layers.Bidirectional(LSTM(4), backward_layer=LSTM(
              4, activation="sigmoid", go_backwards=True))), 3)
    agree("Bidirectional, the wrong way round",
          sequences(layers.Bidirectional(GRU(4, go_backwards=True, return_sequences=True),
                                         backward_layer=GRU(4, return_sequences=True)),
                    layers.Flatten()), 3)
    def l2():
        return keras.regularizers.L2(0.03)

    agree("regularizers of recurrent layers",
          sequences(GRU(4, return_sequences=True, recurrent_regularizer=l2(),
                               kernel_regularizer=l2(), bias_regularizer=l2()),
                    layers.Bidirectional(LSTM(3, recurrent_regularizer=l2(),
                                                     kernel_regularizer=l2()))), 3)
    agree("a frozen Bidirectional", sequences(frozen(layers.Bidirectional(LSTM(3)))), 3)
    agree("a regularizer of an Embedding",
          chain((7,), layers.Embedding(11, 5, embeddings_regularizer=l2()), LSTM(4)), 3,
          make_x=indices)
    agree("Embedding", chain((7,), layers.Embedding(11, 5), LSTM(4)), 3, make_x=indices)
    outside = keras.Input((7,), dtype="int32")
    inside = layers.Bidirectional(GRU(4))(layers.Embedding(11, 5)(outside))
    agree("a functional chain with an Embedding",
          keras.Model(outside, layers.Dense(3, activation="softmax")(inside)), 3, make_x=indices,
          optimizer=keras.optimizers.Adam(0.01))
    x = numpy.load("x.npy")
    x[20, 3] = 11
    numpy.save("x.npy", x)
    for words in (["predict", "--out", "p.npy"], ["eval", "--labels", "y.npy"],
                  ["train", "--labels", "y.npy", "-n", "1", "--k", "1", "--batch-size", "24", "--out",
                   "after.h5"]):
        done = subprocess.run([DAIG, *words, "--model", "before.h5", "--data", "x.npy"],
                              capture_output=True, text=True, timeout=120)
        said = done.stderr
        if done.returncode != 3 or "x.npy: sample 20 has 11" not in said or "embedding" not in said:
            failures.append(("an index too large", words[0], done.returncode, said))


def all_losses():
    for name in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        agree(name, chain((6,), layers.Dense(5, activation="relu")), 3, loss=name)
    for kind in (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy):
        for logits in (False, True):
            agree(f"{kind.__name__} from_logits={logits}",
                  chain((6,), layers.Dense(5, activation="relu"),
                        last="linear" if logits else "softmax"), 3, loss=kind(from_logits=logits))
    all_categorical_losses()
    all_binary_losses()
    all_losses_of_numbers()


def network_for(classes, last):
    return chain((6,), layers.Dense(5, activation="tanh"), classes=classes, last=last)


def all_categorical_losses():
    random = numpy.random.default_rng(7)
    classes = random.integers(0, 3, 24)
    one_hot = numpy.eye(3, dtype="float32")[classes]
    soft = random.dirichlet([1, 1, 1], 24).astype("float32")
    wholes = classes.astype("float64")[:, None]
    categorical = keras.losses.CategoricalCrossentropy
    sparse = keras.losses.SparseCategoricalCrossentropy
    for last, logits in (("softmax", False), ("linear", True), ("sigmoid", False)):
        for what, ours, theirs, smoothing in (
                ("floats", one_hot, one_hot, 0), ("soft", soft, soft, 0.2),
                ("bytes", one_hot.astype("uint8"), one_hot, 0), ("classes", classes, one_hot, 0),
                ("classes", classes, one_hot, 0.2)):
            agree(f"categorical, {last}, smoothing {smoothing}, {what}", network_for(3, last), 3,
                  loss=categorical(from_logits=logits, label_smoothing=smoothing),
                  labels=(ours, theirs), metrics=["accuracy"])
        for what, ours in (("integers", classes), ("whole floats", wholes)):
            agree(f"sparse, {last}, {what}", network_for(3, last), 3,
                  loss=sparse(from_logits=logits), labels=(ours, classes), metrics=["accuracy"])
    agree("KLDivergence", network_for(3, "softmax"), 3, loss=keras.losses.KLDivergence(),
          labels=(soft, soft), metrics=["accuracy"])
    agree("MeanSquaredError of a softmax", network_for(3, "softmax"), 3,
          loss=keras.losses.MeanSquaredError(), labels=(one_hot.astype("int64"), one_hot),
          metrics=["accuracy", keras.metrics.MeanAbsoluteError(name="mae")])


def all_binary_losses():
    random = numpy.random.default_rng(8)
    single = random.integers(0, 2, 24)
    several = random.integers(0, 2, (24, 3))
    soft = random.uniform(size=(24, 3)).astype("float32")
    binary = keras.losses.BinaryCrossentropy
    accuracy = keras.metrics.BinaryAccuracy
    for last, logits in (("sigmoid", False), ("linear", True), ("softmax", False)):
        # Keras compares logits with a half, unless it is told otherwise; we compare probabilities.
        judged = accuracy(name="accuracy", threshold=0.0 if logits else 0.5)
        plain, smooth = (binary(from_logits=logits, label_smoothing=part) for part in (0, 0.2))
        for what, ours, loss in (("integers", single, plain),
                                 ("bytes", single.astype("uint8")[:, None], plain),
                                 ("floats, smooth", single.astype("float64"), smooth)):
            if last != "softmax":
                agree(f"binary, {last}, {what}", network_for(1, last), None, loss=loss,
                      labels=(ours, single[:, None].astype("float32")),
                      metrics=[judged] if logits else ["accuracy"])
        agree(f"binary, {last}, several, smooth", network_for(3, last), None, loss=smooth,
              labels=(several, several.astype("float32")), metrics=[judged])
        agree(f"binary, {last}, several, soft", network_for(3, last), None, loss=plain,
              labels=(soft, soft), metrics=["accuracy"])
    agree("binary_crossentropy by name", network_for(1, "sigmoid"), None,
          loss="binary_crossentropy", labels=(single, single[:, None].astype("float32")),
          metrics=["accuracy"])


def all_losses_of_numbers():
    random = numpy.random.default_rng(9)
    positive = random.uniform(0.5, 2, (24, 2)).astype("float32")
    any_numbers = random.normal(size=(24, 2)).astype("float32")
    counts = random.integers(0, 9, (24, 2))
    sides = random.choice([-1.0, 1.0], (24, 2)).astype("float32")
    # Not by short names as "mse": Keras 3 does not load its own files with those.
    errors = [keras.metrics.MeanSquaredError(name="mse"), keras.metrics.MeanAbsoluteError(name="mae")]
    for loss, last, ours in (
            (keras.losses.MeanSquaredError(), "linear", any_numbers),
            (keras.losses.MeanSquaredError(), "linear", counts),
            (keras.losses.MeanAbsoluteError(), "linear", any_numbers.astype("float64")),
            (keras.losses.Huber(), "linear", 3 * any_numbers),
            (keras.losses.LogCosh(), "linear", any_numbers),
            (keras.losses.MeanAbsolutePercentageError(), "linear", positive),
            (keras.losses.MeanSquaredLogarithmicError(), "sigmoid", positive),
            (keras.losses.Poisson(), "sigmoid", counts.astype("uint8")),
            (keras.losses.Hinge(), "tanh", sides),
            (keras.losses.Hinge(), "tanh", (sides > 0).astype("int32")),
            (keras.losses.SquaredHinge(), "tanh", sides)):
        agree(f"{type(loss).__name__}, {ours.dtype}", network_for(2, last), None, loss=loss,
              labels=(ours, ours.astype("float32")), metrics=errors)


def load_with_state(path, optimizer):
    """As load_model is meant to: Keras 3 builds the optimizer of an HDF5 file for no variables."""
    model = keras.models.load_model(path, compile=False)
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        optimizer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", run_eagerly=True)
    return model


def goes_on(name, optimizer, steps=3):
    """Keras begins, DAIG goes on, Keras ends: as if Keras had done it all."""
    random = numpy.random.default_rng(7)
    x = random.normal(size=(24, 6)).astype("float32")
    y = random.integers(0, 3, 24).astype("int32")
    model = chain((6,), layers.Dense(5, activation="relu"))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", run_eagerly=True)
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
    for compare in {"layers": [all_layers, spatial_layers, all_activations],
                    "sequences": [normalization_layers, recurrent_layers],
                    "losses": [all_losses],
                    "optimizers": [all_optimizers]}[PART]:
        compare()
    os.chdir("/")
for failure in failures:
    print("failed:", *failure)
sys.exit(1 if failures else 0)
