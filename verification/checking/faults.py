"""What may be wrong with a submission: a mistake of the catalogue, a measured factor, or a step that does something unknown.

A fault is carried on: the reference makes it, too, and what it then gives is held against the submission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.mistakes import MISTAKES, Mistake
from verification.mistakes.carrying import Exchange
from verification.mistakes.reference import AT_Z, RIGHT, Layer, of_probability
from verification.submissions.conventions import factor_of, l2_share
from verification.submissions.protocol import Scene
from verification.submissions.support import Support

Array = npt.NDArray[Any]
ANYWHERE = ""
# The rows of a report card that each equation has, where it has one alone.
LOSS, JOINED, BINARY_JOINED, ALPHA = "loss", "(2) p − y", "(1) a − y", "dL/dα"


@dataclass(frozen=True, eq=False)
class Fault:
    """One thing that is wrong, ready to be carried on.

    Parameters
    ----------
    name : str
        The catalogue's name, or a name of what was measured.
    thought : str
        What is wrong, in a sentence.
    equation : int
        The equation of the notes that it breaks.
    exchange : Exchange
        What the reference does in its place.
    rows : tuple of str
        The rows of the report card that it makes wrong.
    mistake : Mistake or None
        The entry of the catalogue, if it is one.
    ignores : frozenset of str
        Kinds of quantities that are not compared, since the step that gives them does something unknown.
    single : bool
        Whether only networks with one example can be asked, since the step takes its numbers from the answer.
    convention : bool
        Whether it is another convention, and right by it.
    cost : int
        The fewer the likelier, of two that give the same numbers.
    within : str
        The networks in which alone it is made, in words; "" for all.
    """

    name: str
    thought: str
    equation: int
    exchange: Exchange
    rows: tuple[str, ...]
    mistake: Mistake | None = None
    ignores: frozenset[str] = frozenset()
    single: bool = False
    convention: bool = False
    cost: int = 1
    within: str = ""

    @property
    def known(self) -> bool:
        """Whether it says what the submission does, and not only where it does something else."""
        return not (self.ignores or self.single)

    @property
    def activations(self) -> frozenset[str] | None:
        """The activations whose g or g′ it is; None if it is no activation's own."""
        tables = (
            [steps for name, steps in (self.mistake.steps or {}).items() if name in ("g", "g_prime")] if self.mistake else []
        )
        if not tables or self.mistake is None or len(tables) < len(self.mistake.steps or {}):
            return None
        return frozenset().union(*tables)

    @property
    def place(self) -> str:
        """Where it is made, in words; "" for every layer of every network."""
        return ", ".join(filter(None, (place_in_words(self.exchange.where), self.within)))

    @property
    def told(self) -> str:
        """What is wrong, and where, unless the sentence says so already."""
        return f"{self.thought} ({self.place})" if self.place and self.place not in self.thought else self.thought


def place_in_words(where: str) -> str:
    """Return where an exchange is made, "hidden" or "2", in words; "" for every layer."""
    return {"": "", "hidden": "in the hidden layers", "output": "in the output layer"}.get(where, f"in layer {where}")


