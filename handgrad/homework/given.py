"""What a worked solution starts from: x, y and the parameters; of a part, the numbers that it uses and does not derive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.homework.digits import decimal, rounded, shown
from handgrad.homework.expressions import Quantity, leaves
from handgrad.homework.solution import Solution
from handgrad.homework.words import words
from handgrad.homework.writing import TEXT, written_terms

# An array of more numbers than these is not given at the top; its numbers stand in the formulas.
MOST = 64


@dataclass(frozen=True)
class Given:
    """Something given.

    Parameters
    ----------
    name : str or Quantity
        "w1", or a letter with its indices.
    relation : str
        "=", or "≈" if a number of it is rounded.
    numbers : str
        As Python reads them: in brackets, with the minus of a keyboard.
    """

    name: str | Quantity
    relation: str
    numbers: str


def given(worked: Solution) -> Iterator[Given]:
    """Yield what is given: all of it, or what a part of the solution uses.

    Parameters
    ----------
    worked : Solution
        The solution.

    Yields
    ------
    Given
        First the examples.
    """
    part = worked.part
    if part.layer is not None:
        for quantity in used(worked):
            yield _given(worked, quantity, np.asarray(quantity.value, worked.net.dtype))
        return
    named = words(worked.language)["worked"]["part_example"]
    for i in range(1, len(worked.x) + 1) if part.example is None else [part.example]:
        behind = f", {named.format(example=i)}" if len(worked.x) > 1 else ""
        for name, array in (("x", worked.x[i - 1]), ("y", worked.y[i - 1])):
            if array.size <= MOST:
                yield _given(worked, f"{name}{behind}", array)
    for name, array in worked.net.named().items():
        if array.size <= MOST:
            yield _given(worked, name, array)


def used(worked: Solution) -> list[Quantity]:
    """Return the quantities that stand in formulas and that no step derives, in their order; the rate is not among them."""
    steps = [step for section in worked.derivation.sections for step in section.steps]
    derived = {step.quantity for step in steps}
    found = dict.fromkeys(quantity for step in steps for quantity in leaves(step.numbers, written_terms))
    return [quantity for quantity in found if quantity not in derived and quantity.kind != "eta"]


def _given(worked: Solution, name: str | Quantity, array: npt.NDArray[Any]) -> Given:
    exact = all(_is_whole(worked, float(value)) for value in array.flat)
    return Given(name, "=" if exact else "≈", _rows(worked, array))


def _is_whole(worked: Solution, value: float) -> bool:
    return shown(value, worked.digits, worked.noise).value == rounded(decimal(value), worked.noise)


def _rows(worked: Solution, array: npt.NDArray[Any]) -> str:
    if array.ndim == 0:
        found = shown(float(array), worked.digits, worked.noise)
        power = "" if found.exponent is None else f"e{found.exponent}"
        return f"{found.sign.replace(TEXT.minus, '-')}{found.mantissa}{power}"
    return f"[{', '.join(_rows(worked, part) for part in array)}]"
