"""Which classic mistake is claimed in rows of calls: only one that answers and changes the same, in every row."""

from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

import handgrad as hg
from verification.checking import manners
from verification.checking.asking import Asking
from verification.checking.recognition import perform, recognise_in_protocol
from verification.mistakes import MISTAKES
from verification.mistakes.reference import RIGHT, Backprop, gradient_with
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import as_network, describe
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, scenes, steps

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
KINDS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")


def drawn(seed, names=KINDS, count=3, loss="squared_error"):
    """A network of 2 or 3 layers with a batch, or with one example for every third seed."""
    rng = np.random.default_rng([seed, 7])
    widths = rng.integers(1, 4, 3 + seed % 2).tolist()
    layers = [
        hg.Dense(rng.normal(size=(n, n_prev)), rng.normal(size=n), names[int(rng.integers(len(names)))])
        for n_prev, n in pairwise(widths)
    ]
    if loss == "cross_entropy":
        layers[-1] = hg.Dense(layers[-1].w, layers[-1].b, "softmax")
    net = hg.Network(layers, loss, reduction=("sum", "mean")[seed % 2])
    x, y = rng.normal(size=(count, widths[0])), rng.normal(size=(count, widths[-1]))
    if loss == "cross_entropy":
        y = np.eye(widths[-1])[rng.integers(widths[-1], size=count)]
    return Scene(describe(net), *((x[0], y[0]) if seed % 3 == 0 else (x, y)))


def rows_of_calls(of=(1, 2, 5)):
    made = []
    for seed in of:
        scene = drawn(seed)
        found = scenes(scene.network, scene.x, scene.y, seed)
        sizes = [size for size in ("larger", "smaller") if size in found]
        made.append((steps(True, descends=True, parameters=True, sizes=sizes), found))
    return made


def claimed_in_rows(submission):
    rows = rows_of_calls()
    outcomes = [perform(Local(submission), *row) for row in rows]
    return [mistake.name for mistake in recognise_in_protocol(rows, outcomes)]


@pytest.mark.parametrize(
    "name",
    [
        "gradients-accumulate",
        "momentum-in-backward",
        "loss-averaged-over-calls",
        "gradient-arrays-reused",
        "predictions-are-the-cache",
        "inputs-overwritten",
    ],
)
def test_mistake_of_memory_is_claimed_in_rows_of_calls(name):
    assert claimed_in_rows(BY_NAME[name].submission) == [name]


def test_right_class_is_claimed_what_cannot_show_alone():
    real = [found["real"] for _, found in rows_of_calls()]
    for name in claimed_in_rows(Backprop):
        assert not any(BY_NAME[name].can_show(scene.network, scene.x, scene.y) for scene in real)


def test_momentum_with_another_factor_is_not_claimed():
    class Slower(Backprop):
        velocity = None

        def backward(self, y):
            found = super().backward(y)
            before, self.velocity = self.velocity or {}, {}
            for name in list(found):
                if name.rstrip("0123456789") in ("w", "b", "alpha"):
                    found[name] = found[name] + 0.8 * before.get(name, 0)
                    self.velocity[name] = found[name].copy()
            return found

    assert claimed_in_rows(Slower) == []


def test_mistake_that_one_row_of_several_does_not_show_is_not_claimed():
    rows = rows_of_calls()
    outcomes = [perform(Local(BY_NAME["gradients-accumulate"].submission), *row) for row in rows]
    assert BY_NAME["gradients-accumulate"] in recognise_in_protocol(rows, outcomes)
    outcomes[-1] = perform(Local(Backprop), *rows[-1])
    assert recognise_in_protocol(rows, outcomes) == []


def test_mistake_of_a_class_is_none_of_a_function():
    rows = rows_of_calls()
    outcomes = [perform(Local(BY_NAME["gradients-accumulate"].submission), *row) for row in rows]
    assert recognise_in_protocol(rows, outcomes) == [BY_NAME["gradients-accumulate"]]
    assert recognise_in_protocol(rows, outcomes, is_class=False) == []


def test_outcome_of_an_error_is_compared():
    rows = rows_of_calls((1,))
    mistake = BY_NAME["cache-popped-in-backward"]
    outcome = perform(Local(mistake.submission), *rows[0])
    assert outcome == "raised at 'backward again'"
    assert mistake in recognise_in_protocol(rows, [outcome])
    assert mistake not in recognise_in_protocol(rows, ["shape"])
    # One that ends in numbers is none that ends in an error.
    assert mistake not in recognise_in_protocol(rows, [perform(Local(Backprop), *rows[0])])


class Stops(Backprop):
    def descend(self, rate):
        raise RuntimeError("not written yet")


def test_error_in_a_row_of_a_class_is_none_of_a_function():
    rows = rows_of_calls((1,))
    outcomes = [perform(Local(Stops), *row) for row in rows]
    assert outcomes == ["raised at 'descend'"]
    for is_class in (True, False):
        assert recognise_in_protocol(rows, outcomes, is_class=is_class) == []


def test_error_at_another_step_is_not_the_same():
    assert claimed_in_rows(Stops) == []


