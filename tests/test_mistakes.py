from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass

import numpy as np
import pytest

from handgrad import EQUATIONS, Activation, Dense, Network
from verification.mistakes import BENIGN, CIRCUMSTANCES, KINDS, MISTAKES, PROTOCOL
from verification.mistakes.reference import named_parameters
from verification.submissions.description import describe
from verification.submissions.support import support_of

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax")
SLOPES = (0.01, 0.25, 0.0, -0.5, 1.5, 0.75)
CASES = 240
RATE = 0.125


@dataclass(frozen=True, eq=False)
class Case:
    net: Network
    x: np.ndarray
    y: np.ndarray


def draw_layer(rng, n_prev, n, name, dtype, regime):
    if regime == "integers":
        w, b = rng.integers(-2, 3, (n, n_prev)), rng.integers(-1, 2, n)
    else:
        w, b = rng.normal(0, 900 if regime == "big" else 1, (n, n_prev)), rng.normal(0, 1, n)
    if name == "leaky_relu":
        activation = Activation(name, slope=float(rng.choice(SLOPES)))
    elif name == "prelu":
        alpha = tuple(rng.choice(SLOPES, n).tolist()) if rng.random() < 0.5 else float(rng.choice(SLOPES))
        activation = Activation(name, alpha=alpha)
    else:
        activation = Activation(name)
    return Dense(w.astype(dtype), b.astype(dtype), activation)


def draw_data(rng, net, single, count, regime):
    n_0, n_L = net.widths[0], net.widths[-1]
    x = rng.normal(0, 1, (count, n_0)).astype(net.dtype)
    kind_of_x = rng.integers(8) if regime != "normal" else 7
    if kind_of_x == 0 or regime == "integers":
        x = rng.integers(-2, 3, (count, n_0))
    elif kind_of_x == 1:
        x = rng.integers(0, 9, (count, n_0)).astype(np.uint8)
    elif kind_of_x in (2, 3):
        x = np.asfortranarray(x)
    if net.loss_name == "cross_entropy":
        kind_of_y = rng.integers(3)
        y = rng.integers(0, n_L, count)
        if kind_of_y == 1:
            y = np.eye(n_L, dtype=net.dtype)[y]
        elif kind_of_y == 2:
            y = rng.dirichlet(np.ones(n_L), count).astype(net.dtype)
    elif net.loss_name == "binary_cross_entropy":
        certain = rng.integers(0, 2, (count, n_L))
        y = [certain, certain.astype(net.dtype), rng.random((count, n_L)).astype(net.dtype)][rng.integers(3)]
    else:
        kind_of_y = rng.integers(6)
        y = rng.normal(0, 1, (count, n_L)).astype(net.dtype)
        if kind_of_y == 0:
            y = rng.integers(0, 4, (count, n_L))
        elif kind_of_y == 1:
            y = rng.integers(0, 4, (count, n_L)).astype(np.uint8)
        elif kind_of_y == 2 and regime != "normal":
            y = net(x)
    return (x[0], y[0]) if single else (x, y)


@functools.cache
def case(seed, only_normal=False):
    """Draw a network and its data; contents are continuous if `only_normal`, so that none lies at a kink.

    From the seed CASES on the loss is the binary cross-entropy, which is asked about only if it is declared.
    """
    rng = np.random.default_rng([seed, only_normal])
    regime = "normal" if only_normal else ("normal", "mixed", "integers", "big")[seed % 4]
    depth = int(rng.integers(1, 4))
    widths = [int(rng.integers(1, 5))] * (depth + 1) if rng.random() < 0.3 else rng.integers(1, 5, depth + 1).tolist()
    names = rng.choice(ACTIVATIONS, depth).tolist()
    loss = "squared_error"
    if seed >= CASES:
        loss, names[-1] = "binary_cross_entropy", "sigmoid"
    elif rng.random() < 0.35:
        loss, names[-1] = "cross_entropy", "softmax"
    dtype = np.float32 if rng.random() < 0.3 else np.float64
    layers = [
        draw_layer(rng, n_prev, n, name, dtype, regime) for n_prev, n, name in zip(widths, widths[1:], names, strict=False)
    ]
    if seed % 8 == 5:
        # Activations so small that a threshold takes them for 0.
        layers[0] = Dense(layers[0].w * dtype(1e-6), layers[0].b * dtype(1e-6), layers[0].activation)
    net = Network(layers, loss, str(rng.choice(["mean", "sum"])))
    single = bool(rng.random() < 0.25)
    return Case(net, *draw_data(rng, net, single, 1 if single else int(rng.integers(1, 6)), regime))


