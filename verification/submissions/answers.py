"""What a submission must answer, checked on arrival: names, shapes and dtypes; or the sentence that says what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.submissions.conventions import counted_back, laid_out, turned_back
from verification.submissions.description import Description
from verification.submissions.naming import renamed, spelled
from verification.submissions.support import Support

Array = npt.NDArray[Any]

BY_THE_NOTES = Support()
# In characters; what is longer is no name that anybody meant.
LONGEST_NAME = 60
# What is taken though it is not what was asked for: another dtype than the network's, and axes of length 1.
REMARKS = ("dtype", "shape")


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
        "file" (it cannot be loaded), "raised", "hang", "ended" (it ended its process), "reply" (its process sent what is no
        answer), or what is wrong with the answer: "returned" (no mapping), "missing", "unknown", "array" (no array of
        numbers), "shape".
    quantity : str, optional
        The name that "missing" to "shape" speak of.
    shape : str, optional
        The shape that came, for "shape".
    undone : bool
        Whether it is what a skeleton does that nobody has filled in.

    Attributes
    ----------
    printed : str
        What its code printed before, if it ran in a process of its own.
    """

    def __init__(
        self,
        sentence: str,
        file: str | None = None,
        line: int | None = None,
        kind: str = "file",
        quantity: str | None = None,
        shape: str | None = None,
        undone: bool = False,
    ) -> None:
        super().__init__(sentence, file, line, kind, quantity, shape, undone)
        self.sentence, self.file, self.line, self.kind, self.quantity, self.shape = sentence, file, line, kind, quantity, shape
        self.undone = undone
        self.printed = ""

    def __str__(self) -> str:
        """Return "homework.py:3: what happened"."""
        place = [str(part) for part in (self.file, self.line) if part is not None]
        return ": ".join([":".join(place), self.sentence] if place else [self.sentence])

    def at(self, file: str | None, line: int | None) -> SubmissionError:
        """Return the same error with a place."""
        return SubmissionError(self.sentence, file, line, self.kind, self.quantity, self.shape, self.undone)

    def during(self, step: str) -> SubmissionError:
        """Return the same error with the step of a protocol at which it came."""
        sentence = f"{self.sentence} (in a row of calls, at {step!r})"
        return SubmissionError(sentence, self.file, self.line, self.kind, self.quantity, self.shape, self.undone)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a submission answered.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Name → array, in memory of its own; every parameter of the network, and whatever else it gave.
    printed : str
        What its code printed meanwhile, if it ran in a process of its own. Only the first part of very much.
    predictions : ndarray, optional
        What a class's forward returned, as `predictions_of` reads it; None for a function.
    remarks : dict of str to str
        A sentence for each of `REMARKS` that was taken though it is not what was asked for.
    """

    arrays: dict[str, Array]
    printed: str = ""
    predictions: Array | None = None
    remarks: dict[str, str] = field(default_factory=dict)


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
    >>> import handgrad as hg
    >>> from verification.submissions.description import describe
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


def arrays_of(
    returned: object,
    network: Description,
    x: Array,
    called: str,
    remarks: dict[str, str] | None = None,
    support: Support = BY_THE_NOTES,
) -> dict[str, Array]:
    """Return what a submission returned as arrays of the network's dtype, after checking names and shapes.

    Parameters
    ----------
    returned : object
        A mapping is wanted. Lists and Python numbers have no dtype of their own. A torch tensor is read without its graph.
        NaN and infinity pass: the comparison judges numbers.
    network : Description
        What it was asked about.
    x : ndarray
        The inputs it was given.
    called : str
        What was called, for the sentence.
    remarks : dict of str to str, optional
        Is given a sentence for "dtype" where an array has another dtype than the network, and for "shape" where a bias or a
        number has axes of length 1 too many or too few. Both are taken.
    support : Support
        What it declares of its conventions.

    Returns
    -------
    dict of str to ndarray
        By the notes' conventions, in the order of `shapes`. An array may share its memory with what was returned.

    Raises
    ------
    SubmissionError
        Without a place: whoever called the submission knows it.
    """
    if not isinstance(returned, Mapping):
        hint = " (is a return missing?)" if returned is None else ""
        what = "None" if returned is None else f"a value of type {type(returned).__name__}"
        raise SubmissionError(
            f'{called} must return a mapping from names to arrays, {{"w1": ..., "b1": ...}}; it returned {what}{hint}',
            kind="returned",
            undone=returned is None or returned is Ellipsis,
        )
    needed, allowed = shapes(network, x)
    known = laid_out(needed | allowed, support)
    found = renamed(returned, known)
    if not (support.biases or any(name.startswith("b") for name in needed if name in found)):
        # Who gives the derivative by one bias has biases.
        needed = {name: shape for name, shape in needed.items() if not name.startswith("b")}
    for name in found:
        if isinstance(name, str) and name not in known and f"{spelled(name)[0]}1" in known:
            of = f"each of the {len(network.weights)} layers" if len(network.weights) > 1 else "the layer"
            raise SubmissionError(
                f"{called} must give {name!r} as a list of an array for {of}; it gave {_described(found[name])}",
                kind="array",
                quantity=name[:LONGEST_NAME],
            )
        if name not in known:
            near = _near(name, known) if len(str(name)) <= LONGEST_NAME else None
            hint = f" (did you mean {near!r}?)" if near else f"; for this network it must name {', '.join(needed)}"
            raise SubmissionError(
                f"{called} returned {_shortened(name)}, which is not a name it may give{hint}",
                kind="unknown",
                quantity=str(name)[:LONGEST_NAME],
            )
    for name in needed:
        if name not in found:
            has = ", ".join(map(repr, returned)) or "no names at all"
            raise SubmissionError(
                f"{called} must return {name!r}, too; its mapping has {has}",
                kind="missing",
                quantity=name,
                undone=not any(each in found for each in needed),
            )
    dtype = network.weights[0].dtype
    kept = {} if remarks is None else remarks
    if support.examples == "columns":
        # Of one example, (n, 1), a Jacobian may have an axis for the examples or none.
        found |= {name: _with_axes(found[name], known[name]) for name in known if name.startswith("da_dz") and name in found}
    arrays = {name: _array(name, found[name], known[name], dtype, called, kept) for name in known if name in found}
    if support.keeps_the_notes:
        return arrays
    turned = turned_back(arrays, network, x, support)
    return turned if called == "parameters" else counted_back(turned, network, x, support)


def _with_axes(value: object, shape: tuple[int, ...]) -> object:
    """Return a Jacobian of one example with the axes of a shape that has one more or less; all else as it is."""
    if not isinstance(value, np.ndarray) or {value.ndim, len(shape)} != {2, 3}:
        return value
    return value.reshape(shape) if value.shape[-2:] == shape[-2:] and value.size == np.prod(shape) else value


def fitted(name: str, array: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the array in the shape that is asked for, if it differs in axes of length 1 alone.

    Parameters
    ----------
    name : str
        The quantity. Weights must be matrices unless they were squeezed: (1, 3) for (3, 1) is the transpose.
    array : ndarray
        What came.
    shape : tuple of int
        What is asked for.

    Returns
    -------
    ndarray or None
        None if it does not fit.
    """
    if array.shape == shape:
        return array
    kind = name.rstrip("0123456789")
    may = kind in ("b", "alpha", "loss") or (kind == "w" and array.ndim < 2)
    without = [tuple(n for n in each if n != 1) for each in (array.shape, shape)]
    return array.reshape(shape) if may and without[0] == without[1] else None


