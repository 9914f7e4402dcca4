"""What a submission answered about networks, and whether the reference with some faults answers the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.analysis import bounds
from verification.bounds.quantities import PARAMETERS, kind_of, without_batch_axis
from verification.bounds.rounding import ANY, ANY_CONVENTION, rounding
from verification.checking.faults import CIRCUMSTANCES, Fault
from verification.mistakes.carrying import carrying
from verification.mistakes.reference import Layer, Result, Run, Steps, results
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError, fitted, shapes
from verification.submissions.conventions import of_what_it_has
from verification.submissions.description import as_network
from verification.submissions.local import Local
from verification.submissions.protocol import Scene
from verification.submissions.remote import Remote

Array = npt.NDArray[Any]
Answer = Mapping[str, Array] | str
Model = tuple[Fault, ...]

# Two ways to make the same mistake may differ by so many u of the largest number of an array; two mistakes differ by more.
ROUNDINGS, ROUNDINGS_AT_MOST = 2.0**20, 1e-5


def answer(called: Local | Remote, scene: Scene) -> Answer:
    """Return what a submission answers about a scene: its arrays, or what kind of error it ends in, with name and shape."""
    try:
        with np.errstate(all="ignore"):
            return of_what_it_has(called.gradient(scene.network, scene.x, scene.y).arrays, called.support)
    except SubmissionError as error:
        return _of_error(error)


def _of_error(error: SubmissionError) -> str:
    return " ".join(str(part) for part in (error.kind, error.quantity, error.shape) if part is not None)


@dataclass(frozen=True, eq=False)
class Witness:
    """A scene, what the submission answered about it, and how far another way to compute the same may lie from that.

    `kinds` holds what it gives in general, which a scene that ends in an error does not show.
    """

    scene: Scene
    given: Answer
    allowed: Mapping[str, Array]
    kinds: frozenset[str] = frozenset()

    @property
    def size(self) -> tuple[int, int]:
        """How hard it is to explain: its layers, and its numbers."""
        return len(self.scene.network.weights), self.scene.x.size + sum(w.size for w in self.scene.network.weights)

    @property
    def single(self) -> bool:
        """Whether it has one example."""
        return self.scene.x.ndim == 1 or len(self.scene.x) == 1


def witness(scene: Scene, given: Answer, kinds: frozenset[str] = frozenset(), *, strict_kinks: bool = False) -> Witness:
    """Return a scene with its answer as evidence.

    Parameters
    ----------
    scene : Scene
        The network with its data.
    given : mapping or str
        From `answer`.
    kinds : frozenset of str
        The kinds of quantities that the submission gives.
    strict_kinks : bool
        Whether another g′ at a kink hit exactly is another answer.

    Returns
    -------
    Witness
        With the bounds of its quantities.
    """
    asked = plain_case(as_network(scene.network), scene.x, scene.y)
    found = bounds(asked, ANY if strict_kinks else ANY_CONVENTION)
    kinds = kinds if isinstance(given, str) else kinds | frozenset(map(kind_of, given))
    return Witness(scene, given, without_batch_axis(found) if scene.x.ndim == 1 else found, kinds)


def told_by(model: Model, seen: Witness) -> Answer:
    """Return what the reference with these faults answers about a scene: the quantities that the submission gave.

    Parameters
    ----------
    model : tuple of Fault
        The faults, in the order in which they are carried.
    seen : Witness
        The scene.

    Returns
    -------
    mapping of str to ndarray, or str
        As `answer`.
    """
    given, scene = seen.given, seen.scene
    made = [fault.exchange for fault in model if not fault.within or CIRCUMSTANCES[fault.within](scene)]
    steps = carrying(made, None if isinstance(given, str) else given)
    if seen.kinds <= {*PARAMETERS, "loss"} and steps.results is results:
        steps = replace(steps, results=_bare)
    if "x" not in seen.kinds:
        # Who gives no dL/dx need not have formed it; it is formed all the same where the submission ends in an error.
        alone = _passed(scene, replace(steps, upstream=_of_layers_alone(steps.upstream)))
        if given != "raised" or alone is None:
            return "raised" if alone is None else _as_answer(alone, scene)
    found = _passed(scene, steps)
    return "raised" if found is None else _as_answer(found, scene)


def _passed(scene: Scene, steps: Steps) -> Result | None:
    """Return what these steps find, or None if one of them raises."""
    try:
        with np.errstate(all="ignore"):
            run = Run(scene.network, steps)
            run.forward(scene.x)
            return run.backward(scene.y)
    except Exception:  # whatever a wrong step raises
        return None


def _of_layers_alone(upstream: Callable[[Layer], Array]) -> Callable[[Layer], Array]:
    return lambda layer: np.zeros_like(layer.a_prev) if layer.before is None else upstream(layer)


def _bare(run: Run) -> Result:
    found: Result = {"loss": run.loss}
    for layer in run.layers:
        found |= _derivatives(layer)
    return found


def _derivatives(layer: Layer) -> Result:
    found: Result = {f"w{layer.number}": layer.dL_dw, f"b{layer.number}": layer.dL_db}
    return found if layer.dL_dalpha is None else found | {f"alpha{layer.number}": layer.dL_dalpha}


def _as_answer(found: Result, scene: Scene) -> Answer:
    """Return the arrays as the checker takes them, or the name or shape that it would refuse."""
    needed, allowed = shapes(scene.network, scene.x)
    known = needed | allowed
    for name in found:
        if name not in known:
            return f"unknown {name}"
    arrays: dict[str, Array] = {}
    for name, shape in known.items():
        if name in found:
            array = fitted(name, np.asarray(found[name]), shape)
            if array is None:
                return f"shape {name} {np.shape(found[name])}"
            arrays[name] = array
        elif name in needed:
            return f"missing {name}"
    return arrays


def matched(model: Model, seen: Witness) -> tuple[int, int]:
    """Return how many quantities of the answer a model gives, and of how many; 0 of 0 if it cannot be asked."""
    if any(fault.single for fault in model) and not seen.single:
        return 0, 0
    theirs = told_by(model, seen)
    mine = seen.given
    if isinstance(mine, str) or isinstance(theirs, str):
        return int(mine == theirs or (mine == "raised" and not isinstance(theirs, str) and _is_broken(theirs))), 1
    ignored = frozenset().union(*(fault.ignores for fault in model))
    compared = _compared(seen, theirs, ignored)
    return sum(_agrees(seen, name, theirs) for name in compared), len(compared)


def _is_broken(arrays: Mapping[str, Array]) -> bool:
    """Say whether something is no number: where NumPy gives NaN or infinity, Python's own functions raise."""
    return not all(np.isfinite(array).all() for array in arrays.values())


