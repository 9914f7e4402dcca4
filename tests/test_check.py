"""check(): right submissions are right, wrong ones are told with a small network, and bad ones with one sentence."""

import re
import textwrap

import numpy as np
import pytest

import handgrad as hg
import verification as v
from verification.checking.asking import Asking
from verification.checking.check import _Examination, check, examined
from verification.checking.faults import catalogued
from verification.checking.grading import AnswerKey, Grade
from verification.checking.moods import _adds_up
from verification.checking.notes import Note, of_numbers
from verification.checking.own_loss import own_loss
from verification.checking.questions import (
    ANYTHING,
    CORNER_KINDS,
    CORNERS,
    EXTREME,
    KINKED,
    ORDINARY,
    Questions,
    _certain,
    is_ordinary,
)
from verification.checking.verdict import Verdict
from verification.checking.when import when
from verification.mistakes import BENIGN, MISTAKES
from verification.mistakes.carrying import Exchange, gradient_carrying
from verification.mistakes.reference import RIGHT, Backprop, exchanged, gradient_with, without_intermediates
from verification.random_networks.cases import Case
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.remote import open_submission
from verification.submissions.support import Support, supports

BY_NAME = {entry.name: entry for entry in (*BENIGN, *MISTAKES)}
BARE = without_intermediates(gradient_with(RIGHT))


# Planted here, beside a quarter of the catalogue.
PLANTED = (
    *("output-without-2", "output-2-twice", "output-sign", "sigmoid-sign", "sigmoid-plus", "bias-mean", "bias-subtracted"),
    *("forward-without-bias", "mean-missing", "upstream-without-weights", "upstream-without-g-prime", "upstream-sign"),
    *("input-squared", "loss-halved", "tanh-without-square", "relu-absolute", "weights-transposed", "layers-counted-from-0"),
    *("relu-ratio", "bytes-are-pictures", "inputs-in-memory-order", "relu-dead-below-a-threshold"),
    *("half-squared-error", "mean-squared-error"),
)


@pytest.fixture(autouse=True)
def of_few_networks(monkeypatch):
    """Look for what is wrong on fewer networks, and among fewer mistakes: the same code, sooner done."""
    fewer = tuple(fault for place, fault in enumerate(catalogued()) if place % 4 == 0 or fault.name in PLANTED)
    monkeypatch.setattr("verification.checking.explanation.catalogued", lambda: fewer)
    monkeypatch.setattr("verification.checking.telling.FRESH", 9)
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 24)
    monkeypatch.setattr("verification.checking.telling.CORNERS_SEEN", 60)
    monkeypatch.setattr("verification.checking.check.ROWS", 6)
    monkeypatch.setattr("verification.checking.check.EDITS", 4)


@pytest.fixture
def few_trials(monkeypatch):
    """Give the search up soon where there is nothing to be found."""
    monkeypatch.setattr("verification.checking.explanation.MOST_TRIALS", 600)


def checked(submission, **options):
    with np.errstate(all="ignore"):
        return check(submission, **({"examples": 40} | options))


def only(submission, **declared):
    """A submission of its own that says what it supports, so that the catalogue's stays as it is."""

    def gradient(network, x, y):
        return submission(network, x, y)

    return supports(**declared)(gradient)


def squared(submission):
    return only(submission, losses=["squared_error"], dtypes=["float64"], activations=["identity", "tanh", "relu"])


def wrong(**steps):
    return gradient_with(exchanged(**steps))


def together(*names):
    """The submission that makes several mistakes of the catalogue."""
    return gradient_carrying([Exchange(BY_NAME[name].steps) for name in names])


def own(name):
    return BY_NAME[name].submission


def named(mistakes):
    return [mistake.name for mistake in mistakes]


def states(verdict):
    """The rows of the report card that are not right."""
    return {row.equation: row.state for row in verdict.card if row.state != "right"}


@pytest.mark.parametrize("variant", BENIGN, ids=lambda variant: variant.name)
def test_right_variant_is_ok_without_a_note_but_of_conventions(variant):
    verdict = checked(variant.submission, examples=6)
    assert (verdict.ok, verdict.status, verdict.exit_status) == (True, "right", 0), str(verdict)
    assert (verdict.networks, verdict.rows) == (6, 6)
    # Six networks need not have a kink of every kind.
    assert {note.question for note in verdict.notes} <= ({"conventions"} if "-at-0" in variant.name else set())
    assert (verdict.case, verdict.blame, verdict.mistakes, verdict.faults, verdict.question, verdict.when) == (
        *(None, None, (), ()),
        *("", ""),
    )


def test_card_of_a_right_submission_is_every_equation_right():
    verdict = checked(gradient_with(RIGHT), examples=60)
    assert states(verdict) == {}
    assert verdict.share == (21, 21)
    assert verdict.share == (len(verdict.card), len(verdict.card))


def test_check_of_the_package_is_this_one():
    assert v.check is check
    assert isinstance(v.check(gradient_with(RIGHT), examples=1), v.Verdict)


@pytest.mark.parametrize(
    ("name", "equation", "quantity", "sizes"),
    [
        ("output-without-2", 4, "dL_da1", (1, 1)),
        ("forward-without-bias", 8, "z1", (1, 1)),
        ("mean-missing", 11, "b1", (1, 1)),
        # dL/dx shows it in a single layer.
        ("upstream-without-weights", 14, "x", (1, 1)),
        ("upstream-without-g-prime", 14, "x", (1, 1)),
    ],
)
def test_wrong_function_is_told_with_its_smallest_network(name, equation, quantity, sizes):
    verdict = checked(only(own(name), losses=["squared_error"]))
    assert (verdict.ok, verdict.status, verdict.exit_status, verdict.question) == (False, "wrong", 1, "ordinary")
    assert verdict.case.net.widths == sizes
    assert (verdict.blame.equation, named(verdict.mistakes), verdict.alternatives) == (equation, [name], ())
    assert [(fault.name, fault.equation, fault.place) for fault in verdict.faults] == [(name, equation, "")]
    assert verdict.blame.why == BY_NAME[name].thought
    assert verdict.grade.wrong[0].name == verdict.blame.quantity == quantity
    assert states(verdict) == {f"({equation})": "wrong"}
    # The answer beside it is the submission's own.
    again = BY_NAME[name].submission(describe(verdict.case.net), verdict.case.x, verdict.case.y)
    for key, array in verdict.arrays.items():
        np.testing.assert_array_equal(array, again[key])
    assert verdict.networks >= 1
    assert (verdict.step, verdict.rows, verdict.changes) == ("", 0, ())


def test_mistake_that_takes_two_layers_is_told_with_two():
    bare = checked(only(without_intermediates(own("upstream-without-weights")), losses=["squared_error"]))
    assert bare.case.net.widths == (1, 1, 1)
    assert (bare.blame.equation, named(bare.mistakes)) == (14, ["upstream-without-weights"])
    # It gives no dL/dx, and dL/db comes before dL/dw.
    assert bare.grade.wrong[0].name == "b1"


def test_wrong_number_of_a_verdict_is_wrong_against_handgrad():
    verdict = checked(own("output-2-twice"))
    net, x, y = verdict.case
    right = net.trace(x, y)
    first = verdict.grade.wrong[0]
    assert first.name == "dL_da1"
    assert first.expected == np.ravel(right[1].dL_da)[0]
    assert first.given == 2 * first.expected
    assert first.ratio == 2


def test_factor_that_is_not_catalogued_is_measured():
    verdict = checked(squared(wrong(output_derivative=lambda layer: 7 * (layer.a - layer.run.y))))
    assert (verdict.blame.equation, verdict.mistakes) == (4, ())
    assert [(fault.name, fault.thought) for fault in verdict.faults] == [
        ("output-times", "dL/da at the output is 3.5 times what it should be")
    ]
    assert verdict.blame.why == "dL/da at the output is 3.5 times what it should be"
    assert states(verdict) == {"(4)": "wrong"}


def test_step_that_does_something_unknown_is_named_by_its_place_alone():
    cubic = without_intermediates(wrong(output_derivative=lambda layer: (layer.a - layer.run.y) ** 3))
    verdict = checked(only(cubic, losses=["squared_error"], activations=["identity", "sigmoid"]))
    assert (verdict.blame.equation, verdict.mistakes) == (4, ())
    assert [(fault.name, fault.known, fault.place) for fault in verdict.faults] == [
        ("output-otherwise", False, "in the output layer")
    ]
    # What is made of it is right only if it is taken from the answer, which dL/dw shows and the sum of a batch does not.
    assert states(verdict)["(4)"] == "wrong"
    assert set(states(verdict).values()) == {"wrong", "cannot be told"}


def test_mistake_without_intermediates_is_recognised():
    verdict = checked(without_intermediates(own("output-without-2")))
    assert (verdict.blame.equation, named(verdict.mistakes)) == (4, ["output-without-2"])


def test_two_mistakes_is_both_with_a_row_of_the_card_for_each():
    names = ["output-without-2", "sigmoid-sign"]
    verdict = checked(only(together(*names), activations=["identity", "sigmoid"], losses=["squared_error"]))
    assert (named(verdict.mistakes), [fault.place for fault in verdict.faults]) == (names, ["", ""])
    assert {fault.equation for fault in verdict.faults} == {4, 12}
    assert states(verdict) == {"(4)": "wrong", "(12) sigmoid": "wrong"}
    right, asked = verdict.share
    assert asked - right == 2
    assert all(name in str(verdict) for name in names)


