"""Model files seen by h5py: the documented places hold the documented things, and what h5py changes
in a file, the reader notices. Argument: the program model_file_tool."""

import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}; install h5py (Debian: python3-h5py)")
    sys.exit(77)

tool = sys.argv[1]
input_error = 3
failures = []


def check(what, holds):
    if not holds:
        failures.append(what)
        print("FAILED:", what)


def attribute_lines(value):
    return value.decode().split("\n")


def describe(path):
    return subprocess.run([tool, "describe", path], capture_output=True, text=True)


def check_contents(path):
    with h5py.File(path, "r") as file:
        attributes = file.attrs
        check("format", attributes["format"] == b"daig-model")
        check("format_version", attributes["format_version"] == 1)
        check("spec", attributes["spec"] == b"mlp:3-5-2")
        check("step", attributes["step"] == 120)
        check("epoch", attributes["epoch"] == 2)
        check("seed", attributes["seed"] == 0xFEDCBA9876543210)
        check("optimizer", attributes["optimizer"] == b"adam")
        names = attribute_lines(attributes["parameters"])
        check("order of the parameters", names == [
            "dense_1/kernel", "dense_2/kernel", "dense_1/bias", "dense_2/bias", "scale"])
        slots = attribute_lines(attributes["optimizer_slots"])
        check("slots", slots == ["momentum", "square"])
        check("scalars", dict(file["optimizer"].attrs) == {"beta1_power": 0.81, "updates": 120.0})
        check("shapes", file["weights/dense_1/kernel"].shape == (3, 5) and
              file["weights/scale"].shape == ())
        factors = {"weights": 0.25, "optimizer/momentum": -1, "optimizer/square": 0.125}
        for group, factor in factors.items():
            flat = numpy.concatenate([numpy.ravel(file[f"{group}/{name}"][()]) for name in names])
            check(f"values of {group}", flat.dtype == numpy.float32 and
                  numpy.array_equal(flat, factor * numpy.arange(flat.size)))


def check_refused(folder, what, change, expected):
    """A sample file, changed by h5py, must be refused with a text that says why."""
    path = os.path.join(folder, "changed.h5")
    subprocess.run([tool, "write", path], check=True)
    with h5py.File(path, "r+") as file:
        change(file)
    result = describe(path)
    check(f"{what}: refused, {result.returncode}", result.returncode == input_error)
    check(f"{what}: '{expected}' in '{result.stderr}'", expected in result.stderr)
    check(f"{what}: one line that names the file", result.stderr.startswith(path) and
          result.stderr.count("\n") == 1)


def replace(file, name, data, **options):
    del file[name]
    file.create_dataset(name, data=data, **options)


def keras_like(file):
    del file.attrs["format"]
    file.attrs["model_config"] = "{}"


def change_value(file):
    file["weights/dense_1/bias"][2] += 1


def change_slot(file):
    file["optimizer/square/dense_1/bias"][0] = numpy.nan


def link_outside(file):
    del file["weights/scale"]
    file["weights/scale"] = h5py.ExternalLink("other.h5", "/x")


def absurd(file):
    replace(file, "weights/scale", None, shape=(1 << 40,), dtype="<f4")


def repeat(file):
    """Many names for one array: each is honest, together they exceed the file."""
    names = [f"copy{i}" for i in range(9000)]
    for name in names:
        file["weights"][name] = file["weights/dense_1/kernel"]
    file.attrs["parameters"] = numpy.bytes_("\n".join(names))


def check_damaged(folder):
    """A changed byte in a header: HDF5 itself refuses it, and one line is all that is said."""
    path = os.path.join(folder, "damaged.h5")
    subprocess.run([tool, "write", path], check=True)
    with open(path, "r+b") as file:
        contents = file.read()
        at = contents.rindex(b"OHDR") + 8
        file.seek(at)
        file.write(bytes([contents[at] ^ 0xFF]))
    result = describe(path)
    check(f"damaged: refused, {result.returncode}", result.returncode == input_error)
    check(f"damaged: one line, not '{result.stderr}'", result.stderr.count("\n") == 1)