def _compared(seen: Witness, theirs: Mapping[str, Array], ignored: frozenset[str] = frozenset()) -> list[str]:
    return [name for name in seen.given if name in theirs and name in seen.allowed and kind_of(name) not in ignored]


def _agrees(seen: Witness, name: str, theirs: Mapping[str, Array]) -> bool:
    if isinstance(seen.given, str):
        return False
    u = rounding(seen.scene.network.weights[0].dtype).u
    return is_close(seen.given[name], theirs[name], seen.allowed[name], u)


def agree(seen: Witness, theirs: Answer) -> bool:
    """Say whether another answer is the one that was seen, but for rounding."""
    if isinstance(seen.given, str) or isinstance(theirs, str):
        return seen.given == theirs
    return all(_agrees(seen, name, theirs) for name in _compared(seen, theirs))


def is_close(mine: Array, theirs: Array, allowed: Array, u: float) -> bool:
    """Say whether two arrays are the same quantity by the same formulas, but for rounding.

    Parameters
    ----------
    mine, theirs : ndarray
        The arrays.
    allowed : ndarray
        The bound of the right quantity.
    u : float
        The unit roundoff of the network's dtype.

    Returns
    -------
    bool
        False for other shapes.
    """
    if mine.shape != theirs.shape:
        return False
    with np.errstate(all="ignore"):
        size = np.abs(theirs.astype(float))
        largest = size.max(initial=0.0)
        if not np.isfinite(largest):
            largest = size.max(initial=0.0, where=np.isfinite(size))
        # Wrong numbers may be larger than the right ones that the bound was computed for, and cancel where those do not.
        room = 4 * allowed + 256 * u * size + min(ROUNDINGS * u, ROUNDINGS_AT_MOST) * largest
        near = np.abs(mine.astype(float) - theirs.astype(float)) <= room
    # Searches come here a hundred thousand times, and nearly always all is near or what is not is no special number.
    if near.all():
        return True
    return bool((near | (mine == theirs) | (np.isnan(mine) & np.isnan(theirs)) | np.isinf(allowed)).all())


def explains(model: Model, evidence: Sequence[Witness]) -> bool:
    """Say whether a model gives every quantity of every answer."""
    for seen in evidence:
        got, of = matched(model, seen)
        if got < of:
            return False
    return True
