"""Which faults are claimed: only those that together give the submission's own numbers, on every network that was asked."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import handgrad as hg
from handgrad.losses import JOINED, LOSSES
from verification.checking import card
from verification.checking.explanation import ENOUGH, Search, tell_apart
from verification.checking.faults import CIRCUMSTANCES, catalogued, concerning, narrowed, rows_of
from verification.checking.measuring import constant
from verification.checking.witnesses import agree, answer, explains, matched, told_by, witness
from verification.mistakes import MISTAKES
from verification.mistakes.carrying import Changed, Exchange, gradient_carrying
from verification.mistakes.reference import RIGHT, exchanged, gradient_with, without_intermediates
from verification.submissions.answers import SubmissionError
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.protocol import Scene
from verification.submissions.support import Support

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
FAULTS = {fault.name: fault for fault in reversed(catalogued())}
KINDS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")
FEW = ("identity", "sigmoid")
BARE = without_intermediates(gradient_with(RIGHT))


def drawn(seed, names=KINDS, layers=(1, 4), widths=(1, 4), loss="squared_error", counts=(0, 1, 2, 3, 4)):
    """A network with data, of so many examples in turn; 0 of `counts` is one example without a batch axis."""
    rng = np.random.default_rng([seed, 7])
    depth = layers if isinstance(layers, int) else int(rng.integers(*layers))
    sizes = rng.integers(*widths, depth + 1).tolist()
    chosen = [names[int(place)] for place in rng.integers(len(names), size=depth)]
    if loss == "cross_entropy":
        sizes[-1], chosen[-1] = max(sizes[-1], 2), "softmax"
    made = [
        hg.Dense(rng.normal(size=(n, n_prev)), rng.normal(size=n), name)
        for (n_prev, n), name in zip(pairwise(sizes), chosen, strict=True)
    ]
    net = hg.Network(made, loss, ("sum", "mean")[seed // 2 % 2])
    count = counts[seed % len(counts)]
    x, y = rng.normal(size=(count or 1, sizes[0])), rng.normal(size=(count or 1, sizes[-1]))
    if loss == "cross_entropy":
        y = rng.integers(sizes[-1], size=count or 1)
    return Scene(describe(net), x if count else x[0], y if count else np.asarray(y[0]))


SCENES = [drawn(seed) for seed in range(16)]
# With two activations and few of their mistakes the search is soon done.
SMALL = [drawn(seed, FEW) for seed in range(18)]
ONE = [drawn(seed, FEW, layers=1) for seed in range(12)]
CLASSES = [drawn(seed, FEW, loss="cross_entropy") for seed in range(12)]


def seen_by(submission, of, **options):
    return [witness(scene, answer(Local(submission), scene), **options) for scene in of]


def searched(submission, of=SMALL, activations=FEW, losses=("squared_error",)):
    return Search(seen_by(submission, of), activations, losses).best()


def claimed(submission, of=SMALL, activations=FEW, losses=("squared_error",)):
    return [[fault.name for fault in model] for model in searched(submission, of, activations, losses)]


def in_every_kind(submission, of=SCENES):
    return claimed(submission, of, KINDS)


def together(*names, where=""):
    """The submission that makes several mistakes of the catalogue and gives derivatives and loss alone."""
    return gradient_carrying([Exchange(BY_NAME[name].steps, where) for name in names])


def wrong(**steps):
    return without_intermediates(gradient_with(exchanged(**steps)))


def own(name):
    return BY_NAME[name].submission


def without_loss(submission):
    def gradient(network, x, y):
        return {name: array for name, array in submission(network, x, y).items() if name != "loss"}

    return gradient


PLANTED = (
    *("output-without-2", "output-2-twice", "sigmoid-sign", "sigmoid-plus", "input-squared", "bias-mean", "mean-missing"),
    *("forward-without-bias", "forward-mean-of-inputs", "loss-halved", "bias-subtracted", "bias-is-a-constant"),
    *("upstream-sign", "weights-without-upstream", "weights-clipped", "error-clipped", "joined-clipped"),
    *("half-squared-error", "mean-squared-error"),
)


@pytest.fixture
def few_mistakes(monkeypatch):
    """Look through a fifth of the catalogue, with whatever is planted here: the same code, sooner done."""
    fewer = tuple(fault for place, fault in enumerate(catalogued()) if place % 5 == 0 or fault.name in PLANTED)
    monkeypatch.setattr("verification.checking.explanation.catalogued", lambda: fewer)


@pytest.fixture
def few_trials(monkeypatch):
    """Give the search up soon where there is nothing to be found."""
    monkeypatch.setattr("verification.checking.explanation.MOST_TRIALS", 1500)


# One mistake.


@pytest.mark.parametrize(
    "name",
    [
        "output-without-2",
        "bias-subtracted",
        "forward-mean-of-inputs",
        "weights-without-g-prime",
        "upstream-without-g-prime",
        "mean-missing",
        "loss-halved",
        "tanh-without-square",
    ],
)
def test_mistake_is_claimed_where_every_network_agrees(name):
    assert in_every_kind(own(name)) == [[name]]
    assert in_every_kind(without_intermediates(own(name))) == [[name]]


def test_right_submission_is_claimed_nothing_of():
    assert in_every_kind(BARE) == []
    assert Search([], KINDS, ("squared_error",)).best() == []


@pytest.mark.parametrize("factor", [0.5000001, 0.75, -0.5])
def test_mistake_scaled_differently_is_measured_and_not_claimed(factor, few_mistakes):
    scaled = wrong(output_derivative=lambda layer: 2 * factor * (layer.a - layer.run.y))
    (model,) = searched(scaled)
    assert [(fault.name, fault.mistake, fault.equation) for fault in model] == [("output-times", None, 4)]
    assert model[0].thought == f"dL/da at the output is {factor:g} times what it should be"
    half = wrong(output_derivative=lambda layer: layer.a - layer.run.y)
    assert claimed(half) == [["output-without-2"]]


def test_mistake_is_not_claimed_if_one_network_of_many_differs(few_trials):
    mistake = without_intermediates(own("output-without-2"))

    def all_but_one(network, x, y):
        return (BARE if np.array_equal(x, SMALL[-1].x) else mistake)(network, x, y)

    evidence = seen_by(all_but_one, SMALL)
    assert not explains((FAULTS["output-without-2"],), evidence)
    assert Search(evidence, FEW, ("squared_error",)).best() == []
    assert explains((FAULTS["output-without-2"],), evidence[:-1])
    assert [[fault.name for fault in model] for model in Search(evidence[:-1], FEW, ("squared_error",)).best()] == [
        ["output-without-2"]
    ]


def test_mistake_with_another_loss_is_both(few_mistakes):
    def with_another_loss(network, x, y):
        found = own("output-without-2")(network, x, y)
        return found | {"loss": found["loss"] / 3}

    models = searched(without_intermediates(with_another_loss))
    assert [fault.name for fault in models[0]] == ["output-without-2", "loss-times"]
    assert models[0][1].thought == "the loss is 1/3 of what it should be"
    # What is not given is no difference; then nothing tells a loss with 1/2 from it.
    assert claimed(without_loss(own("output-without-2"))) == [["output-without-2"], ["half-squared-error"]]


def test_mistakes_that_the_networks_do_not_tell_apart_is_both():
    """With sigmoid layers alone nothing tells what is wrong with another activation."""
    of = [drawn(seed, ("sigmoid",)) for seed in range(8)]
    assert claimed(own("sigmoid-sign"), of) == [["sigmoid-sign"]]
    narrow = [
        Scene(describe(hg.Network([hg.Dense([[0.5]], [0.25], "sigmoid")])), np.array([x]), np.array([0.5]))
        for x in (0.5, 2.0, -1.5, 1.0)
    ]
    both = claimed(wrong(output_derivative=lambda layer: layer.run.y * 2 - 2 * layer.a), narrow)
    assert ["output-sign"] in both
    assert len(both) > 1
    assert ["output-without-2"] not in both


# Several.


@pytest.mark.parametrize(
    ("names", "equations"),
    [
        (("output-without-2", "sigmoid-sign"), {4, 12}),
        (("bias-mean", "upstream-sign"), {7, 14}),
        (("forward-without-bias", "sigmoid-plus"), {8, 12}),
        (("input-squared", "mean-missing"), {11, 13}),
    ],
)
def test_two_mistakes_is_found_together(names, equations, few_mistakes):
    (model,) = searched(together(*names))
    assert {fault.name for fault in model} == set(names)
    assert {fault.equation for fault in model} == equations
    assert all(fault.mistake is BY_NAME[fault.name] and fault.place == "" for fault in model)
    # Neither alone gives the numbers, and both do.
    evidence = seen_by(together(*names), SMALL)
    assert explains(model, evidence)
    assert not any(explains((fault,), evidence) for fault in model)


def test_two_mistakes_is_found_in_the_whole_catalogue():
    assert [set(names) for names in claimed(together("output-without-2", "sigmoid-sign"))] == [
        {"output-without-2", "sigmoid-sign"}
    ]


def test_two_mistakes_of_which_one_hides_the_other_is_found_together(few_mistakes):
    """Without a loss every derivative is wrong until both are made."""
    of = [drawn(seed, FEW, layers=2, widths=(2, 4)) for seed in range(10)]
    names = ("output-2-twice", "forward-mean-of-inputs")
    evidence = seen_by(without_loss(together(*names)), of)
    models = Search(evidence, FEW, ("squared_error",)).best()
    assert [{fault.name for fault in model} for model in models] == [set(names)]
    # Neither alone explains a single number.
    assert all(matched((FAULTS[name],), seen)[0] == 0 for name in names for seen in evidence)


def test_three_mistakes_is_found_together(few_mistakes):
    names = {"loss-halved", "bias-subtracted", "sigmoid-sign"}
    models = searched(together(*names))
    assert {fault.name for fault in models[0]} == names
    assert {fault.equation for fault in models[0]} == {7, 10, 12}


def test_fault_that_is_not_needed_is_left_out():
    """What does as well without a fault is claimed without it, and of several sets the smallest."""
    models = searched(together("output-without-2"))
    assert [len(model) for model in models] == [1]
    # In networks without a sigmoid the second mistake cannot show.
    of = [drawn(seed, ("identity",)) for seed in range(10)]
    assert claimed(together("output-without-2", "sigmoid-sign"), of) == [["output-without-2"]]


# A layer, a circumstance.

THREE = [drawn(seed, FEW, layers=3, widths=(2, 4)) for seed in range(10)]


@pytest.mark.parametrize(
    ("name", "where", "of", "place"),
    [
        ("sigmoid-sign", "2", THREE, "in layer 2"),
        ("input-squared", "1", THREE, "in layer 1"),
        ("weights-without-upstream", "2", THREE, "in layer 2"),
        # A number names another layer in each of these.
        ("sigmoid-sign", "hidden", SMALL, "in the hidden layers"),
        ("bias-is-a-constant", "output", SMALL, "in the output layer"),
    ],
)
def test_fault_in_some_layers_alone_is_told_with_its_layer(name, where, of, place, few_mistakes):
    (model,) = searched(together(name, where=where), of)
    assert [(fault.name, fault.place) for fault in model] == [(name, place)]


def test_fault_in_every_layer_is_told_without_a_layer():
    (model,) = searched(together("sigmoid-sign"), THREE)
    assert [(fault.name, fault.place) for fault in model] == [("sigmoid-sign", "")]


@pytest.mark.parametrize("words", ["for a batch", "where the loss is a mean", "for one example without a batch axis"])
def test_fault_within_a_circumstance_is_told_with_it(words):
    half, holds = without_intermediates(own("output-without-2")), CIRCUMSTANCES[words]

    def gradient(network, x, y):
        return (half if holds(Scene(network, x, y)) else BARE)(network, x, y)

    (model,) = searched(gradient)
    assert [(fault.name, fault.place, fault.within) for fault in model] == [("output-without-2", words, words)]
    evidence = seen_by(gradient, SMALL)
    assert explains(model, evidence)
    assert not explains((FAULTS["output-without-2"],), evidence)


def test_fault_beyond_its_circumstance_is_not_claimed(few_trials):
    """In a batch that is no circumstance of any name: of two examples, and not of three."""
    half = without_intermediates(own("output-without-2"))

    def gradient(network, x, y):
        return (half if x.ndim == 2 and len(x) == 2 else BARE)(network, x, y)

    assert not any("output-without-2" in names for names in claimed(gradient))


def test_place_of_a_fault_is_its_layer_and_its_circumstance():
    fault = FAULTS["sigmoid-sign"]
    narrow = replace(fault, exchange=Exchange(fault.exchange.steps, "2"), within="for a batch")
    assert (fault.place, narrow.place) == ("", "in layer 2, for a batch")
    assert replace(narrow, within="").place == "in layer 2"


# What is measured.


def times(step, factor, where=""):
    """The submission whose step gives so many times what it should."""
    return gradient_carrying([Exchange({step: Changed(lambda before, answer: lambda layer: before(layer) * factor)}, where)])


def g_prime_times(name, factor):
    step = {name: lambda layer: factor * RIGHT.g_prime[name](layer)}
    return wrong(g_prime=step)


@pytest.mark.parametrize(
    ("submission", "of", "name", "equation", "thought"),
    [
        (times("weight_gradient", 3), SMALL, "w-times", 11, "dL/dw is 3 times what it should be"),
        (times("weight_gradient", 3, "2"), THREE, "w-times", 11, "dL/dw in layer 2 is 3 times what it should be"),
        (times("bias_gradient", 0.25), SMALL, "b-times", 7, "dL/db is 1/4 of what it should be"),
        (
            *(times("bias_gradient", -2.5, "hidden"), SMALL),
            *("b-times", 7, "dL/db in the hidden layers is -2.5 times what it should be"),
        ),
        (
            *(times("upstream", 0.5), SMALL),
            *("upstream-times", 14, "what goes back to the layer before is 1/2 of what it should be"),
        ),
        (times("output_derivative", 3.5), SMALL, "output-times", 4, "dL/da at the output is 3.5 times what it should be"),
        (g_prime_times("sigmoid", 1.5), ONE, "g-prime-times", 12, "g′ of sigmoid is 1.5 times what it should be"),
        (times("squared_error", 3), SMALL, "loss-times", 10, "the loss is 3 times what it should be"),
        (times("joined", 3), CLASSES, "joined-times", 2, "p − y comes 3 times"),
        (times("cross_entropy", 0.125), CLASSES, "loss-times", 2, "the loss is 1/8 of what it should be"),
    ],
)
def test_factor_is_measured(submission, of, name, equation, thought, few_mistakes):
    models = searched(submission, of, losses=("squared_error", "cross_entropy"))
    (fault,) = models[0]
    assert (fault.name, fault.equation, fault.thought) == (name, equation, thought)
    assert (fault.mistake, fault.known) == (None, True)


@pytest.mark.parametrize(
    ("ratios", "factor"),
    [
        ([[1.5, 1.5], [1.5]], 1.5),
        ([[1 / 3, 1 / 3 + 1e-13, 1 / 3 - 1e-13]], round(1 / 3, 12)),
        ([[-1.0, -1.0, -1.0]], -1.0),
        ([[1.5, 1.5, 1.5001]], None),
        ([[1.5, 1.5]], None),
        ([[1.0, 1.0, 1.0]], None),
        ([[1.5, 1.5, 1.5, np.nan]], None),
        ([[1.5, 1.5, 1.5, np.inf]], None),
        ([], None),
    ],
)
def test_constant_equals_the_number_that_all_ratios_are(ratios, factor):
    assert constant([np.array(each) for each in ratios]) == factor


def test_factor_that_is_not_constant_is_not_claimed(few_mistakes):
    (model,) = searched(wrong(weight_gradient=lambda layer: RIGHT.weight_gradient(layer) * (1 + 1e-4 * layer.number)))
    assert [(fault.name, fault.known) for fault in model] == [("w-otherwise", False)]


def clip(step, at):
    return times_clipped({step: at})


def times_clipped(bounds):
    steps = {
        step: Changed(lambda before, answer, at=at: lambda layer: np.clip(before(layer), -at, at))
        for step, at in bounds.items()
    }
    return gradient_carrying([Exchange(steps)])


SINGLE_CLASSES = [drawn(seed, FEW, loss="cross_entropy", counts=(0, 1)) for seed in range(24)]


def clipped_probabilities(layer):
    return np.clip(layer.a, 0.07, 0.93) - layer.run.y


@pytest.mark.parametrize(
    ("submission", "of", "name", "equation", "thought"),
    [
        (clip("weight_gradient", 0.3), SMALL, "weights-clipped", 11, "dL/dw is clipped at 0.3"),
        (
            *(times_clipped({"through_activation": 0.3, "joined": 0.3}), SMALL),
            *("error-clipped", 12, "dL/dz is clipped at 0.3"),
        ),
        (
            *(wrong(joined=clipped_probabilities), SINGLE_CLASSES),
            *("joined-clipped", 2, "probabilities are clipped to [0.07, 1 − 0.07]"),
        ),
    ],
)
def test_clip_is_told_with_its_measured_bound(submission, of, name, equation, thought, few_mistakes):
    models = searched(submission, of, losses=("squared_error", "cross_entropy"))
    (fault,) = models[0]
    assert (fault.name, fault.equation, fault.thought, fault.mistake) == (name, equation, thought, None)


def cubic(layer):
    return (layer.a - layer.run.y) ** 3


@pytest.mark.parametrize(
    ("submission", "of", "name", "equation", "place"),
    [
        (wrong(bias_gradient=lambda layer: RIGHT.bias_gradient(layer) ** 3 + 1), SMALL, "b-otherwise", 7, ""),
        (wrong(weight_gradient=lambda layer: np.sin(RIGHT.weight_gradient(layer))), SMALL, "w-otherwise", 11, ""),
        (wrong(g_prime={"sigmoid": lambda layer: np.sin(layer.z)}), SMALL, "g-prime-otherwise", 12, ""),
        (wrong(upstream=lambda layer: np.sin(RIGHT.upstream(layer))), SMALL, "upstream-otherwise", 14, "in the hidden layers"),
        (wrong(output_derivative=cubic), SMALL, "output-otherwise", 4, "in the output layer"),
        (wrong(joined=lambda layer: np.sin(RIGHT.joined(layer))), CLASSES, "joined-otherwise", 2, ""),
        (wrong(squared_error=lambda layer: ((layer.a - layer.run.y) ** 4).sum(axis=1)), SMALL, "loss-otherwise", 10, ""),
    ],
)
def test_step_that_does_something_unknown_is_told_by_its_place(submission, of, name, equation, place, few_mistakes):
    models = searched(submission, of, losses=("squared_error", "cross_entropy"))
    (fault,) = models[0]
    assert (fault.name, fault.equation, fault.place, fault.mistake, fault.known) == (name, equation, place, None, False)


def test_steps_that_do_something_unknown_is_not_claimed_where_nothing_is_left_to_compare(few_mistakes):
    """A g that is no other's: every number of the answer is wrong, and no step of the way back."""
    another = wrong(g={"sigmoid": lambda z, slope: RIGHT.g["sigmoid"](z, slope) + 0.1 * z})
    models = searched(without_loss(another))
    for model in models:
        assert not {"w", "b"} <= frozenset().union(*(fault.ignores for fault in model))


