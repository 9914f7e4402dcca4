"""A verdict as a story: the equation, the mistake, and the smallest network worked through beside what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.equations import EQUATIONS
from verification.bounds.quantities import quantities
from verification.checking.diagnosis import Blame
from verification.checking.grading import Grade
from verification.mistakes import Mistake
from verification.random_networks import script
from verification.random_networks.cases import Case
from verification.submissions.protocol import Change

Array = npt.NDArray[Any]


@dataclass
class Verdict:
    """What was found; `print(verdict)` tells it, `verdict.ok` is the short of it.

    Parameters
    ----------
    name : str
        The submission's name.
    networks : int
        How many networks it was asked about.
    rows : int
        How many rows of calls it was put through.
    undeclared : bool
        Whether it does not say what it supports, so that it is asked about everything.
    conventions : tuple of str
        Quantities for which it takes another convention than PyTorch at a kink hit exactly: no error.
    error : str
        Why it cannot be judged, in a sentence with its file and line; "" otherwise.
    in_row : bool
        Whether it is a row of calls that shows it, and no single call does.
    step : str
        For what only a row of calls shows: the step that is wrong.
    changes : tuple of Change
        Arrays that must not change and did.
    case : Case or None
        The smallest network found that shows it.
    grade : Grade or None
        What is wrong there.
    arrays : dict of str to ndarray
        What the submission answered there.
    blame : Blame or None
        The equation.
    mistakes : tuple of Mistake
        The classic mistakes that give the same numbers on fresh networks; several if they cannot be told apart there.
    loss : str
        What the loss and the gradient say of one another, if both are given and they do not belong together.
    """

    name: str
    networks: int = 0
    rows: int = 0
    undeclared: bool = False
    conventions: tuple[str, ...] = ()
    error: str = ""
    in_row: bool = False
    step: str = ""
    changes: tuple[Change, ...] = ()
    case: Case | None = None
    grade: Grade | None = None
    arrays: dict[str, Array] = field(default_factory=dict)
    blame: Blame | None = None
    mistakes: tuple[Mistake, ...] = ()
    loss: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not (self.error or self.step or self.changes or self.grade)

    def __str__(self) -> str:
        """Return the whole story."""
        return story(self)

    def withheld(self) -> str:
        """Return the story without the right numbers, for a teacher to hand out."""
        return story(self, withhold=True)


def story(verdict: Verdict, *, withhold: bool = False) -> str:
    """Return what a check found, as text.

    Parameters
    ----------
    verdict : Verdict
        What it found.
    withhold : bool
        Leave out the right numbers.

    Returns
    -------
    str
        Lines of text.
    """
    if verdict.ok:
        lines = [f"{verdict.name}: right on {verdict.networks} networks and in {verdict.rows} rows of calls"]
        if verdict.conventions:
            names = ", ".join(verdict.conventions)
            lines.append(f"  At a kink hit exactly it takes another convention than PyTorch for {names}; that is no error.")
        return "\n".join(lines)
    if verdict.case is None:
        return f"{verdict.name}: could not be judged\n  {verdict.error}"
    lines = [f"{verdict.name}: WRONG (network {verdict.networks} of those it was asked about)"]
    if verdict.error:
        lines.append(f"  {verdict.error}")
    if verdict.undeclared:
        # First, since what follows is beside the point if the network is one that it is not meant for.
        lines.append(
            "  note      It has no @supports(...), so it is asked about everything. What it is not meant for, let it say."
        )
    if verdict.step:
        lines.append(f"  A single call is right. In a row of calls it is wrong at: {verdict.step}")
    lines += [f"  {change}" for change in verdict.changes[:4]]
    if verdict.blame is not None:
        lines += _blamed(verdict)
    if verdict.grade is not None and verdict.grade.wrong:
        lines += _first_wrong(verdict, withhold)
    if verdict.loss:
        lines.append(f"  loss      {verdict.loss}")
    lines += _recognised(verdict)
    lines += ["", f"The smallest network that shows it: {verdict.case.net!r}"]
    if verdict.grade is not None and verdict.grade.wrong and not verdict.step:
        lines += ["", *worked(verdict, withhold=withhold)]
    lines += ["", "As a program:", "", script.case_program(verdict.case.net, verdict.case.x, verdict.case.y).rstrip()]
    return "\n".join(lines)


def _blamed(verdict: Verdict) -> list[str]:
    blame = verdict.blame
    if blame is None or blame.equation is None:
        return ["  equation  none can be named"]
    equation = EQUATIONS[blame.equation]
    return [
        f"  equation  ({blame.equation})  {equation.latex}    [section {equation.section} of the notes]",
        f"  because   {blame.why}",
    ]


def _first_wrong(verdict: Verdict, withhold: bool) -> list[str]:
    if verdict.grade is None:
        return []
    first = verdict.grade.wrong[0]
    place = f"{first.name}[{', '.join(map(str, first.index))}]" if first.index else first.name
    if first.problem:
        return [f"  first     {first.name} {first.problem}"]
    if withhold:
        return [f"  first     {place}: got {first.given!r}"]
    ratio = f", ratio {first.ratio:g}" if np.isfinite(first.ratio) else ""
    return [f"  first     {place}: got {first.given!r}, right is {first.expected!r}{ratio}"]


def _recognised(verdict: Verdict) -> list[str]:
    if not verdict.mistakes:
        return [] if verdict.error else ["  mistake   not one of the catalogue"]
    first = verdict.mistakes[0]
    lines = [f"  mistake   {first.name}: {first.thought}"]
    others = ", ".join(mistake.name for mistake in verdict.mistakes[1:])
    return [*lines, f"            or, the same on every network tried: {others}"] if others else lines


def worked(verdict: Verdict, *, withhold: bool = False) -> list[str]:
    """Return the right way through the smallest network, quantity by quantity, beside what the submission gave.

    Parameters
    ----------
    verdict : Verdict
        With a case and a graded.
    withhold : bool
        Leave out the right numbers.

    Returns
    -------
    list of str
        A line a quantity: its equation, the right numbers, what came, and a mark where that is wrong.
    """
    if verdict.case is None or verdict.grade is None:
        return []
    net, x, y = verdict.case
    with np.errstate(all="ignore"):
        right = quantities(net.trace(x, y))
    wrong = {entry.name for entry in verdict.grade.wrong}
    equations = {entry.name: entry.equation for entry in verdict.grade.entries}
    lines = [f"  x = {_numbers(np.asarray(x))}, y = {_numbers(np.asarray(y))}"]
    lines += [f"  {name} = {_numbers(array)}" for name, array in net.named().items()]
    head = f"  {'quantity':<9} {'equation':<10} " + ("" if withhold else f"{'right':<28} ") + "came"
    lines += ["", head]
    for name, array in _in_order(right, len(net.layers)).items():
        came = _numbers(verdict.arrays[name]) if name in verdict.arrays else "-"
        mark = "   <- wrong" if name in wrong else ""
        shown = "" if withhold else f"{_numbers(array):<28} "
        lines.append(f"  {name:<9} {equations.get(name, ''):<10} {shown}{came}{mark}")
    return lines


def _in_order(right: dict[str, Array], layers: int) -> dict[str, Array]:
    names = [f"{kind}{number}" for number in range(1, layers + 1) for kind in ("z", "a")] + ["loss"]
    for number in range(layers, 0, -1):
        names += [f"{kind}{number}" for kind in ("dL_da", "da_dz", "dL_dz", "w", "b", "alpha")]
    return {name: right[name] for name in [*names, "x"] if name in right}


def _numbers(array: Array) -> str:
    text = np.array2string(np.asarray(array), separator=", ", precision=6, max_line_width=10**6)
    return " ".join(text.split())
