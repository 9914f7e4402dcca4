"""Packages that some rooms need and others do without: who lacks one is told what brings it. Every room may use this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# What is typed to get each package.
BRINGS = {
    "torch": "which the extra verification brings: pip install '.[verification]'",
    "hypothesis": "which the extra verification brings: pip install '.[verification]'",
    "joblib": "which the extra verification brings: pip install joblib",
    "jinja2": "which the extra homework brings: pip install '.[homework]'",
    "latex2mathml": "which the extra homework brings: pip install '.[homework]'",
    "matplotlib": "which the extra homework brings: pip install matplotlib",
}
PACKAGES = tuple(BRINGS)


@contextmanager
def needed_by(what: str) -> Iterator[None]:
    """Say in an ImportError that comes from the block who needs the package, and which extra brings it.

    Parameters
    ----------
    what : str
        The name that was asked for.

    Raises
    ------
    ImportError
        In place of a ModuleNotFoundError for one of `PACKAGES`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in BRINGS:
            raise
        raise ImportError(f"{what} needs {package}, {BRINGS[package]}", name=package) from None
