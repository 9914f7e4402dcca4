"""An exercise as a sheet with blanks, or with the answers in them: text, Markdown, LaTeX, or a page to print or to fill in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handgrad import checks
from handgrad.destination import Destination
from handgrad.equations import EQUATIONS, Equation
from handgrad.extras import needed_by
from handgrad.homework import lines
from handgrad.homework.document import escaped
from handgrad.homework.exercises.blanks import Blank
from handgrad.homework.exercises.levels import LEVELS
from handgrad.homework.exercises.paper import DECIMALS
from handgrad.homework.exercises.values import tables
from handgrad.homework.given import given
from handgrad.homework.policy import content_policy
from handgrad.homework.templates import environment, text_of
from handgrad.homework.words import wording, words
from handgrad.homework.writing import LATEX, TEXT, Style, letters, written_in_terms

if TYPE_CHECKING:
    from handgrad.homework.exercises.exercise import Exercise

RULE = "______"


@dataclass(frozen=True)
class Sheet:
    """An exercise on paper, with its blanks or with the answers in them.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    with_answers : bool
        Whether it is the key.
    """

    exercise: Exercise
    with_answers: bool

    def __str__(self) -> str:
        """Return it as `text`."""
        return self.text()

    def __repr__(self) -> str:
        """Return whose sheet it is."""
        kind = "key" if self.with_answers else "sheet"
        return f"Sheet({kind} of {self.exercise.code!r}; print it, or save it as .txt, .md, .tex or .html)"

    def text(self) -> str:
        """Return lines of Unicode text, for a terminal.

        Returns
        -------
        str
            A line for each blank.
        """
        return "\n".join(_text(self))

    def markdown(self) -> str:
        """Return Markdown, to be printed, or filled in and graded as it is.

        Returns
        -------
        str
            A row of a table for each blank.
        """
        return "\n".join(_markdown(self)) + "\n"

    def latex(self) -> str:
        """Return a LaTeX document that pdflatex compiles.

        Returns
        -------
        str
            It needs the package amsmath alone.

        Raises
        ------
        ImportError
            If Jinja2 is not installed.
        """
        return _latex(self)

    def html(self) -> str:
        """Return a page to print, or to fill in and save as CSV; it needs no other file and no network.

        Returns
        -------
        str
            A whole document.

        Raises
        ------
        ImportError
            If Jinja2 or latex2mathml is not installed.
        """
        return _html(self)

    def save(self, path: str | Path) -> None:
        """Write it to a file: as a whole, or not at all.

        Parameters
        ----------
        path : str or Path
            Its ending says what is written: .txt, .md, .tex or .html.

        Raises
        ------
        ValueError
            If it has another ending.
        OSError
            If it cannot be written.
        """
        form = FORMS[checks.ending(path, FORMS)]
        Destination(str(path)).write(form(self))

    def _repr_markdown_(self) -> str:
        """Show it in a notebook."""
        return self.markdown()


FORMS: dict[str, Callable[[Sheet], str]] = {
    ".txt": Sheet.text,
    ".md": Sheet.markdown,
    ".tex": Sheet.latex,
    ".html": Sheet.html,
}


@dataclass(frozen=True)
class Row:
    """A blank as it is read.

    Parameters
    ----------
    name : str
        As it is typed.
    said : str
        The letter in Unicode.
    left : str
        The letter.
    terms : tuple of str
        Its formula where the level shows it, a sum in its terms.
    equations : str
        "(8)".
    answer : str
        The number, or "" on the sheet.
    """

    name: str
    said: str
    left: str
    terms: tuple[str, ...]
    equations: str
    answer: str

    @property
    def asked(self) -> str:
        """The letter with its formula."""
        return f"{self.left} = {' '.join(self.terms)}" if self.terms else self.left

    @property
    def pieces(self) -> list[str]:
        """The same in LaTeX, in pieces between which a line may end: with something before it, a sign stands between terms."""
        first, rest = self.terms[:1], self.terms[1:]
        return [self.left, *(f"= {term}" for term in first), *(f"{{}} {term}" for term in rest)]


def _title(sheet: Sheet) -> str:
    return wording(sheet.exercise.language, "exercise")("key_title" if sheet.with_answers else "title")


def _said(sheet: Sheet) -> list[str]:
    """Return the sentences above the blanks."""
    made = sheet.exercise
    say = wording(made.language, "exercise")
    said = [say("code", code=f"`{made.code}`", count=len(made.blanks)), lines.network(made.solution)]
    return said if sheet.with_answers else [*said, say("task"), say("exact" if made.is_exact else "rounded", decimals=DECIMALS)]


def _sections(sheet: Sheet, style: Style) -> Iterator[tuple[str, list[Row]]]:
    """Yield every heading with its blanks."""
    made, solution = sheet.exercise, sheet.exercise.solution
    asked = {blank.step.quantity: blank for blank in made.blanks}
    for section in solution.derivation.sections:
        rows = [_row(sheet, asked[step.quantity], style) for step in section.steps if step.quantity in asked]
        if rows:
            yield lines.heading(solution, section), rows


def _row(sheet: Sheet, blank: Blank, style: Style) -> Row:
    step, made = blank.step, sheet.exercise
    terms: tuple[str, ...] = ()
    # The notes have no formula of a loss and an output that are joined.
    if LEVELS[made.level].shows_formulas or step.reason.startswith("joined"):
        # What is kept is marked in a solution, and not where it is asked for.
        plain = replace(style, kept=str, kept_encloses=False)
        terms = tuple(written_in_terms(step.formula, plain, letters(style)))
    equations = "".join(f"({number})" for number in blank.equations)
    answer = made.shown(blank.answer) if sheet.with_answers else ""
    return Row(blank.name, TEXT.letter(step.quantity), style.letter(step.quantity), terms, equations, answer)


def _activations(made: Exercise) -> list[str]:
    """Return what g and g′ of each activation are; the notes have the sigmoid's, (12)."""
    say = wording(made.language, "exercise")
    layers = {layer.activation.name: layer.activation for layer in made.net.layers}
    return [say(f"rule_{name}", slope=activation.slope) for name, activation in layers.items()]


