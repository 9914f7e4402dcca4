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

import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verification.submissions import frames
from verification.submissions.answers import Answer, SubmissionError
from verification.submissions.conversation import Conversation, Request
from verification.submissions.description import Array, Description
from verification.submissions.forbidding import checked
from verification.submissions.loading import check_file
from verification.submissions.local import Local
from verification.submissions.notebooks import ENDING, read
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.replies import Loaded
from verification.submissions.restraint import Kept
from verification.submissions.support import Support
from verification.submissions.worker import CUT_OFF, FAILED, FULL, Declare, Gradient, Load, Perform

START = (
    "import json, sys; life = int(sys.argv.pop()); sys.path[:] = json.loads(sys.argv.pop()); "
    "from verification.submissions.worker import main; main(life)"
)
# The worker ends itself at its limit. Should it fail to, it is ended from here this much later.
GRACE = 10.0
# In GiB, of its process. Whoever imports torch needs a quarter of it.
MEMORY = 4.0
# Until an interpreter has started and imported torch.
STARTING = 120.0
# How much is read of what was written to the process's standard error, from its end: tracebacks stand there.
LOG_AT_MOST = 1_000_000


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
    total : float, optional
        How long all the calls of its code may take together, in seconds; without it there is no such limit.
    memory : float
        How much its process may hold, in GiB (nothing limits it on macOS and Windows).
    forbid : sequence of str
        Modules that it must not import, such as "torch".
    folder : str, optional
        Where the process starts, and what a relative path starts from; here unless given.

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
    TypeError, ValueError
        If `forbid` holds something else than such names.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        limit: float = 10.0,
        load_limit: float = 60.0,
        total: float | None = None,
        memory: float = MEMORY,
        forbid: Sequence[str] = (),
        folder: str | None = None,
    ) -> None:
        self.file, self._folder = os.fspath(path), folder
        self._load = Load(self.file, name, limit, load_limit, memory, checked(forbid))
        self._total = self._left = total if total is not None else math.inf
        self._kept: Kept | None = None
        self._line_of_def: int | None = None
        check_file(self.file, folder)
        is_notebook = self.file.endswith(ENDING)
        self._notebook = read(os.path.join(folder or "", self.file), self.file) if is_notebook else None
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

    @property
    def _process(self) -> subprocess.Popen[bytes] | None:
        return None if self._kept is None else self._kept.process

    def close(self) -> None:
        """End the process and what it has started; it may be asked again, and is then started again."""
        kept, self._kept = self._kept, None
        if kept is None:
            return
        kept.end()
        for stream in (kept.process.stdin, kept.process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _start(self) -> Loaded:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._kept = Kept([sys.executable, "-c", START, json.dumps(sys.path)], self._log, self._folder)
        except OSError as error:  # the folder is not there, or the system has no process left
            self._log.close()
            raise SubmissionError(f"its process cannot be started: {error.strerror}", self.file) from None
        self._conversation = Conversation(self._kept.process, self.file)
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
        asked, left = time.monotonic(), self._left
        try:
            try:
                reply = self._conversation.ask(request, token, min(patience, left))
            except TimeoutError:
                if left < patience:
                    sentence = f"its code had been running for {self._total:g} s in all and was stopped"
                    raise SubmissionError(sentence, self.file, None, "hang") from None
                raise self._too_long(limit, where(), "") from None
            except frames.FrameError as error:
                sentence = f"its process sent something that is no answer: {error}{where()}"
                raise SubmissionError(sentence, self.file, self._line_of_def, "reply") from None
            except (EOFError, OSError):
                raise self._ended(limit, where(), token) from None
        except SubmissionError as error:
            self.close()
            raise self._told(error) from None
        except BaseException:  # Ctrl-C, too: what the process would still send answers nothing that is asked later
            self.close()
            raise
        finally:
            self._left -= time.monotonic() - asked
        if isinstance(reply, SubmissionError):
            raise self._told(reply)
        return reply

    def _told(self, error: SubmissionError) -> SubmissionError:
        """Return an error with its cell, if the file is a notebook: its line is one of all the cells together."""
        if self._notebook is None or error.line is None or error.file is None:
            return error
        told = error.at(f"{self.file}: {self._notebook.place(error.line)}", None)
        told.printed = error.printed
        return told

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
        if status == FULL:
            return SubmissionError(f"its code needed more than {self._load.memory:g} GiB{where}", self.file, None, "ended")
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


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def open_submission(
    submission: str | os.PathLike[str] | Callable[..., Any],
    name: str | None = None,
    **limits: Any,
) -> Local | Remote:
    """Return a submission ready to be asked, for a `with` statement.

    Parameters
    ----------
    submission : str, path or callable
        A file, which is run in a process of its own; or a function or class, which is called in this one, without a time limit.
    name : str, optional
        Of the function or class, if the file has several.
    **limits
        Of a file, as `Remote` takes them: `limit`, `load_limit`, `total`, `memory`, `forbid`, `folder`. A function or class
        is called in this process, without them.

    Returns
    -------
    Local or Remote
        Both have `gradient(network, x, y)`, `perform(steps, scenes)`, `name`, `file`, `is_class`, `descends`,
        `has_parameters`, `is_stepper`, `declare(support)` and `support`.

    Raises
    ------
    SubmissionError
        If it cannot be called.
    TypeError, ValueError
        If `forbid` holds what it may not, or anything for a function or class.

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
        if limits.get("forbid"):
            raise ValueError(f"forbid must be empty for what has been imported already; got {limits['forbid']!r}")
        return Local(submission)
    return Remote(submission, name, **limits)
