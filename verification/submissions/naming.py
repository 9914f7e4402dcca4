"""The names that people give to derivatives: w1, W1, dW1, dL_dw1, grad_w1, or lists under "W" and "b"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count as count_from

import numpy as np

# What may stand before a name for "derivative by".
DERIVATIVE = re.compile(r"^(?:d(?:l|j|c|cost|loss|e)_?/?d|grads?_?|nabla_?|delta_?|∂l/∂|∂|d)_?")
# Those that say two things, or a thing of their own: da/dz, and δ for dL/dz.
WHOLE = ((re.compile(r"^da_?/?dz_?(\d+)$"), r"da_dz\1"), (re.compile(r"^(?:delta|δ)_?(\d+)$"), r"dL_dz\1"))
LONG = (("weights", "w"), ("weight", "w"), ("biases", "b"), ("bias", "b"), ("alphas", "alpha"), ("cost", "loss"))


def spelled(name: str) -> tuple[str, bool]:
    """Return a name in the notes' spelling, and whether it says that it is a derivative.

    Parameters
    ----------
    name : str
        As it came.

    Returns
    -------
    tuple of (str, bool)
        What it means if it means anything; the name itself, in small letters, otherwise.

    Examples
    --------
    >>> spelled("dW1"), spelled("Weights_2"), spelled("dZ1"), spelled("A1")
    (('w1', True), ('w2', False), ('dL_dz1', True), ('a1', False))
    """
    plain = re.sub(r"[\s\[\]().-]", "", name).lower()
    for pattern, meant in WHOLE:
        if pattern.match(plain):
            return pattern.sub(meant, plain), True
    short = DERIVATIVE.sub("", plain)
    bare = short.replace("_", "")
    for long, letter in LONG:
        bare = re.sub(rf"^{long}(?=\d|$)", letter, bare)
    is_derivative = short != plain
    if is_derivative and re.fullmatch(r"[za]\d+", bare):
        return f"dL_d{bare}", True
    return bare, is_derivative


def renamed(returned: Mapping[object, object], known: Mapping[str, object]) -> dict[object, object]:
    """Return what came under the notes' names, as far as it is plain what is meant; all else under its own.

    Parameters
    ----------
    returned : mapping
        Of names to arrays, or to lists with an entry a layer.
    known : mapping of str
        The names that may be given.

    Returns
    -------
    dict
        Where two names mean the same, as w1 and dW1 do, the one that says that it is a derivative counts.
    """
    if all(name in known for name in returned):
        return dict(returned)
    found: dict[object, object] = {}
    said: dict[object, int] = {}
    for name, value in _one_by_one(returned, known):
        meant, rank = name, 1
        if isinstance(name, str) and name not in known:
            spelling, is_derivative = spelled(name)
            if spelling in known:
                meant, rank = spelling, 2 if is_derivative else 0
        if meant not in found or rank > said[meant]:
            found[meant], said[meant] = value, rank
    return found


def _one_by_one(returned: Mapping[object, object], known: Mapping[str, object]) -> list[tuple[object, object]]:
    """Return names and values, with what stands under a name without a number taken apart: {"W": [w1, w2]}."""
    found: list[tuple[object, object]] = []
    for name, value in returned.items():
        meant = spelled(name)[0] if isinstance(name, str) and name not in known else ""
        count = next(number for number in count_from(1) if f"{meant}{number}" not in known) - 1 if meant else 0
        layers = _layers(value, count)
        if layers is None:
            found.append((name, value))
        else:
            found += [(f"{name}{number}", each) for number, each in enumerate(layers, start=1)]
    return found


def _layers(value: object, count: int) -> list[object] | None:
    """Return what stands for each of so many layers; None if it is not as many.

    A list may have None for the inputs in front, a mapping goes by numbers from 1, and a single layer may stand alone.
    """
    if isinstance(value, Mapping):
        return [value[number] for number in range(1, count + 1)] if count and set(value) == set(range(1, count + 1)) else None
    if isinstance(value, list | tuple) and len(value) == count + 1 and value[0] is None:
        value = value[1:]
    if count and isinstance(value, list | tuple) and len(value) == count:
        return list(value)
    if count and isinstance(value, np.ndarray) and value.ndim == 3 and len(value) == count:
        return list(value)
    return [value] if count == 1 and isinstance(value, np.ndarray) and value.ndim < 3 else None
