"""What may be wrong with a submission: a mistake of the catalogue, a measured factor, or a step that does something unknown.

A fault is carried on: the reference makes it, too, and what it then gives is held against the submission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.mistakes import MISTAKES, Mistake
from verification.mistakes.carrying import Changed, Exchange
from verification.mistakes.reference import AT_Z, Layer
from verification.submissions.protocol import Scene

Array = npt.NDArray[Any]
ANYWHERE = ""
# The rows of a report card that each equation has, where it has one alone.
LOSS, JOINED, ALPHA = "loss", "(2) p − y", "dL/dα"


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
    within : str
        The networks in which alone it is made, in words; "" for all.
    cost : int
        The fewer the likelier, of two that give the same numbers.
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
        return ", ".join(filter(None, (_place(self.exchange.where), self.within)))


def _place(where: str) -> str:
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
    return (*found, *CONVENTIONS)


def _variants(steps: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps; of a wrong activation also with the loss from probabilities, and with g′ taken at z."""
    yield steps
    at_z = {} if "g_prime" in steps else {"g_prime": AT_Z}
    if "derivative" in steps:
        yield {**steps, **at_z}
    if {"g", "activation"} & set(steps):
        of_a = {"cross_entropy": lambda layer: -(layer.run.y * np.log(layer.a)).sum(axis=1)}
        yield {**steps, **of_a}
        if at_z:
            yield {**steps, **at_z}
            yield {**steps, **at_z, **of_a}


# A smaller number is taken for a clip of probabilities if it comes again and again.
LARGEST_CLIP = 0.1

