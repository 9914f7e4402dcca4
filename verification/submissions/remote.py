"""A submission in a process of its own: started, asked, watched, ended, started again.

The process keeps a mistake in somebody's file away from this one: an endless loop, a crash, output in the wrong place. It is
no sandbox: the file may do whatever its user may do.

A file may also find the pipe of the replies and write into it. What comes is data, and checked: no reply makes this process run
anything, hold more memory or wait longer than what was asked for warrants, or judge by other networks than it chose. Each reply
must carry the random token that went with its request, so that a file that writes without knowing it is refused, and so is
whatever lies in the pipe before the next request. This does not keep a file from lying: one that looks for the token in its own
process, or changes the modules that run it, can send an answer that it did not compute, as it could write down right numbers.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from verification.submissions import frames, replies
from verification.submissions.answers import Answer, SubmissionError
from verification.submissions.description import Array, Description
from verification.submissions.loading import check_file
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.replies import Loaded
from verification.submissions.support import Support
from verification.submissions.worker import CUT_OFF, FAILED, Declare, Gradient, Load, Perform

if sys.platform == "linux":
    import fcntl

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.submissions.worker import main; main()"
# The worker ends itself at its limit. Should it fail to, it is ended from here this much later.
GRACE = 10.0
# Until an interpreter has started and imported torch.
STARTING = 120.0
# How much is read of what was written to the process's standard error, from its end: tracebacks stand there.
LOG_AT_MOST = 1_000_000
# Pipes can be waited for with a limit, everywhere but on Windows. There a thread ends the process that took too long.
CAN_POLL = hasattr(select, "poll")
# A pipe's room in bytes, where it can be chosen, so that a large network or its gradient goes through at once.
PIPE = 1 << 18
Request = Load | Declare | Gradient | Perform


class Remote:
    """A submission in a file, run in a process of its own. Close it, or use it in a `with` statement.

    Parameters
    ----------
    path : str or path
        The file.
    name : str, optional
        The function's or class's name, if the file has several.
    limit : float
        How long one call of its code may take, in seconds.
    load_limit : float
        How long loading the file may take, in seconds.

    Attributes
    ----------
    file, name : str
        The path as given; the function's or class's name.
    is_class, descends, has_parameters : bool
        Whether it is a class with forward and backward; whether that has `descend(rate)` and `parameters()`.
    is_stepper : bool
        Whether it is a class that only makes steps, so that its gradient is found from one of a fresh instance.
    support : Support
        What it has declared.
    printed : str
        What the file printed while it was loaded.

    Raises
    ------
    SubmissionError
        If there is no such file, its code fails while it is loaded, or no submission is found in it.
    """

    def __init__(
        self, path: str | os.PathLike[str], name: str | None = None, *, limit: float = 10.0, load_limit: float = 60.0
    ) -> None:
        self.file = os.fspath(path)
        self._load = Load(self.file, name, limit, load_limit)
        self._process: subprocess.Popen[bytes] | None = None
        self._line_of_def: int | None = None
        check_file(self.file)
        loaded = self._start()
        self.name: str = loaded.name
        self.is_class: bool = loaded.is_class
        self.descends: bool = loaded.descends
        self.has_parameters: bool = loaded.has_parameters
        self.is_stepper: bool = loaded.is_stepper
        self.support: Support = loaded.support
        self._redeclared = False
        self.printed: str = loaded.printed

    def __enter__(self) -> Remote:
        """Return self: the process has been started."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def gradient(self, network: Description, x: Array, y: Array) -> Answer:
        """Return its gradient: of the function, or of a fresh instance after forward(x) and backward(y).

        Parameters
        ----------
        network : Description
            The network.
        x, y : ndarray
            One example or a batch.

        Returns
        -------
        Answer
            Checked names, shapes and dtypes, and what was printed.

        Raises
        ------
        SubmissionError
            If its code fails, takes too long, ends the process, or answers no gradient; or if something else than an answer
            comes. It can be asked again.
        """
        request = Gradient(Scene(network, x, y))
        reply: Answer = self._asked(request, calls=3, where=lambda: f", on the network {network} with x {x.shape}")
        return reply

    def declare(self, support: Support) -> None:
        """Take the submission for one that had declared this, in every process that is started for it."""
        self.support, self._redeclared = support, True
        if self._process is not None:
            self._reply(Declare(support), GRACE, GRACE, lambda: "")

    def perform(self, steps: Sequence[Step], scenes: Mapping[str, Scene]) -> Outcome:
        """Make the calls of a protocol, as `verification.submissions.performing.perform` does.

        Parameters
        ----------
        steps : sequence of Step
            The protocol.
        scenes : mapping of str to Scene
            Its data.

        Returns
        -------
        Outcome
            What it answered and what it changed.

        Raises
        ------
        SubmissionError
            As for `gradient`.
        """
        request = Perform(tuple(steps), dict(scenes))
        reply: Outcome = self._asked(
            request, calls=2 * len(steps), where=lambda: f", in a row of calls on the network {scenes['real'].network}"
        )
        return reply

    def close(self) -> None:
        """End the process; it may be asked again, and is then started again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _start(self) -> Loaded:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-c", START, json.dumps(sys.path)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=self._log)
        self._conversation = _Conversation(self._process, self.file)
        limit = self._load.load_limit
        try:
            reply: Loaded = self._reply(self._load, STARTING + limit, limit, lambda: " while it was loaded")
        except SubmissionError:
            self.close()
            raise
        self._line_of_def = reply.line
        return reply

    def _asked(self, request: Gradient | Perform, calls: int, where: Callable[[], str]) -> Any:
        if self._process is None:
            self._start()
            if self._redeclared:
                self.declare(self.support)
        return self._reply(request, calls * self._load.limit + GRACE, self._load.limit, where)

    def _reply(self, request: Request, patience: float, limit: float, where: Callable[[], str]) -> Any:
        token = os.urandom(frames.TOKEN)
        try:
            try:
                reply = self._conversation.ask(request, token, patience)
            except TimeoutError:
                raise self._too_long(limit, where(), "") from None
            except frames.FrameError as error:
                sentence = f"its process sent something that is no answer: {error}{where()}"
                raise SubmissionError(sentence, self.file, self._line_of_def, "reply") from None
            except (EOFError, OSError):
                raise self._ended(limit, where(), token) from None
        except BaseException:  # Ctrl-C, too: what the process would still send answers nothing that is asked later
            self.close()
            raise
        if isinstance(reply, SubmissionError):
            raise reply
        return reply

    def _ended(self, limit: float, where: str, token: bytes) -> Exception:
        if self._process is None:
            raise RuntimeError("the process has not been started")
        try:
            status = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            status = CUT_OFF
        if status == CUT_OFF:
            sentence = f"its code left the process that runs it unable to answer{where}"
            return SubmissionError(sentence, self.file, self._line_of_def, "ended")
        self._log.seek(max(self._log.seek(0, os.SEEK_END) - LOG_AT_MOST, 0))
        log = self._log.read(LOG_AT_MOST).decode("utf-8", errors="replace")
        if status == FAILED and token.hex() in log:
            return RuntimeError(f"the process that runs {self.file} failed:\n{log}")
        if _signal_name(-status) == "SIGALRM":
            return self._too_long(limit, where, log)
        how = f"exit status {status}" if status >= 0 else f"killed by {_signal_name(-status)}"
        line = self._line(log)
        return SubmissionError(f"its code ended the whole process ({how}){where}", self.file, line, "ended")

    def _too_long(self, limit: float, where: str, log: str) -> SubmissionError:
        sentence = f"its code was still running after {limit:g} s and was stopped{where}"
        return SubmissionError(sentence, self.file, self._line(log), "hang")

    def _line(self, log: str) -> int | None:
        """Return the innermost line of the file in a traceback of faulthandler's, which writes the innermost first.

        Without one (the process was killed from outside), the line where the submission is defined.
        """
        shown = self.file.encode("ascii", "backslashreplace").decode("ascii")
        found = re.search(rf'File "{re.escape(shown)}", line ([0-9]{{1,9}}) in', log)
        return int(found[1]) if found else self._line_of_def


class _Conversation:
    """The two pipes of a process: a request goes in, a reply comes out, and neither is waited for beyond a given time."""

    def __init__(self, process: subprocess.Popen[bytes], file: str) -> None:
        if not isinstance(process.stdin, io.FileIO) or not isinstance(process.stdout, io.FileIO):
            raise RuntimeError("the process must be started with pipes, and without buffers")
        self._process, self._file = process, file
        self._requests, self._pipe = _Pipe(process.stdin), _Pipe(process.stdout)
        self._replies = io.BufferedReader(self._pipe)

    def ask(self, request: Request, token: bytes, patience: float) -> Any:
        """Return the reply, or raise what kept it from coming: TimeoutError, EOFError, OSError, FrameError."""
        end = self._requests.end = self._pipe.end = time.monotonic() + patience
        watch = None if CAN_POLL else threading.Timer(patience, self._process.kill)
        try:
            if watch is not None:
                watch.start()
            pickle.dump((token, request), self._requests, protocol=pickle.HIGHEST_PROTOCOL)
            return replies.receive(self._replies, token, request.expected(), self._file)
        except (EOFError, OSError):
            if time.monotonic() < end:
                raise
            raise TimeoutError from None
        finally:
            if watch is not None:
                watch.cancel()


class _Pipe(io.RawIOBase):
    """An end of a pipe that is waited for until a given time, as far as pipes can be waited for."""

    def __init__(self, pipe: io.FileIO) -> None:
        self.end = 0.0
        self._pipe = pipe
        if sys.platform == "linux":
            with suppress(OSError):  # a user may have so many pages in pipes, and no more
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
        if CAN_POLL:
            os.set_blocking(pipe.fileno(), not pipe.writable())
            self._poll = select.poll()
            self._poll.register(pipe, select.POLLOUT if pipe.writable() else select.POLLIN)

    def readable(self) -> bool:
        """Say whether it is the end to read from."""
        return self._pipe.readable()

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come, and wait until something has."""
        self._wait()
        return self._pipe.readinto(buffer)

    def write(self, data: Any) -> int:
        """Write all of it, and wait as often as there is no room."""
        rest = whole = data.raw() if isinstance(data, pickle.PickleBuffer) else memoryview(data)
        while rest:
            written = self._pipe.write(rest)
            if written is None:
                self._wait()
            else:
                rest = rest[written:]
        return len(whole)

    def _wait(self) -> None:
        if CAN_POLL and not self._poll.poll(max(1000 * (self.end - time.monotonic()), 0)):
            raise TimeoutError


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def open_submission(
    submission: str | os.PathLike[str] | Callable[..., Any],
    name: str | None = None,
    *,
    limit: float = 10.0,
    load_limit: float = 60.0,
) -> Local | Remote:
    """Return a submission ready to be asked, for a `with` statement.

    Parameters
    ----------
    submission : str, path or callable
        A file, which is run in a process of its own; or a function or class, which is called in this one, without a time limit.
    name : str, optional
        Of the function or class, if the file has several.
    limit, load_limit : float
        As for `Remote`.

    Returns
    -------
    Local or Remote
        Both have `gradient(network, x, y)`, `perform(steps, scenes)`, `name`, `file`, `is_class`, `descends`,
        `has_parameters`, `is_stepper`, `declare(support)` and `support`.

    Raises
    ------
    SubmissionError
        If it cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> import handgrad as hg
    >>> from verification.submissions.description import describe
    >>> def gradient(network, x, y):
    ...     dL_dz = 2 * (network.weights[0] @ x + network.biases[0] - y)
    ...     return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
    >>> network = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])]))
    >>> with open_submission(gradient) as subject:
    ...     subject.gradient(network, np.array([2.0, 1.0]), np.array([1.0])).arrays["w1"]
    array([[4., 2.]])
    """
    if callable(submission):
        return Local(submission)
    return Remote(submission, name, limit=limit, load_limit=load_limit)
