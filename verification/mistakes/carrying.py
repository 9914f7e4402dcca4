"""Several mistakes carried by one backpropagation at once: each an exchange of steps, everywhere or in some layers alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verification.mistakes.reference import RIGHT, Array, GradientFunction, Layer, Result, Steps, gradient_with

Answer = Mapping[str, Array]
# What a step becomes: given the step as it was, and the submission's own answer if there is one, the step in its place.
Change = Callable[[Callable[[Any], Any], Answer], Callable[[Any], Any]]

# These take the whole run, and so belong to no layer.
OF_THE_RUN = ("inputs", "targets", "loss", "share", "results")
# These are of the output layer alone.
OF_THE_OUTPUT = ("output_derivative", "joined", "binary_joined", "squared_error", "cross_entropy", "binary_cross_entropy")


@dataclass(frozen=True, eq=False)
class Changed:
    """A step that is made from the one before it: the same times a constant, or the same with measured numbers in places."""

    of: Change


@dataclass(frozen=True, eq=False)
class Exchange:
    """Steps of the reference to be exchanged, and where.

    Parameters
    ----------
    steps : mapping of str to callable or Changed
        As `verification.mistakes.reference.exchanged` takes them; `g` and `g_prime` go by activation.
    where : str
        "" for every layer, "hidden", "output", or a layer's number.
    """

    steps: Mapping[str, Any]
    where: str = ""

    def applies(self, layer: Layer) -> bool:
        """Say whether the exchange is in force in this layer."""
        match self.where:
            case "":
                return True
            case "hidden":
                return layer is not layer.run.last
            case "output":
                return layer is layer.run.last
        return layer.number == int(self.where)

    @property
    def can_be_narrowed(self) -> bool:
        """Whether it takes the layer, so that it may be in force in some layers alone."""
        return not set(self.steps) & {*OF_THE_RUN, *OF_THE_OUTPUT}


def carrying(exchanges: Sequence[Exchange], answer: Answer | None = None) -> Steps:
    """Return the right steps with several exchanges made one after the other.

    Parameters
    ----------
    exchanges : sequence of Exchange
        Of two that exchange the same step in the same layer the later one counts.
    answer : mapping of str to ndarray, optional
        The submission's, for steps that take numbers from it.

    Returns
    -------
    Steps
        A new table.
    """
    steps = RIGHT
    for exchange in exchanges:
        steps = _with(steps, exchange, answer or {})
    return steps


def _with(steps: Steps, exchange: Exchange, answer: Answer) -> Steps:
    found: dict[str, Any] = {}
    for name, given in exchange.steps.items():
        if name == "g_prime":
            table = {kind: _narrowed(each, steps.g_prime[kind], exchange, answer) for kind, each in given.items()}
            found[name] = {**steps.g_prime, **table}
        elif name == "g" and not exchange.where:
            found[name] = {**steps.g, **given}
        elif name == "g":
            found["activation"] = _narrowed(_activating(given, steps.activation), steps.activation, exchange, answer)
        else:
            found[name] = _narrowed(given, getattr(steps, name), exchange, answer)
    return replace(steps, **found)


def _activating(table: Mapping[str, Any], before: Callable[[Layer], Array]) -> Callable[[Layer], Array]:
    def activation(layer: Layer) -> Array:
        g = table.get(layer.activation)
        return before(layer) if g is None else g(layer.z, layer.slope)

    return activation


def _narrowed(given: Any, before: Callable[[Any], Any], exchange: Exchange, answer: Answer) -> Callable[[Any], Any]:
    step: Callable[[Any], Any] = given.of(before, answer) if isinstance(given, Changed) else given
    if not exchange.where:
        return step
    return lambda layer: step(layer) if exchange.applies(layer) else before(layer)


def gradient_carrying(exchanges: Sequence[Exchange]) -> GradientFunction:
    """Return the submission that makes several mistakes at once, and gives derivatives and loss alone.

    Parameters
    ----------
    exchanges : sequence of Exchange
        The mistakes.

    Returns
    -------
    callable
        `gradient(network, x, y)`.
    """
    gradient = gradient_with(carrying(exchanges))

    def bare(network: Any, x: Any, y: Any) -> Result:
        found = gradient(network, x, y)
        return {
            name: value for name, value in found.items() if name == "loss" or name.rstrip("0123456789") in ("w", "b", "alpha")
        }

    return bare
