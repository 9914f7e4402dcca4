"""An exercise: a small network with numbers for paper, what is asked of it, and the right answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cached_property
from itertools import pairwise
from typing import Any

from handgrad import activations as act
from handgrad import checks
from handgrad.foreign import notes_words
from handgrad.gradient import Trace
from handgrad.homework.digits import ARITHMETIC, rounded
from handgrad.homework.exercises.blanks import Blank, is_asked, name_of
from handgrad.homework.exercises.levels import LEVELS
from handgrad.homework.exercises.lots import drawn, is_exact
from handgrad.homework.exercises.paper import UNIT, on_paper
from handgrad.homework.exercises.sheet import Sheet
from handgrad.homework.solution import Solution
from handgrad.homework.words import LANGUAGES
from handgrad.homework.worked import Worked, worked
from handgrad.losses import LOSSES
from handgrad.network import Network

# A sheet is one or two pages, and an index one digit.
WIDEST, LAYERS, MOST = 9, 6, 120
# Such numbers come of slips alone.
TOO_LARGE = Decimal(10) ** 9
CODE = re.compile(r"level=\d+ seed=\d+( widths=[\d-]+)?( activations=[\w,]+)?( loss=\w+)?")


@dataclass(frozen=True, eq=False)
class Exercise:
    """A small network and one example, with the numbers that are asked for.

    Parameters
    ----------
    code : str
        What makes it again: "level=2 seed=7".
    level : int
        1 to 4.
    net : Network
        The network.
    x : list of float
        (n_0,).
    y : list of float or int
        (n_L,); of cross_entropy the class, counted from 0.
    language : str
        Of the sheet.
    """

    code: str
    level: int
    net: Network
    x: list[float]
    y: list[float] | int
    language: str

    def __repr__(self) -> str:
        """Return the code, and how much is asked."""
        return f"Exercise({self.code!r}: {self.net!r}, {len(self.blanks)} blanks)"

    @property
    def is_exact(self) -> bool:
        """Whether every number is found without rounding."""
        return is_exact([layer.activation.name for layer in self.net.layers], self.net.loss_name)

    @property
    def unit(self) -> Decimal:
        """A unit of the last place that is asked for, 0 where every number is exact."""
        return Decimal(0) if self.is_exact else UNIT

    @cached_property
    def trace(self) -> Trace:
        """Every intermediate of the example."""
        return self.net.trace(self.x, self.y)

    @cached_property
    def targets(self) -> Any:
        """The targets, (n_L,); of a class the distribution."""
        return self.net.engine.targets(self.y, 1, True)[0]

    @cached_property
    def blanks(self) -> tuple[Blank, ...]:
        """What is asked for, in the order of the derivation."""
        found = on_paper(self.net, self.trace, self.targets, lambda _, value: value, with_table=False)
        asked = ((each.step, each.value.low) for each in found if is_asked(each.step.quantity))
        return tuple(Blank(name_of(step.quantity), step, rounded(value, 15)) for step, value in asked)

    @cached_property
    def solution(self) -> Solution:
        """The derivation of every number, with what is given."""
        return self.worked().solution

    @property
    def sheet(self) -> Sheet:
        """The sheet with its blanks: `print` it, `markdown()`, `latex()`, `html()`, `save("sheet.html")`."""
        return Sheet(self, with_answers=False)

    @property
    def key(self) -> Sheet:
        """The sheet with the right answers in its blanks."""
        return Sheet(self, with_answers=True)

    def worked(self, **options: Any) -> Worked:
        """Return the worked solution, with every number derived.

        Parameters
        ----------
        **options
            Those of `handgrad.worked`.

        Returns
        -------
        Worked
            As `handgrad.worked` returns it.
        """
        return worked(self.net, self.x, self.y, **({"language": self.language} | options))

    def shown(self, answer: Decimal) -> str:
        """Return a right answer as it is asked for: exact, or rounded.

        Parameters
        ----------
        answer : Decimal
            The number; what a slip leads to may be any.

        Returns
        -------
        str
            Without zeros behind what is exact.
        """
        with localcontext(ARITHMETIC):
            if not answer.is_finite():
                return "NaN" if answer.is_nan() else "-∞" if answer < 0 else "∞"
            if abs(answer) >= TOO_LARGE:
                return f"{rounded(answer, 4):.3E}"
            short = answer.quantize(UNIT, ROUND_HALF_UP) + 0
            # No zeros behind a number that is exact: 1.9, and not 1.9000; and no powers of ten.
            return f"{short.normalize() if short == answer else short:f}"


@notes_words
def exercise(
    *,
    seed: int = 0,
    widths: Sequence[int] | None = None,
    activations: Sequence[str] | None = None,
    loss: str | None = None,
    level: int = 2,
    language: str = "en",
) -> Exercise:
    """Return an exercise: a small network with numbers that suit paper, a sheet with blanks, and its key.

    Parameters
    ----------
    seed : int
        >= 0. The same seed gives the same exercise, another one other numbers.
    widths : sequence of int, optional
        n_0, …, n_L, each from 1 to 9; those of the level unless given.
    activations : sequence of str, optional
        One for each layer; those of the level unless given.
    loss : str, optional
        As for `Network`; that of the level unless given.
    level : int
        1, one neuron a layer, (3)–(7); 2, several neurons, ReLU, exact numbers, (8)–(14); 3, sigmoid, with a table of its
        values; 4, three classes, softmax and cross-entropy. Sheets of levels 1 and 2 show the formulas.
    language : str
        "en" or "es".

    Returns
    -------
    Exercise
        `e.sheet` and `e.key`; `e.worked()` derives every number; `handgrad.grade(answers, e)` grades.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, there is no such network, or none whose numbers suit paper.

    Notes
    -----
    Section IV. **Beyond the notes:** the sheet asks for the derivatives of biases, too.

    Examples
    --------
    >>> e = exercise(seed=7, level=1)
    >>> e
    Exercise('level=1 seed=7': Network(1-1-1, relu, identity; squared_error, mean; float64; 4 parameters), 13 blanks)
    >>> {blank.name: e.shown(blank.answer) for blank in e.blanks[:3]}
    {'z1': '0.5', 'a1': '0.5', 'z2': '1.25'}
    """
    checks.between("level", level, 1, len(LEVELS))
    checks.integer("seed", seed, 0)
    checks.one_of("language", language, LANGUAGES)
    of_level = LEVELS[level]
    loss_name = of_level.loss if loss is None else checks.loss(loss, LOSSES)
    units = list(of_level.widths) if widths is None else checks.widths_of_a_sheet(widths, WIDEST, LAYERS)
    named = [of_level.hidden] * (len(units) - 2) + [of_level.output]
    if activations is None and loss_name in ("cross_entropy", "binary_cross_entropy"):
        named[-1] = "softmax" if loss_name == "cross_entropy" else "sigmoid"
    units = checks.widths(units, named if activations is None else activations)
    names = [checks.activation(name, act.FORMS) for name in (named if activations is None else activations)]
    checks.several_for_softmax(units, names)
    code = [f"level={level}", f"seed={seed}"]
    code += [] if widths is None else [f"widths={'-'.join(map(str, units))}"]
    code += [] if activations is None else [f"activations={','.join(names)}"]
    code += [] if loss is None else [f"loss={loss_name}"]
    checks.not_too_many_blanks(_least(units), MOST, units)
    net, x, y = drawn(units, names, loss_name, " ".join(code))
    made = Exercise(" ".join(code), level, net, x, y, language)
    checks.not_too_many_blanks(len(made.blanks), MOST, units)
    return made


def _least(widths: Sequence[int]) -> int:
    """Return how many blanks there are at least: z, a, dL/dz and dL/db of each unit, and dL/dw."""
    return sum(n * (4 + n_prev) for n_prev, n in pairwise(widths))


def from_code(code: str, language: str = "en") -> Exercise:
    """Return the exercise that a code makes, which stands on every sheet.

    Parameters
    ----------
    code : str
        Such as "level=2 seed=7".
    language : str
        Of the sheet.

    Returns
    -------
    Exercise
        The same one.

    Raises
    ------
    TypeError, ValueError
        If it is no code.

    Examples
    --------
    >>> from_code("level=1 seed=7").code
    'level=1 seed=7'
    """
    checks.instance("code", code, str, "a text like 'level=2 seed=7'")
    options: dict[str, Any] = {}
    for part in code.lower().split():
        name, _, value = part.partition("=")
        reader = READERS[checks.one_of("a part of the code", name, READERS)]
        if name in options:
            raise ValueError(f"code must say {name} once; got {code!r}")
        try:
            options[name] = reader(value)
        except ValueError:
            raise ValueError(f"code must be like 'level=2 seed=7'; got {code!r}") from None
    for needed in ("level", "seed"):
        if needed not in options:
            raise ValueError(f"code must be like 'level=2 seed=7'; got {code!r}")
    return exercise(**options, language=language)


READERS: dict[str, Any] = {
    "level": int,
    "seed": int,
    "widths": lambda text: [int(part) for part in text.split("-")],
    "activations": lambda text: text.split(","),
    "loss": str,
}
