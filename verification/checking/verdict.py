"""A verdict in words: what is wrong, when, and the smallest numbers that show it; then the report card, and the notes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.formulas import FORMULAS
from verification.bounds.quantities import quantities
from verification.checking.card import WRONG, Row, share
from verification.checking.diagnosis import Blame
from verification.checking.faults import Fault
from verification.checking.grading import Grade
from verification.checking.notes import Note
from verification.checking.seen import data, first_wrong, worked
from verification.checking.witnesses import Model
from verification.mistakes import Mistake
from verification.random_networks import script
from verification.random_networks.cases import Case
from verification.submissions.answers import BY_THE_NOTES
from verification.submissions.protocol import Change
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# Exit statuses; 2 is bad usage.
STATUS = {"right": 0, "wrong": 1, "unjudged": 3, "undone": 3}
# So many faults are told, so that a story fits a screen's corner.
MOST_TOLD = 3


@dataclass
class Verdict:
    """What was found; `print(verdict)` tells it, `verdict.ok` is the short of it.

    Parameters
    ----------
    name : str
        The submission's name.
    status : str
        "right", "wrong", "undone" if it is a skeleton that nobody has filled in, or "unjudged" where the file, a crash, a hang
        or what it does not declare left nothing to be judged.
    networks : int
        How many networks it was asked about.
    rows : int
        How many rows of calls it was put through.
    undeclared : bool
        Whether it does not say what it supports, so that it is asked about everything.
    conventions : tuple of str
        Quantities for which it takes another convention than PyTorch at a kink hit exactly: no error.
    notes : tuple of Note
        What is no mistake of the derivation, and should be known.
    card : tuple of Row
        The report card, an equation a row.
    question : str
        Which question it fails: "ordinary", "corners" or "manners"; "" if none.
    when : str
        When it is wrong, if it is not always.
    error : str
        What happened where there are no numbers to be told: a sentence with its file and line.
    zeros : bool
        Whether every number of every gradient is 0.
    step : str
        For what only a row of calls shows: the step that is wrong.
    earlier : Case or None
        For what only a row of calls shows: the call before, whose data it has to do with.
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
    faults : tuple of Fault
        What together gives the submission's numbers, on fresh networks, too; empty if that was not found.
    alternatives : tuple of tuple of Fault
        Others that give the same numbers on every network tried.
    in_protocol : tuple of Mistake
        The catalogued mistakes that behave the same in rows of calls.
    loss : str
        What the loss and the gradient say of one another, if both are given and something is wrong.
    support : Support
        What it declares, with the conventions that it answers by.
    counted : str
        How what it declares is counted, where that leaves a choice.
    declaration : str
        The arguments of `supports` that would fit it, where it is not right by what it declares; "" if none was found.
    with_it : Verdict or None
        The verdict if that had been declared.
    """

    name: str
    status: str = "right"
    networks: int = 0
    rows: int = 0
    undeclared: bool = False
    conventions: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    card: tuple[Row, ...] = ()
    question: str = ""
    when: str = ""
    error: str = ""
    zeros: bool = False
    step: str = ""
    earlier: Case | None = None
    changes: tuple[Change, ...] = ()
    case: Case | None = None
    grade: Grade | None = None
    arrays: dict[str, Array] = field(default_factory=dict)
    blame: Blame | None = None
    faults: Model = ()
    alternatives: tuple[Model, ...] = ()
    in_protocol: tuple[Mistake, ...] = ()
    loss: str = ""
    support: Support = BY_THE_NOTES
    counted: str = ""
    declaration: str = ""
    with_it: Verdict | None = None

    @property
    def ok(self) -> bool:
        """Whether it is right, with or without notes."""
        return self.status == "right"

    @property
    def exit_status(self) -> int:
        """0 right, 1 wrong, 3 not done or not yet judged."""
        return STATUS[self.status]

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The catalogued mistakes that are claimed; of several sets that give the same numbers those of the likeliest."""
        return self.in_protocol or tuple(fault.mistake for fault in self.faults if fault.mistake is not None)

    @property
    def share(self) -> tuple[int, int]:
        """How many of the equations that it uses are right, and how many it uses: the partial credit."""
        return share(self.card)

    def __str__(self) -> str:
        """Return the verdict in about ten lines."""
        return story(self)

    def withheld(self, *, verbose: bool = False) -> str:
        """Return the story without the right numbers, for a teacher to hand out."""
        return story(self, withhold=True, verbose=verbose)

    def to_dict(self, *, withhold: bool = False) -> dict[str, Any]:
        """Return everything as names, numbers, lists and text, as JSON has them; without the right numbers if `withhold`."""
        right, asked = self.share
        return {
            "name": self.name,
            "status": self.status,
            "ok": self.ok,
            "right": right,
            "asked": asked,
            "card": [{"equation": row.equation, "state": row.state, "why": row.why} for row in self.card],
            "notes": [asdict(note) | {"mistakes": list(note.mistakes)} for note in self.notes],
            "conventions": list(self.conventions),
            "undeclared": self.undeclared,
            "networks": self.networks,
            "rows": self.rows,
            "question": self.question,
            "when": self.when,
            "error": self.error,
            "step": self.step,
            "changes": list(map(str, self.changes)),
            "equation": None if self.blame is None else self.blame.equation,
            "because": "" if self.blame is None else self.blame.why,
            "mistakes": [mistake.name for mistake in self.mistakes],
            "faults": list(map(_listed_fault, self.faults)),
            "alternatives": [list(map(_listed_fault, model)) for model in self.alternatives],
            "loss": self.loss,
            "zeros": self.zeros,
            "declared": self.support.conventions,
            "counted": self.counted,
            "declaration": self.declaration,
            "with_it": None if self.with_it is None else self.with_it.to_dict(withhold=withhold),
            "counterexample": _counterexample(self, withhold),
            "program": "" if self.case is None else script.case_program(*self.case),
            "story": story(self, withhold=withhold),
        }


