"""The worked solution as lines of Unicode for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.homework import lines
from handgrad.homework.given import given
from handgrad.homework.lines import Line
from handgrad.homework.solution import Solution
from handgrad.homework.words import words
from handgrad.homework.writing import LATEX, TEXT

WIDTH = 100
RELATIONS = {"=": "=", "≈": r"\approx", "←": r"\leftarrow"}


def text(worked: Solution) -> str:
    """Return the worked solution as lines of Unicode text.

    Parameters
    ----------
    worked : Solution
        The solution.

    Returns
    -------
    str
        A line or a few for each number, with its equation.
    """
    return "\n".join(_text(worked))


def _text(worked: Solution) -> Iterator[str]:
    table = words(worked.language)["worked"]
    yield table["title"]
    yield from filter(None, (lines.network(worked), lines.chosen(worked), lines.rounding(worked), lines.kept(worked, "[ ]")))
    yield ""
    yield table["given"]
    for item in given(worked):
        name = item.name if isinstance(item.name, str) else TEXT.letter(item.name)
        yield f"  {name} {item.relation} {item.numbers}"
    for section in worked.derivation.sections:
        yield ""
        yield lines.heading(worked, section)
        for step in section.steps:
            yield from _wrapped(lines.line(worked, step, TEXT))
        if left := lines.left_out(worked, section):
            yield f"  {left}"
    if after := lines.outcome_of_step(worked):
        yield ""
        yield after


def _wrapped(line: Line) -> Iterator[str]:
    """Yield a step in one line if it is short enough, otherwise with a line for each thing that it equals."""
    behind = "   ".join(filter(None, (line.equations, *(f"({remark})" for remark in line.remarks))))
    pieces = [f"{relation} {' '.join(terms)}" for relation, terms in line.rights]
    whole = f"  {line.left} {' '.join(pieces)}"
    if len(whole) + 3 + len(behind) <= WIDTH:
        yield f"{whole}   {behind}".rstrip()
        return
    yield f"  {line.left} {pieces[0]}"
    indent = " " * (3 + len(line.left))
    yield from (f"{indent}{piece}" for piece in pieces[1:-1])
    yield f"{indent}{pieces[-1]}   {behind}".rstrip()


def markdown(worked: Solution) -> str:
    """Return the worked solution as Markdown with its formulas in LaTeX between dollars.

    Parameters
    ----------
    worked : Solution
        The solution.

    Returns
    -------
    str
        A list item for each number.
    """
    return "\n".join(_markdown(worked)) + "\n"


def _markdown(worked: Solution) -> Iterator[str]:
    table = words(worked.language)["worked"]
    yield f"# {table['title']}"
    said = (lines.network(worked), lines.chosen(worked), lines.rounding(worked), lines.kept(worked, r"$\underline{x}$"))
    yield from (f"\n{sentence}" for sentence in said if sentence)
    yield f"\n## {table['given']}\n"
    for item in given(worked):
        if isinstance(item.name, str):
            yield f"- `{item.name} {item.relation} {item.numbers}`"
        else:
            yield f"- ${LATEX.letter(item.name)} {RELATIONS[item.relation]} {item.numbers}$"
    for section in worked.derivation.sections:
        yield f"\n## {lines.heading(worked, section)}\n"
        for step in section.steps:
            line = lines.line(worked, step, LATEX)
            behind = lines.behind(line)
            yield f"- ${formula(line)}$" + (f" — {behind}" if behind else "")
        if left := lines.left_out(worked, section):
            yield f"\n{left}"
    if after := lines.outcome_of_step(worked):
        yield f"\n{after}"


def formula(line: Line) -> str:
    """Return a step in LaTeX, from what is computed to its value."""
    return " ".join([line.left, *(f"{RELATIONS[relation]} {' '.join(terms)}" for relation, terms in line.rights)])