CONVENTIONS = (
    Fault(
        "half-squared-error",
        "the loss carries a 1/2, and the gradient is that of this loss",
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
        "the loss is the mean over the outputs, too, and the gradient is that of this loss",
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
    places = _places(layers)
    return [
        replace(each, exchange=Exchange(each.exchange.steps, place), cost=each.cost + 1)
        for each in faults
        if each.exchange.can_be_narrowed
        for place in places
    ]


def _places(layers: Sequence[int]) -> list[str]:
    """Return the places worth telling apart in networks of so many layers."""
    most = max(layers, default=1)
    if most == 1:
        return []
    # With three layers and always three, each has a name of its own; otherwise a number names another place in each network.
    return ["hidden", "output", *(map(str, range(1, most)) if most > 2 and min(layers) == most else ())]


# Which step gives a kind of quantity, and the equation and row that it is.
OF_KIND = {"w": ("weight_gradient", 11, "(11)"), "b": ("bias_gradient", 7, "(7)"), "alpha": ("alpha_gradient", 11, ALPHA)}
DERIVATIVE = {"w": "dL/dw", "b": "dL/db", "alpha": "dL/dα", "loss": "the loss"}


@dataclass(frozen=True, eq=False)
class Ratios:
    """What a submission gave beside what a model gives, quantity by quantity, over several networks.

    Parameters
    ----------
    rows : list of (kind, layer, layers, activation, loss, ratios)
        One for each compared quantity that is wrong; ratios of the numbers that are not 0.
    """

    rows: list[tuple[str, int, int, str, str, Array]] = field(default_factory=list)


def constant(ratios: Sequence[Array]) -> float | None:
    """Return the number that all the ratios are, or None."""
    numbers = np.concatenate([np.ravel(each) for each in ratios]) if ratios else np.empty(0)
    if numbers.size < 3 or not np.isfinite(numbers).all():
        return None
    middle = float(np.median(numbers))
    if abs(middle - 1) < 1e-6 or not (np.abs(numbers - middle) <= 1e-7 * abs(middle)).all():
        return None
    # What was typed has few digits; what was measured has a rounding error in its last ones.
    return round(middle, 12) if abs(middle) > 1e-3 else middle


def _scaled(factor: float) -> Changed:
    return Changed(lambda before, answer: lambda layer: before(layer) * factor)


def measured(ratios: Ratios) -> list[Fault]:
    """Return the faults that are one constant factor.

    Parameters
    ----------
    ratios : Ratios
        Of the networks on which the model does not do as the submission.

    Returns
    -------
    list of Fault
        Each step that would give what came if it were this many times what it is.
    """
    found = []
    layers = [row[2] for row in ratios.rows]
    for kind, (step, equation, row_name) in OF_KIND.items():
        for where in (ANYWHERE, *_places(layers)):
            factor = constant([row[5] for row in ratios.rows if row[0] == kind and _is_in(where, row[1], row[2])])
            if factor is not None:
                what = f"{DERIVATIVE[kind]}{' ' if where else ''}{_place(where)} is {_times(factor)} what it should be"
                steps = {step: _scaled(factor)}
                found.append(_factor(f"{kind}-times", what, equation, steps, row_name, where))
    found += _upstream_factors(ratios)
    for loss, (equation, step) in {"squared_error": (10, "squared_error"), "cross_entropy": (2, "cross_entropy")}.items():
        factor = constant([row[5] for row in ratios.rows if row[0] == "loss" and row[4] == loss])
        if factor is not None:
            found.append(
                _factor(
                    "loss-times", f"the loss is {_times(factor)} what it should be", equation, {step: _scaled(factor)}, LOSS
                )
            )
    return found


def _upstream_factors(ratios: Ratios) -> list[Fault]:
    """Return the factors of what goes back: at the output, of a g′, or from layer to layer."""
    found = []
    at_output = [row for row in ratios.rows if row[0] == "b" and row[1] == row[2]]
    factor = constant([row[5] for row in at_output if row[4] == "squared_error"])
    if factor is not None:
        text = f"dL/da at the output is {_times(factor)} what it should be"
        found.append(_factor("output-times", text, 4, {"output_derivative": _scaled(factor)}, "(4)"))
    factor = constant([row[5] for row in at_output if row[4] == "cross_entropy"])
    if factor is not None:
        found.append(_factor("joined-times", f"p − y comes {_times(factor)}", 2, {"joined": _scaled(factor)}, JOINED))
    for name in sorted({row[3] for row in ratios.rows}):
        own = [
            row
            for row in ratios.rows
            if row[0] == "b" and row[3] == name and not (row[1] == row[2] and row[4] != "squared_error")
        ]
        factor = constant([row[5] for row in own])
        if factor is not None:
            steps = {"g_prime": {name: _scaled(factor)}}
            found.append(
                _factor("g-prime-times", f"g′ of {name} is {_times(factor)} what it should be", 12, steps, f"(12) {name}")
            )
    factor = constant([row[5] for row in ratios.rows if row[0] == "b" and row[1] == row[2] - 1])
    if factor is not None:
        text = f"what goes back to the layer before is {_times(factor)} what it should be"
        found.append(_factor("upstream-times", text, 14, {"upstream": _scaled(factor)}, "(14)"))
    return found


def _factor(name: str, text: str, equation: int, steps: Mapping[str, Any], row: str, where: str = ANYWHERE) -> Fault:
    return Fault(name, text, equation, Exchange(steps, where), (row,), cost=2 if not where else 3)


def _is_in(where: str, number: int, layers: int) -> bool:
    if where in ("hidden", "output"):
        return (number == layers) == (where == "output")
    return not where or number == int(where)


def _times(factor: float) -> str:
    for whole in range(2, 11):
        if abs(factor * whole - 1) < 1e-9:
            return f"1/{whole} of"
    return "minus" if factor == -1 else f"{factor:g} times"


def clipped(answers: Sequence[tuple[Scene, Mapping[str, Array]]]) -> list[Fault]:
    """Return the faults that are a clip, whose bound is the largest number that is ever seen, and is seen again and again.

    Parameters
    ----------
    answers : sequence of (Scene, mapping)
        Scenes with the answers about them.

    Returns
    -------
    list of Fault
        dL/dz clipped, dL/dw clipped, and probabilities clipped, at the measured bounds.
    """
    found = []
    singles = [(scene, arrays) for scene, arrays in answers if scene.x.ndim == 1 or len(scene.x) == 1]
    at = _repeated([np.abs(arrays[name]).max() for _, arrays in singles for name in arrays if name.startswith("b")])
    if at is not None:
        steps = {"through_activation": _clip(at), "joined": _clip(at)}
        found.append(Fault("error-clipped", f"dL/dz is clipped at {at:g}", 12, Exchange(steps), ("(12)",), cost=2))
    at = _repeated([np.abs(arrays[name]).max() for _, arrays in answers for name in arrays if name.startswith("w")])
    if at is not None:
        for steps in ({"weight_gradient": _clip(at)}, {"weight_gradient": _clip(at), "bias_gradient": _clip(at)}):
            found.append(Fault("weights-clipped", f"dL/dw is clipped at {at:g}", 11, Exchange(steps), ("(11)",), cost=2))
    errors: list[float] = []
    for scene, arrays in singles:
        last = f"b{len(scene.network.weights)}"
        if scene.network.loss == "cross_entropy" and last in arrays:
            of_scene = np.asarray(arrays[last], float)
            errors += of_scene[(of_scene > 0) & (of_scene < LARGEST_CLIP)].tolist()
    at = _repeated(errors)
    return found if at is None else [*found, *_clipped_probabilities(at)]


def _clipped_probabilities(least: float) -> list[Fault]:
    """Return the faults that are p held within [least, 1 − least] in p − y, with the loss and without it."""
    text = f"probabilities are clipped to [{least:g}, 1 − {least:g}]"

    def joined(layer: Layer) -> Array:
        return np.asarray(np.clip(layer.a, least, 1 - least) - layer.run.y)

    def cross_entropy(layer: Layer) -> Array:
        return np.asarray(-(layer.run.y * np.log(np.clip(layer.a, least, 1 - least))).sum(axis=1))

    both = ({"joined": joined, "cross_entropy": cross_entropy}, {"joined": joined})
    return [Fault("joined-clipped", text, 2, Exchange(steps), (JOINED,), cost=2) for steps in both]


def _repeated(numbers: Sequence[float]) -> float | None:
    """Return the number that is there most often, three times at least, but for rounding."""
    counted = Counter(float(f"{each:.10g}") for each in numbers if each and np.isfinite(each))
    if not counted:
        return None
    number, times = counted.most_common(1)[0]
    return number if times >= 3 else None


def _clip(at: float) -> Changed:
    return Changed(lambda before, answer: lambda layer: np.clip(before(layer), -at, at))


def unknown(
    activations: Sequence[str], losses: Sequence[str], layers: Sequence[int], at_output: Collection[str]
) -> list[Fault]:
    """Return the faults that say where something else is done, and not what.

    Parameters
    ----------
    activations, losses : sequence of str
        Those that the submission takes.
    layers : sequence of int
        How many layers the networks have.
    at_output : collection of str
        Activations that are seen at an output whose g′ counts: wrong in hidden layers alone, they are not what is wrong.

    Returns
    -------
    list of Fault
        What is made elsewhere of the submission's own numbers of that step must be right.
    """
    found = []
    for kind, (_, equation, row) in OF_KIND.items():
        text = f"{DERIVATIVE[kind]} is made in another way than the notes say"
        found.append(Fault(f"{kind}-otherwise", text, equation, Exchange({}), (row,), ignores=frozenset({kind}), cost=5))
    found.append(
        Fault("loss-otherwise", "the loss is another one", 10, Exchange({}), (LOSS,), ignores=frozenset({"loss"}), cost=5)
    )
    taken = Changed(_taken)
    for name in activations:
        steps = {"through_activation": Changed(partial(_taken_of, name))}
        text = f"dL/dz of a layer with {name} is not da/dz · dL/da"
        found.append(
            Fault(
                "g-prime-otherwise",
                text,
                12,
                Exchange(steps),
                (f"(12) {name}",),
                single=True,
                cost=8 if name in at_output else 6,
            )
        )
    if max(layers, default=1) > 1:
        text = "what reaches the hidden layers is not Σ_j dz_j/da_k · da_j/dz_j · dL/da_j"
        steps = {"through_activation": taken}
        found.append(Fault("upstream-otherwise", text, 14, Exchange(steps, "hidden"), ("(14)",), single=True, cost=7))
    if "squared_error" in losses:
        text = "dL/dz of the output layer is not g′(z) · 2 (a − y)"
        found.append(
            Fault("output-otherwise", text, 4, Exchange({"through_activation": taken}, "output"), ("(4)",), single=True, cost=7)
        )
    if "cross_entropy" in losses:
        text = "dL/dz of the output layer is not p − y"
        found.append(Fault("joined-otherwise", text, 2, Exchange({"joined": taken}), (JOINED,), single=True, cost=7))
    return found


def _taken(before: Any, answer: Mapping[str, Array]) -> Any:
    """Return the step that takes dL/dz of one example from the submission's dL/db."""

    def taken(layer: Layer) -> Array:
        before(layer)
        given = answer.get(f"b{layer.number}")
        return np.full_like(layer.z, np.nan) if given is None else np.asarray(given, layer.z.dtype)[None]

    return taken


def _taken_of(name: str, before: Any, answer: Mapping[str, Array]) -> Any:
    take = _taken(before, answer)
    return lambda layer: take(layer) if layer.activation == name else before(layer)


CIRCUMSTANCES: dict[str, Callable[[Scene], bool]] = {
    "for a batch of one example": lambda scene: scene.x.ndim == 2 and len(scene.x) == 1,
    "for more than one example": lambda scene: scene.x.ndim == 2 and len(scene.x) > 1,
    "with one output": lambda scene: scene.network.widths[-1] == 1,
    "with several outputs": lambda scene: scene.network.widths[-1] > 1,
    "with one input": lambda scene: scene.network.widths[0] == 1,
    "in networks with squared error": lambda scene: scene.network.loss == "squared_error",
    "in networks with cross-entropy": lambda scene: scene.network.loss == "cross_entropy",
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
