"""What other libraries hand over and how they call things: their arrays read, and the notes' words for theirs.

None of these libraries is loaded, or known: what counts is what an object can do. `checks` words its errors with this.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTIVATIONS",
    "ARGUMENTS",
    "LOSSES",
    "as_column",
    "as_row",
    "as_whole",
    "letters",
    "meant",
    "notes_words",
    "of_array",
    "plain",
    "plain_within",
    "spelled",
]

P = ParamSpec("P")
R = TypeVar("R")

# Another word, as `letters` gives it → what the error says of it.
LOSSES = {
    **dict.fromkeys(
        ("mse", "mseloss", "meansquarederror", "l2", "l2loss", "sse", "squarederror", "quadratic"),
        "the notes' word is squared_error, a sum over the n_L outputs; torch's MSELoss divides by n_L, too, "
        "unless told otherwise: it is squared_error's mean / n_L",
    ),
    **dict.fromkeys(
        ("ce", "crossentropy", "crossentropyloss", "nll", "nllloss", "categoricalcrossentropy", "softmaxcrossentropy"),
        "the notes' word is cross_entropy, and the last activation is softmax; torch's CrossEntropyLoss takes logits instead",
    ),
    **dict.fromkeys(
        ("bce", "bceloss", "bcewithlogits", "bcewithlogitsloss", "binarycrossentropy", "logloss", "logistic"),
        "the word is binary_cross_entropy, a sum over the n_L units after sigmoid; torch's BCELoss divides by n_L, too, "
        "unless told otherwise: it is binary_cross_entropy's mean / n_L",
    ),
}
ACTIVATIONS = {
    **dict.fromkeys(("linear", "none", "no", "lin", "id", ""), "a layer without an activation is 'identity'"),
    **dict.fromkeys(("logistic", "expit", "sigm"), "the notes' word is 'sigmoid'"),
    "hyperbolictangent": "the notes' word is 'tanh'",
    "logsoftmax": "take 'softmax', whose logarithm is in the loss cross_entropy",
}
ARGUMENTS = {
    **dict.fromkeys(("lr", "learning_rate", "eta", "step_size"), "rate"),
    **dict.fromkeys(
        ("n_epochs", "num_epochs", "nb_epochs", "epoch", "iterations", "n_iterations", "n_iter", "max_iter"), "epochs"
    ),
    **dict.fromkeys(("batch", "batchsize", "minibatch_size", "minibatch"), "batch_size"),
    **dict.fromkeys(("random_state", "random_seed", "rng", "generator"), "seed"),
    **dict.fromkeys(("criterion", "loss_fn", "loss_function", "cost"), "loss"),
    **dict.fromkeys(("sizes", "layer_sizes", "layers", "units"), "widths"),
    **dict.fromkeys(("weight", "weights", "W", "kernel"), "w"),
    **dict.fromkeys(("bias", "biases", "B"), "b"),
    **dict.fromkeys(("act", "nonlinearity"), "activation"),
    **dict.fromkeys(("gradient", "gradients", "grad", "grads"), "g"),
    **dict.fromkeys(("X", "inputs", "data"), "x"),
    **dict.fromkeys(("Y", "target", "targets", "labels"), "y"),
    **dict.fromkeys(("lang", "locale"), "language"),
    "activation": "activations",
    "callbacks": "callback",
    "verbose": "progress",
}


def letters(word: str) -> str:
    """Return a name without capitals, spaces, hyphens and underscores: "Leaky ReLU" and "leaky_relu" are one."""
    return word.lower().replace(" ", "").replace("-", "").replace("_", "")


def notes_words(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, which says the notes' word if an argument is called what other libraries call it."""
    known = frozenset(signature(function).parameters)

    @wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> R:
        if options:
            for word in options:
                right = ARGUMENTS.get(word)
                if word not in known and right in known:
                    name = function.__qualname__.removesuffix(".__init__")
                    raise TypeError(f"{name} has no argument {word}: the word for it is {right}")
        return function(*arguments, **options)

    return called


