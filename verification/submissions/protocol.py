"""Calls in a row that show what one call cannot: stale caches, accumulation, reused buffers, damage to the caller's arrays.

The protocol is data, a list of `Step`s over named `Scene`s, so that it runs alike in this process and in a submission's own;
`verification.submissions.performing` makes the calls. It judges nothing: an `Outcome` holds each answer beside the network and
the data at which a right submission's answer is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verification.submissions.description import Array, Description, copied, with_parameters

# A power of two: rate · dL/dθ is exact, so a step rounds once however it is written, and can be compared number for number.
RATE = 0.125
# The steps that answer with arrays.
ANSWERS = ("gradient", "backward", "parameters")


@dataclass(frozen=True, eq=False)
class Scene:
    """A network with data: x (N, n_0) or (n_0,), y as `handgrad.Network.gradient` takes it.

    It keeps the memory layout of x and y when it is sent to another process.
    """

    network: Description
    x: Array
    y: Array

    def __reduce__(self) -> tuple[Any, ...]:
        """Say which arrays have gaps, since pickling closes them."""
        return _received, (self.network, self.x, not self.x.flags.forc, self.y, not self.y.flags.forc)

    def copy(self) -> Scene:
        """Return equal numbers in memory of their own, laid out alike."""
        return Scene(with_parameters(self.network, self.network.named()), copied(self.x), copied(self.y))

    def named(self) -> dict[str, Array]:
        """Return every array that belongs to the caller, by name."""
        return self.network.named() | {"x": self.x, "y": self.y}


def _received(network: Description, x: Array, x_has_gaps: bool, y: Array, y_has_gaps: bool) -> Scene:
    return Scene(network, _spread(x) if x_has_gaps else x, _spread(y) if y_has_gaps else y)


def _spread(array: Array) -> Array:
    return np.repeat(array, 2, axis=-1)[..., ::2]


def scenes(
    network: Description, x: Array, y: Array, seed: int, *, batches: bool = True, biases: bool = True
) -> dict[str, Scene]:
    """Return the scenes of a protocol around one network with its data.

    Parameters
    ----------
    network : Description
        The network.
    x, y : ndarray
        One example or a batch.
    seed : int
        The same seed gives the same numbers.
    batches : bool
        Whether other numbers of examples may be asked for.
    biases : bool
        Whether the other network has biases.

    Returns
    -------
    dict of str to Scene
        "real", what was given; "decoy", other data of the same shapes; "other", another network of the same architecture with
        its own data; and, of other batch sizes, "larger" and (if N > 1) "smaller".
    """
    rng = np.random.default_rng(seed)

    def data(of: Description, shape: tuple[int, ...]) -> Scene:
        return Scene(of, _inputs(x, shape, rng), _targets(of, x, y, shape, rng))

    moved = {name: (p + rng.normal(size=p.shape)).astype(p.dtype) for name, p in network.named().items()}
    if not biases:
        moved |= {name: np.zeros_like(p) for name, p in moved.items() if name.startswith("b")}
    found = {
        "real": Scene(network, x, y),
        "decoy": data(network, x.shape),
        "other": data(with_parameters(network, moved), x.shape),
    }
    if batches:
        count, n_0 = (x.shape[0] if x.ndim == 2 else 1), x.shape[-1]
        found["larger"] = data(network, (count + 1, n_0))
        if count > 1:
            found["smaller"] = data(network, ((count + 1) // 2, n_0))
    return found


def _inputs(x: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    numbers = rng.normal(size=shape) if x.dtype.kind == "f" else rng.integers(0, 4, shape)
    return numbers.astype(x.dtype)


def _targets(network: Description, x: Array, y: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    batch, n = shape[:-1], network.widths[-1]
    if network.loss == "squared_error":
        return _inputs(y, (*batch, n), rng)
    if network.loss == "binary_cross_entropy":
        certain = rng.integers(0, 2, (*batch, n))
        return (certain if np.isin(y, (0, 1)).all() else rng.random((*batch, n))).astype(y.dtype)
    classes = rng.integers(0, n, batch)
    if y.ndim < x.ndim:
        return np.asarray(classes).astype(y.dtype)
    one_hot = np.eye(n)[classes]
    if np.isin(y, (0, 1)).all():
        return one_hot.astype(y.dtype)
    soft: Array = (3 * one_hot + rng.integers(0, 4, (*batch, n))).astype(float)
    return np.asarray(soft / soft.sum(axis=-1, keepdims=True)).astype(y.dtype)


@dataclass(frozen=True)
class Step:
    """One call.

    Parameters
    ----------
    do : str
        "gradient" of a function; "build", "forward", "backward", "descend", "parameters" of a class; "another", which builds
        and uses a second instance; "edit", which changes what the last forward returned, as its caller may.
    scene : str
        Whose network or data it takes.
    name : str
        The name of its `Observation`.
    """

    do: str
    scene: str = "real"
    name: str = ""


def steps(is_class: bool, *, descends: bool = False, parameters: bool = False, sizes: Sequence[str] = ()) -> tuple[Step, ...]:
    """Return the protocol for a function or a class.

    Parameters
    ----------
    is_class : bool
        Whether the submission is a class.
    descends, parameters : bool
        Whether the class has `descend(rate)` and `parameters()`.
    sizes : sequence of str
        The scenes with other batch sizes, "larger" and "smaller", that the submission can take.

    Returns
    -------
    tuple of Step
        In order; every step that answers has a name of its own.
    """
    if not is_class:
        return (
            Step("gradient", "real", "the first call"),
            Step("gradient", "other", "another network"),
            Step("gradient", "real", "after another network"),
            Step("gradient", "decoy", "another batch"),
            *(Step("gradient", size, f"a {size} batch") for size in sizes),
            Step("gradient", "real", "after other batches"),
        )
    found = [
        Step("build"),
        *((Step("parameters", name="the parameters at the start"),) if parameters else ()),
        Step("forward", "decoy"),
        Step("backward", "decoy", "the first batch"),
        Step("forward"),
        Step("backward", name="after another batch"),
        Step("backward", name="backward again"),
        Step("backward", "decoy", "backward for other targets, forward not rerun"),
    ]
    for size in sizes:
        found += [Step("forward", size), Step("backward", size, f"a {size} batch")]
    found += [Step("forward"), Step("backward", name="after other batches")]
    found += [Step("forward"), Step("another", "other"), Step("backward", name="after another instance was used")]
    found += [Step("forward"), Step("edit"), Step("backward", name="after its caller changed what forward had returned")]
    if descends:
        found.append(Step("descend"))
        if parameters:
            found.append(Step("parameters", name="the parameters after a step"))
        found += [Step("forward"), Step("backward", name="after a step")]
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Observation:
    """One answer of a protocol.

    Parameters
    ----------
    name : str
        The step's name.
    kind : str
        "gradient", or "parameters".
    network : Description
        Where a right submission's answer is taken: after a descend, the stepped parameters. For kind "parameters" a right
        answer is this network's own parameters.
    x, y : ndarray
        The data of the last forward and of this backward.
    arrays : dict of str to ndarray
        What came, copied at once.
    """

    name: str
    kind: str
    network: Description
    x: Array
    y: Array
    arrays: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Change:
    """An array that must not change and did.

    Parameters
    ----------
    when : str
        During which call, or "later calls".
    what : str
        The array: "the caller's x", "w1 of the answer to the first call".
    before, after : ndarray
        Its numbers; empty if it is gone, or too large to be kept.
    """

    when: str
    what: str
    before: Array
    after: Array

    def __str__(self) -> str:
        """Return what changed, and when."""
        return f"{self.what} was changed by {self.when}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a protocol saw: the answers in order, the arrays that changed, and what the submission printed meanwhile."""

    observations: tuple[Observation, ...]
    changes: tuple[Change, ...]
    printed: str = ""


