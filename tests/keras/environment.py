"""Makes the virtual environment VENV with the current Keras from PyPI, unless it is there.

    environment.py VENV

Exit code 77, skipped, where that cannot be done.
"""

import os
import subprocess
import sys

SKIPPED = 77


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def python_of(venv):
    return os.path.join(venv, "bin", "python")


def marker_of(venv):
    """Is there once all is installed."""
    return os.path.join(venv, "complete")


def make(venv):
    if os.path.exists(marker_of(venv)):
        return
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], capture_output=True,
                          text=True)
    if made.returncode != 0:
        skip("no virtual environment can be made: " + made.stderr.strip())
    installed = subprocess.run(
        [python_of(venv), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--retries", "1", "--timeout", "20", "keras", "jax", "h5py"], capture_output=True,
        text=True)
    if installed.returncode != 0:
        skip("Keras cannot be installed from PyPI: " + installed.stderr.strip()[-500:])
    open(marker_of(venv), "w").close()


def enter(venv):
    """Goes on in the environment's own Python."""
    if "DAIG_KERAS_INSIDE" in os.environ:
        return
    if not os.path.exists(marker_of(venv)):
        skip("there is no environment with Keras, as the test keras_environment says")
    # Compiling takes nearly all of the time, and each program runs but a few times.
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_DISABLE_MOST_OPTIMIZATIONS="1",
                      DAIG_KERAS_INSIDE="1")
    os.execv(python_of(venv), [python_of(venv)] + sys.argv)


if __name__ == "__main__":
    make(os.path.abspath(sys.argv[1]))
