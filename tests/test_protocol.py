"""The protocol on right submissions, and on those that only a row of calls can tell from right ones."""

import inspect
import pickle

import numpy as np
import pytest

import handgrad as hg
import verification as v
from verification.bounds.analysis import both_bounds
from verification.random_networks.plain import plain_case
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.performing import CHANGES_AT_MOST, perform
from verification.submissions.protocol import RATE, Scene, Step, replay, scenes, stepped, steps


class Net:
    """Sigmoid layers, squared error, mean over the examples: written as a student would, and right."""

    def __init__(self, network):
        self.w = [w.copy() for w in network.weights]
        self.b = [b.copy() for b in network.biases]

    def forward(self, x):
        self.a = [x]
        for w, b in zip(self.w, self.b, strict=True):
            self.a.append(1 / (1 + np.exp(-(self.a[-1] @ w.T + b))))

    def backward(self, y):
        dL_da, self.g = 2 * (self.a[-1] - y) / len(y), {}
        for number in range(len(self.w), 0, -1):
            dL_dz = dL_da * self.a[number] * (1 - self.a[number])
            self.g[f"w{number}"], self.g[f"b{number}"] = dL_dz.T @ self.a[number - 1], dL_dz.sum(axis=0)
            dL_da = dL_dz @ self.w[number - 1]
        return self.g

    def parameters(self):
        named = {}
        for number, (w, b) in enumerate(zip(self.w, self.b, strict=True), start=1):
            named |= {f"w{number}": w, f"b{number}": b}
        return named

    def descend(self, rate):
        for number in range(len(self.w)):
            self.w[number] -= rate * self.g[f"w{number + 1}"]
            self.b[number] -= rate * self.g[f"b{number + 1}"]


def gradient(network, x, y):
    net = Net(network)
    net.forward(x)
    return net.backward(y)


def sigmoids(dtype=np.float64):
    return hg.Network.random([2, 3, 2], activations=["sigmoid", "sigmoid"], seed=1, dtype=dtype)


def data(count=3, dtype=np.float64):
    rng = np.random.default_rng(5)
    return rng.normal(size=(count, 2)).astype(dtype), rng.normal(size=(count, 2)).astype(dtype)


def as_network(description):
    layers = []
    for place, (w, b) in enumerate(zip(description.weights, description.biases, strict=True)):
        layers.append(hg.Dense(w, b, description.activations[place]))
    return hg.Network(layers, description.loss, description.reduction)


def run(submission, net=None, x=None, y=None):
    if net is None:
        net, (x, y) = sigmoids(), data()
    subject = Local(submission)
    found = scenes(describe(net), x, y, seed=0)
    sizes = [size for size in ("larger", "smaller") if size in found]
    protocol = steps(subject.is_class, descends=subject.descends, parameters=subject.has_parameters, sizes=sizes)
    return subject.perform(protocol, found)


def wrong(outcome):
    """Return the names of the observations that are not a right submission's, and what was changed."""
    names = []
    for seen in outcome.observations:
        net = as_network(seen.network)
        if seen.kind == "parameters":
            right = all(np.array_equal(seen.arrays[name], array) for name, array in net.named().items())
        else:
            stable, naive = both_bounds(plain_case(net, seen.x, seen.y))
            expected = net.gradient(seen.x, seen.y).named()
            right = all((np.abs(seen.arrays[name] - expected[name]) <= stable[name] + naive[name]).all() for name in expected)
        if not right:
            names.append(seen.name)
    return names, [str(change) for change in outcome.changes]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("submission", [Net, gradient])
def test_right_submission_is_right_at_every_step(submission, count, dtype):
    outcome = run(submission, sigmoids(dtype), *data(count, dtype))
    assert wrong(outcome) == ([], [])
    names = [seen.name for seen in outcome.observations]
    assert len(set(names)) == len(names)
    assert ("a smaller batch" in names) is (count > 1)
    assert all(array.dtype == dtype for seen in outcome.observations for array in seen.arrays.values())


def test_class_without_descend_and_parameters_is_not_asked_for_them():
    class Plain:
        __init__, forward, backward = Net.__init__, Net.forward, Net.backward

    outcome = run(Plain)
    assert {seen.kind for seen in outcome.observations} == {"gradient"}
    assert "after a step" not in [seen.name for seen in outcome.observations]
    assert wrong(outcome) == ([], [])


