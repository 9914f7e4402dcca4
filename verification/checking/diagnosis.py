"""Which equation is wrong: from the first wrong quantity where a submission names it, otherwise by asking it more.

A counterexample that has been shrunk is itself a controlled network: what could not be taken away is part of the cause.
What it leaves open is settled by changing y alone: dL/db is 2 g′ (a − y), so that its slope in y gives g′, and its zero a.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.entries import Entry
from verification.bounds.quantities import kind_of
from verification.checking.grading import Grade
from verification.random_networks.cases import Case
from verification.submissions.description import Description, as_network, describe

Array = npt.NDArray[Any]
Ask = Callable[[Description, Array, Array], Mapping[str, Array]]

INTERMEDIATES = ("z", "a", "dL_da", "da_dz", "dL_dz")
# How near a measured slope must come to the right one to count as it: far above any rounding, far below any mistake.
NEAR = 1e-6
# In how many ways the layers' z are turned to one side of 0 or the other.
MOST_SIDES = 16


@dataclass(frozen=True)
class Blame:
    """Which equation is wrong, and what shows it.

    Parameters
    ----------
    equation : int or None
        1 … 14, or None where no equation can be named.
    quantity : str
        The first wrong quantity, "w1".
    why : str
        What was seen that leads to this equation.
    """

    equation: int | None
    quantity: str
    why: str


def blame(case: Case, graded: Grade, arrays: Mapping[str, Array], ask: Ask) -> Blame:
    """Name the equation that a wrong answer got wrong.

    Parameters
    ----------
    case : Case
        A network on which the submission is wrong, as small as it could be made.
    graded : Grade
        What is wrong about its answer there.
    arrays : mapping of str to ndarray
        The answer.
    ask : callable
        Asks the submission about another network or other data.

    Returns
    -------
    Blame
        With the equation of the notes: the mean over the examples and α's derivative count as (11), every activation's
        own g′ as (12), p − y as (2).
    """
    wrong = graded.wrong
    first = wrong[0]
    gives_intermediates = any(kind_of(name) in INTERMEDIATES for name in arrays)
    gradient_wrong = [each for each in wrong if each.name != "loss"]
    if first.name == "loss":
        if not gradient_wrong or gives_intermediates:
            return Blame(_loss_equation(case), "loss", "the loss is wrong, and what comes before it is right")
        first = gradient_wrong[0]
    if kind_of(first.name) in INTERMEDIATES:
        return _of_intermediate(case, first, arrays)
    wrong_names = {each.name for each in wrong}
    if set(wrong_names) <= {"x", "loss"}:
        return Blame(14, "x", "dL/dx alone is wrong: the sum that carries the derivative to the layer before")
    number = first.name.lstrip("abcdefghijklmnopqrstuvwxyz_L")
    if kind_of(first.name) == "alpha" or (f"alpha{number}" in wrong_names and not {f"w{number}", f"b{number}"} & wrong_names):
        return Blame(11, first.name, "α's derivative alone is wrong in its layer")
    if f"b{number}" not in arrays:
        return _without_biases(case, first, int(number), arrays, ask)
    if f"w{number}" in wrong_names and f"b{number}" not in wrong_names:
        return _of_weights(case, f"w{number}", int(number), arrays, ask)
    # dL/dw of an input of 0 is 0, right or wrong.
    if f"b{number}" in wrong_names and f"w{number}" not in wrong_names and _a_prev(case, int(number)).any():
        return Blame(7, first.name, "dL/db is wrong where dL/dw of the same layer is right")
    if f"dL_dz{number}" in arrays:
        return Blame(11, first.name, "dL/dz is right, and both dL/dw and dL/db made from it are wrong")
    return _by_asking(case, first, wrong_names, ask)


def _loss_equation(case: Case) -> int:
    if case.net.loss_name != "cross_entropy":
        return 10 if case.net.loss_name == "squared_error" else 1
    # One class for certain, however it is written, is what (1) speaks of.
    return 1 if np.ndim(case.y) < np.ndim(case.x) or np.isin(case.y, (0, 1)).all() else 2


def _of_intermediate(case: Case, first: Entry, arrays: Mapping[str, Array]) -> Blame:
    layers = len(case.net.layers)
    kind = kind_of(first.name)
    number = int(first.name.removeprefix(kind))
    output = number == layers
    match kind:
        case "z":
            with np.errstate(all="ignore"):
                a = case.net.trace(case.x, case.y)[number].a
            # A 0 may come from anywhere.
            if a.all() and np.shape(arrays[first.name]) == a.shape and np.allclose(arrays[first.name], a, rtol=NEAR, atol=0):
                return Blame(9, first.name, "z holds a: the activation is written over it")
            return Blame(8, first.name, "it is the first wrong quantity on the way forward")
        case "a":
            return Blame(9, first.name, "z of its layer is right, and a is not")
        case "dL_da":
            equation = 4 if output else 14
            return Blame(equation, first.name, "it is the first wrong quantity on the way back")
        case "da_dz":
            return Blame(12, first.name, "it is the first wrong factor on the way back")
    if output and case.net.loss_name == "cross_entropy":
        return Blame(2, first.name, "it is the first wrong quantity on the way back, where p − y starts it")
    if output and case.net.loss_name == "binary_cross_entropy":
        return Blame(1, first.name, "it is the first wrong quantity on the way back, where a − y starts it")
    if f"da_dz{number}" in arrays and f"dL_da{number}" in arrays:
        return Blame(12, first.name, "both its factors are right, and their product is not")
    if f"dL_da{number}" in arrays or (output and case.net.loss_name == "squared_error"):
        return Blame(12, first.name, "dL/da is right, so the factor da/dz is not")
    return Blame(14, first.name, "it is the first wrong quantity on the way back")


def _a_prev(case: Case, number: int) -> Array:
    with np.errstate(all="ignore"):
        trace = case.net.trace(case.x, case.y)
    return np.atleast_2d(trace[number].a_prev)


def _without_biases(case: Case, first: Entry, number: int, arrays: Mapping[str, Array], ask: Ask) -> Blame:
    """Nobody gives dL/db, which stands for dL/dz elsewhere: of one example dL/dw shows it, which is dL/dz times a_prev."""
    if len(np.atleast_2d(case.x)) > 1:
        return Blame(11, first.name, "it shows in a batch alone: the sum over the examples")
    a, given = _a_prev(case, number)[0].astype(float), arrays[f"w{number}"].astype(float)
    place = int(np.abs(a).argmax())
    if not a[place]:
        return Blame(11, first.name, "dL/dw is not 0, though all its factors a_prev are")
    if not _near(given, np.outer(given[:, place] / a[place], a)):
        return Blame(13, first.name, "dL/dw has other factors than a_prev")
    layers = len(case.net.layers)

    def with_slopes(network: Description, x: Array, y: Array) -> Mapping[str, Array]:
        answer, before = ask(network, x, y), _a_prev(Case(as_network(network), x, y), layers)[0].astype(float)
        largest = int(np.abs(before).argmax())
        return {**answer, f"b{layers}": answer[f"w{layers}"][:, largest].astype(float) / before[largest]}

    return _by_asking(case, first, {f"w{number}", f"b{number}"}, with_slopes)


def _of_weights(case: Case, name: str, number: int, arrays: Mapping[str, Array], ask: Ask) -> Blame:
    """dL/dw is wrong and dL/db right: either the factor a_prev (13), or how the factors are put together (11)."""
    if len(np.atleast_2d(case.x)) > 1:
        return Blame(11, name, "dL/dw is wrong in a batch alone: its sum over the examples")
    answers = [arrays]
    for y in _other_targets(case):
        try:
            answers.append(ask(describe(case.net), case.x, y))
        except Exception:  # a submission may refuse other targets; then the one answer must do
            continue
    # Row j of dL/dw is dL/db_j times the factors a_k: the same factors in every row, and whatever y is.
    factors, zero_rows = [], True
    for answer in answers:
        for row, b_j in zip(answer[name].astype(float), answer[f"b{number}"].astype(float), strict=True):
            if b_j:
                factors.append(row / b_j)
            else:
                zero_rows = zero_rows and not row.any()
    if zero_rows and factors and all(_near(each, factors[0]) for each in factors):
        return Blame(13, name, "dL/db is right, and dL/dw is dL/db times other factors than a_prev")
    return Blame(11, name, "dL/db is right, and dL/dw is no product of dL/db with any factors")


def _other_targets(case: Case) -> list[Array]:
    """Return targets that move every dL/dz, in the form of the case's own."""
    y = np.asarray(case.y)
    if case.net.loss_name == "squared_error":
        return [(y + step).astype(y.dtype) for step in (1, 3)]
    if case.net.loss_name == "binary_cross_entropy":
        return [1 - y] if y.dtype.kind in "iu" else [((y + step) % 1).astype(y.dtype) for step in (0.375, 0.75)]
    if y.ndim < np.ndim(case.x):
        return [np.asarray((y + 1) % case.net.widths[-1]).astype(y.dtype)]
    return [np.roll(y, 1, axis=-1)]


