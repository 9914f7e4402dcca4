"""The worked solution as one page of HTML: the network drawn, a walk through the steps, and every formula in MathML.

Every number leads to its derivation. The page needs no other file and no network, and its own policy forbids both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

from handgrad.equations import Equation
from handgrad.extras import needed_by
from handgrad.homework import drawing, lines
from handgrad.homework.expressions import Quantity
from handgrad.homework.given import given
from handgrad.homework.plain import RELATIONS
from handgrad.homework.policy import content_policy
from handgrad.homework.solution import Solution
from handgrad.homework.steps import Step
from handgrad.homework.symbols import text
from handgrad.homework.templates import environment, text_of
from handgrad.homework.words import words
from handgrad.homework.writing import LATEX, Leaf, Part

# In the page a factor that is kept, and a number that leads somewhere, are marked by a class.
STYLE = replace(LATEX, kept=r"\class{{kept}}{{{}}}".format)
# With the inputs, what no step computes.
GIVEN = ("w", "b", "alpha", "y", "eta")
MARK = re.compile(r'class="(step|given)-(\d+)"')


@dataclass(frozen=True)
class Marks:
    """Where the numbers of the page lead.

    Parameters
    ----------
    steps : dict of Quantity to int
        What is derived → the number of its step, from 1.
    given : list of Quantity
        What stands in a formula and no step computes, in the order in which it was met.
    """

    steps: dict[Quantity, int]
    given: list[Quantity]


def page(worked: Solution) -> str:
    """Return the worked solution as a page.

    Parameters
    ----------
    worked : Solution
        The solution.

    Returns
    -------
    str
        One HTML document.

    Raises
    ------
    ImportError
        If Jinja2 or latex2mathml is not installed.
    """
    table = words(worked.language)
    sections = worked.derivation.sections
    steps = [step for section in sections for step in section.steps]
    marks = Marks({step.quantity: place for place, step in enumerate(steps, start=1)}, [])
    style, script = text_of("colours.css") + text_of("picture.css") + text_of("page.css"), text_of("page.js")
    return (
        environment()
        .get_template("page.html")
        .render(
            language=worked.language,
            words=table["page"],
            title=table["worked"]["title"],
            policy=content_policy(style, script),
            style=style,
            script=script,
            said=[sentence for sentence in (lines.network(worked), lines.chosen(worked)) if sentence],
            legend=lines.rounding(worked),
            kept=lines.kept(worked, "\0").split("\0"),
            picture=drawing.picture(worked),
            count=len(steps),
            given_title=table["worked"]["given"],
            given=[(_shown(item.name), item.relation, item.numbers) for item in given(worked)],
            sections=list(_sections(worked, marks)),
            after=lines.outcome_of_step(worked),
            equations=[_equation(equation) for equation in lines.equations(worked)],
        )
    )


def _sections(worked: Solution, marks: Marks) -> Iterator[dict[str, Any]]:
    first = 1
    for section in worked.derivation.sections:
        shown = [_step(worked, marks, place, step) for place, step in enumerate(section.steps, start=first)]
        first += len(section.steps)
        example = section.example if len(worked.x) > 1 else 1
        yield {
            "heading": lines.heading(worked, section),
            "left_out": lines.left_out(worked, section),
            "steps": shown,
            "example": example or "",
            "data": _data(worked, example),
        }


def _data(worked: Solution, example: int | None) -> str:
    """Return what the picture shows of an example's x and y: slots with their numbers."""
    if example is None:
        return ""
    rows = ((drawing.slot("a", 0, j), value) for j, value in enumerate(worked.x[example - 1].tolist(), start=1))
    targets = ((drawing.slot("y", j), value) for j, value in enumerate(worked.y[example - 1].tolist(), start=1))
    return " ".join(f"{name}={drawing.number(value, worked)}" for name, value in (*rows, *targets))


def _step(worked: Solution, marks: Marks, place: int, step: Step) -> dict[str, Any]:
    line = lines.line(worked, step, STYLE, partial(_marked, lines.as_number(worked, STYLE), marks))
    pieces = [line.left]
    for relation, terms in line.rights:
        # With something before it, a sign stands between two terms.
        pieces += [f"{RELATIONS[relation]} {terms[0]}", *(f"{{}} {term}" for term in terms[1:])]
    return {
        "place": place,
        "pieces": [_mathml(worked, marks, piece) for piece in pieces],
        "equations": step.equations,
        "remarks": [_words(worked, marks, remark) for remark in line.remarks],
        "slot": drawing.slot_of(step.quantity),
        "value": drawing.number(step.quantity.value, worked),
        "said": f"{text(step.quantity)} = {lines.plain_number(worked, step.quantity.value)}",
        "lit": " ".join(drawing.at_work(step, worked)),
    }


def _shown(name: str | Quantity) -> str:
    return name if isinstance(name, str) else text(name)


def _marked(plain: Leaf, marks: Marks, item: Quantity | float) -> Part:
    """Write a number, and mark where it leads: to its step, or to the word that it is given or not shown."""
    written, holds = plain(item)
    if not isinstance(item, Quantity):
        return written, holds
    if item in marks.steps:
        return rf"\class{{step-{marks.steps[item]}}}{{{written}}}", holds
    if item not in marks.given:
        marks.given.append(item)
    return rf"\class{{given-{marks.given.index(item)}}}{{{written}}}", holds


def _mathml(worked: Solution, marks: Marks, formula: str) -> str:
    with needed_by("a page of handgrad.homework"):
        from latex2mathml.converter import convert

    def mark(found: re.Match[str]) -> str:
        kind, number = found[1], int(found[2])
        if kind == "step":
            return f'class="number" data-step="{number}"'
        quantity = marks.given[number]
        is_given = quantity.kind in GIVEN or (quantity.kind == "a" and quantity.layer == 0)
        said = words(worked.language)["page"]["given_number" if is_given else "number_elsewhere"]
        shown = said.format(name=text(quantity), number=lines.plain_number(worked, quantity.value))
        return f'class="number" data-said="{escape(shown)}"'

    return MARK.sub(mark, convert(formula))


def _words(worked: Solution, marks: Marks, remark: str) -> str:
    """Return a remark as HTML; what stands between dollars is a formula."""
    parts = remark.split("$")
    return "".join(_mathml(worked, marks, part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _equation(equation: Equation) -> dict[str, Any]:
    with needed_by("a page of handgrad.homework"):
        from latex2mathml.converter import convert
    return {"number": equation.number, "section": equation.section, "formula": convert(equation.latex)}
