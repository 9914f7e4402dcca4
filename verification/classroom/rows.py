"""One hand-in checked, whatever it does: a row for a table, and everything that there is to say about it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from verification.checking.card import IN_ROWS
from verification.checking.card import WRONG as WRONG_ROW
from verification.checking.check import check
from verification.checking.verdict import Verdict, story

RIGHT, WRONG, UNJUDGED, UNDECLARED, UNDONE = "RIGHT", "WRONG", "not judged", "undeclared", "not done"
WORDS = {"right": RIGHT, "wrong": WRONG, "unjudged": UNJUDGED, "undone": UNDONE}
# In the order in which they are counted.
VERDICTS = (RIGHT, WRONG, UNDECLARED, UNJUDGED, UNDONE)


@dataclass(frozen=True)
class Row:
    """What is said of one hand-in.

    Parameters
    ----------
    file : str
        As it was named.
    verdict : str
        RIGHT, WRONG, UNJUDGED, UNDECLARED where a declaration is lacking by which it can be judged, or UNDONE where nothing has
        been written that could be.
    mistake : str
        The first: what is done in place of its equation, or why it could not be judged. "" if it is right.
    name : str
        The function's or class's name.
    right, asked : int
        How many equations that it uses are right, and how many it uses; 0 and 0 where nothing could be told. Of what is
        undeclared, with the declaration.
    equation : str
        That of the first mistake, as the report card names it.
    notes : int
        How many notes there are.
    seconds : float
        How long checking took.
    story, details : str
        What is said about it, and what `--verbose` adds.
    found : dict
        All of it, as `Verdict.to_dict` gives it; empty if the checker itself failed.
    """

    file: str
    verdict: str
    mistake: str = ""
    name: str = ""
    right: int = 0
    asked: int = 0
    equation: str = ""
    notes: int = 0
    seconds: float = 0.0
    story: str = ""
    details: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the text of the story, which `found` has, for JSON."""
        short = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("story", "details", "found")}
        return {**short, "seconds": round(self.seconds, 3), "found": self.found}


def failed(file: str, why: str, seconds: float = 0.0) -> Row:
    """Return the row of a hand-in that the checker itself has failed on."""
    sentence = f"the checker itself failed: {why}"
    return Row(file, UNJUDGED, sentence, seconds=seconds, story=f"{file}: could not be judged\n  {sentence}")


def grade(file: str, *, withhold: bool = False, folder: str | None = None, **options: Any) -> Row:
    """Return the row of one hand-in; nothing that is in the file raises anything here.

    Parameters
    ----------
    file : str
        Its path.
    withhold : bool
        Leave out the right numbers.
    folder : str, optional
        What the path starts from; here unless given.
    **options
        As `check` takes them.

    Returns
    -------
    Row
        Plain data, which another process may send.
    """
    begun = time.perf_counter()
    if options.get("oracle") == "torch":
        import verification.autograd  # noqa: F401  # whoever lacks torch is told what brings it
        import torch  # isort: skip

        torch.set_num_threads(1)
    try:
        verdict = check(file, **options, folder=folder)
    except Exception as error:  # ours: it is told as such, and the others are checked all the same
        return failed(file, f"{type(error).__name__}: {' '.join(str(error).split())}", time.perf_counter() - begun)
    return row(file, verdict, time.perf_counter() - begun, withhold=withhold)


def row(file: str, verdict: Verdict, seconds: float, *, withhold: bool = False) -> Row:
    """Return the row of a verdict.

    Parameters
    ----------
    file : str
        The hand-in's path.
    verdict : Verdict
        What was found.
    seconds : float
        How long that took.
    withhold : bool
        Leave out the right numbers.

    Returns
    -------
    Row
        Plain data.
    """
    short, long = (story(verdict, withhold=withhold, verbose=verbose) for verbose in (False, True))
    is_undeclared = verdict.status == "unjudged" and verdict.with_it is not None
    right, asked = verdict.with_it.share if is_undeclared and verdict.with_it is not None else verdict.share
    equation, mistake = _first(file, verdict)
    return Row(
        file,
        UNDECLARED if is_undeclared else WORDS[verdict.status],
        mistake,
        name=verdict.name,
        right=right,
        asked=asked,
        equation=equation,
        notes=len(verdict.notes),
        seconds=seconds,
        story=short,
        details=long.removeprefix(short).strip("\n"),
        found=verdict.to_dict(withhold=withhold),
    )


def _first(file: str, verdict: Verdict) -> tuple[str, str]:
    """Return the first mistake's equation, as the report card has it, and words; the place in the file first."""
    if verdict.ok:
        return "", ""
    if verdict.status == "unjudged" and verdict.with_it is not None:
        equation, mistake = _first(file, verdict.with_it)
        return equation, f"{mistake or 'right'}, with {verdict.declaration} declared"
    if verdict.error:
        # On which network it came the story says.
        sentence, _, _ = verdict.error.partition(", on the network ")
        return "", re.sub(rf"^{re.escape(file)}:(?:(\d+):)? ", lambda place: f"line {place[1]}: " if place[1] else "", sentence)
    if verdict.question == "manners" and verdict.blame is not None:
        return IN_ROWS, verdict.blame.why
    for each in verdict.card:
        if each.state == WRONG_ROW:
            return each.equation, each.why
    if verdict.blame is not None and verdict.blame.equation is not None:
        return f"({verdict.blame.equation})", verdict.blame.why
    return "", verdict.step
