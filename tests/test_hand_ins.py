"""Backpropagations in the manner of real hand-ins: the right ones are right, the wrong ones are told by their equation."""

import contextlib
import functools
import io

import numpy as np
import pytest
from right_hand_ins import HAND_INS
from wrong_hand_ins import WRONG

from verification import supports
from verification.checking.check import check
from verification.mistakes.reference import RIGHT, exchanged, gradient_with, without_intermediates

BY_NAME = {wrong.name: wrong for wrong in WRONG}
# What each right one is told besides, as the beginning of the remedy; all others at most of their dtype and shapes.
OVERFLOW, LOGARITHM, COPY, EPSILON = "take each row's maximum off", "take log p from z, not from p", "copy what", "no epsilon"
LOGARITHMS, A_MINUS_Y = "take log a and log(1 − a) from z", "start the way back with dL/dz = a − y"
TOLD = {
    "log-loss-with-clip": {LOGARITHMS, A_MINUS_Y, f"{A_MINUS_Y}: −y/a + (1 − y)/(1 − a) divides by what is held as 0; with e"},
    "several-labels": {COPY},
    "softmax-without-its-maximum": {OVERFLOW, LOGARITHM},
    "lists-of-lists": {OVERFLOW},
    "log-plus-epsilon": {EPSILON},
    "hands-out-its-cache": {COPY},
    "subtracts-in-place": {COPY},
    "recursive": set(),
    "everything-there-is": set(),
}


def checked(submission):
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        return check(submission)


@functools.cache
def verdict_of(name):
    """Return the verdict on a wrong hand-in, which several tests read."""
    return checked(BY_NAME[name].submission)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", HAND_INS)
def test_right_hand_in_is_right(name):
    verdict = checked(HAND_INS[name])
    assert (verdict.ok, verdict.exit_status) == (True, 0), str(verdict)
    right, asked = verdict.share
    assert right == asked >= 6
    assert verdict.networks == 300
    remedies = {note.remedy for note in verdict.notes}
    if name in TOLD:
        of_taste = ("make arrays in the dtype", "give each derivative the shape")
        found = {remedy for remedy in remedies if not remedy.startswith(of_taste)}
        assert len(found) == len(TOLD[name])
        assert all(any(remedy.startswith(beginning) for remedy in found) for beginning in TOLD[name])


def test_right_hand_ins_is_forty_two():
    assert len(HAND_INS) == 42
    assert len({id(submission) for submission in HAND_INS.values()}) == 42


def test_wrong_hand_ins_is_forty_nine_of_as_many_names():
    assert len(WRONG) == len(BY_NAME) == 49


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_wrong_hand_in_is_told_by_its_equation(wrong):
    verdict = verdict_of(wrong.name)
    assert not verdict.ok
    if wrong.raises:
        assert (verdict.status, verdict.exit_status, verdict.faults, verdict.blame) == ("unjudged", 3, (), None)
        return
    assert (verdict.status, verdict.exit_status) == ("wrong", 1)
    assert verdict.zeros is wrong.zeros
    assert ("not deterministic" in verdict.error) is wrong.noise
    assert (verdict.question == "manners") is wrong.state
    if wrong.zeros or wrong.noise:
        assert verdict.faults == ()
        return
    blamed = [fault.equation for fault in verdict.faults] or [verdict.blame.equation]
    for equations in wrong.equations:
        assert equations & set(blamed), str(verdict)
    # Nothing else is claimed: conventions are none of the mistakes.
    accepted = frozenset().union(*wrong.equations)
    assert {fault.equation for fault in verdict.faults if not fault.convention} <= accepted, str(verdict)
    assert any(fault.convention for fault in verdict.faults) is (wrong.halved or wrong.name == "mean-over-outputs-too")
    if wrong.places and not wrong.breaks:
        assert {entry.name for entry in verdict.grade.wrong} - {"loss"} <= set(wrong.places)


def test_two_planted_factors_is_both_with_their_layers():
    verdict = verdict_of("two-factors-planted")
    assert {(fault.equation, fault.thought) for fault in verdict.faults} == {
        (7, "dL/db in the output layer is 4 times what it should be"),
        (11, "dL/dw in layer 1 is 3 times what it should be"),
    }
    assert [row.equation for row in verdict.card if row.state == "wrong"] == ["(7)", "(11)"]
    assert verdict.share == (7, 9)


def test_fixed_buffer_is_told_with_its_size():
    verdict = verdict_of("fixed-buffers")
    # Whichever of the two is met first.
    assert verdict.question == "corners"
    assert verdict.when in ("for more than 8 units in a layer", "for more than 32 examples")


def of(**steps):
    declared = {"activations": ["tanh"], "outputs": ["softmax"], "losses": ["cross_entropy"]}
    return supports(**declared)(without_intermediates(gradient_with(exchanged(**steps))))


def of_yes_or_no(**steps):
    declared = {"activations": ["tanh"], "losses": ["binary_cross_entropy"], "layers": (1, 2)}
    return supports(**declared)(without_intermediates(gradient_with(exchanged(**steps))))


