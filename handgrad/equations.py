"""Equations (1)–(14) of the notes, one function each, on single numbers and plain sums.

A function is named for its equation's left-hand side and its last line is the right-hand side, factors in the notes' order.
`EQUATIONS` holds number → function, section and LaTeX; whatever cites an equation reads that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from types import MappingProxyType
from typing import Any

from handgrad import checks

__all__ = ["EQUATIONS", "Equation", "exchanged"]


def L_i_probability(P: Sequence[float], y_i: int) -> float:
    """Cross-entropy of one example from the probabilities of its classes, L_i (1).

    Parameters
    ----------
    P : sequence of float
        P[k] is the probability that the network gives to class k; C numbers.
    y_i : int
        The true class, 0 … C−1.

    Returns
    -------
    float
        The loss in nats, 0 or more.

    Raises
    ------
    ValueError
        If P[y_i] is 0: the logarithm of 0 is no number.

    Notes
    -----
    Section III. **Beyond the notes:** they print the joint P(Y, X); the conditional is meant. They call the loss
    strictly increasing; it is strictly decreasing in P[y_i].

    Examples
    --------
    >>> L_i_probability([0.0, 1.0], 1) == 0
    True
    """
    return -log(P[y_i])


def L_i_logits(s: Sequence[float], k: int) -> float:
    """Cross-entropy of one example from its logits, L_i (2).

    Parameters
    ----------
    s : sequence of float
        The logits, C numbers.
    k : int
        The true class y_i, 0 … C−1.

    Returns
    -------
    float
        The loss in nats, 0 or more.

    Notes
    -----
    Section III. **Beyond the notes:** they print e with subscript k and superscript s; e^{s_k} is meant. The largest logit
    is first taken from all of them, which leaves the quotient as it is and keeps every power finite; where the
    quotient would still underflow, its logarithm is taken term by term.

    Examples
    --------
    >>> L_i_logits([1000.0, -1000.0], 0) == 0, L_i_logits([1000.0, -1000.0], 1) == 2000
    (True, True)
    """
    largest = max(s)
    s = [s_j - largest for s_j in s]
    if s[k] < -600:
        return log(sum(exp(s_j) for s_j in s)) - s[k]
    return -log(exp(s[k]) / sum(exp(s_j) for s_j in s))


def dL_dw(dL_da: float, da_dz: float, dz_dw: float) -> float:
    """Derivative of the loss by the weight of the one neuron of a layer, dL/dw (3).

    Parameters
    ----------
    dL_da, da_dz, dz_dw : float
        The three factors of the chain rule: (4) or the sum from the layer above, (5), and (6).

    Returns
    -------
    float
        dL/dw of the layer.

    Notes
    -----
    Section IV.B. **Beyond the notes:** with (7) in place of (6) the same product is dL/db, which they never write.

    Examples
    --------
    >>> dL_dw(2.0, 0.25, 3.0)
    1.5
    """
    return dL_da * da_dz * dz_dw


def dL_da(a: float, y: float) -> float:
    """Derivative of the squared error by an activation of the output layer, dL/da (4).

    Parameters
    ----------
    a, y : float
        Activation and target of one output neuron.

    Returns
    -------
    float
        dL/da.

    Notes
    -----
    Section IV.B; for many neurons the same line stands, without a number, between (11) and (12).

    Examples
    --------
    >>> dL_da(0.75, 0.25)
    1.0
    """
    return 2 * (a - y)


def da_dz(g: Callable[[float], float], z: float) -> float:
    """Derivative of the sigmoid of the one neuron of a layer, da/dz (5).

    Parameters
    ----------
    g : callable
        The sigmoid.
    z : float
        Pre-activation.

    Returns
    -------
    float
        da/dz, between 0 and 1/4.

    Notes
    -----
    Section IV.B. **Beyond the notes:** it holds for the sigmoid only; every other activation brings its own g′.

    Examples
    --------
    >>> da_dz(lambda z: 0.5, 0.0)
    0.25
    """
    return g(z) * (1 - g(z))


def dz_dw(a_prev: float) -> float:
    """Derivative of the pre-activation by the weight, dz/dw (6).

    Parameters
    ----------
    a_prev : float
        Activation of the layer before, or x.

    Returns
    -------
    float
        dz/dw.

    Notes
    -----
    Section IV.B.

    Examples
    --------
    >>> dz_dw(0.5)
    0.5
    """
    return a_prev


def dz_db() -> float:
    """Derivative of the pre-activation by the bias, dz/db (7).

    Returns
    -------
    float
        One.

    Notes
    -----
    Section IV.B. It serves the layer of many neurons too.

    Examples
    --------
    >>> dz_db()
    1.0
    """
    return 1.0


def z_j(b_j: float, w_j: Sequence[float], a_prev: Sequence[float]) -> float:
    """Pre-activation of neuron j, z_j (8).

    Parameters
    ----------
    b_j : float
        Bias of neuron j.
    w_j : sequence of float
        w_jk for k = 1 … n_prev: the weights to neuron j from each neuron k.
    a_prev : sequence of float
        Activations of the layer before, n_prev numbers.

    Returns
    -------
    float
        z_j.

    Notes
    -----
    Section IV.D–G.

    Examples
    --------
    >>> z_j(0.5, [1.0, 2.0], [3.0, 4.0])
    11.5
    """
    return b_j + sum([w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)])


def a_j(g: Callable[[float], float], z_j: float) -> float:
    """Activation of neuron j, a_j (9).

    Parameters
    ----------
    g : callable
        The activation function.
    z_j : float
        Pre-activation of neuron j.

    Returns
    -------
    float
        a_j.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** softmax takes the whole layer at once, so there g picks component j of it.

    Examples
    --------
    >>> a_j(abs, -0.5)
    0.5
    """
    return g(z_j)


def L_i(a: Sequence[float], y: Sequence[float]) -> float:
    """Squared error of one example, L_i (10).

    Parameters
    ----------
    a, y : sequence of float
        Output activations and targets, n_l numbers each.

    Returns
    -------
    float
        The sum of squares.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** they call it MSE, but there is no mean in it.

    Examples
    --------
    >>> L_i([0.5, 1.0], [0.0, 0.5])
    0.5
    """
    return sum([(a_j - y_j) * (a_j - y_j) for a_j, y_j in zip(a, y, strict=True)])


def dL_dw_jk(dz_j_dw_jk: float, da_j_dz_j: float, dL_da_j: float) -> float:
    """Derivative of the loss by the weight to neuron j from neuron k, dL/dw_jk (11).

    Parameters
    ----------
    dz_j_dw_jk, da_j_dz_j, dL_da_j : float
        The three factors of the chain rule: (13), (12), and (4) or (14).

    Returns
    -------
    float
        dL/dw_jk.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** with (7) in place of (13) the same product is dL/db_j, which they never write.

    Examples
    --------
    >>> dL_dw_jk(3.0, 0.25, 2.0)
    1.5
    """
    return dz_j_dw_jk * da_j_dz_j * dL_da_j


def da_j_dz_j(g: Callable[[float], float], z_j: float) -> float:
    """Derivative of the sigmoid of neuron j, da_j/dz_j (12).

    Parameters
    ----------
    g : callable
        The sigmoid.
    z_j : float
        Pre-activation of neuron j.

    Returns
    -------
    float
        da_j/dz_j, between 0 and 1/4.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** it holds for the sigmoid only; every other activation brings its own g′, and
    softmax, in which each output depends on every z, its Jacobian.

    Examples
    --------
    >>> da_j_dz_j(lambda z: 0.75, 1.0)
    0.1875
    """
    return g(z_j) * (1 - g(z_j))


def dz_j_dw_jk(a_k: float) -> float:
    """Derivative of the pre-activation of neuron j by its weight from neuron k, dz_j/dw_jk (13).

    Parameters
    ----------
    a_k : float
        Activation of neuron k of the layer before.

    Returns
    -------
    float
        dz_j/dw_jk.

    Notes
    -----
    Section IV.D–G.

    Examples
    --------
    >>> dz_j_dw_jk(0.5)
    0.5
    """
    return a_k


def dL_da_k(dz_da_k: Sequence[float], da_dz: Sequence[float], dL_da: Sequence[float]) -> float:
    """Derivative of the loss by the activation of neuron k of the layer before, dL/da_k (14).

    Parameters
    ----------
    dz_da_k : sequence of float
        dz_j/da_k for j = 1 … n: the weights w_jk that leave neuron k.
    da_dz, dL_da : sequence of float
        da_j/dz_j and dL/da_j for j = 1 … n.

    Returns
    -------
    float
        dL/da_k.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** dz_j/da_k is never spelled out there; it is w_jk.

    Examples
    --------
    >>> dL_da_k([1.0, 2.0], [0.5, 0.25], [4.0, 8.0])
    6.0
    """
    return sum([dz_j_da_k * da_j_dz_j * dL_da_j for dz_j_da_k, da_j_dz_j, dL_da_j in zip(dz_da_k, da_dz, dL_da, strict=True)])


@dataclass(frozen=True)
class Equation:
    """One numbered equation of the notes: its number, function, section and LaTeX.

    Parameters
    ----------
    number : int
        As the notes count, 1 … 14.
    function : callable
        The equation as code.
    section : str
        The section of the notes that derives it.
    latex : str
        The equation as the notes mean it.
    """

    number: int
    function: Callable[..., Any]
    section: str
    latex: str


EQUATIONS: Mapping[int, Equation] = MappingProxyType(
    {
        equation.number: equation
        for equation in (
            Equation(1, L_i_probability, "III", r"L_i = -\log P(Y = y_i \mid X = x_i)"),
            Equation(2, L_i_logits, "III", r"L_i = -\log \frac{e^{s_k}}{\sum_{j=1}^{C} e^{s_j}}, \; k = y_i"),
            Equation(
                3,
                dL_dw,
                "IV.B",
                r"\frac{dL}{dw^l} = \frac{dL}{da^l} \cdot \frac{da^l}{dz^l} \cdot \frac{dz^l}{dw^l}",
            ),
            Equation(4, dL_da, "IV.B", r"\frac{dL}{da^l} = 2 (a^l - y)"),
            Equation(5, da_dz, "IV.B", r"\frac{da^l}{dz^l} = g(z^l) (1 - g(z^l))"),
            Equation(6, dz_dw, "IV.B", r"\frac{dz^l}{dw^l} = a^{l-1}"),
            Equation(7, dz_db, "IV.B", r"\frac{dz^l}{db^l} = 1"),
            Equation(8, z_j, "IV.D–G", r"z_j^{(l)} = b_j^{(l)} + \sum_{k=1}^{n_{l-1}} w_{jk}^{(l)} a_k^{(l-1)}"),
            Equation(9, a_j, "IV.D–G", r"a_j^{(l)} = g(z_j^{(l)})"),
            Equation(10, L_i, "IV.D–G", r"L_i = \sum_{j=1}^{n_l} (a_j^{(l)} - y_j)^2"),
            Equation(
                11,
                dL_dw_jk,
                "IV.D–G",
                r"\frac{dL}{dw_{jk}^{(l)}} = \frac{dz_j^{(l)}}{dw_{jk}^{(l)}} \cdot "
                r"\frac{da_j^{(l)}}{dz_j^{(l)}} \cdot \frac{dL}{da_j^{(l)}}",
            ),
            Equation(12, da_j_dz_j, "IV.D–G", r"\frac{da_j^{(l)}}{dz_j^{(l)}} = g(z_j^{(l)}) (1 - g(z_j^{(l)}))"),
            Equation(13, dz_j_dw_jk, "IV.D–G", r"\frac{dz_j^{(l)}}{dw_{jk}^{(l)}} = a_k^{(l-1)}"),
            Equation(
                14,
                dL_da_k,
                "IV.D–G",
                r"\frac{dL}{da_k^{(l-1)}} = \sum_{j=1}^{n_l} \frac{dz_j^{(l)}}{da_k^{(l-1)}} \cdot "
                r"\frac{da_j^{(l)}}{dz_j^{(l)}} \cdot \frac{dL}{da_j^{(l)}}",
            ),
        )
    }
)


def exchanged(replacements: Mapping[int, Callable[..., Any]]) -> Mapping[int, Equation]:
    """Return the table with some equations' functions exchanged, to see what a wrong one does.

    Parameters
    ----------
    replacements : mapping of int to callable
        Equation number → a function that takes the same arguments.

    Returns
    -------
    mapping of int to Equation
        A new table; `EQUATIONS` itself stays as it is.

    Raises
    ------
    TypeError
        If it is no mapping, or a replacement is no function.
    ValueError
        If a number is not one of the notes' equations, 1 … 14.

    Examples
    --------
    >>> exchanged({4: lambda a, y: a - y})[4].function(0.75, 0.25)
    0.5
    """
    table = dict(EQUATIONS)
    checks.replacements(replacements, table)
    for number, function in replacements.items():
        table[number] = replace(table[number], function=function)
    return table
