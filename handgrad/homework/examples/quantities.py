"""The numbers of an example by their names in its file: "z1[2]", "dL_dw2[1,1]", "loss after the step"; indices from 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.homework import described
from handgrad.network import Network

AFTER, CHANGE = " after the step", "change of "
NAME = re.compile(r"(?P<minus>-?)(?P<array>\w+)(?:\[(?P<place>\d+(?:,\d+)?)\])?")
# What the notes have a number for. A derivative by a hidden a, or by x, is (14), one by the output's a is (4).
NUMBERS = {"z": 8, "a": 9, "loss": 10, "da_dz": 12, "dL_dw": 11, "dL_db": 7, "dL_dx": 14}
LOSSES = {"cross_entropy": 2, "binary_cross_entropy": 1}


def values(net: Network, x: npt.NDArray[Any], y: npt.NDArray[Any], scale: float) -> dict[str, npt.NDArray[Any]]:
    """Return every array of a network on one example by its name, the loss and its derivatives times `scale`.

    Parameters
    ----------
    net : Network
        The network.
    x, y : ndarray
        One example.
    scale : float
        1/2 for a loss with a half.

    Returns
    -------
    dict of str to ndarray
        "z1", "dL_dw1", "w1", … and "loss"; "loss[]" holds the shares of the outputs in a squared error.
    """
    trace = net.trace(x, y)
    arrays = trace.named() | {f"dL_d{name}": array for name, array in trace.gradient.named().items()}
    arrays |= {"dL_dx": trace[1].dL_da_prev, "loss": np.asarray(trace.loss)}
    if net.loss_name == "squared_error":
        arrays["loss[]"] = (trace[len(trace)].a - y) ** 2
    scaled = {name: array * (scale if name.startswith(("dL", "loss")) else 1) for name, array in arrays.items()}
    return scaled | {name: array.copy() for name, array in net.named().items()}


def finder(settings: Mapping[str, Any], scale: float, fixed: Collection[str]) -> Callable[[str], float]:
    """Return the function from a quantity's name to its number.

    Parameters
    ----------
    settings : mapping of str to object
        The network and one example, as `described.read` returns them; with a rate if a step is asked for.
    scale : float
        What the publication's loss is of the notes' one.
    fixed : collection of str
        Parameters that the publication leaves as they are, "b1" for one.

    Returns
    -------
    callable
        It raises a ValueError for a name that is none.
    """
    net, (x, y) = described.network(settings), described.data(settings)
    before = values(net, x, y, scale)
    after: Mapping[str, npt.NDArray[Any]] = {}
    if "rate" in settings:
        net.descend(scale * net.gradient(x, y), settings["rate"])
        for name in fixed:
            net.named()[name][...] = before[name]
        after = values(net, x, y, scale)

    def found(quantity: str) -> float:
        name = quantity.removesuffix(AFTER)
        if name != quantity:
            return _number(after, name)
        minus, change, changed = name.partition(CHANGE)
        return _number(after, minus + changed) - _number(before, minus + changed) if change else _number(before, name)

    return found


def _number(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> float:
    parts = NAME.fullmatch(name)
    key = parts["array"] if parts else name
    place = parts["place"] if parts else None
    array = arrays[checks.one_of("a quantity", f"{key}[]" if key == "loss" and place else key, arrays)]
    number = float(array[tuple(int(index) - 1 for index in place.split(","))] if place else array)
    return -number if parts and parts["minus"] else number


def equation(quantity: str, layers: int, loss: str) -> int | None:
    """Return the number of the notes' equation that gives a quantity, or None.

    Parameters
    ----------
    quantity : str
        Its name.
    layers : int
        How many layers the network has.
    loss : str
        The network's.

    Returns
    -------
    int or None
        None for a parameter, and for dL/dz, a product that the notes do not number.

    Examples
    --------
    >>> equation("dL_da2[1]", 2, "squared_error"), equation("dL_da1[1]", 2, "squared_error"), equation("w1[1,1]", 2, "")
    (4, 14, None)
    """
    parts = NAME.match(quantity)
    name = parts["array"] if parts else quantity
    kind = name.rstrip("0123456789")
    if kind == "dL_da":
        return 4 if name == f"dL_da{layers}" else 14
    return LOSSES.get(loss, NUMBERS[kind]) if kind == "loss" else NUMBERS.get(kind)