def _equations(made: Exercise) -> list[Equation]:
    """Return the equations of the derivation; (5) and (12) hold for the sigmoid alone."""
    numbers = {number for blank in made.blanks for number in blank.equations}
    if all(layer.activation.name != "sigmoid" for layer in made.net.layers):
        numbers -= {5, 12}
    return [EQUATIONS[number] for number in sorted(numbers)]


def _given(made: Exercise) -> list[tuple[str, str, str]]:
    """Return what is given, each with the sign between its name and its numbers."""
    return [(str(item.name), item.relation, item.numbers) for item in given(made.solution)]


def _text(sheet: Sheet) -> Iterator[str]:
    made = sheet.exercise
    say = wording(made.language, "exercise")
    yield _title(sheet)
    yield from _said(sheet)
    yield ""
    yield words(made.language)["worked"]["given"]
    yield from (f"  {name} {relation} {numbers}" for name, relation, numbers in _given(made))
    longest = max(len(blank.name) for blank in made.blanks)
    for heading, rows in _sections(sheet, TEXT):
        yield f"\n{heading}"
        for row in rows:
            yield f"  {row.name:<{longest}}  {row.asked} = {row.answer or RULE}   {row.equations}".rstrip()
    if sheet.with_answers:
        return
    yield f"\n{say('rules')}"
    yield from (f"  {rule}" for rule in _activations(made))
    for table in tables(made):
        yield f"\n{say(table.function)}"
        yield "       " + " ".join(f"{hundredth:>6}" for hundredth in range(10))
        yield from (f"  {row:>4} " + " ".join(f"{value:>6}" for value in values) for row, values in table.rows)


def _markdown(sheet: Sheet) -> Iterator[str]:
    made = sheet.exercise
    say = wording(made.language, "exercise")
    yield f"# {_title(sheet)}"
    if not sheet.with_answers:
        yield f"\n{say('name')}: {RULE}"
    yield from (f"\n{sentence}" for sentence in _said(sheet))
    yield f"\n## {words(made.language)['worked']['given']}\n"
    yield from (f"- `{name} {relation} {numbers}`" for name, relation, numbers in _given(made))
    head = [say(key) for key in ("typed", "quantity", "equation", "answer")]
    for heading, rows in _sections(sheet, LATEX):
        yield f"\n## {heading}\n"
        yield f"| {' | '.join(head)} |"
        yield "|---|---|---|---|"
        yield from (f"| `{row.name}` | ${row.asked}$ | {row.equations} | {row.answer or RULE} |" for row in rows)
    if sheet.with_answers:
        return
    yield f"\n## {say('rules')}\n"
    yield from (f"- {rule}" for rule in _activations(made))
    for table in tables(made):
        yield f"\n## {say(table.function)}\n"
        yield "| | " + " | ".join(str(hundredth) for hundredth in range(10)) + " |"
        yield "|---" * 11 + "|"
        yield from (f"| **{row}** | {' | '.join(values)} |" for row, values in table.rows)
    yield f"\n## {say('equations')}\n"
    yield from (f"- ({equation.number}) ${equation.latex}$" for equation in _equations(made))


def _common(sheet: Sheet) -> dict[str, Any]:
    """Return what both templates are filled with."""
    made = sheet.exercise
    return {
        "title": _title(sheet),
        "words": words(made.language)["exercise"],
        "given_title": words(made.language)["worked"]["given"],
        "with_answers": sheet.with_answers,
        "tables": [] if sheet.with_answers else tables(made),
    }


def _latex(sheet: Sheet) -> str:
    made = sheet.exercise
    filled = _common(sheet)
    say = wording(made.language, "exercise")
    return (
        environment(latex=True)
        .get_template("sheet.tex")
        .render(
            **filled,
            said=[escaped(sentence.replace("`", "")) for sentence in _said(sheet)],
            rules=[] if sheet.with_answers else [escaped(rule) for rule in _activations(made)],
            given=[(name, relation, escaped(numbers)) for name, relation, numbers in _given(made)],
            sections=[
                (escaped(heading), [(row, escaped(row.name)) for row in rows]) for heading, rows in _sections(sheet, LATEX)
            ],
            headings={table.function: escaped(say(table.function)) for table in filled["tables"]},
            equations=[] if sheet.with_answers else [(each.latex, f"({each.number})") for each in _equations(made)],
        )
    )


def _html(sheet: Sheet) -> str:
    with needed_by("a page of handgrad.homework"):
        from latex2mathml.converter import convert
    made = sheet.exercise
    style, script = text_of("colours.css") + text_of("sheet.css"), text_of("sheet.js")
    return (
        environment()
        .get_template("sheet.html")
        .render(
            **_common(sheet),
            language=made.language,
            policy=content_policy(style, script),
            style=style,
            script=script,
            code=made.code,
            said=[sentence.replace("`", "") for sentence in _said(sheet)],
            rules=[] if sheet.with_answers else _activations(made),
            given=_given(made),
            sections=[
                (heading, [(row, list(map(convert, row.pieces))) for row in rows]) for heading, rows in _sections(sheet, LATEX)
            ],
            equations=[] if sheet.with_answers else [(convert(each.latex), f"({each.number})") for each in _equations(made)],
        )
    )