def test_mistake_in_one_layer_alone_is_told_with_its_layer():
    exchange = Exchange({"weight_gradient": lambda layer: -RIGHT.weight_gradient(layer)}, "2")
    declared = {"activations": ["identity", "tanh"], "losses": ["squared_error"], "layers": 3}
    verdict = checked(only(gradient_carrying([exchange]), **declared))
    (fault,) = verdict.faults
    assert (fault.place, fault.equation) == ("in layer 2", 11)
    assert "in layer 2" in verdict.blame.why
    assert states(verdict) == {"(11)": "wrong"}
    assert {entry.name for entry in verdict.grade.wrong} == {"w2"}


def test_mistake_in_batches_alone_is_told_with_its_circumstance():
    half = without_intermediates(own("output-without-2"))

    def gradient(network, x, y):
        return (half if x.ndim == 2 else BARE)(network, x, y)

    verdict = checked(only(gradient, activations=["identity", "tanh"], losses=["squared_error"]))
    assert verdict.when == "for a batch"
    assert [(fault.name, fault.place) for fault in verdict.faults] == [("output-without-2", "for a batch")]
    assert str(verdict).splitlines()[0].startswith("gradient: WRONG for a batch; ")


def test_mistake_that_a_fresh_network_does_not_show_is_not_claimed(few_trials):
    """It makes another in one of the networks that are kept for the end."""
    half, sign = (without_intermediates(own(name)) for name in ("output-without-2", "output-sign"))
    declared = {"activations": ["identity", "tanh"], "losses": ["squared_error"], "dtypes": ["float64"]}
    fresh = Questions(Support(**declared)).case(5, stream=4, of=ORDINARY)

    def gradient(network, x, y):
        is_fresh = str(network) == str(describe(fresh.net)) and np.array_equal(x, fresh.x)
        return (sign if is_fresh else half)(network, x, y)

    assert named(checked(only(half, **declared)).mistakes) == ["output-without-2"]
    verdict = checked(only(gradient, **declared))
    assert (verdict.ok, verdict.blame.equation) == (False, 4)
    assert "output-without-2" not in named(verdict.mistakes)


@pytest.mark.parametrize(("activation", "equation"), [("tanh", 9), ("identity", 8)])
def test_forward_that_returns_no_prediction_is_blamed_on_the_way_forward(activation, equation, few_trials):
    """What it does is no mistake of the catalogue; what it returns is seen all the same."""

    class Net(Backprop):
        steps = exchanged(activation=lambda layer: RIGHT.activation(layer) + 0.1 * layer.z**2)

        def backward(self, y):
            found = super().backward(y)
            return {name: found[name] for name in self.parameters()}

    verdict = checked(supports(activations=[activation], losses=["squared_error"], layers=1)(Net))
    assert (verdict.ok, verdict.blame.equation, verdict.mistakes) == (False, equation, ())
    assert verdict.blame.why == "what forward returns is not the prediction"


def test_same_seed_equals_the_same_verdict_and_another_seed_other_networks():
    def told(seed):
        return str(checked(own("tanh-without-square"), seed=seed))

    assert told(3) == told(3)
    asked = [[], [], []]
    for place, seed in enumerate((0, 0, 1)):

        def listening(network, x, y, place=place):
            asked[place].append((str(network), x.tobytes(), y.tobytes()))
            return gradient_with(RIGHT)(network, x, y)

        checked(listening, seed=seed, examples=4)
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


def test_progress_is_the_number_of_networks_so_far():
    seen = []
    verdict = checked(gradient_with(RIGHT), examples=10, progress=seen.append)
    assert seen == list(range(1, 11))
    assert verdict.networks == 10


def test_torch_as_oracle_is_of_the_same_opinion():
    assert checked(BARE, examples=10, oracle="torch").ok
    verdict = checked(own("output-without-2"), examples=10, oracle="torch")
    assert (verdict.status, verdict.blame.equation, named(verdict.mistakes)) == ("wrong", 4, ["output-without-2"])


# Noise, and nothing.


def test_function_of_its_own_mood_is_told_with_both_answers():
    calls = []

    def gradient(network, x, y):
        calls.append(x)
        found = BARE(network, x, y)
        return {name: array * 2 if len(calls) == 1 else array for name, array in found.items()}

    verdict = checked(only(gradient, losses=["squared_error"]))
    assert (verdict.status, verdict.exit_status, verdict.blame, verdict.faults) == ("wrong", 1, None, ())
    # Both are of the network that is shown.
    right = BARE(describe(verdict.case.net), verdict.case.x, verdict.case.y)
    told = re.fullmatch(
        r"it is not deterministic: to the same question it answered (\w+) = (\S+), and then (\S+)", verdict.error
    )
    assert told is not None
    numbers = np.ravel(right[told[1]])
    place = int(np.argmax(numbers == float(told[3])))
    assert float(told[3]) == numbers[place]
    assert float(told[2]) == 2 * numbers[place]
    assert verdict.error in str(verdict)


def test_noise_is_none_of_the_catalogue():
    rng = np.random.default_rng(5)

    def gradient(network, x, y):
        return {name: array + rng.normal(size=np.shape(array)) for name, array in BARE(network, x, y).items()}

    verdict = checked(gradient)
    assert (verdict.status, verdict.mistakes, verdict.blame) == ("wrong", (), None)
    assert "it is not deterministic" in verdict.error


@pytest.mark.parametrize("start", [0, 1e5])
@pytest.mark.parametrize("right", [BARE, gradient_with(RIGHT)])
def test_sums_that_go_on_from_call_to_call_is_the_default_that_is_kept(right, start):
    """Large sums leave fewer digits to what is added."""

    def gradient(network, x, y, kept={}):  # noqa: B006
        found = right(network, x, y)
        for name in [name for name in found if name.rstrip("0123456789") in ("w", "b", "alpha")]:
            found[name] = found[name] + kept.get((name, found[name].shape), start)
            kept[name, found[name].shape] = found[name]
        return found

    verdict = checked(gradient)
    assert "it is not deterministic" in verdict.error
    assert (verdict.blame.equation, named(verdict.mistakes)) == (11, ["mutable-default-argument"])


def test_number_that_grows_with_each_call_is_none_of_the_catalogue():
    calls = []

    def gradient(network, x, y):
        calls.append(1)
        return {name: array + 1e-3 * len(calls) for name, array in BARE(network, x, y).items()}

    verdict = checked(gradient)
    assert "it is not deterministic" in verdict.error
    assert verdict.mistakes == ()


def test_function_of_zeros_is_told_as_that(few_trials):
    def gradient(network, x, y):
        return {name: np.zeros_like(array) for name, array in network.named().items()}

    verdict = checked(gradient)
    assert (verdict.zeros, verdict.ok, verdict.blame, verdict.faults) == (True, False, None, ())
    # That nothing was computed is no equation, and the loss is not asked for.
    assert verdict.share == (0, 20)
    assert "every number is 0: nothing has been computed, or nothing arrives where it is returned" in str(verdict)

    def all_but_one(network, x, y):
        return gradient(network, x, y) | {"b1": BARE(network, x, y)["b1"]}

    verdict = checked(all_but_one)
    assert (verdict.zeros, verdict.ok) == (False, False)


# The loss against the gradient.


def as_scikit_learn(network, x, y):
    """The loss is a mean over the outputs, too; its gradient is not."""
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] / len(network.biases[-1])}


def halved(network, x, y):
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] / 2}


def all_halved(network, x, y):
    return {name: np.asarray(value / 2) for name, value in BARE(network, x, y).items()}


def off_by_1(network, x, y):
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] + 1}


BELONGS = "the gradient is the derivative of the loss that it reports, which is another than is asked for"
OUTPUTS = "the gradient is n_L (the number of outputs) times the gradient of the loss that it reports"
WAY_BACK = "the gradient is not the derivative of the loss that it reports: the way back is wrong"
AGAINST = {
    "belongs": (all_halved, True, BELONGS),
    "belongs, another g": (without_intermediates(own("relu-absolute")), False, WAY_BACK),
    "off by 1": (off_by_1, True, BELONGS),
    "twice": (halved, False, "the gradient is 2 times the gradient of the loss that it reports"),
    "half": (
        without_intermediates(own("output-without-2")),
        False,
        "the gradient is 0.5 times the gradient of the loss that it reports",
    ),
    "minus": (
        without_intermediates(own("output-sign")),
        False,
        "the gradient is -1 times the gradient of the loss that it reports",
    ),
    "outputs": (as_scikit_learn, False, OUTPUTS),
    "neither": (without_intermediates(own("bias-subtracted")), False, WAY_BACK),
}


@pytest.mark.parametrize("row", AGAINST)
def test_loss_against_gradient_is_one_of_four(row):
    submission, belongs, text = AGAINST[row]
    found = own_loss(Asking(Local(squared(submission))))
    assert (found.belongs, found.text) == (belongs, text)