def plain(name: str, value: Any) -> Any:
    """Return a tensor or a frame as a NumPy array, a sequence of tensors as one of arrays, and anything else as it is.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : object
        A tensor, which is detached and brought to the processor's memory; a data frame or series; or something else.

    Returns
    -------
    object
        Something that `np.asarray` reads, if it can be read at all.

    Raises
    ------
    TypeError
        If it is sparse, a tensor of numbers that NumPy has not, or a frame with a column of no numbers, which is named.
    ValueError
        If a column has missing numbers.
    """
    if isinstance(value, list | tuple):
        return [plain(name, each) for each in value] if value and hasattr(value[0], "detach") else value
    if hasattr(value, "iloc") and hasattr(value, "to_numpy"):
        return _of_frame(name, value)
    if "sparse" in str(getattr(value, "layout", "")):
        raise TypeError(f"{name} must be dense; got a sparse tensor: write {name}.to_dense()")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{name} must be dense; got a sparse matrix: write {name}.toarray()")
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return _of_tensor(name, value)
    return value


def plain_within(name: str, value: Any) -> Any:
    """Return what `plain` does of everything in a sequence and the sequences in it."""
    return [plain_within(name, each) for each in value] if isinstance(value, list | tuple) else plain(name, value)


def _of_tensor(name: str, tensor: Any) -> npt.NDArray[Any]:
    detached = tensor.detach()
    try:
        # A view of a negative or conjugate has its sign in a flag, which NumPy does not read.
        for method in ("cpu", "resolve_neg", "resolve_conj"):
            detached = getattr(detached, method)() if hasattr(detached, method) else detached
        return np.asarray(detached.numpy())
    except Exception as error:  # whatever it says of numbers that NumPy has not, or of none at all
        kind = getattr(tensor, "dtype", "unknown dtype")
        raise TypeError(
            f"{name} must be a tensor that NumPy can read, for example {name}.float(); got {kind}: {error}"
        ) from None


def _of_frame(name: str, frame: Any) -> npt.NDArray[Any]:
    """Return the numbers of a frame (N, n), or of a series (N,)."""
    if not hasattr(frame, "columns"):
        return _of_column(name, "the series", frame)
    array: npt.NDArray[Any] = frame.to_numpy()
    if array.dtype.kind in "iub" or (array.dtype.kind == "f" and np.isfinite(array).all()):
        return array
    # Some column lacks a number, holds truth values beside others' numbers, or no numbers at all.
    columns = [_of_column(name, f"column {label!r}", frame.iloc[:, place]) for place, label in enumerate(frame.columns)]
    return np.column_stack(columns) if columns else np.empty(frame.shape)


def _of_column(name: str, which: str, column: Any) -> npt.NDArray[Any]:
    kind = column.dtype
    if kind.kind in "fiub":
        missing = np.asarray(column.isna())
        if missing.any():
            raise ValueError(f"{name} must have no missing numbers; {which} ({kind}) has none in row {int(missing.argmax())}")
    array: npt.NDArray[Any] = column.to_numpy()
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers; {which} has dtype {kind}")
    return array


def as_column(name: str, value: object) -> str:
    """Return how a caller writes his N numbers (N,) as one column (N, 1)."""
    if hasattr(value, "to_frame"):
        return f"{name}.to_frame()"
    return f"{of_array(name, value)}[:, None]"


def as_row(name: str, value: object) -> str:
    """Return how a caller writes his one column (N, 1) as N numbers (N,)."""
    return f"{name}.iloc[:, 0]" if hasattr(value, "iloc") else f"{of_array(name, value)}[:, 0]"


def as_whole(name: str, value: object) -> str:
    """Return how a caller writes his whole numbers as integers."""
    if hasattr(value, "detach") and hasattr(value, "long"):
        return f"{name}.long()"
    return (
        f"{of_array(name, value)}.astype(int)" if hasattr(value, "dtype") or isinstance(value, list | tuple) else f"int({name})"
    )


def of_array(name: str, value: object) -> str:
    """Return how a caller writes what he handed over as an array, "y" or "np.array(y)"."""
    return f"np.array({name})" if isinstance(value, list | tuple) else name


def meant(value: object, elsewhere: Mapping[str, str]) -> str:
    """Return the end of a sentence about another library's word, or nothing."""
    said = elsewhere.get(letters(value)) if isinstance(value, str) else elsewhere.get("none") if value is None else None
    return f": {said}" if said else ""


def spelled(value: object, known: Collection[str]) -> object:
    """Return the known name that `value` is but for capitals, spaces, hyphens and underscores; otherwise `value`."""
    # Every layer comes here, nearly always with the name itself.
    if not isinstance(value, str) or (type(value) is str and value in known):
        return value
    word = letters(value)
    return next((name for name in known if letters(name) == word), value)
