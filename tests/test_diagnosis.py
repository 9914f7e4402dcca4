"""Which equation is blamed: for every equation exchanged, with intermediates and without, and for the catalogue."""

import inspect
import math

import numpy as np
import pytest

import handgrad as hg
from handgrad.equations import exchanged
from verification.checking.check import EXAMPLES, check
from verification.checking.diagnosis import blame
from verification.checking.grading import AnswerKey
from verification.checking.scorecard import claimed_by
from verification.mistakes import MISTAKES
from verification.mistakes.in_equations import by_equations
from verification.mistakes.reference import exchanged as reference_exchanged
from verification.mistakes.reference import gradient_with, without_intermediates
from verification.random_networks.cases import Case
from verification.submissions.description import as_network, describe
from verification.submissions.support import supports

# Blamed on the equation that seems to be broken there, or on none: what they do is no wrong number but an error.
BLAMED_ON_ANOTHER = {"output-against-flat-targets": None}
# No fresh copy does the same: one only raises, one remembers, one has z and a as one array, and one has several forms.
NOT_RECOGNISED = {
    "forward-without-activation",
    "output-against-flat-targets",
    "step-inside-backward",
    "z-activated-in-place",
}
# Right at ordinary numbers, in the dtype and shape asked for, for a caller who edits nothing: told in a note.
NOTED = {
    *("sigmoid-overflow", "tanh-overflow", "softmax-overflow", "softmax-largest-of-the-batch", "joined-not-joined"),
    *("cross-entropy-log-of-0", "cross-entropy-epsilon", "single-precision-inside"),
    *("binary-not-joined", "binary-loss-log-of-0", "binary-loss-epsilon"),
    *("result-always-float64", "weights-squeezed", "bias-as-row"),
    *("cache-popped-in-backward", "gradient-arrays-reused", "result-dictionary-reused", "step-scales-the-gradient"),
    *("predictions-are-the-cache", "predictions-become-errors"),
}
# Every answer is refused, for a name that it may not give: nothing is judged, and the name says what was done.
REFUSED = {"layers-counted-from-0"}
IN_CORNERS = {
    "bytes-are-pictures": "for x of dtype uint8",
    "output-unsigned-wraps": "for integers in y",
    "inputs-in-memory-order": "for an x that is not in C order",
    "relu-dead-below-a-threshold": "where an activation is between 0 and 1e-05 in a layer with relu",
    "relu-ratio": "where z is exactly 0 in a layer with relu",
    # At a kink of either of two activations, which is no one circumstance.
    "leaky-ratio": "",
}
# Its activations differ in three layers, and noise is not shrunk.
LAYERS = {"first-z-for-all-layers": 3, "mutable-default-argument": 4}


def first_of_each_kind_and_equation():
    """About a fifth of the catalogue: for each equation the first mistake of each kind."""
    found = {}
    for mistake in MISTAKES:
        found.setdefault((mistake.kind, mistake.equation), mistake)
    return list(found.values())


def pytest_generate_tests(metafunc):
    if "mistake" in metafunc.fixturenames:
        chosen = MISTAKES if metafunc.config.getoption("--thorough") else first_of_each_kind_and_equation()
        metafunc.parametrize("mistake", chosen, ids=lambda mistake: mistake.name)


@pytest.fixture
def unrecognised(monkeypatch):
    """Leave out whose mistake it is, which costs most of the time and blames nobody."""
    monkeypatch.setattr("verification.checking.telling._explained", lambda asking, evidence, question: [])
    monkeypatch.setattr("verification.checking.telling.own_loss", lambda asking: None)
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 3)


def blamed(submission, seed=0):
    with np.errstate(all="ignore"):
        verdict = check(submission, examples=100, seed=seed)
    assert not verdict.ok
    return verdict.blame