# What is not enough to claim.


def chains(count):
    """Networks of one unit a layer, where w is its own transpose."""
    return [drawn(seed, FEW, widths=(1, 2)) for seed in range(count)]


def oblong(count):
    """Networks where w is not square, so that its transpose does not fit."""
    found = (drawn(seed, FEW, layers=1, widths=(1, 5)) for seed in range(1000))
    return [scene for scene in found if scene.network.widths[0] != scene.network.widths[1]][:count]


def square(count):
    return [drawn(seed, FEW, layers=1, widths=(2, 3)) for seed in range(count)]


def test_mistake_is_not_claimed_where_only_errors_coincide(few_trials):
    """It raises wherever the mistake does, and is right wherever the mistake is: that proves nothing."""

    def gradient(network, x, y):
        if network.weights[0].shape[0] != network.weights[0].shape[1]:
            raise ValueError("for some other reason")
        return BARE(network, x, y)

    of = [*chains(6), *oblong(12)]
    evidence = seen_by(gradient, of)
    # It would give all that was seen.
    assert explains((FAULTS["forward-weights-not-transposed"],), evidence)
    assert sum(seen.given == "raised" for seen in evidence) == 12
    assert Search(evidence, FEW, ("squared_error",)).best() == []
    # Wrong numbers of square layers prove it.
    mistake = without_intermediates(own("forward-weights-not-transposed"))
    assert ["forward-weights-not-transposed"] in claimed(mistake, [*of, *square(6)])


