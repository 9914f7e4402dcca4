"""Conventions of one's own: declared, what is right is right and what is wrong told by its equation; undeclared, what fits."""

import contextlib
import io

import numpy as np
import pytest
from conventional_hand_ins import CONVENTIONAL

import handgrad as hg
from verification import supports
from verification.bounds.rounding import rounding
from verification.checking.check import check
from verification.checking.grading import AnswerKey
from verification.checking.questions import CORNERS, ORDINARY, Questions
from verification.checking.verdict import story
from verification.mistakes import MISTAKES
from verification.submissions.answers import SubmissionError, arrays_of, predictions_of
from verification.submissions.conventions import counted_back, handed_over, in_own_terms, laid_out, own_index, turned_back
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.remote import open_submission
from verification.submissions.support import Support

NAMES = [each.name for each in CONVENTIONAL]


def checked(submission):
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        return check(submission)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("each", CONVENTIONAL, ids=NAMES)
def test_right_hand_in_of_a_declared_convention_is_right(each):
    verdict = checked(each.submission())
    assert (verdict.ok, verdict.exit_status) == (True, 0), str(verdict)
    right, asked = verdict.share
    assert right == asked >= 6
    assert verdict.declaration == ""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("each", CONVENTIONAL, ids=NAMES)
def test_wrong_hand_in_of_a_declared_convention_is_told_by_its_equation(each):
    verdict = checked(each.submission(wrong=True))
    assert (verdict.status, verdict.exit_status) == ("wrong", 1), str(verdict)
    told = {fault.equation for model in (verdict.faults, *verdict.alternatives) for fault in model}
    assert told, str(verdict)
    assert each.equation in told, str(verdict)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("each", [each for each in CONVENTIONAL if each.told], ids=lambda each: each.name)
def test_undeclared_convention_of_a_right_hand_in_is_named(each):
    verdict = checked(each.submission(conventions=False))
    assert not verdict.ok
    for argument in each.convention:
        assert f"{argument}=" in verdict.declaration, str(verdict)
    assert verdict.with_it.ok
    assert f"declare   {verdict.declaration} in @supports(...) fits it; with that it is right" in str(verdict)
    layout = {"weights", "examples", "biases"} & set(each.convention)
    assert (verdict.status == "unjudged") is bool(layout)
    assert ("not yet judged" in str(verdict)) is bool(layout)
    # What was not judged is called wrong in nothing.
    assert (verdict.card == () and verdict.faults == () and verdict.case is None) is bool(layout)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["weights-in-out", "examples-as-columns", "a-step-without-biases", "mean-squared-error"])
def test_undeclared_convention_of_a_wrong_hand_in_is_named(name):
    each = next(each for each in CONVENTIONAL if each.name == name)
    verdict = checked(each.submission(wrong=True, conventions=False))
    assert not verdict.ok
    for argument in each.convention:
        assert f"{argument}=" in verdict.declaration, str(verdict)
    assert verdict.with_it.status == "wrong"
    assert each.equation in {
        fault.equation for model in (verdict.with_it.faults, *verdict.with_it.alternatives) for fault in model
    }


def test_undeclared_hand_in_that_looks_at_no_name_is_told_all_that_fits():
    step = next(each for each in CONVENTIONAL if each.name == "a-step-without-biases")
    plain = step.submission()
    del plain.__supports__
    verdict = checked(plain)
    assert (verdict.status, verdict.exit_status, verdict.undeclared) == ("unjudged", 3, True)
    for said in ('activations=["sigmoid"]', 'losses=["half_squared_error"]', "biases=False", "layers=2", 'reductions=["sum"]'):
        assert said in verdict.declaration, verdict.declaration
    assert verdict.with_it.ok