class Accumulates(Net):
    def backward(self, y):
        before = getattr(self, "g", {})
        g = super().backward(y)
        for name in g:
            g[name] = g[name] + before.get(name, 0)
        return g


class OneBuffer(Net):
    """Hands out the arrays that it will write the next answer into."""

    def backward(self, y):
        before = getattr(self, "g", None)
        g = super().backward(y)
        if before is not None:
            for name in g:
                before[name][...] = g[name]
            self.g = before
        return self.g


class OneMapping(Net):
    """Hands out the same mapping every time, with new arrays in it."""

    kept: dict

    def backward(self, y):
        self.kept = getattr(self, "kept", {})
        self.kept.update(super().backward(y))
        return self.kept


class EmptiesItsMapping(Net):
    def forward(self, x):
        getattr(self, "g", {}).clear()
        super().forward(x)


class ScalesTheCallersX(Net):
    def forward(self, x):
        x *= 0.5
        super().forward(x)


class SubtractsFromTheCallersY(Net):
    def backward(self, y):
        y -= self.a[-1]
        return super().backward(y + self.a[-1])


class StepsOnTheCallersWeights(Net):
    def __init__(self, network):
        self.w, self.b = network.weights, network.biases


class ForwardOnlyOnce(Net):
    def forward(self, x):
        if not hasattr(self, "a") or self.a[0].shape != x.shape:
            super().forward(x)


class BatchSizeOfTheFirst(Net):
    def backward(self, y):
        self.count = getattr(self, "count", len(y))
        g = super().backward(y)
        self.g = {name: array * (len(y) / self.count) for name, array in g.items()}
        return self.g


class TargetsOfTheFirst(Net):
    def backward(self, y):
        if getattr(self, "y", None) is None or self.y.shape != y.shape or getattr(self, "x", None) is not self.a[0]:
            self.y, self.x = y, self.a[0]
        return super().backward(self.y)


class StepsInBackward(Net):
    def backward(self, y):
        g = super().backward(y)
        self.descend(0.5)
        return g


class StepsUpwards(Net):
    def descend(self, rate):
        super().descend(-rate)


class KeepsItsBiases(Net):
    def descend(self, rate):
        kept = [b.copy() for b in self.b]
        super().descend(rate)
        self.b = kept


class HidesItsParameters(Net):
    """Shows other parameters than it computes with."""

    def parameters(self):
        return {name: array + 1 for name, array in super().parameters().items()}


class StepsOnACopy(Net):
    def __init__(self, network):
        super().__init__(network)
        self.shown = super().parameters()

    def descend(self, rate):
        self.shown = {name: array - rate * self.g[name] for name, array in self.shown.items()}

    def parameters(self):
        return self.shown


class OneLongBuffer(Net):
    """Returns predictions of a dtype that no reply can hold, in memory that it writes into again."""

    kept = np.zeros(2, np.longdouble)

    def forward(self, x):
        super().forward(x)
        self.kept += 1
        return self.kept


# submission -> the first observation that must be wrong, or what must be said to have changed
ONLY_IN_A_ROW = {
    Accumulates: "after another batch",
    OneBuffer: "w1 of the answer to 'the first batch' was changed by later calls",
    OneMapping: "w1 of the answer to 'the first batch' was changed by later calls",
    EmptiesItsMapping: "w1 of the answer to 'the first batch' was changed by later calls",
    ScalesTheCallersX: "the caller's x was changed by forward",
    SubtractsFromTheCallersY: "the caller's y was changed by backward (the first batch)",
    StepsOnTheCallersWeights: "the caller's w1 was changed by descend",
    ForwardOnlyOnce: "after another batch",
    BatchSizeOfTheFirst: "a larger batch",
    TargetsOfTheFirst: "backward for other targets, forward not rerun",
    StepsInBackward: "after another batch",
    StepsUpwards: "the parameters after a step",
    KeepsItsBiases: "the parameters after a step",
    HidesItsParameters: "the parameters at the start",
    StepsOnACopy: "after a step",
}


