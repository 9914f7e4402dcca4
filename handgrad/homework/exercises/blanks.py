"""What an exercise asks, and what each quantity is called where no indices can be typed: `dL_dw1_21` is dL/dw₂₁⁽¹⁾."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from handgrad.homework.expressions import Quantity
from handgrad.homework.steps import Step

# dz/dw and dz/db are read off, and dL/dx is of no use for learning.
ASKED = ("z", "a", "L", "dL_da", "da_dz", "dL_dz", "dL_dw", "dL_db", "dL_dalpha")


@dataclass(frozen=True)
class Blank:
    """A number that is asked for.

    Parameters
    ----------
    name : str
        As it is typed: "z1_2".
    step : Step
        How it is derived, by which equations.
    answer : Decimal
        The right number, with all its digits.
    """

    name: str
    step: Step
    answer: Decimal

    @property
    def equations(self) -> tuple[int, ...]:
        """Which equations are used: (11), or (3), with that of its first factor, which is not asked for by itself."""
        found = self.step.equations
        if self.step.quantity.kind == "dL_db":
            return (*found, 7)
        return (*found, 6 if found == (3,) else 13) if self.step.quantity.kind == "dL_dw" else found


def is_asked(quantity: Quantity) -> bool:
    """Say whether an exercise asks for a quantity."""
    return quantity.kind in ASKED


def name_of(quantity: Quantity) -> str:
    """Return what a quantity is called in an answer.

    Parameters
    ----------
    quantity : Quantity
        One that is asked; its indices have one digit.

    Returns
    -------
    str
        Kind, layer, and after a line the units, j before k; one neuron a layer has none.

    Examples
    --------
    >>> name_of(Quantity("dL_dw", 0.0, layer=1, j=2, k=1)), name_of(Quantity("z", 0.0, layer=2)), name_of(Quantity("L", 0.0))
    ('dL_dw1_21', 'z2', 'L')
    """
    layer = "" if quantity.layer is None else str(quantity.layer)
    units = "".join(str(unit) for unit in (quantity.j, quantity.k) if unit is not None)
    return quantity.kind + layer + (f"_{units}" if units else "")
