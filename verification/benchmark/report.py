"""Everything that a benchmark found, as plain data and as lines of text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from verification.benchmark.peers import OWN, PEERS
from verification.benchmark.runs import Memory, StartUp, Throughput, Training
from verification.benchmark.timing import LIMIT, Measurement, short

MIB = 2**20
# Where a report has what was measured.
LISTS = {Measurement: "measurements", Training: "trainings", Memory: "memories", Throughput: "throughputs", StartUp: "startups"}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Return the date, the machine, and the versions of everything that is measured."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    return {
        "date": date.today().isoformat(),
        "cpu": _cpu(),
        "cores": cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "handgrad": metadata.version("handgrad"),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        **{peer.package: peer.version for peer in PEERS.values() if peer.version is not None},
    }


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


@dataclass
class Report:
    """A benchmark, finished or stopped: the machine with its versions, and lists of what was measured or has failed."""

    machine: dict[str, Any] = field(default_factory=describe)
    measurements: list[Measurement] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    throughputs: list[Throughput] = field(default_factory=list)
    startups: list[StartUp] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether everybody agreed with handgrad and no worker failed."""
        return not self.failures and not any(each.refused for each in self.measurements)

    def add(self, measured: Any) -> None:
        """Take in what a worker has measured."""
        getattr(self, LISTS[type(measured)]).append(measured)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings, lists and dicts, for JSON."""
        return {"ok": self.ok, **asdict(self)}


def table(report: Report) -> str:
    """Return the report as text: the machine, times, memory, training, throughput, start-up, and what is missing."""
    headed = {
        "peak memory, 1 thread, in multiples of the minimum: parameters, gradients, x, and a of every layer": _memory(report),
        "fit beside PyTorch's loop (nn.Module, torch.optim.SGD): 784-128-10, 60 steps of batch 64": [
            f"{each.dtype}, {threads(each.threads)}, {each.clock}: fit {duration(each.seconds)}, "
            f"torch {duration(each.torch_seconds)}, ratio {each.ratio}; "
            f"largest relative difference of the weights {each.difference:.1e}"
            for each in report.trainings
        ],
        "the verification's own throughput, on one core": [
            f"{each.way:<22} {each.per_second:.0f} networks a second of processor time ({each.networks} networks)"
            for each in report.throughputs
        ],
        "start-up": [
            f"{each.clock}: python -m handgrad --help {duration(each.seconds)}, "
            f"python -c 'import numpy' {duration(each.numpy_seconds)}, ratio {each.ratio}"
            for each in report.startups
        ],
        "FAILED": report.failures,
    }
    groups = dict.fromkeys((each.dtype, each.threads) for each in report.measurements)
    sections = [_machine(report), *(_times(report, *group) for group in groups), _left_out(report)]
    paragraphs = ["\n".join(section) for section in sections]
    paragraphs += ["\n  ".join([heading, *lines]) for heading, lines in headed.items() if lines]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def duration(seconds: float) -> str:
    """Return a time with its unit."""
    factor, unit = (1e6, "µs") if seconds < 1e-3 else (1e3, "ms") if seconds < 1 else (1, "s")
    return f"{short(seconds * factor)} {unit}"


def threads(number: int) -> str:
    """Return "1 thread" or "2 threads"."""
    return f"{number} thread{'s' if number > 1 else ''}"


def _machine(report: Report) -> Iterator[str]:
    known = report.machine
    yield f"{known['date']}, {known['cpu']}, {known['cores']} core{'s' if known['cores'] > 1 else ''}, {known['system']}"
    shown = {key: value for key, value in known.items() if key not in ("date", "cpu", "cores", "system")}
    yield ", ".join(f"{name} {version}" for name, version in shown.items())
    if report.interrupted:
        yield "stopped; this is what was measured so far"


def _times(report: Report, dtype: str, number: int) -> Iterator[str]:
    group = [each for each in report.measurements if (each.dtype, each.threads) == (dtype, number)]
    names = [OWN, LIMIT, *(name for name in PEERS if any(name in each.times for each in group))]
    wide = max(len("network"), *(len(each.network) for each in group))
    yield f"{dtype}, {threads(number)}, {group[0].clock}: handgrad's of a call, the bare matrix products' share of it,"
    yield "and the others' divided by handgrad's: medians, below them the quartiles"
    yield f"{'network':<{wide}}{_line(names, names)}"
    for pool in sorted({pool for each in group for pool in each.pools}):
        yield f"  not as asked: {pool}"
    for each in group:
        medians, quartiles = zip(*(_cell(each, name) for name in names), strict=True)
        yield f"{each.network:<{wide}}{_line(names, medians)}"
        yield f"{'':<{wide}}{_line(names, quartiles)}".rstrip()


def _line(names: Sequence[str], cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{max(len(name), 9) + 2}}" for name, cell in zip(names, cells, strict=True))


def _cell(measurement: Measurement, name: str) -> tuple[str, str]:
    """Return what a column says of a network, and what stands below it."""
    if name not in measurement.times:
        return "-", ""
    seconds, ratio = measurement.times[name].seconds, measurement.times[name].ratio
    if name == OWN:
        return duration(seconds), f"{measurement.rounds} rounds"
    if name == LIMIT:
        return f"{ratio.median:.0%}", f"{ratio.low:.0%}-{ratio.high:.0%}"
    return short(ratio.median), ratio.quartiles


def _left_out(report: Report) -> Iterator[str]:
    every = {each.network for each in report.measurements}
    for heading, attribute in (("left out", "left_out"), ("WRONG, and not timed", "refused")):
        networks: dict[tuple[str, str], dict[str, None]] = {}
        for each in report.measurements:
            for name, reason in getattr(each, attribute).items():
                networks.setdefault((name, reason), {})[each.network] = None
        if networks:
            yield heading
        for (name, reason), found in networks.items():
            where = "" if len(found) == len(every) else f" ({', '.join(found)})"
            yield f"  {name:<12} {reason}{where}"


def _memory(report: Report) -> list[str]:
    groups: dict[str, list[str]] = {}
    for each in report.memories:
        group = f"{each.network:<21} {each.dtype}  minimum {each.minimum / MIB:>4.0f} MiB"
        groups.setdefault(group, []).append(f"{each.peer} {short(each.multiple)}")
    return [f"{group}  {', '.join(multiples)}" for group, multiples in groups.items()]
