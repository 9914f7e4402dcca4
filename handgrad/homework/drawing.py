"""The network drawn as the notes draw it: units as circles, weights as lines, with z, a and the gradients on them, in SVG.

Every number has a slot. A slot's name is made of a kind and the numbers of its layer and units, "z-1-2" or "w-1-2-3", and a
step fills the slot of what it computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from handgrad.homework.digits import shown
from handgrad.homework.expressions import Quantity, leaves
from handgrad.homework.given import used
from handgrad.homework.solution import Solution
from handgrad.homework.steps import Step
from handgrad.homework.symbols import text
from handgrad.homework.templates import text_of
from handgrad.homework.words import words
from handgrad.homework.writing import TEXT

COLUMN, ROW, RADIUS, MARGIN, FOOT = 300, 168, 44, 60, 30
# Of a layer with more units than these, the first and the last are drawn.
UNITS, FIRST = 8, 6
# A label's size in the same units; of an edge whose label finds no room, the number is shown where one points at it.
WIDE, HIGH = 106, 34
PLACES = (0.36, 0.5, 0.64, 0.43, 0.57, 0.34, 0.66)
# In a picture there is less room than in a line.
DIGITS, LONGEST = 4, 8
# The slot that a quantity's number stands in, where it is not its own kind.
SLOTS = {"w_new": "w", "b_new": "b", "alpha_new": "alpha"}


def slot(kind: str, *numbers: int | None) -> str:
    """Return the name of the slot of a quantity of this kind, with its layer and units."""
    return "-".join([SLOTS.get(kind, kind), *(str(number) for number in numbers if number is not None)])


def slot_of(quantity: Quantity) -> str:
    """Return the name of the slot that a quantity's number stands in; a chain's units are all 1."""
    one = 1 if quantity.layer is not None else None
    weight = SLOTS.get(quantity.kind, quantity.kind) in ("w", "dL_dw")
    return slot(quantity.kind, quantity.layer, quantity.j or one, (quantity.k or one) if weight else None)


def number(value: float, solution: Solution) -> str:
    """Return a number as the picture shows it: with fewer digits where it would be too long for a circle."""
    digits = min(solution.digits, DIGITS)
    written = TEXT.number(shown(value, digits, solution.noise))[0]
    while len(written) > LONGEST and digits > 1:
        digits -= 1
        written = TEXT.number(shown(value, digits, solution.noise))[0]
    return written


def at_work(step: Step, solution: Solution) -> list[str]:
    """Return the units and the edges that are at work in a step: "unit-1-2", "edge-1-2-1"."""
    quantity, widths = step.quantity, solution.net.widths
    layer, j, k = quantity.layer, quantity.j or 1, quantity.k or 1
    if layer is None:  # the loss
        return [f"unit-{len(widths) - 1}-{unit}" for unit in range(1, widths[-1] + 1)]
    match quantity.kind:
        case "z":
            before = range(1, widths[layer - 1] + 1)
            return [f"unit-{layer}-{j}", *(f"unit-{layer - 1}-{i}" for i in before), *(f"edge-{layer}-{j}-{i}" for i in before)]
        case "dz_dw" | "dL_dw" | "w_new":
            return [f"unit-{layer}-{j}", f"unit-{layer - 1}-{k}", f"edge-{layer}-{j}-{k}"]
        case "dL_da" if layer < len(widths) - 1:
            after = range(1, widths[layer + 1] + 1)
            return [
                f"unit-{layer}-{j}",
                *(f"unit-{layer + 1}-{i}" for i in after),
                *(f"edge-{layer + 1}-{i}-{j}" for i in after),
            ]
        case "dL_dalpha" | "alpha_new" if quantity.j is None:  # one slope for all units
            return [f"unit-{layer}-{i}" for i in range(1, widths[layer] + 1)]
        case _:
            # Softmax takes the whole layer.
            others = {leaf.j or 1 for leaf in leaves(step.numbers) if leaf.layer == layer and leaf.kind != "alpha"}
            return [f"unit-{layer}-{i}" for i in sorted({j} | others)]


@dataclass(frozen=True)
class Picture:
    """What a slot shows, and which step it leads to.

    Parameters
    ----------
    solution : Solution
        Whose picture it is.
    found : dict of str to (int, Quantity)
        Slot → number of the step that fills it, and what it is: of the first example that is shown.
    linked : bool
        Whether a number leads to its step.
    """

    solution: Solution
    found: dict[str, tuple[int, Quantity]]
    linked: bool


def picture_file(solution: Solution) -> str:
    """Return the network as an SVG file of its own, light or dark as the reader has it.

    Parameters
    ----------
    solution : Solution
        The solution.

    Returns
    -------
    str
        With its style, and without links.
    """
    style = f"<style>{text_of('colours.css')}{text_of('picture.css')}</style>"
    return (
        picture(solution, linked=False)
        .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        .replace(">", f">{style}", 1)
    )


def picture(solution: Solution, linked: bool = True) -> str:
    """Return the network as SVG.

    Parameters
    ----------
    solution : Solution
        The solution.
    linked : bool
        Each number that is computed is a link to its step, counted from 1.

    Returns
    -------
    str
        An svg element, without style and script.
    """
    found: dict[str, tuple[int, Quantity]] = {}
    for place, step in enumerate((step for section in solution.derivation.sections for step in section.steps), start=1):
        if not step.replaces:
            found.setdefault(slot_of(step.quantity), (place, step.quantity))
    for quantity in used(solution):
        found.setdefault(slot_of(quantity), (0, quantity))
    drawn = Picture(solution, found, linked)
    widths = solution.net.widths
    height = FOOT + ROW * max(len(_drawn_units(n)) for n in widths)
    width = 2 * MARGIN + COLUMN * (len(widths) - 1) + WIDE
    table = words(solution.language)["page"]
    said = escape(table["picture_said"].format(widths=", ".join(map(str, widths))))
    leads = f" {escape(table['picture_leads'])}" if linked else ""
    parts = [
        _unit(drawn, height, layer, j) if j else _dots(drawn, height, layer)
        for layer, n in enumerate(widths)
        for j in _drawn_units(n)
    ]
    parts.append(_foot(drawn, width, height))
    layers = range(1, len(widths))
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    inside = "".join(
        [*(_edges(drawn, height, layer) for layer in layers), *parts, *(_edge_labels(drawn, height, layer) for layer in layers)]
    )
    return f'<svg {size} role="group" aria-label="{said}{leads}">{inside}</svg>'


def _foot(drawn: Picture, width: float, height: float) -> str:
    """Return what stands below the network: which example of a batch it shows, and the loss."""
    solution = drawn.solution
    loss = _label(drawn, slot("L"), width - MARGIN - WIDE, height - 10, "L")
    if len(solution.x) == 1:
        return loss
    form = words(solution.language)["worked"]["example"]
    shown_first = form.format(example=solution.part.example or 1)
    return f'<text class="example" x="16" y="{height - 10}" data-words="{escape(form)}">{escape(shown_first)}</text>{loss}'


def _drawn_units(n: int) -> list[int]:
    """Return the units of a layer that are drawn; 0 stands for those between."""
    return list(range(1, n + 1)) if n <= UNITS else [*range(1, FIRST + 1), 0, n]


def _place(drawn: Picture, height: float, layer: int, j: int) -> tuple[float, float]:
    """Return the centre of a unit: its layer's column is centred."""
    units = _drawn_units(drawn.solution.net.widths[layer])
    top = (height - FOOT - ROW * len(units)) / 2
    return MARGIN + COLUMN * layer, top + ROW * units.index(j) + 22 + RADIUS