def _listed_fault(fault: Fault) -> dict[str, Any]:
    return {"name": fault.name, "equation": fault.equation, "where": fault.place, "what": fault.thought}


def _counterexample(verdict: Verdict, withhold: bool) -> dict[str, Any] | None:
    """Return the smallest network's numbers: what was given, what came, and what should have."""
    if verdict.case is None:
        return None
    net, x, y = verdict.case
    given = {**net.named(), "x": np.asarray(x), "y": np.asarray(y)}
    found: dict[str, Any] = {
        "network": repr(net),
        "given": {name: array.tolist() for name, array in given.items()},
        "came": {name: _listed(array) for name, array in verdict.arrays.items()},
    }
    if not withhold and not verdict.step:
        with np.errstate(all="ignore"):
            found["right"] = {name: _listed(array) for name, array in quantities(net.trace(x, y)).items()}
    return found


def _listed(array: Array) -> Any:
    """Return an array as lists; what is no number, which JSON cannot hold, as text."""
    if np.isfinite(array).all():
        return np.asarray(array).tolist()
    return np.vectorize(repr, otypes=[object])(np.asarray(array, float)).tolist()


def story(verdict: Verdict, *, withhold: bool = False, verbose: bool = False) -> str:
    """Return what a check found, as text.

    Parameters
    ----------
    verdict : Verdict
        What it found.
    withhold : bool
        Leave out the right numbers.
    verbose : bool
        Add the report card, the smallest network worked through, and a program that makes it.

    Returns
    -------
    str
        Lines of text.
    """
    lines = [_first_line(verdict)]
    if verdict.error:
        lines.append(f"  {verdict.error}")
    if verdict.status == "wrong":
        lines += _what_is_wrong(verdict, withhold)
    lines += [f"  note      {note}" for note in verdict.notes]
    lines += _declaration_lines(verdict, withhold)
    if verdict.undeclared and verdict.status in ("wrong", "unjudged") and not verdict.declaration:
        lines.append(
            "  note      It has no @supports(...), so it is asked about everything. What it is not meant for, let it say."
        )
    if verbose:
        # Of what is not yet judged there is only what would be said with the declaration that fits.
        lines += _details(verdict if verdict.status == "wrong" or verdict.with_it is None else verdict.with_it, withhold)
    return "\n".join(lines)


def _details(verdict: Verdict, withhold: bool) -> list[str]:
    lines = ["", *_card_lines(verdict.card)] if verdict.card else []
    if verdict.case is None:
        return lines
    shows = "The network of the call that is wrong in its row" if verdict.step else "The smallest network that shows it"
    lines += ["", f"{shows}: {verdict.case.net!r}"]
    if verdict.grade is not None and verdict.grade.wrong and not verdict.step:
        lines += ["", *worked(verdict.case, verdict.grade, verdict.arrays, withhold=withhold)]
        if not verdict.support.keeps_the_notes:
            lines += ["", "All by the notes' conventions, to which the answer was put back."]
    return [*lines, "", "As a program:", "", script.case_program(*verdict.case).rstrip()]


def _first_line(verdict: Verdict) -> str:
    right, asked = verdict.share
    if verdict.ok:
        notes = f", with {len(verdict.notes)} note{'s' if len(verdict.notes) > 1 else ''}" if verdict.notes else ""
        of = f" in all {asked} equations that it uses," if asked else ""
        counted = f"; it has {verdict.counted}" if verdict.counted else ""
        return f"{verdict.name}: right{of} on {verdict.networks} networks and in {verdict.rows} rows of calls{notes}{counted}"
    if verdict.status == "undone":
        return f"{verdict.name}: not done yet"
    if verdict.status == "unjudged":
        return f"{verdict.name}: {'not yet judged' if verdict.declaration else 'could not be judged'}"
    # What a row alone shows is no equation's fault, though one may be named.
    credit = f"; {right} of {asked} equations are right" if asked and verdict.question != "manners" else ""
    when = f" {verdict.when}" if verdict.when else ""
    return f"{verdict.name}: WRONG{when}{credit}"


