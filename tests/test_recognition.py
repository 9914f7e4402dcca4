"""Which classic mistake is claimed: only one whose numbers are the submission's own, on every network."""

from itertools import pairwise

import numpy as np
import pytest

import handgrad as hg
from verification.checking.recognition import answer, perform, recognise, recognise_in_protocol
from verification.mistakes import MISTAKES
from verification.mistakes.reference import RIGHT, Backprop, exchanged, gradient_with
from verification.submissions.answers import SubmissionError
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.protocol import Scene, scenes, steps

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
KINDS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")


def drawn(seed, dtype=np.float64, names=KINDS, count=3):
    """A network of 2 or 3 layers with a batch, or with one example for every third seed."""
    rng = np.random.default_rng([seed, 7])
    widths = rng.integers(1, 4, 3 + seed % 2).tolist()
    layers = [
        hg.Dense(
            rng.normal(size=(n, n_prev)).astype(dtype), rng.normal(size=n).astype(dtype), names[int(rng.integers(len(names)))]
        )
        for n_prev, n in pairwise(widths)
    ]
    net = hg.Network(layers, reduction=("sum", "mean")[seed % 2])
    x, y = rng.normal(size=(count, widths[0])).astype(dtype), rng.normal(size=(count, widths[-1])).astype(dtype)
    return Scene(describe(net), *((x[0], y[0]) if seed % 3 == 0 else (x, y)))


SCENES = [drawn(seed) for seed in range(12)]


def claimed(submission, of=SCENES):
    return [mistake.name for mistake in recognise(of, [answer(Local(submission), scene) for scene in of])]


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
    ],
)
def test_mistake_is_claimed_where_every_network_agrees(name):
    assert claimed(BY_NAME[name].submission) == [name]


@pytest.mark.parametrize("factor", [0.5000001, 0.75, -0.5])
def test_mistake_scaled_differently_is_not_claimed(factor):
    scaled = gradient_with(exchanged(output_derivative=lambda layer: 2 * factor * (layer.a - layer.run.y)))
    assert claimed(scaled) == []
    half = gradient_with(exchanged(output_derivative=lambda layer: layer.a - layer.run.y))
    assert claimed(half) == ["output-without-2"]


def test_mistake_is_not_claimed_if_one_network_of_many_differs():
    mistake = BY_NAME["output-without-2"].submission

    def all_but_one(network, x, y):
        return (gradient_with(RIGHT) if np.array_equal(x, SCENES[-1].x) else mistake)(network, x, y)

    answers = [answer(Local(all_but_one), scene) for scene in SCENES]
    assert recognise(SCENES, answers) == []
    assert [each.name for each in recognise(SCENES[:-1], answers[:-1])] == ["output-without-2"]


def test_mistake_with_another_loss_is_not_claimed():
    def with_another_loss(network, x, y):
        found = BY_NAME["output-without-2"].submission(network, x, y)
        return found | {"loss": found["loss"] / 3}

    def without_a_loss(network, x, y):
        found = BY_NAME["output-without-2"].submission(network, x, y)
        return {name: array for name, array in found.items() if name != "loss"}

    assert claimed(with_another_loss) == []
    # What is not given is no difference.
    assert claimed(without_a_loss) == ["output-without-2"]


def test_mistakes_that_the_networks_do_not_tell_apart_is_both():
    """With sigmoid layers alone nothing tells what is wrong with another activation."""
    of = [drawn(seed, names=("sigmoid",)) for seed in range(6)]
    assert claimed(BY_NAME["sigmoid-sign"].submission, of) == ["sigmoid-sign"]
    narrow = [
        Scene(describe(hg.Network([hg.Dense([[0.5]], [0.25], "sigmoid")])), np.array([x]), np.array([0.5]))
        for x in (0.5, 2.0, -1.5)
    ]
    both = claimed(gradient_with(exchanged(output_derivative=lambda layer: layer.run.y * 2 - 2 * layer.a)), narrow)
    assert {"output-sign"} <= set(both)
    assert "output-without-2" not in both


def test_error_kind_is_compared():
    """Where the mistake ends in an error, the submission must end in the same kind, and nowhere else."""
    mistake = BY_NAME["forward-weights-not-transposed"]
    answers = [answer(Local(mistake.submission), scene) for scene in SCENES]
    errors = [place for place, each in enumerate(answers) if isinstance(each, str)]
    assert errors
    assert {answers[place] for place in errors} == {"raised"}
    assert mistake in recognise(SCENES, answers)
    for instead in ("shape", answer(Local(gradient_with(RIGHT)), SCENES[errors[0]])):
        changed = [*answers]
        changed[errors[0]] = instead
        assert mistake not in recognise(SCENES, changed)


def test_answer_of_an_error_is_its_kind():
    def of(returned):
        return answer(Local(lambda network, x, y: returned), SCENES[0])

    assert of(None) == "returned"
    assert of({}) == "missing"
    # Another name is another mistake: w0 is a layer counted from 0, and nonsense is not.
    assert (of({"w0": 0.0}), of({"nonsense": 0.0})) == ("unknown w0", "unknown nonsense")
    assert answer(Local(lambda network, x, y: 1 / 0), SCENES[0]) == "raised"
    assert sorted(answer(Local(gradient_with(RIGHT)), SCENES[0])) == sorted(gradient_with(RIGHT)(*vars(SCENES[0]).values()))


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
    answers = [answer(Local(gradient_with(half)), scene) for scene in of]
    names = [mistake.name for mistake in recognise(of, answers, strict_kinks=strict)]
    assert ("output-without-2" in names) == claims


def test_shapes_that_differ_is_not_the_same():
    scene = SCENES[1]
    answers = [dict(answer(Local(BY_NAME["output-without-2"].submission), scene))]
    answers[0]["w1"] = answers[0]["w1"][..., :0]
    assert recognise([scene], answers) == []


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


def test_outcome_of_an_error_is_compared():
    rows = rows_of_calls((1,))
    mistake = BY_NAME["cache-popped-in-backward"]
    outcome = perform(Local(mistake.submission), *rows[0])
    assert outcome == "raised"
    assert mistake in recognise_in_protocol(rows, [outcome])
    assert mistake not in recognise_in_protocol(rows, ["shape"])


def test_outcome_with_other_changes_is_not_the_same():
    rows = rows_of_calls((1,))
    mistake = BY_NAME["gradient-arrays-reused"]
    outcome = perform(Local(mistake.submission), *rows[0])
    assert outcome.changes
    assert mistake in recognise_in_protocol(rows, [outcome])
    fewer = type(outcome)(outcome.observations, outcome.changes[1:])
    assert mistake not in recognise_in_protocol(rows, [fewer])


def test_answers_and_networks_of_different_numbers_raises():
    with pytest.raises(ValueError, match="shorter"):
        recognise(SCENES[:2], ["raised"])


def test_child_that_cannot_answer_is_its_kind():
    class Ended:
        def gradient(self, network, x, y):
            raise SubmissionError("its code ended the whole process", kind="ended")

    assert answer(Ended(), SCENES[0]) == "ended"
