"""Faults with numbers of their own, measured: a constant factor, a clip; and the steps that do something unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from verification.checking.faults import ALPHA, ANYWHERE, BINARY_JOINED, JOINED, LOSS, Fault, place_in_words, places
from verification.mistakes.carrying import Changed, Exchange
from verification.mistakes.reference import Layer
from verification.submissions.protocol import Scene

Array = npt.NDArray[Any]

# The losses whose derivative at the output is joined with that of the activation.
JOINED_LOSSES = ("cross_entropy", "binary_cross_entropy")
# A smaller number is taken for a clip of probabilities if it comes again and again.
LARGEST_CLIP = 0.1

# Which step gives a kind of quantity, and the equation and row that it is.
OF_KIND = {"w": ("weight_gradient", 11, "(11)"), "b": ("bias_gradient", 7, "(7)"), "alpha": ("alpha_gradient", 11, ALPHA)}
OF_LOSS = {"squared_error": 10, "cross_entropy": 2, "binary_cross_entropy": 1}
DERIVATIVE = {"w": "dL/dw", "b": "dL/db", "alpha": "dL/dα", "loss": "the loss"}


class Ratio(NamedTuple):
    """One quantity that a submission gave beside what a model gives, number by number.

    Parameters
    ----------
    kind : str
        "w", "b", "alpha" or "loss".
    layer, layers : int
        Of which layer, of how many.
    activation, loss : str
        The layer's activation, and the network's loss.
    values : ndarray
        The ratios of the numbers that are not 0; ones where the quantity is right.
    """

    kind: str
    layer: int
    layers: int
    activation: str
    loss: str
    values: Array


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


def measured(ratios: Sequence[Ratio]) -> list[Fault]:
    """Return the faults that are one constant factor.

    Parameters
    ----------
    ratios : sequence of Ratio
        Of all quantities of the evidence, right and wrong: a factor must be that of every one it concerns.

    Returns
    -------
    list of Fault
        Each step that would give what came if it were this many times what it is.
    """
    found = []
    layers = [row.layers for row in ratios]
    for kind, (step, equation, row_name) in OF_KIND.items():
        for where in (ANYWHERE, *places(layers)):
            factor = constant([row.values for row in ratios if row.kind == kind and _is_in(where, row.layer, row.layers)])
            if factor is not None:
                what = f"{DERIVATIVE[kind]}{' ' if where else ''}{place_in_words(where)} is {_times(factor)} what it should be"
                steps = {step: _scaled(factor)}
                found.append(_factor(f"{kind}-times", what, equation, steps, row_name, where))
    found += _upstream_factors(ratios)
    # The step that gives a loss goes by the loss's own name.
    for loss, equation in OF_LOSS.items():
        factor = constant([row.values for row in ratios if row.kind == "loss" and row.loss == loss])
        if factor is not None:
            found.append(
                _factor(
                    "loss-times", f"the loss is {_times(factor)} what it should be", equation, {loss: _scaled(factor)}, LOSS
                )
            )
    return found


def _upstream_factors(ratios: Sequence[Ratio]) -> list[Fault]:
    """Return the factors of what goes back: at the output, of a g′, or from layer to layer."""
    found = []
    at_output = [row for row in ratios if row.kind == "b" and row.layer == row.layers]
    factor = constant([row.values for row in at_output if row.loss == "squared_error"])
    if factor is not None:
        text = f"dL/da at the output is {_times(factor)} what it should be"
        found.append(_factor("output-times", text, 4, {"output_derivative": _scaled(factor)}, "(4)"))
    factor = constant([row.values for row in at_output if row.loss == "cross_entropy"])
    if factor is not None:
        found.append(_factor("joined-times", f"p − y comes {_times(factor)}", 2, {"joined": _scaled(factor)}, JOINED))
    factor = constant([row.values for row in at_output if row.loss == "binary_cross_entropy"])
    if factor is not None:
        text = f"a − y comes {_times(factor)}"
        found.append(_factor("binary-joined-times", text, 1, {"binary_joined": _scaled(factor)}, BINARY_JOINED))
    for name in sorted({row.activation for row in ratios}):
        own = [
            row
            for row in ratios
            if row.kind == "b" and row.activation == name and not (row.layer == row.layers and row.loss != "squared_error")
        ]
        factor = constant([row.values for row in own])
        if factor is not None:
            steps = {"g_prime": {name: _scaled(factor)}}
            found.append(
                _factor("g-prime-times", f"g′ of {name} is {_times(factor)} what it should be", 12, steps, f"(12) {name}")
            )
    factor = constant([row.values for row in ratios if row.kind == "b" and row.layer == row.layers - 1])
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
        steps = {"through_activation": _clip(at), "joined": _clip(at), "binary_joined": _clip(at)}
        found.append(Fault("error-clipped", f"dL/dz is clipped at {at:g}", 12, Exchange(steps), ("(12)",), cost=2))
    at = _repeated([np.abs(arrays[name]).max() for _, arrays in answers for name in arrays if name.startswith("w")])
    if at is not None:
        for steps in ({"weight_gradient": _clip(at)}, {"weight_gradient": _clip(at), "bias_gradient": _clip(at)}):
            found.append(Fault("weights-clipped", f"dL/dw is clipped at {at:g}", 11, Exchange(steps), ("(11)",), cost=2))
    errors: list[float] = []
    for scene, arrays in singles:
        last = f"b{len(scene.network.weights)}"
        if scene.network.loss in JOINED_LOSSES and last in arrays:
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

    def binary_cross_entropy(layer: Layer) -> Array:
        a, y = np.clip(layer.a, least, 1 - least), layer.run.y
        return np.asarray(-(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1))

    found = []
    for step, loss, row, equation in (
        ("joined", {"cross_entropy": cross_entropy}, JOINED, 2),
        ("binary_joined", {"binary_cross_entropy": binary_cross_entropy}, BINARY_JOINED, 1),
    ):
        for steps in ({step: joined, **loss}, {step: joined}):
            found.append(Fault(f"{step.replace('_', '-')}-clipped", text, equation, Exchange(steps), (row,), cost=2))
    return found


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
        Fault(
            "loss-otherwise",
            "the loss is another one",
            OF_LOSS[next(iter(losses), "squared_error")],
            Exchange({}),
            (LOSS,),
            ignores=frozenset({"loss"}),
            cost=5,
        )
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
        text = "dL/dz of the output layer is not g′(z) · dL/da"
        found.append(
            Fault("output-otherwise", text, 4, Exchange({"through_activation": taken}, "output"), ("(4)",), single=True, cost=7)
        )
    if "cross_entropy" in losses:
        text = "dL/dz of the output layer is not p − y"
        found.append(Fault("joined-otherwise", text, 2, Exchange({"joined": taken}), (JOINED,), single=True, cost=7))
    if "binary_cross_entropy" in losses:
        text, steps = "dL/dz of the output layer is not a − y", {"binary_joined": taken}
        found.append(Fault("binary-joined-otherwise", text, 1, Exchange(steps), (BINARY_JOINED,), single=True, cost=7))
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