def test_mistake_is_claimed_by_the_shapes_and_names_that_it_gives():
    """Where every answer is refused, what is refused says what was done."""
    names = claimed(own("layers-counted-from-0"))
    assert names == [["layers-counted-from-0"]]
    of = [drawn(seed, FEW, layers=2, widths=(2, 5)) for seed in range(12)]
    transposed = claimed(without_intermediates(own("weights-transposed")), of)
    assert transposed == [["weights-transposed"]]


@pytest.mark.parametrize(("shown", "claims"), [(ENOUGH - 1, False), (ENOUGH, True)])
def test_mistake_is_claimed_on_enough_networks_alone(shown, claims, few_trials):
    """Sigmoid layers show it; the others are as right as the submission."""
    sigmoids = [drawn(seed, ("sigmoid",)) for seed in range(shown)]
    of = [*(drawn(seed, ("identity",)) for seed in range(8)), *sigmoids]
    evidence = seen_by(without_intermediates(own("sigmoid-sign")), of)
    assert sum(not explains((), [seen]) for seen in evidence) == shown
    assert explains((FAULTS["sigmoid-sign"],), evidence)
    models = Search(evidence, FEW, ("squared_error",)).best()
    assert (["sigmoid-sign"] in [[fault.name for fault in model] for model in models]) is claims
    assert bool(models) is claims


