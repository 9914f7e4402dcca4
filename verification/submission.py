"""Somebody else's backpropagation: what it is told, what it may say about itself, and what it must answer.

A submission is a function `gradient(network, x, y)` that returns {"w1": dL/dw of layer 1, "b1": …, "alpha1": …}, or a class
built as `Class(network)` with `forward(x)` and `backward(y)`, which returns the same. How it is called is in
`verification.calling`; how its file is run in a process of its own, in `verification.runner`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad import checks
from handgrad.activations import FORMS
from handgrad.losses import LOSSES, REDUCTIONS

Array = npt.NDArray[Any]
Declared = TypeVar("Declared", bound=Callable[..., Any])

ACTIVATIONS = tuple(FORMS)
DTYPES = ("float64", "float32")
TARGETS = ("indices", "one_hot", "distribution")
SUPPORT_ATTRIBUTE = "__supports__"
# Where a declaration sets no limit. More layers show nothing that these do not.
MOST_LAYERS = 64


@dataclass(frozen=True, eq=False)
class Description:
    """A network as plain lists, one entry a layer, first layer first.

    Parameters
    ----------
    weights : list of ndarray
        w of each layer, (n, n_prev).
    biases : list of ndarray
        b of each layer, (n,).
    activations : list of str
        handgrad's names.
    slopes : list of float, ndarray or None
        leaky_relu's slope; prelu's α, () or (n,); None for the others.
    loss, reduction : str
        As for `handgrad.Network`.
    """

    weights: list[Array]
    biases: list[Array]
    activations: list[str]
    slopes: list[float | Array | None]
    loss: str
    reduction: str

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units n_0, …, n_L, inputs first."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    def named(self) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: the parameters themselves, in figure 9's order."""
        arrays: dict[str, Array] = {}
        for number, (w, b, activation, slope) in enumerate(
            zip(self.weights, self.biases, self.activations, self.slopes, strict=True), start=1
        ):
            arrays |= {f"w{number}": w, f"b{number}": b}
            if activation == "prelu":
                arrays[f"alpha{number}"] = np.asarray(slope, w.dtype)
        return arrays

    def __str__(self) -> str:
        """Return widths, activations, loss, reduction and dtype in a line."""
        widths, names = "-".join(map(str, self.widths)), ", ".join(self.activations)
        return f"{widths}, {names}; {self.loss}, {self.reduction}; {self.weights[0].dtype}"


def describe(net: hg.Network) -> Description:
    """Return the description of a network, sharing no memory with it.

    Parameters
    ----------
    net : handgrad.Network
        The network.

    Returns
    -------
    Description
        Copies of its parameters, and its names.

    Raises
    ------
    TypeError
        If net is no Network.

    Examples
    --------
    >>> network = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5], "leaky_relu")]))
    >>> network.weights, network.slopes, network.loss
    ([array([[1. , 0.5]])], [0.01], 'squared_error')
    """
    checks.instance("net", net, hg.Network, "a handgrad Network")
    return Description(
        [layer.w.copy() for layer in net.layers],
        [layer.b.copy() for layer in net.layers],
        [layer.activation.name for layer in net.layers],
        [_slope(layer) for layer in net.layers],
        net.loss_name,
        net.reduction,
    )


def _slope(layer: hg.Dense) -> float | Array | None:
    if layer.alpha is not None:
        return layer.alpha.copy()
    # In the network's dtype, as the network computes with it: 0.01 has other digits in float32.
    return None if layer.activation.slope is None else float(layer.w.dtype.type(layer.activation.slope))


def as_network(network: Description) -> hg.Network:
    """Return the handgrad network that a description tells of, sharing no memory with it.

    Parameters
    ----------
    network : Description
        Names, numbers and shapes as `handgrad.Network` takes them.

    Returns
    -------
    handgrad.Network
        `describe(as_network(network))` has the same numbers.
    """
    layers = []
    for w, b, name, slope in zip(network.weights, network.biases, network.activations, network.slopes, strict=True):
        options: dict[str, Any] = {"leaky_relu": {"slope": slope}, "prelu": {"alpha": slope}}.get(name, {})
        layers.append(hg.Dense(w, b, hg.Activation(name, **options)))
    return hg.Network(layers, network.loss, network.reduction)


