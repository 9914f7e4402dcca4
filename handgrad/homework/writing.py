"""A formula written out, in letters or with its numbers put in: as a line of Unicode text, or in LaTeX.

One walk over the tree serves both; a `Style` says how each writes a fraction, a power, a factor that was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from handgrad.homework import symbols
from handgrad.homework.digits import Shown
from handgrad.homework.expressions import (
    Difference,
    Exponential,
    Expression,
    Function,
    Kept,
    Negative,
    Product,
    Quantity,
    Quotient,
    Square,
    Sum,
    Terms,
    leaves,
)
from handgrad.homework.symbols import SUPERSCRIPTS

# How tightly a written part holds together; a looser one inside a tighter one stands in parentheses.
LOOSE, SIGNED, FACTORS, TIGHT = range(4)
# Of more terms than these the first and the last are written.
TERMS, FIRST = 12, 6

Part = tuple[str, int]
Leaf = Callable[[Quantity | float], Part]


@dataclass(frozen=True)
class Style:
    """How a notation writes letters and numbers, and what is no leaf."""

    letter: Callable[[Quantity], str]
    number: Callable[[Shown], Part]
    times: str
    minus: str
    dots: str
    parentheses: Callable[[str], str]
    quotient: Callable[[str, str], str]
    quotient_holds: int
    square: Callable[[str], str]
    exponential: Callable[[str], str]
    name: Callable[[str], str]
    kept: Callable[[str], str]
    kept_encloses: bool
    formula: Callable[[str], str]


def _number(shown: Shown, minus: str, power: Callable[[int], str]) -> Part:
    sign = minus if shown.sign else ""
    if shown.exponent is None:
        return sign + shown.mantissa, SIGNED if sign else TIGHT
    return f"{sign}{shown.mantissa}{power(shown.exponent)}", SIGNED if sign else FACTORS


def _latex_number(shown: Shown) -> Part:
    mantissa = {"∞": r"\infty", "NaN": r"\mathrm{NaN}"}.get(shown.mantissa, shown.mantissa)
    return _number(replace(shown, mantissa=mantissa), "-", r" \cdot 10^{{{}}}".format)


TEXT = Style(
    letter=symbols.text,
    number=lambda shown: _number(shown, "−", lambda exponent: f"·10{str(exponent).translate(SUPERSCRIPTS)}"),
    times=" · ",
    minus="−",
    dots="…",
    parentheses="({})".format,
    quotient="{} / {}".format,
    quotient_holds=FACTORS,
    square="{}²".format,
    exponential=lambda power: f"e^{power}" if power.isalnum() else f"e^({power})",
    name=str,
    kept="[{}]".format,
    kept_encloses=True,
    formula=str,
)
LATEX = Style(
    letter=symbols.latex,
    number=_latex_number,
    times=r" \cdot ",
    minus="-",
    dots=r"\dots",
    parentheses=r"\left({}\right)".format,
    quotient=r"\frac{{{}}}{{{}}}".format,
    quotient_holds=TIGHT,
    square="{}^{{2}}".format,
    exponential="e^{{{}}}".format,
    name=lambda name: {"g": "g", "g′": "g'"}.get(name, rf"\{name}"),
    kept=r"\underline{{{}}}".format,
    kept_encloses=False,
    formula="${}$".format,
)


def write(tree: Expression, style: Style, leaf: Leaf) -> str:
    """Return a formula in a notation.

    Parameters
    ----------
    tree : Expression
        The formula.
    style : Style
        `TEXT` or `LATEX`.
    leaf : callable
        Writes a quantity or a number, and says how tightly what it wrote holds together.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> write(Product((2.0, Difference(Quantity("a", 0.75, 1, 1), Quantity("y", 1.0, j=1)))), TEXT, letters(TEXT))
    '2 · (a₁⁽¹⁾ − y₁)'
    """
    return _write(tree, style, leaf)[0]


def written_in_terms(tree: Expression, style: Style, leaf: Leaf) -> list[str]:
    """Return a formula as `write` does, but a sum term by term, each with its sign, so that a line may end between them."""
    if isinstance(tree, Sum) and len(tree.terms) > 1:
        return list(_terms(tree.terms, style, partial(_part, style, leaf), True))
    return [write(tree, style, leaf)]


def _part(style: Style, leaf: Leaf, inner: Expression, least: int, leading: bool = True) -> str:
    """Write what stands inside another part, in parentheses if it holds together less tightly than it must."""
    text, holds = _write(inner, style, leaf, leading)
    return text if holds >= least else style.parentheses(text)


def _write(tree: Expression, style: Style, leaf: Leaf, leading: bool = True) -> Part:
    """Write a part; `leading` says that a sign before its first factor needs no parentheses there."""
    part = partial(_part, style, leaf)
    match tree:
        case Sum((only,)) | Product((only,)):
            return _write(only, style, leaf, leading)
        case Sum(terms):
            return " ".join(_terms(terms, style, part, leading)), LOOSE
        case Difference(first, second):
            return f"{part(first, SIGNED, leading)} {style.minus} {part(second, FACTORS, False)}", LOOSE
        case Product(factors):
            signed = leading and _write(factors[0], style, leaf)[1] == SIGNED
            leader = part(factors[0], SIGNED if leading else FACTORS)
            written = style.times.join([leader, *(part(factor, FACTORS, False) for factor in factors[1:])])
            return written, SIGNED if signed else FACTORS
        case Quotient(above, below):
            least = TIGHT if style.quotient_holds < TIGHT else LOOSE
            return style.quotient(part(above, least), part(below, least)), style.quotient_holds
        case Square(base):
            return style.square(part(base, TIGHT)), TIGHT
        case Exponential(power):
            return style.exponential(part(power, LOOSE)), TIGHT
        case Negative(of):
            return style.minus + part(of, FACTORS, False), SIGNED
        case Function(name, arguments):
            inside = ", ".join(part(argument, LOOSE) for argument in arguments)
            return style.name(name) + style.parentheses(inside), TIGHT
        case Kept(factor):
            text, holds = leaf(factor)
            return style.kept(text), TIGHT if style.kept_encloses else holds
        case _:
            return leaf(tree)


def _terms(terms: Terms, style: Style, part: Callable[..., str], leading: bool) -> Iterator[str]:
    """Yield each term with its sign: what is minus something is taken away; of many, the first and the last are written."""
    yield part(terms[0], SIGNED, leading)
    shown = written_terms(terms)
    for place, term in enumerate(shown[1:], start=1):
        if place == len(shown) - 1 and len(shown) < len(terms):
            yield f"+ {style.dots}"
        if isinstance(term, Negative):
            yield f"{style.minus} {part(term.of, FACTORS, False)}"
        else:
            yield f"+ {part(term, FACTORS, False)}"


def written_terms(terms: Terms) -> Terms:
    """Return the terms of a sum that are written: of many the first and the last, with dots between them."""
    return terms if len(terms) <= TERMS else (*terms[:FIRST], terms[-1])


def is_cut(tree: Expression) -> bool:
    """Say whether a formula has a sum of which not every term is written."""
    return len(list(leaves(tree))) > len(list(leaves(tree, written_terms)))


def letters(style: Style) -> Leaf:
    """Return what writes a leaf as the notes' letter; a plain number stays one."""

    def leaf(item: Quantity | float) -> Part:
        return (style.letter(item), TIGHT) if isinstance(item, Quantity) else (f"{item:g}", TIGHT)

    return leaf
