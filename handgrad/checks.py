"""Every error a user can make is found and worded here, so that the other modules hold mathematics alone.

A message names the argument, says the requirement in symbols and in numbers, and shows what came. What other libraries hand
over, and their words, are known to `foreign`.
"""

from __future__ import annotations

import difflib
import math
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from handgrad import foreign

Array = npt.NDArray[Any]
T = TypeVar("T")

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
INDEX, UNSIGNED = np.dtype(np.intp), np.dtype(np.uintp)


def real_array(name: str, value: object) -> Array:
    """Return `value` as an array of real numbers or truth values, without copying where it is one already.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : object
        Anything that NumPy can read as an array, tensors and frames included.

    Returns
    -------
    ndarray
        Of a floating, integer or boolean dtype.

    Raises
    ------
    TypeError
        If `value` is ragged, masked, sparse, complex, text, or holds objects.
    ValueError
        If a column of a frame has missing numbers.
    """
    if type(value) is np.ndarray and value.dtype in FLOATS:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must be an array without a mask, since the masked numbers would be used; got a masked array")
    readable = foreign.plain(name, value)
    try:
        try:
            array = np.asarray(readable)
        except Exception:  # as below; a sequence is looked through only now, since most hold plain numbers
            array = np.asarray(foreign.plain_within(name, readable))
    except Exception as error:  # whatever a foreign array type raises when it cannot be read
        raise TypeError(f"{name} must be an array of real numbers; got {type(value).__name__}: {error}") from None
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of at most 64 bits; got dtype {array.dtype}")
    return array


def is_finite(array: Array) -> bool:
    """Say whether no number of an array of float32 or float64 is NaN or infinite."""
    # A finite sum of squares has finite terms, and is one call without an array of truth values.
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def finite(name: str, array: Array) -> None:
    """Raise a ValueError naming the first place where `array` is NaN or infinite."""
    if array.dtype.kind in "iub" or (array.dtype in FLOATS and is_finite(array)):
        return
    beyond = ~np.isfinite(array)
    if beyond.any():
        where, number = _first(name, array, beyond)
        raise ValueError(f"{name} must be finite; {where} is {number}")


def all_finite(arrays: Mapping[str, Array], wording: str) -> None:
    """Raise as `finite` does for the first of several arrays; `wording` says what each is called, "g's {}"."""
    for name, array in arrays.items():
        finite(wording.format(name), array)


def parameter(name: str, value: object, dtype: np.dtype[Any] | None = None) -> Array:
    """Return a copy of a weight, bias or slope array: float32 or float64, finite, in C order.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : array_like
        Floating-point numbers; a list or a number, also of integers, takes `dtype`, an array keeps its own.
    dtype : dtype, optional
        What the array must have, because another parameter of the layer has it; a list takes float64 unless given.

    Returns
    -------
    ndarray
        The caller's numbers in memory of their own.

    Raises
    ------
    TypeError
        If the numbers are not float32 or float64, or not of `dtype`.
    ValueError
        If one is NaN or infinite.
    """
    array = real_array(name, value)
    usual = array is value and array.dtype in FLOATS and (dtype is None or array.dtype == dtype)
    if usual and is_finite(array):
        return np.array(array, order="C")
    # Who writes [[1, 2]] means numbers; who has an array of integers has chosen its dtype, which no weight can have.
    written = not (hasattr(value, "dtype") or hasattr(value, "dtypes"))
    if array.dtype.kind not in ("fiu" if written else "f"):
        raise TypeError(f"{name} must hold floating-point numbers; got dtype {array.dtype} (1.0 is one, 1 is not)")
    if written and (dtype is not None or array.dtype.kind != "f"):
        array = converted(name, array, np.dtype(np.float64) if dtype is None else dtype)
    if array.dtype not in FLOATS:
        raise TypeError(f"{name} must be float32 or float64; got {array.dtype}")
    if dtype is not None and array.dtype != dtype:
        raise TypeError(f"{name} must be {dtype} like the layer's w; got {array.dtype}")
    finite(name, array)
    return np.array(array, dtype=array.dtype, order="C")


def replacement(name: str, value: object, old: Array, one_unit: bool = False) -> Array:
    """Return what is to take the place of a parameter, checked as `parameter` does; its shape must be the old one's.

    For one unit () and (1,) say the same.
    """
    array = parameter(name, value, old.dtype)
    if one_unit and array.size == 1 and array.ndim <= 1:
        array = array.reshape(old.shape)
    if array.shape != old.shape:
        raise ValueError(f"{name} must keep its shape, {old.shape}; got {array.shape}")
    return array


