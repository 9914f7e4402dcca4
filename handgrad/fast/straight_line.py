"""The lines of a straight-line program: the notes' equations for one example, a line for each quantity, on plain numbers.

A line is told for one unit, with @ for its layer and number: a@ of unit 2 of layer 1 is a1_2. Every form is the stable one
(`handgrad.activations`, `handgrad.losses`), so that no digit is lost that a rearrangement keeps, and nothing is raised: the
exponential is taken of no number above 0, and nothing is divided by a number below 1. 0.0 if z <= 0.0 lets NaN pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from handgrad.gradient import Shapes
from handgrad.losses import JOINED

# Sums of more terms are cut into parts, since Python's compiler goes only so deep.
MOST_TERMS = 100


class Line(NamedTuple):
    """A line of the program, and the equations that it is; one `beside` the gradient is none that the gradient needs."""

    code: str
    equation: str
    beside: bool = False


class Section(NamedTuple):
    """Lines that belong together: a layer forward, the loss, a layer backward."""

    title: str
    lines: list[Line]


@dataclass(frozen=True, eq=False)
class Names:
    """What one layer's quantities are called: parameters, activations before it and the derivatives by these, and its units."""

    w: list[list[str]]
    b: list[str]
    alpha: list[str]
    a_prev: list[str]
    dL_da_prev: list[str]
    layer: int
    # "" where every index has one digit, and "_" otherwise: w1_21, or w1_2_10.
    between: str

    def each(self, template: str) -> list[str]:
        """Return a template with @ filled in, for every unit."""
        return [template.replace("@", f"{self.layer}_{j}") for j in range(1, len(self.b) + 1)]

    def pair(self, kind: str, j: int, i: int) -> str:
        """Return the name of a quantity with two indices."""
        return f"{kind}{self.layer}_{j}{self.between}{i}"

    @property
    def parameters(self) -> list[str]:
        """The parameters in figure 9's order."""
        return [*(w_jk for row in self.w for w_jk in row), *self.b, *self.alpha]


@dataclass(frozen=True)
class Form:
    """Lines of an activation for one unit, forward and backward, and whether its g′ is 1; $ is the slope for z < 0."""

    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    linear: bool = False


_LEAKY = Form(
    (Line("a@ = z@ if z@ > 0.0 else $*z@", "(9)"),),
    (Line("da_dz@ = 1.0 if z@ > 0.0 else $", "(12)"),),
)
FORMS = {
    "identity": Form((Line("a@ = z@", "(9)"),), (Line("da_dz@ = 1.0", "(12)", beside=True),), linear=True),
    # With e = e^-|z| and r = 1/(1 + e), g is r or e r, and g' = g(z) g(-z) is e r r.
    "sigmoid": Form(
        (
            Line("e@ = exp(-z@ if z@ > 0.0 else z@)", "e^-|z| of (9) and (12)"),
            Line("r@ = 1.0/(1.0 + e@)", "of (9) and (12)"),
            Line("a@ = r@ if z@ >= 0.0 else e@*r@", "(9)"),
        ),
        (Line("da_dz@ = e@*r@*r@", "(12)"),),
    ),
    # 1 - tanh² z = 4 e / (1 + e)² with e = e^-2|z|.
    "tanh": Form(
        (Line("a@ = tanh(z@)", "(9)"),),
        (
            Line("e@ = exp(-2.0*z@ if z@ > 0.0 else 2.0*z@)", "e^-2|z| of (12)"),
            Line("r@ = 1.0/(1.0 + e@)", "of (12)"),
            Line("da_dz@ = 4.0*e@*r@*r@", "(12), 1 - tanh^2"),
        ),
    ),
    "relu": Form((Line("a@ = 0.0 if z@ <= 0.0 else z@", "(9)"),), (Line("da_dz@ = 0.0 if z@ <= 0.0 else 1.0", "(12)"),)),
    "leaky_relu": _LEAKY,
    "prelu": _LEAKY,
}


