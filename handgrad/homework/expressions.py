"""Formulas as trees: in letters, with numbers put in, and worked out with the digits that a reader sees.

A leaf is a `Quantity`, a letter of the notes with its number, or a plain number. `value_of` is the reader's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from handgrad.homework.digits import ARITHMETIC


@dataclass(frozen=True)
class Quantity:
    """A quantity of the notes and its number.

    Parameters
    ----------
    kind : str
        A key of `symbols.SYMBOLS`: "z", "a", "dL_da", …
    value : float
        Its number; what is derived twice is the same quantity.
    layer, j, k : int or None
        l, the unit of this layer and of the one before, counted from 1; None for what has none.
    example : int or None
        i, of what belongs to one example of a batch.
    """

    kind: str
    value: float = field(compare=False)
    layer: int | None = None
    j: int | None = None
    k: int | None = None
    example: int | None = None


@dataclass(frozen=True)
class Sum:
    """Terms that are added."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Difference:
    """One minus another."""

    first: Expression
    second: Expression


@dataclass(frozen=True)
class Product:
    """Factors that are multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Quotient:
    """One over another."""

    above: Expression
    below: Expression


@dataclass(frozen=True)
class Square:
    """A number times itself."""

    base: Expression


@dataclass(frozen=True)
class Exponential:
    """e to a power."""

    power: Expression


@dataclass(frozen=True)
class Negative:
    """Minus a number."""

    of: Expression


@dataclass(frozen=True)
class Function:
    """A named function of some arguments: g, g′, log, tanh, max."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Kept:
    """A factor that was computed before and is kept, as the notes say."""

    factor: Quantity


Expression = float | Quantity | Sum | Difference | Product | Quotient | Square | Exponential | Negative | Function | Kept

Terms = tuple[Expression, ...]


def value_of(
    tree: Expression, number: Callable[[Quantity | float], Any], functions: Mapping[str, Callable[..., Any]] | None = None
) -> Any:
    """Return what a formula gives when it is worked out.

    Parameters
    ----------
    tree : Expression
        Without g and g′, which are letters for other formulas.
    number : callable
        A leaf's number: with the digits that are shown, for what a reader finds. A Decimal, or whatever adds and multiplies
        as one does.
    functions : mapping of str to callable, optional
        The functions of such numbers; those of a Decimal, `FUNCTIONS`, unless given.

    Returns
    -------
    Decimal
        Infinite or NaN where it is no number; or whatever `number` gives.

    Examples
    --------
    >>> value_of(Product((2.0, Difference(0.75, 0.25))), Decimal)
    Decimal('1.00')
    """
    with localcontext(ARITHMETIC):
        return _value(tree, number, FUNCTIONS if functions is None else functions)


def _value(tree: Expression, number: Callable[[Quantity | float], Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    def of(part: Expression) -> Any:
        return _value(part, number, functions)

    match tree:
        case Sum(terms):
            return sum(map(of, terms), Decimal(0))
        case Difference(first, second):
            return of(first) - of(second)
        case Product(factors):
            product = Decimal(1)
            for factor in factors:
                product = product * of(factor)
            return product
        case Quotient(above, below):
            return of(above) / of(below)
        case Square(base):
            return of(base) * of(base)
        case Exponential(power):
            return functions["exp"](of(power))
        case Negative(part):
            return -of(part)
        case Function(name, arguments):
            return functions[name](*map(of, arguments))
        case Kept(factor):
            return number(factor)
        case _:
            return number(tree)


def tanh(z: Decimal) -> Decimal:
    """Return tanh z of a decimal number."""
    # e^{-2|z|} cannot overflow.
    e = (-2 * abs(z)).exp()
    return ((1 - e) / (1 + e)).copy_sign(z)


FUNCTIONS: dict[str, Callable[..., Decimal]] = {"exp": Decimal.exp, "log": Decimal.ln, "tanh": tanh, "max": max, "min": min}


def leaves(tree: Expression, terms: Callable[[Terms], Terms] = tuple) -> Iterator[Quantity]:
    """Yield the quantities of a formula, from left to right.

    Parameters
    ----------
    tree : Expression
        The formula.
    terms : callable
        Chooses the terms of a sum that are asked; all of them unless given.

    Yields
    ------
    Quantity
        As often as it stands there.
    """
    match tree:
        case Quantity():
            yield tree
        case Kept(factor):
            yield factor
        case Sum(parts):
            for part in terms(parts):
                yield from leaves(part, terms)
        case Product(parts) | Function(_, parts):
            for part in parts:
                yield from leaves(part, terms)
        case Difference(first, second) | Quotient(first, second):
            yield from leaves(first, terms)
            yield from leaves(second, terms)
        case Square(part) | Exponential(part) | Negative(part):
            yield from leaves(part, terms)
        case _:
            return
