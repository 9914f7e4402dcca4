"""What holds a submission's process back: limited memory, a group that ends as a whole, no life after whoever started it.

Both sides of it: `Kept` for whoever starts the process, `end_with` and `limit_memory` for the process itself. It is no
sandbox: a process that leaves its group lives on, and each process that the code starts has the whole memory for itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any

if sys.platform != "win32":
    import fcntl
    import resource

GIB = 1 << 30
# Networks are small: threads of a matrix product cost more than they give, and take memory each.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")


class Kept:
    """A process with everything that it starts, which ends when this process does, however that ends.

    Parameters
    ----------
    command : list of str
        What to start. The number of a pipe's end is appended; `end_with` takes it ("-1" on Windows, which has none).
    log : binary file
        Its standard error.
    folder : str, optional
        Its working folder.

    Attributes
    ----------
    process : subprocess.Popen
        Its input and output are pipes without buffers.
    """

    def __init__(self, command: list[str], log: IO[bytes], folder: str | None = None) -> None:
        pipe, environment = subprocess.PIPE, ONE_THREAD | os.environ
        options: dict[str, Any] = {
            "stdin": pipe,
            "stdout": pipe,
            "stderr": log,
            "cwd": folder,
            "env": environment,
        }
        if sys.platform == "win32":
            self._life = None
            self.process = subprocess.Popen([*command, "-1"], bufsize=0, **options)
            return
        theirs, ours = os.pipe()
        self._life: IO[bytes] | None = open(ours, "wb", buffering=0)  # noqa: SIM115  # closed at the end
        try:
            # A session of its own has no terminal, and makes one group of all that is started in it.
            self.process = subprocess.Popen(
                [*command, str(theirs)], bufsize=0, start_new_session=True, pass_fds=[theirs], **options
            )
        except BaseException:
            self._life.close()
            raise
        finally:
            os.close(theirs)

    def end(self) -> None:
        """End it with its whole group, and wait until it has ended."""
        if self._life is not None:
            # The group outlives its leader, and keeps its number as long as there is anybody in it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self._life.close()
            self._life = None
        self.process.kill()
        self.process.wait()


def end_with(life: int) -> None:
    """End this process with its whole group as soon as whoever started it has ended, killed or not.

    Parameters
    ----------
    life : int
        The end of the pipe from `Kept`, of which the system closes the other end then. -1 if there is none.
    """
    if sys.platform == "win32" or life < 0:
        return
    os.set_inheritable(life, False)
    try:
        # The system itself kills the group, even while the code holds the interpreter.
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    except (AttributeError, OSError):  # other systems than Linux cannot be told which signal
        threading.Thread(target=_end_after, args=[life], daemon=True).start()


def _end_after(life: int) -> None:
    # Nothing is ever written: it returns when the other end is closed.
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)


def limit_memory(memory: float) -> None:
    """Let this process, and each that it starts, hold no more than so many GiB from now on."""
    if sys.platform == "win32":
        return
    # Much address space is reserved and never held, so it is the data that is limited; on macOS the system does not mind.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = int(memory * GIB)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def memory_limit() -> float | None:
    """Return how much this process may hold in GiB; None if that is not limited."""
    if sys.platform == "win32":
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY else soft / GIB
