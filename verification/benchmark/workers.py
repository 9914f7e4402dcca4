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
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from verification.benchmark import runs, timing
from verification.benchmark.networks import Row

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from verification.benchmark.workers import serve; serve()"
# Nothing that is measured takes so long, in seconds, between one answer and the next.
PATIENCE = 900.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class WorkerError(RuntimeError):
    """A process that measures has failed; the message says how."""


def environment(threads: int) -> dict[str, str]:
    """Return this process's environment with that many threads for everything that is measured."""
    chosen = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    # XLA takes the size of its pool from NPROC, and Eigen's threads apart.
    chosen["NPROC"] = str(threads)
    if threads == 1:
        chosen["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return chosen


def replies(task: str, arguments: Mapping[str, Any], threads: int, patience: float = PATIENCE) -> Iterator[Any]:
    """Start a worker, and yield what it measures as it comes.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    arguments : mapping
        Its arguments.
    threads : int
        How many each of its libraries may use.
    patience : float
        How long to wait for the next answer, in seconds.

    Yields
    ------
    object
        One measurement.

    Raises
    ------
    WorkerError
        If the worker fails, or says nothing for too long. However this ends, the worker ends with it.
    """
    command = [sys.executable, "-c", START, json.dumps(sys.path)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment(threads))
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process.stdout, answers), daemon=True)
        reader.start()
        try:
            _ask(process.stdin, pickle.dumps((task, arguments)))
            while (answer := answers.get(timeout=patience)) is not None:
                yield answer
            status = process.wait(patience)
        except (queue.Empty, subprocess.TimeoutExpired):
            raise WorkerError(f"the process for {task} said nothing for {patience:g} s and was ended") from None
        finally:
            process.kill()
            process.wait()
            reader.join()
            if process.stdout is not None:
                process.stdout.close()
        if status:
            log.seek(0)
            said = log.read().decode("utf-8", errors="replace").strip().splitlines() or ["nothing said"]
            raise WorkerError(f"the process for {task} failed (exit status {status}): {said[-1]}")


def _ask(stream: IO[bytes] | None, request: bytes) -> None:
    if stream is None:
        return
    try:
        with stream:
            stream.write(request)
    except BrokenPipeError:  # it has ended already; its exit status says why
        pass


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
    task, arguments = pickle.load(sys.stdin.buffer)
    for answer in TASKS[task](**arguments):
        pickle.dump(answer, out)
        out.flush()


def _of_torch(threads: int) -> None:
    """Tell torch, which may not ask the environment."""
    import torch

    torch.set_num_threads(threads)


def _timing(rows: list[Row], dtypes: list[str], peers: list[str], threads: int, quick: bool) -> Iterator[Any]:
    _of_torch(threads)
    for row in rows:
        for dtype in dtypes:
            yield timing.measure(row, dtype, peers, threads, timing.QUICK if quick else timing.THOROUGH)


def _training(dtypes: list[str], threads: int, rounds: int) -> Iterator[Any]:
    _of_torch(threads)
    for dtype in dtypes:
        yield runs.training(dtype, threads, rounds)


def _memory(row: Row, dtype: str, peer: str) -> Iterator[Any]:
    yield runs.memory(row, dtype, peer)


def _throughput(networks: dict[str, int]) -> Iterator[Any]:
    _of_torch(1)
    for way, number in networks.items():
        yield runs.throughput(way, number)


def _startup(rounds: int) -> Iterator[Any]:
    yield runs.startup(rounds)


TASKS: dict[str, Callable[..., Iterator[Any]]] = {
    "timing": _timing,
    "training": _training,
    "memory": _memory,
    "throughput": _throughput,
    "startup": _startup,
}
