"""check(): right submissions are right, wrong ones are told with a small network, and bad ones with one sentence."""

import re
import textwrap

import numpy as np
import pytest

import verification as v
from verification.checking.check import Part, check, check_part
from verification.checking.questions import Questions
from verification.checking.verdict import Verdict
from verification.mistakes import BENIGN, MISTAKES
from verification.mistakes.reference import RIGHT, Backprop, exchanged, gradient_with, without_intermediates
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.remote import open_submission
from verification.submissions.support import Support, supports

BY_NAME = {entry.name: entry for entry in (*BENIGN, *MISTAKES)}


@pytest.fixture(autouse=True)
def of_few_networks(monkeypatch):
    """Recognise the mistake on fewer networks: the same code, sooner done."""
    monkeypatch.setattr("verification.checking.check.FRESH", 9)


def checked(submission, **options):
    with np.errstate(all="ignore"):
        return check(submission, **({"examples": 40} | options))


def only(submission, **declared):
    """A submission of its own that says what it supports, so that the catalogue's stays as it is."""

    def gradient(network, x, y):
        return submission(network, x, y)

    return supports(**declared)(gradient)


def wrong(**steps):
    return gradient_with(exchanged(**steps))


@pytest.mark.parametrize("variant", BENIGN, ids=lambda variant: variant.name)
def test_right_variant_is_ok(variant):
    verdict = checked(variant.submission, examples=6)
    assert verdict.ok, str(verdict)
    assert (verdict.networks, verdict.rows, verdict.case, verdict.blame, verdict.mistakes) == (6, 6, None, None, ())


def test_package_offers_check():
    assert v.check is check
    assert isinstance(v.check(gradient_with(RIGHT), examples=1), v.Verdict)


@pytest.mark.parametrize(
    ("name", "equation", "quantity", "sizes"),
    [
        ("output-without-2", 4, "dL_da1", (1, 1)),
        ("forward-without-bias", 8, "z1", (1, 1)),
        ("mean-missing", 11, "dL_dz1", (1, 1)),
        ("upstream-without-g-prime", 14, "x", (1, 1, 2)),
    ],
)
def test_wrong_function_is_told_with_its_smallest_network(name, equation, quantity, sizes):
    verdict = checked(BY_NAME[name].submission)
    assert not verdict.ok
    assert verdict.case.net.widths == sizes
    assert (verdict.blame.equation, [each.name for each in verdict.mistakes]) == (equation, [name])
    assert verdict.blame.why
    wrong_names = [entry.name for entry in verdict.grade.wrong]
    assert wrong_names[0] == verdict.blame.quantity or name == "mean-missing"
    assert quantity in wrong_names or name == "mean-missing"
    # The answer beside it is the submission's own.
    again = BY_NAME[name].submission(describe(verdict.case.net), verdict.case.x, verdict.case.y)
    for key, array in verdict.arrays.items():
        np.testing.assert_array_equal(array, again[key])
    assert verdict.networks >= 1
    assert not verdict.in_row


def test_wrong_number_of_a_verdict_is_wrong_against_handgrad():
    verdict = checked(BY_NAME["output-2-twice"].submission)
    net, x, y = verdict.case
    right = net.trace(x, y)
    first = verdict.grade.wrong[0]
    assert first.name == "dL_da1"
    assert first.expected == np.ravel(right[1].dL_da)[0]
    assert first.given == 2 * first.expected
    assert first.ratio == 2


def test_mistake_that_is_not_catalogued_is_none_of_it():
    verdict = checked(wrong(output_derivative=lambda layer: 7 * (layer.a - layer.run.y)))
    assert (verdict.blame.equation, verdict.mistakes) == (4, ())
    assert "mistake   not one of the catalogue" in str(verdict)


def test_mistake_without_intermediates_is_recognised():
    verdict = checked(without_intermediates(BY_NAME["output-without-2"].submission))
    assert (verdict.blame.equation, [each.name for each in verdict.mistakes]) == (4, ["output-without-2"])


