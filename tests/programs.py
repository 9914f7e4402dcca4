"""Programs that some tests drive: where they are not installed these tests are skipped, but never where CI runs."""

import os
import shutil

import pytest


def found(name):
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        if "CI" in os.environ:
            pytest.fail(f"{name} is not installed, and CI must have it")
        pytest.skip(f"{name} is not installed")
    return path
