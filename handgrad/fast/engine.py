"""What computes a network's gradient: it checks the data, and lends plans out, each to one caller at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.fast.architecture import Architecture
from handgrad.fast.plan import FEW, Plan
from handgrad.fast.tiny import Tiny, is_tiny
from handgrad.fast.weights import Weights
from handgrad.gradient import Gradient, Shapes, cut, named_arrays

Array = npt.NDArray[Any]

# Batch sizes whose plans are kept; a training run needs two, the last batch of an epoch being smaller.
MOST_PLANS = 8
# Compiling a program takes as long as 30 to 700 calls save; who has asked for so many examples one by one is likely to go on.
OFTEN = 100


class Engine:
    """Backpropagation of one network, for batches of any size and for several threads at once.

    Parameters
    ----------
    parameters : ndarray
        The network's own memory, (P,) in figure 9's order.
    shapes : Shapes
        How `handgrad.gradient.cut` cuts it.
    weights : Weights
        Those of the first layer, in that memory.
    activations : sequence of (str, slope)
        One a layer; a slope is rounded to the parameters' dtype.
    loss, reduction : str
        As for `Network`.

    Attributes
    ----------
    architecture : Architecture
        Of the network.
    parameters : ndarray
        The same; written to by `step` and `train` alone, and by whoever was given a part of it.
    """

    def __init__(
        self,
        parameters: Array,
        shapes: Shapes,
        weights: Weights,
        activations: Sequence[tuple[str, float | None]],
        loss: str,
        reduction: str,
    ) -> None:
        self.parameters = parameters
        self._shapes, self._weights = shapes, weights
        rounded = [(name, None if slope is None else float(parameters.dtype.type(slope))) for name, slope in activations]
        self.architecture = Architecture(shapes, tuple(rounded), loss)
        self._loss, self._reduction = loss, reduction
        self._plans: dict[int, list[Plan]] = {}
        # What every call needs, looked up once.
        self._first, self._n_0, self._n_L, self._dtype = shapes[0][0], shapes[0][0][1], shapes[-1][0][0], parameters.dtype
        self._target = checks.classes if loss == "cross_entropy" else checks.TARGETS[loss]
        # A squared error is finite for finite targets alone, so theirs need not be looked for beforehand.
        self._unread = checks.outputs_of_shape if loss == "squared_error" else self._target
        # What computes one example, once so many were asked for one by one, of a network that is tiny.
        self._tiny: Tiny | None = None
        self._asked = 0.0

    def inputs(self, x: npt.ArrayLike) -> tuple[Array, bool]:
        """Return x (N, n_0), checked, and whether it came without a batch axis."""
        return checks.inputs(x, self._n_0, self._first, self._dtype)

    def targets(self, y: npt.ArrayLike, count: int, single: bool) -> Array:
        """Return y (N, n_L) for so many examples, checked; class indices as distributions."""
        return checks.TARGETS[self._loss](y, count, single, self._n_L, self._dtype)

    def data(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array, bool]:
        """Return x (N, n_0) and y as a plan takes them, checked, and whether they came without a batch axis."""
        batch, single = self.inputs(x)
        return batch, self._target(y, len(batch), single, self._n_L, self._dtype), single

    def gradient(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Gradient:
        """Return what `Network.gradient` returns."""
        if self._tiny is not None:
            by_program = self._tiny.of_usual(x, y)
            if by_program is not None:
                return by_program
        # `data` and, for a plan that is there, `_borrowed`, without their calls: a tiny network notices them.
        batch, single = checks.inputs(x, self._n_0, self._first, self._dtype)
        count = len(batch)
        target = self._unread(y, count, single, self._n_L, self._dtype)
        if count == 1:
            by_program = self._by_program(batch, target, single)
            if by_program is not None:
                return by_program
        try:
            plan = self._plans[count].pop()
        except (KeyError, IndexError):
            plan = self._borrowed(count)
        loss, results, dL_dx = plan.run_quietly(plan, batch, target, single)
        if not isfinite(loss):
            checks.finite("y", target[0] if single else target)
        vector = results.lender.lend()
        if count <= FEW:
            g = Gradient.of_vector(loss, vector, self._shapes, dL_dx)
        else:
            g = Gradient.of_vector(loss, vector[: self.parameters.size], self._shapes, self._dL_dx_later(vector))
        self._returned(plan)
        return g

    def _by_program(self, x: Array, y: Array, single: bool) -> Gradient | None:
        """Return the gradient of one example by its program, if the network is tiny and was asked for many alone."""
        if self._tiny is None:
            self._asked += 1
            if self._asked <= OFTEN:
                return None
            if not is_tiny(self._shapes):
                self._asked = -inf
                return None
            self._tiny = Tiny(self.parameters, self.architecture)
        return self._tiny.of_checked(x, y, single)

    def _dL_dx_later(self, results: Array) -> Callable[[], Array]:
        """Return what computes dL/dx (N, n_0), (14), by w_1 as it is now, if it is ever wanted."""
        kept, n, start = self._weights.snapshot(), self._first[0], self.parameters.size

        def later() -> Array:
            with np.errstate(over="ignore", invalid="ignore"):
                return np.asarray(results[start:].reshape(-1, n).dot(kept.w))  # ij,jk->ik

        return later

    def train(self, batch: Array, target: Array, rate: float, epoch: int) -> float:
        """Take one step of gradient descent on a batch, and return its loss before the step.

        Parameters
        ----------
        batch, target : ndarray
            From `data`, or rows of these.
        rate : float
            The learning rate, > 0.
        epoch : int
            For the error, if training diverges; no parameter is changed then.

        Returns
        -------
        float
            L.

        Raises
        ------
        ValueError
            If the loss, the gradient or a parameter after the step is not finite.
        """
        plan = self._borrowed(len(batch))
        with np.errstate(over="ignore", invalid="ignore"):
            loss = self._train(plan, batch, target, self._dtype.type(rate))
        if loss is None:
            # Nothing was changed: the gradient is computed again, to say what is not finite or to take the step with more care.
            loss, results, _ = plan.run_quietly(plan, batch, target)
            checks.converging(loss, results.vector, epoch, rate)
            self.step(results.vector, rate, results.vector)
        self._returned(plan)
        return loss

    def _train(self, plan: Plan, batch: Array, target: Array, rate: Any) -> float | None:
        """Take a step and return the loss, or change nothing and return None if a number may be not finite."""
        loss, results, _ = plan.run(batch, target)
        # Nobody else has this gradient: the step is computed in its memory.
        step = results.vector
        np.multiply(step, rate, step)
        # With a finite sum of squares no number of the step reaches the root of the largest: no finite θ overflows by it.
        if not (isfinite(loss) and isfinite(np.vdot(step, step))):
            return None
        self._weights.will_change()
        np.subtract(self.parameters, step, self.parameters)
        return loss

    def step(self, derivatives: Array, rate: float, stepped: Array) -> None:
        """Let every parameter θ become θ − rate · dL/dθ.

        Parameters
        ----------
        derivatives : ndarray
            (P,) in figure 9's order.
        rate : float
            The learning rate, > 0.
        stepped : ndarray
            Memory for the parameters after the step, which are checked before they take the old ones' place; it may be that
            of the derivatives, which are then known to be finite.

        Raises
        ------
        ValueError
            If a derivative, or a parameter after the step, is not finite; no parameter is changed then.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(derivatives, self._dtype.type(rate), stepped)
            np.subtract(self.parameters, stepped, stepped)
        if not checks.is_finite(stepped):
            if stepped is not derivatives:
                checks.all_finite(named_arrays(cut(derivatives, self._shapes)), "g's {}")
            checks.all_finite(named_arrays(cut(stepped, self._shapes)), f"{{}} after a step of rate = {rate}")
        self._weights.will_change()
        self.parameters[...] = stepped

    def _borrowed(self, count: int) -> Plan:
        """Return a plan for batches of this size that nobody else is using."""
        try:
            # Taking one from a list is a single step, so that no two threads get the same.
            return self._plans[count].pop()
        except (KeyError, IndexError):
            return Plan(self.parameters, self.architecture, self._reduction, count)

    def _returned(self, plan: Plan) -> None:
        """Keep a plan for the next batch of its size; whatever was handed out from it must have been taken before."""
        try:
            self._plans[plan.count].append(plan)
        except KeyError:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans.setdefault(plan.count, []).append(plan)