def test_outcome_with_other_changes_is_not_the_same():
    rows = rows_of_calls((1,))
    mistake = BY_NAME["gradient-arrays-reused"]
    outcome = perform(Local(mistake.submission), *rows[0])
    assert outcome.changes
    assert mistake in recognise_in_protocol(rows, [outcome])
    fewer = type(outcome)(outcome.observations, outcome.changes[1:])
    assert mistake not in recognise_in_protocol(rows, [fewer])


def changed(outcome, place, **fields):
    """The outcome with another observation in one place."""
    seen = list(outcome.observations)
    seen[place] = replace(seen[place], **fields)
    return Outcome(tuple(seen), outcome.changes)


def test_outcome_with_other_observations_is_not_the_same():
    rows = rows_of_calls((1,))
    mistake = BY_NAME["gradients-accumulate"]
    outcome = perform(Local(mistake.submission), *rows[0])
    names = [seen.name for seen in outcome.observations]
    place = names.index("after another batch")
    arrays = outcome.observations[place].arrays

    def claims(other):
        return mistake in recognise_in_protocol(rows, [other])

    assert claims(changed(outcome, place, arrays={name: array * (1 + 1e-12) for name, array in arrays.items()}))
    assert not claims(changed(outcome, place, arrays=arrays | {"b1": arrays["b1"] + 1e-6}))
    assert not claims(changed(outcome, place, arrays=arrays | {"b1": arrays["b1"][..., :0]}))
    assert not claims(changed(outcome, place, name="after another batch of mine"))
    place = names.index("the parameters after a step")
    arrays = outcome.observations[place].arrays
    assert not claims(changed(outcome, place, arrays=arrays | {"b1": arrays["b1"] + 1e-6}))


def test_rows_and_outcomes_of_different_numbers_raises():
    rows = rows_of_calls((1, 2))
    outcome = perform(Local(BY_NAME["gradients-accumulate"].submission), *rows[0])
    with pytest.raises(ValueError, match="shorter"):
        recognise_in_protocol(rows, [outcome])


def test_child_that_cannot_answer_is_its_kind():
    class Ended:
        def perform(self, steps, scenes):
            raise SubmissionError("its code ended the whole process", kind="ended")

    assert perform(Ended(), *rows_of_calls((1,))[0]) == "ended"


# What a row that is wrong remembers, and what of it harms nobody but a caller who edits arrays.


class Remembers(Backprop):
    """Keeps something of the first call."""

    what = ""
    first = targets = None

    def forward(self, x):
        if self.what == "x":
            self.first = np.array(x) if self.first is None or self.first.shape != x.shape else self.first
            return super().forward(self.first)
        if self.what == "activations" and self.first is not None and self.first.x.shape == np.atleast_2d(x).shape:
            # x itself is new.
            super().forward(self.first.x_given)
            self.run.layers[0].a_prev = np.atleast_2d(x)
            return self.run.last.a
        found = super().forward(x)
        self.first = self.run
        return found

    def backward(self, y):
        if self.what == "y":
            self.targets = np.array(y) if self.targets is None or self.targets.shape != y.shape else self.targets
            return super().backward(self.targets)
        before = self.gradient
        found = super().backward(y)
        if self.what == "sums":
            found = {
                name: array + before.get(name, 0) if name.rstrip("0123456789") in ("w", "b", "alpha") else array
                for name, array in found.items()
            }
            self.gradient = found
        if self.what == "answer" and before and all(np.shape(before[name]) == np.shape(found[name]) for name in found):
            self.gradient = found = before
        return {name: np.array(found[name]) for name in self.parameters()}


def row_of(submission, seed=1, **options):
    """An ordinary row of calls with a submission, and who asks."""
    asking = Asking(Local(submission), **options)
    scene = drawn(seed, ("identity", "tanh"))
    return asking, manners.row(asking, Case(as_network(scene.network), scene.x, scene.y), seed)


@pytest.mark.parametrize(
    ("what", "equation", "words"),
    [
        ("x", 8, "the activations are those of an earlier batch"),
        ("activations", 8, "the activations are those of an earlier batch"),
        ("y", 4, "the targets are those of an earlier batch"),
        ("sums", 11, "the answer before is added: sums are not set back to 0"),
        ("answer", 8, "the answer is that to an earlier call"),
    ],
)
def test_memory_of_a_row_is_told_by_its_equation(what, equation, words):
    asking, made = row_of(type("Net", (Remembers,), {"what": what}))
    outcome = manners.performed(asking, made)
    assert manners.is_violated(asking, outcome)
    assert manners.wrong_step(asking, outcome)[0].name == "after another batch"
    assert manners.remembered(asking, outcome)[:2] == (equation, words)


class AddsWeights(Backprop):
    """Adds to dL/dw alone what the call before found."""

    sums: ClassVar = {}

    def backward(self, y):
        found = super().backward(y)
        for name in [name for name in found if name.startswith("w")]:
            found[name] = self.sums.get((name, found[name].shape), 0) + found[name]
            self.sums[name, found[name].shape] = found[name]
        return found


