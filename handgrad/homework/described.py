"""A network and its data from a small file, TOML or JSON, or from the options of a command; a network that was saved.

loss = "squared_error"          # as for Network, like reduction
x = [0.05, 0.10]                # one example, or a list of them
y = [0.01, 0.99]

[[layers]]                      # or widths, activations and seed, for random numbers
w = [[0.15, 0.20], [0.25, 0.30]]
b = [0.35, 0.35]
activation = "sigmoid"          # slope for leaky_relu, alpha for prelu
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.activations import Activation
from handgrad.homework.saving import load
from handgrad.network import Dense, Network

Settings = Mapping[str, Any]

KEYS = ("layers", "widths", "activations", "seed", "loss", "reduction", "dtype", "x", "y", "rate")
# What a saved network says for itself.
DESCRIBING = KEYS[: KEYS.index("x")]
LAYER_KEYS = ("w", "b", "activation", "slope", "alpha")


def read(path: str | Path) -> dict[str, Any]:
    """Return what a file says of a network and its data.

    Parameters
    ----------
    path : str or Path
        It ends in .toml or .json; or in .npz, and is a saved network.

    Returns
    -------
    dict of str to object
        Its keys and values; the keys are known ones. Of a saved network, the network itself under `network`.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is neither TOML nor JSON, with line and column; if it has an unknown key; if it is no saved network.
    TypeError
        If it holds no table.
    """
    ending = checks.ending(path, (".toml", ".json", ".npz"))
    if ending == ".npz":
        return {"network": load(path)}
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
        settings = tomllib.loads(text) if ending == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:  # of Unicode, of the language, or of a number of too many digits
        raise ValueError(f"{path} is no {ending[1:].upper()}: {error}") from None
    checks.instance("the file", settings, dict, "a table of settings")
    for key in settings:
        checks.one_of("a key of the file", key, KEYS)
    return dict(settings)


def network(settings: Settings) -> Network:
    """Return the network that settings describe: by its layers, or by widths and activations with random numbers.

    Parameters
    ----------
    settings : mapping of str to object
        As `read` returns.

    Returns
    -------
    Network
        Its numbers are float64 unless dtype says float32.

    Raises
    ------
    TypeError, ValueError
        If they describe none, as `Network` and `Network.random` do.

    Examples
    --------
    >>> network({"layers": [{"w": [[1, 2]], "b": [0], "activation": "relu"}]})
    Network(2-1, relu; squared_error, mean; float64; 3 parameters)
    """
    if "network" in settings:
        checks.saved_as_it_is(settings, DESCRIBING)
        return settings["network"]  # type: ignore[no-any-return]
    kind = checks.float_dtype(settings.get("dtype", "float64"))
    common = {name: settings[name] for name in ("loss", "reduction") if name in settings}
    if "layers" in settings:
        if "widths" in settings or "activations" in settings:
            raise ValueError("a network has either layers, with their numbers, or widths and activations; got both")
        checks.instance("layers", settings["layers"], list, "a list of tables with w, b and activation")
        layers = [_layer(number, table, kind) for number, table in enumerate(settings["layers"], start=1)]
        return Network(layers, **common)
    for name in ("widths", "activations"):
        if name not in settings:
            raise ValueError(f"a network needs layers, with their numbers, or widths and activations; {name} is missing")
    seed = settings.get("seed", 0)
    return Network.random(settings["widths"], activations=settings["activations"], seed=seed, dtype=kind, **common)


def _layer(number: int, table: object, kind: np.dtype[Any]) -> Dense:
    name = f"layer {number}"
    checks.instance(name, table, dict, "a table with w, b and activation")
    assert isinstance(table, dict)
    for key in table:
        checks.one_of(f"a key of {name}", key, LAYER_KEYS)
    for key in ("w", "b"):
        if key not in table:
            raise ValueError(f"{name} needs {key}; it has {', '.join(table) or 'nothing'}")
    w, b = (checks.converted(f"{key}{number}", checks.real_array(f"{key}{number}", table[key]), kind) for key in ("w", "b"))
    options = {key: table[key] for key in ("slope", "alpha") if key in table}
    return Dense(w, b, Activation(table.get("activation", "identity"), **options))


def data(settings: Settings) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return x and y of settings, whole numbers as such, so that they can be classes; of one example the class alone.

    Parameters
    ----------
    settings : mapping of str to object
        As `read` returns.

    Returns
    -------
    tuple of (ndarray, ndarray)
        As `Network.gradient` takes them.

    Raises
    ------
    TypeError, ValueError
        If one is missing, or holds no real numbers.
    """
    for name in ("x", "y"):
        if name not in settings:
            raise ValueError(f"the data needs x and y; {name} is missing")
    x, y = checks.real_array("x", settings["x"]), checks.real_array("y", settings["y"])
    loss = settings["network"].loss_name if "network" in settings else settings.get("loss")
    # What is typed is always a row: of one class, each example's.
    if loss == "cross_entropy" and y.dtype.kind in "iu" and y.ndim == x.ndim and y.shape[-1] == 1:
        y = y[..., 0]
    return x, y


def row_of_numbers(name: str, text: str) -> list[Any]:
    """Return numbers that are typed: "0,1" is [0, 1], and "0,1;1,0" is [[0, 1], [1, 0]].

    Parameters
    ----------
    name : str
        What it is called in an error.
    text : str
        Numbers with commas between them, and semicolons between rows.

    Returns
    -------
    list
        Of numbers, or of rows; whole numbers as such.

    Raises
    ------
    ValueError
        If something is no number.

    Examples
    --------
    >>> row_of_numbers("x", "0,1.5;1,0")
    [[0, 1.5], [1, 0]]
    """
    rows = [[_number(name, part) for part in row.split(",")] for row in text.strip().rstrip(";").split(";")]
    return rows if ";" in text else rows[0]


def _number(name: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"{name} is typed as numbers with commas between them and ; between examples; got {text.strip()!r}"
        ) from None