def names_of(shapes: Shapes) -> list[Names]:
    """Return what the quantities of every layer are called, first layer first.

    Parameters
    ----------
    shapes : Shapes
        Of each layer's w and α.

    Returns
    -------
    list of Names
        The activations before layer 1 are x_1, x_2, …
    """
    wide = max(shapes[0][0][1], *(n for (n, _), _ in shapes)) > 9
    between = "_" if wide else ""
    layers = []
    for number, ((n, n_prev), alpha) in enumerate(shapes, start=1):
        units, before = range(1, n + 1), range(1, n_prev + 1)
        slopes = [] if alpha is None else [f"alpha{number}_{j}" for j in units] if alpha else [f"alpha{number}"]
        layers.append(
            Names(
                [[f"w{number}_{j}{between}{k}" for k in before] for j in units],
                [f"b{number}_{j}" for j in units],
                slopes,
                [f"a{number - 1}_{k}" if number > 1 else f"x_{k}" for k in before],
                [f"dL_da{number - 1}_{k}" if number > 1 else f"dx_{k}" for k in before],
                number,
                between,
            )
        )
    return layers


def sections_of(names: Sequence[Names], activations: Sequence[tuple[str, float | None]], loss: str) -> list[Section]:
    """Return the program of an architecture, from z of layer 1 to the derivatives by x.

    Parameters
    ----------
    names : sequence of Names
        Of every layer.
    activations : sequence of (str, slope)
        One a layer; the slope of leaky_relu, and None for the others.
    loss : str
        As for `Network`.

    Returns
    -------
    list of Section
        In the order of one pass.
    """
    last, joined = names[-1], loss in JOINED
    sections = [
        Section(f"forward, layer {of.layer}", [*_pre_activations(of), *_forward(of, name, slope, joined and of is last)])
        for of, (name, slope) in zip(names, activations, strict=True)
    ]
    sections.append(Section("the loss", _LOSSES[loss](last)))
    for of, (name, slope) in zip(reversed(names), reversed(activations), strict=True):
        dz = _OUTPUTS[loss](last) if joined and of is last else _backward(of, name, slope)
        sections.append(Section(f"backward, layer {of.layer}", [*dz, *_derivatives(of)]))
    return sections


def summed(terms: Sequence[str]) -> str:
    """Return a sum as one expression; of no terms, 0."""
    if len(terms) <= MOST_TERMS:
        return " + ".join(terms) or "0.0"
    parts = [" + ".join(terms[start : start + MOST_TERMS]) for start in range(0, len(terms), MOST_TERMS)]
    return summed([f"({part})" for part in parts])


def _without(names: Sequence[str], place: int) -> list[str]:
    return [*names[:place], *names[place + 1 :]]