def test_loss_against_gradient_is_told_with_what_is_wrong():
    verdict = checked(squared(halved))
    assert (verdict.loss, named(verdict.mistakes)) == (AGAINST["twice"][2], ["loss-halved"])
    assert f"\n  loss      {verdict.loss}" in str(verdict)
    verdict = checked(squared(all_halved))
    # They belong together, though both are another function's: a convention, and no mistake of the catalogue.
    assert (verdict.loss, named(verdict.mistakes), verdict.faults[0].name) == (BELONGS, [], "half-squared-error")
    assert (verdict.faults[0].convention, states(verdict)) == (True, {"loss": "wrong", "(4)": "wrong"})
    verdict = checked(squared(off_by_1))
    assert (verdict.loss, verdict.blame.equation, verdict.faults[0].name) == (BELONGS, 10, "loss-otherwise")


def test_loss_that_is_right_is_not_called_another(few_trials):
    def gradient(network, x, y):
        found = BARE(network, x, y)
        return found | {"w1": 2 * found["w1"]} if x.dtype == np.uint8 and len(x) > 2 else found

    verdict = checked(only(gradient, losses=["squared_error"], activations=["tanh"]), examples=200)
    assert not verdict.ok
    assert "another than is asked for" not in verdict.loss


def test_loss_that_is_not_given_is_not_told():
    def gradient(network, x, y):
        found = own("output-without-2")(network, x, y)
        return {name: value for name, value in found.items() if name != "loss"}

    assert own_loss(Asking(Local(gradient))) is None
    verdict = checked(gradient)
    assert (verdict.loss, verdict.blame.equation) == ("", 4)
    assert [row.state for row in verdict.card if row.equation == "loss"] == ["not used"]

    def refuses(network, x, y):
        raise ValueError("no")

    assert own_loss(Asking(Local(refuses))) is None


# Kinks.

RELU_AT_0 = only(own("relu-derivative-1-at-0"), activations=["identity", "relu"], losses=["squared_error"], reductions=["sum"])


def test_another_convention_at_a_kink_is_reported_and_ok():
    verdict = checked(RELU_AT_0)
    assert (verdict.ok, [note.question for note in verdict.notes]) == (True, ["conventions"])
    assert "da_dz" in verdict.conventions
    assert str(verdict.notes[0]).startswith("at a kink hit exactly another convention is taken than PyTorch's for da_dz")
    assert set(verdict.conventions) <= {"da_dz", "dL_dz", "dL_da", "w", "b", "x"}
    assert checked(only(gradient_with(RIGHT), activations=["identity", "relu"])).conventions == ()


def test_another_convention_at_a_kink_is_wrong_if_strict(few_trials):
    verdict = checked(RELU_AT_0, strict_kinks=True)
    assert (verdict.ok, verdict.question, verdict.blame.equation, verdict.conventions) == (False, "corners", 12, ())
    assert verdict.when == "where z is exactly 0 in a layer with relu"
    # It is none of the mistakes that happen to be right wherever it is asked.
    assert verdict.mistakes == ()
    assert (verdict.case.net.trace(verdict.case.x, verdict.case.y)[1].z == 0).any()


# Rows of calls.


def test_numbers_after_a_step_are_beside_the_parameters_they_belong_to():
    class Net(Backprop):
        stepped = False

        def descend(self, rate):
            super().descend(rate)
            self.stepped = True

        def backward(self, y):
            found = super().backward(y)
            return found | {"b1": 2 * found["b1"]} if self.stepped else found

    verdict = checked(supports(activations=["identity", "tanh"], dtypes=["float64"])(Net), examples=12)
    assert "step" in verdict.step
    net, x, y = verdict.case
    entry = next(each for each in verdict.grade.wrong if each.name == "b1")
    assert entry.expected == pytest.approx(net.gradient(x, y).named()["b1"][entry.index])
    assert entry.given == pytest.approx(2 * entry.expected)


class KeepsTheFirst(Backprop):
    """Stale: what backward found for the first batch stays."""

    kept = None

    def backward(self, y):
        self.kept = self.kept or super().backward(y)
        self.gradient = self.kept
        return {name: np.array(self.kept[name]) for name in self.parameters()}


class KeepsTheTargets(Backprop):
    """Stale: the targets are those of the first batch of the same shape."""

    kept = None

    def backward(self, y):
        if self.kept is None or self.kept.shape != y.shape:
            self.kept = np.array(y)
        found = super().backward(self.kept)
        return {name: np.array(found[name]) for name in self.parameters()}


class Adds(Backprop):
    def backward(self, y):
        before = {name: value for name, value in self.gradient.items() if name.startswith("b")}
        found = super().backward(y)
        for name, value in before.items():
            found[name] = found[name] + value
        self.gradient = found
        return dict(found)


class Damages(Backprop):
    def forward(self, x):
        a = super().forward(x)
        if x.dtype.kind == "f":
            x *= 2
        return a


class LosesItsParameters(Backprop):
    def parameters(self):
        return {name: array + 1 for name, array in super().parameters().items()}


class OnlyOnce(Backprop):
    calls = 0

    def forward(self, x):
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("one batch is enough")
        return super().forward(x)


@pytest.mark.parametrize(
    ("submission", "step", "change", "error", "equation", "name"),
    [
        (KeepsTheTargets, "after another batch", "", "", {2, 4}, None),
        (Adds, "after another batch", "", "", {7}, "bias-gradients-accumulate"),
        (Damages, "", "the caller's x was changed by forward", "", None, None),
        (LosesItsParameters, "the parameters at the start", "", "", None, None),
        (own("gradients-accumulate"), "after another batch", "", "", {11}, "gradients-accumulate"),
        (own("forward-cached-for-ever"), "after another batch", "", "", {8}, "forward-cached-for-ever"),
        (own("forward-cached-by-x"), "after a step", "", "", {8}, "forward-cached-by-x"),
        (own("inputs-overwritten"), "", "the caller's x", "", {14}, "inputs-overwritten"),
        (own("step-twice"), "the parameters after a step", "", "", {11}, "step-twice"),
        (own("cache-shared-by-instances"), "after another instance was used", "", "", {8}, "cache-shared-by-instances"),
        (KeepsTheFirst, "after another batch", "", "", {8}, None),
        (
            *(OnlyOnce, "", "", r"forward raised RuntimeError: one batch is enough.*in a row of calls, at 'forward'"),
            *(None, None),
        ),
    ],
)
def test_class_that_is_wrong_in_a_row_is_told_with_its_step_and_changes(submission, step, change, error, equation, name):
    verdict = checked(supports(dtypes=["float64"])(type("Net", (submission,), {})), examples=12)
    assert (verdict.ok, verdict.status, verdict.question) == (False, "wrong", "manners")
    assert len(verdict.case.net.layers) == 1
    assert verdict.rows == 1
    assert verdict.step == step
    assert bool(verdict.changes) == bool(change)
    assert all(change in str(each) for each in verdict.changes[:1])
    assert re.search(error, verdict.error)
    assert bool(verdict.error) == bool(error)
    assert named(verdict.mistakes) == ([] if name is None else [name])
    assert (verdict.blame is None) == (equation is None)
    assert verdict.blame is None or verdict.blame.equation in equation
    assert states(verdict)["rows of calls"] == "wrong"
    assert str(verdict).splitlines()[0] == "Net: WRONG in a row of calls, though a single call is right"
    # The call before, without which nobody could make the numbers again.
    assert (verdict.earlier is None) == (verdict.grade is None or not verdict.grade.wrong)


def test_class_that_raises_in_a_row_is_none_of_the_catalogue():
    class Net(Backprop):
        def descend(self, rate):
            raise NotImplementedError

    verdict = checked(supports(single=False, activations=["identity"], losses=["squared_error"])(Net), examples=12)
    assert (verdict.ok, verdict.question) == (False, "manners")
    assert "descend raised NotImplementedError" in verdict.error
    assert (verdict.mistakes, verdict.blame) == ((), None)


def class_with_notes(submission):
    """What a check of a class says that is right: its notes on rows of calls."""
    verdict = checked(supports(dtypes=["float64"])(type("Net", (submission,), {})), examples=12)
    assert (verdict.ok, verdict.exit_status, verdict.rows, verdict.question) == (True, 0, 6, "")
    assert states(verdict) == {} or set(states(verdict).values()) == {"not used"}
    assert {note.question for note in verdict.notes} <= {"manners"}
    return verdict.notes


CACHE = "forward hands out the array that backward reads: a caller who changes it changes the gradient"
LATER = "a gradient that was returned is changed by later calls"


@pytest.mark.parametrize(
    ("name", "equation", "text"),
    [
        ("predictions-are-the-cache", 9, CACHE),
        ("predictions-become-errors", 2, "what forward returned is changed by later calls"),
        ("gradient-arrays-reused", 11, LATER),
        ("result-dictionary-reused", 11, LATER),
        ("step-scales-the-gradient", 11, LATER),
    ],
)
def test_what_only_a_caller_who_edits_arrays_meets_is_a_note(name, equation, text):
    notes = class_with_notes(own(name))
    assert [(note.text, note.mistakes, note.equation) for note in notes] == [(text, (name,), equation)]
    assert notes[0].remedy == "copy what is handed out and what is kept: a.copy()"


class Forgets(Backprop):
    """What backward has read is gone."""

    def backward(self, y):
        if self.run is None:
            raise RuntimeError("call forward first")
        found = super().backward(y)
        self.run = None
        return found


class ForgetsWithAnother(Backprop):
    """A second backward without a forward gives other numbers."""

    fresh = True

    def forward(self, x):
        self.fresh = True
        return super().forward(x)

    def backward(self, y):
        found = super().backward(y)
        if not self.fresh:
            found["b1"] = found["b1"] + 1
        self.fresh = False
        return found