CLASSIFIER = """
def gradient(network, x, y):
    W1, W2 = network.weights
    b1, b2 = network.biases
    h = np.tanh(x @ W1.T + b1)
    e = np.exp(h @ W2.T + b2)
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(len(x)), y] -= 1
    d /= len(x)
    dh = d @ W2 * (1 - h**2)
    return {"W1": dh.T @ x, "b1": dh.sum(0), "W2": d.T @ h, "b2": d.sum(0)}
"""
FITS_THE_CLASSIFIER = (
    '@supports(activations=["tanh"], outputs=["softmax"], losses=["cross_entropy"], targets=["indices"], reductions=["mean"], '
    "single=False, layers=2) fits it; with that it is "
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("slip", "said"), [("1 - h**2", "right in all 9 equations"), ("1 - h", "WRONG; 8 of 9 equations")])
def test_undeclared_classifier_is_told_all_that_fits(slip, said):
    names = {"np": np}
    exec(CLASSIFIER.replace("1 - h**2", slip), names)
    verdict = checked(names["gradient"])
    assert (verdict.status, verdict.exit_status) == ("unjudged", 3)
    assert f"declare   {FITS_THE_CLASSIFIER}{said}" in str(verdict)
    assert ("\n  (12)      da/dz of tanh is 1 − a²\n" in str(verdict)) is (slip == "1 - h")


def test_hand_in_that_is_wrong_for_one_activation_is_no_matter_of_declaring():
    g = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "identity": lambda z: z}
    d = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a, "identity": np.ones_like}

    @supports(activations=["sigmoid", "tanh", "identity"], losses=["squared_error"], reductions=["sum"], layers=1)
    def gradient(network, x, y):
        x, y = np.atleast_2d(x), np.atleast_2d(y)
        name = network.activations[0]
        a = g[name](x @ network.weights[0].T + network.biases[0])
        dL_dz = 2 * (a - y) * d[name](a)
        return {"w1": dL_dz.T @ x, "b1": dL_dz.sum(axis=0)}

    verdict = checked(gradient)
    assert (verdict.status, verdict.declaration) == ("wrong", "")
    assert [fault.equation for fault in verdict.faults] == [12]


@pytest.mark.parametrize(
    "text",
    [
        "def gradient(network, x, y):\n    pass\n",
        "def gradient(network, x, y):\n    raise NotImplementedError\n",
        "def gradient(network, x, y):\n    return {}\n",
        "def gradient(network, x, y):\n    return ...\n",
        "def gradient(network, x, y):\n    return {f'{p}{i}': None for i, _ in enumerate(network.weights, 1) for p in 'wb'}\n",
        "class Net:\n    def __init__(self, network): pass\n    def forward(self, x): pass\n    def backward(self, y): ...\n",
        "def gradient(network, x, y):\n    raise NotImplementedError('your code here')\n",
    ],
)
def test_skeleton_is_not_done(tmp_path, text):
    file = tmp_path / "homework.py"
    file.write_text(text)
    verdict = check(file)
    assert (verdict.status, verdict.exit_status, verdict.ok) == ("undone", 3, False)
    assert str(verdict).startswith(f"{verdict.name}: not done yet\n  {file}:")
    assert verdict.to_dict()["status"] == "undone"


def test_function_that_refuses_some_networks_is_not_undone():
    @supports(activations=["identity"], losses=["squared_error"], layers=(1, 2))
    def gradient(network, x, y):
        if len(network.weights) > 1:
            raise NotImplementedError
        x, y = np.atleast_2d(x), np.atleast_2d(y)
        d = 2 * (x @ network.weights[0].T + network.biases[0] - y) / (len(x) if network.reduction == "mean" else 1)
        return {"w1": d.T @ x, "b1": d.sum(axis=0)}

    assert checked(gradient).status == "wrong"


NET = hg.Network.random([3, 2, 4], activations=["tanh", "sigmoid"], reduction="sum", seed=1)
RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4))
OWN = Support(
    weights="in-out", examples="columns", losses=["mean_squared_error"], l2=0.25, l2_form="whole", outputs=["sigmoid"]
)


def test_handed_over_network_is_laid_out_as_declared():
    network = describe(NET)
    told, x, y = handed_over(network, X, Y, OWN)
    assert [w.shape for w in told.weights] == [(3, 2), (2, 4)]
    assert [b.shape for b in told.biases] == [(2, 1), (4, 1)]
    assert (x.shape, y.shape, told.loss, told.l2) == ((3, 5), (4, 5), "mean_squared_error", 0.25)
    assert np.array_equal(x, X.T)
    assert all(np.shares_memory(a, b) for a, b in zip(told.weights, network.weights, strict=True))
    one, x1, y1 = handed_over(network, X[0], Y[0], OWN)
    assert (x1.shape, y1.shape) == ((3, 1), (4, 1))
    assert one.weights[0].shape == (3, 2)
    indices = np.array([0, 1, 2, 3, 0])
    assert handed_over(network, X, indices, OWN)[2] is indices


