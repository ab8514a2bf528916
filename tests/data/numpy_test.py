"""Array files and NumPy: what NumPy writes is read as NumPy means it, and what DAIG writes NumPy
reads. Argument: the program array_tool."""

import gzip
import os
import pickle
import re
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}; install NumPy (Debian: python3-numpy)")
    sys.exit(77)

tool = sys.argv[1]
input_error = 3
native = {"bool": "b1", "i8": "i1", "i16": "i2", "u16": "u2", "u32": "u4", "u64": "u8", "f16": "f2",
          "u8": "u1", "i32": "i4", "i64": "i8", "f32": "f4", "f64": "f8"}
failures = []


def check(what, holds):
    if not holds:
        failures.append(what)
        print("FAILED:", what)


def run(task, path, out):
    return subprocess.run([tool, task, path, out], capture_output=True, text=True)


def check_read(what, path, array, raw):
    done = run("dump", path, raw)
    check(f"{what}: {done.stderr}", done.returncode == 0)
    if done.returncode != 0:
        return
    kind, shape = done.stdout.strip().split(" ", 1)
    check(f"{what}: shape {shape}", shape == str(array.shape))
    check(f"{what}: type {kind}", np.dtype(native[kind]) == array.dtype.newbyteorder("="))
    values = np.fromfile(raw, native[kind]).reshape(array.shape)
    check(f"{what}: values", np.array_equal(values, array))


def check_reading(folder):
    path, raw = os.path.join(folder, "x.npy"), os.path.join(folder, "raw")
    random = np.random.default_rng(1)
    for dtype in ("u1", "b1", "i1", "<i2", ">u2", "<u4", ">u8", "<f2", ">f2", "<i4", ">i4", "<i8", ">i8", "<f4", ">f4", "<f8", ">f8"):
        for shape in ((7,), (5, 1), (4, 3), (3, 4, 5), (2, 3, 4, 5)):
            for order in "CF":
                array = np.array(random.integers(0, 250, shape), dtype=dtype, order=order)
                for version in ((1, 0), (2, 0), (3, 0)):
                    with open(path, "wb") as file:
                        np.lib.format.write_array(file, array, version)
                    check_read(f"{dtype} {shape} {order} {version}", path, array, raw)
    array = random.integers(0, 256, (100, 28, 28)).astype("u1")
    with gzip.open(path, "wb") as file:
        np.save(file, array)
    check_read("gzipped", path, array, raw)


def check_archives(folder):
    """Members of .npz files, stored and deflated."""
    path, raw = os.path.join(folder, "x.npz"), os.path.join(folder, "raw")
    random = np.random.default_rng(2)
    images = random.integers(0, 4, (100, 28, 28)).astype("u1")
    labels = random.integers(0, 10, 100)
    for save in (np.savez, np.savez_compressed):
        save(path, images=images, labels=labels)
        check_read(save.__name__, path + ":images", images, raw)
        check_read(save.__name__, path + ":labels", labels, raw)
        refused = run("dump", path, raw)
        check(f"{save.__name__}: two arrays", "images, labels" in refused.stderr)
        save(path, images)
        check_read(f"{save.__name__}, alone", path, images, raw)
        save(path, a=np.array([[1, 2], [3, 4]], dtype=object))
        refused = run("dump", path + ":a", raw)
        line = re.search(r'python3 -c "([^"]*)"', refused.stderr)
        check(f"{save.__name__}, objects: {refused.stderr}", line is not None)
        if line is not None:
            subprocess.run([sys.executable, "-c", line.group(1)], check=True)
            check_read("converted member", path + ".a.npy", np.array([[1, 2], [3, 4]], "f4"), raw)


def check_writing(folder):
    path, out = os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy")
    for shape in ((6,), (2, 3), (1, 2, 3)):
        array = np.arange(6, dtype="f4").reshape(shape)
        np.save(path, array)
        check(f"rewriting {shape}", run("rewrite", path, out).returncode == 0)
        read = np.load(out)
        check(f"rewritten {shape}", read.dtype == "<f4" and np.array_equal(read, array))


def check_advice(folder):
    """The line that an error advises does what it promises."""
    path, raw = os.path.join(folder, "x.npy"), os.path.join(folder, "raw")
    ragged_once = np.empty(2, dtype=object)
    ragged_once[:] = [np.arange(3), np.arange(3, 6)]
    for array, converted in (
            (np.arange(6, dtype="c8").reshape(3, 2), np.arange(6, dtype="f4").reshape(3, 2)),
            (np.array(["1", "2.5"]), np.array([1, 2.5], "f4")),
            (np.array([[1, 2], [3, 4]], dtype=object), np.array([[1, 2], [3, 4]], "f4")),
            (ragged_once, np.arange(6, dtype="f4").reshape(2, 3))):
        np.save(path, array, allow_pickle=True)
        refused = run("dump", path, raw)
        check(f"{array.dtype}: refused", refused.returncode == input_error)
        check(f"{array.dtype}: the path", refused.stderr.startswith(path + ": "))
        line = re.search(r'python3 -c "([^"]*)"', refused.stderr)
        check(f"{array.dtype}: a line of Python", line is not None)
        if line is None:
            continue
        subprocess.run([sys.executable, "-c", line.group(1)], check=True)
        check_read(f"{array.dtype}, converted", path[:-4] + ".f4.npy", converted, raw)
    with open(path, "wb") as file:
        pickle.dump([np.arange(2), np.arange(2)], file)
    refused = run("dump", path, raw)
    check(f"a pickle: {refused.stderr}", "is a pickle" in refused.stderr)
    line = re.search(r'python3 -c "([^"]*)"', refused.stderr)
    subprocess.run([sys.executable, "-c", line.group(1)], check=True)
    check_read("a pickle, converted", path[:-4] + ".f4.npy", np.array([[0, 1]] * 2, "f4"), raw)


with tempfile.TemporaryDirectory() as own_folder:
    check_reading(own_folder)
    check_archives(own_folder)
    check_writing(own_folder)
    check_advice(own_folder)
sys.exit(1 if failures else 0)