def dense(w: object, b: object, slope: float | None, alpha: object) -> tuple[Array, Array, Array | None]:
    """Return copies of a layer's w (n, n_prev), b (n,), and α () or (n,), checked; of one unit α is ()."""
    weights = parameter("w", w)
    biases = parameter("b", b, weights.dtype)
    slopes = None if alpha is None else parameter("alpha", alpha, weights.dtype)
    if slope is not None and weights.dtype != np.float64:
        converted("slope", np.asarray(slope), weights.dtype)
    if weights.ndim != 2 or 0 in weights.shape:
        raise ValueError(f"w must have shape (n, n_prev), both at least 1; got {weights.shape}")
    n = weights.shape[0]
    if biases.shape != (n,):
        raise ValueError(f"b must have shape (n,) = ({n},) to meet w, which is {weights.shape}; got {biases.shape}")
    if slopes is not None and slopes.shape not in ((), (n,)):
        raise ValueError(f"alpha must have shape () for one shared slope, or (n,) = ({n},) for one a unit; got {slopes.shape}")
    return weights, biases, slopes.reshape(()) if slopes is not None and slopes.shape == (1,) else slopes


def layers_of(layers: Sequence[Any], kind: type) -> None:
    """Check that all are layers of this kind, and that there is one."""
    instance("layers", layers, Sequence, "a sequence of Dense layers")
    for number, layer in enumerate(layers, start=1):
        if not isinstance(layer, kind):
            instance(f"layer {number}", layer, kind, "a Dense layer")
    if not layers:
        raise ValueError("layers must hold at least one Dense layer; got none")


def meeting(weights: Sequence[Array]) -> None:
    """Check that the w of consecutive layers meet, and that all have one dtype."""
    shapes, dtypes = [w.shape for w in weights], [w.dtype for w in weights]
    for number, (before, after) in enumerate(pairwise(shapes), start=1):
        if before[0] != after[1]:
            raise ValueError(
                f"layer {number} has {before[0]} units but layer {number + 1} takes {after[1]} inputs: "
                f"w of layer {number} is {before}, w of layer {number + 1} is {after}"
            )
    for number, dtype in enumerate(dtypes, start=1):
        if dtype != dtypes[0]:
            raise TypeError(f"all layers must have one dtype; layer 1 is {dtypes[0]}, layer {number} is {dtype}")