def test_handed_over_by_the_notes_is_what_was_given():
    network = describe(NET)
    assert handed_over(network, X, Y, Support()) == (network, X, Y)


def test_answer_put_back_equals_the_answer_by_the_notes():
    network, g = describe(NET), NET.gradient(X, Y)
    right = {**g.named(), "loss": np.asarray(g.loss), "z1": NET.trace(X, Y)[1].z, "x": g.x}
    own = {}
    for name, array in right.items():
        term = 2 * 0.25 * network.weights[int(name[1]) - 1] if name[0] == "w" else 0.0
        term = 0.25 * sum((w**2).sum() for w in network.weights) if name == "loss" else term
        number = array if name == "z1" else array / 4 + term
        own[name] = number[:, None] if name[0] == "b" else number.T
    assert {name: array.shape for name, array in own.items()} == laid_out(
        {name: array.shape for name, array in right.items()}, OWN
    )
    back = counted_back(turned_back(own, network, X, OWN), network, X, OWN)
    assert back.keys() == right.keys()
    for name, array in right.items():
        assert back[name].shape == array.shape
        assert np.abs(back[name] - array).max() <= 16 * rounding(np.float64).u * (np.abs(array).max() + 4)
        index = tuple(n - 1 for n in array.shape)
        shown = in_own_terms(name, index, float(back[name][index]), network, X, OWN)
        place = own_index(name, index, OWN)
        assert shown == pytest.approx(float(own[name][place] if name[0] != "b" else own[name][index[0], 0]), rel=1e-12)
    assert AnswerKey(network, X, Y, support=OWN).grade(back).ok


def test_grade_of_who_keeps_the_notes_has_no_more_room():
    network, g = describe(NET), NET.gradient(X, Y).named()
    plain, own = AnswerKey(network, X, Y), AnswerKey(network, X, Y, support=OWN)
    step = AnswerKey(network, X, Y, is_stepper=True)
    bounds = [[entry.allowed for entry in key.grade(g).entries] for key in (plain, own, step)]
    assert all(less < more for less, more in zip(bounds[0], bounds[1], strict=True))
    assert all(less < more < 2 * less for less, more in zip(bounds[0], bounds[2], strict=True))


def test_answer_in_the_wrong_layout_raises_in_its_own_words():
    network = describe(NET)
    g = NET.gradient(X, Y).named()
    with pytest.raises(SubmissionError, match=r"w1 in shape \(3, 2\); it gave \(2, 3\), which is the transpose"):
        arrays_of(g, network, X, "gradient", None, OWN)
    turned = {name: array.T for name, array in g.items()}
    with pytest.raises(SubmissionError, match=r"w1 in shape \(2, 3\); it gave \(3, 2\), which is the transpose"):
        arrays_of(turned, network, X, "gradient")


def test_predictions_in_columns_equal_rows():
    network = describe(NET)
    assert np.array_equal(predictions_of(NET(X).T, network, X, OWN), NET(X))
    assert np.array_equal(predictions_of(NET(X[0])[:, None], network, X[0], OWN), NET(X[0]))


class Stepper:
    """Right, and in place on what it was given."""

    def __init__(self, network):
        self.network = network

    def train(self, x, y, rate):
        x, y = np.atleast_2d(x, y)
        (w,), (b,) = self.network.weights, self.network.biases
        d = 2 * (x @ w.T + b - y)
        w -= rate * d.T @ x
        b -= rate * d.sum(axis=0)

    def parameters(self):
        return {"w1": self.network.weights[0], "b1": self.network.biases[0]}