def _by_asking(case: Case, first: Entry, wrong_names: set[str], ask: Ask) -> Blame:
    """Both dL/dw and dL/db of a layer are wrong, and nothing in between is given."""
    layers = len(case.net.layers)
    last = f"b{layers}"
    if last not in wrong_names and f"w{layers}" not in wrong_names:
        return _of_hidden(case, first)
    if len(np.atleast_2d(case.x)) > 1:
        return _of_batch(case, first, ask)
    slopes = _slopes_in_y(case, ask)
    if slopes is None:
        equation = {"squared_error": 4, "cross_entropy": 2, "binary_cross_entropy": 1}[case.net.loss_name]
        return Blame(equation, first.name, "dL/db does not change with y as it should")
    measured, implied, right_slope, right_a = slopes
    if _near(measured, right_slope):
        if _near(implied, right_a):
            return Blame(11, first.name, "dL/dz as dL/db shows it is right")
        return _of_forward(case, first, ask)
    if case.net.loss_name == "cross_entropy":
        return Blame(2, first.name, "dL/db does not change with y as p − y does")
    if case.net.loss_name == "binary_cross_entropy":
        return Blame(1, first.name, "dL/db does not change with y as a − y does")
    plain = case.net.layers[-1].activation.name == "identity"
    if plain or (not _right_as_identity(case, ask) and _constant_factor(case, measured, right_slope, ask)):
        return Blame(4, first.name, "dL/db changes with y by another factor than 2 g′")
    # Wherever its slope is nowhere 0, dL/db is 0 at the submission's own prediction, whatever that slope is.
    if case.net.layers[-1].activation.name != "softmax" and np.diag(measured).all() and not _near(implied, right_a):
        return _of_forward(case, first, ask)
    return Blame(12, first.name, "the slope of dL/db in y is not 2 g′ of this activation, and with g′ = 1 it is right")


