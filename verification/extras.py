"""Packages that some rooms need and others do without: who lacks one is told what brings it. Every room may use this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

PACKAGES = ("torch", "hypothesis", "joblib")


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
        if error.name not in PACKAGES:
            raise
        brings = f"pip install {error.name}" if error.name == "joblib" else "pip install '.[verification]'"
        sentence = f"{what} needs {error.name}, which the extra verification brings: {brings}"
        raise ImportError(sentence, name=error.name) from None