ONLY = {"activations": ["identity"], "losses": ["squared_error"], "reductions": ["sum"], "layers": 1}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradient_of_a_step_matches_handgrad(dtype):
    net = hg.Network.random([3, 2], activations=["identity"], reduction="sum", seed=2, dtype=dtype)
    x, y = RNG.normal(size=(4, 3)).astype(dtype), RNG.normal(size=(4, 2)).astype(dtype)
    network = describe(net)
    before = {name: array.copy() for name, array in network.named().items()}
    found = Local(Stepper).gradient(network, x, y).arrays
    right = net.gradient(x, y).named()
    u = rounding(dtype).u
    for name, array in right.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, array.dtype)
        assert np.abs(found[name] - array).max() <= 32 * u * np.abs(array).max()
        assert np.array_equal(network.named()[name], before[name])


def test_class_that_only_steps_is_right():
    verdict = checked(supports(**ONLY)(Stepper))
    assert (verdict.ok, verdict.share[0]) == (True, verdict.share[1])
    assert verdict.notes == ()


def test_step_taken_before_going_on_is_wrong():
    eleven = next(each for each in CONVENTIONAL if each.name == "a-step-without-biases")
    early = "        l1_error = l2_delta.dot(self.syn1.T)\n"
    step = "        self.syn1 += rate * l1.T.dot(l2_delta)\n"
    text = eleven.text.replace(step, "").replace(early, step + early)
    assert text != eleven.text
    names = {"np": np}
    exec(text, names)
    verdict = checked(supports(**eleven.declared, **eleven.convention)(names["Net"]))
    assert verdict.status == "wrong"
    assert {entry.name for entry in verdict.grade.wrong} == {"w1"}


def test_stepping_file_in_a_process_of_its_own_is_right(tmp_path):
    file = tmp_path / "net.py"
    each = next(each for each in CONVENTIONAL if each.name == "a-step-without-biases")
    arguments = ", ".join(f"{name}={value!r}" for name, value in {**each.declared, **each.convention}.items())
    text = each.text.replace("class Net:", f"@supports({arguments})\nclass Net:")
    file.write_text(f"import numpy as np\nfrom verification import supports\n{text}")
    assert check(file, examples=40).ok
    # Undeclared, in its process: what fits is found there, too.
    file.write_text(f"import numpy as np\n{each.text}")
    verdict = check(file, examples=40)
    assert (verdict.status, verdict.with_it.ok) == ("unjudged", True)


def test_infinite_loss_beside_a_right_gradient_is_a_note():
    @supports(
        activations=["softmax"], losses=["cross_entropy"], targets=["one_hot"], reductions=["sum"], single=False, layers=1
    )
    def gradient(network, x, y):
        z = x @ network.weights[0].T + network.biases[0]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        # log 0 from a probability on that float16 would hold as 0, in a few of the ordinary networks.
        loss = np.where((p < 1e-5).any(), np.inf, -np.sum(y * np.log(p)))
        return {"w1": (p - y).T @ x, "b1": (p - y).sum(axis=0), "loss": loss}

    verdict = checked(gradient)
    assert verdict.ok, str(verdict)
    assert any("the loss" in note.text for note in verdict.notes)


@pytest.mark.parametrize(
    ("old", "new", "equations"),
    [
        ("a * (1 - a)", "(a * (1 - a) + 0.1 * a**3)", {12}),
        ("(a - y)", "np.sinh(a - y)", {4}),
        # Of one unit with one input, which is what is left of the network, any factor may be the one.
        ("d.T @ x", "d.T @ (x + 0.1 * x**2)", {12, 13}),
        ("d.T @ x", "d.T @ x + 0.1 * (len(x) > 2) * d.sum() * x.sum()", {11}),
        ("(x @ w.T)", "(x @ w.T + 0.3)", {8, 9}),
    ],
)
def test_wrong_hand_in_without_biases_is_blamed_on_its_equation(old, new, equations):
    text = """
def gradient(network, x, y):
    x, y, w = np.atleast_2d(x), np.atleast_2d(y), network.weights[0]
    a = 1 / (1 + np.exp(-(x @ w.T)))
    d = (a - y) * a * (1 - a)
    return {"w1": d.T @ x}
"""
    assert text.count(old) == 1
    names = {"np": np}
    exec(text.replace(old, new), names)
    declared = {
        "activations": ["sigmoid"],
        "losses": ["half_squared_error"],
        "reductions": ["sum"],
        "biases": False,
        "layers": 1,
    }
    verdict = checked(supports(**declared)(names["gradient"]))
    assert verdict.status == "wrong"
    assert verdict.blame.equation in equations, str(verdict)