@pytest.mark.parametrize(("shown", "claims"), [(ENOUGH - 1, False), (ENOUGH, True)])
def test_second_mistake_is_claimed_on_enough_networks_alone(shown, claims, few_mistakes):
    sigmoids = [drawn(seed, ("sigmoid",)) for seed in range(shown)]
    of = [*(drawn(seed, ("identity",)) for seed in range(8)), *sigmoids]
    names = claimed(together("output-without-2", "sigmoid-sign"), of)
    assert (["output-without-2", "sigmoid-sign"] in names) is claims
    assert ["output-without-2"] not in names


def test_faults_of_more_than_the_most_trials_is_none(monkeypatch):
    monkeypatch.setattr("verification.checking.explanation.MOST_TRIALS", 50)
    search = Search(seen_by(together("output-without-2", "sigmoid-sign"), SMALL), FEW, ("squared_error",))
    assert search.best() == []
    assert search.trials <= 50 + 4 * len(search.screen)


# Told apart.


def told_apart(names, submission, scenes):
    """The names of the models that are left, and the scenes that were asked about."""
    asked = []

    def ask(scene):
        asked.append(scene)
        return answer(Local(submission), scene)

    models = tell_apart([(FAULTS[name],) for name in names], ask, scenes)
    return [model[0].name for model in models], asked