def test_second_backward_without_a_forward_is_a_note():
    (note,) = class_with_notes(ForgetsWithAnother)
    assert (note.text, note.mistakes) == ("a second backward after one forward gives other numbers", ())
    # What was kept for one backward is gone for the next, however it went.
    for submission in (Forgets, own("cache-popped-in-backward")):
        (note,) = class_with_notes(submission)
        assert note.text == "a second backward after one forward stops with an error"
        assert (note.equation, note.mistakes) == (11, ("cache-popped-in-backward",))


def test_second_backward_that_stops_is_one_note():
    class Net(Backprop):
        def backward(self, y):
            found = super().backward(y)
            del self.run.layers[-1]
            return found

    assert len(class_with_notes(Net)) == 1


def test_function_that_remembers_is_told_as_that(few_trials):
    kept = []

    def gradient(network, x, y):
        if not kept or kept[0][0].shape != x.shape or kept[0][1] != str(network):
            kept[:] = [(x.copy(), str(network))]
        return gradient_with(RIGHT)(network, kept[0][0], y)

    verdict = checked(only(gradient, dtypes=["float64"]), examples=20)
    assert (verdict.ok, verdict.question, verdict.step, verdict.mistakes) == (False, "manners", "another batch", ())
    assert (verdict.blame.equation, verdict.blame.why) == (8, "the activations are those of an earlier batch")
    assert str(verdict).splitlines()[0] == "gradient: WRONG in a row of calls, though a single call is right"


def first_batches(seed, submission):
    """How many examples the first ordinary network and the first row of calls have, 0 for one without a batch axis."""
    questions = Questions(Local(submission).support, seed)
    cases = [questions.case(0, stream, of=ORDINARY) for stream in (0, 10)]
    return [len(each.x) if each.x.ndim == 2 else 0 for each in cases]


def test_class_wrong_alone_on_the_data_of_a_row_is_told_as_that():
    class Net(Backprop):
        def backward(self, y):
            found = super().backward(y)
            if len(self.run.x) == 2:
                found["b1"] = found["b1"] + 1
            return found

    supports(dtypes=["float64"], activations=["identity"], layers=1, losses=["squared_error"])(Net)
    verdict = checked(Net, seed=next(seed for seed in range(99) if first_batches(seed, Net) == [1, 1]), examples=1)
    assert (verdict.networks, verdict.rows, verdict.question) == (1, 1, "ordinary")
    assert verdict.case.x.shape == (2, 1)
    assert [entry.name for entry in verdict.grade.wrong] == ["b1"]
    assert verdict.blame.equation == 7
    assert (verdict.step, verdict.changes) == ("", ())
    assert "a single call is right" not in str(verdict)


# What is drawn.


def asked_by(declared, examples=30, **options):
    asked = []

    def gradient(network, x, y):
        asked.append((network, x, y))
        return gradient_with(RIGHT)(network, x, y)

    assert checked(supports(**declared)(gradient), examples=examples, **options).ok
    return asked


@pytest.mark.parametrize(
    "declared",
    [
        {"activations": ["relu", "tanh"], "layers": (2, 3)},
        {"activations": ["identity"], "outputs": ["softmax"], "losses": ["cross_entropy"], "targets": ["one_hot"]},
        {"losses": ["cross_entropy"], "targets": ["indices"], "reductions": ["sum"]},
        {"dtypes": ["float32"], "batches": False},
        {"single": False, "widths": 1, "activations": ["sigmoid"]},
        {"widths": (2, 3, 1), "activations": ["sigmoid"]},
        {"layers": 6, "activations": ["tanh"]},
    ],
)
def test_networks_that_are_asked_about_is_what_is_supported(declared):
    support = Support(**declared)
    asked = asked_by(declared, examples=30)
    assert len(asked) >= 30
    assert all(support.covers(network, x, y) for network, x, y in asked)


def test_networks_that_are_asked_about_is_everything_without_a_declaration():
    asked = asked_by({}, examples=80)
    seen = {name for network, _, _ in asked for name in network.activations}
    assert seen == set(Support().activations)
    assert {network.loss for network, _, _ in asked} == {"squared_error", "cross_entropy"}
    assert {network.weights[0].dtype.name for network, _, _ in asked} == {"float64", "float32"}
    assert {x.ndim for _, x, _ in asked} == {1, 2}
    assert {network.reduction for network, _, _ in asked} == {"sum", "mean"}


@pytest.mark.parametrize(
    "declared",
    [
        {"layers": 3, "activations": ["tanh"]},
        {"widths": 3, "single": False, "reductions": ["mean"]},
        {"dtypes": ["float32"], "activations": ["sigmoid"], "layers": (2, 4)},
    ],
)
def test_smallest_network_is_one_that_is_supported(declared):
    verdict = checked(only(own("upstream-sign"), **declared))
    net, x, y = verdict.case
    assert Support(**declared).covers(describe(net), x, y)
    assert (verdict.ok, named(verdict.mistakes)) == (False, ["upstream-sign"])


def test_soft_labels_of_sum_1_alone_is_asked_about():
    for _, x, y in asked_by({"losses": ["cross_entropy"], "targets": ["distribution"]}, examples=20):
        assert y.ndim == x.ndim
        np.testing.assert_allclose(np.sum(y, axis=-1, dtype=float), 1, rtol=1e-5)


def sizes_of_z(drawn):
    """Every |z| of a case, layer by layer, with the layer's activation."""
    trace = drawn.net.trace(drawn.x, drawn.y)
    return [(layer.activation.name, np.abs(trace[place].z)) for place, layer in enumerate(drawn.net.layers, 1)]


def test_ordinary_networks_is_of_float64_at_no_kink_with_z_up_to_20():
    questions = Questions(Support(), 3)
    cases = [questions.case(number, of=ORDINARY) for number in range(150)]
    for drawn in cases:
        assert drawn.net.dtype == np.float64
        assert drawn.x.ndim < 2 or drawn.x.flags.c_contiguous
        assert drawn.x.dtype in (np.float64, np.int64)
        assert max(drawn.net.widths) <= 6
        assert (len(drawn.x) if drawn.x.ndim == 2 else 1) <= 6
        assert len(drawn.net.layers) <= 4
        for name, z in sizes_of_z(drawn):
            assert (z <= 20).all()
            assert name not in KINKED or (z > 0).all()
            # A softmax of one unit is 1, whatever its z.
            assert name != "softmax" or z.shape[-1] > 1
        assert is_ordinary(drawn)
    assert len({layer.activation.name for drawn in cases for layer in drawn.net.layers}) == 7
    assert {len(drawn.net.layers) for drawn in cases} == {1, 2, 3, 4}
    assert {drawn.x.ndim for drawn in cases} == {1, 2}


def test_ordinary_networks_of_float32_alone_is_of_float32():
    questions = Questions(Support(dtypes=["float32"]))
    assert {questions.case(number, of=ORDINARY).net.dtype.name for number in range(9)} == {"float32"}


@pytest.fixture(scope="module")
def corners():
    questions = Questions(Support(), 1)
    return [questions.case(number, of=CORNERS) for number in range(220)]


def at_a_kink(drawn):
    return any(name in KINKED and (z == 0).any() for name, z in sizes_of_z(drawn))


def has_ties(drawn):
    return any(layer.w.size > 1 and np.ptp(np.abs(layer.w)) == 0 and layer.w.any() for layer in drawn.net.layers)


def fits_exactly(drawn):
    net, x, y = drawn
    return net.loss_name == "squared_error" and y.dtype.kind == "f" and np.array_equal(net(x), y)


def has_absent_classes(drawn):
    net, x, y = drawn
    return net.loss_name == "cross_entropy" and y.ndim < x.ndim and np.unique(y).size < net.widths[-1]


def examples_of(drawn):
    return len(drawn.x) if drawn.x.ndim == 2 else 0


def is_faint(drawn):
    trace = drawn.net.trace(drawn.x, drawn.y)
    hidden = [np.abs(trace[place].a) for place in range(1, len(drawn.net.layers))]
    return any((a[a > 0] < 1e-2).any() for a in hidden)


OF_CORNERS = {
    "kinks": at_a_kink,
    "ties": has_ties,
    "zeros": lambda drawn: all(np.mean(layer.w == 0) > 0.5 for layer in drawn.net.layers),
    "exact fits": fits_exactly,
    "one unit, one example": lambda drawn: 1 in drawn.net.widths and drawn.net.widths[0] == 1 and examples_of(drawn) < 2,
    "every layer of one unit": lambda drawn: max(drawn.net.widths) == 1,
    "a batch of one": lambda drawn: examples_of(drawn) == 1,
    "a softmax of one unit": lambda drawn: any(
        layer.activation.name == "softmax" and len(layer.b) == 1 for layer in drawn.net.layers
    ),
    "Fortran order or gaps": lambda drawn: not drawn.x.flags.c_contiguous,
    "bytes in x": lambda drawn: drawn.x.dtype == np.uint8,
    "bytes in y": lambda drawn: drawn.net.loss_name == "squared_error" and drawn.y.dtype == np.uint8,
    "32-bit integers": lambda drawn: np.int32 in (drawn.x.dtype, drawn.y.dtype),
    "a faint activation": is_faint,
    "more than 32 units": lambda drawn: max(drawn.net.widths) > 32,
    "more than 8 units": lambda drawn: 8 < max(drawn.net.widths) <= 32,
    "more than 64 examples": lambda drawn: examples_of(drawn) > 64,
    "33 examples": lambda drawn: examples_of(drawn) == 33,
    "10 layers": lambda drawn: len(drawn.net.layers) == 10,
    "absent classes": has_absent_classes,
}