def test_details_of_what_is_not_yet_judged_is_those_with_the_declaration():
    each = next(each for each in CONVENTIONAL if each.name == "examples-as-columns")
    verdict = checked(each.submission(wrong=True, conventions=False))
    details = story(verdict, verbose=True).removeprefix(str(verdict))
    assert details.startswith("\n\nReport card\n")
    assert "(12) tanh          WRONG" in details
    assert "All by the notes' conventions, to which the answer was put back." in details
    assert details == story(verdict.with_it, verbose=True).removeprefix(str(verdict.with_it))


def test_declaration_of_a_remote_submission_is_that_of_its_next_process(tmp_path):
    file = tmp_path / "homework.py"
    file.write_text(
        "import os\n"
        "def gradient(network, x, y):\n"
        "    if x.shape[0] == 1: os._exit(1)\n"
        "    return {'w1': x[:, :1] + network.l2, 'b1': x[:1, 0]}\n"
    )
    network = describe(hg.Network([hg.Dense(np.zeros((1, 3)), np.zeros(1))]))
    one = np.arange(3.0)[None]
    own = Support(examples="columns", weights="in-out", l2=0.5, outputs=["identity"], losses=["squared_error"])
    with open_submission(file) as subject:
        assert subject.support == Support()
        with pytest.raises(SubmissionError, match="ended the whole process"):
            subject.gradient(network, one, np.zeros((1, 1)))
        subject.declare(own)
        for _ in range(2):
            found = subject.gradient(network, one, np.zeros((1, 1))).arrays
            assert np.array_equal(found["w1"], [[0.5, 1.5, 2.5]])
            assert np.array_equal(found["b1"], [0.0])
            subject.close()


YES_OR_NO = """
def gradient(network, x, y):
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    a = 1 / (1 + np.exp(-(x @ network.weights[0].T + network.biases[0])))
    d = DERIVATIVE
    return {"w1": d.T @ x, "b1": d.sum(axis=0)}
"""


@pytest.mark.parametrize(
    ("derivative", "fits"),
    [
        ("a - y", True),
        # It means the squared error where it is asked for it, and is wrong there.
        ("a - y if network.loss == 'binary_cross_entropy' else 2 * (a - y) * a", False),
    ],
)
def test_binary_cross_entropy_is_named_where_no_other_loss_is_meant(derivative, fits):
    names = {"np": np}
    exec(YES_OR_NO.replace("DERIVATIVE", derivative), names)
    declared = {"activations": ["sigmoid"], "losses": ["squared_error"], "reductions": ["sum"], "layers": 1}
    verdict = checked(supports(**declared)(names["gradient"]))
    assert verdict.status == "wrong"
    assert (verdict.declaration == 'losses=["binary_cross_entropy"]') is fits


class Descends:
    """Right, by ½ Σ (a − y)² or by cross-entropy, and makes its own step."""

    def __init__(self, network):
        self.network, self.w, self.b = network, network.weights[0].copy(), network.biases[0].copy()

    def forward(self, x):
        self.x = np.atleast_2d(x)
        z = self.x @ self.w.T + self.b
        if self.network.activations[0] == "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            z = e / e.sum(axis=1, keepdims=True)
        self.a = z

    def backward(self, y):
        d = self.a - np.asarray(y).reshape(self.a.shape)
        self.g = {"w1": d.T @ self.x, "b1": d.sum(axis=0)}
        return {name: array.copy() for name, array in self.g.items()}

    def descend(self, rate):
        self.w -= rate * self.g["w1"]
        self.b -= rate * self.g["b1"]

    def parameters(self):
        return {"w1": self.w.copy(), "b1": self.b.copy()}


