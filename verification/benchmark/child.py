"""The process that measures: its libraries were told before they were loaded how many threads to use.

It reads one request from its standard input, writes one line of JSON for everything measured, and ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from verification.benchmark.networks import Row


def main() -> None:
    """Answer the request."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints is no reply.
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    for reply in TASKS[request["task"]](**request["arguments"]):
        replies.write(json.dumps(dataclasses.asdict(reply)) + "\n")
        replies.flush()


def _timing(rows: list[dict[str, Any]], dtypes: list[str], peers: list[str], threads: int, quick: bool) -> Iterator[Any]:
    import torch

    from verification.benchmark import timing

    torch.set_num_threads(threads)
    for row in rows:
        for dtype in dtypes:
            effort = timing.QUICK if quick else timing.THOROUGH
            yield timing.measure(_row(row), dtype, peers, threads, effort)


def _training(dtypes: list[str], threads: int, rounds: int) -> Iterator[Any]:
    import torch

    from verification.benchmark import training

    torch.set_num_threads(threads)
    for dtype in dtypes:
        yield training.measure(dtype, threads, rounds)


def _memory(row: dict[str, Any], dtype: str, peer: str) -> Iterator[Any]:
    from verification.benchmark import memory

    yield memory.measure(_row(row), dtype, peer)


def _throughput(networks: dict[str, int]) -> Iterator[Any]:
    import torch

    from verification.benchmark import throughput

    torch.set_num_threads(1)
    for way, number in networks.items():
        yield throughput.measure(way, number)


def _startup(rounds: int) -> Iterator[Any]:
    from verification.benchmark import startup

    yield startup.measure(rounds)


TASKS: dict[str, Callable[..., Iterator[Any]]] = {
    "timing": _timing,
    "training": _training,
    "memory": _memory,
    "throughput": _throughput,
    "startup": _startup,
}


def _row(read: dict[str, Any]) -> Row:
    return Row(**{**read, "widths": tuple(read["widths"])})
