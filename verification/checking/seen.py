"""The numbers that show what is wrong: the first wrong one, the network, and the right way through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.entries import Entry
from verification.bounds.quantities import is_derivative, quantities
from verification.checking.grading import Grade
from verification.random_networks.cases import Case
from verification.submissions.conventions import handed_over, in_own_terms, own_index
from verification.submissions.description import describe
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# So many numbers of a network fit into a line.
SHOWN = 16


def first_wrong(case: Case, wrong: Sequence[Entry], support: Support, *, withhold: bool = False) -> list[str]:
    """Return the first wrong number beside the right one, as the submission's author wrote it, and the network.

    Parameters
    ----------
    case : Case
        The network with its data.
    wrong : sequence of Entry
        What is wrong, at least one.
    support : Support
        What the submission declares of its conventions.
    withhold : bool
        Leave out the right number.

    Returns
    -------
    list of str
        One line, or three with the network's.
    """
    of, x = describe(case.net), np.asarray(case.x)
    # A derivative tells more than an intermediate does that nobody asked for, and a loss less.
    first = next((entry for entry in wrong if entry.name != "loss"), wrong[0])
    index = own_index(first.name, first.index, support)
    place = f"{first.name}[{', '.join(map(str, index))}]" if index else first.name
    name = f"dL/d{place}" if first.name == "x" or is_derivative(first.name) else place
    if first.problem:
        return [f"{name} {first.problem}"]
    given, expected = (
        in_own_terms(first.name, first.index, float(number), of, x, support) for number in (first.given, first.expected)
    )
    right = "" if withhold else f", should be {expected:.6g}"
    ratio = given / expected if expected else np.nan
    if not withhold and np.isfinite(ratio) and ratio != 0 and abs(ratio - 1) > 1e-3:
        right += f" ({ratio:.4g} times that)"
    return [f"{name} came as {given:.6g}{right}", *_network_lines(case, support)]


def data(case: Case) -> str:
    """Return the data of an earlier call in a line, if it is little."""
    x, y = np.asarray(case.x), np.asarray(case.y)
    return f"x = {numbers(x)}, y = {numbers(y)}" if x.size + y.size <= SHOWN else f"a batch with x of shape {x.shape}"


def _network_lines(case: Case, support: Support) -> list[str]:
    """Return the network in two lines, as the submission is handed it: what it is, and its numbers if they are few."""
    net, x, y = case
    widths, names = "-".join(map(str, net.widths)), ", ".join(layer.activation.name for layer in net.layers)
    told, x, targets = handed_over(describe(net), np.asarray(x), np.asarray(y), support)
    what = f"on the network {widths}, {names}; {told.loss}, {net.reduction}"
    arrays = {**told.named(), "x": x, "y": np.asarray(targets)}
    if sum(array.size for array in arrays.values()) > SHOWN:
        return [f"{what} (its numbers: --verbose)"]
    return [what, "with " + ", ".join(f"{name} = {numbers(array)}" for name, array in arrays.items())]


def worked(case: Case, grade: Grade, arrays: Mapping[str, Array], *, withhold: bool = False) -> list[str]:
    """Return the right way through the smallest network, quantity by quantity, beside what the submission gave.

    Parameters
    ----------
    case : Case
        The network with its data.
    grade : Grade
        What the answer is worth.
    arrays : mapping of str to ndarray
        The answer, by the notes' conventions.
    withhold : bool
        Leave out the right numbers.

    Returns
    -------
    list of str
        A line a quantity: its equation, the right numbers, what came, and a mark where that is wrong.
    """
    net, x, y = case
    with np.errstate(all="ignore"):
        right = quantities(net.trace(x, y))
    wrong = {entry.name for entry in grade.wrong}
    equations = {entry.name: entry.equation for entry in grade.entries}
    lines = [f"  x = {numbers(np.asarray(x))}, y = {numbers(np.asarray(y))}"]
    lines += [f"  {name} = {numbers(array)}" for name, array in net.named().items()]
    head = f"  {'quantity':<9} {'equation':<10} " + ("" if withhold else f"{'right':<28} ") + "came"
    lines += ["", head]
    for name, array in _in_order(right, len(net.layers)).items():
        came = numbers(arrays[name]) if name in arrays else "-"
        mark = "   <- wrong" if name in wrong else ""
        shown = "" if withhold else f"{numbers(array):<28} "
        lines.append(f"  {name:<9} {equations.get(name, ''):<10} {shown}{came}{mark}")
    return lines


def _in_order(right: dict[str, Array], layers: int) -> dict[str, Array]:
    names = [f"{kind}{number}" for number in range(1, layers + 1) for kind in ("z", "a")] + ["loss"]
    for number in range(layers, 0, -1):
        names += [f"{kind}{number}" for kind in ("dL_da", "da_dz", "dL_dz", "w", "b", "alpha")]
    return {name: right[name] for name in [*names, "x"] if name in right}


def numbers(array: Array) -> str:
    """Return an array in one line."""
    text = np.array2string(np.asarray(array), separator=", ", precision=6, max_line_width=10**6)
    return " ".join(text.split())
