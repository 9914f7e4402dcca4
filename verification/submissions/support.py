"""What a submission says that it can compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.activations import FORMS
from handgrad.losses import JOINED, LOSSES, REDUCTIONS
from verification.submissions.description import Description

Array = npt.NDArray[Any]
Declared = TypeVar("Declared", bound=Callable[..., Any])
ACTIVATIONS = tuple(FORMS)
# The notes', which a submission is asked about unless it says something else.
OWN_LOSSES = ("squared_error", "cross_entropy")
# The squared errors beside (10) that people write, and how often (10) has each; None: as often as there are outputs.
SQUARED_ERRORS: dict[str, int | None] = {"squared_error": 1, "half_squared_error": 2, "mean_squared_error": None}
KNOWN_LOSSES = tuple(dict.fromkeys([*LOSSES, *SQUARED_ERRORS]))
WEIGHTS = ("out-in", "in-out")
EXAMPLES = ("rows", "columns")
# What l2 = λ adds to L, beside its derivative by w: that times λ w, or λ w / N.
L2_FORMS = {"half": 1, "whole": 2, "half/N": 1, "whole/N": 2}
DTYPES = ("float64", "float32")
TARGETS = ("indices", "one_hot", "distribution")
SUPPORT_ATTRIBUTE = "__supports__"


@dataclass(frozen=True, kw_only=True)
class Support:
    """What a submission can compute; everything unless it says less. Only such networks are drawn for it.

    Parameters
    ----------
    activations : sequence of str
        The activations it knows.
    outputs : sequence of str
        Those it knows in the last layer; all of `activations` unless given, or what the losses alone follow: softmax for
        `losses=["cross_entropy"]`, sigmoid for `losses=["binary_cross_entropy"]`. With `outputs=["softmax"]` and a list of
        `activations` without softmax, no softmax is drawn in a hidden layer.
    losses : sequence of str
        "squared_error" and "cross_entropy", the notes' own, unless given; "binary_cross_entropy" is asked about only if it is
        declared. Its y has numbers 0 … 1, certain ones and others. In place of "squared_error", the Σ_j (a_j − y_j)² of (10),
        "half_squared_error" has ½ before it and "mean_squared_error" 1/n_L; `network.loss` then says so.
    reductions, dtypes : sequence of str
        "mean" and "sum", "float64" and "float32".
    targets : sequence of str
        The forms of cross-entropy's y: "indices" of classes, "one_hot", or any "distribution".
    single, batches : bool
        Whether it takes one example x (n_0,), and whether it takes a batch (N, n_0).
    layers : int or (int, int), optional
        The number L of layers: exactly that many, or from the first to the last.
    widths : int or sequence of int, optional
        The units of every layer and the inputs (1 for the chain of (3)–(7)), or n_0, …, n_L themselves.
    least_width, least_classes : int
        The least number of inputs and of units in a layer; the least number of units of a softmax.
    weights : str
        "out-in", each w (n, n_prev) as in the notes, or "in-out", each (n_prev, n): handed over and taken so.
    examples : str
        "rows", x (N, n_0), or "columns": x, y and what belongs to the examples are (n, N), one example (n, 1), biases (n, 1).
    biases : bool
        False for who has none, or does not train them: they are 0, and no derivative by them is asked for.
    l2 : float
        The λ of a term of the squares of all w in the loss, handed over as `network.l2`; 0 for none.
    l2_form : str, optional
        Which: "half" for ½ λ Σ w², "whole" for λ Σ w², and "half/N", "whole/N" for a share of each example. The checker finds
        it unless it is said.

    Raises
    ------
    TypeError
        If a list is no sequence of names, a number no integer, or a truth value none.
    ValueError
        If a name is unknown (the error suggests a near miss), or nothing is left that could be drawn.

    Examples
    --------
    >>> Support(activations=["sigmoid"], losses=["squared_error"], batches=False, layers=2).outputs
    ('sigmoid',)
    >>> Support(activations=["relu"], losses=["binary_cross_entropy"]).outputs
    ('sigmoid',)
    """

    activations: Sequence[str] = ACTIVATIONS
    outputs: Sequence[str] | None = None
    losses: Sequence[str] | None = None
    targets: Sequence[str] = TARGETS
    reductions: Sequence[str] = REDUCTIONS
    dtypes: Sequence[str] = DTYPES
    single: bool = True
    batches: bool = True
    layers: int | tuple[int, int] | None = None
    widths: int | Sequence[int] | None = None
    least_width: int = 1
    least_classes: int = 1
    weights: str = WEIGHTS[0]
    examples: str = EXAMPLES[0]
    biases: bool = True
    l2: float = 0.0
    l2_form: str | None = None

    def __post_init__(self) -> None:
        self._put("activations", _names("activations", self.activations, ACTIVATIONS))
        losses = None if self.losses is None else _names("losses", self.losses, KNOWN_LOSSES)
        squared = [name for name in SQUARED_ERRORS if name in (losses or ())]
        if len(squared) > 1:
            raise ValueError(f"losses must have at most one of {', '.join(SQUARED_ERRORS)}; got {', '.join(squared)}")
        outputs: Sequence[str] = self.activations
        if self.outputs is not None:
            outputs = self.outputs
        elif losses and set(losses) <= set(JOINED):
            outputs = [JOINED[loss] for loss in losses]
        self._put("outputs", _names("outputs", outputs, ACTIVATIONS))
        known = self.outputs or ()
        self._put("losses", losses or tuple(loss for loss in OWN_LOSSES if JOINED.get(loss) in (None, *known)))
        for loss in self.losses or ():
            if JOINED.get(loss) not in (None, *known):
                raise ValueError(f"{loss} needs {JOINED[loss]} among the outputs; got {', '.join(known)}")
        self._put("targets", _names("targets", self.targets, TARGETS))
        self._put("reductions", _names("reductions", self.reductions, REDUCTIONS))
        self._put("dtypes", _names("dtypes", self.dtypes, DTYPES))
        for argument in ("single", "batches", "biases"):
            checks.instance(argument, getattr(self, argument), bool, "True or False")
        if not (self.single or self.batches):
            raise ValueError("single and batches must not both be False: x is one example or a batch")
        self._check_sizes()
        checks.one_of("weights", self.weights, WEIGHTS)
        checks.one_of("examples", self.examples, EXAMPLES)
        self._put("l2", checks.not_negative("l2", self.l2))
        if self.l2_form is not None:
            checks.one_of("l2_form", self.l2_form, L2_FORMS)

    def _put(self, argument: str, value: object) -> None:
        object.__setattr__(self, argument, value)

    def _check_sizes(self) -> None:
        for argument in ("least_width", "least_classes"):
            checks.positive_integer(argument, getattr(self, argument))
        if isinstance(self.layers, Sequence) and not isinstance(self.layers, str):
            if len(self.layers) != 2:
                raise ValueError(f"layers must be L, or the least and the greatest L; got {self.layers!r}")
            first, last = (checks.positive_integer("layers", number) for number in self.layers)
            if first > last:
                raise ValueError(f"layers must be L, or the least and the greatest L; got {self.layers!r}")
            self._put("layers", (first, last))
        elif self.layers is not None:
            number = checks.positive_integer("layers", self.layers)
            self._put("layers", (number, number))
        if isinstance(self.widths, Sequence) and not isinstance(self.widths, str):
            units = tuple(checks.positive_integer(f"widths[{place}]", width) for place, width in enumerate(self.widths))
            if len(units) < 2:
                raise ValueError(
                    f"widths must be n_0, ..., n_L, at least 2 numbers, or one number for all; got {self.widths!r}"
                )
            self._put("widths", units)
            low, high = self.layer_range
            if not low <= len(units) - 1 <= (high or len(units)):
                raise ValueError(f"widths must name n_0 to n_L for layers, which is {self.layers}; got {self.widths}")
            self._put("layers", (len(units) - 1, len(units) - 1))
        elif self.widths is not None:
            self._put("widths", checks.positive_integer("widths", self.widths))
        least = {"least_width": self.least_width}
        if "softmax" in (self.outputs or ()):
            least["least_classes"] = self.least_classes
        given = () if self.widths is None else self.widths if isinstance(self.widths, tuple) else (self.widths,)
        for argument, number in least.items():
            of = given[-1:] if argument == "least_classes" else given
            if any(width < number for width in of):
                raise ValueError(f"widths must be >= {argument}, which is {number}; got {self.widths}")

    @property
    def squared_error(self) -> str:
        """Which squared error it has, if any: "squared_error" unless another is declared."""
        return next((name for name in SQUARED_ERRORS if name in (self.losses or ())), "squared_error")

    @property
    def losses_drawn(self) -> tuple[str, ...]:
        """The losses of the networks that are drawn for it, each of which handgrad has."""
        return tuple("squared_error" if name in SQUARED_ERRORS else name for name in self.losses or ())

    @property
    def keeps_the_notes(self) -> bool:
        """Whether it is written by the notes' conventions, so that nothing is to be translated."""
        return self.conventions == {}

    @property
    def conventions(self) -> dict[str, object]:
        """What is declared in place of the notes' conventions, by argument; empty for most."""
        own = {name: getattr(self, name) for name in ("weights", "examples", "biases", "l2")}
        found = {name: value for name, value in own.items() if value != getattr(Support, name)}
        return found if self.squared_error == "squared_error" else {**found, "losses": [self.squared_error]}

    @property
    def layer_range(self) -> tuple[int, int | None]:
        """The least and the greatest number of layers; None for any."""
        return self.layers if isinstance(self.layers, tuple) else (1, None)

    def covers(self, network: Description, x: Array, y: Array) -> bool:
        """Say whether the submission claims to take this network with this data.

        Parameters
        ----------
        network : Description
            The network.
        x, y : ndarray
            One example or a batch, as `handgrad.Network.gradient` takes them.

        Returns
        -------
        bool
            False as soon as one thing is not declared.
        """
        low, high = self.layer_range
        widths = network.widths
        return (
            set(network.activations[:-1]) <= set(self.activations)
            and network.activations[-1] in (self.outputs or ())
            and network.loss in self.losses_drawn
            and network.reduction in self.reductions
            and network.weights[0].dtype.name in self.dtypes
            and (self.single if x.ndim == 1 else self.batches)
            and low <= len(network.weights) <= (high or len(network.weights))
            and (self.widths is None or widths == self.widths or set(widths) == {self.widths})
            and min(widths) >= self.least_width
            and all(n >= self.least_classes for n, g in zip(widths[1:], network.activations, strict=True) if g == "softmax")
            and (self.biases or not any(b.any() for b in network.biases))
            and (network.loss != "cross_entropy" or bool(_forms_of_target(x, y) & set(self.targets)))
        )