@pytest.mark.parametrize("submission", ONLY_IN_A_ROW)
def test_class_that_errs_only_in_a_row_is_seen(submission):
    net, (x, y) = sigmoids(), data()
    names, changes = wrong(run(submission))
    seen = ONLY_IN_A_ROW[submission]
    assert seen in (changes[:1] if "changed" in seen else names[:1]) or seen in changes
    # One call alone shows nothing, but where the data itself is damaged.
    if submission is not ScalesTheCallersX:
        expected = net.gradient(x, y).named()
        stable, naive = both_bounds(plain_case(net, x, y))
        for name, array in Local(submission).gradient(describe(net), x, y).arrays.items():
            assert (np.abs(array - expected[name]) <= stable[name] + naive[name]).all()


def test_damage_is_noted_each_time_and_repaired_before_the_next_call():
    outcome = run(ScalesTheCallersX)
    arrays = {seen.name: seen.arrays["w1"] for seen in outcome.observations}
    # The same x again: had it stayed damaged, it would have been halved once more.
    np.testing.assert_array_equal(arrays["after another batch"], arrays["after other batches"])
    said = [str(change) for change in outcome.changes]
    protocol = steps(True, descends=True, parameters=True, sizes=("larger", "smaller"))
    assert len(said) == sum(step.do in ("forward", "another") for step in protocol)
    first = outcome.changes[0]
    np.testing.assert_array_equal(first.after, 0.5 * first.before)


class SpoilsAnEarlierBatch(Net):
    def forward(self, x):
        if hasattr(self, "large") and x is not self.large:
            self.large *= 2
        if len(x) == 4:
            self.large = x
        super().forward(x)


def test_damage_to_an_earlier_batch_is_seen_at_the_end():
    assert "the caller's x was changed by later calls" in wrong(run(SpoilsAnEarlierBatch))[1]


def counts_calls(network, x, y):
    counts_calls.calls = getattr(counts_calls, "calls", 0) + 1
    return {name: array * (1 + (counts_calls.calls > 1)) for name, array in gradient(network, x, y).items()}


def remembers(network, x, y):
    if not hasattr(remembers, "first"):
        remembers.first = gradient(network, x, y)
    return remembers.first


def steps_the_network(network, x, y):
    g = gradient(network, x, y)
    for number, w in enumerate(network.weights, start=1):
        w -= 0.1 * g[f"w{number}"]
    return g


BUFFER = {}


def reuses(network, x, y):
    for name, array in gradient(network, x, y).items():
        BUFFER.setdefault(name, np.empty_like(array))[...] = array
    return BUFFER


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        (counts_calls, "another network"),
        (remembers, "another network"),
        (steps_the_network, "the caller's w1 was changed by gradient (the first call)"),
        (reuses, "w1 of the answer to 'another network' was changed by later calls"),
    ],
)
def test_function_that_errs_only_in_a_row_is_seen(function, seen):
    names, changes = wrong(run(function))
    assert seen in names[:1] + changes


# One that is right, some that change what they must not, and some that answer wrong numbers.
ELSEWHERE = (
    Net,
    ScalesTheCallersX,
    StepsOnTheCallersWeights,
    OneBuffer,
    EmptiesItsMapping,
    StepsUpwards,
    HidesItsParameters,
    OneLongBuffer,
)


@pytest.mark.parametrize("submission", ELSEWHERE)
def test_outcome_equals_that_of_the_same_calls_elsewhere(submission, tmp_path):
    path = tmp_path / "homework.py"
    sources = [inspect.getsource(each) for each in dict.fromkeys((Net, submission))]
    path.write_text("import numpy as np\n\n" + "\n".join(sources), encoding="utf-8")
    net, (x, y) = sigmoids(), data()
    here = run(submission, net, x, y)
    found = scenes(describe(net), x, y, seed=0)
    with v.open_submission(path, submission.__name__) as subject:
        protocol = steps(subject.is_class, descends=True, parameters=True, sizes=("larger", "smaller"))
        there = subject.perform(protocol, found)
    for one, other in zip(here.observations, there.observations, strict=True):
        assert (one.name, one.kind) == (other.name, other.kind)
        assert_same(one.arrays, other.arrays)
        assert_same(one.network.named() | {"x": one.x, "y": one.y}, other.network.named() | {"x": other.x, "y": other.y})
    for one, other in zip(here.changes, there.changes, strict=True):
        assert str(one) == str(other)
        assert_same({"before": one.before, "after": one.after}, {"before": other.before, "after": other.after})
    assert bool(there.changes) is (submission not in (Net, StepsUpwards, HidesItsParameters))


