"""Calling a submission: whatever goes wrong in its code becomes one plain sentence with the line in its author's own file."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType
from typing import Any

import numpy as np

from verification.submissions import performing
from verification.submissions.answers import BY_THE_NOTES, Answer, SubmissionError, arrays_of, predictions_of
from verification.submissions.conventions import LARGE_RATES, counted_back, factor_of, handed_over
from verification.submissions.description import Array, Description, copied, viewed, with_parameters
from verification.submissions.forbidding import ForbiddenImportError
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.restraint import memory_limit
from verification.submissions.support import Support, support_of

NOTHING: Array = np.empty(0)
# What each part of a submission is called with, for the sentence when it cannot be.
ARGUMENTS = {
    "gradient": ("network", "x", "y"),
    "__init__": ("network",),
    "forward": ("x",),
    "backward": ("y",),
    "descend": ("rate",),
    "train": ("x", "y", "rate"),
    "parameters": (),
}


def is_class_submission(value: object) -> bool:
    """Say whether a value is a class with methods forward and backward.

    Static ones are something else: a `torch.autograd.Function`.
    """
    return _has_methods(value, "forward", "backward")


def is_stepping_class(value: object) -> bool:
    """Say whether a value is a class that only makes steps: with train and parameters, and not with forward and backward."""
    return _has_methods(value, "train", "parameters") and not is_class_submission(value)


def _has_methods(value: object, *names: str) -> bool:
    return inspect.isclass(value) and all(isinstance(inspect.getattr_static(value, name, None), FunctionType) for name in names)


class Local:
    """A function or a class, called in this process.

    Parameters
    ----------
    submission : callable
        A function `gradient(network, x, y)`, a class with `forward(x)` and `backward(y)`, or one with `parameters()` and
        `train(x, y, rate)`, which makes a step.
    file : str, optional
        What to call its file in errors; the name it was loaded under unless given.
    around : callable, optional
        Returns a context manager for each call of its code.

    Attributes
    ----------
    name : str
        The function's or class's name.
    is_class, descends, has_parameters : bool
        Whether it is a class with forward and backward; whether that has `descend(rate)` and `parameters()`.
    is_stepper : bool
        Whether it is a class that only makes steps, so that its gradient is found from one of a fresh instance.
    support : Support
        What it has declared.

    Raises
    ------
    SubmissionError
        If it is none of these, or cannot be called with the arguments it will get.
    """

    def __init__(
        self,
        submission: Callable[..., Any],
        *,
        file: str | None = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.submission = submission
        name = getattr(submission, "__name__", None)
        self.name = name if isinstance(name, str) else type(submission).__name__
        self.is_class = is_class_submission(submission)
        self.is_stepper = is_stepping_class(submission)
        self.source = source_file(submission)
        self.file = file if file is not None else self.source
        self._around = around
        if not callable(submission) or (inspect.isclass(submission) and not (self.is_class or self.is_stepper)):
            what = f"the class {self.name} without them" if inspect.isclass(submission) else type(submission).__name__
            raise SubmissionError(
                "a submission must be a function gradient(network, x, y), a class with forward(x) and backward(y), or one with "
                f"train(x, y, rate) and parameters(); got {what}",
                self.file,
                def_line(submission),
            )
        self.descends = self.is_class and callable(getattr(submission, "descend", None))
        self.has_parameters = self.is_class and callable(getattr(submission, "parameters", None))
        self.support: Support = support_of(submission)
        self._check_signatures()

    def __enter__(self) -> Local:
        """Return self: there is nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to close."""

    def _check_signatures(self) -> None:
        parts: dict[str, Any] = {"gradient": self.submission}
        if self.is_class or self.is_stepper:
            methods = ["train", "parameters"]
            if self.is_class:
                methods = ["forward", "backward"] + ["descend"] * self.descends + ["parameters"] * self.has_parameters
            parts = {"__init__": self.submission} | {name: getattr(self.submission, name) for name in methods}
        for part, function in parts.items():
            arguments: tuple[object, ...] = ARGUMENTS[part]
            if part not in ("gradient", "__init__"):
                arguments = ("self", *arguments)
            try:
                inspect.signature(function, follow_wrapped=False).bind(*arguments)
            except TypeError:
                taken = inspect.signature(function, follow_wrapped=False)
                line = def_line(function)
                name = self.name if part in ("gradient", "__init__") else part
                wanted = ", ".join(map(str, arguments))
                raise SubmissionError(
                    f"{name} must be callable as {name}({wanted}); it is defined as {name}{taken}", self.file, line
                ) from None
            except ValueError:  # a callable written in C has no signature to look at
                continue

    def gradient(self, network: Description, x: Array, y: Array) -> Answer:
        """Return its gradient: of the function, or of a fresh instance after forward(x) and backward(y).

        Parameters
        ----------
        network : Description
            It gets this object itself.
        x, y : ndarray
            It gets copies.

        Returns
        -------
        Answer
            Checked names, shapes and dtypes, in memory of its own; with what a class's forward predicted.

        Raises
        ------
        SubmissionError
            If its code fails, or answers no gradient.
        """
        x, y = copied(x), copied(y)
        # Its code may change the lists that it is given; what it must answer stays the same.
        asked = viewed(network)
        predictions = None
        if self.is_class:
            instance = self.build(network)
            predictions = self._predictions(self.forward(instance, asked, x), asked, x)
            returned = self.backward(instance, asked, x, y)
        else:
            returned = self.function(network, x, y)
        remarks: dict[str, str] = {}
        arrays = self.arrays(returned, asked, x, "backward" if self.is_class else "gradient", remarks)
        return Answer({name: array.copy() for name, array in arrays.items()}, "", predictions, remarks)

    def declare(self, support: Support) -> None:
        """Take the submission for one that had declared this."""
        self.support = support

    def perform(self, steps: Sequence[Step], scenes: Mapping[str, Scene]) -> Outcome:
        """Make the calls of a protocol, as `verification.submissions.performing.perform` does.

        Parameters
        ----------
        steps : sequence of Step
            The protocol.
        scenes : mapping of str to Scene
            Its data.

        Returns
        -------
        Outcome
            What it answered and what it changed.

        Raises
        ------
        SubmissionError
            If its code fails, or answers no gradient.
        """
        return performing.perform(self, steps, scenes)

    def function(self, network: Description, x: Array, y: Array) -> Any:
        """Return what the function returns; of a class that only makes steps, the gradient of one."""
        if self.is_stepper:
            return self._of_a_step(network, x, y)
        return self._call(self.name, self.submission, handed_over(network, x, y, self.support), network, x)

    def _of_a_step(self, network: Description, x: Array, y: Array) -> dict[str, Array]:
        """Return (θ before − θ after) / rate for a step of a rate so large that θ drowns in it, and dL/dθ keeps its digits."""
        found = self._stepped(network, x, y, LARGE_RATES[network.weights[0].dtype.name])
        if not all(np.isfinite(array).all() for array in found.values()):
            # In what overflows at that rate θ drowns at any.
            found = self._stepped(network, x, y, 1.0)
        return counted_back(found, network, x, self.support)

    def _stepped(self, network: Description, x: Array, y: Array, rate: float) -> dict[str, Array]:
        # A step in place is what it is for: the caller's arrays are out of its reach.
        instance = self.build(with_parameters(network, network.named()))
        before = {name: array.copy() for name, array in self._parameters_now(instance, network, x).items()}
        _, told_x, told_y = handed_over(network, x, y, self.support)
        self._call("train", instance.train, (told_x, told_y, rate), network, x)
        after = self._parameters_now(instance, network, x)
        with np.errstate(all="ignore"):
            return {name: (before[name] - after[name]) / before[name].dtype.type(rate) for name in network.named()}

    def _parameters_now(self, instance: Any, network: Description, x: Array) -> dict[str, Array]:
        """Return the parameters of a class that only makes steps, laid out as the notes do."""
        return self._read(self.parameters(instance, network, x), network, x, "parameters", {}, self.support)

    def build(self, network: Description) -> Any:
        """Return an instance of the class."""
        told, _, _ = handed_over(network, NOTHING, None, self.support)
        return self._call(self.name, self.submission, (told,), network)

    def forward(self, instance: Any, network: Description, x: Array) -> Any:
        """Return what forward(x) returns."""
        _, told, _ = handed_over(network, x, None, self.support)
        return self._call("forward", instance.forward, (told,), network, x)

    def backward(self, instance: Any, network: Description, x: Array, y: Array) -> Any:
        """Return what backward(y) returns."""
        _, _, told = handed_over(network, x, y, self.support)
        return self._call("backward", instance.backward, (told,), network, x)

    def descend(self, instance: Any, network: Description, rate: float) -> None:
        """Call descend(rate), at the rate by which a gradient with another factor before the loss makes the notes' step."""
        self._call("descend", instance.descend, (rate * factor_of(network, self.support),))

    def parameters(self, instance: Any, network: Description, x: Array) -> Any:
        """Return what parameters() returns."""
        return self._call("parameters", instance.parameters, (), network, x)

    def arrays(
        self, returned: object, network: Description, x: Array, called: str, remarks: dict[str, str] | None = None
    ) -> dict[str, Array]:
        """Return what came back as arrays, which may share memory with it."""
        # A gradient that was found from a step has been put back already.
        support = BY_THE_NOTES if self.is_stepper else self.support
        return self._read(returned, network, x, called, {} if remarks is None else remarks, support)

    def _read(
        self, returned: object, network: Description, x: Array, called: str, remarks: dict[str, str], support: Support
    ) -> dict[str, Array]:
        is_method = called != "gradient"
        shown = called if is_method else self.name
        try:
            # A mapping of somebody's own may run their code.
            arguments = (returned, network, x, shown, remarks, support)
            found: dict[str, Array] = self._call(shown, arrays_of, arguments, network, x)
            return found
        except SubmissionError as error:
            function = getattr(self.submission, called) if is_method else self.submission
            raise error.at(self.file, error.line or def_line(function)) from None

    def _predictions(self, returned: object, network: Description, x: Array) -> Array | None:
        """Return what forward returned, if it can be read; nobody must return anything there, so that nothing is an error."""
        try:
            found: Array | None = self._call("forward", predictions_of, (returned, network, x, self.support))
            return found
        except SubmissionError:
            return None

    def _call(
        self,
        called: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        network: Description | None = None,
        x: Array | None = None,
    ) -> Any:
        """Call the submission's code, and say of a failure on which network with what x it came."""
        try:
            # Overflow in somebody's code may be harmless, and is judged by the numbers that come out.
            with np.errstate(all="ignore"), self._around():
                return function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever somebody's code raises, sys.exit's SystemExit included
            failure = error
        where = _where(network, x)
        if isinstance(failure, SubmissionError) and function is arrays_of:
            said = (failure.kind, failure.quantity, failure.shape, failure.undone)
            raise SubmissionError(failure.sentence + where, None, None, *said)
        # The caller of arrays_of knows where the submission's part is defined.
        line = last_line(failure, self.source) or (None if function is arrays_of else def_line(function))
        sentence, undone = f"{called} {what_happened(failure)}{where}", isinstance(failure, NotImplementedError)
        raise SubmissionError(sentence, self.file, line, "raised", undone=undone)


