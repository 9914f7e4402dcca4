"""The plot: time against network size, everybody's, and the limit."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from verification.benchmark.peers import OWN, PEERS
from verification.benchmark.report import Report, threads
from verification.benchmark.timing import LIMIT, Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("png", "svg", "pdf")
# Okabe and Ito's colours, which can be told apart by nearly everyone, and a marker each besides.
STYLES = {
    OWN: ("#D55E00", "o"),
    "torch": ("#0072B2", "s"),
    "torch-module": ("#56B4E9", "D"),
    "torch-hand": ("#003B5C", "^"),
    "torch-compile": ("#6A3D9A", "<"),
    "jax": ("#009E73", "v"),
    "numba": ("#8C510A", "p"),
    "autograd": ("#CC79A7", "P"),
    "mygrad": ("#E69F00", "X"),
    "sklearn": ("#7F7F7F", "*"),
    "micrograd": ("#B8A800", "h"),
}
# Networks of more layers or more examples lie off the line that the others make: they are drawn apart.
APART = ("50x16", "64-64-10/4096", "64-64-10/65536")
# The points of another activation would lie on those of the same widths: they are drawn where they are alone.
HIDDEN = "64-64-10-tanh"


def kind(name: str) -> str:
    """Return the ending of a file's name, without its point."""
    return Path(name).suffix.lower().removeprefix(".")


def check(name: str) -> None:
    """Raise a ValueError unless a file's name ends in one of `KINDS`, and an ImportError without matplotlib."""
    if kind(name) not in KINDS:
        raise ValueError(f"plot must be a file whose name ends in {', '.join(f'.{each}' for each in KINDS)}; got {name}")
    if find_spec("matplotlib") is None:
        raise ImportError("a plot needs matplotlib, which the extra benchmark brings: pip install '.[benchmark]'")


def plot(report: Report, file: IO[bytes], ending: str = "png") -> None:
    """Draw the time of a call against the network's multiply-adds, log-log, into a file; of at least one measurement."""
    check(f"plot.{ending}")
    from matplotlib.figure import Figure

    drawn = [each for each in report.measurements if each.network != HIDDEN] or report.measurements
    dtypes = list(dict.fromkeys(each.dtype for each in drawn))
    numbers = list(dict.fromkeys(each.threads for each in drawn))
    figure = Figure(figsize=(1.9 + 4.6 * len(dtypes), 0.7 + 4.3 * len(numbers)), layout="constrained")
    grid: Any = figure.subplots(len(numbers), len(dtypes), sharex=True, sharey=True, squeeze=False)
    handles: dict[str, Any] = {}
    for line, number in zip(grid, numbers, strict=True):
        for axes, dtype in zip(line, dtypes, strict=True):
            group = [each for each in drawn if (each.dtype, each.threads) == (dtype, number)]
            axes.set_title(f"{dtype}, {threads(number)}, {group[0].clock}")
            _draw(axes, sorted(group, key=lambda each: each.multiply_adds), handles)
    figure.supxlabel("multiply-adds in the matrix products of one gradient")
    figure.supylabel("time of one call, in seconds")
    order = [name for name in (OWN, *PEERS, LIMIT) if name in handles]
    labels = ["limit: the bare products" if name == LIMIT else name for name in order]
    figure.legend([handles[name] for name in order], labels, loc="outside right upper", frameon=False)
    figure.savefig(file, format=ending, dpi=150)


def _draw(axes: Axes, group: list[Measurement], handles: dict[str, Any]) -> None:
    axes.set(xscale="log", yscale="log", axisbelow=True)
    axes.grid(color="#E0E0E0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    names = list(dict.fromkeys(name for each in group for name in each.times))
    # handgrad and the limit last, so that nobody hides them.
    for name in sorted(names, key=lambda name: (name == LIMIT, name == OWN)):
        colour, marker = STYLES.get(name, ("black", ""))
        width, size = (2.4, 6.5) if name == OWN else (1.2, 4.5)
        line, apart = (_points([each for each in group if (each.network in APART) == off], name) for off in (False, True))
        dashes = "--" if name == LIMIT else "-"
        (handle,) = axes.plot(*line, color=colour, marker=marker, markersize=size, linewidth=width, linestyle=dashes, zorder=3)
        handles.setdefault(name, handle)
        axes.plot(*apart, color=colour, marker=marker or "_", markersize=size, markerfacecolor="white", linestyle="")
    for each in group:
        if each.network in APART:
            top = each.multiply_adds, max(taken.seconds for taken in each.times.values())
            axes.annotate(each.network, top, (6, 6), textcoords="offset points", ha="right", fontsize=8)


def _points(group: list[Measurement], name: str) -> tuple[list[int], list[float]]:
    timed = [each for each in group if name in each.times]
    return [each.multiply_adds for each in timed], [each.times[name].seconds for each in timed]