def replay(
    protocol: Sequence[Step], scenes: Mapping[str, Scene], take: Callable[[Step, Scene], dict[str, Array]]
) -> tuple[Observation, ...]:
    """Go through the steps of a protocol, keeping where a right submission's answers are taken.

    Parameters
    ----------
    protocol : sequence of Step
        From `steps`.
    scenes : mapping of str to Scene
        From `scenes`.
    take : callable
        Takes a step, and the scene where a right submission's answer is taken; returns the arrays that answered the step, of
        the names and shapes that are allowed there, or none if it is no step of `ANSWERS`.

    Returns
    -------
    tuple of Observation
        One for each step that answers.
    """
    # A class is built from one network, and only its own descend changes where its gradient is taken.
    network, x = scenes["real"].network, scenes["real"].x
    observations: list[Observation] = []
    for step in protocol:
        pristine = scenes[step.scene]
        if step.do == "forward":
            x = pristine.x
        where = pristine if step.do == "gradient" else Scene(network, x, pristine.y)
        arrays = take(step, where)
        if step.do in ANSWERS:
            kind = "parameters" if step.do == "parameters" else "gradient"
            observations.append(Observation(step.name, kind, where.network, where.x, where.y, arrays))
        if step.do == "parameters":
            # Whatever the numbers are, the next gradient belongs to them.
            network = with_parameters(network, arrays)
        elif step.do == "descend":
            network = stepped(network, observations[-1].arrays, RATE)
    return tuple(observations)


def stepped(network: Description, derivatives: Mapping[str, Array], rate: float) -> Description:
    """Return the network after a step of gradient descent along the given derivatives, each θ − rate · dL/dθ."""
    with np.errstate(all="ignore"):
        moved = {name: theta - theta.dtype.type(rate) * derivatives[name] for name, theta in network.named().items()}
    return with_parameters(network, {name: np.asarray(array) for name, array in moved.items()})