def predictions_of(returned: object, network: Description, x: Array, support: Support = BY_THE_NOTES) -> Array | None:
    """Return what a forward returned as a copy in float64, if it is the network's outputs in shape.

    Parameters
    ----------
    returned : object
        Anything: nobody asks a forward to return something. To read it may run code of somebody's own, and raise.
    network : Description
        The network.
    x : ndarray
        One example (n_0,) or a batch (N, n_0).
    support : Support
        What the submission declares of its conventions.

    Returns
    -------
    ndarray or None
        None unless it can be read as real numbers of shape (n_L,), or (N, n_L).
    """
    value: Any = returned
    if hasattr(value, "detach"):
        value = value.detach()
    array = np.asarray(value)
    if support.examples == "columns" and array.ndim == 2:
        array = array[:, 0] if x.ndim == 1 else array.T
    if array.dtype.kind not in "fiu" or array.shape != (*x.shape[:-1], network.widths[-1]):
        return None
    return array.astype(np.float64)


def _array(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any], called: str, remarks: dict[str, str]) -> Array:
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
        raise SubmissionError(
            f"{called} must give {name} as real numbers; it gave {what}",
            kind="array",
            quantity=name,
            undone=value is None or value is Ellipsis,
        )
    fitting = fitted(name, array, shape)
    if fitting is None:
        hint = ", which is the transpose" if array.ndim == 2 and array.shape == shape[::-1] else ""
        raise SubmissionError(
            f"{called} must give {name} in shape {shape}; it gave {array.shape}{hint}",
            kind="shape",
            quantity=name,
            shape=str(array.shape),
        )
    if array.shape != shape:
        remarks.setdefault("shape", f"{name} came in shape {array.shape} for {shape}")
    if name == "loss" and array.dtype.kind == "f":
        # Only a float of at most 8 bytes can be sent from one process to another.
        return fitting if fitting.dtype.itemsize <= 8 else fitting.astype(np.float64)
    own_dtype = isinstance(value, np.ndarray | np.generic) or hasattr(value, "dtype")
    if own_dtype and array.dtype != dtype:
        remarks.setdefault("dtype", f"{name} came in {array.dtype} for {dtype}")
    with np.errstate(all="ignore"):
        return fitting.astype(dtype, copy=False)


def _described(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"one of {len(value)}"
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"a value of type {type(value).__name__}"


def _shortened(name: object) -> str:
    shown = repr(name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}..."


def _near(name: object, known: Mapping[str, object]) -> str | None:
    """Return the known name that was probably meant."""
    if not isinstance(name, str):
        return None
    plain = spelled(name)[0]
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1) or difflib.get_close_matches(plain, by_lower, n=1)
    return by_lower[near[0]] if near else None