@pytest.mark.parametrize("activations", [("identity",), ("identity", "tanh")])
def test_memory_of_the_weights_alone_is_no_earlier_batch(activations):
    """Right biases are those of any batch where w is 0, and say nothing of kept activations."""
    asking = Asking(Local(type("Net", (AddsWeights,), {"sums": {}})))
    scene = drawn(1, activations)
    for weights in scene.network.weights:
        weights[...] = 0
    made = manners.row(asking, Case(as_network(scene.network), scene.x, scene.y), 1)
    told = manners.remembered(asking, manners.performed(asking, made))
    assert told[:2] == (11, "the answer before is added: sums are not set back to 0")


def test_memory_of_a_right_row_is_none():
    asking, made = row_of(Backprop)
    outcome = manners.performed(asking, made)
    assert not manners.is_violated(asking, outcome)
    assert manners.wrong_step(asking, outcome) is None
    assert manners.remembered(asking, outcome) is None
    assert manners.of_edits(asking, outcome) == []
    assert manners.alone(asking, outcome, made) is None


def test_answer_that_is_wrong_by_itself_is_told_from_the_row():
    class Net(Backprop):
        def backward(self, y):
            found = super().backward(y)
            return found | {"b1": found["b1"] + (len(self.run.x) == 4)}

    asking, made = row_of(Net)
    outcome = manners.performed(asking, made)
    by_itself = manners.alone(asking, outcome, made)
    assert manners.wrong_step(asking, outcome)[0].name == "a larger batch"
    assert by_itself.x.shape[0] == 4
    assert manners.remembered(asking, outcome) is None
    # A class that remembers is right about the same data in an instance of its own.
    asking, made = row_of(type("Net", (Remembers,), {"what": "x"}))
    assert manners.alone(asking, manners.performed(asking, made), made) is None


def test_ordinary_row_is_without_what_no_training_loop_does():
    _, (made, of_row) = row_of(Backprop)
    assert {step.name for step in made}.isdisjoint(manners.EDITS)
    assert {step.do for step in made} == {"build", "forward", "backward", "another", "descend", "parameters"}
    assert set(of_row) == {"real", "decoy", "other", "larger", "smaller"}
    assert {step.scene for step in made} == set(of_row)
    asking, _ = row_of(Backprop)
    scene = drawn(1)
    edits, _ = manners.edits(asking, Case(as_network(scene.network), scene.x, scene.y), 1)
    assert {step.name for step in edits if step.do == "backward"} == {"the first call", *manners.EDITS}
    assert [step.do for step in edits].count("edit") == 1
    function = Asking(Local(gradient_with(RIGHT)))
    assert manners.edits(function, Case(as_network(scene.network), scene.x, scene.y), 1) == ((), {})


def edited(name, loss="squared_error"):
    """What a row of edits shows of a class of the catalogue."""
    asking = Asking(Local(BY_NAME[name].submission))
    scene = drawn(1, ("identity", "tanh"), loss=loss)
    case = Case(as_network(scene.network), scene.x, scene.y)
    rows = [manners.performed(asking, row(asking, case, 1)) for row in (manners.edits, manners.row)]
    # An ordinary row is right.
    assert not manners.is_violated(asking, rows[1])
    return [text for outcome in rows for text in manners.of_edits(asking, outcome)]


def test_edits_is_told_in_sentences():
    cache = "forward hands out the array that backward reads: a caller who changes it changes the gradient"
    assert edited("predictions-are-the-cache") == [cache]
    assert set(edited("gradient-arrays-reused")) == {"a gradient that was returned is changed by later calls"}
    assert "what forward returned is changed by later calls" in edited("predictions-become-errors", "cross_entropy")
    assert edited("cache-popped-in-backward") == ["a second backward after one forward stops with an error"]


def test_changes_of_the_caller_alone_is_damage():
    asking, made = row_of(BY_NAME["inputs-overwritten"].submission)
    outcome = manners.performed(asking, made)
    assert manners.is_violated(asking, outcome)
    assert {change.what for change in manners.damage(outcome).changes} == {"the caller's x"}
    asking, made = row_of(BY_NAME["gradient-arrays-reused"].submission)
    outcome = manners.performed(asking, made)
    assert outcome.changes
    assert manners.damage(outcome).changes == ()
    assert not manners.is_violated(asking, outcome)


def test_row_that_ends_in_an_error_is_its_sentence_and_one_that_ends_the_process_raises():
    asking, made = row_of(Stops)
    outcome = manners.performed(asking, made)
    assert outcome.endswith("(in a row of calls, at 'descend')")
    assert "RuntimeError: not written yet" in outcome
    assert manners.is_violated(asking, outcome)
    assert manners.alone(asking, outcome, made) is None

    class Ended:
        name, support, is_class, descends, has_parameters = "f", asking.subject.support, True, True, True

        def perform(self, steps, scenes):
            raise SubmissionError("its code ended the whole process", kind="ended")

    with pytest.raises(SubmissionError, match="ended the whole process"):
        manners.performed(Asking(Ended()), made)