def is_finite(network: Description) -> bool:
    """Say whether no parameter is NaN or infinite; `as_network` takes no other."""
    return all(np.isfinite(array).all() for array in network.named().values())


def with_parameters(network: Description, parameters: Mapping[str, Array]) -> Description:
    """Return the description with copies of other parameters, named as `Description.named` names them."""
    numbers = range(1, len(network.weights) + 1)
    return Description(
        [parameters[f"w{number}"].copy() for number in numbers],
        [parameters[f"b{number}"].copy() for number in numbers],
        list(network.activations),
        [
            parameters[f"alpha{number}"].copy() if f"alpha{number}" in parameters else slope
            for number, slope in zip(numbers, network.slopes, strict=True)
        ],
        network.loss,
        network.reduction,
    )


def copied(array: Array) -> Array:
    """Return equal numbers in memory of their own, laid out alike: in C or Fortran order, or with gaps between them."""
    if array.flags.forc:
        return array.copy(order="K")
    return np.repeat(array, 2, axis=-1)[..., ::2]


@dataclass(frozen=True, kw_only=True)
class Support:
    """What a submission can compute; everything unless it says less. Only such networks are drawn for it.

    Parameters
    ----------
    activations : sequence of str
        The activations it knows.
    outputs : sequence of str
        Those it knows in the last layer; all of `activations` unless given. With `outputs=["softmax"]` and a list of
        `activations` without softmax, no softmax is drawn in a hidden layer.
    losses, reductions, dtypes : sequence of str
        The losses, "mean" and "sum", "float64" and "float32".
    targets : sequence of str
        The forms of cross-entropy's y: "indices" of classes, "one_hot", or any "distribution".
    single, batches : bool
        Whether it takes one example x (n_0,), and whether it takes a batch (N, n_0).
    layers : int or (int, int), optional
        The number L of layers: exactly that many, or from the first to the last.
    widths : int or sequence of int, optional
        The units of every layer and the inputs (1 for the chain of (3)–(7)), or n_0, …, n_L themselves.

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

    def __post_init__(self) -> None:
        self._put("activations", _names("activations", self.activations, ACTIVATIONS))
        self._put("outputs", _names("outputs", self.activations if self.outputs is None else self.outputs, ACTIVATIONS))
        softmax = "softmax" in (self.outputs or ())
        if self.losses is None:
            self._put("losses", LOSSES if softmax else ("squared_error",))
        self._put("losses", _names("losses", self.losses, LOSSES))
        if "cross_entropy" in (self.losses or ()) and not softmax:
            raise ValueError(f"cross_entropy needs softmax among the outputs; got {', '.join(self.outputs or ())}")
        self._put("targets", _names("targets", self.targets, TARGETS))
        self._put("reductions", _names("reductions", self.reductions, REDUCTIONS))
        self._put("dtypes", _names("dtypes", self.dtypes, DTYPES))
        for argument in ("single", "batches"):
            checks.instance(argument, getattr(self, argument), bool, "True or False")
        if not (self.single or self.batches):
            raise ValueError("single and batches must not both be False: x is one example or a batch")
        self._check_sizes()

    def _put(self, argument: str, value: object) -> None:
        object.__setattr__(self, argument, value)

    def _check_sizes(self) -> None:
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

    @property
    def layer_range(self) -> tuple[int, int | None]:
        """The least and the greatest number of layers; None for any."""
        return self.layers if isinstance(self.layers, tuple) else (1, None)

    def narrowed(self, **wanted: Any) -> Support | None:
        """Return what both this and another declaration support.

        Parameters
        ----------
        **wanted
            The fields of another `Support`.

        Returns
        -------
        Support or None
            None if they have nothing in common.

        Examples
        --------
        >>> both = Support(activations=["relu", "tanh"]).narrowed(activations=["tanh", "softmax"], layers=(2, 3))
        >>> both.activations, both.layers
        (('tanh',), (2, 3))
        >>> Support(layers=2).narrowed(layers=1) is None
        True
        """
        other = Support(**wanted)
        common: dict[str, Any] = {
            name: [each for each in getattr(self, name) if each in getattr(other, name)]
            for name in ("activations", "outputs", "losses", "targets", "reductions", "dtypes")
        }
        if "softmax" not in common["outputs"]:
            common["losses"] = [loss for loss in common["losses"] if loss != "cross_entropy"]
        common |= {"single": self.single and other.single, "batches": self.batches and other.batches}
        (low, high), (other_low, other_high) = self.layer_range, other.layer_range
        least, greatest = max(low, other_low), min(high or MOST_LAYERS, other_high or MOST_LAYERS)
        if least > greatest or not (common["single"] or common["batches"]):
            return None
        if least > 1 and not common["activations"]:
            return None
        if not all(common[name] for name in ("outputs", "losses", "targets", "reductions", "dtypes")):
            return None
        if not common["activations"]:
            # One layer has no hidden activation; whatever stands here is not drawn.
            greatest, common["activations"] = 1, common["outputs"]
        if self.widths is not None and other.widths not in (None, self.widths):
            return None
        return Support(**common, layers=(least, greatest), widths=self.widths if self.widths is not None else other.widths)

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
            and network.loss in (self.losses or ())
            and network.reduction in self.reductions
            and network.weights[0].dtype.name in self.dtypes
            and (self.single if x.ndim == 1 else self.batches)
            and low <= len(network.weights) <= (high or len(network.weights))
            and (self.widths is None or widths == self.widths or set(widths) == {self.widths})
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


class SubmissionError(Exception):
    """A submission that cannot be judged: one plain sentence, with the place in its author's own file.

    Parameters
    ----------
    sentence : str
        What happened.
    file : str, optional
        The submission's file, as the user named it.
    line : int, optional
        The last line of that file that was at work.
    kind : str
        "file" (it cannot be loaded), "raised", "hang", "ended" (it ended its process), or what is wrong with the answer:
        "returned" (no mapping), "missing", "unknown", "array" (no array of numbers), "shape", "dtype".
    quantity : str, optional
        The name that "missing" to "dtype" speak of.

    Attributes
    ----------
    printed : str
        What its code printed before, if it ran in a process of its own.
    """

    def __init__(
        self, sentence: str, file: str | None = None, line: int | None = None, kind: str = "file", quantity: str | None = None
    ) -> None:
        super().__init__(sentence, file, line, kind, quantity)
        self.sentence, self.file, self.line, self.kind, self.quantity = sentence, file, line, kind, quantity
        self.printed = ""

    def __str__(self) -> str:
        """Return "homework.py:3: what happened"."""
        place = [str(part) for part in (self.file, self.line) if part is not None]
        return ": ".join([":".join(place), self.sentence] if place else [self.sentence])

    def at(self, file: str | None, line: int | None) -> SubmissionError:
        """Return the same error with a place."""
        return SubmissionError(self.sentence, file, line, self.kind, self.quantity)

    def during(self, step: str) -> SubmissionError:
        """Return the same error with the step of a protocol at which it came."""
        sentence = f"{self.sentence} (in a row of calls, at {step!r})"
        return SubmissionError(sentence, self.file, self.line, self.kind, self.quantity)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a submission answered.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Name → array, in memory of its own; every parameter of the network, and whatever else it gave.
    printed : str
        What its code printed meanwhile, if it ran in a process of its own. Only the first part of very much.
    """

    arrays: dict[str, Array]
    printed: str = ""