@pytest.fixture(autouse=True)
def of_few_networks(monkeypatch, pytestconfig):
    """Fewer networks for the mistake to be found on: the same code, sooner done."""
    if not pytestconfig.getoption("--thorough"):
        monkeypatch.setattr("verification.checking.telling.FRESH", 9)
        monkeypatch.setattr("verification.checking.telling.EVIDENCE", 24)
        monkeypatch.setattr("verification.checking.telling.CORNERS_SEEN", 60)
        monkeypatch.setattr("verification.checking.check.ROWS", 8)
        monkeypatch.setattr("verification.checking.check.EDITS", 4)
        monkeypatch.setattr("verification.checking.explanation.MOST_TRIALS", 2000)


def test_mistake_of_the_catalogue_is_caught_blamed_and_recognised(mistake, pytestconfig):
    few = 20 if mistake.protocol else 150 if mistake.name in {*IN_CORNERS, "joined-for-squared-error"} else 60
    with np.errstate(all="ignore"):
        verdict = check(mistake.submission, examples=EXAMPLES if pytestconfig.getoption("--thorough") else few)
    if mistake.name in NOTED:
        assert (verdict.status, verdict.exit_status, verdict.blame, verdict.faults) == ("right", 0, None, ())
        note = next(note for note in verdict.notes if mistake.name in note.mistakes)
        equation, names = note.equation, [name for note in verdict.notes for name in note.mistakes]
        assert not [row for row in verdict.card if row.state == "wrong"]
    else:
        assert (verdict.status, verdict.exit_status) == (("unjudged", 3) if mistake.name in REFUSED else ("wrong", 1))
        equation, names = verdict.blame and verdict.blame.equation, claimed_by(verdict)
        assert len(verdict.case.net.layers) <= LAYERS.get(mistake.name, 2)
        assert bool(verdict.error or verdict.step or verdict.changes or verdict.grade.wrong)
    if mistake.name in NOT_RECOGNISED:
        assert set(names) <= {mistake.name}
    else:
        assert set(names) == {mistake.name}
    if mistake.name in BLAMED_ON_ANOTHER:
        assert equation == BLAMED_ON_ANOTHER[mistake.name]
    else:
        assert equation in ({1, 2} if mistake.equation in (1, 2) else {mistake.equation})
    # A function that remembers is wrong from its second call on, in a row or not.
    in_rows = mistake.name not in NOTED and inspect.isclass(mistake.submission) and bool(mistake.protocol)
    assert (verdict.question == "manners") is in_rows
    assert (verdict.question == "corners") is (mistake.name in IN_CORNERS)
    if mistake.name in IN_CORNERS:
        assert verdict.when == IN_CORNERS[mistake.name]


def test_known_limits_is_names_of_the_catalogue():
    of_catalogue = {mistake.name for mistake in MISTAKES}
    assert of_catalogue >= {*BLAMED_ON_ANOTHER, *NOT_RECOGNISED, *NOTED, *REFUSED, *IN_CORNERS, *LAYERS}


# equation → wrong right-hand sides; those of one equation have different signs, factors, or arguments.
EXCHANGED = {
    4: [lambda a, y: a - y, lambda a, y: 2 * (y - a), lambda a, y: 2 * a],
    7: [lambda: 0.0, lambda: -1.0],
    8: [
        lambda b, w, a: sum(w_k * a_k for w_k, a_k in zip(w, a, strict=True)),
        lambda b, w, a: sum(w_k * a_k for w_k, a_k in zip(w, a, strict=True)) - b,
        lambda b, w, a: b + max(w_k * a_k for w_k, a_k in zip(w, a, strict=True)),
    ],
    9: [lambda g, z: z, lambda g, z: g(g(z))],
    11: [lambda dz_dw, da_dz, dL_da: dz_dw * da_dz * dL_da + dz_dw - 1],
    12: [lambda g, z: g(z), lambda g, z: -g(z) * (1 - g(z)), lambda g, z: 1.0],
    13: [lambda a: 1.0, lambda a: -a, lambda a: a * a],
    14: [
        lambda w, da_dz, dL_da: sum(w_j * e for w_j, e in zip(w, dL_da, strict=True)),
        lambda w, da_dz, dL_da: -sum(w_j * d * e for w_j, d, e in zip(w, da_dz, dL_da, strict=True)),
        lambda w, da_dz, dL_da: max(w_j * d * e for w_j, d, e in zip(w, da_dz, dL_da, strict=True)),
    ],
}
ROWS = [(number, place) for number, functions in EXCHANGED.items() for place in range(len(functions))]