def test_same_seed_equals_the_same_verdict_and_another_seed_other_networks():
    def told(seed):
        return str(checked(BY_NAME["tanh-without-square"].submission, seed=seed))

    assert told(3) == told(3)
    asked = [[], [], []]
    for place, seed in enumerate((0, 0, 1)):

        def listening(network, x, y, place=place):
            asked[place].append((str(network), x.tobytes(), y.tobytes()))
            return gradient_with(RIGHT)(network, x, y)

        checked(listening, seed=seed, examples=4)
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


# The loss against the gradient.


def as_scikit_learn(network, x, y):
    """The loss is a mean over the outputs, too; its gradient is not."""
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] / len(network.biases[-1])}


def halved(network, x, y):
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] / 2}


def all_halved(network, x, y):
    found = without_intermediates(gradient_with(RIGHT))(network, x, y)
    return {name: np.asarray(value / 2) for name, value in found.items()}


def off_by_1(network, x, y):
    found = gradient_with(RIGHT)(network, x, y)
    return found | {"loss": found["loss"] + 1}


@pytest.mark.parametrize(
    ("submission", "sentence"),
    [
        (as_scikit_learn, "the gradient is n_L (the number of outputs) times the gradient of the loss that it reports"),
        (halved, "the gradient is 2 times the gradient of the loss that it reports"),
        # They belong together, though both are another function's.
        (all_halved, ""),
        (off_by_1, ""),
        (without_intermediates(BY_NAME["output-without-2"].submission), "the gradient is 0.5 times the gradient of the loss"),
    ],
)
def test_loss_against_gradient_is_told_if_they_do_not_belong_together(submission, sentence):
    verdict = checked(only(submission, losses=["squared_error"], dtypes=["float64"]))
    assert not verdict.ok
    assert verdict.loss.startswith(sentence)
    assert bool(verdict.loss) == bool(sentence)


def test_loss_that_is_not_given_is_not_told():
    def gradient(network, x, y):
        found = BY_NAME["output-without-2"].submission(network, x, y)
        return {name: value for name, value in found.items() if name != "loss"}

    assert checked(gradient).loss == ""


# Kinks.

RELU_AT_0 = only(
    BY_NAME["relu-derivative-1-at-0"].submission, activations=["identity", "relu"], losses=["squared_error"], reductions=["sum"]
)


def test_another_convention_at_a_kink_is_reported_and_ok():
    verdict = checked(RELU_AT_0)
    assert verdict.ok
    assert "da_dz" in verdict.conventions
    assert set(verdict.conventions) <= {"da_dz", "dL_dz", "dL_da", "w", "b", "x"}
    assert checked(only(gradient_with(RIGHT), activations=["identity", "relu"])).conventions == ()


def test_another_convention_at_a_kink_is_wrong_if_strict():
    verdict = checked(RELU_AT_0, strict_kinks=True)
    assert (verdict.ok, verdict.blame.equation, verdict.conventions) == (False, 12, ())
    # It is none of the mistakes that happen to be right wherever it is asked.
    assert verdict.mistakes == ()
    assert (verdict.case.net.trace(verdict.case.x, verdict.case.y)[1].z == 0).any()


# Rows of calls.


class KeepsTheFirst(Backprop):
    """Stale: what backward found for the first batch stays."""

    kept = None

    def backward(self, y):
        self.kept = self.kept or super().backward(y)
        self.gradient = self.kept
        return {name: np.array(self.kept[name]) for name in self.parameters()}


def first_batch(seed, submission):
    """Return how many examples the first network has, 0 for one without a batch axis."""
    x = Questions(Local(submission).support, seed).case(0).x
    return len(x) if x.ndim == 2 else 0


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


class Forgets(Backprop):
    def backward(self, y):
        found = super().backward(y)
        del self.run.layers[-1]
        return found


class LosesItsParameters(Backprop):
    def parameters(self):
        return {name: array + 1 for name, array in super().parameters().items()}


