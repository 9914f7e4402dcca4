"""The notes' letters: what a quantity is called, in Unicode for a line of text and in LaTeX.

z_1^(2) is a letter with the indices of its units and the number of its layer; a derivative is one letter over another. Layer 0
has the letter x. L belongs to an example of a batch, L_i, or to all, L.
"""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.homework.expressions import Quantity

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾")
GREEK = {"alpha": "α", "eta": "η"}
# A derivative's numerator and denominator; every other kind is a letter.
DERIVATIVES = {
    "dL_da": ("L", "a"),
    "dL_dz": ("L", "z"),
    "dL_dw": ("L", "w"),
    "dL_db": ("L", "b"),
    "dL_dalpha": ("L", "alpha"),
    "da_dz": ("a", "z"),
    "da_dalpha": ("a", "alpha"),
    "dz_dw": ("z", "w"),
    "dz_db": ("z", "b"),
    "dz_da": ("z", "a"),
}


@dataclass(frozen=True)
class Letter:
    """A letter with its indices and its layer."""

    letter: str
    indices: tuple[int, ...] = ()
    layer: int | None = None

    def text(self) -> str:
        """Return it in Unicode: w₁₂⁽¹⁾, and w₁,₁₂⁽¹⁾ where the digits would run together."""
        comma = "," if max(self.indices, default=0) > 9 else ""
        below = comma.join(map(str, self.indices)).translate(SUBSCRIPTS)
        above = "" if self.layer is None else f"({self.layer})".translate(SUPERSCRIPTS)
        return GREEK.get(self.letter, self.letter) + below + above

    def latex(self) -> str:
        """Return it in LaTeX: w_{12}^{(1)}."""
        comma = "," if max(self.indices, default=0) > 9 else ""
        below = f"_{{{comma.join(map(str, self.indices))}}}" if self.indices else ""
        above = "" if self.layer is None else f"^{{({self.layer})}}"
        return (f"\\{self.letter}" if self.letter in GREEK else self.letter) + below + above


def text(quantity: Quantity) -> str:
    """Return what a quantity is called, in a line of Unicode.

    Parameters
    ----------
    quantity : Quantity
        Any.

    Returns
    -------
    str
        Such as z₁⁽²⁾.

    Examples
    --------
    >>> text(Quantity("dL_dw", 0.0, layer=2, j=1, k=3))
    'dL/dw₁₃⁽²⁾'
    """
    letters = [letter.text() for letter in _letters(quantity)]
    return "/".join(f"d{letter}" for letter in letters) if len(letters) > 1 else letters[0]


def latex(quantity: Quantity) -> str:
    r"""Return what a quantity is called, in LaTeX.

    Parameters
    ----------
    quantity : Quantity
        Any.

    Returns
    -------
    str
        Such as z_{1}^{(2)}.

    Examples
    --------
    >>> print(latex(Quantity("dL_dw", 0.0, layer=2, j=1, k=3)))
    \frac{dL}{dw_{13}^{(2)}}
    """
    first, *second = (letter.latex() for letter in _letters(quantity))
    return rf"\frac{{d{first}}}{{d{second[0]}}}" if second else first


def _letters(q: Quantity) -> list[Letter]:
    """Return the one letter of a quantity, or the two of a derivative."""
    names = DERIVATIVES.get(q.kind, (q.kind.removesuffix("_new"),))
    letters = []
    for place, name in enumerate(names):
        if name == "L":
            letters.append(Letter("L", () if q.example is None else (q.example,)))
        elif name == "w":
            letters.append(Letter("w", _indices(q.j, q.k), q.layer))
        elif q.kind == "dz_da" and place == 1:
            letters.append(_activation(q.k, (q.layer or 1) - 1))
        elif name == "a":
            letters.append(_activation(q.j, q.layer))
        elif name == "alpha" and q.kind == "da_dalpha":  # a shared α has no index
            letters.append(Letter("alpha", _indices(q.k), q.layer))
        elif q.kind == "da_dz" and place == 1 and q.k is not None:  # an entry of softmax's Jacobian, da_j/dz_k
            letters.append(Letter("z", _indices(q.k), q.layer))
        else:
            letters.append(Letter(name, _indices(q.j), q.layer))
    return letters


def _activation(j: int | None, layer: int | None) -> Letter:
    return Letter("a", _indices(j), layer) if layer else Letter("x", _indices(j))


def _indices(*units: int | None) -> tuple[int, ...]:
    return tuple(unit for unit in units if unit is not None)