def truth(net, x, y):
    trace = net.trace(x, y)
    g = trace.gradient
    return {**g.named(), "loss": g.loss, "x": g.x, **trace.named()}


def magnitudes(net, x, y):
    """The same computation on absolute values, every |g'| and |g''| taken for max(1, |slope|) or for 1.

    A generous measure: an error of u in any step moves a quantity by no more than a few u times it.
    """
    N = 1 if np.ndim(x) == 1 else len(x)
    share = 1 / N if net.reduction == "mean" else 1.0
    targets = np.ones((N, net.widths[-1])) if net.loss_name == "cross_entropy" else np.abs(np.reshape(y, (N, -1)).astype(float))
    found, kept = {}, []
    a = np.abs(np.reshape(x, (N, -1)).astype(float))
    for number, layer in enumerate(net.layers, start=1):
        slope = 1.0 if layer.negative_slope is None else np.maximum(1, np.abs(np.asarray(layer.negative_slope, float)))
        z = a @ np.abs(layer.w.T.astype(float)) + np.abs(layer.b)
        kept.append((a, z, slope))
        a = z.max(axis=1, keepdims=True) + 1 + 0 * z if layer.activation.name == "softmax" else z * slope + 1
        found |= {f"z{number}": z, f"a{number}": a, f"da_dz{number}": z + slope}
        if layer.activation.name == "softmax":
            found[f"da_dz{number}"] = np.broadcast_to(a[:, :, None], (N, a.shape[1], a.shape[1]))
    if net.loss_name != "squared_error":
        found["loss"] = (share * a.sum(axis=1)).sum()
    else:
        found["loss"] = (share * ((a + targets) ** 2).sum(axis=1)).sum()
    dL_da = None if net.loss_name != "squared_error" else 2 * share * (a + targets)
    for number in range(len(net.layers), 0, -1):
        layer, (a_prev, z, slope) = net.layers[number - 1], kept[number - 1]
        if dL_da is None:
            dL_dz = share * (a + targets)
        elif layer.activation.name == "softmax":
            dL_dz = dL_da.sum(axis=1, keepdims=True) * found[f"a{number}"]
        else:
            dL_dz = dL_da * (z + slope)
        by_alpha = (dL_dz * z).sum(axis=0)
        alpha = by_alpha if layer.alpha is not None and layer.alpha.ndim else by_alpha.sum()
        found |= {f"dL_da{number}": dL_da, f"dL_dz{number}": dL_dz, f"alpha{number}": alpha}
        found |= {f"w{number}": dL_dz.T @ (a_prev + 1), f"b{number}": dL_dz.sum(axis=0)}
        dL_da = dL_dz @ np.abs(layer.w.astype(float))
    found["x"] = dL_da
    return {name: np.reshape(found[name], np.shape(value)) for name, value in truth(net, x, y).items()}


@functools.cache
def known(seed, only_normal=False):
    """The right quantities of a case and the distance from them within which an answer counts as right.

    1e4 rounding errors of the computation on absolute values: far above what 10 or 20 operations a number can do, and far
    below what a mistake does. The verifier's own bounds are sharper.
    """
    of = case(seed, only_normal)
    u = np.finfo(of.net.dtype).eps / 2
    return truth(of.net, of.x, of.y), {name: 1e4 * u * value for name, value in magnitudes(of.net, of.x, of.y).items()}


def order_of_the_pass(layers):
    """Names as they are computed: forward, then back from the last layer."""
    forward = [f"{name}{number}" for number in range(1, layers + 1) for name in ("z", "a")]
    back = [f"{name}{number}" for number in range(layers, 0, -1) for name in ("dL_da", "da_dz", "dL_dz", "w", "b", "alpha")]
    return [*forward, "loss", *back, "x"]