def rows_of(equation: int, steps: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the rows of a report card that an exchange of these steps makes wrong.

    Parameters
    ----------
    equation : int
        The equation that it breaks.
    steps : mapping of str to callable
        The steps.

    Returns
    -------
    tuple of str
        As `verification.checking.card.rows` names them.
    """
    if equation in (9, 12):
        table = steps.get("g" if equation == 9 else "g_prime")
        return tuple(f"({equation}) {name}" for name in table) if table else (f"({equation})",)
    if "binary_joined" in steps:
        return (BINARY_JOINED,)
    if equation in (1, 2, 10):
        return (JOINED,) if {"joined", "targets"} & set(steps) else (LOSS,)
    return (ALPHA,) if "alpha_gradient" in steps else (f"({equation})",)


def concerning(faults: Iterable[Fault], activations: Iterable[str]) -> list[Fault]:
    """Return the faults that can show with these activations."""
    known = set(activations)
    return [fault for fault in faults if fault.activations is None or fault.activations & known]


@cache
def catalogued() -> tuple[Fault, ...]:
    """Return the faults that the catalogue's mistakes are, made in every layer; those of a forward pass in several variants."""
    found = []
    for mistake in MISTAKES:
        if mistake.steps is None:
            continue
        for steps in _variants(mistake.steps):
            rows = rows_of(mistake.equation, mistake.steps)
            found.append(Fault(mistake.name, mistake.thought, mistake.equation, Exchange(steps), rows, mistake))
    return (*found, *CONVENTIONS, *KINKS)


def _variants(steps: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps; of a wrong activation also with the loss from probabilities, and with g′ taken at z."""
    yield steps
    at_z = {} if "g_prime" in steps else {"g_prime": AT_Z}
    if "derivative" in steps:
        yield {**steps, **at_z}
    if {"g", "activation"} & set(steps):
        of_a = {
            "cross_entropy": lambda layer: -(layer.run.y * np.log(layer.a)).sum(axis=1),
            "binary_cross_entropy": of_probability,
        }
        yield {**steps, **of_a}
        if at_z:
            yield {**steps, **at_z}
            yield {**steps, **at_z, **of_a}


CONVENTIONS = (
    Fault(
        "half-squared-error",
        "the loss carries a 1/2, and dL/da is its derivative",
        10,
        Exchange(
            {
                "squared_error": lambda layer: ((layer.a - layer.run.y) ** 2).sum(axis=1) / 2,
                "output_derivative": lambda layer: layer.a - layer.run.y,
            }
        ),
        (LOSS, "(4)"),
        convention=True,
    ),
    Fault(
        "mean-squared-error",
        "the loss is the mean over the outputs, too, and dL/da is its derivative",
        10,
        Exchange(
            {
                "squared_error": lambda layer: ((layer.a - layer.run.y) ** 2).mean(axis=1),
                "output_derivative": lambda layer: 2 * (layer.a - layer.run.y) / layer.a.shape[1],
            }
        ),
        (LOSS, "(4)"),
        convention=True,
    ),
)


def faults_for(support: Support) -> tuple[Fault, ...]:
    """Return the faults that a submission may have by what it declares: the catalogue's, and those of a term of l2.

    Parameters
    ----------
    support : Support
        Who declares ½ Σ (a − y)² has not forgotten the 2.

    Returns
    -------
    tuple of Fault
        Made in every layer.
    """
    own = support.squared_error != "squared_error"
    found = tuple(each for each in catalogued() if not (own and (each.convention or each.name == "output-without-2")))
    return (*found, *_of_l2(support)) if support.l2 and support.l2_form else found


def _of_l2(support: Support) -> Iterator[Fault]:
    """Yield what goes wrong with a term of l2. What is put back into the notes' conventions has lost the right one."""

    def share(layer: Layer) -> Any:
        return factor_of(layer.run.network, support) * l2_share(layer.run.network, layer.run.x, support)

    def of_weights(times: float) -> dict[str, Any]:
        return {"weight_gradient": lambda layer: RIGHT.weight_gradient(layer) + times * share(layer) * layer.w}

    def of_loss(times: float) -> dict[str, Any]:
        return {
            "loss": lambda run: (
                RIGHT.loss(run) + times * share(run.last) / 2 * sum(float((layer.w**2).sum()) for layer in run.layers)
            )
        }

    of_biases = {"bias_gradient": lambda layer: RIGHT.bias_gradient(layer) + share(layer) * layer.b}
    for name, thought, equation, steps, rows in (
        ("l2-forgotten", "dL/dw lacks the derivative of the term of l2", 11, of_weights(-1), ("(11)",)),
        ("l2-subtracted", "the derivative of the term of l2 is subtracted from dL/dw", 11, of_weights(-2), ("(11)",)),
        ("l2-on-biases", "dL/db has a term of l2, though the loss has none of the biases", 7, of_biases, ("(7)",)),
        ("l2-not-in-the-loss", "the loss lacks the term of l2 whose derivative dL/dw has", 10, of_loss(-1), (LOSS,)),
        ("l2-loss-too-large", "the loss has twice the term of l2 whose derivative dL/dw has", 10, of_loss(1), (LOSS,)),
        ("l2-loss-too-small", "the loss has half the term of l2 whose derivative dL/dw has", 10, of_loss(-0.5), (LOSS,)),
    ):
        yield Fault(name, thought, equation, Exchange(steps), rows)


def narrowed(faults: Iterable[Fault], layers: Sequence[int]) -> list[Fault]:
    """Return the faults made in some layers alone.

    Parameters
    ----------
    faults : iterable of Fault
        Made in every layer.
    layers : sequence of int
        How many layers the networks have.

    Returns
    -------
    list of Fault
        For each that takes a layer: in the hidden layers, in the output layer, and in each layer by its number.
    """
    found = places(layers)
    return [
        replace(each, exchange=Exchange(each.exchange.steps, place), cost=each.cost + 1)
        for each in faults
        if each.exchange.can_be_narrowed
        for place in found
    ]


def places(layers: Sequence[int]) -> list[str]:
    """Return the places worth telling apart in networks of so many layers."""
    most = max(layers, default=1)
    if most == 1:
        return []
    # With three layers and always three, each has a name of its own; otherwise a number names another place in each network.
    return ["hidden", "output", *(map(str, range(1, most)) if most > 2 and min(layers) == most else ())]


def _at_zero(name: str, value: float) -> Fault:
    """Return the fault of another g′(0) than PyTorch's, which shows only where that is taken for the only right one."""

    def g_prime(layer: Layer) -> Array:
        return np.where(layer.z == 0, np.asarray(value, layer.z.dtype), RIGHT.g_prime[name](layer))

    text = f"g′ of {name} at z = 0 is taken for {value:g}, not as PyTorch takes it"
    return Fault("another-kink", text, 12, Exchange({"g_prime": {name: g_prime}}), (f"(12) {name}",))


KINKS = tuple(_at_zero(name, value) for name in ("relu", "leaky_relu", "prelu") for value in (1.0, 0.5))

CIRCUMSTANCES: dict[str, Callable[[Scene], bool]] = {
    "for a batch of one example": lambda scene: scene.x.ndim == 2 and len(scene.x) == 1,
    "for more than one example": lambda scene: scene.x.ndim == 2 and len(scene.x) > 1,
    "with one output": lambda scene: scene.network.widths[-1] == 1,
    "with several outputs": lambda scene: scene.network.widths[-1] > 1,
    "with one input": lambda scene: scene.network.widths[0] == 1,
    "in networks with squared error": lambda scene: scene.network.loss == "squared_error",
    "in networks with cross-entropy": lambda scene: scene.network.loss == "cross_entropy",
    "in networks with binary cross-entropy": lambda scene: scene.network.loss == "binary_cross_entropy",
    "where the loss is a mean": lambda scene: scene.network.reduction == "mean",
    "where the loss is a sum": lambda scene: scene.network.reduction == "sum",
    "for a batch": lambda scene: scene.x.ndim == 2,
    "for one example without a batch axis": lambda scene: scene.x.ndim == 1,
    "for class indices": lambda scene: scene.y.ndim < scene.x.ndim,
    "for targets as rows": lambda scene: scene.y.ndim == scene.x.ndim,
    "in square layers": lambda scene: len(set(scene.network.widths)) == 1,
    "in layers that are not square": lambda scene: len(set(scene.network.widths)) > 1,
    "in networks of one layer": lambda scene: len(scene.network.weights) == 1,
    "in networks of several layers": lambda scene: len(scene.network.weights) > 1,
}
