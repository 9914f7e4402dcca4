"""The network written out as a telling: every quantity of its program, in arrays under the oracles' names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad.fast.written_out import program_of
from handgrad.homework.written_out import numbers
from verification.bounds.quantities import BATCHED, kind_of

Array = npt.NDArray[Any]
# What the oracles call a unit's quantities → what the program does.
UNITS = {"z": "z@", "a": "a@", "dL_da": "dL_da@", "da_dz": "da_dz@", "dL_dz": "dz@"}


def written_out(net: hg.Network, x: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, Array]:
    """Return every quantity of the network's program, computed in 64 bits and rounded to the network's dtype.

    Parameters
    ----------
    net : handgrad.Network
        The network.
    x, y : array_like
        One example, with or without a batch axis.

    Returns
    -------
    dict of str to ndarray
        As `verification.bounds.quantities.quantities` of a trace.

    Raises
    ------
    TypeError, ValueError
        As `handgrad.written_out`.
    """
    told = program_of(net.engine.architecture)
    found = told.quantities(*numbers(net, x, y))

    def array(names: list[str], *shape: int) -> Array:
        return np.array([found[name] for name in names]).astype(net.dtype).reshape(shape or len(names))

    units, parameters = {}, {}
    for of, layer in zip(told.names, net.layers, strict=True):
        for name, template in UNITS.items():
            names, n = of.each(template), [len(of.b)]
            if name == "da_dz" and layer.activation.name == "softmax":
                places, n = range(1, len(of.b) + 1), 2 * n
                names = [of.pair("da_dz", j, i) for j in places for i in places]
            if names[0] in found:
                units[f"{name}{of.layer}"] = array(names, *n)
        parameters[f"w{of.layer}"] = array([f"d{w_jk}" for row in of.w for w_jk in row], *layer.w.shape)
        parameters[f"b{of.layer}"] = array([f"d{b_j}" for b_j in of.b])
        if layer.alpha is not None:
            parameters[f"alpha{of.layer}"] = array([f"d{alpha_j}" for alpha_j in of.alpha]).reshape(layer.alpha.shape)
    arrays = units | parameters | {"loss": np.asarray(found["L"]), "x": array(told.names[0].dL_da_prev)}
    if hg.checks.real_array("x", x).ndim == 1:
        return arrays
    return {name: array[None] if kind_of(name) in BATCHED else array for name, array in arrays.items()}