def wrong_quantities(found, right, allowed, relative=0.0):
    """The names at which `found` is not right, in the order of the pass; missing and unknown names among them.

    With `relative`, only what is off by more than this share of the right number, or not a number at all.
    """
    layers = sum(name.startswith("w") for name in right)
    parameters = [name for name in right if name.rstrip("0123456789") in ("w", "b", "alpha")]
    wrong = {name for name in found if name not in right} | {name for name in parameters if name not in found}
    for name in set(found) & set(right):
        value, due = found[name], right[name]
        if name == "loss":
            value, due = np.float64(value), np.float64(due)
        if not isinstance(value, np.ndarray | np.generic):
            value = np.asarray(value, due.dtype)
        if np.shape(value) != np.shape(due) or value.dtype != due.dtype:
            wrong.add(name)
            continue
        with np.errstate(all="ignore"):
            distance = np.abs(value.astype(np.float64) - due)
            limit = np.maximum(allowed[name], relative * np.abs(due)) if relative else allowed[name]
            if not (distance <= limit).all() and not np.array_equal(value, due):
                wrong.add(name)
    order = order_of_the_pass(layers)
    return sorted(wrong, key=lambda name: order.index(name) if name in order else -1)


def fresh(submission, network, x, y):
    """One call of a function, or one forward and backward of a new instance; the caller's arrays are copies."""
    if not inspect.isclass(submission):
        return submission(network, x, y)
    instance = submission(network)
    instance.forward(x)
    return instance.backward(y)


@functools.cache
def wrong_on(submission, seed, only_normal=False, relative=0.0):
    """The wrong quantities of a case; an error counts as one."""
    of = case(seed, only_normal)
    try:
        found = fresh(submission, describe(of.net), of.x.copy(order="K"), of.y.copy())
    except (ValueError, IndexError):
        return ["error"]
    return wrong_quantities(found, *known(seed, only_normal), relative)


def ratio(signature, net, x):
    """The constant that a signature names, for one network; None where it depends on the layer."""
    N, n_0, n_L = (1 if np.ndim(x) == 1 else len(x)), net.widths[0], net.widths[-1]
    return {
        "zero": 0.0,
        "ratio 2": 2.0,
        "ratio 1/2": 0.5,
        "ratio -1": -1.0,
        "ratio 1/log 2": 1 / np.log(2),
        "ratio N": N,
        "ratio 1/N": 1 / N,
        "ratio N/(N-1)": N / max(N - 1, 1),
        "ratio N/n_0": N / n_0,
        "ratio 1/n_0": 1 / n_0,
        "ratio 1/n_L": 1 / n_L,
        "ratio 1/C": 1 / n_L,
    }.get(signature)


# The protocol for classes: each function says whether it finds something wrong.


def another(net, x, seed, more=0):
    rng = np.random.default_rng([seed, 99])
    single = np.ndim(x) == 1 and not more
    return draw_data(rng, net, single, 1 if single else (1 if np.ndim(x) == 1 else len(x)) + more, "normal")


def differs(found, net, x, y):
    right = truth(net, x, y)
    u = np.finfo(net.dtype).eps / 2
    allowed = {name: 1e4 * u * value for name, value in magnitudes(net, x, y).items()}
    return bool(wrong_quantities(found, right, allowed))


def stepped(net, x, y):
    after = Network(net.layers, net.loss_name, net.reduction)
    after.descend(after.gradient(x, y), RATE)
    return after


def snapshot(found):
    return {name: np.array(value) for name, value in found.items()}


def changed(before, now):
    return set(before) != set(now) or any(not np.array_equal(before[name], now[name], equal_nan=True) for name in before)


def parameters_differ(instance, net, x, y):
    after, scale = stepped(net, x, y).named(), magnitudes(net, x, y)
    u = np.finfo(net.dtype).eps / 2
    return any(
        not (np.abs(value - after[name]) <= 1e4 * u * (np.abs(after[name]) + scale[name])).all()
        for name, value in instance.parameters().items()
    )


