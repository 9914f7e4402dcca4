"""What every form of the worked solution says: a step as a row of equals, headings, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handgrad.equations import EQUATIONS, Equation
from handgrad.homework.digits import shown
from handgrad.homework.expressions import Quantity
from handgrad.homework.solution import Solution
from handgrad.homework.steps import Section, Step, outcome
from handgrad.homework.words import words
from handgrad.homework.writing import TEXT, Leaf, Part, Style, is_cut, letters, write, written_in_terms


@dataclass(frozen=True)
class Line:
    """A step as it is read.

    Parameters
    ----------
    left : str
        What is computed.
    rights : tuple of (str, tuple of str)
        What it equals, each after "=", "≈" or "←": the formula, the numbers put in, and the value; a sum in its terms.
    equations : str
        "(8)", or "" of what has no number.
    remarks : tuple of str
        Why this case is taken; what the digits shown give instead.
    """

    left: str
    rights: tuple[tuple[str, tuple[str, ...]], ...]
    equations: str
    remarks: tuple[str, ...]


def line(worked: Solution, step: Step, style: Style, numbers: Leaf | None = None) -> Line:
    """Return a step in a notation.

    Parameters
    ----------
    worked : Solution
        Whose step it is.
    step : Step
        The step.
    style : Style
        The notation.
    numbers : callable, optional
        Writes a leaf's number; `as_number` unless given.

    Returns
    -------
    Line
        Without a piece that repeats the one before it.
    """
    plain = as_number(worked, style)
    marked = plain if numbers is None else numbers
    found = outcome(step, worked.digits, worked.noise)
    # A factor that is kept is marked where its number is put in, and not in the formula.
    formula = written_in_terms(step.formula, replace(style, kept=str, kept_encloses=False), letters(style))
    put_in = written_in_terms(step.numbers, style, marked)
    rights = [
        ("←" if step.replaces else "=", formula),
        ("=", put_in),
        ("=" if found.exact else "≈", [marked(step.quantity)[0]]),
    ]
    value = plain(step.quantity)[0]
    if write(step.numbers, style, plain) == value:
        del rights[1]
    if formula == [value]:
        del rights[0]
    table = words(worked.language)["worked"]
    remarks = [table[step.reason]] if step.reason else []
    # Of a sum that is cut short a reader cannot say what the digits give.
    if found.by_reader is not None and not is_cut(step.numbers):
        remarks.append(table["by_reader"].format(number=style.formula(style.number(found.by_reader)[0])))
    equals = tuple((relation, tuple(terms)) for relation, terms in rights)
    return Line(letters(style)(step.quantity)[0], equals, "".join(f"({n})" for n in step.equations), tuple(remarks))


def behind(line: Line) -> str:
    """Return what stands behind a step: its equations and its remarks."""
    return "; ".join(filter(None, (line.equations, *line.remarks)))


def as_number(worked: Solution, style: Style) -> Leaf:
    """Return what writes a leaf as its number, with the digits that are shown."""

    def leaf(item: Quantity | float) -> Part:
        value = item.value if isinstance(item, Quantity) else item
        return style.number(shown(value, worked.digits, worked.noise))

    return leaf


def network(worked: Solution) -> str:
    """Return the sentence that says which network it is."""
    table, net = words(worked.language), worked.net
    layers = ", ".join(
        table["worked"]["layer"].format(layer=number, activation=activation(worked, number))
        for number in range(1, len(net.layers) + 1)
    )
    widths, loss = "-".join(map(str, net.widths)), table["losses"][net.loss_name]
    form = "network" if len(worked.x) == 1 else "network_batch"
    reduction = table["reductions"][net.reduction]
    return table["worked"][form].format(widths=widths, layers=layers, loss=loss, reduction=reduction, count=len(worked.x))


def activation(worked: Solution, layer: int) -> str:
    """Return the name of a layer's activation in the language."""
    return words(worked.language)["activations"][worked.net.layers[layer - 1].activation.name]


def chosen(worked: Solution) -> str:
    """Return the sentence that says which part is shown, or nothing."""
    table, part = words(worked.language)["worked"], worked.part
    named = {"example": part.example, "layer": part.layer, "unit": part.unit}
    parts = [table[f"part_{name}"].format(**{name: value}) for name, value in named.items() if value is not None]
    return table["part"].format(part=", ".join(parts)) if parts else ""


def heading(worked: Solution, section: Section) -> str:
    """Return the heading of a section."""
    table = words(worked.language)["worked"]
    key = section.phase
    if key == "backward" and section.layer == 0:
        key = "backward_inputs"
    elif key == "examples" and section.layer is None:
        key = "examples_loss"
    text = table[key].format(
        layer=section.layer,
        activation=activation(worked, section.layer) if section.phase == "forward" and section.layer else "",
        loss=words(worked.language)["losses"][worked.net.loss_name],
        rate="" if worked.rate is None else plain_number(worked, worked.rate),
    )
    return text if section.example is None else f"{table['example'].format(example=section.example)}. {text}"


def equations(worked: Solution) -> list[Equation]:
    """Return the equations that the steps apply, as they are numbered."""
    steps = [step for section in worked.derivation.sections for step in section.steps]
    return [EQUATIONS[number] for number in sorted({number for step in steps for number in step.equations})]


def plain_number(worked: Solution, value: float) -> str:
    """Return a number in Unicode, with the digits that are shown."""
    return TEXT.number(shown(value, worked.digits, worked.noise))[0]


def rounding(worked: Solution) -> str:
    """Return the sentence that says how numbers are rounded."""
    return words(worked.language)["worked"]["rounded"].format(digits=worked.digits)


def kept(worked: Solution, mark: str) -> str:
    """Return the sentence that says how a factor that is kept is marked."""
    return words(worked.language)["worked"]["kept"].format(mark=mark)


def left_out(worked: Solution, section: Section) -> str:
    """Return the sentence that says which weights are not derived here, or nothing."""
    return words(worked.language)["worked"]["left_out"].format(count=section.left_out) if section.left_out else ""


def outcome_of_step(worked: Solution) -> str:
    """Return the sentence about the loss after the step, or nothing."""
    found = worked.derivation
    if found.after is None:
        return ""
    before, after = plain_number(worked, found.before), plain_number(worked, found.after)
    table = words(worked.language)["worked"]
    sentence = table["after"].format(before=before, after=after)
    whole = len(worked.x) > 1 and worked.part.example is not None
    return f"{sentence} {table['of_all'].format(count=len(worked.x))}" if whole else sentence
