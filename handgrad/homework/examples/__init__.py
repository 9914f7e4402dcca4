"""Small backpropagation examples: the notes' own networks, and published ones with their numbers, recomputed.

An example is a file, `mazur.toml` for one: source, network and data as `handgrad.homework.described` reads them, the numbers
as they are printed, and the errata. `example` reads one, `Example.checked` recomputes it; `quantities` says what the names of
the numbers mean. **Beyond the notes:** the published ones.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

import numpy.typing as npt

from handgrad import checks
from handgrad.homework import described
from handgrad.homework.examples import quantities
from handgrad.network import Network

__all__ = ["EXAMPLES", "Erratum", "Example", "Row", "example", "verdict"]

# The notes' own first.
OWN = ("figure-7", "figure-11", "figure-12", "table-1")
_FOUND = sorted(file.name.removesuffix(".toml") for file in files(__name__).iterdir() if file.name.endswith(".toml"))
EXAMPLES = (*OWN, *(name for name in _FOUND if name not in OWN))
AGREES, CUT, DIFFERS, ERRATUM = "agrees", "cut", "differs", "erratum"
# Two right computations in double precision may differ by so much, as a part of the number.
ROUNDING = Decimal(2) ** -48


@dataclass(frozen=True)
class Erratum:
    """Printed numbers that are wrong, and how they come about.

    Parameters
    ----------
    quantities : tuple of str
        Which numbers.
    text : str
        What went wrong, in a sentence.
    mistake : str
        The entry of the verifier's catalogue whose wrong backpropagation gives them; "" for none.
    working : str
        The arithmetic, with printed digits, that gives them; "" for none.
    """

    quantities: tuple[str, ...]
    text: str
    mistake: str = ""
    working: str = ""


@dataclass(frozen=True)
class Row:
    """One printed number beside the recomputed one.

    Parameters
    ----------
    quantity : str
        Its name: "z1[2]" is unit 2 of layer 1, "dL_dw2[1,3]" goes to neuron 1 of layer 2 from neuron 3 of layer 1.
    published : str
        As it is printed.
    computed : float
        What handgrad finds.
    verdict : str
        "agrees", to the digits printed; "cut", the print is cut off as the file says; "erratum", it differs as the file says;
        "differs", anything else.
    equation : int or None
        The notes' equation that gives it.
    """

    quantity: str
    published: str
    computed: float
    verdict: str
    equation: int | None


@dataclass(frozen=True)
class Example:
    """A small network on one example, with the numbers that a publication prints.

    Parameters
    ----------
    name, title, author, source : str
        What it is called here; the publication, and where it is: an address, or the publisher and the place.
    settings : mapping of str to object
        Network, data and learning rate, as `described.read` returns them.
    expected : tuple of (str, str)
        Names of quantities with the numbers as printed.
    errata : tuple of Erratum
        Which of them are wrong.
    year : int or None
        Of the publication, if it says so.
    note : str
        How its conventions are put into the notes' own.
    scale : float
        What its loss is of the notes' one: 1/2 for a loss with a half. The rate is for that loss.
    fixed : tuple of str
        Parameters that its step leaves as they are.
    cut : tuple of str
        Quantities whose print is not rounded but cut off.
    exact : bool
        Whether the numbers are exact, so that every further decimal is 0.

    Examples
    --------
    >>> example("mazur").network()
    Network(2-2-2, sigmoid, sigmoid; squared_error, sum; float64; 12 parameters)
    >>> example("mazur").checked()[-1]
    Row(quantity='loss after the step', published='0.291027924', computed=0.29102777369359933, verdict='erratum', equation=10)
    """

    name: str
    title: str
    author: str
    source: str
    settings: Mapping[str, Any]
    expected: tuple[tuple[str, str], ...]
    errata: tuple[Erratum, ...] = ()
    year: int | None = None
    note: str = ""
    scale: float = 1.0
    fixed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    exact: bool = False

    def network(self) -> Network:
        """Return the network, a new one each time.

        Returns
        -------
        Network
            Before the step.
        """
        return described.network(self.settings)

    def data(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the example's input and target.

        Returns
        -------
        tuple of (ndarray, ndarray)
            As `Network.gradient` takes them.
        """
        return described.data(self.settings)

    def checked(self) -> list[Row]:
        """Return each printed number beside the recomputed one.

        Returns
        -------
        list of Row
            In the order of `expected`.
        """
        found = quantities.finder(self.settings, self.scale, self.fixed)
        layers, loss = len(self.settings["layers"]), self.settings.get("loss", "squared_error")
        # What is said to be wrong, or cut, must be so.
        due = {quantity: (DIFFERS, ERRATUM) for erratum in self.errata for quantity in erratum.quantities}
        due |= dict.fromkeys(self.cut, (CUT, CUT))
        rows = []
        for quantity, published in self.expected:
            computed = found(quantity)
            wanted, said = due.get(quantity, (AGREES, AGREES))
            if verdict(published, computed, exact=self.exact) != wanted:
                said = DIFFERS
            rows.append(Row(quantity, published, computed, said, quantities.equation(quantity, layers, loss)))
        return rows

    def file(self) -> str:
        """Return the settings as TOML, for `described.read`: the same network, and a rate that makes the same step.

        Returns
        -------
        str
            The rate is the publication's times `scale`, since the loss of a network has no half.
        """
        year = "" if self.year is None else f" ({self.year})"
        lines = [f"# {self.author}{year}: {self.title}", f"# {self.source}"]
        if self.scale != 1:
            lines.append(f"# Its loss is {self.scale:g} times this one; so is the rate, which makes the same step.")
        if self.fixed:
            lines.append(f"# Its step leaves {', '.join(self.fixed)} as they are; a step here changes them, too.")
        settings = {name: value for name, value in self.settings.items() if name != "layers"}
        if "rate" in settings:
            settings["rate"] *= self.scale
        lines += _assignments(settings)
        for layer in self.settings["layers"]:
            lines += ["", "[[layers]]", *_assignments(layer)]
        return "\n".join(lines) + "\n"


