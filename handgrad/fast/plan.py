"""The gradient of batches of one size: passes over their blocks of rows, and memory for what is handed out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.fast.architecture import Architecture
from handgrad.fast.blocks import blocks_of
from handgrad.fast.lending import Lender
from handgrad.fast.passes import Pass
from handgrad.gradient import cut

Array = npt.NDArray[Any]

# For so few examples dL/dx costs no more than copies of what it is computed from.
FEW = 8


class Results:
    """Memory for what a run hands out: the gradient vector, and dL/dz of the first layer for a dL/dx that is wanted later.

    It serves again when nobody has a part of it any more, because new memory costs more time than a small network's arithmetic.

    Parameters
    ----------
    plan : Plan
        Whose results it is for.
    """

    def __init__(self, plan: Plan) -> None:
        count, parameters, a_1 = plan.count, plan.parameters, plan.passes[0].first.a
        n = a_1.shape[1]
        memory: Array = np.empty(parameters.size + (count * n if count > FEW else 0), parameters.dtype)
        self.lender = Lender(memory)
        self.vector = memory[: parameters.size]
        # Of few examples dL/dz is written over a, and needed no longer than that.
        self.dL_dz_1 = memory[parameters.size :].reshape(-1, n) if count > FEW else a_1
        if len(plan.blocks) == 1:
            self.ways = [plan.passes[0].way_back(self.vector, self.dL_dz_1)]
        else:
            # The first block writes the vector itself, and the others are added to it.
            vectors = [self.vector, *[plan.of_block] * (len(plan.blocks) - 1)]
            self.ways = [
                of_block.way_back(vector, self.dL_dz_1[rows])
                for of_block, vector, rows in zip(plan.passes, vectors, plan.blocks, strict=True)
            ]


class Plan:
    """Backpropagation of one network for batches of one size. A plan serves one caller at a time.

    Parameters
    ----------
    parameters : ndarray
        The network's, (P,) in figure 9's order. The plan keeps views of it, and sees every change.
    architecture : Architecture
        Of the network.
    reduction : str
        As for `Network`.
    count : int
        N, the number of examples.
    """

    def __init__(self, parameters: Array, architecture: Architecture, reduction: str, count: int) -> None:
        self.parameters, self.count = parameters, count
        self.blocks = blocks_of(architecture.shapes, parameters.itemsize, count)
        share = 1 / count if reduction == "mean" else 1.0
        sizes = [rows.stop - rows.start for rows in self.blocks]
        of_sizes = {size: Pass(parameters, architecture, share, size) for size in sizes}
        self.passes = [of_sizes[size] for size in sizes]
        self.of_block: Array = np.empty_like(parameters) if len(sizes) > 1 else parameters[:0]
        self.w_1 = cut(parameters, architecture.shapes)[0][0]
        self.results: list[Results] = []
        # To be called as `plan.run_quietly(plan, x, y, single)`. As a decorator an error state takes half the time; it is the
        # plan's own, since NumPy 1 keeps in it what to go back to.
        self.run_quietly = np.errstate(over="ignore", invalid="ignore")(Plan.run)

    def run(self, x: Array, y: Array, single: bool | None = None) -> tuple[float, Results, Array | None]:
        """Return the loss, and the gradient vector in memory that no caller has a part of; for few examples dL/dx, too.

        What overflows is infinite, or NaN where two infinities meet: who asks finds it in the numbers, and NumPy need not warn.

        Parameters
        ----------
        x : ndarray
            (N, n_0), checked, of the network's dtype.
        y : ndarray
            (N, n_L) of the network's dtype; under "cross_entropy" distributions, or class indices (N,).
        single : bool, optional
            Whether x came without a batch axis, so that dL/dx has none; None if nobody wants dL/dx.

        Returns
        -------
        tuple of float, Results, and ndarray or None
            L, ∇L in `vector`, which is the plan's own until the results are lent out, and of at most `FEW` examples dL/dx,
            (N, n_0), or (n_0,).
        """
        results = self._free_results()
        if len(self.blocks) == 1:
            loss = self.passes[0].run(x, y, results.ways[0])
        else:
            loss = self._run_blocks(x, y, results)
        if single is None or self.count > FEW:
            return loss, results, None
        dL_dx: Array = results.dL_dz_1.dot(self.w_1)  # (14): ij,jk->ik
        return loss, results, dL_dx.reshape(-1) if single else dL_dx

    def _run_blocks(self, x: Array, y: Array, results: Results) -> float:
        loss = 0.0
        for rows, of_block, way in zip(self.blocks, self.passes, results.ways, strict=True):
            loss += of_block.run(x[rows], y[rows], way)
            if rows.start:
                np.add(results.vector, self.of_block, results.vector)
        return loss

    def _free_results(self) -> Results:
        """Return memory that no caller has a part of. Two are kept, for a loop that holds its last gradient."""
        for results in self.results:
            if results.lender.lent() is None:
                return results
        results = Results(self)
        self.results = [results, *self.results[:1]]
        return results