def shapes(network: Description, x: Array) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Return name → shape of what a submission must answer, and of what it may answer besides.

    Parameters
    ----------
    network : Description
        The network.
    x : ndarray
        One example (n_0,) or a batch (N, n_0).

    Returns
    -------
    tuple of dict
        The parameters in figure 9's order; "loss", "x", and each layer's "z1", "a1", "dL_da1", "da_dz1", "dL_dz1".

    Examples
    --------
    >>> network = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5], "relu")]))
    >>> needed, allowed = shapes(network, np.zeros((3, 2)))
    >>> needed, allowed["z1"]
    ({'w1': (1, 2), 'b1': (1,)}, (3, 1))
    """
    batch = x.shape[:-1]
    needed = {name: array.shape for name, array in network.named().items()}
    allowed: dict[str, tuple[int, ...]] = {"loss": (), "x": x.shape}
    for number, (b, activation) in enumerate(zip(network.biases, network.activations, strict=True), start=1):
        of_units = (*batch, *b.shape)
        for name in ("z", "a", "dL_da", "da_dz", "dL_dz"):
            allowed[f"{name}{number}"] = of_units
        if activation == "softmax":
            allowed[f"da_dz{number}"] = (*of_units, *b.shape)
    return needed, allowed


def arrays_of(returned: object, network: Description, x: Array, called: str) -> dict[str, Array]:
    """Return what a submission returned as arrays of the network's dtype, after checking names, shapes and dtypes.

    Parameters
    ----------
    returned : object
        A mapping is wanted. An array must have the network's dtype; lists and Python numbers have none of their own and
        take it. A torch tensor is read without its graph. NaN and infinity pass: the comparison judges numbers.
    network : Description
        What it was asked about.
    x : ndarray
        The inputs it was given.
    called : str
        What was called, for the sentence.

    Returns
    -------
    dict of str to ndarray
        In the order of `shapes`. An array may share its memory with what was returned.

    Raises
    ------
    SubmissionError
        Without a place: whoever called the submission knows it.
    """
    if not isinstance(returned, Mapping):
        hint = "; is a return missing?" if returned is None else ""
        what = "None" if returned is None else f"a value of type {type(returned).__name__}"
        raise SubmissionError(
            f'{called} must return a mapping from names to arrays, {{"w1": ..., "b1": ...}}; it returned {what}{hint}',
            kind="returned",
        )
    needed, allowed = shapes(network, x)
    known = needed | allowed
    for name in returned:
        if name not in known:
            near = _near(name, known)
            hint = f"; did you mean {near!r}?" if near else f"; for this network it must name {', '.join(needed)}"
            raise SubmissionError(
                f"{called} returned {name!r}, which is not a name it may give{hint}", kind="unknown", quantity=str(name)
            )
    for name in needed:
        if name not in returned:
            has = ", ".join(map(repr, returned)) or "no names at all"
            raise SubmissionError(f"{called} must return {name!r}, too; its mapping has {has}", kind="missing", quantity=name)
    dtype = network.weights[0].dtype
    return {name: _array(name, returned[name], known[name], dtype, called) for name in known if name in returned}


def _array(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any], called: str) -> Array:
    if hasattr(value, "detach"):
        value = value.detach()
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever a foreign array type raises when it cannot be read
        ragged = isinstance(error, ValueError) and "inhomogeneous" in str(error)
        what = "rows of different lengths" if ragged else f"a value of type {type(value).__name__}"
        raise SubmissionError(
            f"{called} must give {name} as an array of numbers; it gave {what}", kind="array", quantity=name
        ) from None
    if array.dtype.kind not in "fiub":
        what = {"c": "complex numbers", "U": "text", "S": "bytes"}.get(array.dtype.kind, f"dtype {array.dtype}")
        if value is None or type(value).__module__ != "numpy":
            what = "None" if value is None else f"{what} in a value of type {type(value).__name__}"
        raise SubmissionError(f"{called} must give {name} as real numbers; it gave {what}", kind="array", quantity=name)
    if array.shape != shape:
        hint = ", which is the transpose" if array.ndim == 2 and array.shape == shape[::-1] else ""
        raise SubmissionError(
            f"{called} must give {name} in shape {shape}; it gave {array.shape}{hint}", kind="shape", quantity=name
        )
    if name == "loss" and array.dtype.kind == "f":
        return array
    own_dtype = isinstance(value, np.ndarray | np.generic) or hasattr(value, "dtype")
    if own_dtype and array.dtype != dtype:
        raise SubmissionError(
            f"{called} must give {name} as {dtype}, the network's dtype; it gave {array.dtype}", kind="dtype", quantity=name
        )
    with np.errstate(all="ignore"):
        return array.astype(dtype, copy=False)


def _near(name: object, known: Mapping[str, object]) -> str | None:
    """Return the known name that was probably meant."""
    if not isinstance(name, str):
        return None
    plain = re.sub(r"[\s\[\]().-]", "", name).lower()
    by_lower = {each.lower(): each for each in known}
    # dw1, dL_dw1, grad_w1, w_1 and weights1: the student's names for the derivative by w1.
    for spelling in (plain, re.sub(r"^(dl_?d|dl/d|d|grad_?|g)_?", "", plain).replace("_", "")):
        for long, short in (("weights", "w"), ("weight", "w"), ("biases", "b"), ("bias", "b")):
            spelling = re.sub(rf"^{long}(?=\d)", short, spelling)
        if spelling in by_lower:
            return by_lower[spelling]
    near = difflib.get_close_matches(plain, by_lower, n=1)
    return by_lower[near[0]] if near else None
