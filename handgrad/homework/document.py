"""The worked solution as a LaTeX document, which needs amsmath alone."""

from __future__ import annotations

from typing import Any

from handgrad.homework import lines
from handgrad.homework.expressions import Quantity
from handgrad.homework.given import given
from handgrad.homework.plain import RELATIONS, formula
from handgrad.homework.solution import Solution
from handgrad.homework.steps import Section
from handgrad.homework.templates import environment
from handgrad.homework.words import words
from handgrad.homework.writing import LATEX

# What LaTeX takes for a command, and letters of the words that its font lacks.
ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "$": r"\$",
        "−": "$-$",
        "–": "--",
        "≈": r"$\approx$",
        "≤": r"$\le$",
        "·": r"$\cdot$",
        "²": "$^{2}$",
        "⁻": "$^{-}$",
        "∞": r"$\infty$",
        "′": "$'$",
        "Σ": r"$\Sigma$",
        "α": r"$\alpha$",
        **{superscript: f"$^{digit}$" for digit, superscript in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹") if superscript != "²"},
    }
)


def escaped(text: str) -> str:
    r"""Return a text as LaTeX shows it; what stands between dollars is a formula and stays.

    Parameters
    ----------
    text : str
        Words.

    Returns
    -------
    str
        LaTeX.

    Examples
    --------
    >>> print(escaped("leaky_relu, z ≤ 0: $x_1$"))
    leaky\_relu, z $\le$ 0: $x_1$
    """
    # No line ends at a minus between two letters.
    parts = text.replace(" − ", "\0−\0").split("$")
    joined = "$".join(part if place % 2 else part.translate(ESCAPES) for place, part in enumerate(parts))
    return joined.replace("\0", "~")


def latex(worked: Solution) -> str:
    """Return the worked solution as a LaTeX document.

    Parameters
    ----------
    worked : Solution
        The solution.

    Returns
    -------
    str
        A whole document.
    """
    table = words(worked.language)["worked"]
    said = (lines.network(worked), lines.chosen(worked), lines.rounding(worked), lines.kept(worked, r"$\underline{x}$"))
    return (
        environment(latex=True)
        .get_template("solution.tex")
        .render(
            title=escaped(table["title"]),
            said=[escaped(sentence) for sentence in said if sentence],
            given_title=escaped(table["given"]),
            given=[(_name(item.name), RELATIONS[item.relation], escaped(item.numbers)) for item in given(worked)],
            sections=[_section(worked, section) for section in worked.derivation.sections],
            after=escaped(lines.outcome_of_step(worked)),
            equations_title=escaped(words(worked.language)["page"]["equations"]),
            equations=[(each.latex, f"{escaped(each.section)} ({each.number})") for each in lines.equations(worked)],
        )
    )


def _name(name: str | Quantity) -> str:
    return rf"\texttt{{{escaped(name)}}}" if isinstance(name, str) else f"${LATEX.letter(name)}$"


def _section(worked: Solution, section: Section) -> dict[str, Any]:
    steps = [lines.line(worked, step, LATEX) for step in section.steps]
    return {
        "heading": escaped(lines.heading(worked, section)),
        "lines": [
            {"formula": formula(line), "remarks": escaped("; ".join(line.remarks)), "equations": line.equations}
            for line in steps
        ],
        "left_out": escaped(lines.left_out(worked, section)),
    }