def _pairs(drawn: Picture, layer: int) -> list[tuple[int, int]]:
    """Return the units j of a layer with the units k before it that lines lead from."""
    after, before = (_drawn_units(drawn.solution.net.widths[number]) for number in (layer, layer - 1))
    return [(j, k) for j in after for k in before if j and k]


def _edges(drawn: Picture, height: float, layer: int) -> str:
    """Return the lines into a layer."""
    lines = []
    for j, k in _pairs(drawn, layer):
        (x0, y0), (x1, y1) = _place(drawn, height, layer - 1, k), _place(drawn, height, layer, j)
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        dx, dy = (x1 - x0) / length * RADIUS, (y1 - y0) / length * RADIUS
        ends = f'x1="{x0 + dx:.1f}" y1="{y0 + dy:.1f}" x2="{x1 - dx:.1f}" y2="{y1 - dy:.1f}"'
        lines.append(f'<line class="edge" data-part="edge-{layer}-{j}-{k}" {ends}/>')
    return "".join(lines)


def _edge_labels(drawn: Picture, height: float, layer: int) -> str:
    """Return w and dL/dw of the lines into a layer, each at the first place on its line where no other label stands.

    A line that finds no room has none. Those whose derivatives are shown choose first.
    """
    labels = []
    taken: list[tuple[float, float]] = []
    for j, k in sorted(_pairs(drawn, layer), key=lambda pair: slot("dL_dw", layer, *pair) not in drawn.found):
        (x0, y0), (x1, y1) = _place(drawn, height, layer - 1, k), _place(drawn, height, layer, j)
        places = ((x0 + part * (x1 - x0), y0 + part * (y1 - y0)) for part in PLACES)
        free = ((x, y) for x, y in places if all(abs(x - x2) >= WIDE or abs(y - y2) >= HIGH for x2, y2 in taken))
        place = next(free, None)
        if place is None:
            continue
        taken.append(place)
        x, y = place
        w = Quantity("w", float(drawn.solution.net.layers[layer - 1].w[j - 1, k - 1]), layer, *_indices(drawn, j, k))
        labels.append(_label(drawn, slot("w", layer, j, k), x, y - 5, "w", w))
        labels.append(_label(drawn, slot("dL_dw", layer, j, k), x, y + 14, "dL/dw"))
    return "".join(labels)