def wrong_in(number, place):
    return by_equations(exchanged({number: EXCHANGED[number][place]}))


@pytest.mark.parametrize(("number", "place"), ROWS)
@pytest.mark.parametrize("bare", [False, True], ids=["with intermediates", "without"])
def test_blame_of_an_exchanged_equation_is_that_equation(number, place, bare, unrecognised):
    submission = wrong_in(number, place)
    found = blamed(supports(activations=["identity", "sigmoid"])(without_intermediates(submission) if bare else submission))
    assert found.equation == number
    assert found.why
    # Without intermediates the first that is given and wrong: never one of these.
    assert not bare or found.quantity.rstrip("0123456789") in ("w", "b")


@pytest.mark.parametrize("number", [4, 8, 9, 12, 14])
def test_blame_where_all_is_sigmoid_is_the_equation(number, unrecognised):
    """As a student of the notes would hand it in: nothing but sigmoid layers, and no intermediates."""
    only = supports(activations=["sigmoid"], losses=["squared_error"], batches=False)
    assert blamed(only(without_intermediates(wrong_in(number, 0)))).equation == number


@pytest.mark.parametrize("layers", [1, 2])
def test_blame_of_a_g_that_is_wrong_on_one_side_of_0_alone_is_9(layers, unrecognised):
    only = supports(activations=["identity", "leaky_relu"], losses=["squared_error"], batches=False, layers=layers)
    assert blamed(only(without_intermediates(wrong_in(9, 0)))).equation == 9


@pytest.mark.parametrize("number", [12, 14])
def test_blame_beneath_cross_entropy_is_the_equation(number, unrecognised):
    only = supports(activations=["identity", "sigmoid"], outputs=["softmax"], losses=["cross_entropy"], layers=2)
    submission = only(without_intermediates(wrong_in(number, 0 if number == 12 else 1)))
    assert blamed(submission).equation == number


@pytest.mark.parametrize("number", [8, 9, 12, 14])
def test_blame_beneath_binary_cross_entropy_is_the_equation(number, unrecognised):
    only = supports(activations=["identity", "sigmoid"], losses=["binary_cross_entropy"], layers=2)
    submission = only(without_intermediates(wrong_in(number, 1 if number == 14 else 0)))
    assert blamed(submission).equation == number


@pytest.mark.parametrize("bare", [False, True], ids=["with intermediates", "without"])
@pytest.mark.parametrize("batches", [False, True])
@pytest.mark.parametrize(
    ("step", "function", "quantity"),
    [
        ("binary_joined", lambda layer: (layer.a - layer.run.y) * layer.a, "dL_dz"),
        ("binary_joined", lambda layer: layer.a - layer.run.y**2, "dL_dz"),
        ("binary_cross_entropy", lambda layer: ((layer.a - layer.run.y) ** 2).sum(axis=1), "loss"),
    ],
)
def test_blame_of_a_binary_cross_entropy_is_1(step, function, quantity, batches, bare, unrecognised):
    submission = gradient_with(reference_exchanged(**{step: function}))
    only = supports(activations=["tanh"], losses=["binary_cross_entropy"], batches=batches)
    found = blamed(only(without_intermediates(submission) if bare else submission))
    assert found.equation == 1
    assert bare or found.quantity.startswith(quantity)