def _bracketed(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({summed(terms)})"


def _pre_activations(of: Names) -> list[Line]:
    return [
        Line(f"{z_j} = {summed([b_j, *(f'{w_jk}*{a_k}' for w_jk, a_k in zip(w_j, of.a_prev, strict=True))])}", "(8)")
        for z_j, b_j, w_j in zip(of.each("z@"), of.b, of.w, strict=True)
    ]


def _of_units(lines: Sequence[Line], of: Names, slope: float | None) -> list[Line]:
    """Return the lines for every unit, with its name and slope filled in."""
    n = len(of.b)
    slopes = [repr(slope)] * n if not of.alpha else of.alpha if len(of.alpha) == n else of.alpha * n
    filled = []
    for j, slope_j in enumerate(slopes, start=1):
        unit = f"{of.layer}_{j}"
        filled += [Line(code.replace("@", unit).replace("$", slope_j), equation, beside) for code, equation, beside in lines]
    return filled


def _forward(of: Names, activation: str, slope: float | None, joined: bool) -> list[Line]:
    return _softmax(of, joined) if activation == "softmax" else _of_units(FORMS[activation].forward, of, slope)


def _softmax(of: Names, joined: bool) -> list[Line]:
    """Return softmax's lines; joined with the loss, which needs the sum without the largest e, and no p."""
    z, e, m, s = of.each("z@"), of.each("e@"), f"m{of.layer}", f"s{of.layer}"
    largest = [
        f"{z[0]} if {z[0]} > {z[1]} else {z[1]}" if len(z) > 1 else z[0],
        *(f"{z_j} if {z_j} > {m} else {m}" for z_j in z[2:]),
    ]
    lines = [Line(f"{m} = {which}", "the largest z, of (9)") for which in largest]
    lines += [Line(f"{e_j} = exp({z_j} - {m})", "of (9)") for z_j, e_j in zip(z, e, strict=True)]
    lines.append(Line(f"{s} = {summed(e)}", "of (9)"))
    if joined:
        # Below 2 no two e are 1, so that the sum of the others has none that is.
        others = summed([f"(0.0 if {e_j} == 1.0 else {e_j})" for e_j in e])
        lines.append(Line(f"rest{of.layer} = {s} - 1.0 if {s} >= 2.0 else {others}", "of (2): s without the e that is 1"))
    return lines + [Line(f"{a_j} = {e_j}/{s}", "(9)", joined) for a_j, e_j in zip(of.each("a@"), e, strict=True)]


def _targets(of: Names) -> list[str]:
    return [f"y_{j}" for j in range(1, len(of.b) + 1)]


def _total(terms: Sequence[str], equation: str) -> list[Line]:
    """Return L, and before it the terms L_1, L_2, … that it is the sum of."""
    if len(terms) == 1:
        return [Line(f"L = {terms[0]}", equation)]
    parts = [f"L_{j}" for j in range(1, len(terms) + 1)]
    return [
        *(Line(f"{part} = {term}", equation) for part, term in zip(parts, terms, strict=True)),
        Line(f"L = {summed(parts)}", equation),
    ]


def _squared_error(of: Names) -> list[Line]:
    a, y = of.each("a@"), _targets(of)
    d = [f"d_{j}" for j in range(1, len(a) + 1)]
    return [
        *(Line(f"{d_j} = {a_j} - {y_j}", "of (4) and (10)") for d_j, a_j, y_j in zip(d, a, y, strict=True)),
        Line(f"L = {summed([f'{d_j}*{d_j}' for d_j in d])}", "(10)"),
        *(Line(f"{dL_da_j} = 2.0*{d_j}", "(4)") for dL_da_j, d_j in zip(of.each("dL_da@"), d, strict=True)),
    ]


def _cross_entropy(of: Names) -> list[Line]:
    # -log p_k is how far z_k lies below the largest, and the logarithm of the sum: two numbers >= 0. Where y_k is 0 the term
    # is, even if the first overflows.
    m, log_s = f"m{of.layer}", f"log_s{of.layer}"
    terms = [
        f"{y_k}*({m} - {z_k} + {log_s}) if {y_k} > 0.0 else 0.0" for z_k, y_k in zip(of.each("z@"), _targets(of), strict=True)
    ]
    return [Line(f"{log_s} = log1p(rest{of.layer})", "of (2)"), *_total(terms, "(2)")]


def _cross_entropy_output(of: Names) -> list[Line]:
    # p - y is p_k times the other y, less y_k times the other p: so no digit is lost where p is near y. A class has one y = 1,
    # and for all others the second product is 0.
    e, y, s = of.each("e@"), _targets(of), f"s{of.layer}"
    equation = "(11): its last two factors are p - y"
    if len(y) == 1:
        return [Line(f"dz{of.layer}_1 = 0.0", equation)]
    several = len(y) > 2
    lines = [Line(f"sum_y = {summed(y)}", "of (11)'s last two factors, p - y")] if several else []
    for place, (dz_k, e_k, y_k) in enumerate(zip(of.each("dz@"), e, y, strict=True)):
        whole = f"({e_k}*{_bracketed(_without(y, place))} - {y_k}*{_bracketed(_without(e, place))})/{s}"
        lines.append(Line(f"{dz_k} = {f'{e_k}*sum_y/{s} if {y_k} == 0.0 else ' if several else ''}{whole}", equation))
    return lines


def _binary_cross_entropy(of: Names) -> list[Line]:
    terms = [
        f"log1p({e_j}) + ({z_j}*(1.0 - {y_j}) if {z_j} > 0.0 else -{z_j}*{y_j})"
        for z_j, e_j, y_j in zip(of.each("z@"), of.each("e@"), _targets(of), strict=True)
    ]
    return _total(terms, "(1) for each unit")


def _binary_cross_entropy_output(of: Names) -> list[Line]:
    # a - y is a (1 - y) - y (1 - a), and 1 - a is g(-z): so no digit is lost where a is near y.
    lines = _of_units([Line("c@ = e@*r@ if z@ >= 0.0 else r@", "1 - a of (1)")], of, None)
    units = zip(of.each("dz@"), of.each("a@"), of.each("c@"), _targets(of), strict=True)
    return lines + [
        Line(f"{dz_j} = {a_j}*(1.0 - {y_j}) - {y_j}*{c_j}", "(11): its last two factors are a - y")
        for dz_j, a_j, c_j, y_j in units
    ]


# What a loss and the way back from it are: dL/da for squared error; of a loss that is joined with its output, dL/dz later.
_LOSSES = {
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}
_OUTPUTS = {"cross_entropy": _cross_entropy_output, "binary_cross_entropy": _binary_cross_entropy_output}


def _backward(of: Names, activation: str, slope: float | None) -> list[Line]:
    """Return the lines from dL/da to dL/dz, and dL/dα."""
    if activation == "softmax":
        return [*_jacobian(of), *_softmax_backward(of)]
    form = FORMS[activation]
    dz = "dz@ = dL_da@" if form.linear else "dz@ = da_dz@*dL_da@"
    return [*_of_units([*form.backward, Line(dz, "(11): its last two factors")], of, slope), *_slopes(of)]


def _slopes(of: Names) -> list[Line]:
    """Return dL/dα of a PReLU layer: min(z, 0) dL/da of a unit; for one shared α the sum over the units."""
    if not of.alpha:
        return []
    n, (first, *_) = len(of.b), of.alpha
    own = len(of.alpha) == n
    equation = "(11) with da/dalpha"
    parts = [f"d{alpha_j}" for alpha_j in of.alpha] if own else of.each("dalpha@")
    lines = [
        Line(f"{part} = 0.0 if {z_j} >= 0.0 else {z_j}*{dL_da_j}", equation)
        for part, z_j, dL_da_j in zip(parts, of.each("z@"), of.each("dL_da@"), strict=True)
    ]
    return lines if own else [*lines, Line(f"d{first} = {summed(parts)}", equation)]


def _jacobian(of: Names) -> list[Line]:
    """Return da_j/dz_i of softmax, which dL/dz does not need: a_j (δ_ji − a_i), with 1 − a_j as the sum of the others."""
    a = of.each("a@")
    lines = []
    for j, a_j in enumerate(a):
        for i, a_i in enumerate(a):
            entry = f"{a_j}*{_bracketed(_without(a, j)) if len(a) > 1 else '0.0'}" if i == j else f"-{a_j}*{a_i}"
            lines.append(Line(f"{of.pair('da_dz', j + 1, i + 1)} = {entry}", "(12): softmax's Jacobian", beside=True))
    return lines


def _softmax_backward(of: Names) -> list[Line]:
    # The Jacobian's rows sum to 0, so that dL/da_i may be taken from every dL/da_j: no 1 - a_i is left, in which digits cancel.
    a, dL_da = of.each("a@"), of.each("dL_da@")
    lines = []
    for i, (dz_i, a_i, dL_da_i) in enumerate(zip(of.each("dz@"), a, dL_da, strict=True)):
        others = zip(_without(a, i), _without(dL_da, i), strict=True)
        terms = [f"{a_j}*({dL_da_i} - {dL_da_j})" for a_j, dL_da_j in others]
        lines.append(Line(f"{dz_i} = {a_i}*{_bracketed(terms) if terms else '0.0'}", "(11), (12): da/dz times dL/da, summed"))
    return lines


def _derivatives(of: Names) -> list[Line]:
    """Return the derivatives by the parameters, and by the activations before the layer."""
    dz = of.each("dz@")
    lines = []
    for w_j, dz_j in zip(of.w, dz, strict=True):
        lines += [Line(f"d{w_jk} = {a_k}*{dz_j}", "(11), (13)") for w_jk, a_k in zip(w_j, of.a_prev, strict=True)]
    lines += [Line(f"d{b_j} = {dz_j}", "(11), (7)") for b_j, dz_j in zip(of.b, dz, strict=True)]
    for dL_da_k, column in zip(of.dL_da_prev, zip(*of.w, strict=True), strict=True):
        terms = [f"{w_jk}*{dz_j}" for w_jk, dz_j in zip(column, dz, strict=True)]
        lines.append(Line(f"{dL_da_k} = {summed(terms)}", "(14)"))
    return lines