def set_attribute(name, value):
    def change(file):
        file.attrs[name] = value
    return change


with tempfile.TemporaryDirectory() as folder:
    sample = os.path.join(folder, "sample.h5")
    subprocess.run([tool, "write", sample], check=True)
    check_contents(sample)
    check("describe", describe(sample).returncode == 0)

    refused = [
        ("keras", keras_like, "Keras"),
        ("no format", lambda file: file.attrs.__delitem__("format"), "something else"),
        ("other format", set_attribute("format", numpy.bytes_("other")), "something else"),
        ("later version", set_attribute("format_version", numpy.uint64(2)), "version 2"),
        ("changed value", change_value, "/weights have the digest"),
        ("changed slot", change_slot, "/optimizer/square have the digest"),
        ("missing array", lambda file: file.__delitem__("weights/scale"),
         "/weights/scale cannot be opened"),
        ("missing slot", lambda file: file.__delitem__("optimizer/square"), "/optimizer/square"),
        ("a group in place of an array", lambda file: set_attribute(
            "parameters", numpy.bytes_("dense_1"))(file), "/weights/dense_1 is not an array"),
        ("64-bit floats", lambda file: replace(
            file, "weights/scale", 1.0, dtype="<f8"), "32-bit little-endian floats"),
        ("big-endian", lambda file: replace(
            file, "weights/scale", 1.0, dtype=">f4"), "32-bit little-endian floats"),
        ("integers", lambda file: replace(
            file, "weights/scale", 1, dtype="<i4"), "32-bit little-endian floats"),
        ("chunks", lambda file: replace(file, "weights/dense_1/bias", numpy.zeros(5, "f4"),
                                        chunks=(5,)), "not stored in one piece"),
        ("compressed", lambda file: replace(file, "weights/dense_1/bias", numpy.zeros(5, "f4"),
                                            compression="gzip"), "not stored in one piece"),
        ("other shape of a slot", lambda file: replace(
            file, "optimizer/square/dense_1/bias", numpy.zeros(6, "f4")), "has the shape (6)"),
        ("absurd shape", absurd, "/weights/scale"),
        ("many names of one array", repeat, "more values than the file can hold"),
        ("array in another file", link_outside, "/weights/scale cannot be opened"),
        ("signed step", set_attribute("step", numpy.int64(1)), "'step'"),
        ("absurd epoch", set_attribute("epoch", numpy.uint64(1 << 40)), "'epoch'"),
        ("text of variable length", set_attribute("spec", "mlp"), "'spec'"),
        ("a name twice", set_attribute("parameters", numpy.bytes_("scale\nscale")), "'scale'"),
        ("a name with dots", set_attribute("parameters", numpy.bytes_("../optimizer")), "unusable"),
        ("a slot with a path", set_attribute("optimizer_slots", numpy.bytes_("a/b")), "unusable"),
        ("a scalar that is text", lambda file: file["optimizer"].attrs.__setitem__(
            "updates", "many"), "'updates'"),
    ]
    for case in refused:
        check_refused(folder, *case)

    check_damaged(folder)

    # What h5py writes by itself, following the document, is read.
    own = os.path.join(folder, "own.h5")
    values = numpy.arange(6, dtype="<f4")
    with h5py.File(sample, "r") as file:
        copied = {name: file.attrs[name] for name in file.attrs}
        digest = file["weights"].attrs["digest"]
        names = attribute_lines(copied["parameters"])
        weights = {name: file["weights"][name][()] for name in names}
    with h5py.File(own, "w") as file:
        for name, value in copied.items():
            file.attrs[name] = value
        file.attrs["optimizer_slots"] = numpy.bytes_("")
        file.create_group("optimizer")
        for name, value in weights.items():
            file.create_dataset(f"weights/{name}", data=value)
        file["weights"].attrs["digest"] = digest
    result = describe(own)
    check(f"a file that h5py wrote: {result.stderr}", result.returncode == 0)

print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
