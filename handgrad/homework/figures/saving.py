"""A figure as the bytes of a file, the same for the same figure."""

from __future__ import annotations

import io

import numpy as np

from handgrad import checks
from handgrad.extras import needed_by
from handgrad.homework.figures.style import Axes

with needed_by("handgrad.homework.figures"):
    from matplotlib import rc_context

__all__ = ["ENDINGS", "saved"]

# A file's ending, and what is left out of it so that it says nothing of the day.
ENDINGS: dict[str, dict[str, None]] = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}


def saved(axes: object, ending: str) -> bytes:
    """Return the figure of some axes as a file has it.

    Parameters
    ----------
    axes : Axes or ndarray of Axes
        As a figure's function returns them.
    ending : str
        ".svg", ".png" or ".pdf".

    Returns
    -------
    bytes
        What is written to the file.

    Raises
    ------
    TypeError, ValueError
        If the ending is another.
    """
    checks.one_of("the file's ending", ending, ENDINGS)
    first = np.ravel(np.asarray(axes, dtype=object))[0]
    checks.instance("axes", first, Axes, "axes, or an array of them")
    picture = io.BytesIO()
    with rc_context({"svg.hashsalt": "handgrad"}):
        first.figure.savefig(picture, format=ending[1:], dpi=150, metadata=ENDINGS[ending])
    return picture.getvalue()
