"""Programs that some tests drive: where they are not installed these tests are skipped, but never where CI runs.

And programs of our own on a terminal.
"""

import os
import pty
import shutil
import subprocess
import sys

import pytest


def found(name):
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        if "CI" in os.environ:
            pytest.fail(f"{name} is not installed, and CI must have it")
        pytest.skip(f"{name} is not installed")
    return path


def on_a_terminal(program, environment, folder=None):
    """Return the exit status of a program, what it prints, and what a terminal as standard error shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    printed = process.communicate()[0]
    return process.returncode, printed, shown
