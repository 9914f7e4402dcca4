"""The two pipes of a submission's process, neither of which is waited for beyond a given time."""

from __future__ import annotations

import io
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from verification.submissions import replies
from verification.submissions.worker import Declare, Gradient, Load, Perform

if sys.platform == "linux":
    import fcntl

# Pipes can be waited for with a limit, everywhere but on Windows. There a thread ends the process that took too long.
CAN_POLL = hasattr(select, "poll")
# A pipe's room in bytes, where it can be chosen, so that a large network or its gradient goes through at once.
PIPE = 1 << 18
# How often one looks whether the process is still there, in seconds.
LOOK = 0.2
Request = Load | Declare | Gradient | Perform


class Conversation:
    """The two pipes of a process: a request goes in, a reply comes out, and neither is waited for beyond a given time."""

    def __init__(self, process: subprocess.Popen[bytes], file: str) -> None:
        if not isinstance(process.stdin, io.FileIO) or not isinstance(process.stdout, io.FileIO):
            raise RuntimeError("the process must be started with pipes, and without buffers")
        self._process, self._file = process, file
        self._requests, self._pipe = _Pipe(process.stdin, process), _Pipe(process.stdout, process)
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

    def __init__(self, pipe: io.FileIO, process: subprocess.Popen[bytes]) -> None:
        self.end = 0.0
        self._pipe, self._process = pipe, process
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
        # A child of the process may hold the other end, and outlive it.
        while CAN_POLL and not self._poll.poll(1000 * max(min(self.end - time.monotonic(), LOOK), 0)):
            if time.monotonic() >= self.end:
                raise TimeoutError
            if self._process.poll() is not None and not self._poll.poll(0):
                raise EOFError