def test_models_that_differ_elsewhere_is_told_apart_there():
    names = ["sigmoid-sign", "sigmoid-plus", "output-without-2"]
    plain = [drawn(seed, ("identity",)) for seed in range(3)]
    mixed = [drawn(seed, ("sigmoid",)) for seed in range(3)]
    for name in names:
        left, asked = told_apart(names, without_intermediates(own(name)), [*plain, *mixed])
        assert left == [name]
        # It is asked no more than it takes.
        assert len(asked) <= 3
    # Of identity layers alone the first two say the same, and nothing is asked.
    left, asked = told_apart(names[:2], without_intermediates(own("sigmoid-sign")), plain)
    assert (left, asked) == (names[:2], [])


def test_models_none_of_which_fits_elsewhere_is_all_of_them():
    names = ["sigmoid-sign", "sigmoid-plus"]
    left, asked = told_apart(names, BARE, SMALL)
    assert (left, bool(asked)) == (names, True)


def test_one_model_is_asked_nothing_about():
    left, asked = told_apart(["sigmoid-sign"], BARE, SMALL)
    assert (left, asked) == (["sigmoid-sign"], [])


# Witnesses.


def test_error_kind_is_compared():
    """Where the mistake ends in an error, the submission must end in the same kind, and nowhere else."""
    fault, submission = FAULTS["forward-weights-not-transposed"], own("forward-weights-not-transposed")
    evidence = seen_by(submission, SCENES)
    errors = [place for place, seen in enumerate(evidence) if isinstance(seen.given, str)]
    assert errors
    assert {evidence[place].given for place in errors} == {"raised"}
    assert explains((fault,), evidence)
    place = errors[0]
    for instead in ("shape", answer(Local(gradient_with(RIGHT)), SCENES[place])):
        changed = [*evidence]
        changed[place] = witness(SCENES[place], instead)
        assert not explains((fault,), changed)