def after_decoy(cls, net, x, y, seed, more=0):
    instance = cls(describe(net))
    x_decoy, y_decoy = another(net, x, seed, more)
    instance.forward(x_decoy)
    instance.backward(y_decoy)
    instance.forward(x)
    return differs(instance.backward(y), net, x, y)


def backward_twice(cls, net, x, y, seed):
    if not inspect.isclass(cls):
        cls(describe(net), x, y)
        return differs(cls(describe(net), x, y), net, x, y)
    instance = cls(describe(net))
    instance.forward(x)
    instance.backward(y)
    return differs(instance.backward(y), net, x, y)


def results_kept(cls, net, x, y, seed):
    instance = cls(describe(net))
    predictions = instance.forward(x)
    before_predictions = predictions.copy()
    found = instance.backward(y)
    before = snapshot(found)
    instance.descend(RATE)
    x_decoy, y_decoy = another(net, x, seed)
    instance.forward(x_decoy)
    instance.backward(y_decoy)
    return changed(before, found) or not np.array_equal(before_predictions, predictions)


def predictions_edited(cls, net, x, y, seed):
    instance = cls(describe(net))
    predictions = instance.forward(x)
    predictions += 1
    return differs(instance.backward(y), net, x, y)


def arrays_compared(cls, net, x, y, seed):
    network = describe(net)
    before = snapshot({**named_parameters(network), "x": x, "y": y})
    instance = cls(network)
    instance.forward(x)
    instance.backward(y)
    instance.descend(RATE)
    return changed(before, {**named_parameters(network), "x": x, "y": y})


def step_taken(cls, net, x, y, seed):
    instance = cls(describe(net))
    instance.forward(x)
    instance.backward(y)
    instance.descend(RATE)
    wrong_parameters = parameters_differ(instance, net, x, y)
    instance.forward(x)
    return wrong_parameters or differs(instance.backward(y), stepped(net, x, y), x, y)


def second_step_taken(cls, net, x, y, seed):
    instance = cls(describe(net))
    instance.forward(x)
    instance.backward(y)
    instance.descend(RATE)
    x_second, y_second = another(net, x, seed)
    instance.forward(x_second)
    instance.backward(y_second)
    instance.descend(RATE)
    return parameters_differ(instance, stepped(net, x, y), x_second, y_second)


def instances_interleaved(cls, net, x, y, seed):
    first, second = cls(describe(net)), cls(describe(net))
    first.forward(x)
    second.forward(another(net, x, seed)[0])
    return differs(first.backward(y), net, x, y)


STEPS = {
    "decoy": after_decoy,
    "size": functools.partial(after_decoy, more=2),
    "twice": backward_twice,
    "kept": results_kept,
    "edited": predictions_edited,
    "arrays": arrays_compared,
    "step": step_taken,
    "second step": second_step_taken,
    "instances": instances_interleaved,
}


def violates(step, submission, seed):
    """Whether a step of the protocol finds something; an error counts as something."""
    of = case(seed, only_normal=True)
    try:
        return STEPS[step](submission, of.net, of.x.copy(), of.y.copy(), seed)
    except (ValueError, IndexError):
        return True