@pytest.mark.parametrize("row", OF_CORNERS)
def test_corners_is_of_every_kind(row, corners):
    assert sum(map(OF_CORNERS[row], corners)) >= 2


@pytest.mark.parametrize(
    ("kind", "needs", "has", "part"),
    [
        ("kinks", lambda drawn: {layer.activation.name for layer in drawn.net.layers} & set(KINKED), at_a_kink, 0.7),
        (
            "ties",
            lambda drawn: True,
            lambda drawn: all(np.unique(np.abs(layer.w)).size <= 3 for layer in drawn.net.layers),
            0.9,
        ),
        ("zeros", lambda drawn: True, OF_CORNERS["zeros"], 0.5),
        ("exact fits", lambda drawn: drawn.net.loss_name == "squared_error", fits_exactly, 0.9),
        ("layouts", lambda drawn: drawn.x.shape[-1] > 1 and drawn.x.ndim == 2, OF_CORNERS["Fortran order or gaps"], 0.9),
    ],
)
def test_corners_of_a_kind_is_mostly_of_it(kind, needs, has, part, corners):
    """Others are so now and then, by chance."""
    of_kind = [drawn for number, drawn in enumerate(corners) if CORNER_KINDS[number % len(CORNER_KINDS)] == kind]
    able = [drawn for drawn in of_kind if needs(drawn)]
    assert len(able) >= 5
    assert sum(map(has, able)) >= part * len(able)


def test_corners_is_of_ordinary_size(corners):
    for drawn in corners:
        assert is_ordinary(drawn, kinks=True)
        assert all((z <= 20).all() for _, z in sizes_of_z(drawn))
        assert drawn.net.dtype == np.float64
        # Index by index they take no minute.
        assert max(drawn.net.widths) <= 64
        assert examples_of(drawn) <= 130
        assert max(drawn.net.widths) <= 8 or examples_of(drawn) <= 8
    # What the others draw is no corner.
    questions = Questions(Support(), 1)
    assert not any(at_a_kink(questions.case(number, of=ORDINARY)) for number in range(60))


def test_corners_of_what_a_submission_takes_is_all_that_there_is():
    support = Support(activations=["tanh"], losses=["squared_error"], widths=(2, 3, 1), batches=False, dtypes=["float32"])
    questions = Questions(support)
    for number in range(12):
        drawn = questions.case(number, of=CORNERS)
        assert (drawn.net.widths, drawn.x.shape, drawn.net.dtype) == ((2, 3, 1), (2,), np.float32)


def test_extreme_numbers_is_huge_and_tiny_and_of_both_dtypes():
    questions = Questions(Support(), 2)
    with np.errstate(all="ignore"):
        cases = [questions.case(number, of=EXTREME) for number in range(80)]
        largest = [max(np.max(z) for _, z in sizes_of_z(drawn)) for drawn in cases]
    assert sum(size > 710 for size in largest) > 10
    assert sum(size < 1e-4 for size in largest) > 2
    assert {drawn.net.dtype.name for drawn in cases} == {"float64", "float32"}


def one_z(z, name="identity"):
    """A network of one layer with this z, and data."""
    z = np.atleast_1d(np.asarray(z, float))
    net = hg.Network([hg.Dense(np.ones((len(z), 1)), z, name)])
    return Case(net, np.zeros(1), np.zeros(len(z)))


@pytest.mark.parametrize(
    ("z", "name", "without", "with_kinks"),
    [
        (20.0, "identity", True, True),
        (-20.0, "sigmoid", True, True),
        (20.5, "identity", False, False),
        ([1.0, -20.5], "tanh", False, False),
        (1e308, "identity", False, False),
        (0.0, "identity", True, True),
        (0.0, "tanh", True, True),
        (0.0, "relu", False, True),
        ([1.0, 0.0], "leaky_relu", False, True),
        (1e-10, "relu", False, True),
        (-1e-8, "relu", True, True),
    ],
)
def test_ordinary_is_up_to_20_and_beside_every_kink(z, name, without, with_kinks):
    drawn = one_z(z, name)
    assert is_ordinary(drawn) is without
    assert is_ordinary(drawn, kinks=True) is with_kinks


def test_ordinary_is_asked_of_every_layer():
    layers = [hg.Dense([[1e300]], [0.0]), hg.Dense([[1e300], [-1e300]], [0.0, 0.0], "softmax"), hg.Dense([[1.0, 1.0]], [0.0])]
    # z is infinite, and then NaN.
    assert not is_ordinary(Case(hg.Network(layers), np.ones(1), np.zeros(1)), kinks=True)
    layers = [hg.Dense([[30.0]], [0.0]), hg.Dense([[0.01]], [0.0], "relu")]
    assert not is_ordinary(Case(hg.Network(layers), np.ones(1), np.zeros(1)))
    layers = [hg.Dense([[0.0]], [0.0], "prelu"), hg.Dense([[1.0]], [1.0])]
    assert not is_ordinary(Case(hg.Network(layers), np.ones(1), np.zeros(1)))


def test_softmax_of_one_unit_is_fit_for_a_corner_alone():
    net = hg.Network([hg.Dense([[1.0]], [0.5], "softmax")], "cross_entropy")
    drawn = Case(net, np.ones(1), np.asarray(0))
    questions = Questions(Support())
    assert (questions.is_fit(drawn, corners=True), questions.is_fit(drawn, corners=False)) == (True, False)
    assert Questions(Support(widths=1)).is_fit(drawn, corners=False)
    kink = one_z(0.0, "relu")
    assert (questions.is_fit(kink, corners=True), questions.is_fit(kink, corners=False)) == (True, False)


def test_case_of_a_submission_is_one_that_it_supports():
    with open_submission(only(gradient_with(RIGHT), activations=["relu"], layers=3, batches=False)) as subject:
        for of in (ORDINARY, CORNERS, EXTREME, ANYTHING):
            drawn = Questions(subject.support).case(7, of=of)
            assert {layer.activation.name for layer in drawn.net.layers} == {"relu"}
            assert len(drawn.net.layers) == 3
            assert drawn.x.ndim == 1
            assert repr(Questions(subject.support).case(7, of=of)) == repr(drawn)
            assert repr(Questions(subject.support, 1).case(7, of=of)) != repr(drawn)
            assert repr(Questions(subject.support).case(7, 1, of=of)) != repr(drawn)


# Corners, and what they say of when.

FEW = {"activations": ["identity", "relu"], "losses": ["squared_error"]}


def buffer_of_units(network, x, y):
    """Only the first 8 rows of dL/dw have a place."""
    found = BARE(network, x, y)
    for number in range(1, len(network.weights) + 1):
        found[f"w{number}"] = np.where(np.arange(len(network.biases[number - 1]))[:, None] < 8, found[f"w{number}"], 0)
    return found


def buffer_of_examples(network, x, y):
    """Only the first 32 examples have a place."""
    found = BARE(network, x, y)
    if x.ndim < 2 or len(x) <= 32:
        return found
    share = 32 / len(x) if network.reduction == "mean" else 1
    return {name: np.asarray(array * share) for name, array in BARE(network, x[:32], y[:32]).items()}


def stops_after_five(network, x, y):
    """The first layer of more than five is left out."""
    found = BARE(network, x, y)
    return found | {"w1": 0 * found["w1"]} if len(network.weights) > 5 else found


