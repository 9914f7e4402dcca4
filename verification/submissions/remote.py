"""A submission in a process of its own: started, asked, watched, ended, started again.

The process keeps a mistake in somebody's file away from this one: an endless loop, a crash, output in the wrong place. It is
no sandbox: the file may do whatever its user may do.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from verification.submissions.answers import Answer, SubmissionError
from verification.submissions.description import Array, Description
from verification.submissions.loading import check_file
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.support import Support
from verification.submissions.worker import FAILED, Gradient, Load, Loaded, Perform

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.submissions.worker import main; main()"
# The worker ends itself at its limit. Should it fail to, it is ended from here this much later.
GRACE = 10.0
# Until an interpreter has started and imported torch.
STARTING = 120.0


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
            If its code fails, takes too long, ends the process, or answers no gradient. It can be asked again.
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
        self._reader.join()
        for stream in (process.stdin, process.stdout, self._log):
            try:
                if stream is not None:
                    stream.close()
            except BrokenPipeError:  # a request that the process did not live to read
                pass

    def _start(self) -> Loaded:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-c", START, json.dumps(sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._replies.put), daemon=True)
        self._reader.start()
        limit = self._load.load_limit
        try:
            reply: Loaded = self._reply(self._load, STARTING + limit, limit, " while it was loaded")
        except SubmissionError:
            self.close()
            raise
        self._line_of_def = reply.line
        return reply

    def _asked(self, request: object, calls: int, where: str) -> Any:
        if self._process is None:
            self._start()
        return self._reply(request, calls * self._load.limit + GRACE, self._load.limit, where)

    def _reply(self, request: object, patience: float, limit: float, where: str) -> Any:
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("the process has not been started")
        try:
            try:
                pickle.dump(request, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                reply = self._replies.get(timeout=patience)
            except queue.Empty:
                raise self._too_long(limit, where, "") from None
            except BrokenPipeError:
                reply = None
            if reply is None:
                raise self._ended(process, limit, where)
        except BaseException:  # Ctrl-C, too: what the process would still send answers nothing that is asked later
            self.close()
            raise
        if isinstance(reply, SubmissionError):
            raise reply
        return reply

    def _ended(self, process: subprocess.Popen[bytes], limit: float, where: str) -> Exception:
        try:
            status = process.wait(GRACE)
        except subprocess.TimeoutExpired:
            sentence = f"its code left the process that runs it unable to answer{where}"
            return SubmissionError(sentence, self.file, self._line_of_def, "ended")
        self._log.seek(0)
        log = self._log.read().decode("utf-8", errors="replace")
        if status == FAILED and "Traceback (most recent call last)" in log:
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
        found = re.search(rf'File "{re.escape(shown)}", line (\d+) in', log)
        return int(found[1]) if found else self._line_of_def


def _read(stream: IO[bytes], put: Callable[[Any], None]) -> None:
    """Pass on replies as they come, and None when no more can come."""
    try:
        while True:
            put(pickle.load(stream))
    except Exception:  # the end of the stream, or bytes that are no reply: either way this process has no more to say
        put(None)


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
