"""Does what a page of the user's guide says, to the letter.

    guide_test.py PAGE DAIG BUILD SOURCE [VENV]

Runs the page's blocks of shell and Python one after the other in one empty folder, which is HOME,
too, with DAIG's folder first in PATH, and SOURCE as $DAIG. A block behind <!-- file: NAME --> is
written to that file instead. Stops at the first that fails. Python runs in the virtual environment
VENV, where one is given: that of tests/keras. Exit code 77, skipped, where it, or the build that
the page speaks of, is not there.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def run(words, text, environment, folder):
    """Everything that a block starts is in a session of its own, and gone when it is over."""
    process = subprocess.Popen(words + [text], cwd=folder, env=environment, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += "\n(took more than 240 s)"
    return process.returncode, output


def main():
    page, daig, build, source = sys.argv[1:5]
    python = sys.executable
    if len(sys.argv) > 5:
        python = os.path.join(sys.argv[5], "bin", "python")
        if not os.path.exists(os.path.join(sys.argv[5], "complete")):
            skip("there is no environment with Keras, as the test keras_environment says")
    text = open(page, encoding="utf-8").read()
    if "build-release" in text and os.path.basename(build) != "build-release":
        skip("the page speaks of the build in build-release, and this is " + build)
    with tempfile.TemporaryDirectory(prefix="daig-guide-") as folder:
        environment = dict(os.environ, HOME=folder, DAIG=source, KERAS_BACKEND="jax",
                           JAX_PLATFORMS="cpu",
                           PATH=os.path.dirname(daig) + os.pathsep + os.environ["PATH"])
        shown = 0
        for block in BLOCK.finditer(text):
            if block["file"]:
                path = os.path.join(folder, block["file"])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(block["text"])
                continue
            words = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [python, "-c"]}.get(
                block["kind"])
            if words is None:
                continue
            print(block["text"], flush=True)
            code, output = run(words, block["text"], environment, folder)
            print(output, flush=True)
            shown += 1
            if code != 0:
                line = text[:block.start()].count("\n") + 1
                sys.exit(f"FAILED: {page}, line {line}: exit code {code}")
        if shown == 0:
            sys.exit(f"FAILED: {page} has nothing to run")
        print(f"{shown} blocks")


main()