def _of_hidden(case: Case, first: Entry) -> Blame:
    """The output layer is right and a layer before it is not."""
    names = [layer.activation.name for layer in case.net.layers]
    number = int(first.name.removeprefix(kind_of(first.name)))
    # Cross-entropy leaves its softmax, or sigmoid, no g′ of its own.
    above = names[number:] if case.net.loss_name == "squared_error" else names[number:-1]
    if names[number - 1] == "identity" or any(name != "identity" for name in above):
        return Blame(14, first.name, "the layers above are right, and so is g′: what reaches this layer is not")
    return Blame(12, first.name, "with g′ = 1 in this layer everything is right, so g′ of this activation is not")


def _of_batch(case: Case, first: Entry, ask: Ask) -> Blame:
    """It takes a batch to show: the sum over the examples, or a forward pass that mixes them."""
    x, y = np.atleast_2d(case.x), np.asarray(case.y)
    if case.net.loss_name == "squared_error" and case.net.layers[-1].activation.name != "softmax":
        network = describe(case.net)
        layers = len(case.net.layers)
        try:
            base = ask(network, x, y)[f"b{layers}"].astype(float)
            with np.errstate(all="ignore"):
                right = case.net.trace(x, y)
            share = len(x) if case.net.reduction == "mean" else 1
            factors = []
            for i in range(len(x)):
                moved = y.astype(case.net.dtype)
                moved[i] = moved[i] + 1
                change = ask(network, x, moved)[f"b{layers}"].astype(float) - base
                derivative = right[layers].da_dz
                factors.append(change / (-2 * (derivative[i] if derivative is not None else 1) / share))
        except Exception:  # a submission may refuse other targets; then the batch itself stands as the reason
            return Blame(11, first.name, "it shows in a batch alone")
        if all(_near(np.asarray(factor), np.ones_like(factor)) for factor in factors):
            return Blame(
                9, first.name, "each example's part changes with y as it should, and their sum is wrong: the forward pass"
            )
    return Blame(11, first.name, "it shows in a batch alone: the sum over the examples, or its factor 1/N")


