"""Everything that a benchmark found, as plain data and as lines of text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from verification.benchmark.peers import PEERS
from verification.benchmark.runs import Memory, StartUp, Throughput, Training
from verification.benchmark.timing import LIMIT, OWN, Measurement, short

UNITS = ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"))
MIB = 2**20


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
        kinds: dict[type, list[Any]] = {Measurement: self.measurements, Training: self.trainings, Memory: self.memories}
        kinds |= {Throughput: self.throughputs, StartUp: self.startups}
        kinds[type(measured)].append(measured)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings, lists and dicts, for JSON."""
        return {"ok": self.ok, **asdict(self)}


def table(report: Report) -> str:
    """Return the report as text: the machine, times, memory, training, throughput, start-up, and what is missing."""
    sections = (_machine, _times, _left_out, _memory, _training, _throughput, _startup, _failures)
    paragraphs = ["\n".join(section(report)) for section in sections]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def duration(seconds: float) -> str:
    """Return a time with its unit."""
    for below, factor, unit in UNITS:
        if seconds < below:
            return f"{short(seconds * factor)} {unit}"
    return f"{short(seconds)} s"


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


def _times(report: Report) -> Iterator[str]:
    groups = list(dict.fromkeys((each.dtype, each.threads) for each in report.measurements))
    for place, (dtype, number) in enumerate(groups):
        if place:
            yield ""
        group = [each for each in report.measurements if (each.dtype, each.threads) == (dtype, number)]
        peers = [name for name in PEERS if any(name in each.times for each in group)]
        widths = [max(len(name), 9) + 2 for name in peers]
        wide = max(len("network"), *(len(each.network) for each in group))
        yield f"{dtype}, {threads(number)}: handgrad's time of a call, the bare matrix products' share of it,"
        yield "and the others' times divided by handgrad's: medians, below them the quartiles"
        heads = (f"{name:>{width}}" for name, width in zip(peers, widths, strict=True))
        yield f"{'network':<{wide}}{OWN:>11}{LIMIT:>11}{''.join(heads)}"
        for pool in sorted({pool for each in group for pool in each.pools}):
            yield f"  not as asked: {pool}"
        for each in group:
            cells = [(_median(each, name), _quartiles(each, name), width) for name, width in zip(peers, widths, strict=True)]
            share = f"{each.share.median:.0%}", f"{each.share.low:.0%}-{each.share.high:.0%}"
            medians, quartiles = ("".join(f"{cell[line]:>{cell[2]}}" for cell in cells) for line in (0, 1))
            yield f"{each.network:<{wide}}{duration(each.times[OWN].seconds):>11}{share[0]:>11}{medians}"
            yield f"{'':<{wide}}{f'{each.rounds} rounds':>11}{share[1]:>11}{quartiles}".rstrip()


def _median(measurement: Measurement, name: str) -> str:
    return short(measurement.times[name].ratio.median) if name in measurement.times else "-"


def _quartiles(measurement: Measurement, name: str) -> str:
    return measurement.times[name].ratio.quartiles if name in measurement.times else ""


def _left_out(report: Report) -> Iterator[str]:
    for heading, attribute in (("left out", "left_out"), ("WRONG, and not timed", "refused")):
        networks: dict[tuple[str, str], list[str]] = {}
        for each in report.measurements:
            for name, reason in getattr(each, attribute).items():
                networks.setdefault((name, reason), []).append(each.network)
        if networks:
            yield heading
        total = len({each.network for each in report.measurements})
        for (name, reason), found in networks.items():
            different = list(dict.fromkeys(found))
            where = "" if len(different) == total else f" ({', '.join(different)})"
            yield f"  {name:<12} {reason}{where}"


def _memory(report: Report) -> Iterator[str]:
    groups: dict[tuple[str, str, int], dict[str, float]] = {}
    for each in report.memories:
        groups.setdefault((each.network, each.dtype, each.minimum), {})[each.peer] = each.multiple
    if groups:
        yield "peak memory, 1 thread, in multiples of the minimum: parameters, gradients, x, and a of every layer"
    for (network, dtype, minimum), multiples in groups.items():
        of_peers = ", ".join(f"{peer} {short(multiple)}" for peer, multiple in multiples.items())
        yield f"  {network:<21} {dtype}  minimum {minimum / MIB:>4.0f} MiB  {of_peers}"


def _training(report: Report) -> Iterator[str]:
    if report.trainings:
        yield "fit beside PyTorch's loop (nn.Module, torch.optim.SGD): 784-128-10, 60 steps of batch 64"
    for each in report.trainings:
        yield (
            f"  {each.dtype}, {threads(each.threads):<10} fit {duration(each.seconds)}, torch {duration(each.torch_seconds)}, "
            f"ratio {each.ratio}; largest relative difference of the weights {each.difference:.1e}"
        )


def _throughput(report: Report) -> Iterator[str]:
    if report.throughputs:
        yield "the verification's own throughput, on one core"
    for each in report.throughputs:
        yield f"  {each.way:<22} {each.per_second:.0f} networks a second of processor time ({each.networks} networks)"


def _startup(report: Report) -> Iterator[str]:
    for each in report.startups:
        yield "start-up"
        yield (
            f"  python -m handgrad --help {duration(each.seconds)}, python -c 'import numpy' {duration(each.numpy_seconds)}, "
            f"ratio {each.ratio}"
        )


def _failures(report: Report) -> Iterator[str]:
    if report.failures:
        yield "FAILED"
    yield from (f"  {failure}" for failure in report.failures)
