"""`python -m verification`: many random networks compared with `torch.autograd`."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # The imports take seconds, and there is nothing to report yet: until main runs, Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from handgrad import checks
from handgrad.destination import Destination, UnwrittenError
from handgrad.extras import PACKAGES
from handgrad.terminal import is_full, leave_output, make_readable, tell_unwritten
from verification.benchmark.networks import NETWORKS
from verification.benchmark.peers import PEERS, SLOW
from verification.random_networks.architectures import ACTIVATIONS, DTYPES, LOSSES, Options

if TYPE_CHECKING:
    from verification.autograd.campaign import Result
    from verification.classroom.marking import Marked

DESCRIPTION = """Draw random networks, compute their gradients by hand-derived backpropagation and by torch.autograd, and say
whether every one agrees within its rounding bound."""

CHECK = """Check somebody else's backpropagation: a function gradient(network, x, y) that returns {"w1": ..., "b1": ...}, a
class with forward(x) and backward(y), or one with train(x, y, rate) and parameters(). If it is wrong, say which equations
are, which classic mistakes these are, and on which smallest network it shows. If it is right, note where extreme numbers break
it. The file runs in a process of its own, which keeps its mistakes apart, but is no sandbox."""

CHECK_EPILOG = """Exit status: 0 if it is right, with or without notes (with --strict: without); 1 if it is wrong; 2 for bad
usage; 3 if it is not done, or could not be judged, since the file, a crash, a hang or what it does not declare left nothing to
judge; 130 if stopped by Ctrl-C. Of several files: 0 if all are right, 1 if any is wrong, 3 if none is wrong and some could not
be judged. The same as a test suite: pytest --pyargs verification.conformance --submission FILE."""

MISTAKES_TEXT = """Check every wrong backpropagation of the catalogue, and print the scorecard: caught or not, after how many
networks, how small the counterexample is, how often the right equation was blamed and the mistake recognised. Exit status 1
if any survives."""

BENCHMARK = """Time handgrad's gradient beside the same gradient by others: in turns, after their answers were compared, as a
ratio to handgrad's time, and beside the bare matrix products. Without a network chosen it is the whole table, then peak memory,
a training run, the verification's own throughput, and the start-up."""

BENCHMARK_EPILOG = """Exit status: 0; 1 if somebody's gradient is another than handgrad's, or a process that measures fails;
2 for bad usage; 130 if stopped by Ctrl-C, with what was done so far."""

STOPPED, LACKING = 130, 2

Number = TypeVar("Number", int, float)

EPILOG = """Exit status: 0 if every network agrees; 1 if one does not (the smallest such network is printed as a program that
makes it again); 2 for bad usage; 130 if stopped by Ctrl-C, with what was done so far."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after `python -m verification`.

    Returns
    -------
    int
        0, 1, 3 or 130, as the help says, or 2 if something is lacking; bad usage leaves through SystemExit with 2.
    """
    make_readable()
    try:
        asked = _parser().parse_args(arguments)
        return int(asked.run(asked.parser, asked))
    except KeyboardInterrupt:
        _print("stopped")
        return STOPPED
    except OSError as error:
        if not is_full(error) and not isinstance(error, UnwrittenError):
            raise
        tell_unwritten(error)
        return LACKING
    except ImportError as error:
        if error.name not in PACKAGES:
            raise
        print(error, file=sys.stderr)  # noqa: T201  # a sentence, and not a traceback
        return LACKING


# Each command opens the rooms that it needs, and no other: torch takes seconds.


