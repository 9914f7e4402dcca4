"""The report card: every equation that a submission uses, right, wrong, or why it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from verification.bounds.quantities import is_derivative, kind_of
from verification.checking.faults import ALPHA, BINARY_JOINED, JOINED, LOSS
from verification.submissions.description import Description
from verification.submissions.support import Support

# Rows that stand in a report card where something is wrong, and are no equations.
IN_ROWS, NOTHING = "rows of calls", "gradient"
NO_EQUATIONS = (IN_ROWS, NOTHING)
ROWS_OF_JOINED = {"cross_entropy": JOINED, "binary_cross_entropy": BINARY_JOINED}
RIGHT, WRONG, UNTOLD, UNUSED = "right", "wrong", "cannot be told", "not used"


@dataclass(frozen=True)
class Row:
    """What is said of one equation.

    Parameters
    ----------
    equation : str
        "(12) tanh": the equation, and the activation where each has its own.
    state : str
        RIGHT, WRONG, UNTOLD or UNUSED.
    why : str
        What is wrong, or why it cannot be told; "" otherwise.
    """

    equation: str
    state: str
    why: str = ""


def rows(support: Support) -> list[str]:
    """Return the equations that a submission with this declaration uses, in the order of one pass.

    Parameters
    ----------
    support : Support
        What it takes.

    Returns
    -------
    list of str
        "(8)", "(9) relu", …, "loss", "(4)", "(2) p − y", "(1) a − y", "(12) relu", …, "(13)", "(7)", "(11)", "dL/dα", "(14)".
    """
    deep = support.layer_range[1] != 1
    hidden = tuple(support.activations) if deep else ()
    outputs, losses = support.outputs or (), support.losses_drawn
    squared = outputs if "squared_error" in losses else ()
    names = [name for name in (*hidden, *outputs) if name != "identity"]
    # Softmax under cross-entropy has p − y in place of a derivative of its own, and the sigmoid a − y.
    derived = [name for name in (*hidden, *squared) if name != "identity"]
    return [
        "(8)",
        *(f"(9) {name}" for name in dict.fromkeys(names)),
        LOSS,
        *(["(4)"] if squared else []),
        *(row for loss, row in ROWS_OF_JOINED.items() if loss in losses),
        *(f"(12) {name}" for name in dict.fromkeys(derived)),
        "(13)",
        *(["(7)"] if support.biases else []),
        "(11)",
        *([ALPHA] if "prelu" in names else []),
        *(["(14)"] if deep else []),
    ]


def shown_by(network: Description, name: str) -> set[str]:
    """Return the equations that a quantity is made by, so that they are right if it is.

    Parameters
    ----------
    network : Description
        The network.
    name : str
        "w1", "b1", "alpha1" or "loss"; any other quantity shows nothing here.

    Returns
    -------
    set of str
        Rows as `rows` names them.
    """
    kind = kind_of(name)
    if kind != "loss" and not is_derivative(name):
        return set()
    layers = len(network.weights)
    found = {"(8)", *(f"(9) {each}" for each in network.activations)}
    if kind == "loss":
        return found | {LOSS}
    number = int(name.removeprefix(kind))
    joined = network.loss in ROWS_OF_JOINED
    found.add(ROWS_OF_JOINED.get(network.loss, "(4)"))
    passed = network.activations[number - (kind != "alpha") : layers - joined]
    found |= {f"(12) {each}" for each in passed}
    if number < layers:
        found.add("(14)")
    return found | {"w": {"(13)", "(11)"}, "b": {"(7)"}, "alpha": {ALPHA}}[kind]


def card(
    support: Support, right: Iterable[tuple[Description, Sequence[str]]], wrong: Mapping[str, str], gives_loss: bool
) -> tuple[Row, ...]:
    """Return the report card.

    Parameters
    ----------
    support : Support
        What the submission takes.
    right : iterable of (Description, sequence of str)
        Networks, each with the quantities that came right on it, or as right as what was wrong before them allows.
    wrong : mapping of str to str
        Rows that are wrong, and what is wrong with them. "(12)" without an activation is every activation's.
    gives_loss : bool
        Whether it returns a loss.

    Returns
    -------
    tuple of Row
        One for each of `rows`, and for each that is wrong besides.
    """
    shown: set[str] = set()
    seen: set[str] = set()
    for network, names in right:
        seen |= set(network.activations)
        for name in names:
            shown |= shown_by(network, name)
    known = rows(support)
    told: dict[str, str] = {}
    for row, why in wrong.items():
        # An equation that every activation has is wrong for each of them.
        for each in [each for each in known if each == row or each.startswith(f"{row} ")] or [row]:
            told[each] = why
    first = next(iter(told), "")
    found = []
    for row in dict.fromkeys([*known, *told]):
        if row in told:
            found.append(Row(row, WRONG, told[row]))
        elif row == LOSS and not gives_loss:
            found.append(Row(row, UNUSED, "it returns no loss"))
        elif row in shown:
            found.append(Row(row, RIGHT))
        elif not first or _activation_of(row) not in {"", *seen}:
            found.append(Row(row, UNUSED, "no network that was asked about uses it"))
        else:
            why = "nothing right shows it" if first in NO_EQUATIONS else f"{first} is wrong wherever it is used"
            found.append(Row(row, UNTOLD, why))
    return tuple(found)


def _activation_of(row: str) -> str:
    number, _, name = row.partition(" ")
    return name if number in ("(9)", "(12)") else ""


def share(of: Sequence[Row]) -> tuple[int, int]:
    """Return how many equations are right, and how many were asked for: the partial credit.

    Parameters
    ----------
    of : sequence of Row
        A report card.

    Returns
    -------
    tuple of int
        Right, and right, wrong and untold together.
    """
    asked = [row for row in of if row.state != UNUSED and row.equation not in NO_EQUATIONS]
    return sum(row.state == RIGHT for row in asked), len(asked)
