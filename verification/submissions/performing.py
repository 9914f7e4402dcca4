"""The calls of a protocol made one after the other, and what they did to arrays that must not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from verification.submissions import frames
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Array, Description
from verification.submissions.protocol import RATE, Change, Observation, Outcome, Scene, Step, replay

# How many changes are kept, and of how many bytes before and after: enough to tell of, and little to send.
CHANGES_AT_MOST = 500
CHANGED_AT_MOST = 100_000
GONE: Array = np.empty(0)


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

    def descend(self, instance: Any, network: Description, rate: float) -> None:
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
    return run.outcome(replay(protocol, scenes, run.take))


class _Run:
    """The calls of one protocol on its way, and what they do to arrays that are not theirs."""

    def __init__(self, callee: Callee, scenes: Mapping[str, Scene]) -> None:
        self.callee = callee
        self.pristine = scenes
        self.handed_out = {name: scene.copy() for name, scene in scenes.items()}
        self.instance: Any = None
        self.answers: list[tuple[str, dict[str, Array], Callable[[], dict[str, Array]]]] = []
        self.predictions: list[tuple[Array, Array]] = []
        self.changes: list[Change] = []

    def take(self, step: Step, where: Scene) -> dict[str, Array]:
        scene = self.handed_out[step.scene]
        arrays: dict[str, Array] = {}
        try:
            match step.do:
                case "gradient":
                    arrays = self.answer(step, where, self.callee.function(scene.network, scene.x, scene.y))
                case "build":
                    self.instance = self.callee.build(scene.network)
                case "forward":
                    self.keep(self.callee.forward(self.instance, where.network, scene.x))
                case "another":
                    another = self.callee.build(scene.network)
                    self.callee.forward(another, scene.network, scene.x)
                    self.callee.backward(another, scene.network, scene.x, scene.y)
                case "edit":
                    if self.predictions and self.predictions[-1][0].flags.writeable:
                        self.predictions.pop()[0][...] += 1
                case "backward":
                    arrays = self.answer(step, where, self.callee.backward(self.instance, where.network, where.x, scene.y))
                case "parameters":
                    arrays = self.answer(step, where, self.callee.parameters(self.instance, where.network, where.x))
                case "descend":
                    self.callee.descend(self.instance, where.network, RATE)
                case other:
                    raise ValueError(f"a step must do one of the things that Step names; got {other!r}")
        except SubmissionError as error:
            raise error.during(step.name or step.do) from None
        self.watch(step.scene, f"{step.do} ({step.name})" if step.name else step.do)
        return arrays

    def answer(self, step: Step, where: Scene, returned: object) -> dict[str, Array]:
        def read() -> dict[str, Array]:
            return self.callee.arrays(returned, where.network, where.x, step.do)

        arrays = {name: array.copy() for name, array in read().items()}
        if step.do == "parameters":
            # A class may hand out its own parameters, which a step is meant to change; what it gives beside them says nothing.
            return {name: arrays[name] for name in where.network.named()}
        self.answers.append((step.name, arrays, read))
        return arrays

    def keep(self, predictions: object) -> None:
        """Keep what forward returned, if it is an array of numbers, beside a copy."""
        if isinstance(predictions, np.ndarray):
            plain = np.asarray(predictions)
            if plain.dtype.kind in "fiu":
                self.predictions.append((plain, plain.copy()))

    def watch(self, name: str, when: str) -> None:
        """Note what was done to the caller's arrays of a scene, and hand out fresh ones after damage."""
        now = _named(self.handed_out[name])
        pristine = self.pristine[name].named()
        damaged = [label for label, before in pristine.items() if label not in now or not _same(before, now[label])]
        for label in damaged:
            self.note(when, f"the caller's {label}", pristine[label], now.get(label, GONE))
        if damaged:
            self.handed_out[name] = self.pristine[name].copy()

    def note(self, when: str, what: str, before: Array, after: Array) -> None:
        if len(self.changes) < CHANGES_AT_MOST:
            self.changes.append(Change(when, what, _kept(before), _kept(after)))

    def outcome(self, observations: tuple[Observation, ...]) -> Outcome:
        for name in self.handed_out:
            self.watch(name, "later calls")
        for returned, kept in self.predictions:
            if not _same(kept, returned):
                self.note("later calls", "what forward returned", kept, returned)
        for step, arrays, read in self.answers:
            try:
                now = read()
            except SubmissionError:  # the mapping itself was emptied or filled with something else
                now = {}
            for name, before in arrays.items():
                if name not in now or not _same(before, now[name]):
                    self.note("later calls", f"{name} of the answer to {step!r}", before, now.get(name, GONE))
        return Outcome(observations, tuple(self.changes))


def _named(scene: Scene) -> dict[str, Array]:
    """Return a scene's arrays; none if somebody took layers out of its lists, or put something else into them."""
    try:
        return {label: np.asarray(array) for label, array in scene.named().items()}
    except Exception:  # whatever it is that stands there now
        return {}


def _kept(array: Array) -> Array:
    return array.copy() if array.nbytes <= CHANGED_AT_MOST and frames.holds(array) else GONE


def _same(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> bool:
    # The same bytes: -0.0 in place of 0.0 is a change, and a NaN that stays is none.
    return before.shape == after.shape and before.tobytes() == after.tobytes()