def _campaign(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    from verification.autograd import campaign

    try:
        options = Options(
            asked.activations,
            asked.losses,
            dtypes=asked.dtype,
            max_layers=asked.max_layers or (8 if asked.thorough else 5),
            max_width=asked.max_width or (16 if asked.thorough else 8),
            max_examples=12 if asked.thorough else 6,
        )
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    with _progress(asked.examples, "networks agree") as progress:
        result = campaign.run(
            examples=asked.examples,
            seed=asked.seed,
            options=options,
            thorough=asked.thorough,
            jobs=asked.jobs,
            progress=progress,
        )
    told = _table(result)
    if result.counterexample is not None:
        told += (
            f"\n\n{result.counterexample.report}\n\nThis program makes the network again:\n\n{result.counterexample.program}"
        )
    _answer(told, result.to_dict(), asked.json)
    if not result.ok:
        return 1
    return STOPPED if result.interrupted else 0


def _check(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    keys = ("name", "examples", "seed", "strict_kinks", "oracle", "limit", "total", "memory", "forbid")
    options = {key: getattr(asked, key) for key in keys}
    if asked.oracle == "torch":
        import verification.autograd  # noqa: F401  # whoever lacks torch is told what brings it
        import torch  # isort: skip

        # The networks are small: a second thread costs ten times what it gives.
        torch.set_num_threads(1)
    standard = [name for name in WRITTEN if (file := getattr(asked, name)) is not None and file.is_standard_output]
    if len(standard) > 1:
        parser.error(f"only one of {', '.join(f'--{name}' for name in standard)} can go to standard output")
    if len(asked.file) > 1 or os.path.isdir(asked.file[0]):
        return _check_class(parser, asked, options)
    from verification.checking.check import check
    from verification.checking.verdict import story

    begun = time.perf_counter()
    # In a pipe there is nothing to say until there is a verdict.
    with _progress(asked.examples, "networks asked") if sys.stderr.isatty() else nullcontext() as progress:
        verdict = check(asked.file[0], **options, progress=progress)
    told = story(verdict, withhold=asked.withhold, verbose=asked.verbose)
    status = 1 if asked.strict and verdict.notes and verdict.ok else verdict.exit_status
    marked = None
    if asked.csv or asked.html or asked.gradescope:
        from verification.classroom.marking import Marked
        from verification.classroom.rows import row

        one = row(asked.file[0], verdict, time.perf_counter() - begun, withhold=asked.withhold)
        marked = Marked([one], asked=1)
    _write_class(asked, told, verdict.to_dict(withhold=asked.withhold), marked, "")
    return status


def _check_class(parser: argparse.ArgumentParser, asked: argparse.Namespace, options: dict[str, Any]) -> int:
    from verification.classroom.hand_ins import find
    from verification.classroom.marking import mark
    from verification.classroom.table import printable, table

    found = find(asked.file)
    if not found.files:
        parser.error(printable(f"there is no hand-in in {', '.join(asked.file)}" + (f" ({found})" if str(found) else "")))
    if asked.gradescope and len(found.files) > 1:
        parser.error(f"--gradescope is for a single hand-in; these are {len(found.files)}")
    with _progress(len(found.files), "hand-ins checked") if sys.stderr.isatty() else nullcontext() as progress:
        marked = mark(found.files, jobs=asked.jobs, progress=progress, withhold=asked.withhold, **options)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    told = [table(marked.rows, width), "", f"{'stopped: ' if marked.interrupted else ''}{marked}", printable(str(found))]
    if asked.verbose:
        for row in marked.rows:
            parts = [f"--- {row.file}", row.story, "", row.details]
            told += ["", *(printable(line) for part in parts for line in part.split("\n"))]
    result = {
        "asked": marked.asked,
        "counts": marked.counts,
        "interrupted": marked.interrupted,
        "left_out": found.left_out,
        "hand_ins": [row.to_dict() for row in marked.rows],
    }
    _write_class(asked, "\n".join(told).rstrip(), result, marked, str(found))
    return STOPPED if marked.interrupted else marked.exit_status(strict=asked.strict)


# What `check` writes; each may be standard output, one at a time.
WRITTEN = ("json", "csv", "html", "gradescope")


def _write_class(asked: argparse.Namespace, told: str, result: dict[str, Any], marked: Marked | None, left_out: str) -> None:
    """Print what was found, and write every file that was asked for: one that fails keeps no other from being written."""
    made: dict[str, Callable[[], str]] = {"json": lambda: _as_json(result)}
    if marked is not None:
        from verification.classroom import gradescope, page, table

        made["csv"] = lambda: table.table_csv(marked.rows)
        made["html"] = lambda: page.page(marked, left_out)
        if len(marked.rows) == 1:
            made["gradescope"] = lambda: _as_json(gradescope.results(marked.rows[0]))
    files = {name: file for name in WRITTEN if (file := getattr(asked, name)) is not None and name in made}
    if not any(file.is_standard_output for file in files.values()):
        _print(told)
    unwritten = None
    for name, file in files.items():
        try:
            file.write(made[name]())
        except UnwrittenError as error:
            unwritten = error
    if unwritten is not None:
        raise unwritten


def _mistakes(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    from verification.checking import scorecard
    from verification.mistakes import MISTAKES

    known = [mistake.name for mistake in MISTAKES]
    names = asked.names or known
    for name in names:
        if name not in known:
            parser.error(f"NAME must be a mistake of the catalogue; got {name!r}{checks.suggestion(name, known)}")
    seeds = range(asked.seed, asked.seed + asked.seeds)
    with _progress(len(names), "mistakes checked") as progress:
        scores = scorecard.examine(seeds, names=names, examples=asked.examples, jobs=asked.jobs, progress=progress)
    _print(scorecard.table(scores))
    alarms = 0
    if asked.benign is not None:
        with _progress(asked.benign, "networks asked of every right variant") as progress:
            wrong = scorecard.false_alarms(asked.benign, asked.seed, progress=progress)
        alarms = sum(map(len, wrong.values()))
        of = ", ".join(f"{name} {len(cases)}" for name, cases in wrong.items() if cases) or "none"
        _print(f"right        {len(wrong)} variants on {asked.benign} networks each; called wrong: {of}")
    misnamed = 0
    if asked.pairs is not None:
        with _progress(asked.pairs, "pairs checked") as progress:
            pairs = scorecard.pairs(asked.pairs, asked.seed, jobs=asked.jobs, progress=progress)
        misnamed = sum(bool(pair.wrong) for pair in pairs)
        _print(
            f"pairs        both mistakes named in {sum(pair.named == 2 for pair in pairs)} of {len(pairs)}, "
            f"one in {sum(pair.named == 1 for pair in pairs)}; something else claimed in {misnamed}"
        )
        for pair in pairs:
            if pair.wrong:
                _print(f"             {' and '.join(pair.mistakes)}: {', '.join(pair.wrong)}")
    return 0 if all(score.caught for score in scores) and not alarms and not misnamed else 1


def _benchmark(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    from verification.benchmark import chart, running
    from verification.benchmark.report import table

    names = ("networks", "widths", "batch", "hidden", "loss", "peers", "threads", "quick")
    try:
        plan = running.plan(**{name: getattr(asked, name) for name in names}, dtypes=asked.dtype)
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    import verification.autograd  # noqa: F401  # whoever lacks torch is told before a minute of measuring

    with _progress(sum(len(step.calls) for step in running.steps(plan)), "measurements") as progress:
        report = running.run(plan, progress)
    _answer(table(report), report.to_dict(), asked.json)
    if asked.plot is not None and report.measurements:
        drawing = io.BytesIO()
        chart.plot(report, drawing, chart.kind(asked.plot.path))
        asked.plot.write(drawing.getvalue())
    if not report.ok:
        return 1
    return STOPPED if report.interrupted else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m verification", description=DESCRIPTION, epilog=EPILOG)
    parser.set_defaults(run=_campaign, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="{check,mistakes,benchmark}")
    _add_check(
        commands.add_parser("check", help="check somebody else's backpropagation", description=CHECK, epilog=CHECK_EPILOG)
    )
    _add_mistakes(
        commands.add_parser("mistakes", help="the scorecard: every classic mistake, caught?", description=MISTAKES_TEXT)
    )
    _add_benchmark(
        commands.add_parser(
            "benchmark", help="handgrad's time and memory beside others'", description=BENCHMARK, epilog=BENCHMARK_EPILOG
        )
    )
    parser.add_argument("--examples", type=_positive, default=1000, metavar="N", help="how many networks (default 1000)")
    parser.add_argument(
        "--seed", type=_natural, default=0, metavar="S", help="the same seed gives the same networks (default 0)"
    )
    for name, known in (
        ("dtype", DTYPES),
        ("activations", ACTIVATIONS),
        ("losses", LOSSES),
    ):
        parser.add_argument(
            f"--{name}",
            type=_names,
            default=known,
            metavar="NAME[,NAME...]",
            help=f"which to draw: {', '.join(known)} (default all)",
        )
    parser.add_argument("--max-layers", type=_positive, metavar="L", help="the most layers (default 5, thorough 8)")
    parser.add_argument("--max-width", type=_positive, metavar="N", help="the most units in a layer (default 8, thorough 16)")
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="larger networks, and the literal form on every network, not on one of each architecture's",
    )
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N", help="how many processes share the work (default 1)")
    parser.add_argument("--json", type=_destination, metavar="FILE", help="write the result to FILE")
    return parser


def _add_check(parser: argparse.ArgumentParser) -> None:
    from verification.checking.check import EXAMPLES, ORACLES
    from verification.submissions.remote import MEMORY

    parser.set_defaults(run=_check, parser=parser)
    parser.add_argument(
        "file",
        nargs="+",
        help="a Python file or a notebook with a function gradient(network, x, y), or a class with forward and backward; of "
        "several, and of a folder with all its folders, there is a table",
    )
    parser.add_argument("--name", help="the function or class, if the file has several")
    parser.add_argument(
        "--examples", type=_positive, default=EXAMPLES, metavar="N", help=f"how many networks (default {EXAMPLES})"
    )
    parser.add_argument(
        "--seed", type=_natural, default=0, metavar="S", help="the same seed gives the same networks (default 0)"
    )
    parser.add_argument(
        "--strict-kinks", action="store_true", help="take PyTorch's choice of g' at z = 0 for the only right one"
    )
    parser.add_argument(
        "--oracle",
        choices=ORACLES,
        default=ORACLES[0],
        help="whose numbers are the right ones: handgrad's, or torch.autograd's (default handgrad)",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 for notes, too")
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="add the report card, the smallest network worked through, and a program that makes it",
    )
    parser.add_argument("--withhold", action="store_true", help="say what is wrong and where, but not the right numbers")
    parser.add_argument(
        "--json", type=_destination, metavar="FILE", help="write the whole verdict to FILE, of several files every one"
    )
    parser.add_argument("--csv", type=_destination, metavar="FILE", help="write the table for a spreadsheet")
    parser.add_argument(
        "--html", type=_destination, metavar="FILE", help="write a page: the table, and each file's whole story"
    )
    parser.add_argument(
        "--gradescope", type=_destination, metavar="FILE", help="write Gradescope's results.json: a test for each equation"
    )
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N", help="how many processes share the files (default 1)")
    parser.add_argument("--limit", type=_seconds, default=10.0, metavar="SECONDS", help="for one call of the file (default 10)")
    parser.add_argument(
        "--total",
        type=_seconds,
        metavar="SECONDS",
        help="for all calls of a file together (default: of a class 60, otherwise none)",
    )
    parser.add_argument(
        "--memory", type=_gib, default=MEMORY, metavar="GIB", help=f"that the file's process may hold (default {MEMORY:g})"
    )
    parser.add_argument(
        "--forbid",
        type=_forbidden,
        default=(),
        metavar="NAME[,NAME...]",
        help="modules that the file must not import: torch,handgrad",
    )


def _add_mistakes(parser: argparse.ArgumentParser) -> None:
    from verification.checking.check import EXAMPLES

    parser.set_defaults(run=_mistakes, parser=parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which mistakes (default all)")
    parser.add_argument(
        "--benign", type=_positive, metavar="N", help="also ask every right variant about N networks; none may be called wrong"
    )
    parser.add_argument(
        "--pairs", type=_positive, metavar="N", help="also check N random pairs of mistakes, each in one submission"
    )
    parser.add_argument("--seeds", type=_positive, default=1, metavar="K", help="how many seeds to check each with (default 1)")
    parser.add_argument("--seed", type=_natural, default=0, metavar="S", help="the first of them (default 0)")
    parser.add_argument(
        "--examples", type=_positive, default=EXAMPLES, metavar="N", help=f"networks a check (default {EXAMPLES})"
    )
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N", help="how many processes share the work (default 1)")


def _add_benchmark(parser: argparse.ArgumentParser) -> None:
    from verification.benchmark import running

    parser.set_defaults(run=_benchmark, parser=parser)
    rows = ", ".join(row.name for row in NETWORKS)
    parser.add_argument("--networks", type=_names, metavar="NAME[,NAME...]", help=f"which of the table: {rows}")
    parser.add_argument("--widths", type=_widths, metavar="N-N[-N...]", help="a network of one's own, inputs first: 64-32-10")
    parser.add_argument("--batch", type=_positive, metavar="N", help=f"its number of examples (default {running.BATCH})")
    parser.add_argument("--hidden", metavar="NAME", help=f"its activation: {', '.join(running.HIDDEN)} (default relu)")
    parser.add_argument("--loss", metavar="NAME", help=f"its loss: {', '.join(running.LOSSES)} (default {running.LOSSES[0]})")
    parser.add_argument(
        "--dtype", type=_names, default=DTYPES, metavar="NAME[,NAME]", help=f"{', '.join(DTYPES)} (default both)"
    )
    parser.add_argument("--threads", metavar="1|all|both", help="(default both, quick 1)")
    parser.add_argument(
        "--peers",
        type=_names,
        metavar="NAME[,NAME...]",
        help=f"beside whom: {', '.join(PEERS)} (default all that are installed; quick without {', '.join(SLOW)})",
    )
    parser.add_argument("--quick", action="store_true", help="about two minutes: fewer rounds, without the largest networks")
    parser.add_argument("--json", type=_destination, metavar="FILE", help="write the result to FILE")
    parser.add_argument("--plot", type=_plot, metavar="FILE", help="draw time against network size: .png, .svg or .pdf")


def _widths(text: str) -> list[int]:
    return [_positive(width) for width in text.split("-")]


def _plot(text: str) -> Destination:
    from verification.benchmark import chart

    try:
        chart.check(text)
    except (ImportError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return _destination(text)


def _destination(text: str) -> Destination:
    try:
        return Destination(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"can't open '{text}': {error.strerror}") from None


def _forbidden(text: str) -> tuple[str, ...]:
    from verification.submissions.forbidding import checked

    try:
        return checked(_names(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _gib(text: str) -> float:
    return _number(text, float, "a number of GiB > 0", lambda number: 0 < number < float("inf"))


def _seconds(text: str) -> float:
    return _number(text, float, "a number of seconds > 0", lambda number: 0 < number < float("inf"))


def _positive(text: str) -> int:
    return _number(text, int, "an integer >= 1", lambda number: number >= 1)


def _natural(text: str) -> int:
    return _number(text, int, "an integer >= 0", lambda number: number >= 0)


def _number(text: str, kind: Callable[[str], Number], requirement: str, holds: Callable[[Number], bool]) -> Number:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not holds(number):
        raise argparse.ArgumentTypeError(f"must be {requirement}; got {text}")
    return number


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def _progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; in a pipe, a plain line whenever a tenth more is done."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        terminal = False
    else:
        console = Console(stderr=True)
        terminal = console.is_terminal
    if terminal:
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    said = 0

    def say(done: int) -> None:
        nonlocal said
        if done * 10 // total > said:
            said = done * 10 // total
            print(f"{done} of {total} {what}", file=sys.stderr, flush=True)  # noqa: T201  # this is the progress

    yield say


def _table(result: Result) -> str:
    """Return the result as lines of text."""
    if result.counterexample is not None:
        verdict = f"MISMATCH after {result.networks} networks that agree"
    elif result.interrupted:
        verdict = f"stopped; all {result.networks} networks so far agree"
    else:
        verdict = f"all {result.networks} networks agree with torch.autograd"
    numbers = f"{result.gradients:,} gradients, and with intermediates and losses {result.numbers:,} numbers"
    if result.incomparable:
        numbers += f", {result.incomparable:,} of them without a finite bound because something may overflow"
    forms = ", ".join(f"{name} form on {count}" for name, count in result.tellings.items()) or "none"
    share = f"{result.largest_share:.2f} ({result.largest_at})" if result.largest_at else "none"
    lines = [
        verdict,
        f"  compared             {numbers}",
        f"  forms of handgrad    {forms}",
        f"  largest share        {share} of a rounding bound",
        f"  seed, seconds        {result.seed}, {result.seconds:.1f}",
        *(f"  worker               {death}" for death in result.deaths),
    ]
    kinds = dict.fromkeys(kind for kind, _ in sorted(result.coverage))
    for kind in kinds:
        seen = ", ".join(f"{value} {count}" for (of_kind, value), count in sorted(result.coverage.items()) if of_kind == kind)
        lines.append(f"  {kind:<20} {seen}")
    return "\n".join(lines)


def _answer(text: str, result: dict[str, Any], file: Destination | None) -> None:
    """Print a result, and write it to a file; where the file is standard output, the data stands there alone."""
    if file is None or not file.is_standard_output:
        _print(text)
    if file is not None:
        file.write(_as_json(result))


def _as_json(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=2) + "\n"


def _print(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201  # what a command line is for
    except BrokenPipeError:
        # Whoever read the output has seen enough; the exit status still says what was found.
        leave_output()


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
