"""A test suite for somebody else's backpropagation: `pytest --pyargs verification.conformance --submission homework.py`.

Each test is one property, from the equations of a single identity layer to rows of calls; only those that concern what the
submission supports are there. A failure tells the equation, the mistake where it is a classic one, and the smallest network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from verification.checking.check import PARAMETERS, Part, check_part
from verification.checking.diagnosis import INTERMEDIATES, kind_of
from verification.checking.pytest_plugin import SUBMISSION
from verification.checking.questions import CALM, Questions
from verification.random_networks.architectures import INTEGERS
from verification.submissions.answers import SubmissionError
from verification.submissions.description import describe
from verification.submissions.remote import Remote
from verification.submissions.support import ACTIVATIONS, Support

NETWORKS = 40
ROWS = 15

# One thing at a time: what the other properties vary.
PLAIN = {"regime": CALM, "layout": ("C",), "whole": (False,), "integer": ("int64",), "kinks": (False,)}
SQUARED = ("squared_error",)


@dataclass(frozen=True)
class Property:
    """What one test demands.

    Parameters
    ----------
    says : str
        The property in a sentence.
    support : mapping
        The networks that it concerns, as fields of `verification.submissions.support.Support`.
    otherwise : mapping or None
        The same for a submission that supports none of these.
    choices : mapping
        Further fields of `verification.random_networks.architectures.Architecture`.
    kinds : frozenset of str
        The quantities that it judges.
    rows : int
        How many rows of calls it goes through after the single ones.
    """

    says: str
    support: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[Any]] = field(default_factory=lambda: PLAIN)
    kinds: frozenset[str] = PARAMETERS
    rows: int = 0
    otherwise: Mapping[str, Any] | None = None


def _properties() -> dict[str, Property]:
    found = {
        "one-identity-layer": Property(
            "One identity layer under squared error: dL/dw is 2 (a − y) times a_prev, (4), (11), (13); dL/db without it, (7).",
            {"layers": 1, "outputs": ["identity"], "losses": SQUARED},
        ),
        "identity-layers": Property(
            "Identity layers: dL/da of a layer is the sum over the next one's units of w times dL/dz, (14).",
            {"layers": (2, 4), "activations": ["identity"], "losses": SQUARED},
        ),
    }
    for activation in ACTIVATIONS[1:]:  # identity has its own above
        factor = "Jacobian" if activation == "softmax" else "g′"
        found[f"one-{activation}-layer"] = Property(
            f"One {activation} layer under squared error: dL/dz is dL/da times the {factor} of {activation}, taken at z, (12).",
            {"layers": 1, "outputs": [activation], "losses": SQUARED},
        )
        found[f"hidden-{activation}-layers"] = Property(
            f"Hidden {activation} layers: (14) carries dL/da back through the {factor} of every one of them, (12).",
            {"layers": (2, 4), "activations": [activation], "outputs": ["identity"]},
            otherwise={"layers": (2, 4), "activations": [activation], "outputs": ACTIVATIONS},
        )
    for target, what in (("indices", "class indices"), ("one_hot", "one-hot targets"), ("distribution", "soft labels")):
        found[f"cross-entropy-{target}"] = Property(
            f"Softmax under cross-entropy with {what}: dL/dz is p − y, (1)–(2).",
            {"losses": ["cross_entropy"], "targets": [target]},
        )
    for reduction, what in (("mean", "the mean over"), ("sum", "the sum over")):
        found[f"batch-{reduction}"] = Property(
            f"In a batch every derivative is {what} the examples' own.", {"single": False, "reductions": [reduction]}
        )
    found["one-example"] = Property(
        "One example without a batch axis gives the derivatives of its own L_i.", {"batches": False}
    )
    for dtype in ("float64", "float32"):
        found[dtype] = Property(f"A {dtype} network is computed with in {dtype}.", {"dtypes": [dtype]})
    found |= {
        "mixed-layers": Property("Layers of different activations and widths follow one another.", {"layers": (2, 4)}),
        "large-numbers": Property(
            "Where units saturate nothing overflows, and no derivative becomes NaN.",
            choices=PLAIN | {"regime": ("big", "saturating", "heavy-tailed")},
        ),
        "zeros-and-ties": Property(
            "Zeros, ones and repeated numbers are numbers like any other.",
            choices=PLAIN | {"regime": ("zeros", "ones", "repeated")},
        ),
        "kinks": Property(
            "At z = 0 a ReLU has one of its two slopes, or one between them.",
            {"layers": (2, 4), "activations": ["relu", "leaky_relu", "prelu"], "outputs": ACTIVATIONS},
            PLAIN | {"kinks": (True,), "regime": ("integers",)},
        ),
        "whole-numbers": Property(
            "Integer inputs and targets count as the numbers they are.",
            {"dtypes": ["float64"]},
            PLAIN | {"whole": (True,), "integer": INTEGERS},
        ),
        "memory-layouts": Property(
            "Fortran-ordered and strided arrays hold the same numbers.", choices=PLAIN | {"layout": ("F", "strided")}
        ),
        "loss": Property("The loss is (10), or (1)–(2), of the same reduction as the gradient.", kinds=frozenset({"loss"})),
        "dL_dx": Property("dL/dx is (14) for the inputs.", kinds=frozenset({"x"})),
        "intermediates": Property("Every z, a, dL/da, da/dz and dL/dz is what it is called.", kinds=frozenset(INTERMEDIATES)),
        "rows-of-calls": Property(
            "One call leaves nothing behind for the next, and changes none of its caller's arrays.", rows=ROWS
        ),
    }
    return found


PROPERTIES = _properties()


def applying(support: Support, given: frozenset[str]) -> dict[str, Part]:
    """Return the properties that concern a submission, each with what is to be checked for it.

    Parameters
    ----------
    support : Support
        What it supports.
    given : frozenset of str
        The kinds of quantities that it gives.

    Returns
    -------
    dict of str to Part
        By the property's name.
    """
    found = {}
    for name, each in PROPERTIES.items():
        narrowed = support.narrowed(**each.support)
        if narrowed is None and each.otherwise is not None:
            narrowed = support.narrowed(**each.otherwise)
        if narrowed is not None and each.kinds & given:
            found[name] = Part(narrowed, each.choices, each.kinds)
    return found


def kinds_given(subject: Remote) -> frozenset[str]:
    """Return the kinds of quantities that a submission gives, from its answer about one network."""
    drawn = Questions(subject.support).case(0)
    try:
        arrays = subject.gradient(describe(drawn.net), np.asarray(drawn.x), np.asarray(drawn.y)).arrays
    except SubmissionError:  # the tests tell of it
        return PARAMETERS
    return frozenset(map(kind_of, arrays))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every property that concerns the submission."""
    subject = metafunc.config.stash.get(SUBMISSION, None)
    # Without a submission the plugin ends the run as soon as it sees one of these tests.
    parts = {"none": Part()} if subject is None else applying(subject.support, kinds_given(subject))
    metafunc.parametrize(("name", "part"), parts.items(), ids=list(parts))


def test_submission_has_property(name: str, part: Part, pytestconfig: pytest.Config) -> None:
    """Fail with the whole story where a property does not hold."""
    wanted = PROPERTIES[name]
    verdict = check_part(pytestconfig.stash[SUBMISSION], part, examples=NETWORKS, rows=wanted.rows)
    if verdict.ok:
        return
    story = str(verdict)
    if wanted.rows and not verdict.in_row:
        story = "This cannot be judged while single calls are wrong: see the other tests."
    # What a person needs is in the verdict; the suite's own lines are not.
    pytest.fail(f"{name}: {wanted.says}\n\n{story}", pytrace=False)