def one_of(name: str, value: object, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """Return `value` if it is one of the known names; otherwise list them, and say what was probably meant.

    `elsewhere` is a table of `foreign`: what other libraries call it.
    """
    names = list(known)
    if isinstance(value, str) and value in names:
        return value
    said = foreign.meant(value, elsewhere or {})
    several = len(names) != 1
    wanted = f"{name} must be {'one of ' * several}{', '.join(names)}; got {value!r}"
    if not isinstance(value, str):
        raise TypeError(f"{wanted}{said}")
    raise ValueError(f"{wanted}{said or suggestion(value, names) * several}")


def ending(path: object, known: Iterable[str]) -> str:
    """Return the ending of a file's name, in small letters, if it is one of the known ones."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a str or a Path; got {type(path).__name__}")
    return one_of("the file's ending", os.path.splitext(os.fsdecode(path))[1].lower(), known)


def activation(value: object, known: Iterable[str]) -> str:
    """Return the known name of an activation; "ReLU" is relu, "LeakyReLU" and "Leaky ReLU" are leaky_relu."""
    names = list(known)
    return one_of("activation", foreign.spelled(value, names), names, foreign.ACTIVATIONS)


def loss(value: object, known: Iterable[str]) -> str:
    """Return `value` if it is a known loss; of another library's word the error says which it is, and the difference."""
    return one_of("loss", value, known, foreign.LOSSES)


def suggestion(value: str, names: Sequence[str]) -> str:
    """Return the end of a sentence about an unknown name: the known one that was probably meant, or nothing."""
    near = difflib.get_close_matches(value.lower(), names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def output_meets_loss(loss: str, needed: str | None, activation: str, units: int) -> None:
    """Refuse a cross-entropy after another output than the one needed, saying what would be right."""
    if needed in (None, activation):
        return
    what = {"softmax": "probabilities that sum to 1", "sigmoid": "a probability from each unit"}[str(needed)]
    match needed, activation:
        case "softmax", "sigmoid":
            right = "take loss='binary_cross_entropy', a yes or no from each unit, or make the last activation softmax"
            right += ", with n_L = 2 units for two classes" if units == 1 else ""
        case "sigmoid", "softmax":
            right = "take loss='cross_entropy', or make the last activation sigmoid"
        case _:
            right = f"make the last activation {needed}, or take loss='squared_error'"
    raise ValueError(f"{loss} needs {what}, so the output layer must be {needed}; got {activation} with n_L = {units}: {right}")


def positive_integer(name: str, value: object) -> int:
    """Return `value` as an int of at least 1."""
    return integer(name, value, 1)


def integer(name: str, value: object, least: int) -> int:
    """Return `value` as an int of at least `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer >= {least}; got {value!r}")
    if int(value) < least:
        raise ValueError(f"{name} must be an integer >= {least}; got {value!r}")
    return int(value)


def widths(value: object, activations: object) -> list[int]:
    """Check the widths n_0, …, n_L of a random network against its list of activations, one a layer."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"widths must be a sequence of integers n_0, ..., n_L; got {value!r}")
    numbers_of_units = [positive_integer(f"widths[{place}]", width) for place, width in enumerate(value)]
    if len(numbers_of_units) < 2:
        raise ValueError(f"widths must name at least 2 layers, the inputs n_0 and one layer n_1; got {numbers_of_units}")
    if isinstance(activations, str) or not isinstance(activations, Sequence):
        raise TypeError(f"activations must be a sequence, one for each layer; got {activations!r}")
    layers = len(numbers_of_units) - 1
    if len(activations) != layers:
        raise ValueError(f"activations must have one entry for each of the L = {layers} layers; got {len(activations)}")
    return numbers_of_units


def inputs(x: object, n_0: int, first_shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, bool]:
    """Return x as a batch (N, n_0) of the network's dtype, and whether it came as one example (n_0,).

    Raises
    ------
    TypeError
        If x does not hold real numbers. Integers and truth values are converted.
    ValueError
        If x has another rank or width, is empty, or is not finite in the network's dtype.
    """
    if type(x) is np.ndarray and x.dtype == dtype and x.shape[-1:] == (n_0,) and x.ndim <= 2 and len(x):
        if not is_finite(x):
            finite("x", x)
        return (x, False) if x.ndim == 2 else (x[None], True)
    array = real_array("x", x)
    if array.ndim not in (1, 2) or array.shape[-1] != n_0:
        raise ValueError(
            f"x must have shape (N, n_0) = (N, {n_0}), or ({n_0},) for one example, "
            f"to meet layer 1, whose w is {first_shape}; got {array.shape}{_meant_for_x(x, array, n_0)}"
        )
    if array.shape[0] == 0:
        raise ValueError(f"x must hold at least one example, N >= 1; got shape {array.shape}")
    return np.atleast_2d(converted("x", array, dtype)), array.ndim == 1


def _meant_for_x(x: object, array: Array, n_0: int) -> str:
    """Return the end of a sentence about an x whose numbers are right in another shape, or nothing."""
    if array.ndim == 1 and n_0 == 1 and array.size:
        return f": write {foreign.as_column('x', x)} for {array.size} examples"
    return _turned("x", x) if array.ndim == 2 and array.shape[0] == n_0 else ""


def _meant_for_y(y: object, got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Return the end of a sentence about a y of several outputs whose numbers are right in another shape, or nothing."""
    return _turned("y", y) if len(wanted) == 2 and got == wanted[::-1] else ""


def _turned(name: str, value: object) -> str:
    return f": an example is a row, so write {foreign.of_array(name, value)}.T"


def outputs(y: object, count: int, single: bool, n_out: int, dtype: np.dtype[Any]) -> Array:
    """Return squared error's target as (N, n_L), or raise: its shape must be the output's own, never broadcast."""
    target = outputs_of_shape(y, count, single, n_out, dtype)
    if not is_finite(target):
        finite("y", target[0] if single else target)
    return target


def outputs_of_shape(y: object, count: int, single: bool, n_out: int, dtype: np.dtype[Any]) -> Array:
    """Return what `outputs` does, but for a y that has the right shape and dtype already look for no NaN or infinity."""
    shape = (n_out,) if single else (count, n_out)
    if type(y) is np.ndarray and y.dtype == dtype and y.shape == shape:
        return y[None] if single else y
    array = real_array("y", y)
    if array.shape != shape:
        symbols = "(n_L,)" if single else "(N, n_L)"
        if n_out == 1 and array.shape == shape[:-1]:
            said = ": write [y]" if single else f": write {foreign.as_column('y', y)}"
        else:
            said = _meant_for_y(y, array.shape, shape)
        raise ValueError(f"y must have shape {symbols} = {shape}, like the output; got {array.shape}{said}")
    return np.atleast_2d(converted("y", array, dtype))


def probabilities(y: object, count: int, single: bool, n_out: int, dtype: np.dtype[Any]) -> Array:
    """Return binary cross-entropy's target as (N, n_L), or raise: of the output's own shape, each number 0 <= y <= 1."""
    # The largest is found fastest by its place; where there is a NaN that is its place.
    usual = type(y) is np.ndarray and y.dtype == dtype and y.shape == (count, n_out) and not single
    if usual and y.item(y.argmin()) >= 0 and y.item(y.argmax()) <= 1:  # type: ignore[attr-defined]
        return y  # type: ignore[return-value]
    target, array = outputs(y, count, single, n_out, dtype), real_array("y", y)
    beyond = (array < 0) | (array > 1)
    if beyond.any():
        where, value = _first("y", array, beyond)
        raise ValueError(f"y must hold probabilities, 0 <= y <= 1; {where} is {value}")
    return target


def classes(y: object, count: int, single: bool, number: int, dtype: np.dtype[Any]) -> Array:
    """Return cross-entropy's target as it came, checked: class indices (N,), or distributions (N, C) of the network's dtype.

    Raises
    ------
    TypeError
        If y does not hold real numbers.
    ValueError
        If y has neither shape, an index is not an integer in 0 … C−1, or a distribution is negative or
        does not sum to 1 within the square root of its own dtype's rounding, or C times float32's.
    """
    if type(y) is np.ndarray and y.dtype == INDEX and y.shape == (count,) and not single:
        return _indices(y, count, single, number, y)
    array = real_array("y", y)
    index_shape, shape = ((), (number,)) if single else ((count,), (count, number))
    if array.shape == index_shape:
        return _indices(array, count, single, number, y)
    if array.shape != shape:
        one = "y must be a class index, one integer, or a distribution of shape (C,)"
        many = f"y must hold class indices of shape (N,) = {index_shape} or distributions of shape (N, C)"
        if array.shape == (*index_shape, 1):
            said = (
                f": write {foreign.as_row('y', y)}" if not single else f": write {'y.item()' if hasattr(y, 'item') else 'y[0]'}"
            )
        else:
            said = _meant_for_y(y, array.shape, shape)
        raise ValueError(f"{one if single else many} = {shape}; got {array.shape}{said}")
    given = np.atleast_2d(array)
    target = np.atleast_2d(converted("y", array, dtype))
    if (given < 0).any():
        where, value = _first("y", array, array < 0)
        raise ValueError(f"y must hold probabilities, each >= 0; {where} is {value}")
    precision = np.finfo(array.dtype).eps if array.dtype.kind == "f" else np.finfo(dtype).eps
    # A float64 array may hold numbers that were float32 before: each of C may be off by that dtype's rounding.
    allowed = max(math.sqrt(precision), number * float(np.finfo(np.float32).eps))
    sums = given.sum(axis=-1, dtype=np.float64)
    for place, total in enumerate(sums.tolist()):
        if abs(total - 1) > allowed:
            where = "y" if single else f"y[{place}]"
            raise ValueError(f"y must hold distributions that sum to 1; {where} sums to {total}")
    return target


def _indices(array: Array, count: int, single: bool, number: int, y: object) -> Array:
    """Return class indices (N,); `y` is what they came as."""
    indices = array
    if array.dtype != INDEX or single:
        if array.dtype.kind not in "iu":
            whole = array.dtype.kind == "b" or bool((np.isfinite(array) & (array == np.round(array))).all())
            said = f": write {foreign.as_whole('y', y)}" if whole else ""
            raise ValueError(
                f"y must hold class indices as integers from 0 to C - 1 = {number - 1}; got dtype {array.dtype}{said}"
            )
        indices = array.reshape(count).astype(INDEX)
    # Read without its sign a negative index is a very large one; the largest is found fastest by its place.
    unsigned = indices.view(UNSIGNED)
    if unsigned.item(unsigned.argmax()) >= number:
        place, k = next((place, k) for place, k in enumerate(array.reshape(count).tolist()) if not 0 <= k < number)
        where = "y" if single else f"y[{place}]"
        from_one = array.min() >= 1 and array.max() == number
        said = ": classes count from 0; if yours count from 1, subtract 1" if from_one else ""
        raise ValueError(f"y must hold class indices from 0 to C - 1 = {number - 1}; {where} is {k}{said}")
    return indices


def distribution(y: object, count: int, single: bool, number: int, dtype: np.dtype[Any]) -> Array:
    """Return cross-entropy's target as distributions (N, C), whichever form it came in; it raises what `classes` does."""
    target = classes(y, count, single, number, dtype)
    return np.asarray(target[:, None] == np.arange(number), dtype) if target.ndim == 1 else target


# What checks a loss's target, and returns it as numbers (N, n_L).
TARGETS = {"squared_error": outputs, "cross_entropy": distribution, "binary_cross_entropy": probabilities}


def converted(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Return `array` in `dtype`, without copying where it has it; every number must be finite before and after."""
    finite(name, array)
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        rounded = array.astype(dtype, copy=False)
    if not is_finite(rounded):
        beyond = ~np.isfinite(rounded)
        where, number = _first(name, array, beyond)
        raise ValueError(f"{name} must be finite in {dtype}; {where} is {number}")
    return rounded


def _first(name: str, array: Array, chosen: Array) -> tuple[str, Any]:
    """Return the name and the value of the first place that is chosen."""
    place = tuple(int(i) for i in np.argwhere(chosen)[0])
    return (f"{name}[{', '.join(map(str, place))}]" if place else name), array[place]


def positive_number(name: str, value: object, dtype: np.dtype[Any]) -> float:
    """Return `value` as a float that is greater than 0 and finite when rounded to `dtype`, too."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number > 0; got {value!r}")
    number = _float(value)
    with np.errstate(over="ignore"):
        rounded = dtype.type(number)
    if not 0 < rounded < math.inf:
        raise ValueError(f"{name} must be finite and > 0 in {dtype}; got {value!r}")
    return number


def real_number(name: str, value: object) -> float:
    """Return `value` as a finite float."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number; got {value!r}")
    number = _float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; got {value!r}")
    return number


def not_negative(name: str, value: object) -> float:
    """Return `value` as a float that is finite and >= 0."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number >= 0; got {value!r}")
    number = _float(value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be finite and >= 0; got {value!r}")
    return number


def share(name: str, value: object) -> float:
    """Return `value` as a float that is >= 0 and < 1."""
    number = not_negative(name, value)
    if number >= 1:
        raise ValueError(f"{name} must be a share >= 0 and < 1; got {value!r}")
    return number


def room_for_a_test(count: int, room: int, of_each_class: bool) -> None:
    """Raise if every example is needed for training."""
    if not room:
        what = f"all {count} examples are of different classes" if of_each_class and count > 1 else "there is 1 example"
        raise ValueError(f"the test needs an example that training can spare, but {what}; with test = 0 there is no test")


def several_classes(what: str, labels: Sequence[str]) -> None:
    """Raise if there is one class alone, which needs no network."""
    if len(labels) < 2:
        raise ValueError(f"{what} must have at least 2 classes for a cross-entropy; got {', '.join(labels)} alone")


def converging(loss: float, vector: Array, epoch: int, rate: float) -> None:
    """Raise if training has led to a loss or a gradient that is not finite."""
    if not (math.isfinite(loss) and is_finite(vector)):
        raise ValueError(f"training diverged in epoch {epoch} (loss {loss}); the rate must be smaller than {rate}")


def scale(name: str, value: float, zero: bool = True) -> float:
    """Return the finite number that a gradient is multiplied or divided by."""
    number = _float(value)
    if not math.isfinite(number) or (number == 0 and not zero):
        raise ValueError(f"{name} must be finite{'' if zero else ' and not 0'}; got {value!r}")
    return number


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer or a fraction beyond the largest float
        return math.inf


def layer_number(value: object, layers: int) -> int:
    """Return the layer's place in a Python sequence for a number counted from 1 as in the notes."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"layers are numbered by integers from 1 to L = {layers}; got {value!r}")
    if not 1 <= int(value) <= layers:
        raise IndexError(f"layers are numbered from 1 to L = {layers}; got {value}")
    return int(value) - 1


def between(name: str, value: object, least: int, most: int, symbol: str = "") -> int:
    """Return `value` as an int from `least` to `most`, which the notes may have a symbol for."""
    wanted = f"{name} must be an integer from {least} to {f'{symbol} = ' if symbol else ''}{most}; got {value!r}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(wanted)
    if not least <= int(value) <= most:
        raise ValueError(wanted)
    return int(value)


def part(
    layer: object, unit: object, example: object, widths: Sequence[int], count: int
) -> tuple[int | None, int | None, int | None]:
    """Return the layer, the unit of it and the example that are shown, each counted from 1, or None for all."""
    if unit is not None and layer is None:
        raise ValueError(f"unit needs the layer that it is in, layer=1 to L = {len(widths) - 1}; got unit={unit!r} alone")
    number = None if layer is None else between("layer", layer, 1, len(widths) - 1, "L")
    place = None if unit is None or number is None else between("unit", unit, 1, widths[number], f"n_{number}")
    return number, place, None if example is None else between("example", example, 1, count, "N")


def not_too_many(
    count: int, limit: int, widths: Sequence[int], examples: int, shown: tuple[int | None, int | None, int | None]
) -> None:
    """Raise if more numbers are to be derived than a reader can follow, saying what would show fewer."""
    if count <= limit:
        return
    layer, unit, example = shown
    fewer = [f"example=1, one of {examples}"] if example is None and examples > 1 else []
    fewer += [f"layer=1, one of {len(widths) - 1}"] if layer is None else []
    fewer += [f"unit=1 of that layer, one of {widths[layer or 1]}"] if unit is None else []
    part = f"choose a part: {', '.join(fewer)}" if fewer else "there is no smaller part"
    what = f"the network {'-'.join(map(str, widths))} on {examples} example{'s' * (examples > 1)}"
    raise ValueError(f"at most {limit} numbers are derived, and {what} has more here; {part}")


def same_parameters(name: str, got: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    """Raise unless both mappings of name to array agree in names, shapes and dtypes: a gradient must be this network's."""
    described = [[f"{label} {array.shape} {array.dtype}" for label, array in arrays.items()] for arrays in (got, wanted)]
    for place in range(max(map(len, described))):
        came, due = (column[place] if place < len(column) else "nothing" for column in described)
        if came != due:
            raise ValueError(f"{name} must be a gradient of this network: {due} is wanted; got {came}")


def flat(name: str, vector: object, size: int, dtype: np.dtype[Any]) -> Array:
    """Return `vector` in `dtype` if it is one-dimensional with `size` real, finite numbers."""
    array = real_array(name, vector)
    if array.shape != (size,):
        raise ValueError(f"{name} must have shape (P,) = ({size},), one number for each parameter; got {array.shape}")
    return converted(name, array, dtype)


def instance(name: str, value: object, kind: type, means: str) -> None:
    """Raise a TypeError unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {means}; got {type(value).__name__}")


def path(name: str, value: object, means: str) -> Path:
    """Return the path of a file."""
    if not isinstance(value, str | Path):
        raise TypeError(f"{name} must be {means}; got {type(value).__name__}")
    return Path(value)


def replacements(value: object, known: Iterable[int]) -> None:
    """Raise unless `value` maps numbers of the notes' equations to functions."""
    if not isinstance(value, Mapping):
        raise TypeError(f"replacements must be a mapping from equation number to function; got {value!r}")
    numbers_known = list(known)
    for number, function in value.items():
        if number not in numbers_known:
            raise ValueError(f"equations are numbered from {min(numbers_known)} to {max(numbers_known)}; got {number!r}")
        if not callable(function):
            raise TypeError(f"replacements[{number}] must be a function; got {function!r}")


def equations(value: object, known: Iterable[int]) -> None:
    """Raise unless `value` is a table with an entry for each of the notes' equations."""
    if not isinstance(value, Mapping):
        raise TypeError(f"equations must be a mapping from number to Equation, like EQUATIONS; got {type(value).__name__}")
    missing = [number for number in known if number not in value]
    if missing:
        raise ValueError(f"equations must hold every equation of EQUATIONS; without {', '.join(map(str, missing))}")


def pre_activation(z: Array, name: str, alpha: object) -> None:
    """Check that z has the axis that softmax sums along, or that α one a unit runs along."""
    if name == "softmax" and (z.ndim == 0 or z.shape[-1] == 0):
        raise ValueError(f"z must have shape (..., n), n >= 1, for softmax; got {z.shape}")
    if isinstance(alpha, tuple) and (z.ndim == 0 or z.shape[-1] != len(alpha)):
        raise ValueError(f"z must have shape (..., n) = (..., {len(alpha)}) to meet alpha; got {z.shape}")


def float_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return `dtype` if it is float32 or float64."""
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be float32 or float64; got {dtype!r}") from None
    if kind not in FLOATS:
        raise TypeError(f"dtype must be float32 or float64; got {kind}")
    return kind


def generator(seed: int | np.random.Generator | None) -> np.random.Generator:
    """Return a random generator for a seed: an integer >= 0, a generator, or None for a different one each time."""
    if seed is not None and not isinstance(seed, np.random.Generator | numbers.Integral):
        raise TypeError(f"seed must be an integer >= 0, a numpy Generator or None; got {seed!r}")
    if isinstance(seed, numbers.Integral) and int(seed) < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    return np.random.default_rng(seed)


def one_neuron_a_layer(widths: Sequence[int], activations: Sequence[str], loss: str) -> None:
    """Raise unless it is a chain: every width 1, no activation that needs several units, and the loss that (4) derives."""
    if set(widths) != {1}:
        raise ValueError(f"net must have one neuron a layer, n_0 = ... = n_L = 1; got widths {'-'.join(map(str, widths))}")
    if "softmax" in activations:
        raise ValueError(f"net must have no softmax, which takes a layer of several neurons; got {', '.join(activations)}")
    if loss != "squared_error":
        raise ValueError(f"net must have the loss squared_error, whose derivative is (4); got {loss}")


def one_example(count: int, n_0: int) -> None:
    """Raise unless there is one example."""
    if count != 1:
        raise ValueError(f"x must be one example, (n_0,) = ({n_0},), to be written out; got a batch of N = {count}")


def together(**given: object) -> None:
    """Raise if some of these arguments are given, and others are None."""
    without = [name for name, value in given.items() if value is None]
    if 0 < len(without) < len(given):
        raise ValueError(f"{' and '.join(given)} must both be given, or neither; got no {without[0]}")


def batch(x: Array) -> None:
    """Raise unless x is a batch (N, n_0), not one example."""
    if x.ndim != 2:
        raise ValueError(f"x must be a batch of shape (N, n_0) to be trained on; got {x.shape}")


def axes(value: object, count: int, kind: type) -> list[Any]:
    """Return the axes that a figure is drawn on as a list: one, or an array or sequence of as many as are needed."""
    given = value.ravel().tolist() if isinstance(value, np.ndarray) else value
    listed = list(given) if isinstance(given, Iterable) else [given]
    for each in listed:
        if not isinstance(each, kind):
            raise TypeError(f"axes must be {count} matplotlib Axes, or None for a new figure; got {type(each).__name__}")
    if len(listed) != count:
        raise ValueError(f"axes must be {count} matplotlib Axes, or None for a new figure; got {len(listed)}")
    return listed


def two_inputs(widths: Sequence[int]) -> None:
    """Raise unless a network takes two inputs, which a plane can show."""
    if widths[0] != 2:
        raise ValueError(f"net must take n_0 = 2 inputs, the two axes of the plane; got n_0 = {widths[0]}")


def names(name: str, value: object, count: int) -> list[str]:
    """Return as many names as are needed, each on one line."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{name} must be a sequence of {count} names; got {value!r}")
    if len(value) != count:
        raise ValueError(f"{name} must be a sequence of {count} names; got {len(value)}")
    return [" ".join(each.split()) for each in value]


def two_values(name: str, values: Sequence[float]) -> None:
    """Raise unless there are two different targets, one for each class of a network of one output."""
    if len(values) != 2:
        raise ValueError(f"{name} must hold 2 different numbers, one for each class, with n_L = 1 output; got {len(values)}")


def one_class_each(loss: str, n_out: int) -> None:
    """Raise for yes or no from each of several units, which put no example in one class."""
    if loss == "binary_cross_entropy" and n_out > 1:
        raise ValueError(f"net must give one class, so n_L = 1 with the loss {loss}; got n_L = {n_out}")


def same_shape(name: str, got: Sequence[int], wanted: Sequence[int]) -> None:
    """Raise unless two networks have the same widths."""
    if tuple(got) != tuple(wanted):
        came, due = ("-".join(map(str, widths)) for widths in (got, wanted))
        raise ValueError(f"{name} must have the same widths n_0-...-n_L = {due}; got {came}")


def some_relu(names: Sequence[str]) -> None:
    """Raise unless one of the layers is relu, whose units alone can be dead."""
    if "relu" not in names:
        raise ValueError(f"net must have a relu layer, since no other unit can be dead; got {', '.join(names)}")


def saved_as_it_is(settings: Mapping[str, object], describing: Iterable[str]) -> None:
    """Raise if something else describes the network that was saved in a file."""
    other = [name for name in describing if name in settings]
    if other:
        raise ValueError(f"a saved network is taken as it is; got {', '.join(other)} beside it")


def not_empty(name: str, values: Sequence[object], of_what: str) -> None:
    """Raise unless there is something to draw."""
    if not values:
        raise ValueError(f"{name} must hold at least one {of_what}; got none")


def widths_of_a_sheet(value: object, widest: int, layers: int) -> list[int]:
    """Return the widths of an exercise, which are few and small enough for paper."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"widths must be a sequence of integers n_0, ..., n_L; got {value!r}")
    units = [between(f"widths[{place}]", width, 1, widest) for place, width in enumerate(value)]
    if not 2 <= len(units) <= layers + 1:
        raise ValueError(f"widths of an exercise must name 1 to {layers} layers after the inputs; got {units}")
    return units


def not_too_many_blanks(count: int, limit: int, widths: Sequence[int]) -> None:
    """Raise if a sheet asks for more than can be done on paper."""
    if count > limit:
        shape = "-".join(map(str, widths))
        raise ValueError(f"widths must leave at most {limit} blanks on the sheet; {shape} has at least {count}")


def no_numbers_for_paper(widths: Sequence[int]) -> NoReturn:
    """Raise where the lots gave no numbers that are short enough."""
    shape = "-".join(map(str, widths))
    raise ValueError(f"widths and activations must have numbers that suit paper; none were found for {shape}: take fewer")


def same_exercise(got: str | None, wanted: str) -> None:
    """Raise if answers say that they belong to another exercise."""
    if got is not None and got != wanted:
        raise ValueError(f"answers must be those of the exercise {wanted!r}; they say {got!r}")


def as_published(verdicts: Mapping[str, Sequence[str]]) -> None:
    """Raise if a printed number of an example differs from the recomputed one, and no erratum says so, or says so wrongly."""
    wrong = [name for name, found in verdicts.items() if "differs" in found]
    if wrong:
        raise ValueError(f"every number of an example must agree, or be an erratum; not so in {', '.join(wrong)}")


def several_for_softmax(widths: Sequence[int], activations: Sequence[str]) -> None:
    """Raise if softmax is to part one unit, which it makes 1 whatever z is."""
    for layer, (units, name) in enumerate(zip(widths[1:], activations, strict=True), start=1):
        if name == "softmax" and units == 1:
            raise ValueError(f"softmax needs n_l >= 2 units; layer {layer} has n_{layer} = 1")


def no_more_exercises(found: int, count: int) -> NoReturn:
    """Raise where further seeds give the same numbers again."""
    raise ValueError(f"count must be at most {found}, since no more exercises with other numbers were found; got {count}")


def empty_folder(folder: Path) -> None:
    """Raise if a folder holds something already, which would stay among what is new."""
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} must be empty, or not there; it holds {sorted(folder.iterdir())[0].name}")


def told_exercise(called: str, exercise: T | None) -> T:
    """Return the exercise that answers say they are of."""
    if exercise is None:
        raise ValueError(f"{called} does not say which exercise it is; name it, for example 'level=2 seed=7'")
    return exercise


def same_answer(name: str, first: str, second: str, is_same: bool) -> None:
    """Raise if a quantity is answered twice, and not alike."""
    if not is_same:
        raise ValueError(f"{name} comes twice in the answers, {first or 'blank'} and {second or 'blank'}")