def _declaration_lines(verdict: Verdict, withhold: bool) -> list[str]:
    """Return what would have to be declared, and what would then be said."""
    lines = [] if verdict.ok or not verdict.counted else [f"  counted   {verdict.counted}"]
    if verdict.with_it is None:
        return lines
    _, _, said = _first_line(verdict.with_it).partition(": ")
    declared = f"@supports({verdict.declaration})" if verdict.undeclared else f"{verdict.declaration} in @supports(...)"
    lines.append(f"  declare   {declared} fits it; with that it is {said}")
    if verdict.status == "unjudged" and verdict.with_it.status == "wrong":
        lines += _what_is_wrong(verdict.with_it, withhold)
    return lines


def _what_is_wrong(verdict: Verdict, withhold: bool) -> list[str]:
    if verdict.zeros:
        return ["  gradient  every number is 0: nothing has been computed, or nothing arrives where it is returned"]
    lines = []
    if verdict.step:
        lines.append(f"  step      {verdict.step}")
    lines += [f"  changed   {change}" for change in verdict.changes[:3]]
    if verdict.faults:
        told = sorted(verdict.faults, key=_in_order_of_a_pass)
        for fault in told[:MOST_TOLD]:
            lines += [*_fault_lines(fault, verdict.support), *_in_its_place(verdict, fault)]
        if len(told) > MOST_TOLD:
            lines.append(f"            and {len(told) - MOST_TOLD} more (--verbose has the report card)")
    elif verdict.blame is not None and verdict.blame.equation is not None:
        lines.append(f"  {f'({verdict.blame.equation})':<9} {_formula(verdict.blame.equation, verdict.support)}")
        if verdict.mistakes:
            first = verdict.mistakes[0]
            lines.append(f"            as if: {first.thought} [{', '.join(mistake.name for mistake in verdict.mistakes)}]")
        else:
            lines.append(f"            here: {verdict.blame.why}")
    if verdict.grade is not None and verdict.grade.wrong:
        lines += _seen(verdict, withhold)
    if verdict.loss:
        lines.append(f"  loss      {verdict.loss}")
    return lines


# In which order they are told: as they follow one another in a pass.
PASS = (8, 9, 1, 10, 4, 2, 12, 13, 7, 11, 14)
DERIVATIVES = {
    "sigmoid": "a (1 − a)",
    "tanh": "1 − a²",
    "relu": "1 where z > 0, otherwise 0",
    "leaky_relu": "1 where z > 0, otherwise the slope",
    "prelu": "1 where z > 0, otherwise α",
    "softmax": "a_j (δ_ji − a_i)",
}


def _in_order_of_a_pass(fault: Fault) -> int:
    return PASS.index(fault.equation) if fault.equation in PASS else len(PASS)


# (10) and (4) where another squared error is declared.
OWN_FORMULAS = {
    ("half_squared_error", 10): "L_i = ½ Σ_j (a_j − y_j)²",
    ("half_squared_error", 4): "dL/da = a − y",
    ("mean_squared_error", 10): "L_i = Σ_j (a_j − y_j)² / n_L",
    ("mean_squared_error", 4): "dL/da = 2 (a − y) / n_L",
}


def _formula(equation: int, support: Support) -> str:
    return OWN_FORMULAS.get((support.squared_error, equation), FORMULAS[equation])


def _fault_lines(fault: Fault, support: Support) -> list[str]:
    """Return the equation, and what is done in its place: a thought that leads there, or what was measured."""
    formula = _formula(fault.equation, support)
    names = [name for row in fault.rows for number, _, name in [row.partition(" ")] if number == "(12)"]
    if fault.equation == 12 and len(names) == 1 and names[0] in DERIVATIVES:
        formula = f"da/dz of {names[0]} is {DERIVATIVES[names[0]]}"
    done = f"here: {fault.told}" if fault.mistake is None else f"as if: {fault.told} [{fault.mistake.name}]"
    return [f"  {f'({fault.equation})':<9} {formula}", f"            {done}"]


def _in_its_place(verdict: Verdict, fault: Fault) -> list[str]:
    """Return what would give the same numbers in place of a fault, in a line; empty if there is nothing."""
    others = [other for model in verdict.alternatives if fault not in model for other in model if other not in verdict.faults]
    return [f"            or, the same on every network tried: {other.thought} [{other.name}]" for other in others[:1]]


def _seen(verdict: Verdict, withhold: bool) -> list[str]:
    if verdict.grade is None or verdict.case is None:
        return []
    found = first_wrong(verdict.case, verdict.grade.wrong, verdict.support, withhold=withhold)
    if verdict.earlier is not None:
        found.append(f"after {data(verdict.earlier)}")
    return [f"  {'' if place else 'seen':<9} {line}" for place, line in enumerate(found)]


def _card_lines(rows: tuple[Row, ...]) -> list[str]:
    states = {row.state: row.state.upper() if row.state == WRONG else row.state for row in rows}
    return ["Report card"] + [f"  {row.equation:<18} {states[row.state]:<15} {row.why}".rstrip() for row in rows]