def first_large(seed, declared, examples):
    """The number of examples of the first corner with more than 32, of so many networks."""
    questions = Questions(Support(**declared), seed)
    cases = (questions.case(number, 8, of=CORNERS) for number in range(examples * 4 // 10))
    return next((examples_of(drawn) for drawn in cases if examples_of(drawn) > 32), 0)


def test_fixed_buffer_of_8_units_is_found_and_told_when():
    verdict = checked(only(buffer_of_units, **FEW), examples=200)
    assert (verdict.ok, verdict.question, verdict.when) == (False, "corners", "for more than 8 units in a layer")
    assert verdict.case.net.widths == (1, 9)
    assert verdict.blame.equation == 11
    assert str(verdict).startswith("gradient: WRONG for more than 8 units in a layer; ")
    # (13) is a factor of (11) alone.
    assert states(verdict) == {"(11)": "wrong", "(13)": "cannot be told"}


@pytest.mark.parametrize("batch", [33, 65, 130])
def test_fixed_buffer_of_32_examples_is_found_and_told_when(batch, few_trials):
    seed = next(seed for seed in range(99) if first_large(seed, FEW, 100) == batch)
    verdict = checked(only(buffer_of_examples, **FEW), examples=100, seed=seed)
    assert (verdict.ok, verdict.question, verdict.when) == (False, "corners", "for more than 32 examples")
    assert (len(verdict.case.x), verdict.case.net.widths) == (33, (1, 1))
    assert (verdict.blame.equation, verdict.loss) == (11, "")


def test_function_that_breaks_in_deep_networks_is_told_when(few_trials):
    verdict = checked(only(stops_after_five, activations=["identity"], losses=["squared_error"], batches=False), examples=300)
    assert (verdict.question, verdict.when, len(verdict.case.net.layers)) == ("corners", "for more than 5 layers", 6)


@pytest.mark.parametrize(
    ("name", "equation", "told", "states_of"),
    [
        ("relu-ratio", 12, "where z is exactly 0 in a layer with relu", {"(12) relu": "wrong"}),
        ("bytes-are-pictures", 8, "for x of dtype uint8", {"(8)": "wrong"}),
        ("inputs-in-memory-order", 8, "for an x that is not in C order", {"(8)": "wrong"}),
        (
            *("relu-dead-below-a-threshold", 12, "where an activation is between 0 and 1e-05 in a layer with relu"),
            {"(12) relu": "wrong"},
        ),
    ],
)
def test_mistake_that_shows_in_corners_alone_is_told_when(name, equation, told, states_of):
    verdict = checked(only(own(name), **FEW), examples=150)
    assert (verdict.ok, verdict.question, verdict.when) == (False, "corners", told)
    assert (verdict.blame.equation, named(verdict.mistakes)) == (equation, [name])
    assert states(verdict) == states_of
    assert verdict.rows == 6


def made_of(widths, activations=None, count=None, x=None, y=None, loss="squared_error"):
    """A case with weights of 1/4 and biases of 1/2, of so many examples, and targets of 3."""
    names = activations or ["identity"] * (len(widths) - 1)
    layers = [
        hg.Dense(np.full((n, before), 0.25), np.full(n, 0.5), name)
        for before, n, name in zip(widths, widths[1:], names, strict=False)
    ]
    shape = () if count is None else (count,)
    x = np.ones((*shape, widths[0])) if x is None else x
    return Case(hg.Network(layers, loss), x, np.full((*shape, widths[-1]), 3.0) if y is None else y)


WHEN = {
    "units": (made_of((1, 9, 1)), "for more than 8 units in a layer"),
    "inputs": (made_of((7, 1)), "for more than 6 units in a layer"),
    "examples": (made_of((1, 1), count=33), "for more than 32 examples"),
    "layers": (made_of((1,) * 6), "for more than 4 layers"),
    "a kink": (made_of((2, 2), ["leaky_relu"], x=np.array([-1.0, -1.0])), "where z is exactly 0 in a layer with leaky_relu"),
    "no kink of tanh": (made_of((2, 2), ["tanh"], x=np.array([-1.0, -1.0])), ""),
    "bytes": (made_of((2, 2), x=np.array([1, 2], np.uint8)), "for x of dtype uint8"),
    "Fortran order": (
        made_of((2, 2), count=2, x=np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])),
        "for an x that is not in C order",
    ),
    "whole targets": (made_of((2, 2), y=np.array([3, 3], np.int32)), "for integers in y"),
    "a fit": (made_of((2, 2), y=np.array([1.0, 1.0])), "where the prediction is exactly the target"),
    "a batch of one": (made_of((2, 2), count=1), "for a batch of one example"),
    "one unit": (made_of((1, 1)), "where every layer has one unit"),
    "x of zeros": (made_of((2, 2), x=np.zeros(2)), "where x is all zeros"),
    "nothing": (made_of((2, 2)), ""),
    "nothing in a batch": (made_of((2, 2), count=2), ""),
}


@pytest.mark.parametrize("row", WHEN)
def test_when_is_what_the_smallest_network_has(row):
    smallest, told = WHEN[row]
    assert when(smallest, lambda drawn: True) == told


def test_when_is_nothing_that_another_wrong_network_lacks():
    kink = WHEN["a kink"][0]
    batch = made_of((2, 2), count=1, x=np.array([[-1.0, -1.0]]))
    assert when(kink, lambda drawn: True, [kink]) == WHEN["a kink"][1]
    assert when(kink, lambda drawn: True, [kink, batch]) == ""
    assert when(batch, lambda drawn: True, [batch]) == "for a batch of one example"
    assert when(batch, lambda drawn: True, [batch, kink]) == ""


@pytest.mark.parametrize("threshold", [1e-3, 3e-6])
def test_when_of_a_faint_activation_is_up_to_which_it_is_wrong(threshold):
    net = hg.Network([hg.Dense([[threshold / 7, 0.0]], [threshold / 99], "relu"), hg.Dense([[1.0], [2.0]], [0.5, 0.5])])

    def fails(drawn):
        a = drawn.net.trace(drawn.x, drawn.y)[1].a
        return bool((a > 0).all() and (a < threshold).all())

    smallest = Case(net, np.ones(2), np.zeros(2))
    assert fails(smallest)
    assert when(smallest, fails) == f"where an activation is between 0 and {threshold:.3g} in a layer with relu"
    # Wrong for larger ones, too, it is nothing of this.
    assert when(smallest, lambda drawn: True) == ""


def test_when_is_what_every_wrong_network_has(few_trials):
    def gradient(network, x, y):
        found = BARE(network, x, y)
        return {name: array + 1 for name, array in found.items()} if not x.any() else found

    verdict = checked(only(gradient, activations=["identity", "tanh"], losses=["squared_error"]), examples=150)
    assert (verdict.ok, verdict.question) == (False, "corners")
    # The smallest of them is an exact fit in one unit, too.
    assert verdict.when == "where x is all zeros"


# The faults found, carried on to corners and extreme numbers.


def test_corner_of_a_wrong_submission_is_told_beside_what_is_wrong():
    verdict = checked(only(together("output-without-2", "relu-ratio"), **FEW))
    assert (verdict.question, named(verdict.mistakes)) == ("ordinary", ["output-without-2", "relu-ratio"])
    assert states(verdict) == {"(4)": "wrong", "(12) relu": "wrong"}
    assert (verdict.blame.equation, verdict.notes) == (4, ())
    # Alone it is no mistake at ordinary numbers.
    alone = checked(only(together("output-without-2"), **FEW))
    assert named(alone.mistakes) == ["output-without-2"]


CLASSES = {"activations": ["identity"], "outputs": ["softmax"], "losses": ["cross_entropy"]}


def test_extreme_numbers_of_a_wrong_submission_is_a_note_beside_what_is_wrong():
    verdict = checked(only(together("bias-mean", "softmax-overflow"), **CLASSES))
    assert (verdict.ok, named(verdict.mistakes)) == (False, ["bias-mean"])
    (note,) = verdict.notes
    assert (note.question, note.equation, note.mistakes) == ("numbers", 9, ("softmax-overflow",))
    assert note.text == f"besides, for very large or very small numbers: {BY_NAME['softmax-overflow'].thought}"
    assert str(note) in str(verdict)


def test_extreme_numbers_of_a_wrong_submission_is_the_logarithm_and_not_a_g():
    verdict = checked(only(together("input-squared", "cross-entropy-log-of-0"), **CLASSES))
    assert [note.mistakes for note in verdict.notes] == [("cross-entropy-log-of-0",)]


# Notes of a right submission.


def right_with_notes(submission, examples=60, **declared):
    verdict = checked(only(submission, **declared), examples=examples)
    assert (verdict.ok, verdict.status, verdict.exit_status, verdict.blame) == (True, "right", 0, None)
    assert "wrong" not in states(verdict).values()
    assert all(f"  note      {note}" in str(verdict).splitlines() for note in verdict.notes)
    return verdict.notes


SIGMOIDS = {"activations": ["sigmoid"], "losses": ["squared_error"]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "declared", "what", "remedy"),
    [
        ("softmax-overflow", CLASSES, "a logit of {size}", "take each row's maximum off z before e^z"),
        ("sigmoid-overflow", SIGMOIDS, "|z| = {size}", "with e = e^(−|z|), which never overflows"),
    ],
)
def test_overflow_is_a_note_with_the_size_from_which_on_it_breaks(name, declared, what, remedy, dtype):
    (note,) = right_with_notes(own(name), **declared, dtypes=[dtype])
    assert (note.question, note.equation, note.mistakes) == ("numbers", 9, (name,))
    # e^z overflows where z is the logarithm of the largest number: 709.8, or 88.7 in float32.
    size = f"{np.log(float(np.finfo(dtype).max)):.1f}"
    assert size == {"float64": "709.8", "float32": "88.7"}[dtype]
    suffix = " in float32" if dtype == "float32" else ""
    where = re.escape(what.format(size=size))
    assert re.fullmatch(rf"\w+ is nan from {where} on{suffix}(: e\^z| in a sigmoid layer: a power) overflows", note.text)
    assert note.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("name", "dtype", "factor", "text"),
    [
        ("sigmoid", "float64", 1000.0, "|z| = 709.8"),
        ("sigmoid", "float32", 100.0, "|z| = 88.7"),
        ("softmax", "float64", 5000.0, "a logit of 709.8"),
        ("softmax", "float32", 100.0, "a logit of 88.7"),
    ],
)
def test_size_of_a_note_equals_that_at_which_the_power_overflows(name, dtype, factor, text):
    """By halving the distance to where it is right, whatever the size at which it was found."""
    overflows = {"sigmoid": lambda z, slope: np.exp(z) / (1 + np.exp(z)), "softmax": own_softmax}[name]
    asking = Asking(Local(without_intermediates(wrong(g={name: overflows}))))
    w = np.array([[factor], [0.0]], dtype)
    drawn = Case(hg.Network([hg.Dense(w, np.zeros(2, dtype), name)]), np.ones(1, dtype), np.array([0.25, 0.5], dtype))
    found = asking.graded(drawn)
    assert isinstance(found, Grade)
    assert not found.ok
    note = of_numbers(drawn, found, asking.graded)
    assert f" from {text} on" in note.text
    assert (note.text.count(" in float32"), note.equation) == (int(dtype == "float32"), 9)