def seeds_of(submission):
    """Return the cases that a submission may be asked about: with the binary cross-entropy if it declares that."""
    binary = "binary_cross_entropy" in support_of(submission).losses
    return range(CASES + CASES // 2 if binary else CASES)


OF_ONE_CALL = [mistake for mistake in MISTAKES if not mistake.protocol]
OF_PROTOCOL = [mistake for mistake in MISTAKES if mistake.protocol]
every = functools.partial(pytest.mark.parametrize, ids=lambda entry: entry.name)


def test_catalogue_is_large_and_its_names_unique():
    names = [entry.name for entry in (*MISTAKES, *BENIGN)]
    assert len(set(names)) == len(names)
    assert len(MISTAKES) >= 90
    assert len(BENIGN) >= 18


@every("mistake", MISTAKES)
def test_mistake_is_documented(mistake):
    assert all(text.strip() for text in (mistake.name, mistake.thought, mistake.shows))
    assert mistake.equation in EQUATIONS
    assert mistake.kind in KINDS
    assert not mistake.protocol or mistake.protocol in PROTOCOL
    assert set(mistake.needs) <= set(CIRCUMSTANCES)


@every("variant", BENIGN)
def test_variant_is_documented(variant):
    assert variant.name.strip()
    assert variant.what.strip()


def test_vocabulary_is_used():
    assert set(PROTOCOL) == set(STEPS) == {mistake.protocol for mistake in OF_PROTOCOL}
    assert {need for mistake in MISTAKES for need in mistake.needs} == set(CIRCUMSTANCES)
    assert {mistake.kind for mistake in MISTAKES} == set(KINDS)


@every("mistake", OF_ONE_CALL)
def test_mistake_is_visible_where_it_says_and_not_elsewhere(mistake):
    # Somewhere it must be off by a thousandth, but for the one mistake that is a matter of digits.
    relative = 0.0 if mistake.signature == "rounding" else 1e-3
    shown = hidden = False
    for seed in seeds_of(mistake.submission):
        of = case(seed)
        wrong = wrong_on(mistake.submission, seed)
        hidden = hidden or not wrong
        if mistake.can_show(describe(of.net), of.x, of.y):
            shown = shown or bool(wrong and wrong_on(mistake.submission, seed, relative=relative))
        else:
            assert wrong == [], f"{mistake.name} shows on seed {seed} without what it needs"
    assert shown, f"{mistake.name} shows on none of {CASES} networks"
    # Names and shapes are the only things that no network hides.
    assert hidden or mistake.signature in ("names", "shape"), f"{mistake.name} shows on all of {CASES} networks"


# First wrong quantity → the equations that give it. (11) gives every parameter's derivative, with (13) or (7) inside.
BLAME = {"z": {8}, "a": {9}, "loss": {1, 2, 10}, "da_dz": {12}, "w": {11, 13}, "b": {7, 11}, "alpha": {11}, "x": {14}}


def equations_of(name, layers, loss):
    stem = name.rstrip("0123456789")
    if stem == "dL_da":
        return {4} if name == f"dL_da{layers}" else {14}
    if stem == "dL_dz":
        return {"cross_entropy": {2}, "binary_cross_entropy": {1}}.get(loss if name == f"dL_dz{layers}" else "", {11, 12})
    return BLAME[stem]


@every("mistake", [mistake for mistake in OF_ONE_CALL if mistake.signature not in ("names", "dtype", "reversed")])
def test_first_wrong_quantity_matches_equation(mistake):
    firsts = set()
    for seed in seeds_of(mistake.submission):
        of = case(seed)
        # In float32 the generous bounds hide the first wrong quantity where numbers are big.
        wrong = wrong_on(mistake.submission, seed) if of.net.dtype == np.float64 else []
        # The targets are no quantity of the pass: what they spoil is the loss and the first derivative.
        spoilt = {2, 10} if mistake.name in ("labels-counted-from-1", "targets-as-whole-numbers") else set()
        # z is right until the activation overwrites it.
        spoilt |= {8, 9} if mistake.name == "z-activated-in-place" else set()
        if wrong and wrong != ["error"]:
            blamed = equations_of(wrong[0], len(of.net.layers), of.net.loss_name)
            firsts.add(wrong[0].rstrip("0123456789"))
            assert mistake.equation in blamed | spoilt, f"seed {seed}: {wrong}"
    assert firsts


@every("mistake", [mistake for mistake in OF_ONE_CALL if mistake.signature.startswith(("ratio", "zero", "nan"))])
def test_first_wrong_quantity_matches_signature(mistake):
    seen = 0
    for seed in seeds_of(mistake.submission):
        of = case(seed)
        wrong = wrong_on(mistake.submission, seed)
        constant = ratio(mistake.signature, of.net, of.x)
        # Saturated cross-entropy mixes two equations in one sum; float32's bounds are too generous to see a ratio.
        if not wrong or of.net.dtype == np.float32 or (seed % 4 == 3 and mistake.signature != "nan"):
            continue
        found = fresh(mistake.submission, describe(of.net), of.x.copy(order="K"), of.y.copy())
        value, right = np.asarray(found[wrong[0]]), np.asarray(known(seed)[0][wrong[0]])
        allowed = known(seed)[1][wrong[0]]
        seen += 1
        if mistake.signature == "nan":
            assert not np.isfinite(value).all()
        elif mistake.signature == "ratio 1/n":
            assert any((np.abs(value * n - right) <= n * allowed).any() for n in of.net.widths)
        else:
            off = np.abs(value - right) > allowed
            assert (np.abs(value - constant * right) <= (1 + abs(constant)) * allowed)[off].all(), f"seed {seed}: {wrong[0]}"
    assert seen


@every("mistake", OF_PROTOCOL)
def test_mistake_of_memory_is_right_at_first_and_shows_by_its_protocol(mistake):
    shown = 0
    for seed in range(60):
        of = case(seed, only_normal=True)
        # A function's memory outlives the call, so its first call is not the first that this test makes.
        if inspect.isclass(mistake.submission):
            assert wrong_on(mistake.submission, seed, only_normal=True) == []
        found = violates(mistake.protocol, mistake.submission, seed)
        if mistake.can_show(describe(of.net), of.x, of.y):
            shown += found
        else:
            assert not found, f"{mistake.name} shows on seed {seed} without what it needs"
    assert shown


@every("variant", BENIGN)
def test_variant_matches_handgrad(variant):
    for seed in (*range(200), *range(CASES, CASES + 60)):
        assert wrong_on(variant.submission, seed, only_normal=True) == [], f"seed {seed}"


KINKED = {
    "relu-derivative-1-at-0": {"relu"},
    "relu-derivative-half-at-0": {"relu"},
    "leaky-derivative-1-at-0": {"leaky_relu", "prelu"},
}


@every("variant", [variant for variant in BENIGN if variant.name in KINKED])
def test_kink_convention_matches_handgrad_but_where_z_is_0(variant):
    seen = 0
    for seed in range(CASES):
        right, _ = known(seed)
        at_kink = any(
            layer.activation.name in KINKED[variant.name] and (right[f"z{number}"] == 0).any()
            for number, layer in enumerate(case(seed).net.layers, start=1)
        )
        wrong = wrong_on(variant.submission, seed)
        assert not wrong or (at_kink and wrong[0].startswith("da_dz")), f"seed {seed}: {wrong}"
        seen += bool(wrong)
    assert seen


@every("variant", [variant for variant in BENIGN if variant.name not in KINKED])
def test_variant_matches_handgrad_in_every_regime(variant):
    for seed in range(CASES + CASES // 2):
        assert wrong_on(variant.submission, seed) == [], f"seed {seed}"


def test_caching_class_equals_itself_on_the_same_x():
    (trainer,) = [variant.submission for variant in BENIGN if variant.name == "caching-class"]
    of = case(0)
    instance = trainer(describe(of.net))
    first = instance.forward(of.x)
    run = instance.run
    np.testing.assert_array_equal(instance.forward(of.x), first)
    assert instance.run is run


@every("variant", [variant for variant in BENIGN if inspect.isclass(variant.submission)])
@pytest.mark.parametrize("step", STEPS)
def test_variant_matches_handgrad_through_the_protocol(variant, step):
    assert not any(violates(step, variant.submission, seed) for seed in range(60))


def test_mistake_is_unlike_every_other():
    """No two entries are one mistake: each pair is told apart by some network."""
    answers = {}
    for mistake in OF_ONE_CALL:
        fingerprint = []
        for seed in seeds_of(mistake.submission):
            of = case(seed)
            wrong = wrong_on(mistake.submission, seed)
            if not wrong:
                continue
            if wrong == ["error"]:
                fingerprint.append((seed, wrong))
                continue
            found = fresh(mistake.submission, describe(of.net), of.x.copy(order="K"), of.y.copy())
            first = np.ravel(np.asarray(found.get(wrong[0], np.nan), dtype=float))
            fingerprint.append((seed, wrong, [f"{number:.4g}" for number in first.tolist()]))
        answers.setdefault(repr(fingerprint), []).append(mistake.name)
    assert [names for names in answers.values() if len(names) > 1] == []