def assert_same(arrays, others):
    assert list(arrays) == list(others)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name])
        assert (array.dtype, array.shape) == (others[name].dtype, others[name].shape)


def test_place_of_an_answer_is_that_of_the_steps():
    network, (x, y) = describe(sigmoids()), data()
    found = scenes(network, x, y, seed=0)
    given = {name: np.full_like(array, 2.0) for name, array in network.named().items()}
    told = []

    def take(step, where):
        told.append((step.do, where))
        return given if step.do in ("parameters", "backward", "gradient") else {}

    protocol = [
        Step("build"),
        Step("backward", "decoy", "first"),
        Step("forward", "larger"),
        Step("backward", "smaller", "second"),
        Step("parameters", name="third"),
        Step("another", "other"),
        Step("backward", name="fourth"),
        Step("descend"),
        Step("gradient", "other", "fifth"),
        Step("backward", name="sixth"),
    ]
    first, second, third, fourth, fifth, sixth = replay(protocol, found, take)
    assert [do for do, _ in told] == [step.do for step in protocol]
    assert (first.network, first.x, first.y) == (network, found["real"].x, found["decoy"].y)
    assert (second.network, second.x, second.y) == (network, found["larger"].x, found["smaller"].y)
    assert (third.network, third.kind) == (network, "parameters")
    assert_same(fourth.network.named(), given)
    assert (fourth.kind, fourth.x, fourth.y) == ("gradient", found["larger"].x, found["real"].y)
    assert (fifth.network, fifth.x, fifth.y) == (found["other"].network, found["other"].x, found["other"].y)
    assert_same(sixth.network.named(), {name: array - RATE * array for name, array in given.items()})


def test_parameters_are_all_that_is_kept_where_they_are_asked_for():
    class Talks(Net):
        def parameters(self):
            return {"loss": 1.0} | super().parameters()

    outcome = run(Talks)
    assert wrong(outcome) == ([], [])
    kept = [list(seen.arrays) for seen in outcome.observations if seen.kind == "parameters"]
    assert kept == [["w1", "b1", "w2", "b2"]] * 2


def test_large_and_many_changes_are_cut():
    network = describe(hg.Network.random([200, 100, 1], activations=["sigmoid", "sigmoid"], seed=0))

    def spoils(network, x, y):
        for w in network.weights:
            w += 1
        return gradient(network, x, y)

    found = scenes(network, np.ones((3, 200)), np.ones((3, 1)), seed=0)
    outcome = perform(Local(spoils), steps(False) * 100, found)
    assert len(outcome.changes) == CHANGES_AT_MOST
    sizes = {change.what: (change.before.size, change.after.size) for change in outcome.changes}
    assert sizes == {"the caller's w1": (0, 0), "the caller's w2": (100, 100)}


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda network: network.weights.pop(), True),
        (lambda network: network.biases.clear(), True),
        (lambda network: network.weights.__setitem__(0, "w"), True),
        (lambda network: network.weights.reverse(), True),
        (lambda network: network.weights[0].__setattr__("shape", -1), True),
        (lambda network: network.activations.__setitem__(0, "prelu"), False),
    ],
)
@pytest.mark.filterwarnings("ignore:Setting the shape")
def test_damage_to_the_lists_of_a_network_is_seen(spoil, seen):
    def spoils(network, x, y):
        g = gradient(network, x, y)
        spoil(network)
        return g

    names, changes = wrong(run(spoils))
    assert names == []
    assert ("the caller's w1 was changed by gradient (the first call)" in changes) is seen


@pytest.mark.parametrize("kind", ["?", "U1", "O", "c16", "i8", "f2", "g"])
def test_forward_may_return_an_array_of_anything(kind):
    class Returns(Net):
        def forward(self, x):
            super().forward(x)
            return np.zeros(3, kind)

    assert wrong(run(Returns)) == ([], [])