def test_size_of_a_note_is_that_of_the_example_that_overflows():
    """A far larger z below 0, of another unit or another example, does not overflow and is not what is told."""
    overflows = wrong(g={"sigmoid": lambda z, slope: np.exp(z) / (1 + np.exp(z))})
    asking = Asking(Local(without_intermediates(overflows)))
    net = hg.Network([hg.Dense(np.array([[1000.0], [-4000.0]]), np.zeros(2), "sigmoid")])
    drawn = Case(net, np.array([[1.0], [5.0], [0.0]]), np.full((3, 2), 0.25))
    note = of_numbers(drawn, asking.graded(drawn), asking.graded)
    assert " from |z| = 709.8 on in a sigmoid layer" in note.text


def own_softmax(z, slope=None):
    """The definition, typed in."""
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def test_power_that_overflows_to_the_right_number_is_no_note():
    assert right_with_notes(wrong(g={"sigmoid": lambda z, slope: 1 / (1 + np.exp(-z))}), **SIGMOIDS) == ()


def test_log_of_0_is_a_note():
    (note,) = right_with_notes(own("cross-entropy-log-of-0"), **CLASSES, dtypes=["float64"])
    assert (note.question, note.remedy[:23]) == ("numbers", "take log p from z, not ")
    assert "cross-entropy-log-of-0" in note.mistakes
    size = re.fullmatch(
        r"the loss is lost from logits (\d+\.\d) apart on: the log of a probability held as 0, or nearly", note.text
    )
    # The least number is 5e-324, whose logarithm is −744.4; up to the rounding to 0 and the other classes' part.
    assert -np.log(np.finfo(float).tiny) < float(size[1]) < -np.log(5e-324) + 1.5


def test_log_of_0_is_a_note_of_its_own_equation():
    (note,) = right_with_notes(own("cross-entropy-log-of-0"), **CLASSES, dtypes=["float64"])
    assert (note.equation, note.mistakes) == (2, ("cross-entropy-log-of-0",))


@pytest.mark.parametrize("epsilon", [1e-7, 1e-9, 1e-12])
def test_epsilon_is_a_note_with_its_size(epsilon):
    submission = wrong(cross_entropy=lambda layer: -(layer.run.y * np.log(layer.a + epsilon)).sum(axis=1))
    (note,) = right_with_notes(submission, **CLASSES, dtypes=["float64"])
    size = f"1e-{round(-np.log10(epsilon))}"
    assert note.text == f"the loss is off by an epsilon or a clip of about {size} in its logarithm"
    assert (note.question, note.equation) == ("numbers", 2)
    assert note.mistakes == (("cross-entropy-epsilon",) if epsilon == 1e-7 else ())
    assert note.remedy.startswith("no epsilon and no clip")


def test_epsilon_that_is_no_epsilon_is_wrong(few_trials):
    submission = wrong(cross_entropy=lambda layer: -(layer.run.y * np.log(layer.a + 1e-2)).sum(axis=1))
    assert not checked(only(submission, **CLASSES)).ok


def test_single_precision_inside_is_a_note():
    notes = right_with_notes(own("single-precision-inside"), **SIGMOIDS, dtypes=["float64"])
    assert re.fullmatch(r"z1 agrees to about [678] digits only, as if it had passed through float32", notes[0].text)
    assert {(note.question, note.equation, note.mistakes) for note in notes} == {("numbers", 8, ("single-precision-inside",))}


@pytest.mark.parametrize(
    ("name", "equation", "text"),
    [
        ("result-always-float64", 11, r"w1 came in float64 for float32"),
        ("weights-squeezed", 11, r"w(\d) came in shape \((\d,)?\) for \((1, \d|\d, 1)\)"),
        ("bias-as-row", 7, r"b(\d) came in shape \(1, (\d)\) for \(\2,\)"),
    ],
)
def test_dtype_or_shape_off_by_axes_of_length_1_is_a_note(name, equation, text):
    (note,) = right_with_notes(own(name), examples=40)
    assert (note.question, note.equation, note.mistakes) == ("manners", equation, (name,))
    assert re.fullmatch(text, note.text)


def test_shape_that_is_the_transpose_is_wrong_even_with_an_axis_of_length_1():
    def gradient(network, x, y):
        return {name: array.T if name.startswith("w") else array for name, array in BARE(network, x, y).items()}

    verdict = checked(only(gradient, widths=(3, 1), activations=["identity"], losses=["squared_error"]))
    assert (verdict.ok, verdict.notes) == (False, ())
    assert "must give w1 in shape (1, 3); it gave (3, 1), which is the transpose" in verdict.error


def test_shape_of_alpha_is_a_note_on_its_own_equation():
    def gradient(network, x, y):
        found = BARE(network, x, y)
        return {name: np.atleast_2d(array) if name.startswith("alpha") else array for name, array in found.items()}

    (note,) = right_with_notes(gradient, activations=["prelu"], losses=["squared_error"])
    assert re.fullmatch(r"alpha\d came in shape .*", note.text)
    assert note.equation == 11


def test_notes_of_two_kinds_is_both():
    def gradient(network, x, y):
        found = without_intermediates(wrong(g={"sigmoid": lambda z, slope: np.exp(z) / (1 + np.exp(z))}))(network, x, y)
        return {name: array[None] if name.startswith("b") else array for name, array in found.items()}

    notes = right_with_notes(gradient, **SIGMOIDS, dtypes=["float64"])
    assert [(note.question, note.equation) for note in notes] == [("numbers", 9), ("manners", 7)]


def test_notes_is_part_of_what_a_verdict_is_as_data():
    verdict = checked(only(own("bias-as-row"), **SIGMOIDS))
    data = verdict.to_dict()
    assert (data["status"], data["ok"], len(data["notes"])) == ("right", True, 1)
    (note,) = verdict.notes
    written = {"question": "manners", "text": note.text, "remedy": note.remedy, "equation": 7, "mistakes": ["bias-as-row"]}
    assert data["notes"][0] == written
    assert data["right"] == data["asked"] == verdict.share[1] > 0


# Errors of the submission.


def test_function_that_raises_somewhere_is_told_with_the_smallest_network_that_does():
    def gradient(network, x, y):
        if len(network.weights) > 1:
            raise KeyError("layer 2")
        return gradient_with(RIGHT)(network, x, y)

    verdict = checked(gradient)
    assert (verdict.status, verdict.exit_status, verdict.when) == ("wrong", 1, "in networks of several layers")
    assert re.match(r".*test_check\.py:\d+: gradient raised KeyError: 'layer 2'", verdict.error)
    assert verdict.case.net.widths == (1, 1, 1)
    assert verdict.grade is None
    assert (verdict.blame, verdict.faults, verdict.mistakes) == (None, (), ())


def test_function_that_raises_everywhere_is_not_judged():
    def gradient(network, x, y):
        raise KeyError("nothing works")

    verdict = checked(gradient)
    assert (verdict.status, verdict.ok, verdict.exit_status) == ("unjudged", False, 3)
    assert (verdict.blame, verdict.mistakes, verdict.share) == (None, (), (0, 0))
    assert re.match(r".*test_check\.py:\d+: gradient raised KeyError: 'nothing works'", verdict.error)
    assert str(verdict).splitlines()[0] == "gradient: could not be judged"


def test_bad_shape_in_a_late_layer_is_told_with_a_single_layer():
    def gradient(network, x, y):
        found = BARE(network, x, y)
        last = f"w{len(network.weights)}"
        return found | {last: found[last].ravel()}

    verdict = checked(only(gradient, activations=["identity"], losses=["squared_error"]))
    assert re.search(r"gradient must give w1 in shape \(2, 2\); it gave \(4,\)", verdict.error)
    assert (verdict.status, len(verdict.case.net.layers)) == ("wrong", 1)


def test_wrong_numbers_of_square_layers_is_told_before_an_error():
    def gradient(network, x, y):
        return {name: value.T if name.startswith("w") else value for name, value in BARE(network, x, y).items()}

    verdict = checked(gradient)
    assert (verdict.error, verdict.blame.equation) == ("", 11)
    assert len(set(verdict.case.net.widths)) == 1
    assert named(verdict.mistakes) == ["weights-transposed"]


def test_names_counted_from_0_is_recognised_by_its_error():
    verdict = checked(own("layers-counted-from-0"))
    assert "returned 'w0', which is not a name it may give" in verdict.error
    assert (verdict.blame.equation, named(verdict.mistakes)) == (11, ["layers-counted-from-0"])


def test_callable_that_is_no_submission_is_an_error():
    class Net:
        """It has neither forward nor backward."""

    verdict = check(Net)
    assert (verdict.status, verdict.ok, verdict.name) == ("unjudged", False, "Net")
    assert "a submission must be a function gradient(network, x, y), a class" in verdict.error


def written(folder, text, name="homework.py"):
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


