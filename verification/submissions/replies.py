"""What a submission's process replies, as data: packed there into a head and arrays, unpacked and checked here.

Whoever unpacks a reply knows what was asked for. It may hold that and nothing else, so that where a right answer is taken is
never for the process to say. To send a field more, put it into the head in `pack`, and its check beside the others.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from verification.submissions import frames
from verification.submissions.answers import REMARKS, Answer, SubmissionError, shapes
from verification.submissions.frames import FrameError, Room
from verification.submissions.performing import CHANGED_AT_MOST, CHANGES_AT_MOST
from verification.submissions.protocol import ANSWERS, Change, Outcome, Scene, Step, replay
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# Of a SubmissionError that comes; "hang", "ended" and "reply" are said here, of the process.
KINDS = ("file", "raised", "returned", "missing", "unknown", "array", "shape")
# In characters. What is longer is cut before it is sent, and refused when it comes.
PRINTED_IN_A_REPLY = 11_000
SENTENCE_AT_MOST = 10_000
NAME_AT_MOST = 500
LINE_AT_MOST = 1_000_000_000
# In bytes: every text of a reply at its longest, written with JSON's escapes; and a name, a dtype and a shape.
HEAD_AT_MOST = 1_000_000
ENTRY_AT_MOST = 300


@dataclass(frozen=True)
class Loaded:
    """The reply to the request to load a file: what `verification.submissions.local.Local` says of the submission."""

    name: str
    is_class: bool
    descends: bool
    has_parameters: bool
    is_stepper: bool
    support: Support
    line: int | None
    printed: str


def pack(reply: Loaded | Answer | Outcome | SubmissionError) -> tuple[dict[str, object], dict[str, Array]]:
    """Return a reply as a frame's head and arrays.

    Parameters
    ----------
    reply : Loaded, Answer, Outcome or SubmissionError
        Of an `Outcome`, what was answered and what changed; not where a right answer is taken.

    Returns
    -------
    tuple of dict
        For `verification.submissions.frames.write`.
    """
    head: dict[str, object] = {"printed": _cut(reply.printed, PRINTED_IN_A_REPLY)}
    arrays: dict[str, Array] = {}
    if isinstance(reply, Answer):
        remarks = {kind: _cut(sentence, SENTENCE_AT_MOST) for kind, sentence in reply.remarks.items()}
        head |= {"reply": "answer", "remarks": remarks}
        arrays = {f"answer/{name}": array for name, array in reply.arrays.items()}
        if reply.predictions is not None:
            arrays["predictions"] = reply.predictions
    elif isinstance(reply, Outcome):
        head |= {"reply": "outcome", "changes": [[change.when, change.what] for change in reply.changes]}
        for number, seen in enumerate(reply.observations):
            arrays |= {f"answer{number}/{name}": array for name, array in seen.arrays.items()}
        for number, change in enumerate(reply.changes):
            arrays |= {f"change{number}/before": change.before, f"change{number}/after": change.after}
    elif isinstance(reply, Loaded):
        own = {name: getattr(reply, name) for name in ("is_class", "descends", "has_parameters", "is_stepper", "line")}
        support = {name: getattr(reply.support, name) for name in Support.__dataclass_fields__}
        # A head holds no numbers but integers.
        support["l2"] = repr(reply.support.l2)
        head |= {"reply": "loaded", "name": _cut(reply.name, NAME_AT_MOST), "support": support} | own
    else:
        sentence = _cut(reply.sentence, SENTENCE_AT_MOST)
        names = {name: getattr(reply, name) for name in ("quantity", "shape")}
        head |= {name: None if value is None else _cut(value, NAME_AT_MOST) for name, value in names.items()}
        head |= {"reply": "error", "sentence": sentence, "file": reply.file, "line": reply.line, "kind": reply.kind}
        head["undone"] = reply.undone
    return head, arrays


class Expected(Protocol):
    """What may come in reply to a request."""

    def room(self) -> Room:
        """Return how long the reply may be."""

    def unpack(self, head: object, arrays: dict[str, Array]) -> Loaded | Answer | Outcome:
        """Return the reply, or raise a FrameError if something is missing, unknown, or not what it must be."""


def receive(stream: BufferedIOBase, token: bytes, expected: Expected, file: str) -> Loaded | Answer | Outcome | SubmissionError:
    """Read one reply, which may be anything at all.

    Parameters
    ----------
    stream : binary file
        Where from.
    token : bytes
        Of the request.
    expected : Expected
        What was asked for.
    file : str
        The only file that a SubmissionError may speak of.

    Returns
    -------
    Loaded, Answer, Outcome or SubmissionError
        What was asked for, or the error that came instead.

    Raises
    ------
    EOFError
        If the stream ends before the reply does.
    FrameError
        If it is no reply to this request.
    """
    head, arrays = frames.read(stream, token, expected.room)
    if isinstance(head, dict) and head.get("reply") == "error":
        return _unpack_error(head, arrays, file)
    return expected.unpack(head, arrays)


def _unpack_error(head: object, arrays: Mapping[str, Array], file: str) -> SubmissionError:
    checks: dict[str, Callable[[Any], bool]] = {
        "sentence": _is_sentence,
        "file": lambda value: value is None or value == file,
        "line": _is_line,
        "kind": lambda value: isinstance(value, str) and value in KINDS,
        "quantity": _is_name_or_none,
        "shape": _is_name_or_none,
        "undone": _is_truth,
    }
    found = _checked(head, "error", checks)
    _nothing_left(arrays)
    printed = found.pop("printed")
    error = SubmissionError(**found)
    error.printed = printed
    return error


class ExpectedLoaded:
    """The reply to the request to load a file; its `Support` is made anew, and so checked by its own rules."""

    def room(self) -> Room:
        """Return how long the reply may be."""
        return Room(HEAD_AT_MOST, 0)

    def unpack(self, head: object, arrays: dict[str, Array]) -> Loaded:
        """Return the reply, or raise a FrameError if something is missing, unknown, or not what it must be."""
        checks: dict[str, Callable[[Any], bool]] = {
            "name": _is_name,
            "is_class": _is_truth,
            "descends": _is_truth,
            "has_parameters": _is_truth,
            "is_stepper": _is_truth,
            "support": lambda value: isinstance(value, dict),
            "line": _is_line,
        }
        found = _checked(head, "loaded", checks)
        _nothing_left(arrays)
        try:
            found["support"] = Support(**found["support"] | {"l2": float(found["support"]["l2"])})
        except (KeyError, TypeError, ValueError):
            raise FrameError("its declaration is one that cannot be made") from None
        return Loaded(**found)


class ExpectedAnswer:
    """The answer about one scene, with such arrays as `verification.submissions.answers.arrays_of` returns for it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def room(self) -> Room:
        """Return how long the reply may be."""
        return Room(HEAD_AT_MOST + ENTRY_AT_MOST * _names(self._scene), _bytes(self._scene))

    def unpack(self, head: object, arrays: dict[str, Array]) -> Answer:
        """Return the reply, or raise a FrameError if something is missing, unknown, or not what it must be."""
        fields = _checked(head, "answer", {"remarks": _are_remarks})
        predictions = arrays.pop("predictions", None)
        groups = _grouped(arrays)
        found = _arrays(groups.pop("answer", {}), self._scene)
        _nothing_left(groups)
        if predictions is not None and (predictions.shape != _outputs(self._scene) or predictions.dtype != np.float64):
            raise FrameError(f"it gives its predictions in {predictions.dtype} and shape {predictions.shape}")
        return Answer(found, fields["printed"], predictions, fields["remarks"])