def _where(network: Description | None, x: Array | None) -> str:
    try:
        return ("" if network is None else f", on the network {network}") + ("" if x is None else f" with x {x.shape}")
    except Exception:  # somebody's code has changed the lists that it was given, whatever stands there now
        return ""


def what_happened(error: BaseException) -> str:
    """Return "raised ValueError: …" in one line."""
    if isinstance(error, SystemExit):
        return f"ended the program with sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, ForbiddenImportError):
        return str(error)
    limit = memory_limit()
    if isinstance(error, MemoryError) and limit is not None:
        return f"needed more than {limit:g} GiB"
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception of somebody's own that cannot say what it is
        text = ""
    shortened = text if len(text) <= 300 else f"{text[:300]}..."
    return f"raised {type(error).__name__}" + (f": {shortened}" if shortened else "")


def last_line(error: BaseException, source: str | None) -> int | None:
    """Return the last line of a file in an error's traceback; of a syntax error in that very file, its own line."""
    if isinstance(error, SyntaxError) and error.filename == source:
        return error.lineno
    lines = [number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == source]
    return lines[-1] if lines else None


def source_file(submission: object) -> str | None:
    """Return the file that a function or class was compiled from, as its code names it."""
    code = _code(submission)
    return None if code is None else code.co_filename


def def_line(submission: object) -> int | None:
    """Return the line of a function's or method's `def`, or of a class's first method, below its decorators."""
    code = _code(submission)
    if code is None:
        return None
    first: int = code.co_firstlineno
    # A decorator may be many lines long; a lambda has no def at all.
    for line in range(first, first + 100):
        if re.match(r"\s*(async\s+def|def|class)\b", linecache.getline(code.co_filename, line)):
            return line
    return first


def _code(submission: object) -> Any:
    plain: Any = inspect.unwrap(submission) if callable(submission) else submission
    if inspect.isclass(plain):
        methods = [value for value in vars(plain).values() if isinstance(value, FunctionType)]
        plain = methods[0] if methods else None
    elif not hasattr(plain, "__code__"):
        # A bound method, functools.partial, or an object that is called.
        plain = getattr(plain, "__func__", None) or getattr(plain, "func", None) or vars(type(plain)).get("__call__")
    return getattr(plain, "__code__", None)
