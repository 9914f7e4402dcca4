"""A case as Python code that makes it again, every digit of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg

Array = npt.NDArray[Any]


def array(values: Array) -> str:
    """Return code for an array: its numbers in full, its dtype, and its memory layout if that is not the usual one.

    A float32 number is written with the digits of the float64 number equal to it, and so read back exactly.
    """
    numbers = values.astype(np.float64) if values.dtype.kind == "f" else values
    code = f"np.array({numbers.tolist()!r}, dtype=np.{values.dtype})"
    if values.ndim == 2 and not values.flags.c_contiguous and values.flags.f_contiguous:
        return f"np.asfortranarray({code})"
    if values.ndim and not values.flags.c_contiguous:
        return f"np.repeat({code}, 2, axis=-1)[..., ::2]"
    return code


def activation(layer: hg.Dense) -> str:
    """Return code for a layer's activation: its name, or an object with its slope as it is now."""
    if layer.alpha is not None:
        alpha = layer.alpha.astype(np.float64).tolist()
        return f"hg.Activation('prelu', alpha={alpha!r})"
    if layer.activation.slope is not None:
        return f"hg.Activation('leaky_relu', slope={layer.activation.slope!r})"
    return repr(layer.activation.name)


def network(net: hg.Network) -> str:
    """Return code for a network."""
    layers = "".join(f"    hg.Dense({array(layer.w)}, {array(layer.b)}, {activation(layer)}),\n" for layer in net.layers)
    return f"hg.Network([\n{layers}], loss={net.loss_name!r}, reduction={net.reduction!r})"


def expression(net: hg.Network, x: Array, y: Array) -> str:
    """Return code for a whole case, as one expression."""
    return f"Case({network(net)}, x={array(np.asarray(x))}, y={array(np.asarray(y))})"


def case_program(net: hg.Network, x: Array, y: Array) -> str:
    """Return a program that makes a case: net, x and y, every digit of them."""
    return (
        "import numpy as np\n"
        "import handgrad as hg\n\n"
        f"net = {network(net)}\n"
        f"x = {array(np.asarray(x))}\n"
        f"y = {array(np.asarray(y))}\n"
    )


def program(net: hg.Network, x: Array, y: Array, telling: str) -> str:
    """Return a program that makes the case and prints the comparison with PyTorch.

    Parameters
    ----------
    net : handgrad.Network
        The network.
    x, y : ndarray
        Its data.
    telling : str
        Which of handgrad's tellings is compared.

    Returns
    -------
    str
        A Python program.
    """
    return f"{case_program(net, x, y)}\nimport verification as v\nprint(v.compare(net, x, y, telling={telling!r}))\n"