class ExpectedNothing:
    """An answer without arrays."""

    def room(self) -> Room:
        """Return how long the reply may be."""
        return Room(HEAD_AT_MOST, 0)

    def unpack(self, head: object, arrays: dict[str, Array]) -> Answer:
        """Return the reply, or raise a FrameError if something is missing, unknown, or not what it must be."""
        fields = _checked(head, "answer", {"remarks": _are_remarks})
        _nothing_left(arrays)
        return Answer({}, fields["printed"])


class ExpectedOutcome:
    """The outcome of a protocol. The name, network and data of each observation follow from the steps and scenes."""

    def __init__(self, steps: Sequence[Step], scenes: Mapping[str, Scene]) -> None:
        self._steps, self._scenes = steps, scenes

    def room(self) -> Room:
        """Return how long the reply may be."""
        answers, scenes = sum(step.do in ANSWERS for step in self._steps), self._scenes.values()
        of_changes = CHANGES_AT_MOST * 2 * (NAME_AT_MOST + ENTRY_AT_MOST)
        head = HEAD_AT_MOST + answers * ENTRY_AT_MOST * max(map(_names, scenes)) + of_changes
        return Room(head, answers * max(map(_bytes, scenes)) + CHANGES_AT_MOST * 2 * CHANGED_AT_MOST)

    def unpack(self, head: object, arrays: dict[str, Array]) -> Outcome:
        """Return the reply, or raise a FrameError if something is missing, unknown, or not what it must be."""
        fields = _checked(head, "outcome", {"changes": _are_changes})
        groups = _grouped(arrays)
        numbers = itertools.count()

        def came(step: Step, where: Scene) -> dict[str, Array]:
            if step.do not in ANSWERS:
                return {}
            given = groups.pop(f"answer{next(numbers)}", {})
            if step.do == "parameters" and given.keys() != where.network.named().keys():
                raise FrameError("it gives something else than the parameters where it is asked for them")
            return _arrays(given, where)

        observations = replay(self._steps, self._scenes, came)
        changes = []
        for number, (when, what) in enumerate(fields["changes"]):
            pair = groups.pop(f"change{number}", {})
            if pair.keys() != {"before", "after"} or any(array.nbytes > CHANGED_AT_MOST for array in pair.values()):
                raise FrameError("it gives something else than what changed, before and after, as far as that is kept")
            changes.append(Change(when, what, pair["before"], pair["after"]))
        _nothing_left(groups)
        return Outcome(observations, tuple(changes), fields["printed"])