@pytest.mark.parametrize("exponent", [7, 8, 10, 12, 15])
def test_epsilon_in_both_logarithms_is_a_note_with_its_size(exponent):
    def loss(layer):
        a, y, epsilon = layer.a, layer.run.y, 10.0**-exponent
        return -(y * np.log(a + epsilon) + (1 - y) * np.log(1 - a + epsilon)).sum(axis=1)

    verdict = checked(of_yes_or_no(binary_cross_entropy=loss))
    assert verdict.ok
    assert verdict.notes
    assert all(note.equation == 1 and LOGARITHMS in note.remedy for note in verdict.notes)
    # The last is no larger than what 1 - a loses itself.
    sizes = [note.text for note in verdict.notes if f"of about 1e-{exponent} in its logarithm" in note.text]
    assert len(sizes) == (exponent < 15)


@pytest.mark.parametrize("size", [1e-7, 1e-9, 1e-12])
@pytest.mark.parametrize("joins", [True, False])
def test_clip_of_a_yes_or_no_is_a_note(size, joins):
    def probability(layer):
        return np.clip(layer.a, size, 1 - size)

    def joined(layer):
        a, y = probability(layer), layer.run.y
        return a - y if joins else (-y / a + (1 - y) / (1 - a)) * layer.a * (1 - layer.a)

    def loss(layer):
        a, y = probability(layer), layer.run.y
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1)

    verdict = checked(of_yes_or_no(binary_joined=joined, binary_cross_entropy=loss))
    assert verdict.ok, str(verdict)
    assert {note.equation for note in verdict.notes} == {1}


@pytest.mark.parametrize("factor", [3.0, 0.25])
def test_factor_of_a_minus_y_is_told_with_its_size(factor):
    verdict = checked(of_yes_or_no(binary_joined=lambda layer: factor * (layer.a - layer.run.y)))
    assert [(fault.equation, fault.rows) for fault in verdict.faults] == [(1, ("(1) a − y",))]
    assert ("3 times" if factor == 3 else "1/4 of") in verdict.faults[0].thought


def test_large_clip_of_a_yes_or_no_is_told_with_its_bound():
    verdict = checked(of_yes_or_no(binary_joined=lambda layer: np.clip(layer.a, 0.03, 0.97) - layer.run.y))
    assert (verdict.status, [fault.equation for fault in verdict.faults]) == ("wrong", [1])
    assert "0.03" in verdict.faults[0].thought


def test_unknown_loss_of_yes_or_no_is_blamed_on_1():
    def loss(layer):
        return RIGHT.binary_cross_entropy(layer) ** 1.5

    verdict = checked(of_yes_or_no(binary_cross_entropy=loss))
    assert not verdict.ok
    assert [row.equation for row in verdict.card if row.state == "wrong"] == ["loss"]
    assert verdict.blame.equation == 1


def test_unknown_derivative_of_yes_or_no_is_blamed_on_1():
    verdict = checked(of_yes_or_no(binary_joined=lambda layer: np.tanh(layer.a - layer.run.y)))
    assert not verdict.ok
    assert verdict.blame.equation == 1
    assert [row.equation for row in verdict.card if row.state == "wrong"] == ["(1) a − y"]


def clipped(least):
    return of(
        cross_entropy=lambda layer: -(layer.run.y * np.log(np.clip(layer.a, least, 1 - least))).sum(axis=1),
        joined=lambda layer: np.clip(layer.a, least, 1 - least) - layer.run.y,
    )


@pytest.mark.parametrize("size", [1e-7, 1e-9, 1e-12])
def test_clip_of_probabilities_is_a_note(size):
    verdict = checked(clipped(size))
    assert verdict.ok
    assert any(note.remedy.startswith(EPSILON) for note in verdict.notes)


@pytest.mark.parametrize("exponent", [7, 8, 10, 12, 15])
def test_epsilon_in_the_logarithm_is_a_note_with_its_size(exponent):
    verdict = checked(of(cross_entropy=lambda layer: -(layer.run.y * np.log(layer.a + 10.0**-exponent)).sum(axis=1)))
    assert verdict.ok
    (note,) = [note for note in verdict.notes if note.remedy.startswith(EPSILON)]
    assert f"of about 1e-{exponent} in its logarithm" in note.text


@pytest.mark.parametrize("at", [5.0, 7.5, 50.0])
def test_clip_of_dL_dz_is_told_with_its_bound(at):
    def clip(layer):
        return np.clip(RIGHT.through_activation(layer), -at, at)

    submission = without_intermediates(gradient_with(exchanged(through_activation=clip)))
    verdict = checked(supports(activations=["tanh", "identity"], losses=["squared_error"])(submission))
    assert (verdict.status, [fault.equation for fault in verdict.faults]) == ("wrong", [12])
    assert f"{at:g}" in verdict.faults[0].thought


def test_clip_beyond_ordinary_numbers_is_a_note_with_its_bound():
    def clip(layer):
        return np.clip(RIGHT.through_activation(layer), -1e4, 1e4)

    submission = without_intermediates(gradient_with(exchanged(through_activation=clip)))
    verdict = checked(supports(activations=["relu", "identity"], losses=["squared_error"])(submission))
    assert verdict.ok
    assert "dL/dz is clipped at 10000" in " ".join(note.text for note in verdict.notes)
