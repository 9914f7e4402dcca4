"""The network written out: its backpropagation as the text of a program, whose lines `handgrad.fast.written_out` has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.fast.straight_line import Line
from handgrad.fast.written_out import Program
from handgrad.network import Network

__all__ = ["numbers", "written_out"]

# Where the comments begin, unless the line is longer.
COLUMN = 44
HEAD = '''"""{net}: backpropagation of one example, written out.

{w} is the weight of layer 1 to unit {to} from {of}; b{unit}, z{unit} and a{unit} are the bias, the
pre-activation and the activation of unit {to}. d{w}, db{unit}, dz{unit} and dL_da{unit} are the
derivatives of the loss L by these, and da_dz{unit} is g'. A comment names the equations of the notes that
a line is; names that the notes have not (e, r, m, s, ...) are of numbers that several lines share.
A line that looks longer than its equation says the same without subtracting numbers that are nearly
equal, which would lose digits. All numbers are Python's, of 64 bits.
"""
'''


def written_out(net: Network, x: npt.ArrayLike | None = None, y: npt.ArrayLike | None = None) -> str:
    r"""Return a network's backpropagation as a program: a line for each quantity, without loops, arrays or handgrad.

    Section IV.D–G. It runs by itself, needs Python alone, and prints L and every derivative. **Beyond the notes:** the stable
    form of each equation, as in the matrix form; of a float32 network the numbers, computed in 64 bits.

    Parameters
    ----------
    net : Network
        Its parameters must be finite. Of one example the mean is the sum.
    x, y : array_like, optional
        One example, as for `Network.gradient`; unless given every x_k is 1, and y is 0, or class 0.

    Returns
    -------
    str
        The text of the program.

    Raises
    ------
    TypeError, ValueError
        For the same x and y as `Network.gradient`, a batch of several examples, or one of them alone; for a net that is no
        Network, and a parameter that is not finite.

    Examples
    --------
    >>> from handgrad import Dense
    >>> text = written_out(Network([Dense([[1.0, 0.5]], [-0.5], "relu")]), [2.0, 1.0], [1.0])
    >>> print("\n".join(line for line in text.splitlines() if line.startswith(("z1_1 ", "dw1_12 "))))
    z1_1 = b1_1 + w1_11*x_1 + w1_12*x_2           # (8)
    dw1_12 = x_2*dz1_1                            # (11), (13)
    >>> exec(text)
    L = 1.0
    dw1_11 = 4.0
    dw1_12 = 2.0
    db1_1 = 2.0
    dx_1 = 2.0
    dx_2 = 1.0
    """
    checks.instance("net", net, Network, "a Network")
    told = Program(net.engine.architecture)
    checks.together(x=x, y=y)
    checks.all_finite(net.named(), "net's {}")
    if x is None or y is None:
        x = np.ones(net.widths[0])
        y = 0 if net.loss_name == "cross_entropy" else np.zeros(net.widths[-1])
        example = "The example: any numbers, put in your own"
    else:
        example = "The example"
    if net.loss_name == "cross_entropy":
        example += "; y is 1 for its class and 0 for the others, or the probability of each"
    parameters, x_numbers, y_numbers = numbers(net, x, y)
    # The first weight that leads to the last unit; of one unit, the last: so it shows which index is which.
    to, of = net.widths[1], 1 if net.widths[1] > 1 else net.widths[0]
    head = HEAD.format(net=net, w=told.names[0].w[to - 1][of - 1], unit=f"1_{to}", to=to, of=f"input {of}")
    imports = f"from math import {', '.join(told.functions)}\n" if told.functions else ""
    derivatives = ["L", *(f"d{name}" for name in told.parameters), *told.names[0].dL_da_prev]
    parts = [
        head + (f"\n{imports}" if imports else ""),
        _given("The parameters", told.parameters, parameters),
        _given(example, [*told.x, *told.y], [*x_numbers, *y_numbers]),
        *("\n".join([f"# {section.title}", *map(_shown, section.lines), ""]) for section in told.sections),
        "\n".join(["# L and its derivatives", *(f'print(f"{{{name} = }}")' for name in derivatives), ""]),
    ]
    return "\n".join(parts)


def numbers(net: Network, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[list[float], list[float], list[float]]:
    """Return what the program of a network takes, as plain numbers.

    Parameters
    ----------
    net : Network
        The network.
    x, y : array_like
        One example, with or without a batch axis.

    Returns
    -------
    tuple of three lists of float
        The parameters in figure 9's order, x, and y; a class as 1 and 0.

    Raises
    ------
    TypeError, ValueError
        As `Network.gradient`, and for several examples.
    """
    batch, single = net.engine.inputs(x)
    checks.one_example(len(batch), net.widths[0])
    target: Any = net.engine.targets(y, 1, single)
    return net.engine.parameters.tolist(), batch[0].tolist(), target[0].tolist()


def _given(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    return "\n".join([f"# {title}", *(f"{name} = {value!r}" for name, value in zip(names, values, strict=True)), ""])


def _shown(line: Line) -> str:
    return f"{line.code:<{COLUMN}}  # {line.equation}"