def _slopes_in_y(case: Case, ask: Ask) -> tuple[Array, Array, Array, Array] | None:
    """Return −d(dL/db)/dy and the y at which dL/db is 0, as the submission has them and as right; None if not linear."""
    network, layers = describe(case.net), len(case.net.layers)
    x = case.x
    dtype = case.net.dtype
    n = case.net.widths[-1]
    single = np.ndim(x) == 1

    def dL_db(y: Array) -> Array:
        y = y.astype(dtype)
        return ask(network, x, y if single else y[None])[f"b{layers}"].astype(float)

    with np.errstate(all="ignore"):
        trace = case.net.trace(x, case.y)
    a = np.atleast_2d(trace[layers].a)[0].astype(float)
    try:
        if case.net.loss_name == "cross_entropy":
            at = np.array([dL_db(row) for row in np.eye(n)])
            measured = -(at - at[:1])
            implied = at[0] + np.eye(n)[0]
            return measured, implied, np.eye(n) - np.eye(n)[:1], a
        # A yes or no has no target of 2.
        step = 0.5 if case.net.loss_name == "binary_cross_entropy" else 1.0
        zero = dL_db(np.zeros(n))
        steps = np.array([dL_db(row) for row in step * np.eye(n)])
        twice = np.array([dL_db(row) for row in 2 * step * np.eye(n)])
    except Exception:  # a submission may refuse other targets
        return None
    measured = -(steps - zero) / step
    if not _near(-(twice - zero) / step, 2 * measured):
        return None
    if case.net.loss_name == "binary_cross_entropy":
        with np.errstate(all="ignore"):
            implied = np.linalg.pinv(measured.T) @ zero if np.isfinite(measured).all() else np.full(n, np.nan)
        return measured, implied, np.eye(n), a
    da_dz = np.asarray(trace[layers].da_dz, float)
    if case.net.layers[-1].activation.name == "softmax":
        right = 2 * (da_dz if da_dz.ndim == 2 else da_dz[0])
    else:
        right = 2 * np.diag(np.atleast_2d(da_dz)[0])
    with np.errstate(all="ignore"):
        implied = np.linalg.pinv(measured.T) @ zero if np.isfinite(measured).all() else np.full(n, np.nan)
        if case.net.layers[-1].activation.name == "softmax":
            # The Jacobian has no inverse: compare what a gives instead of a.
            return measured, zero, right, right.T @ a
    return measured, np.where(np.diag(right) == 0, a, implied), right, a


def _near(given: Array, expected: Array) -> bool:
    size = np.abs(expected).max(initial=0.0)
    with np.errstate(all="ignore"):
        return bool((np.abs(np.asarray(given) - expected) <= NEAR * max(size, 1e-300)).all())