HOMEWORK = """
    import numpy as np
    from verification import supports

    @supports(activations=["identity"], losses=["squared_error"], reductions=["sum"], layers=1)
    def gradient(network, x, y):
        x, y = np.atleast_2d(x, y)
        dL_dz = 2 * (x @ network.weights[0].T + network.biases[0] - y)
        return {"w1": dL_dz.T @ x, "b1": dL_dz.sum(axis=0)}
"""
AS_A_CLASS = """
    class Net:
        def __init__(self, network): ...
        def forward(self, x): ...
        def backward(self, y): ...
"""
BODY = "def gradient(network, x, y):\n"

# text or None for no file, options, the line, what the sentence says
BAD = {
    "a syntax error": ("x = 1\ndef gradient(network, x, y)\n    return {}\n", {}, 2, "this is not Python"),
    "an exception": (BODY + "    return network.wieghts\n", {}, 2, "gradient raised AttributeError"),
    "a hang": (BODY + "    while True: pass\n", {"limit": 1}, 2, "still running after 1 s and was stopped"),
    "a list": (BODY + "    return [1.0]\n", {}, 1, "it returned a value of type list"),
    "a missing key": (BODY + "    return {'w1': network.weights[0]}\n", {}, 1, "gradient must return 'b1', too"),
    "an unknown key": (BODY + "    return {'dL_dzz1': 0}\n", {}, 1, "did you mean 'dL_dz1'?"),
    "sys.exit": ("import sys\n" + BODY + "    sys.exit(3)\n", {}, 3, "sys.exit(3)"),
    "os._exit": ("import os\n" + BODY + "    os._exit(3)\n", {}, 3, "ended the whole process (exit status 3)"),
    "no submission": ("def f(): ...\n", {}, None, "no function gradient(network, x, y), and no class"),
    "two submissions": (
        textwrap.dedent(HOMEWORK) + textwrap.dedent(AS_A_CLASS),
        {"name": "Nett"},
        None,
        "did you mean 'Net'?",
    ),
}


@pytest.mark.parametrize("row", BAD)
def test_file_that_cannot_be_judged_is_one_sentence(row, tmp_path):
    text, options, line, says = BAD[row]
    path = written(tmp_path, text)
    verdict = check(path, examples=3, **options)
    assert (verdict.status, verdict.ok, verdict.exit_status) == ("unjudged", False, 3)
    assert (verdict.blame, verdict.faults, verdict.card) == (None, (), ())
    assert verdict.error.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert says in verdict.error
    assert not re.search(r"Traceback|\n", verdict.error)
    assert verdict.error in str(verdict)
    assert "Traceback" not in str(verdict)


def test_file_that_is_right_is_ok_and_found_by_name(tmp_path):
    path = written(tmp_path, textwrap.dedent(HOMEWORK) + textwrap.dedent(AS_A_CLASS))
    verdict = check(path, examples=5, name="gradient")
    assert (verdict.ok, verdict.name, verdict.networks, verdict.rows) == (True, "gradient", 5, 5)
    assert "must return a mapping" in check(str(path), examples=2, name="Net").error


def test_file_that_hangs_in_a_row_of_calls_is_one_sentence(tmp_path):
    text = textwrap.dedent(HOMEWORK).replace("    x, y =", "    calls.append(1)\n    while len(calls) > 3: pass\n    x, y =")
    path = written(tmp_path, "calls = []\n" + text)
    verdict = check(path, examples=3, limit=1)
    assert "still running after 1 s and was stopped, in a row of calls" in verdict.error
    assert verdict.status == "unjudged"


def test_subject_that_is_ready_is_examined_as_it_is(tmp_path):
    path = written(tmp_path, HOMEWORK.replace("2 *", "3 *"))
    with open_submission(path) as subject:
        verdict = examined(subject, examples=20)
    assert (verdict.name, verdict.status, verdict.blame.equation) == ("gradient", "wrong", 4)
    assert verdict.faults[0].thought == "dL/da at the output is 1.5 times what it should be"
    assert str(verdict) == str(check(path, examples=20))
    path = written(tmp_path, "import os\n" + BODY + "    os._exit(3)\n")
    with open_submission(path) as subject:
        verdict = examined(subject, examples=20)
    assert (verdict.name, verdict.status, verdict.ok) == ("gradient", "unjudged", False)
    assert "ended the whole process (exit status 3)" in verdict.error


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"examples": 0}, ValueError, "examples must be an integer >= 1"),
        ({"examples": 1.5}, TypeError, "examples"),
        ({"examples": "many"}, TypeError, "examples"),
        ({"examples": True}, TypeError, "examples"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": "one"}, TypeError, "seed"),
        ({"seed": 0.5}, TypeError, "seed"),
        ({"oracle": "tensorflow"}, ValueError, "oracle"),
    ],
)
def test_check_with_bad_arguments_raises_what_is_wrong(options, error, text):
    with pytest.raises(error) as caught:
        check(gradient_with(RIGHT), **options)
    assert text in str(caught.value)


def test_verdict_of_nothing_found_is_ok():
    assert Verdict("f").ok
    assert Verdict("f").exit_status == 0
    assert [Verdict("f", status=status).ok for status in ("right", "wrong", "unjudged")] == [True, False, False]
    assert [Verdict("f", status=status).exit_status for status in ("right", "wrong", "unjudged")] == [0, 1, 3]


# Parts of it, each by itself.


@pytest.mark.parametrize(
    ("came", "told"), [(5.0, 5.0), (-5.0, 5.0), (1.0, 1.0), (20.0, 20.0), (3.0, None), (0.5, None), (80.0, None)]
)
def test_round_number_in_place_of_a_large_error_is_a_clip(came, told):
    net = hg.Network([hg.Dense([[1.0]], [40.0])])
    x, y = np.array([0.0]), np.array([0.0])
    graded = AnswerKey(describe(net), x, y).grade({"w1": np.array([[0.0]]), "b1": np.array([came])})
    assert graded.ok is (came == 80)
    note = of_numbers(Case(net, x, y), graded, lambda drawn: graded) if not graded.ok else None
    assert ("dL/dz is clipped at" in str(note)) == (told is not None)
    assert told is None or f"dL/dz is clipped at {told:g}," in note.text


@pytest.mark.parametrize("order", [1, -1])
def test_note_in_float64_is_kept_in_place_of_that_in_float32(order, monkeypatch):
    monkeypatch.setattr("verification.checking.check.breaking_like", lambda asking, drawn: ())
    asking = Asking(Local(BARE))
    examination = _Examination(asking, Verdict("f"), 10, None)
    drawn = asking.questions.case(0, of=ORDINARY)
    for size in [" in float32", ""][::order]:
        examination.add(Note("numbers", f"the loss is lost from 9 on{size}", "a remedy"), drawn)
    examination.add(Note("numbers", "another", "another remedy"), drawn)
    assert [note.text for note in examination.notes] == ["the loss is lost from 9 on", "another"]


def test_two_answers_is_too_few_to_add_up():
    growing = [{"w1": np.full((1, 1), float(number))} for number in range(1, 6)]
    assert _adds_up(growing[:4])
    assert not _adds_up(growing[:3])
    assert not _adds_up([*growing[:3], growing[4]])
    assert not _adds_up([*growing[:3], {"b1": np.zeros(1)}])


@pytest.mark.parametrize("of", [ORDINARY, CORNERS, EXTREME, ANYTHING])
def test_questions_of_a_binary_cross_entropy_is_all_that_was_declared(of):
    questions = Questions(Support(activations=["tanh"], losses=["binary_cross_entropy"]), seed=5)
    drawn = [questions.case(number, of=of) for number in range(80)]
    assert {each.net.loss_name for each in drawn} == {"binary_cross_entropy"}
    assert {each.net.layers[-1].activation.name for each in drawn} == {"sigmoid"}
    assert {layer.activation.name for each in drawn for layer in each.net.layers[:-1]} == {"tanh"}
    y = np.concatenate([np.ravel(each.y).astype(float) for each in drawn])
    assert {0.0, 0.5, 1.0} < set(y.tolist())
    assert {np.asarray(each.y).dtype.kind for each in drawn} == {"f", "i"} if of == ORDINARY else {"f"}
    with np.errstate(all="ignore"):
        largest = [np.abs(each.net.trace(each.x, each.y)[len(each.net.layers)].z).max() for each in drawn]
    if of in (ORDINARY, CORNERS):
        # Up to here 1 - a is larger than any epsilon.
        assert max(largest) <= 10
    else:
        assert max(largest) > 100


def test_questions_of_who_declares_nothing_is_without_a_binary_cross_entropy():
    questions = Questions(Support(), seed=6)
    assert {questions.case(number).net.loss_name for number in range(60)} == {"squared_error", "cross_entropy"}


class Chosen:
    """A generator that draws what it was told."""

    def integers(self, *_):
        return 1

    def uniform(self, *_):
        return 2.0


@pytest.mark.parametrize(("y", "b"), [(0.25, 100.0), (1.0, -100.0), (0.0, 100.0)])
def test_case_that_is_certain_of_a_wrong_answer_is_on_the_other_side_of_y(y, b):
    net = hg.Network([hg.Dense([[0.5], [0.5]], [0.0, 0.0], "sigmoid")], "binary_cross_entropy")
    drawn = _certain(Case(net, np.array([1.0]), np.array([y, 0.5])), Chosen())
    assert drawn.net.layers[0].b.tolist() == [b, 0.0]
    assert not net.layers[0].b.any()
