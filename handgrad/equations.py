"""Equations (1)–(14) of the notes, one function each, on single numbers and plain sums.

A function is named for its equation's left-hand side, and its last line is the right-hand side, factors in the notes' order.
Sections: III for (1)–(2); IV.B for (3)–(7), one neuron a layer; IV.D–G for (8)–(14), n neurons after n_prev. What cites an
equation reads `EQUATIONS`. Suffixes: `_j` neuron j of this layer, `_k` neuron k of the one before, `_prev` all of that one.

================================  =======================================================  =====================================
symbol                            meaning                                                  shape, unit
================================  =======================================================  =====================================
`P`, `s`; `y_i`, `k`              probability P[k], logit s[k] of class k; the true class  C numbers each; 0 … C−1
`w_j`, `b_j`                      the weights w_jk to neuron j from each k; its bias       n_prev numbers; a number
`z`, `z_j`; `g`                   the pre-activation; the activation function              a number; in (5), (12) the sigmoid
`a`, `a_prev`, `a_k`; `y`         the activation, before layer 1 x; the target             a number; n_prev in (8), n in (10)
`dL_da`, `dL_da_j`                dL/da: (4) at the output, (14) before it                 a number; n in (14), for j = 1 … n
`da_dz`, `da_j_dz_j`              da/dz: (5), (12), or another activation's own g′         as dL_da; (5), (12) are 0 … 1/4
`dz_dw`, `dz_j_dw_jk`; `dz_da_k`  dz/dw: (6), (13); dz_j/da_k, which is w_jk               a number; n, for j = 1 … n
`L_i`                             the loss of example i, 0 or more                         (1)–(2) nats; (10) squared units of y
================================  =======================================================  =====================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from types import MappingProxyType

from handgrad import checks

__all__ = ["EQUATIONS", "Equation", "exchanged"]


def L_i_probability(P: Sequence[float], y_i: int) -> float:
    """Cross-entropy of one example from the probabilities of its classes, L_i (1).

    **Beyond the notes:** they print the joint P(Y, X) for the conditional, and call the loss strictly increasing; it strictly
    decreases in P[y_i]. ValueError if P[y_i] is 0. Of a sigmoid unit, which says no or yes, P is (1 − a, a).

    >>> L_i_probability([0.0, 1.0], 1) == 0
    True
    """
    return -log(P[y_i])


def L_i_logits(s: Sequence[float], k: int) -> float:
    """Cross-entropy of one example from its logits, L_i (2).

    **Beyond the notes:** they print e with subscript k and superscript s; e^{s_k} is meant. Taking the largest logit from all
    leaves the quotient as it is and every power finite; where it would still underflow, its logarithm is taken term by term.

    >>> L_i_logits([1000.0, -1000.0], 0) == 0, L_i_logits([1000.0, -1000.0], 1) == 2000
    (True, True)
    """
    largest = max(s)
    s = [s_j - largest for s_j in s]
    if s[k] < -600:
        return log(sum(exp(s_j) for s_j in s)) - s[k]
    return -log(exp(s[k]) / sum(exp(s_j) for s_j in s))


def dL_dw(dL_da: float, da_dz: float, dz_dw: float) -> float:
    """Derivative of the loss by the weight of a layer's one neuron, dL/dw (3).

    **Beyond the notes:** with (7) in place of (6) the same product is dL/db, which they never write.

    >>> dL_dw(2.0, 0.25, 3.0)
    1.5
    """
    return dL_da * da_dz * dz_dw


def dL_da(a: float, y: float) -> float:
    """Derivative of the squared error by an activation of the output layer, dL/da (4).

    **Beyond the notes:** it serves many neurons too, where they print it without a number, between (11) and (12).

    >>> dL_da(0.75, 0.25)
    1.0
    """
    return 2 * (a - y)


def da_dz(g: Callable[[float], float], z: float) -> float:
    """Derivative of the sigmoid of a layer's one neuron, da/dz (5).

    **Beyond the notes:** it holds for the sigmoid only; every other activation brings its own g′.

    >>> da_dz(lambda z: 0.5, 0.0)
    0.25
    """
    return g(z) * (1 - g(z))


def dz_dw(a_prev: float) -> float:
    """Derivative of the pre-activation by the weight, dz/dw (6).

    >>> dz_dw(0.5)
    0.5
    """
    return a_prev


def dz_db() -> float:
    """Derivative of the pre-activation by the bias, with one neuron a layer or many, dz/db (7).

    >>> dz_db()
    1.0
    """
    return 1.0


def z_j(b_j: float, w_j: Sequence[float], a_prev: Sequence[float]) -> float:
    """Pre-activation of neuron j, z_j (8).

    >>> z_j(0.5, [1.0, 2.0], [3.0, 4.0])
    11.5
    """
    return b_j + sum([w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)])


def a_j(g: Callable[[float], float], z_j: float) -> float:
    """Activation of neuron j, a_j (9).

    **Beyond the notes:** softmax takes the whole layer at once, so there g picks component j of it.

    >>> a_j(abs, -0.5)
    0.5
    """
    return g(z_j)


def L_i(a: Sequence[float], y: Sequence[float]) -> float:
    """Squared error of one example, L_i (10).

    **Beyond the notes:** they call it MSE, but there is no mean in it.

    >>> L_i([0.5, 1.0], [0.0, 0.5])
    0.5
    """
    return sum([(a_j - y_j) * (a_j - y_j) for a_j, y_j in zip(a, y, strict=True)])


def dL_dw_jk(dz_j_dw_jk: float, da_j_dz_j: float, dL_da_j: float) -> float:
    """Derivative of the loss by the weight to neuron j from neuron k, dL/dw_jk (11).

    **Beyond the notes:** with (7) in place of (13) the same product is dL/db_j, which they never write.

    >>> dL_dw_jk(3.0, 0.25, 2.0)
    1.5
    """
    return dz_j_dw_jk * da_j_dz_j * dL_da_j


def da_j_dz_j(g: Callable[[float], float], z_j: float) -> float:
    """Derivative of the sigmoid of neuron j, da_j/dz_j (12).

    **Beyond the notes:** for the sigmoid only; others bring their own g′, softmax its Jacobian, as each a depends on every z.

    >>> da_j_dz_j(lambda z: 0.75, 1.0)
    0.1875
    """
    return g(z_j) * (1 - g(z_j))


def dz_j_dw_jk(a_k: float) -> float:
    """Derivative of the pre-activation of neuron j by its weight from neuron k, dz_j/dw_jk (13).

    >>> dz_j_dw_jk(0.5)
    0.5
    """
    return a_k


def dL_da_k(dz_da_k: Sequence[float], da_dz: Sequence[float], dL_da: Sequence[float]) -> float:
    """Derivative of the loss by the activation of neuron k of the layer before, dL/da_k (14).

    **Beyond the notes:** dz_j/da_k is never spelled out there; it is w_jk.

    >>> dL_da_k([1.0, 2.0], [0.5, 0.25], [4.0, 8.0])
    6.0
    """
    return sum([dz_j_da_k * da_j_dz_j * dL_da_j for dz_j_da_k, da_j_dz_j, dL_da_j in zip(dz_da_k, da_dz, dL_da, strict=True)])


@dataclass(frozen=True)
class Equation:
    """One numbered equation of the notes.

    Parameters
    ----------
    number, function : int, callable
        As the notes count, 1 … 14; the equation as code.
    section, latex : str
        Where the notes derive it; the equation as they mean it.
    """

    number: int
    function: Callable[..., float]
    section: str
    latex: str


_DL_DZ = r"\frac{da_j^{(l)}}{dz_j^{(l)}} \cdot \frac{dL}{da_j^{(l)}}"
_ROWS: tuple[tuple[Callable[..., float], str, str], ...] = (
    (L_i_probability, "III", r"L_i = -\log P(Y = y_i \mid X = x_i)"),
    (L_i_logits, "III", r"L_i = -\log \frac{e^{s_k}}{\sum_{j=1}^{C} e^{s_j}}, \; k = y_i"),
    (dL_dw, "IV.B", r"\frac{dL}{dw^l} = \frac{dL}{da^l} \cdot \frac{da^l}{dz^l} \cdot \frac{dz^l}{dw^l}"),
    (dL_da, "IV.B", r"\frac{dL}{da^l} = 2 (a^l - y)"),
    (da_dz, "IV.B", r"\frac{da^l}{dz^l} = g(z^l) (1 - g(z^l))"),
    (dz_dw, "IV.B", r"\frac{dz^l}{dw^l} = a^{l-1}"),
    (dz_db, "IV.B", r"\frac{dz^l}{db^l} = 1"),
    (z_j, "IV.D–G", r"z_j^{(l)} = b_j^{(l)} + \sum_{k=1}^{n_{l-1}} w_{jk}^{(l)} a_k^{(l-1)}"),
    (a_j, "IV.D–G", r"a_j^{(l)} = g(z_j^{(l)})"),
    (L_i, "IV.D–G", r"L_i = \sum_{j=1}^{n_l} (a_j^{(l)} - y_j)^2"),
    (dL_dw_jk, "IV.D–G", r"\frac{dL}{dw_{jk}^{(l)}} = \frac{dz_j^{(l)}}{dw_{jk}^{(l)}} \cdot " + _DL_DZ),
    (da_j_dz_j, "IV.D–G", r"\frac{da_j^{(l)}}{dz_j^{(l)}} = g(z_j^{(l)}) (1 - g(z_j^{(l)}))"),
    (dz_j_dw_jk, "IV.D–G", r"\frac{dz_j^{(l)}}{dw_{jk}^{(l)}} = a_k^{(l-1)}"),
    (dL_da_k, "IV.D–G", r"\frac{dL}{da_k^{(l-1)}} = \sum_{j=1}^{n_l} \frac{dz_j^{(l)}}{da_k^{(l-1)}} \cdot " + _DL_DZ),
)
EQUATIONS: Mapping[int, Equation] = MappingProxyType({n: Equation(n, *row) for n, row in enumerate(_ROWS, start=1)})


def exchanged(replacements: Mapping[int, Callable[..., float]]) -> Mapping[int, Equation]:
    """Return the table with some equations' functions exchanged, to see what a wrong one does.

    Parameters
    ----------
    replacements : mapping of int to callable
        Equation number, 1 … 14 → a function that takes the same arguments; TypeError or ValueError for anything else.

    Returns
    -------
    mapping of int to Equation
        A new table; `EQUATIONS` itself stays as it is.

    Examples
    --------
    >>> exchanged({4: lambda a, y: a - y})[4].function(0.75, 0.25)
    0.5
    """
    checks.replacements(replacements, EQUATIONS)
    return dict(EQUATIONS) | {number: replace(EQUATIONS[number], function=f) for number, f in replacements.items()}
