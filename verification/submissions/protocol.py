"""Calls in a row that show what one call cannot: stale caches, accumulation, reused buffers, damage to the caller's arrays.

The protocol is data, a list of `Step`s over named `Scene`s, so that it runs alike in this process and in a submission's own.
It judges nothing: an `Outcome` holds each answer beside the network and the data at which a right submission's answer is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from verification.submissions.answers import SubmissionError
from verification.submissions.description import Array, Description, copied, with_parameters

# A power of two: rate · dL/dθ is exact, so a step rounds once however it is written, and can be compared number for number.
RATE = 0.125


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


def scenes(network: Description, x: Array, y: Array, seed: int, *, batches: bool = True) -> dict[str, Scene]:
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
        Its numbers.
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


class Callee(Protocol):
    """What a protocol calls: `verification.submissions.local.Local`."""

    def function(self, network: Description, x: Array, y: Array) -> Any:
        """Call the submission, a function."""

    def build(self, network: Description) -> Any:
        """Return an instance of the submission, a class."""

    def forward(self, instance: Any, network: Description, x: Array) -> Any:
        """Call its forward."""

    def backward(self, instance: Any, network: Description, x: Array, y: Array) -> Any:
        """Call its backward."""

    def descend(self, instance: Any, rate: float) -> None:
        """Call its descend."""

    def parameters(self, instance: Any, network: Description, x: Array) -> Any:
        """Call its parameters."""

    def arrays(self, returned: object, network: Description, x: Array, called: str) -> dict[str, Array]:
        """Return what came back as arrays, which may share memory with it."""


def perform(callee: Callee, protocol: Sequence[Step], scenes: Mapping[str, Scene]) -> Outcome:
    """Make the calls of a protocol, and keep what they answered and what they changed.

    Parameters
    ----------
    callee : Callee
        The submission.
    protocol : sequence of Step
        From `steps`.
    scenes : mapping of str to Scene
        From `scenes`; copied first. The same copies are handed out again in later steps, as a caller would.

    Returns
    -------
    Outcome
        The answers in order, then what changed that should not have.

    Raises
    ------
    SubmissionError
        If a call fails, or answers no gradient.
    """
    run = _Run(callee, scenes)
    for step in protocol:
        run.take(step)
    return run.outcome()


class _Run:
    """The state of one protocol on its way."""

    def __init__(self, callee: Callee, scenes: Mapping[str, Scene]) -> None:
        self.callee = callee
        self.pristine = scenes
        self.handed_out = {name: scene.copy() for name, scene in scenes.items()}
        self.instance: Any = None
        # A class is built from one network, and only its own descend changes where its gradient is taken.
        self.network = scenes["real"].network
        self.x = scenes["real"].x
        self.observations: list[Observation] = []
        self.returned: list[tuple[Observation, object, str]] = []
        self.predictions: list[tuple[Array, Array]] = []
        self.changes: list[Change] = []

    def take(self, step: Step) -> None:
        scene, pristine = self.handed_out[step.scene], self.pristine[step.scene]
        try:
            match step.do:
                case "gradient":
                    returned = self.callee.function(scene.network, scene.x, scene.y)
                    self.observe(step, pristine.network, pristine.x, pristine.y, returned)
                case "build":
                    self.instance = self.callee.build(scene.network)
                case "forward":
                    predictions = self.callee.forward(self.instance, self.network, scene.x)
                    self.x = pristine.x
                    if isinstance(predictions, np.ndarray):
                        self.predictions.append((predictions, predictions.copy()))
                case "another":
                    another = self.callee.build(scene.network)
                    self.callee.forward(another, scene.network, scene.x)
                    self.callee.backward(another, scene.network, scene.x, scene.y)
                case "edit":
                    if self.predictions and self.predictions[-1][0].flags.writeable:
                        self.predictions.pop()[0][...] += 1
                case "backward":
                    returned = self.callee.backward(self.instance, self.network, self.x, scene.y)
                    self.observe(step, self.network, self.x, pristine.y, returned)
                case "parameters":
                    returned = self.callee.parameters(self.instance, self.network, self.x)
                    self.observe(step, self.network, self.x, pristine.y, returned)
                    # Whatever the numbers are, the next gradient belongs to them.
                    self.network = with_parameters(self.network, self.observations[-1].arrays)
                case "descend":
                    self.callee.descend(self.instance, RATE)
                    self.network = stepped(self.network, self.observations[-1].arrays, RATE)
                case other:
                    raise ValueError(f"a step must do one of the things that Step names; got {other!r}")
        except SubmissionError as error:
            raise error.during(step.name or step.do) from None
        self.watch(step.scene, f"{step.do} ({step.name})" if step.name else step.do)

    def observe(self, step: Step, network: Description, x: Array, y: Array, returned: object) -> None:
        called = "gradient" if step.do == "gradient" else step.do
        arrays = {name: array.copy() for name, array in self.callee.arrays(returned, network, x, called).items()}
        kind = "parameters" if step.do == "parameters" else "gradient"
        self.observations.append(Observation(step.name, kind, network, x, y, arrays))
        # A class may hand out its own parameters, which a step is meant to change.
        if kind == "gradient":
            self.returned.append((self.observations[-1], returned, called))

    def watch(self, name: str, when: str) -> None:
        """Note what was done to the caller's arrays of a scene, and hand out fresh ones after damage."""
        pristine = self.pristine[name].named()
        damaged = {label: after for label, after in self.handed_out[name].named().items() if not _same(pristine[label], after)}
        for label, after in damaged.items():
            self.changes.append(Change(when, f"the caller's {label}", pristine[label], after.copy()))
        if damaged:
            self.handed_out[name] = self.pristine[name].copy()

    def outcome(self) -> Outcome:
        for name in self.handed_out:
            self.watch(name, "later calls")
        for returned_array, kept in self.predictions:
            if not _same(kept, returned_array):
                self.changes.append(Change("later calls", "what forward returned", kept, returned_array.copy()))
        for seen, returned, called in self.returned:
            try:
                now = self.callee.arrays(returned, seen.network, seen.x, called)
            except SubmissionError:  # the mapping itself was emptied or filled with something else
                now = {}
            for name, before in seen.arrays.items():
                if name not in now or not _same(before, now[name]):
                    after = now.get(name, np.empty(0, before.dtype)).copy()
                    self.changes.append(Change("later calls", f"{name} of the answer to {seen.name!r}", before, after))
        return Outcome(tuple(self.observations), tuple(self.changes))


def _same(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> bool:
    # The same bytes: -0.0 in place of 0.0 is a change, and a NaN that stays is none.
    return before.shape == after.shape and before.tobytes() == after.tobytes()


def stepped(network: Description, derivatives: Mapping[str, Array], rate: float) -> Description:
    """Return the network after a step of gradient descent along the given derivatives, each θ − rate · dL/dθ."""
    with np.errstate(all="ignore"):
        moved = {name: theta - theta.dtype.type(rate) * derivatives[name] for name, theta in network.named().items()}
    return with_parameters(network, {name: np.asarray(array) for name, array in moved.items()})