@pytest.mark.parametrize(
    ("submission", "step", "change", "error"),
    [
        (KeepsTheFirst, "after another batch", "", ""),
        (Adds, "after another batch", "", ""),
        (Damages, "", "the caller's x was changed by forward", ""),
        (Forgets, "", "", r"backward raised \w+.*in a row of calls, at 'backward again'"),
        (LosesItsParameters, "the parameters at the start", "", ""),
        (BY_NAME["gradients-accumulate"].submission, "after another batch", "", ""),
        (BY_NAME["forward-cached-by-x"].submission, "after a step", "", ""),
        (BY_NAME["gradient-arrays-reused"].submission, "", "of the answer to '", ""),
        (BY_NAME["inputs-overwritten"].submission, "", "the caller's x", ""),
    ],
)
def test_class_that_is_wrong_in_a_row_is_told_with_its_step_and_changes(submission, step, change, error):
    verdict = checked(supports(dtypes=["float64"])(type("Net", (submission,), {})), examples=12)
    assert not verdict.ok
    assert (verdict.in_row, len(verdict.case.net.layers)) == (True, 1)
    assert 1 <= verdict.rows <= verdict.networks <= 2
    assert verdict.step == step
    assert bool(verdict.changes) == bool(change)
    assert all(change in str(each) for each in verdict.changes[:1])
    assert re.search(error, verdict.error)
    assert bool(verdict.error) == bool(error)
    names = [each.name for each in verdict.mistakes]
    for entry in MISTAKES:
        if entry.submission is submission:
            assert names == [entry.name]
            assert verdict.blame.equation == entry.equation


def test_function_that_remembers_is_told_as_that():
    kept = []

    def gradient(network, x, y):
        if not kept or kept[0][0].shape != x.shape or kept[0][1] != str(network):
            kept[:] = [(x.copy(), str(network))]
        return gradient_with(RIGHT)(network, kept[0][0], y)

    verdict = checked(only(gradient, dtypes=["float64"]), examples=20)
    assert "they depend on what it was asked before" in str(verdict)


def test_function_of_its_own_mood_is_told_as_that():
    calls = []

    def gradient(network, x, y):
        calls.append(x)
        return {name: array * 2 if len(calls) == 1 else array for name, array in gradient_with(RIGHT)(network, x, y).items()}

    verdict = checked(only(gradient, losses=["squared_error"]))
    assert not verdict.ok
    assert "right when it was asked the same again" in str(verdict)


def test_class_wrong_alone_on_the_data_of_a_row_is_told_as_that():
    class Net(Backprop):
        def backward(self, y):
            found = super().backward(y)
            if len(self.run.x) == 2:
                found["b1"] = found["b1"] + 1
            return found

    supports(dtypes=["float64"], activations=["identity"], layers=1, losses=["squared_error"])(Net)
    verdict = checked(Net, seed=next(seed for seed in range(99) if first_batch(seed, Net) == 1))
    assert (verdict.networks, verdict.rows, verdict.in_row) == (1, 1, False)
    assert verdict.case.x.shape[0] == 2
    assert verdict.grade.wrong[0].name == "b1"
    assert "A single call is right" not in str(verdict)


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
    asked = asked_by(declared, examples=12)
    assert len(asked) >= 12
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
    verdict = checked(only(BY_NAME["upstream-sign"].submission, **declared))
    net, x, y = verdict.case
    assert Support(**declared).covers(describe(net), x, y)
    assert not verdict.ok


def test_soft_labels_of_sum_1_alone_is_asked_about():
    for _, x, y in asked_by({"losses": ["cross_entropy"], "targets": ["distribution"]}, examples=20):
        assert y.ndim == x.ndim
        np.testing.assert_allclose(np.sum(y, axis=-1, dtype=float), 1, rtol=1e-5)


# Errors of the submission.


def test_function_that_raises_is_told_with_the_smallest_network_that_does():
    def gradient(network, x, y):
        if len(network.weights) > 1:
            raise KeyError("layer 2")
        return gradient_with(RIGHT)(network, x, y)

    verdict = checked(gradient)
    assert not verdict.ok
    assert re.match(r".*test_check\.py:\d+: gradient raised KeyError: 'layer 2'", verdict.error)
    assert verdict.case.net.widths == (1, 1, 1)
    assert verdict.grade is None
    assert verdict.blame is None


