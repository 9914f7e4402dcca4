"""Processes that measure: started with their number of threads, since libraries must be told before they are loaded.

A worker reads one request from its standard input, writes what it measures, pickled, to its standard output, and ends.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from verification.benchmark import runs, timing

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.benchmark.workers import serve; serve()"
# Nothing that is measured takes so long, in seconds, between one answer and the next.
PATIENCE = 900.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class WorkerError(RuntimeError):
    """A process that measures has failed; the message says how."""


def environment(threads: int) -> dict[str, str]:
    """Return this process's environment with that many threads for everything that is measured."""
    chosen = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    # torch.compile would leave processes behind that wait for more to compile.
    chosen["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    # XLA takes the size of its pool from NPROC, and Eigen's threads apart.
    chosen["NPROC"] = str(threads)
    if threads == 1:
        chosen["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return chosen


def replies(task: str, calls: Sequence[Mapping[str, Any]], threads: int, patience: float = PATIENCE) -> Iterator[Any]:
    """Start a worker that calls one of `TASKS` with each of these arguments, and yield what it measures as it comes.

    `threads` is how many each of its libraries may use, `patience` how many seconds to wait for the next answer. WorkerError
    if it fails, or says nothing for too long. However this ends, the worker ends with it.
    """
    command = [sys.executable, "-c", START, json.dumps(sys.path)]
    with tempfile.TemporaryFile() as request, tempfile.TemporaryFile() as log:
        pickle.dump((task, list(calls), threads), request)
        request.seek(0)
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with subprocess.Popen(command, stdin=request, stdout=subprocess.PIPE, stderr=log, env=environment(threads)) as process:
            threading.Thread(target=_read, args=(process.stdout, answers), daemon=True).start()
            try:
                while (answer := answers.get(timeout=patience)) is not None:
                    yield answer
                status = process.wait(patience)
            except (queue.Empty, subprocess.TimeoutExpired):
                raise WorkerError(f"the process for {task} said nothing for {patience:g} s and was ended") from None
            finally:
                process.kill()
                process.wait()
        if status:
            log.seek(0)
            said = log.read().decode("utf-8", errors="replace").strip().splitlines() or ["nothing said"]
            raise WorkerError(f"the process for {task} failed (exit status {status}): {said[-1]}")


def _read(stream: IO[bytes], answers: queue.SimpleQueue[Any]) -> None:
    """Pass on what comes, and None when no more can: at the end, or after half an answer of a worker that was killed."""
    try:
        while True:
            answers.put(pickle.load(stream))
    except Exception:
        answers.put(None)


def serve() -> None:
    """Answer the request, as a worker."""
    out = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints is no answer.
    os.dup2(2, 1)
    task, calls, threads = pickle.load(sys.stdin.buffer)
    if task in OF_TORCH:  # which may not ask the environment
        import torch

        torch.set_num_threads(threads)
    for arguments in calls:
        pickle.dump(TASKS[task](**arguments), out)
        out.flush()


OF_TORCH = ("timing", "training", "throughput")
TASKS: dict[str, Callable[..., Any]] = {
    "timing": timing.measure,
    "training": runs.training,
    "memory": runs.memory,
    "throughput": runs.throughput,
    "startup": runs.startup,
}