def test_error_where_a_model_gives_no_number_is_the_same():
    """Where NumPy gives NaN or infinity, Python's own functions raise."""
    nan = replace(FAULTS["output-sign"], exchange=Exchange({"output_derivative": lambda layer: layer.a / 0}))
    raised = witness(SMALL[0], "raised")
    assert explains((nan,), [raised])
    assert not explains((FAULTS["output-sign"],), [raised])
    assert not explains((), [raised])


def test_answer_of_an_error_is_its_kind_with_name_and_shape():
    scene = next(scene for scene in SCENES if len(scene.network.weights) == 2)

    def of(returned):
        return answer(Local(lambda network, x, y: returned), scene)

    assert of(None) == "returned"
    assert of({}) == "missing w1"
    # Another name is another mistake: w0 is a layer counted from 0, and nonsense is not.
    assert (of({"w0": 0.0}), of({"nonsense": 0.0})) == ("unknown w0", "unknown nonsense")
    right = gradient_with(RIGHT)(*vars(scene).values())
    assert of(right | {"w1": np.zeros((7, 5))}) == "shape w1 (7, 5)"
    assert answer(Local(lambda network, x, y: 1 / 0), scene) == "raised"
    assert sorted(answer(Local(gradient_with(RIGHT)), scene)) == sorted(right)


def test_child_that_cannot_answer_is_its_kind():
    class Ended:
        def gradient(self, network, x, y):
            raise SubmissionError("its code ended the whole process", kind="ended")

    assert answer(Ended(), SCENES[0]) == "ended"


def test_names_and_shapes_that_a_model_gives_is_as_the_checker_refuses_them():
    scene = next(scene for scene in SMALL if scene.network.weights[0].shape == (2, 3) or scene.network.widths[0] == 3)
    seen = witness(scene, "returned")
    for fault, given in ((FAULTS["layers-counted-from-0"], "unknown w0"), (FAULTS["bias-over-the-units"], None)):
        told = told_by((fault,), seen)
        assert told == (given or answer(Local(own(fault.name)), scene))
        assert isinstance(told, str)


def at_a_kink(seed):
    rng = np.random.default_rng(seed)
    net = hg.Network([hg.Dense([[1.0]], [0.0], "relu"), hg.Dense(rng.normal(size=(1, 1)), rng.normal(size=1))])
    return Scene(describe(net), np.array([0.0]), rng.normal(size=1))


