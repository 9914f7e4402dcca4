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
import queue
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verification.submissions import frames, replies
from verification.submissions.answers import Answer, SubmissionError
from verification.submissions.description import Array, Description
from verification.submissions.loading import check_file
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.replies import Loaded
from verification.submissions.support import Support
from verification.submissions.worker import CUT_OFF, FAILED, Gradient, Load, Perform

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.submissions.worker import main; main()"
# The worker ends itself at its limit. Should it fail to, it is ended from here this much later.
GRACE = 10.0
# Until an interpreter has started and imported torch.
STARTING = 120.0
# How long the thread that talks to the process may take to notice that it has ended. What the process started may outlive it
# and hold its pipes; the thread is then left waiting, and keeps nobody else.
LEAVING = 1.0
# How much is read of what was written to the process's standard error, from its end: tracebacks stand there.
LOG_AT_MOST = 1_000_000
Request = Load | Gradient | Perform


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
        Whether it is a class; whether that class has `descend(rate)` and `parameters()`.
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
        self.support: Support = loaded.support
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
        reply: Answer = self._asked(
            Gradient(Scene(network, x, y)), calls=3, where=f", on the network {network} with x {x.shape}"
        )
        return reply

    def perform(self, steps: Sequence[Step], scenes: Mapping[str, Scene]) -> Outcome:
        """Make the calls of a protocol, as `verification.submissions.protocol.perform` does.

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
        where = f", in a row of calls on the network {scenes['real'].network}"
        reply: Outcome = self._asked(Perform(tuple(steps), dict(scenes)), calls=2 * len(steps), where=where)
        return reply

    def close(self) -> None:
        """End the process; it may be asked again, and is then started again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        self._conversation.leave()
        self._log.close()

    def _start(self) -> Loaded:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-c", START, json.dumps(sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        self._conversation = _Conversation(self._process, self.file)
        limit = self._load.load_limit
        try:
            reply: Loaded = self._reply(self._load, STARTING + limit, limit, " while it was loaded")
        except SubmissionError:
            self.close()
            raise
        self._line_of_def = reply.line
        return reply

    def _asked(self, request: Gradient | Perform, calls: int, where: str) -> Any:
        if self._process is None:
            self._start()
        return self._reply(request, calls * self._load.limit + GRACE, self._load.limit, where)

    def _reply(self, request: Request, patience: float, limit: float, where: str) -> Any:
        token = os.urandom(frames.TOKEN)
        try:
            try:
                reply = self._conversation.ask(request, token, patience)
            except queue.Empty:
                raise self._too_long(limit, where, "") from None
            except frames.FrameError as error:
                sentence = f"its process sent something that is no answer: {error}{where}"
                raise SubmissionError(sentence, self.file, self._line_of_def, "reply") from None
            except (EOFError, OSError):
                raise self._ended(limit, where, token) from None
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
    """The two pipes of a process. Whoever asks does not wait longer than he is willing to, whatever becomes of the process."""

    def __init__(self, process: subprocess.Popen[bytes], file: str) -> None:
        if process.stdin is None or not isinstance(process.stdout, io.BufferedReader):
            raise RuntimeError("the process must be started with pipes")
        self._requests, self._file = process.stdin, file
        if os.name == "posix":
            os.set_blocking(self._requests.fileno(), False)
            self._writable = select.poll()
            self._writable.register(self._requests.fileno(), select.POLLOUT)
        self._asked: queue.SimpleQueue[tuple[bytes, replies.Expected] | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        arguments = (process.stdout, self._asked.get, self._replies.put, file)
        self._reader = threading.Thread(target=_read, args=arguments, daemon=True)
        self._reader.start()

    def ask(self, request: Request, token: bytes, patience: float) -> Any:
        """Return the reply, or raise what kept it from coming: queue.Empty, EOFError, OSError, FrameError."""
        self._end = time.monotonic() + patience
        pickle.dump((token, request), self, protocol=pickle.HIGHEST_PROTOCOL)
        # What may come is worked out while the process is at work.
        self._asked.put((token, request.expected()))
        reply = self._replies.get(timeout=max(self._end - time.monotonic(), 0))
        if isinstance(reply, BaseException) and not isinstance(reply, SubmissionError):
            raise reply
        return reply

    def leave(self) -> None:
        """End the thread, and close the pipes of a process that has ended."""
        self._asked.put(None)
        self._reader.join(LEAVING)
        self._requests.close()

    def write(self, data: bytes | pickle.PickleBuffer) -> None:
        """Write a part of a request, for pickle.dump."""
        rest = data.raw() if isinstance(data, pickle.PickleBuffer) else memoryview(data)
        if os.name != "posix":  # its pipes cannot be waited for with a limit
            self._requests.write(rest)
            self._requests.flush()
            return
        pipe = self._requests.fileno()
        while rest:
            try:
                rest = rest[os.write(pipe, rest) :]
            except BlockingIOError:
                if not self._writable.poll(max(1000 * (self._end - time.monotonic()), 0)):
                    raise queue.Empty from None


def _read(
    stream: io.BufferedReader,
    asked: Callable[[], tuple[bytes, replies.Expected] | None],
    put: Callable[[object], None],
    file: str,
) -> None:
    """Pass on the replies to what was asked, in order, and at last what kept the next one from coming."""
    with stream:
        try:
            # What is asked is looked up when something comes, so that this thread need not be woken for it.
            while stream.peek(1) and (question := asked()):
                put(replies.receive(stream, *question, file))
            put(EOFError())
        except BaseException as error:  # it is raised where the question was asked
            put(error)


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
        `has_parameters` and `support`.

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