def test_bad_shape_in_a_late_layer_is_told_with_a_single_layer():
    verdict = checked(BY_NAME["weights-squeezed"].submission)
    assert re.search(r"gradient must give w1 in shape \(1, 1\); it gave \(\)", verdict.error)
    assert len(verdict.case.net.layers) == 1
    assert [each.name for each in verdict.mistakes] == ["weights-squeezed"]


def test_wrong_numbers_of_square_layers_is_told_before_an_error():
    def gradient(network, x, y):
        found = without_intermediates(gradient_with(RIGHT))(network, x, y)
        return found | {name: value.T for name, value in found.items() if name.startswith("w")}

    verdict = checked(gradient)
    assert (verdict.error, verdict.blame.equation) == ("", 11)
    assert len(set(verdict.case.net.widths)) == 1
    assert [each.name for each in verdict.mistakes] == ["weights-transposed"]


def test_callable_that_is_no_submission_is_an_error():
    class Net:
        """It has neither forward nor backward."""

    verdict = check(Net)
    assert (verdict.ok, verdict.name) == (False, "Net")
    assert "a submission must be a function gradient(network, x, y), or a class" in verdict.error


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
    "None": (BODY + "    return None\n", {}, 1, "is a return missing?"),
    "a list": (BODY + "    return [1.0]\n", {}, 1, "it returned a value of type list"),
    "a missing key": (BODY + "    return {'w1': network.weights[0]}\n", {}, 1, "gradient must return 'b1', too"),
    "an unknown key": (BODY + "    return {'dL_dw1': 0}\n", {}, 1, "did you mean 'w1'?"),
    "sys.exit": ("import sys\n" + BODY + "    sys.exit(3)\n", {}, 3, "sys.exit(3)"),
    "os._exit": ("import os\n" + BODY + "    os._exit(3)\n", {}, 3, "ended the whole process (exit status 3)"),
    "no submission": ("def f(): ...\n", {}, None, "no function gradient(network, x, y) and no class"),
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
    assert not verdict.ok
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
    ],
)
def test_check_with_bad_arguments_raises_what_is_wrong(options, error, text):
    with pytest.raises(error) as caught:
        check(gradient_with(RIGHT), **options)
    assert text in str(caught.value)


# Part of what a submission supports.


def part_of(submission, part, examples=20, rows=0):
    with open_submission(submission) as subject, np.errstate(all="ignore"):
        return check_part(subject, part, examples=examples, rows=rows)


def test_part_is_what_is_judged_alone():
    mistake = BY_NAME["loss-halved"].submission
    assert part_of(mistake, Part(kinds=frozenset({"w", "b"}))).ok
    verdict = part_of(mistake, Part(kinds=frozenset({"loss"})))
    assert (verdict.ok, {entry.name for entry in verdict.grade.entries}) == (False, {"loss"})


def test_part_is_what_is_drawn_alone():
    mistake = BY_NAME["tanh-without-square"].submission
    assert part_of(mistake, Part(Support(activations=["sigmoid"]))).ok
    verdict = part_of(mistake, Part(Support(activations=["tanh"]), {"regime": ("normal",)}))
    assert (verdict.ok, verdict.case.net.layers[-1].activation.name) == (False, "tanh")


def test_part_of_a_submission_that_ends_its_process_is_one_sentence(tmp_path):
    path = written(tmp_path, "import os\n" + BODY + "    os._exit(3)\n")
    verdict = part_of(path, Part())
    assert (verdict.name, verdict.ok) == ("gradient", False)
    assert "ended the whole process (exit status 3)" in verdict.error


def test_case_of_a_submission_is_one_that_it_supports():
    with open_submission(only(gradient_with(RIGHT), activations=["relu"], layers=3, batches=False)) as subject:
        drawn = Questions(subject.support).case(0)
        assert len(drawn.net.layers) == 3
        assert drawn.x.ndim == 1
        assert repr(Questions(subject.support).case(0)) == repr(drawn)
        assert repr(Questions(subject.support, 1).case(0)) != repr(drawn)


def test_verdict_of_nothing_found_is_ok():
    assert Verdict("f").ok
    assert not Verdict("f", error="a sentence").ok
    assert not Verdict("f", step="backward again").ok