def _indices(drawn: Picture, *units: int) -> tuple[int | None, ...]:
    return tuple(None if drawn.solution.derivation.chain else unit for unit in units)


def _unit(drawn: Picture, height: float, layer: int, j: int) -> str:
    """Return a unit: its letter above it, z and a in it, the derivatives and the bias below it."""
    x, y = _place(drawn, height, layer, j)
    solution, last = drawn.solution, len(drawn.solution.net.layers)
    example = (solution.part.example or 1) - 1
    circle = f'<circle class="unit" data-part="unit-{layer}-{j}" cx="{x}" cy="{y}" r="{RADIUS}"/>'
    letter = text(Quantity("a", 0.0, layer, *_indices(drawn, j)))
    name = f'<text class="letter" x="{x}" y="{y - RADIUS - 7}">{letter}</text>'
    below = y + RADIUS + 14
    if layer == 0:
        quantity = Quantity("a", float(solution.x[example, j - 1]), 0, *_indices(drawn, j))
        inside = _label(drawn, slot("a", 0, j), x, y + 5, "", quantity, "inside")
        return f"{circle}{name}{inside}{_label(drawn, slot('dL_da', 0, j), x, below, 'dL/dx')}"
    parts = [_label(drawn, slot("z", layer, j), x, y - 5, "z", side="inside")]
    parts.append(_label(drawn, slot("a", layer, j), x, y + 15, "a", side="inside"))
    # Where loss and output are joined there is no dL/da.
    joined = slot("dL_da", layer, j) not in drawn.found
    parts.append(_label(drawn, slot("dL_dz" if joined else "dL_da", layer, j), x, below, "dL/dz" if joined else "dL/da"))
    bias = Quantity("b", float(solution.net.layers[layer - 1].b[j - 1]), layer, *_indices(drawn, j))
    parts.append(_label(drawn, slot("b", layer, j), x, below + 14, "b", bias))
    parts.append(_label(drawn, slot("dL_db", layer, j), x, below + 28, "dL/db"))
    if layer == last:
        target = Quantity("y", float(solution.y[example, j - 1]), None, *_indices(drawn, j))
        parts.append(_label(drawn, slot("y", j), x + RADIUS + 4, y + 5, "y", target, "after"))
    return f"{circle}{name}{''.join(parts)}"


def _dots(drawn: Picture, height: float, layer: int) -> str:
    x, y = _place(drawn, height, layer, 0)
    return f'<text class="letter" x="{x}" y="{y}">⋮</text>'


def _label(drawn: Picture, name: str, x: float, y: float, letter: str, given: Quantity | None = None, side: str = "") -> str:
    """Return a slot with its number: a link to the step that computes it, plain where it is given, nothing otherwise."""
    place, quantity = drawn.found.get(name, (0, given))
    if given is not None:
        place, quantity = 0, given
    if quantity is None:
        return ""
    value = number(quantity.value, drawn.solution)
    said = escape(f"{text(quantity)} = {value}", quote=True)
    inner = f'<text class="slot {side}" x="{x:.1f}" y="{y:.1f}">{letter} <tspan>{escape(value)}</tspan></text>'
    if place and drawn.linked:
        return f'<a href="#step-{place}" data-slot="{name}" data-step="{place}" aria-label="{said}">{inner}</a>'
    return f'<g data-slot="{name}" data-said="{said}">{inner}</g>'