@pytest.mark.parametrize(
    "outputs",
    [{"outputs": ["softmax"], "losses": ["cross_entropy"]}, {"outputs": ["identity"], "losses": ["half_squared_error"]}],
)
def test_step_of_each_loss_is_judged_by_its_own_factor(outputs):
    declared = {"activations": ["identity"], "targets": ["one_hot"], "reductions": ["sum"], "layers": 1, "dtypes": ["float64"]}
    assert checked(supports(**declared, **outputs)(Descends)).ok
    net = hg.Network.random([2, 2], activations=["softmax"], loss="cross_entropy", seed=0)
    local = Local(supports(losses=["half_squared_error", "cross_entropy"])(Descends))
    instance = local.build(describe(net))
    local.forward(instance, describe(net), np.ones((1, 2)))
    local.backward(instance, describe(net), np.ones((1, 2)), np.array([[1.0, 0.0]]))
    before, g = instance.w.copy(), instance.g["w1"]
    local.descend(instance, describe(net), 0.125)
    assert np.array_equal(instance.w, before - 0.125 * g)


@pytest.mark.parametrize("axes", [2, 3])
def test_jacobian_of_one_example_in_columns_is_taken_with_and_without_its_axis(axes):
    net = hg.Network.random([2, 3], activations=["softmax"], seed=0)
    network, x = describe(net), np.ones((1, 2))
    jacobian = np.arange(9.0).reshape(3, 3)
    given = {"w1": np.zeros((3, 2)), "b1": np.zeros((3, 1)), "da_dz1": jacobian[None] if axes == 3 else jacobian}
    for each, shape in ((x, (1, 3, 3)), (x[0], (3, 3))):
        found = arrays_of(given, network, each, "gradient", None, Support(examples="columns"))["da_dz1"]
        assert found.shape == shape
        assert np.array_equal(found.reshape(3, 3), jacobian)


@pytest.mark.parametrize(
    "declared",
    [
        {"activations": ["identity"], "layers": 5, "least_width": 20},
        {"activations": ["sigmoid"], "losses": ["squared_error"], "widths": (784, 30, 10), "batches": False},
        {"activations": ["relu", "identity", "leaky_relu"], "layers": 12, "widths": 7},
    ],
)
def test_wide_and_deep_networks_is_drawn_with_smaller_weights(declared):
    questions = Questions(Support(**declared))
    for of in (ORDINARY, CORNERS):
        for number in range(2):
            assert questions.is_fit(questions.case(number, of=of), corners=of == CORNERS)


def test_mean_and_l2_together_is_right_without_a_note():
    text = MEAN_AND_L2
    names = {"np": np}
    exec(text, names)
    declared = {"activations": ["sigmoid", "identity"], "losses": ["mean_squared_error"], "reductions": ["sum"], "l2": 100.0}
    verdict = checked(supports(**declared, widths=(2, 40), dtypes=["float64"])(names["gradient"]))
    assert (verdict.ok, [note.text for note in verdict.notes]) == (True, []), str(verdict)


MEAN_AND_L2 = """
def gradient(network, x, y):
    x, y, w = np.atleast_2d(x), np.atleast_2d(y), network.weights[0]
    z = x @ w.T + network.biases[0]
    e = np.exp(-np.abs(z))
    s = network.activations[0] == "sigmoid"
    a = np.where(z > 0, 1 / (1 + e), e / (1 + e)) if s else z
    d = 2 * (a - y) / y.shape[1] * (e / (1 + e) ** 2 if s else 1)
    return {"w1": d.T @ x + network.l2 * w, "b1": d.sum(axis=0)}
"""


def test_another_squared_error_than_declared_is_named():
    names = {"np": np}
    exec(YES_OR_NO.replace("DERIVATIVE", "2 * (a - y) * a * (1 - a)"), names)
    declared = {"activations": ["sigmoid"], "losses": ["half_squared_error"], "reductions": ["sum"], "layers": 1}
    verdict = checked(supports(**declared)(names["gradient"]))
    assert (verdict.status, verdict.declaration) == ("wrong", 'losses=["squared_error"]')


def test_forgotten_bias_is_not_taken_for_none():
    names = {"np": np}
    text = """
def gradient(network, x, y):
    (w1, w2), (b1, b2) = network.weights, network.biases
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    h = np.tanh(x @ w1.T + b1)
    d = 2 * (h @ w2.T + b2 - y)
    return {"w1": (d @ w2 * (1 - h**2)).T @ x, "w2": d.T @ h, "b2": d.sum(axis=0)}
"""
    exec(text, names)
    declared = {
        "activations": ["tanh"],
        "outputs": ["identity"],
        "losses": ["squared_error"],
        "reductions": ["sum"],
        "layers": 2,
    }
    verdict = checked(supports(**declared)(names["gradient"]))
    assert (verdict.status, verdict.declaration) == ("unjudged", "")
    assert "must return 'b1', too" in verdict.error