@pytest.mark.parametrize("bare", [False, True], ids=["with intermediates", "without"])
@pytest.mark.parametrize(
    ("number", "function"),
    [
        (1, lambda P, y_i: -math.log(P[y_i]) / math.log(2)),
        (2, lambda s, k: -s[k]),
        (10, lambda a, y: sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True)) / 2),
    ],
)
def test_blame_of_the_loss_alone_is_its_equation(number, function, bare, unrecognised):
    submission = by_equations(exchanged({number: function}))
    found = blamed(without_intermediates(submission) if bare else submission)
    assert (found.equation, found.quantity) == (number, "loss")


OF_BATCHES = {"mean-missing", "mean-twice", "mean-always", "weights-only-first-example", "weights-of-mean-factors"}


@pytest.mark.parametrize("name", sorted(OF_BATCHES))
def test_blame_of_what_shows_in_a_batch_alone_is_11(name, unrecognised):
    (mistake,) = (each for each in MISTAKES if each.name == name)
    assert blamed(without_intermediates(mistake.submission)).equation == 11


def test_blame_of_a_forward_pass_that_mixes_examples_is_9(unrecognised):

    @supports(activations=["identity"], layers=1, single=False)
    def gradient(network, x, y):
        a = x @ network.weights[0].T + network.biases[0]
        a = np.broadcast_to(a[:1], a.shape)
        dL_dz = 2 * (a - y) / (len(x) if network.reduction == "mean" else 1)
        return {"w1": np.asarray(dL_dz.T @ x, a.dtype), "b1": np.asarray(dL_dz.sum(axis=0), a.dtype)}

    assert blamed(gradient).equation == 9


def answered(net, x, y, changed):
    """The right answer with some quantities changed."""
    trace = net.trace(x, y)
    found = {**trace.gradient.named(), "loss": np.asarray(trace.gradient.loss), "x": trace.gradient.x, **trace.named()}
    return {name: np.asarray(value) for name, value in (found | changed(found)).items() if value is not None}


SIGMOIDS = hg.Network(
    [hg.Dense([[0.5, -1.0], [0.25, 2.0]], [0.5, -0.5], "sigmoid"), hg.Dense([[1.0, -2.0]], [0.125], "sigmoid")]
)
CLASSES = hg.Network([hg.Dense([[0.5, -1.0], [0.25, 2.0]], [0.5, -0.5], "softmax")], loss="cross_entropy")
PRELU = hg.Network([hg.Dense([[-0.5, 1.0]], [-0.5], hg.Activation("prelu", alpha=0.25))])
X, Y = np.array([2.0, -1.0]), np.array([1.0])
INTERMEDIATES = ("z1", "a1", "z2", "a2", "dL_da2", "da_dz2", "dL_dz2", "dL_da1", "da_dz1", "dL_dz1")


def doubled(*names):
    return lambda found: {name: 2 * found[name] for name in names}


def bare(*names):
    return lambda found: doubled(*names)(found) | dict.fromkeys(INTERMEDIATES)


def without(gone, *names):
    return lambda found: doubled(*names)(found) | dict.fromkeys(gone)