@pytest.mark.parametrize(("strict", "claims"), [(False, True), (True, False)])
def test_another_convention_at_a_kink_is_another_answer_only_if_strict(strict, claims):
    of = [at_a_kink(seed) for seed in range(4)]
    half = exchanged(
        output_derivative=lambda layer: layer.a - layer.run.y,
        g_prime={"relu": lambda layer: (layer.z >= 0).astype(layer.z.dtype)},
    )
    evidence = seen_by(gradient_with(half), of, strict_kinks=strict)
    assert explains((FAULTS["output-without-2"],), evidence) == claims


def test_answers_that_differ_in_shape_is_not_the_same():
    scene = SCENES[1]
    given = dict(answer(Local(own("output-without-2")), scene))
    assert explains((FAULTS["output-without-2"],), [witness(scene, given)])
    assert agree(witness(scene, given), given)
    given["w1"] = given["w1"][..., :0]
    assert not explains((FAULTS["output-without-2"],), [witness(scene, given)])
    assert not agree(witness(scene, given), answer(Local(own("output-without-2")), scene))


@pytest.mark.parametrize(("off", "same"), [(0.0, True), (1e-11, True), (1e-8, False), (1e-3, False)])
def test_answers_that_differ_by_more_than_rounding_is_not_the_same(off, same):
    scene = SCENES[1]
    right = answer(Local(BARE), scene)
    given = {name: np.asarray(array * (1 + off)) for name, array in right.items()}
    assert agree(witness(scene, given), right) is same
    assert explains((), [witness(scene, given)]) is same


def test_matched_is_how_many_quantities_agree():
    scene = next(scene for scene in SMALL if len(scene.network.weights) == 2)
    given = dict(answer(Local(BARE), scene))
    assert sorted(given) == ["b1", "b2", "loss", "w1", "w2"]
    assert matched((), witness(scene, given)) == (5, 5)
    given["w1"] = given["w1"] + 1
    assert matched((), witness(scene, given)) == (4, 5)
    assert matched((), witness(scene, "raised")) == (0, 1)
    # What is made in an unknown way is not compared; what takes numbers from one example cannot be asked of a batch.
    otherwise = replace(FAULTS["output-sign"], exchange=Exchange({}), ignores=frozenset({"w"}))
    assert matched((otherwise,), witness(scene, given)) == (3, 3)
    batch = next(scene for scene in SMALL if scene.x.ndim == 2 and len(scene.x) > 1)
    single = replace(FAULTS["output-sign"], single=True)
    assert matched((single,), witness(batch, answer(Local(BARE), batch))) == (0, 0)


def test_size_and_example_of_a_witness_is_its_network_and_its_data():
    net = hg.Network([hg.Dense(np.ones((3, 2)), np.zeros(3)), hg.Dense(np.ones((1, 3)), np.zeros(1))])
    x, y = np.ones((2, 2)), np.ones((2, 1))
    of = [Scene(describe(net), *data) for data in ((x, y), (x[:1], y[:1]), (x[0], y[0]))]
    assert [witness(scene, "raised").size for scene in of] == [(2, 13), (2, 11), (2, 11)]
    assert [witness(scene, "raised").single for scene in of] == [False, True, True]


# Faults.


@pytest.mark.parametrize(
    ("equation", "steps", "rows"),
    [
        (12, {"g_prime": {"sigmoid": 0, "tanh": 0}}, ("(12) sigmoid", "(12) tanh")),
        (12, {"derivative": 0}, ("(12)",)),
        (9, {"g": {"relu": 0}}, ("(9) relu",)),
        (9, {"activation": 0}, ("(9)",)),
        (2, {"joined": 0, "cross_entropy": 0}, ("(2) p − y",)),
        (2, {"cross_entropy": 0}, ("loss",)),
        (10, {"squared_error": 0}, ("loss",)),
        (11, {"alpha_gradient": 0}, ("dL/dα",)),
        (11, {"weight_gradient": 0}, ("(11)",)),
        (4, {"output_derivative": 0}, ("(4)",)),
    ],
)
def test_rows_of_a_fault_equals_those_of_its_equation(equation, steps, rows):
    assert rows_of(equation, steps) == rows


def test_rows_of_the_catalogue_is_rows_of_a_report_card():
    known = card.rows(Support(losses=LOSSES))
    for fault in catalogued():
        assert fault.rows
        for row in fault.rows:
            assert any(each == row or each.startswith(f"{row} ") for each in known), fault.name