def _forms_of_target(x: Array, y: Array) -> set[str]:
    if y.ndim < x.ndim:
        return {"indices"}
    return {"distribution", "one_hot"} if np.isin(y, (0, 1)).all() else {"distribution"}


def _names(argument: str, given: object, known: Sequence[str]) -> tuple[str, ...]:
    """Return the names in our order, whatever the caller's."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{argument} must be a sequence of names; got {given!r}")
    for name in given:
        checks.one_of(argument, name, known)
    if not given:
        raise ValueError(f"{argument} must name at least one of {', '.join(known)}; got none")
    return tuple(name for name in known if name in given)


def supports(**declared: Any) -> Callable[[Declared], Declared]:
    """Return a decorator by which a submission says what it can compute.

    Parameters
    ----------
    **declared
        The fields of `Support`.

    Returns
    -------
    callable
        It returns the function or class itself, with the `Support` stored on it.

    Raises
    ------
    TypeError, ValueError
        As `Support`; TypeError for an argument that it does not have.

    Examples
    --------
    >>> @supports(activations=["sigmoid"], losses=["squared_error"], batches=False)
    ... def gradient(network, x, y): ...
    >>> support_of(gradient).activations
    ('sigmoid',)
    """
    fields = list(Support.__dataclass_fields__)
    for name in declared:
        checks.one_of("an argument of supports", name, fields)
    support = Support(**declared)

    def declare(submission: Declared) -> Declared:
        if not callable(submission):
            raise TypeError(f"supports(...) must stand before a function or a class; got {type(submission).__name__}")
        setattr(submission, SUPPORT_ATTRIBUTE, support)
        return submission

    return declare


def support_of(submission: object) -> Support:
    """Return what a function or class has declared; everything if it declared nothing."""
    support = getattr(submission, SUPPORT_ATTRIBUTE, None)
    return support if isinstance(support, Support) else Support()