def _assignments(table: Mapping[str, Any]) -> list[str]:
    # JSON's texts, numbers and lists of them are TOML's, too.
    return [f"{name} = {json.dumps(value)}" for name, value in table.items()]


def verdict(published: str, computed: float, *, exact: bool = False) -> str:
    """Say whether a printed number is the computed one, to the digits printed.

    Parameters
    ----------
    published : str
        As printed: "0.30" has two decimals, "-2.4e-3" has four.
    computed : float
        The number.
    exact : bool
        Whether every further decimal is 0.

    Returns
    -------
    str
        "agrees", by at most half a unit in the last place; "cut", if it is the number without its further digits; "differs".

    Examples
    --------
    >>> verdict("0.040", 0.0396), verdict("0.039", 0.0396), verdict("0.038", 0.0396)
    ('agrees', 'cut', 'differs')
    >>> verdict("0.5", 0.52), verdict("0.5", 0.52, exact=True)
    ('agrees', 'differs')
    """
    printed, number = Decimal(published), Decimal(computed)
    unit = Decimal(0) if exact else Decimal((0, (1,), int(printed.as_tuple().exponent)))
    if abs(number - printed) <= unit / 2 + ROUNDING * max(Decimal(1), abs(printed)):
        return AGREES
    return CUT if number * printed >= 0 and abs(printed) <= abs(number) < abs(printed) + unit else DIFFERS


def example(name: str) -> Example:
    """Return an example by its name.

    Parameters
    ----------
    name : str
        One of `EXAMPLES`.

    Returns
    -------
    Example
        Read from its file.

    Raises
    ------
    TypeError, ValueError
        If there is none of that name.

    Examples
    --------
    >>> example("rai").author
    'Rahul Rai'
    """
    checks.one_of("an example", name, EXAMPLES)
    table = tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
    errata = tuple(Erratum(tuple(erratum.pop("quantities")), **_in_lines(erratum)) for erratum in table.pop("errata", []))
    expected = tuple((quantity, published) for quantity, published in table.pop("expected"))
    fixed, cut = (tuple(table.pop(key, ())) for key in ("fixed", "cut"))
    return Example(name, expected=expected, errata=errata, fixed=fixed, cut=cut, **_in_lines(table))


def _in_lines(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table whose texts have no line breaks: those of the file are its own."""
    return {name: value.replace("\n", " ") if isinstance(value, str) else value for name, value in table.items()}
