"""Everything that a benchmark found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from verification.benchmark.machine import describe
from verification.benchmark.memory import Memory
from verification.benchmark.startup import StartUp
from verification.benchmark.throughput import Throughput
from verification.benchmark.timing import Measurement
from verification.benchmark.training import Training


@dataclass
class Report:
    """A benchmark, finished or stopped.

    Parameters
    ----------
    machine : dict of str to str or int
        The date, the machine and the versions.
    measurements : list of Measurement
        A network, a dtype and a number of threads each.
    trainings : list of Training
        `fit` beside PyTorch's loop.
    memories : list of Memory
        A network, a dtype and a peer each.
    throughputs : list of Throughput
        Of the verification.
    startups : list of StartUp
        One, or none if it was not asked for.
    failures : list of str
        What could not be measured because a process failed.
    interrupted : bool
        Whether it was stopped before its end.
    """

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
        """Whether everybody agreed with handgrad and no process failed."""
        return not self.failures and not any(each.refused for each in self.measurements)

    def add(self, task: str, reply: Mapping[str, Any]) -> None:
        """Take in what a process that measures has written.

        Parameters
        ----------
        task : str
            What it was asked for.
        reply : mapping
            One measurement.
        """
        name, read = KINDS[task]
        getattr(self, name).append(read(reply))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings, lists and dicts, for JSON."""
        return {"ok": self.ok, **asdict(self)}

    @classmethod
    def from_dict(cls, read: Mapping[str, Any]) -> Report:
        """Return the report that `to_dict` was asked of."""
        made = cls(dict(read["machine"]), failures=list(read["failures"]), interrupted=read["interrupted"])
        for task, (name, _) in KINDS.items():
            for each in read[name]:
                made.add(task, each)
        return made


# Of each task, where its measurements go, and what makes one again.
KINDS = {
    "timing": ("measurements", Measurement.from_dict),
    "training": ("trainings", Training.from_dict),
    "memory": ("memories", lambda read: Memory(**read)),
    "throughput": ("throughputs", lambda read: Throughput(**read)),
    "startup": ("startups", StartUp.from_dict),
}