def test_faults_of_the_catalogue_is_each_mistake_that_is_an_exchange():
    found = {fault.mistake.name for fault in catalogued() if fault.mistake is not None}
    assert found == {mistake.name for mistake in MISTAKES if mistake.steps is not None}
    conventions = {"half-squared-error", "mean-squared-error"}
    assert {fault.name for fault in catalogued() if fault.mistake is None} == {*conventions, "another-kink"}
    assert all(fault.convention is (fault.name in conventions) for fault in catalogued())
    assert all(fault.known and not fault.within and fault.place == "" for fault in catalogued())


def test_faults_that_concern_an_activation_is_those_and_what_is_of_none():
    names = {fault.name for fault in concerning(catalogued(), ("sigmoid",))}
    assert {"sigmoid-sign", "output-without-2", "mean-missing"} <= names
    assert not names & {"tanh-without-square", "relu-absolute", "leaky-sides-exchanged"}
    assert FAULTS["tanh-without-square"].activations == {"tanh"}
    assert FAULTS["output-without-2"].activations is None


def test_faults_made_in_some_layers_is_named_by_number_in_networks_of_one_depth_alone():
    fault = FAULTS["sigmoid-sign"]

    def of(layers):
        return [(each.place, each.cost) for each in narrowed([fault], layers)]

    outer = [("in the hidden layers", 2), ("in the output layer", 2)]
    assert of([1, 1]) == []
    assert of([2, 2]) == of([1, 2, 3]) == outer
    assert of([3, 3]) == [*outer, ("in layer 1", 2), ("in layer 2", 2)]
    # What belongs to no layer is made in all.
    assert narrowed([FAULTS["output-without-2"], FAULTS["mean-missing"], FAULTS["loss-halved"]], [3, 3]) == []


def scene_of(widths, count=None, loss="squared_error", reduction="sum", y=None):
    layers = [hg.Dense(np.ones((n, before)), np.zeros(n)) for before, n in pairwise(widths)]
    if loss in JOINED:
        layers[-1] = hg.Dense(layers[-1].w, layers[-1].b, JOINED[loss])
    shape = () if count is None else (count,)
    return Scene(
        describe(hg.Network(layers, loss, reduction)),
        np.ones((*shape, widths[0])),
        np.zeros((*shape, widths[-1])) if y is None else y,
    )


HOLDS = {
    "for a batch of one example": (scene_of((2, 2), 1), [scene_of((2, 2)), scene_of((2, 2), 2)]),
    "for more than one example": (scene_of((2, 2), 2), [scene_of((2, 2)), scene_of((2, 2), 1)]),
    "with one output": (scene_of((2, 1)), [scene_of((1, 2))]),
    "with several outputs": (scene_of((1, 2)), [scene_of((2, 1))]),
    "with one input": (scene_of((1, 2)), [scene_of((2, 1))]),
    "in networks with squared error": (scene_of((2, 2)), [scene_of((2, 2), loss="cross_entropy")]),
    "in networks with cross-entropy": (scene_of((2, 2), loss="cross_entropy"), [scene_of((2, 2))]),
    "in networks with binary cross-entropy": (
        scene_of((2, 2), loss="binary_cross_entropy"),
        [scene_of((2, 2)), scene_of((2, 2), loss="cross_entropy")],
    ),
    "where the loss is a mean": (scene_of((2, 2), reduction="mean"), [scene_of((2, 2))]),
    "where the loss is a sum": (scene_of((2, 2)), [scene_of((2, 2), reduction="mean")]),
    "for a batch": (scene_of((2, 2), 1), [scene_of((2, 2))]),
    "for one example without a batch axis": (scene_of((2, 2)), [scene_of((2, 2), 1)]),
    "for class indices": (scene_of((2, 2), 1, "cross_entropy", y=np.array([1])), [scene_of((2, 2), 1, "cross_entropy")]),
    "for targets as rows": (scene_of((2, 2), 1, "cross_entropy"), [scene_of((2, 2), 1, "cross_entropy", y=np.array([1]))]),
    "in square layers": (scene_of((2, 2, 2)), [scene_of((2, 2, 1)), scene_of((1, 2, 2)), scene_of((2, 1, 2))]),
    "in layers that are not square": (scene_of((2, 1, 2)), [scene_of((2, 2, 2))]),
    "in networks of one layer": (scene_of((2, 2)), [scene_of((2, 2, 2))]),
    "in networks of several layers": (scene_of((2, 2, 2)), [scene_of((2, 2))]),
}


@pytest.mark.parametrize("words", HOLDS)
def test_circumstance_is_what_its_words_say(words):
    inside, outside = HOLDS[words]
    assert CIRCUMSTANCES[words](inside)
    assert not any(CIRCUMSTANCES[words](each) for each in outside)


def test_circumstances_is_all_of_them():
    assert HOLDS.keys() == CIRCUMSTANCES.keys()