def _right_as_identity(case: Case, ask: Ask) -> bool:
    """Say whether the slope in y is right once the output layer is an identity layer, which a submission need not know."""
    of = describe(case.net)
    activations, slopes = [*of.activations[:-1], "identity"], [*of.slopes[:-1], None]
    plain = Description(of.weights, of.biases, activations, slopes, of.loss, of.reduction)
    found = _slopes_in_y(Case(as_network(plain), case.x, case.y), ask)
    return found is not None and _near(found[0], found[2])


def _constant_factor(case: Case, measured: Array, right: Array, ask: Ask) -> bool:
    """Say whether the slope in y is off by the same factor for other z too: then it is not g′ that is wrong."""
    factors = [_factor(measured, right)]
    layers = describe(case.net)
    for shift in (0.5, -0.75):
        biases = [*layers.biases[:-1], layers.biases[-1] + case.net.dtype.type(shift)]
        moved = Description(layers.weights, biases, layers.activations, layers.slopes, layers.loss, layers.reduction)
        found = _slopes_in_y(Case(as_network(moved), case.x, case.y), ask)
        if found is None:
            return False
        factors.append(_factor(found[0], found[2]))
    return all(factor is not None and factors[0] is not None and abs(factor - factors[0]) <= NEAR for factor in factors)


def _factor(measured: Array, right: Array) -> float | None:
    with np.errstate(all="ignore"):
        ratios = measured[right != 0] / right[right != 0]
    if ratios.size == 0 or not np.isfinite(ratios).all() or np.ptp(ratios) > NEAR:
        return None
    return float(ratios[0])


def _of_forward(case: Case, first: Entry, ask: Ask) -> Blame:
    """The prediction that dL/db implies is wrong: z (8), or g (9)."""
    names = [layer.activation.name for layer in case.net.layers]
    if set(names) == {"identity"}:
        return Blame(8, first.name, "dL/db is 0 at another y than the right prediction, with no activation in the way")
    network = describe(case.net)
    weights, biases = _lively(network.weights), _lively(network.biases)
    no_weights, no_biases = ([np.zeros_like(array) for array in arrays] for arrays in (weights, biases))
    for w, b in ((no_weights, biases), (weights, no_biases)):
        # A g may be wrong on one side of 0 alone.
        if all(
            _implies_the_prediction(case, _turned(w, sides), _turned(b, sides), ask)
            for sides in islice(product((1, -1), repeat=len(names)), MOST_SIDES)
        ):
            return Blame(
                8, first.name, "the prediction is right without the weights or without the bias, so g is right and z is not"
            )
    return Blame(9, first.name, "dL/db is 0 at another y than the right prediction")


def _turned(arrays: list[Array], sides: tuple[int, ...]) -> list[Array]:
    return [side * array for side, array in zip(sides, arrays, strict=True)]


def _lively(arrays: list[Array]) -> list[Array]:
    """Return the arrays with different numbers in those that have but one: of zeros nothing shows, of equal z no softmax."""
    ramps = [np.arange(1, array.size + 1, dtype=array.dtype).reshape(array.shape) / array.size for array in arrays]
    return [array if np.ptp(array) else ramp.astype(array.dtype) for array, ramp in zip(arrays, ramps, strict=True)]


def _implies_the_prediction(case: Case, weights: list[Array], biases: list[Array], ask: Ask) -> bool:
    """Say whether dL/db implies the right prediction with these parameters, by a z that is not 0."""
    of = describe(case.net)
    plain = Description(weights, biases, of.activations, of.slopes, of.loss, of.reduction)
    found = _slopes_in_y(Case(as_network(plain), case.x, case.y), ask)
    return found is not None and _near(found[0], found[2]) and _near(found[1], found[3]) and _moves(plain, case)


def _moves(plain: Description, case: Case) -> bool:
    """Say whether the plainer network still has a z that is not 0."""
    with np.errstate(all="ignore"):
        trace = as_network(plain).trace(case.x, case.y)
    return bool(np.any(trace[len(trace)].z))