def test_undeclared_regression_is_told_its_linear_output():
    names = {"np": np}
    text = """
class Net:
    def __init__(self, network):
        (self.W1, self.W2), (self.b1, self.b2) = network.weights, network.biases

    def train(self, x, y, rate):
        h = np.maximum(0, x @ self.W1.T + self.b1)
        d = 2 * (h @ self.W2.T + self.b2 - y) / len(x)
        dh = d @ self.W2 * (h > 0)
        self.W2 -= rate * d.T @ h
        self.b2 -= rate * d.sum(axis=0)
        self.W1 -= rate * dh.T @ x
        self.b1 -= rate * dh.sum(axis=0)

    def parameters(self):
        return {"W": [self.W1, self.W2], "b": [self.b1, self.b2]}
"""
    exec(text, names)
    verdict = checked(names["Net"])
    assert verdict.status == "unjudged"
    for said in ('activations=["relu"]', 'outputs=["identity"]', 'reductions=["mean"]', "layers=2"):
        assert said in verdict.declaration, verdict.declaration
    assert verdict.with_it.ok
    step = "        self.W2 -= rate * d.T @ h\n"
    early = text.replace(step, "").replace("        dh =", step + "        dh =")
    exec(early, names)
    only = {"activations": ["relu"], "outputs": ["identity"], "losses": ["squared_error"], "reductions": ["mean"], "layers": 2}
    verdict = checked(supports(**only, single=False)(names["Net"]))
    assert (verdict.status, verdict.blame.equation) == ("wrong", 14)
    assert "here: the weights have been changed before the error goes back through them" in str(verdict)
    assert [row.equation for row in verdict.card if row.state == "wrong"] == ["(14)"]


def test_wrong_hand_in_that_ends_in_errors_is_not_taken_for_one_of_fewer_layers():
    for name in ("first-z-for-all-layers", "upstream-transposed"):
        mistake = next(mistake for mistake in MISTAKES if mistake.name == name)
        verdict = checked(mistake.submission)
        assert (verdict.status, verdict.declaration) == ("wrong", ""), str(verdict)
        assert mistake.equation in {fault.equation for fault in verdict.faults}, str(verdict)


def test_wrong_hand_in_of_sigmoids_alone_is_not_taken_for_one_of_two_layers():
    names = {"np": np}
    text = """
def gradient(network, x, y):
    a = [np.atleast_2d(x)]
    for w, b in zip(network.weights, network.biases):
        a.append(1 / (1 + np.exp(-(a[-1] @ w.T + b))))
    d = 2 * (a[-1] - np.atleast_2d(y)) * a[-1] * (1 - a[-1])
    found = {}
    for i in range(len(network.weights), 0, -1):
        found[f"w{i}"], found[f"b{i}"] = d.T @ a[i - 1], d.sum(axis=0)
        d = d @ network.weights[i - 1] * (a[1] * (1 - a[1]) if i > 1 else 1)
    return found
"""
    exec(text, names)
    verdict = checked(names["gradient"])
    assert "layers" not in verdict.declaration
    assert verdict.with_it is None or not verdict.with_it.ok
    only = {"activations": ["sigmoid"], "losses": ["squared_error"], "reductions": ["sum"]}
    verdict = checked(supports(**only)(names["gradient"]))
    assert (verdict.status, verdict.declaration) == ("wrong", "")
    assert 12 in {fault.equation for fault in verdict.faults}


def test_declaration_that_allows_no_ordinary_network_is_one_sentence(monkeypatch):
    monkeypatch.setattr("verification.checking.questions.LARGEST_Z", -1.0)
    monkeypatch.setattr("verification.checking.questions.GIVEN_UP_AT", 120)
    verdict = checked(supports(**ONLY)(Stepper))
    assert (verdict.status, verdict.exit_status) == ("unjudged", 3)
    assert verdict.error == "no network of ordinary numbers was found that @supports(...) allows: let it allow more"
