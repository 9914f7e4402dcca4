"""What a submission's process replies, as data: packed there into a head and arrays, unpacked and checked here.

Whoever unpacks a reply knows what was asked for. It may hold that and nothing else, so that where a right answer is taken is
never for the process to say. To send a field more, put it into the head in `pack`, and its check beside the others.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.submissions.answers import Answer, SubmissionError, arrays_of, shapes
from verification.submissions.description import Description
from verification.submissions.frames import FrameError, Room
from verification.submissions.performing import CHANGED_AT_MOST, CHANGES_AT_MOST
from verification.submissions.protocol import ANSWERS, Change, Outcome, Scene, Step, replay
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# Of a SubmissionError that comes; "hang", "ended" and "reply" are said here, of the process.
KINDS = ("file", "raised", "returned", "missing", "unknown", "array", "shape", "dtype")
# In characters. What is longer is cut before it is sent, and refused when it comes.
PRINTED_AT_MOST = 11_000
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
    head: dict[str, object] = {"printed": _cut(reply.printed, PRINTED_AT_MOST)}
    arrays: dict[str, Array] = {}
    if isinstance(reply, Answer):
        head["reply"] = "answer"
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
        own = {name: getattr(reply, name) for name in ("is_class", "descends", "has_parameters", "line")}
        support = {field.name: getattr(reply.support, field.name) for field in fields(Support)}
        head |= {"reply": "loaded", "name": _cut(reply.name, NAME_AT_MOST), "support": support} | own
    else:
        sentence = _cut(reply.sentence, SENTENCE_AT_MOST)
        quantity = None if reply.quantity is None else _cut(reply.quantity, NAME_AT_MOST)
        head |= {"reply": "error", "sentence": sentence, "quantity": quantity}
        head |= {"file": reply.file, "line": reply.line, "kind": reply.kind}
    return head, arrays


def is_error(head: object) -> bool:
    """Say whether a head is that of a SubmissionError, or pretends to be."""
    return isinstance(head, dict) and head.get("reply") == "error"


def unpack_error(head: object, arrays: Mapping[str, Array], file: str) -> SubmissionError:
    """Return the SubmissionError that came.

    Parameters
    ----------
    head, arrays : object, mapping of str to ndarray
        From `verification.submissions.frames.read`.
    file : str
        The only file that it may speak of.

    Returns
    -------
    SubmissionError
        With what was printed before it.

    Raises
    ------
    FrameError
        If something is missing, unknown, or not what it must be.
    """
    head = _checked(
        head,
        "error",
        {
            "sentence": _is_text(SENTENCE_AT_MOST),
            "file": lambda value: value is None or value == file,
            "line": _is_line,
            "kind": lambda value: isinstance(value, str) and value in KINDS,
            "quantity": lambda value: value is None or _is_text(NAME_AT_MOST)(value),
        },
    )
    _nothing_left(arrays)
    error = SubmissionError(head["sentence"], head["file"], head["line"], head["kind"], head["quantity"])
    error.printed = head["printed"]
    return error


def room_of_loaded() -> Room:
    """Return how long a `Loaded` may be."""
    return Room(HEAD_AT_MOST, 0)


def unpack_loaded(head: object, arrays: Mapping[str, Array]) -> Loaded:
    """Return the reply to the request to load a file.

    Parameters
    ----------
    head, arrays : object, mapping of str to ndarray
        From `verification.submissions.frames.read`.

    Returns
    -------
    Loaded
        Its `Support` is made anew, and so checked by its own rules.

    Raises
    ------
    FrameError
        If something is missing, unknown, or not what it must be.
    """
    flags = ("is_class", "descends", "has_parameters")
    checks = {"name": _is_text(NAME_AT_MOST), "line": _is_line, "support": lambda value: isinstance(value, dict)}
    head = _checked(head, "loaded", checks | {flag: lambda value: isinstance(value, bool) for flag in flags})
    _nothing_left(arrays)
    try:
        support = Support(**head["support"])
    except (TypeError, ValueError):
        raise FrameError("its declaration is one that cannot be made") from None
    return Loaded(head["name"], *(head[flag] for flag in flags), support, head["line"], head["printed"])


def room_of_answer(scene: Scene) -> Room:
    """Return how long an answer about a scene may be."""
    return Room(HEAD_AT_MOST + ENTRY_AT_MOST * _names(scene), _bytes(scene))


def unpack_answer(head: object, arrays: Mapping[str, Array], scene: Scene) -> Answer:
    """Return the answer about a scene.

    Parameters
    ----------
    head, arrays : object, mapping of str to ndarray
        From `verification.submissions.frames.read`.
    scene : Scene
        What was asked about.

    Returns
    -------
    Answer
        With such arrays as `verification.submissions.answers.arrays_of` returns for that scene.

    Raises
    ------
    FrameError
        If something is missing, unknown, or not what it must be.
    """
    head = _checked(head, "answer", {})
    groups = _grouped(arrays)
    found = _arrays(groups.pop("answer", {}), scene.network, scene.x)
    alone = groups.pop("", {})
    predictions = alone.pop("predictions", None)
    _nothing_left(groups | alone)
    if predictions is not None and (predictions.shape != _outputs(scene) or predictions.dtype != np.float64):
        raise FrameError(f"it must give predictions as float64 in shape {_outputs(scene)}")
    return Answer(found, head["printed"], predictions)


def room_of_outcome(steps: Sequence[Step], scenes: Mapping[str, Scene]) -> Room:
    """Return how long the outcome of a protocol may be."""
    answers = sum(step.do in ANSWERS for step in steps)
    of_changes = CHANGES_AT_MOST * 2 * (NAME_AT_MOST + ENTRY_AT_MOST)
    head = HEAD_AT_MOST + answers * ENTRY_AT_MOST * max(map(_names, scenes.values())) + of_changes
    return Room(head, answers * max(map(_bytes, scenes.values())) + CHANGES_AT_MOST * 2 * CHANGED_AT_MOST)


def unpack_outcome(
    head: object, arrays: Mapping[str, Array], steps: Sequence[Step], scenes: Mapping[str, Scene]
) -> Outcome:
    """Return the outcome of a protocol.

    Parameters
    ----------
    head, arrays : object, mapping of str to ndarray
        From `verification.submissions.frames.read`.
    steps : sequence of Step
        The protocol.
    scenes : mapping of str to Scene
        Its data.

    Returns
    -------
    Outcome
        Each observation's arrays are those that came; its name, network and data follow from the steps and scenes.

    Raises
    ------
    FrameError
        If something is missing, unknown, or not what it must be.
    """
    head = _checked(head, "outcome", {"changes": _are_changes})
    groups = _grouped(arrays)
    numbers = itertools.count()

    def came(step: Step, where: Scene) -> dict[str, Array]:
        if step.do not in ANSWERS:
            return {}
        given = groups.pop(f"answer{next(numbers)}", {})
        if step.do == "parameters" and given.keys() != where.network.named().keys():
            raise FrameError("it must give the parameters where it is asked for them, and nothing else")
        return _arrays(given, where.network, where.x)

    observations = replay(steps, scenes, came)
    changes = []
    for number, (when, what) in enumerate(head["changes"]):
        pair = groups.pop(f"change{number}", {})
        if pair.keys() != {"before", "after"} or any(array.nbytes > CHANGED_AT_MOST for array in pair.values()):
            raise FrameError("it must give what changed as it was before and after, and no more of it than is kept")
        changes.append(Change(when, what, pair["before"], pair["after"]))
    _nothing_left(groups)
    return Outcome(observations, tuple(changes), head["printed"])


def _checked(head: object, reply: str, checks: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """Return a head after checking that it is that of this reply, with these fields, what was printed, and no other."""
    if not isinstance(head, dict) or head.get("reply") != reply:
        raise FrameError(f"it is no {reply}")
    checks = {"reply": lambda value: True, "printed": _is_text(PRINTED_AT_MOST)} | dict(checks)
    if head.keys() != checks.keys():
        raise FrameError(f"its fields are not those of an {reply}")
    for name, check in checks.items():
        if not check(head[name]):
            raise FrameError(f"its field {name!r} holds what it may not hold")
    return head


def _is_text(at_most: int) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, str) or len(value) > at_most:
            return False
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:  # half a surrogate pair, which cannot be printed
            return False
        return True

    return check


def _is_line(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value <= LINE_AT_MOST)


def _are_changes(value: object) -> bool:
    is_text = _is_text(NAME_AT_MOST)
    return (
        isinstance(value, list)
        and len(value) <= CHANGES_AT_MOST
        and all(isinstance(pair, list) and len(pair) == 2 and all(map(is_text, pair)) for pair in value)
    )


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


def _nothing_left(arrays: Mapping[str, object]) -> None:
    for name in arrays:
        raise FrameError(f"it gives {name!r}, which was not asked for")


def _arrays(given: Mapping[str, Array], network: Description, x: Array) -> dict[str, Array]:
    try:
        return arrays_of(given, network, x, "it")
    except SubmissionError as error:
        raise FrameError(error.sentence) from None


def _outputs(scene: Scene) -> tuple[int, ...]:
    return (*scene.x.shape[:-1], scene.network.widths[-1])


def _names(scene: Scene) -> int:
    needed, allowed = shapes(scene.network, scene.x)
    return len(needed) + len(allowed) + 1


def _bytes(scene: Scene) -> int:
    needed, allowed = shapes(scene.network, scene.x)
    return 8 * sum(map(math.prod, (*needed.values(), *allowed.values(), _outputs(scene))))
