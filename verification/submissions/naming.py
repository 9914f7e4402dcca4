"""The names that people give to derivatives: w1, W1, dW1, dL_dw1, grad_w1, or lists under "W" and "b"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# What may stand before a name for "derivative by".
DERIVATIVE = re.compile(r"^(?:dl_?d|dl/d|dj_?d|grad_?|nabla_?|delta_?|d)_?")
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
    if plain.startswith(("da_dz", "da/dz")):
        return f"da_dz{plain[5:].lstrip('_')}", True
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
    """Return names and values, with lists under a name without a number taken apart: {"W": [w1, w2]}."""
    found: list[tuple[object, object]] = []
    for name, value in returned.items():
        is_list = isinstance(value, list | tuple) and isinstance(name, str) and name not in known
        if is_list and f"{spelled(str(name))[0]}1" in known:
            layers: Sequence[object] = value if isinstance(value, list | tuple) else ()
            found += [(f"{name}{number}", each) for number, each in enumerate(layers, start=1)]
        else:
            found.append((name, value))
    return found
