"""Processes that measure, from the outside: started with their number of threads, listened to, ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.benchmark.child import main; main()"
# Nothing that is measured takes so long, in seconds, between one line and the next.
PATIENCE = 900.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class ChildError(RuntimeError):
    """A process that measures has failed; the message says how."""


def environment(threads: int) -> dict[str, str]:
    """Return this process's environment with that many threads for everything that is measured."""
    chosen = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    # XLA takes the size of its pool from NPROC, and Eigen's threads apart.
    chosen["NPROC"] = str(threads)
    if threads == 1:
        chosen["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return chosen


def replies(task: str, arguments: Mapping[str, Any], threads: int, patience: float = PATIENCE) -> Iterator[dict[str, Any]]:
    """Start a process, and yield what it measures as it comes.

    Parameters
    ----------
    task : str
        One of `verification.benchmark.child.TASKS`.
    arguments : mapping
        Its arguments, in types that JSON has.
    threads : int
        How many each of its libraries may use.
    patience : float
        How long to wait for the next line, in seconds.

    Yields
    ------
    dict
        One measurement.

    Raises
    ------
    ChildError
        If the process fails, or says nothing for too long. However this ends, the process ends with it.
    """
    command = [sys.executable, "-c", START, json.dumps(sys.path)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment(threads), text=True
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            _ask(process.stdin, json.dumps({"task": task, "arguments": arguments}))
            # A process that was killed may leave half a line.
            while (line := lines.get(timeout=patience)).endswith("\n"):
                yield json.loads(line)
            status = process.wait(patience)
        except (queue.Empty, subprocess.TimeoutExpired):
            raise ChildError(f"the process for {task} said nothing for {patience:g} s and was ended") from None
        finally:
            process.kill()
            process.wait()
            reader.join()
            if process.stdout is not None:
                process.stdout.close()
        if status:
            log.seek(0)
            said = log.read().decode("utf-8", errors="replace").strip().splitlines() or ["nothing said"]
            raise ChildError(f"the process for {task} failed (exit status {status}): {said[-1]}")


def _ask(stream: IO[str] | None, request: str) -> None:
    if stream is None:
        return
    try:
        with stream:
            stream.write(request)
    except BrokenPipeError:  # it has ended already; its exit status says why
        pass


def _read(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")
