"""Arrays as tables of HTML, under the notes' names: what a notebook shows of a network, a gradient and a trace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

# Of an array with more numbers than these the first and the last are shown.
NUMBERS = 60


def table(caption: str, arrays: Mapping[str, npt.NDArray[Any]], of: str = "") -> str:
    """Return a table with a row for each array: its name in the notes, its shape, its numbers.

    Parameters
    ----------
    caption : str
        What stands above it.
    arrays : mapping of str to ndarray
        By name: "w1", "dL_da2", …
    of : str
        What goes before each name: "dL_d" for derivatives by parameters.

    Returns
    -------
    str
        HTML that needs no style and no script.

    Examples
    --------
    >>> "dL/dw<sup>(1)</sup>" in table("", {"w1": np.zeros((1, 2))}, "dL_d")
    True
    """
    rows = "".join(
        f'<tr><th scope="row">{_name(of + name)}</th><td>{" × ".join(map(str, array.shape)) or "1"}</td>'
        f"<td><pre>{escape(_numbers(array))}</pre></td></tr>"
        for name, array in arrays.items()
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("", "shape", "numbers"))
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _name(name: str) -> str:
    """Return a name as the notes write it: dL_da2 is dL/da with (2) above."""
    letter, layer = re.fullmatch(r"(\D*)(\d*)", name).groups()  # type: ignore[union-attr]  # every string is such a one
    return letter.replace("_", "/").replace("alpha", "α") + (f"<sup>({layer})</sup>" if layer else "")


def _numbers(array: npt.NDArray[Any]) -> str:
    return np.array2string(array, precision=6, threshold=NUMBERS, edgeitems=3, max_line_width=88)
