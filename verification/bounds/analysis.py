"""How far a right answer may lie from the exact one: a running rounding-error analysis of the forward and the backward pass.

Every bound is on |computed − exact| for the inputs as they are. It holds for sums in any order, with or without fused
multiply-add, and is carried from layer to layer:

* standard model: fl(x op y) = (x op y)(1 + δ), |δ| <= u, plus at most `tiny` where a result underflows;
* a sum of n products errs by at most γ_n Σ|terms|, γ_n = n u / (1 − n u);
* exp, log and tanh err by at most 4 ULP = 8u (what NumPy and torch promise for their vector forms);
* at a kink nearer than the bound on z, either side's slope is right;
* where every product and partial sum of (8) is a number of the dtype, z is exact, and a kink is hit exactly or not at all;
* a bound of 0 stays 0: what is exactly zero must be exactly zero;
* where something may overflow the bound is infinite: not comparable.

Three forms differ in what cancels: the stable one (handgrad's matrix form), the naive one that keeps the notes' letters,
1 − g and p − y (handgrad's literal form, torch, and most others), and any right one, in which the activation itself may
have been computed from numbers near 1, as (1 + tanh(z/2)) / 2 is, or from larger ones, as e^{z − log Σ e^z} is, and the binary
cross-entropy from a and 1 − a, as long as these have digits left.

Source: Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd ed., sections 2.2, 3.1–3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.backward import backward
from verification.bounds.forward import forward
from verification.bounds.rounding import NAIVE, STABLE, Form, Forms, rounding
from verification.random_networks.plain import PlainCase

Array = npt.NDArray[Any]


def bounds(plain: PlainCase, form: Form) -> dict[str, Array]:
    """Return the bound on |computed − exact| of every quantity.

    Parameters
    ----------
    plain : PlainCase
        With any leading axes (…).
    form : Form
        STABLE, NAIVE, ANY or ANY_CONVENTION.

    Returns
    -------
    dict of str to ndarray
        Under the names of `oracles.autograd`, in the same shapes, 64 bits; inf where overflow makes numbers incomparable.

    Notes
    -----
    The bound is computed from values of its own in float64. For float32 cases these are as good as exact; for
    float64 the magnitudes are increased by the bound itself.
    """
    return bounds_of_forms(plain, [form])[0]


def bounds_of_forms(plain: PlainCase, forms: Sequence[Form]) -> list[dict[str, Array]]:
    """Return the bounds of several forms, for little more time than those of one.

    Parameters
    ----------
    plain : PlainCase
        With any leading axes (…).
    forms : sequence of Form
        At least one.

    Returns
    -------
    list of dict of str to ndarray
        For each form what `bounds` returns. Not to be written to: forms may share arrays.
    """
    r = rounding(plain.dtype)
    of_arrays = (len(forms), *[1] * plain.x.ndim)

    def values(name: str) -> Array:
        return np.array([getattr(form, name) for form in forms]).reshape(of_arrays)

    chosen = Forms(values("cancels"), values("absolute"), values("open_kinks"))
    with np.errstate(all="ignore"):
        found = backward(plain, forward(plain, r, chosen), r, chosen)
        # Of a NaN and another number `fmin` takes the number.
        allowed = {name: np.fmin(error, np.inf) for name, error in found.items()}
    return [{name: np.asarray(error[place % len(error)]) for name, error in allowed.items()} for place in range(len(forms))]


def both_bounds(plain: PlainCase) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the bounds of the stable and of the naive form."""
    stable, naive = bounds_of_forms(plain, [STABLE, NAIVE])
    return stable, naive