def _checked(head: object, reply: str, checks: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """Return the fields of a head that is to be of this reply: those that the checks name and what was printed, no other."""
    if not isinstance(head, dict) or head.get("reply") != reply:
        raise FrameError("it is another reply than was asked for")
    found = {name: value for name, value in head.items() if name != "reply"}
    checks = {**checks, "printed": _is_printed}
    if found.keys() != checks.keys():
        raise FrameError("its fields are not those of an answer")
    for name, check in checks.items():
        if not check(found[name]):
            raise FrameError(f"its field {name!r} holds what it may not hold")
    return found


def _is_text(value: object, at_most: int) -> bool:
    if not isinstance(value, str) or len(value) > at_most:
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which cannot be printed
        return False
    return True


def _is_printed(value: object) -> bool:
    return _is_text(value, PRINTED_IN_A_REPLY)


def _is_sentence(value: object) -> bool:
    return _is_text(value, SENTENCE_AT_MOST)


def _is_name(value: object) -> bool:
    return _is_text(value, NAME_AT_MOST)


def _is_name_or_none(value: object) -> bool:
    return value is None or _is_name(value)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_line(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value <= LINE_AT_MOST)


def _are_changes(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= CHANGES_AT_MOST
        and all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_name, pair)) for pair in value)
    )


def _are_remarks(value: object) -> bool:
    return isinstance(value, dict) and value.keys() <= set(REMARKS) and all(map(_is_sentence, value.values()))


def _cut(text: str, at_most: int) -> str:
    """Return a text that can be printed, or its first part."""
    # By str's own method: somebody's subclass may have another.
    plain = str.encode(text, "utf-8", "backslashreplace").decode("utf-8")
    return plain if len(plain) <= at_most else f"{plain[: at_most - 3]}..."


def _grouped(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """Return the arrays by what stands before and after the slash in their names."""
    groups: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        group, _, rest = name.rpartition("/")
        groups.setdefault(group, {})[rest] = array
    return groups


def _nothing_left(names: Iterable[str]) -> None:
    for name in names:
        raise FrameError(f"it gives {name!r}, which was not asked for")


def _arrays(given: Mapping[str, Array], scene: Scene) -> dict[str, Array]:
    """Return the arrays of an answer in the order of `shapes`, after checking that they are as they were to be sent."""
    dtype, parameters = scene.network.weights[0].dtype, scene.network.named()
    needed = known = {name: array.shape for name, array in parameters.items()}
    if given.keys() != parameters.keys():  # most answers are the parameters and nothing else, and the rest takes a while
        needed, allowed = shapes(scene.network, scene.x)
        known = needed | allowed
    for name, array in given.items():
        if name not in known:
            raise FrameError(f"it gives {name!r}, which was not asked for")
        if array.shape != known[name]:
            raise FrameError(f"it gives {name} in shape {array.shape} for {known[name]}")
        if array.dtype != dtype and not (name == "loss" and array.dtype.kind == "f"):
            raise FrameError(f"it gives {name} in {array.dtype} for {dtype}")
    for name in needed:
        if name not in given:
            raise FrameError(f"it gives no {name}")
    return {name: given[name] for name in known if name in given}


def _outputs(scene: Scene) -> tuple[int, ...]:
    return (*scene.x.shape[:-1], scene.network.widths[-1])


def _names(scene: Scene) -> int:
    """Return how many arrays an answer may have, with the predictions."""
    needed, allowed = shapes(scene.network, scene.x)
    return len(needed) + len(allowed) + 1


def _bytes(scene: Scene) -> int:
    """Return how many bytes they may have; a loss may be of another dtype than the network."""
    needed, allowed = shapes(scene.network, scene.x)
    return 8 * sum(map(math.prod, (*needed.values(), *allowed.values(), _outputs(scene))))