def test_failure_in_a_row_names_the_step():
    class Fixed(Net):
        def forward(self, x):
            if len(x) == 4:
                raise ValueError("I expected 3 examples")
            super().forward(x)

    with pytest.raises(
        v.SubmissionError, match=r"forward raised ValueError: I expected 3 .*\(in a row of calls, at 'forward'\)"
    ):
        run(Fixed)


def test_unknown_step_raises():
    found = scenes(describe(sigmoids()), *data(), seed=0)
    with pytest.raises(ValueError, match="got 'dance'"):
        perform(Local(gradient), [Step("dance")], found)


@pytest.mark.parametrize(
    ("y", "kind"),
    [(np.array([2, 0, 1], np.uint8), "indices"), (np.eye(3, dtype=np.int32), "one_hot"), (np.full((3, 3), 1 / 3), "soft")],
)
def test_scenes_hold_data_of_the_same_kind(y, kind):
    net = hg.Network.random([2, 3], activations=["softmax"], loss="cross_entropy", seed=0)
    found = scenes(describe(net), np.ones((3, 2), np.float32), y, seed=3)
    assert {name: len(scene.x) for name, scene in found.items()} == {
        "real": 3,
        "decoy": 3,
        "other": 3,
        "larger": 4,
        "smaller": 2,
    }
    for scene in found.values():
        assert (scene.x.dtype, scene.y.dtype, scene.y.ndim) == (np.float32, y.dtype, y.ndim)
        # The network itself says whether it can take them.
        as_network(scene.network).gradient(scene.x, scene.y)
        assert (kind == "soft") is not bool(np.isin(scene.y, (0, 1, 2)).all())
    assert not np.array_equal(found["decoy"].x, found["real"].x)
    assert not np.array_equal(found["other"].network.weights[0], net.layers[0].w)


@pytest.mark.parametrize(
    "y", [np.array([[0, 1], [1, 0], [1, 1]], np.uint8), np.array([[0.5, 1], [0, 0.25], [1, 1]], np.float32)]
)
def test_scenes_hold_targets_of_yes_or_no_units(y):
    net = hg.Network.random([2, 2], activations=["sigmoid"], loss="binary_cross_entropy", seed=0)
    for scene in scenes(describe(net), np.ones((3, 2)), y, seed=3).values():
        assert scene.y.dtype == y.dtype
        as_network(scene.network).gradient(scene.x, scene.y)
        assert bool(np.isin(scene.y, (0, 1)).all()) is (y.dtype == np.uint8)


def test_scenes_of_one_example_stay_single_unless_batches_are_allowed():
    net = describe(sigmoids())
    alone = scenes(net, np.ones(2, int), np.ones(2, int), seed=0, batches=False)
    assert {name: scene.x.shape for name, scene in alone.items()} == {"real": (2,), "decoy": (2,), "other": (2,)}
    assert alone["decoy"].x.dtype.kind == "i"
    both = scenes(net, np.ones(2), np.ones(2), seed=0)
    assert (both["larger"].x.shape, both["larger"].y.shape) == ((2, 2), (2, 2))
    assert "smaller" not in both


def test_scene_keeps_its_layout_when_pickled():
    x = np.repeat(np.arange(6.0).reshape(3, 2), 2, axis=1)[:, ::2]
    scene = Scene(describe(sigmoids()), x, np.asfortranarray(x))
    for twin in (pickle.loads(pickle.dumps(scene)), scene.copy()):
        np.testing.assert_array_equal(twin.x, x)
        assert not twin.x.flags.forc
        assert twin.y.flags.f_contiguous
        assert not np.shares_memory(twin.x, x)


def test_stepped_equals_descend():
    for dtype in (np.float64, np.float32):
        alpha = hg.Activation("prelu", alpha=0.5)
        net = hg.Network.random([2, 3, 2], activations=[alpha, "tanh"], seed=1, dtype=dtype)
        g = net.gradient(*data(dtype=dtype))
        moved = stepped(describe(net), g.named(), RATE)
        net.descend(g, RATE)
        for name, array in net.named().items():
            np.testing.assert_array_equal(moved.named()[name], array)
