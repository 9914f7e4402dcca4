"""Networks in files: an .npz of the parameters, w1, b1, alpha1, …, and of one text, `handgrad`, that says what they are.

The text is JSON: {"format": "handgrad", "version": 1, "loss": …, "reduction": …, "dtype": …, "layers": [{"activation": …}, …]}.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.activations import FORMS, Activation
from handgrad.destination import Destination
from handgrad.homework import archive
from handgrad.network import Dense, Network

__all__ = ["load", "save"]

Array = npt.NDArray[Any]

FORMAT, VERSION = "handgrad", 1
ENDING = ".npz"
TEXT = "handgrad"  # the entry that is no parameter
MOST = 1_000_000  # characters of it
KEYS = ("format", "version", "loss", "reduction", "dtype", "layers")


def save(net: Network, path: str | Path) -> None:
    """Write a network to an .npz file: as a whole, or not at all.

    Parameters
    ----------
    net : Network
        Its parameters must be finite.
    path : str or Path
        It ends in .npz. An old file is replaced when the new one is whole.

    Raises
    ------
    TypeError, ValueError
        If net is no network, a parameter not finite, or the ending another.
    OSError
        If the file cannot be written.
    """
    checks.instance("net", net, Network, "a Network")
    checks.ending(path, (ENDING,))
    Destination(str(path)).write(content(net))


def content(net: Network) -> bytes:
    """Return what `save` writes."""
    arrays = net.named()
    checks.all_finite(arrays, "net's {}")
    layers = [{"activation": layer.activation.name} | _slope(layer.activation) for layer in net.layers]
    common = {"loss": net.loss_name, "reduction": net.reduction, "dtype": net.dtype.name}
    text = json.dumps({"format": FORMAT, "version": VERSION, **common, "layers": layers})
    written = io.BytesIO()
    entries: dict[str, Any] = {TEXT: np.array(text), **arrays}
    np.savez(written, **entries)
    return written.getvalue()


def _slope(activation: Activation) -> dict[str, float]:
    return {} if activation.slope is None else {"slope": activation.slope}


def load(path: str | Path) -> Network:
    """Return the network that `Network.save` wrote.

    Parameters
    ----------
    path : str or Path
        It ends in .npz. It may come from anybody: nothing in it is executed.

    Returns
    -------
    Network
        Equal number for number, with the same activations, loss, reduction and dtype.

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If path is none, or the file is no saved network: cut off, damaged, foreign, made to harm, or of a newer version.

    Examples
    --------
    >>> import tempfile
    >>> net = Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(f"{folder}/net.npz")
    ...     load(f"{folder}/net.npz")
    Network(2-3-1, tanh, sigmoid; squared_error, mean; float64; 13 parameters)
    """
    checks.ending(path, (ENDING,))
    try:
        return _network(archive.read(path))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is no saved network: {error}") from None


def _network(arrays: dict[str, Array]) -> Network:
    told = _told(arrays)
    dtype = np.dtype(checks.one_of("its dtype", told["dtype"], [kind.name for kind in checks.FLOATS]))
    checks.instance("its layers", told["layers"], list, "a list")
    left = {name: array for name, array in arrays.items() if name != TEXT}
    layers = [_layer(number, entry, left, dtype) for number, entry in enumerate(told["layers"], start=1)]
    for name in left:
        raise ValueError(f"entry {name!r} is of none of its {len(layers)} layers")
    return Network(layers, told["loss"], told["reduction"])


def _told(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Return what the text says of the network, with the keys of this version."""
    if TEXT not in arrays:
        raise ValueError(f"it has no entry {TEXT!r}, so another program wrote it")
    if arrays[TEXT].dtype.kind != "U" or arrays[TEXT].shape or arrays[TEXT].dtype.itemsize > 4 * MOST:
        raise ValueError(f"its entry {TEXT!r} must be one text of at most {MOST} characters")
    try:
        told = json.loads(arrays[TEXT].item())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its entry {TEXT!r} is no JSON: {error}") from None
    checks.instance(f"its entry {TEXT!r}", told, dict, "a table")
    assert isinstance(told, dict)
    version = checks.positive_integer("its version", told.get("version"))
    if version > VERSION:
        raise ValueError(f"a newer handgrad wrote it (format {version}); this one reads {VERSION}: install a newer handgrad")
    for key in KEYS:
        if key not in told:
            raise ValueError(f"its entry {TEXT!r} does not say {key}")
    for key in told:
        checks.one_of(f"a key of its entry {TEXT!r}", key, KEYS)
    checks.one_of("its format", told["format"], (FORMAT,))
    return told


def _layer(number: int, entry: object, left: dict[str, Array], dtype: np.dtype[Any]) -> Dense:
    """Return a layer; its arrays are taken out of those that are left."""
    checks.instance(f"layer {number}", entry, dict, "a table")
    assert isinstance(entry, dict)
    for key in entry:
        checks.one_of(f"a key of layer {number}", key, ("activation", "slope"))
    name = checks.one_of(f"the activation of layer {number}", entry.get("activation"), FORMS)
    slope = entry.get("slope")
    if name == "leaky_relu" and slope is None:
        raise ValueError(f"layer {number} is leaky_relu and needs its slope")
    letters = ("w", "b", "alpha") if name == "prelu" else ("w", "b")
    w, b, *alpha = [_parameter(f"{letter}{number}", left, dtype) for letter in letters]
    # As it was written, 0.3 and not the 0.30000001192092896 that is its float32; what is learned keeps every bit.
    written = [array.astype(str).astype(np.float64).tolist() for array in alpha]
    try:
        layer = Dense(w, b, Activation(name, slope, *written))
        if alpha:
            layer.alpha = alpha[0]
    except (TypeError, ValueError) as error:
        raise ValueError(f"layer {number}: {error}") from None
    return layer


def _parameter(name: str, left: dict[str, Array], dtype: np.dtype[Any]) -> Array:
    if name not in left:
        raise ValueError(f"entry {name!r} is missing")
    array = left.pop(name)
    if array.dtype.newbyteorder("=") != dtype:
        raise ValueError(f"entry {name!r} must be {dtype}, as the entry {TEXT!r} says; got {array.dtype}")
    return array.astype(dtype)
