"""The process in which somebody's file runs: it loads the file, then answers one request after another.

Requests come pickled over the pipe that was its standard input, each with a token. Replies go over the pipe that was its
standard output, as frames that carry the request's token: plain data, since what the file's code may write there is not to be
run by whoever reads it. It ends itself when one call of the file's code takes too long, and leaves in its standard error where
that code was.
"""

from __future__ import annotations

import faulthandler
import io
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any

from verification.submissions import frames, replies
from verification.submissions.answers import Answer, SubmissionError
from verification.submissions.loading import find, load
from verification.submissions.local import Local, def_line
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.replies import Loaded
from verification.submissions.restraint import end_with, limit_memory
from verification.submissions.support import Support

PRINTED_AT_MOST = 10_000
# The exit status that says that this module failed, and not the file's code.
FAILED = 70
# The exit status that says that the pipes are gone, which the file's code must have closed.
CUT_OFF = 71
# The exit status that says that there was no memory left to answer with.
FULL = 72


@dataclass(frozen=True)
class Load:
    """The first request: load a file, and find the submission in it. Times in seconds, memory in GiB."""

    path: str
    name: str | None
    limit: float
    load_limit: float
    memory: float | None = None
    forbid: tuple[str, ...] = ()

    def expected(self) -> replies.Expected:
        """Return what may come in reply."""
        return replies.ExpectedLoaded()


@dataclass(frozen=True)
class Declare:
    """The request to take the submission for one that had declared this."""

    support: Support

    def of(self, local: Local) -> Answer:
        """Return the reply, which is empty."""
        local.declare(self.support)
        return Answer({})

    def expected(self) -> replies.Expected:
        """Return what may come in reply."""
        return replies.ExpectedNothing()


@dataclass(frozen=True)
class Gradient:
    """The request for one gradient."""

    scene: Scene

    def of(self, local: Local) -> Answer:
        """Return the reply."""
        return local.gradient(self.scene.network, self.scene.x, self.scene.y)

    def expected(self) -> replies.Expected:
        """Return what may come in reply."""
        return replies.ExpectedAnswer(self.scene)


@dataclass(frozen=True)
class Perform:
    """The request for a protocol."""

    steps: tuple[Step, ...]
    scenes: dict[str, Scene]

    def of(self, local: Local) -> Outcome:
        """Return the reply."""
        return local.perform(self.steps, self.scenes)

    def expected(self) -> replies.Expected:
        """Return what may come in reply."""
        return replies.ExpectedOutcome(self.steps, self.scenes)


class Printed(io.RawIOBase):
    """Standard output for the file's code: it keeps the first part of what is written, and forgets the rest."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.dropped = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Keep the bytes if there is room for them."""
        written = bytes(data)
        room = max(PRINTED_AT_MOST - len(self.kept), 0)
        self.kept += written[:room]
        self.dropped += len(written[room:])
        return len(written)

    def take(self) -> str:
        """Return what was written since the last time."""
        text = self.kept.decode("utf-8", errors="replace")
        if self.dropped:
            text += f"\n... and {self.dropped} bytes more"
        self.kept.clear()
        self.dropped = 0
        return text


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End this process unless the block is left in time.

    An alarm costs a microsecond, where a thread that watches costs a hundred. Without alarms (on Windows) the parent alone
    watches, and does not learn the line.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def serve(requests: IO[bytes], answered: IO[bytes], printed: Callable[[], str]) -> None:
    """Answer requests until there are no more.

    Parameters
    ----------
    requests : binary file
        Tokens and requests, pickled in pairs. The first request is a `Load`.
    answered : binary file
        Takes a frame for each, with its token.
    printed : callable
        Returns what the file's code printed since it was last called.
    """
    local: Local | None = None
    while True:
        try:
            token, request = pickle.load(requests)
        except EOFError:
            return
        try:
            reply: Loaded | Answer | Outcome | SubmissionError
            try:
                if isinstance(request, Load):
                    local, reply = _loaded(request, printed)
                elif local is None:
                    raise RuntimeError(f"the first request must be to load a file; got {request!r}")
                else:
                    reply = replace(request.of(local), printed=printed())
            except SubmissionError as error:
                error.printed = printed()
                reply = error
            frames.write(answered, token, *replies.pack(reply))
        except MemoryError:
            raise
        except Exception as mistake:
            # By it the parent knows that this was not written by the file's code.
            mistake.add_note(token.hex())
            raise


def _loaded(request: Load, printed: Callable[[], str]) -> tuple[Local, Loaded]:
    if request.memory is not None:
        limit_memory(request.memory)
    with within(request.load_limit):
        submission = find(load(request.path, request.forbid), request.name)
    local = Local(submission, file=request.path, around=partial(within, request.limit))
    said = (local.name, local.is_class, local.descends, local.has_parameters, local.is_stepper, local.support)
    return local, Loaded(*said, def_line(submission), printed())


def main(life: int) -> None:
    """Serve over standard input and output, which the file's code is kept away from, as long as `life` says."""
    end_with(life)
    # The parent decides what becomes of this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answered = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    log = os.fdopen(os.dup(2), "w")
    raw = Printed()
    text = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace", write_through=True)
    sys.stdout = sys.stderr = text
    faulthandler.enable(file=log)
    if hasattr(signal, "SIGALRM"):
        # Written in C, it works even while the file's code holds the interpreter; after it the default, which is to end.
        faulthandler.register(signal.SIGALRM, file=log, all_threads=False, chain=True)
    leave = os._exit

    def leave_and_say_where(status: int) -> Any:
        faulthandler.dump_traceback(file=log, all_threads=False)
        leave(status)

    os._exit = leave_and_say_where

    def printed() -> str:
        with suppress(ValueError):  # somebody closed it; what was written before is kept
            text.flush()
        return raw.take()

    try:
        serve(requests, answered, printed)
    except OSError:
        leave(CUT_OFF)
    except MemoryError:  # the file's code keeps so much that nothing is left to answer with
        leave(FULL)
    except Exception:  # a mistake in this module, not in the file: the parent raises it as such
        traceback.print_exc(file=log)
        log.flush()
        leave(FAILED)