# One wrong quantity in an answer → the equation that gives it, by the notes.
@pytest.mark.parametrize(
    ("net", "y", "changed", "equation", "quantity"),
    [
        (SIGMOIDS, Y, doubled("z1", "w1"), 8, "z1"),
        (SIGMOIDS, Y, doubled("a2", "w2"), 9, "a2"),
        (SIGMOIDS, Y, doubled("loss"), 10, "loss"),
        (SIGMOIDS, Y, doubled("loss", "dL_da2"), 10, "loss"),
        (SIGMOIDS, Y, doubled("dL_da2", "w2"), 4, "dL_da2"),
        (SIGMOIDS, Y, doubled("dL_da1", "w1"), 14, "dL_da1"),
        (SIGMOIDS, Y, doubled("da_dz1", "w1"), 12, "da_dz1"),
        (SIGMOIDS, Y, doubled("dL_dz1", "w1"), 12, "dL_dz1"),
        (SIGMOIDS, Y, without(["da_dz1"], "dL_dz1"), 12, "dL_dz1"),
        (SIGMOIDS, Y, without(["da_dz2", "dL_da2"], "dL_dz2"), 12, "dL_dz2"),
        (SIGMOIDS, Y, without(["da_dz1", "dL_da1"], "dL_dz1"), 14, "dL_dz1"),
        (SIGMOIDS, Y, doubled("w1", "b1"), 11, "w1"),
        (SIGMOIDS, Y, doubled("b1"), 7, "b1"),
        (SIGMOIDS, Y, doubled("x"), 14, "x"),
        (SIGMOIDS, Y, bare("x", "loss"), 14, "x"),
        (SIGMOIDS, Y, bare("w1"), 13, "w1"),
        (SIGMOIDS, Y, bare("w1", "b1"), 14, "w1"),
        (CLASSES, np.array(1), doubled("loss"), 1, "loss"),
        (CLASSES, np.array([0.0, 1.0]), doubled("loss"), 1, "loss"),
        (CLASSES, np.array([0.25, 0.75]), doubled("loss"), 2, "loss"),
        (CLASSES, np.array(1), doubled("dL_dz1"), 2, "dL_dz1"),
        (CLASSES, np.array(1), bare("w1", "b1", "loss"), 2, "w1"),
        (PRELU, Y, doubled("alpha1"), 11, "alpha1"),
    ],
)
def test_blame_of_a_wrong_quantity_is_its_equation(net, y, changed, equation, quantity):
    def ask(network, x, y):
        return answered(as_network(network), x, y, changed)

    arrays = ask(describe(net), X, y)
    found = blame(Case(net, X, y), AnswerKey(describe(net), X, y).grade(arrays), arrays, ask)
    assert (found.equation, found.quantity) == (equation, quantity)


@pytest.mark.parametrize(
    ("net", "x", "y", "names", "equation"),
    [
        (SIGMOIDS, X, Y, ("w2", "b2"), 4),
        (SIGMOIDS, X, Y, ("w2",), 13),
        (CLASSES, X, np.array(1), ("w1", "b1"), 2),
        (SIGMOIDS, np.array([X, X + 1]), np.array([Y, Y]), ("w2", "b2"), 11),
    ],
)
def test_blame_where_no_other_question_is_answered_is_named_all_the_same(net, x, y, names, equation):
    def refuse(network, x, y):
        raise RuntimeError("one answer must do")

    arrays = answered(net, x, y, bare(*names))
    assert blame(Case(net, x, y), AnswerKey(describe(net), x, y).grade(arrays), arrays, refuse).equation == equation


def test_the_fast_part_of_the_catalogue_is_every_kind_and_equation():
    chosen = first_of_each_kind_and_equation()
    assert {(each.kind, each.equation) for each in chosen} == {(each.kind, each.equation) for each in MISTAKES}
    assert any(inspect.isclass(each.submission) for each in chosen)


@pytest.mark.parametrize(("bias", "equation"), [(-1.0, 8), (0.5, 9)])
def test_z_that_holds_a_is_blamed_on_the_activation(bias, equation):
    """Where a is 0 it may be anything else: here that the bias is missing."""
    drawn = Case(hg.Network([hg.Dense([[1.0]], [bias], "relu" if bias < 0 else "tanh")]), np.array([0.0]), np.array([1.0]))
    trace = drawn.net.trace(drawn.x, drawn.y)
    arrays = {**drawn.net.gradient(drawn.x, drawn.y).named(), "z1": trace[1].a.copy()}
    graded = AnswerKey(describe(drawn.net), drawn.x, drawn.y).grade(arrays)
    told = blame(drawn, graded, arrays, lambda network, x, y: pytest.fail("it is told by what came"))
    assert (told.equation, told.quantity) == (equation, "z1")


def test_activation_of_the_wrong_quantity_alone_is_wrong_in_the_card(of_few_networks):
    verdict = check(next(each for each in MISTAKES if each.name == "z-activated-in-place").submission, examples=60)
    assert [row.equation for row in verdict.card if row.state == "wrong"] == ["(9) leaky_relu"]
