"""A network trained on the examples of a table, part of which are kept for a test, and what came of it in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.activations import Activation
from handgrad.dense import Dense
from handgrad.descent import History, fit
from handgrad.homework.dataset import Dataset, classes, targets
from handgrad.homework.words import wording
from handgrad.losses import JOINED, LOSSES
from handgrad.network import Network

__all__ = ["Trained", "fold", "loss_of", "report", "split", "spread", "train"]

Array = npt.NDArray[Any]

LISTED = 8  # names in a sentence
FEW = 5  # examples: fewer are no test
LITTLE = 0.9  # of the first loss, or of the error of always saying the mean: what is left of it has hardly been learned


@dataclass(frozen=True)
class Trained:
    """What became of a training.

    Parameters
    ----------
    net : Network
        Trained; it takes inputs as they stand in the table.
    history, tested : History
        The loss of each epoch, of the examples that were trained on and of the others, both with the parameters that the
        epoch found. Without a test `tested` is empty.
    x, y : ndarray
        All examples, as the network takes them.
    train, test : ndarray
        Their places in x and y: which were trained on, and which were not.
    labels : tuple of str
        The classes; none where numbers are predicted.
    """

    net: Network
    history: History
    tested: History
    x: Array
    y: Array
    train: Array
    test: Array
    labels: tuple[str, ...]


def train(
    data: Dataset,
    *,
    hidden: Sequence[int],
    activation: Activation | str,
    loss: str | None = None,
    rate: float,
    epochs: int,
    batch_size: int | None = None,
    test: float = 0.2,
    seed: int | np.random.Generator | None = 0,
    standardize: bool = False,
    progress: bool = False,
) -> Trained:
    """Train a network of random parameters on a part of the examples.

    Parameters
    ----------
    data : Dataset
        The examples.
    hidden : sequence of int
        n_1, …, n_(L−1), the units of the hidden layers; there may be none.
    activation : str or Activation
        That of the hidden layers.
    loss : str, optional
        As `loss_of` takes it. The output layer is what the loss needs: softmax, sigmoid, or linear for squared error.
    rate : float
        The learning rate, > 0.
    epochs : int
        How many times every example is used, >= 1.
    batch_size : int, optional
        Examples a step; all of them unless given.
    test : float
        The share of the examples that is not trained on, >= 0 and < 1.
    seed : int or Generator, optional
        For the parts, the parameters, and the shuffling.
    standardize : bool
        Train on inputs with the mean 0 and the deviation 1 of the training part; the network that is returned takes them as
        they are.
    progress : bool
        As for `handgrad.fit`.

    Returns
    -------
    Trained
        With the network.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the targets do not suit the loss, or training diverges.
    """
    generator = checks.generator(seed)
    loss = loss_of(data, loss)
    places: Array | None = None
    labels: tuple[str, ...] = ()
    if loss == "cross_entropy" or data.labels:
        places, labels = classes(data)
    if labels:
        checks.several_classes(data.path, labels)
    n_out = len(labels) if loss == "cross_entropy" else 1 if labels else data.y.shape[1]
    y = targets(data, loss, n_out)
    widths = [data.x.shape[1], *hidden, n_out]
    activations = [*[activation] * len(hidden), JOINED.get(loss, "identity")]
    net = Network.random(widths, activations=activations, loss=loss, seed=generator)
    net.engine.data(data.x, y)  # whatever is wrong with an example is told by its place among all
    if loss == "binary_cross_entropy" and n_out == 1 and len(np.unique(y)) == 2:
        places = y[:, 0]
    for_training, for_test = split(len(data.x), places, test, generator)
    x = data.x
    if standardize:
        shift, scale = spread(x[for_training], data.columns)
        x = (x - shift) / scale
    tested = History()

    def test_it(*_: object) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            tested.losses.append(net.loss(x[for_test], y[for_test]))

    options: dict[str, Any] = {"rate": rate, "epochs": epochs, "batch_size": batch_size, "progress": progress}
    options |= {"seed": generator}
    if len(for_test):
        test_it()
        options |= {"callback": test_it}
    history = fit(net, x[for_training], y[for_training], **options)
    # Each with the parameters that the epoch found: the last ones are beyond them.
    del tested.losses[len(history.losses) :]
    if standardize:
        net = fold(net, shift, scale)
    return Trained(net, history, tested, data.x, y, for_training, for_test, labels)


def loss_of(data: Dataset, loss: str | None = None) -> str:
    """Return the loss for the targets: cross_entropy for words and squared_error for numbers, unless another is asked for."""
    if loss is None:
        return "cross_entropy" if data.labels else "squared_error"
    return checks.one_of("loss", loss, LOSSES)


def split(count: int, places: Array | None, share: float, generator: np.random.Generator | int | None) -> tuple[Array, Array]:
    """Part examples at random into those to train on and those to test.

    Parameters
    ----------
    count : int
        N.
    places : ndarray or None
        (N,) the class of each: every class keeps its share in both parts, and at least one example to train on.
    share : float
        Of the examples in the test, >= 0 and < 1; if it is not 0 at least one of them.
    generator : int or Generator, optional
        The same seed parts them in the same way.

    Returns
    -------
    tuple of (ndarray, ndarray)
        Places of examples, those to train on and those to test, each from small to large.

    Raises
    ------
    TypeError, ValueError
        If share is out of range, or nothing can be spared for the test.

    Examples
    --------
    >>> [part.tolist() for part in split(6, np.array([0, 0, 0, 1, 1, 1]), 0.3, 0)]
    [[0, 1, 4, 5], [2, 3]]
    """
    checks.share("test", share)
    order = checks.generator(generator).permutation(count)
    if not share:
        return np.arange(count), np.arange(0)
    groups = [order] if places is None else [order[places[order] == each] for each in np.unique(places)]
    room = np.array([len(group) - 1 for group in groups])
    checks.room_for_a_test(count, int(room.sum()), places is not None)
    wanted = np.array([share * len(group) for group in groups])
    taken = np.minimum(np.floor(wanted).astype(int), room)
    total = min(max(1, round(share * count)), int(room.sum()))
    # What rounding down has left goes to the classes that it took most from.
    in_turn = np.argsort(taken - wanted, kind="stable")
    while taken.sum() < total:
        left = in_turn[taken[in_turn] < room[in_turn]]
        taken[left[: total - taken.sum()]] += 1
    test = np.concatenate([group[:number] for group, number in zip(groups, taken, strict=True)])
    return np.setdiff1d(np.arange(count), test), np.sort(test)


def spread(x: Array, columns: Sequence[str]) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column of x (N, n_0), each (n_0,); a constant column has the deviation 1.

    Raises
    ------
    ValueError
        If the numbers of a column are too far apart to be squared.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = x.mean(axis=0), x.std(axis=0)
    # Rounding leaves a constant column a tiny deviation.
    deviation = np.where((x == x[0]).all(axis=0), 1.0, deviation)
    for name, value in zip(columns, deviation.tolist(), strict=True):
        checks.finite(f"the deviation of {name}", np.array(value))
    return mean, np.where(deviation > 0, deviation, 1.0)


def fold(net: Network, shift: Array, scale: Array) -> Network:
    """Return the network that does to x what `net` does to (x − shift) / scale.

    Parameters
    ----------
    net : Network
        It stays as it is.
    shift, scale : ndarray
        (n_0,) each, in units of x.

    Returns
    -------
    Network
        Layer 1 has w / scale and b − w (shift / scale), the others are the same.

    Raises
    ------
    ValueError
        If a weight would be infinite.

    Examples
    --------
    >>> net = Network([Dense([[2.0]], [1.0])])
    >>> net([(7.0 - 3.0) / 4.0]), fold(net, np.array([3.0]), np.array([4.0]))([7.0])
    (array([3.]), array([3.]))
    """
    first, *others = net.layers
    with np.errstate(over="ignore", invalid="ignore"):
        w = first.w / scale
        b = first.b - first.w @ (shift / scale)
    folded = Dense(w, b, _activation(first))
    return Network([folded, *others], net.loss_name, net.reduction)


def _activation(layer: Dense) -> Activation:
    """Return a layer's activation with the slope that it has learned."""
    if layer.alpha is None:
        return layer.activation
    return Activation(layer.activation.name, alpha=layer.alpha.tolist())


def report(trained: Trained, data: Dataset, language: str = "en") -> str:
    """Return what came of a training: parts, network, losses, and the test.

    Parameters
    ----------
    trained : Trained
        As `train` returns it.
    data : Dataset
        What it was trained on.
    language : str
        "en" or "es".

    Returns
    -------
    str
        A line for each.

    Raises
    ------
    TypeError, ValueError
        If there are no words in the language.
    """
    say = wording(language, "training")
    net, losses, tested = trained.net, trained.history.losses, len(trained.test) > 0
    parts = {"path": data.path, "count": len(data.x), "train": len(trained.train), "test": len(trained.test)}
    lines = [say("examples" if tested else "no_test", **parts)]
    lines.append(say("columns", inputs=_listed(data.columns), targets=_listed(data.chosen)))
    if trained.labels:
        lines.append(say("classes", labels=_listed(trained.labels)))
    lines.append(say("network", network=repr(net)))
    lines.append(say("loss", first=f"{losses[0]:.4g}", last=f"{losses[-1]:.4g}", epochs=len(losses)))
    part = trained.test if tested else trained.train
    lines.append(f"{say('test_part' if tested else 'training_part')}: {_judged(trained, part, say)}")
    if 0 < len(trained.test) < FEW:
        lines.append(say("few", test=len(trained.test)))
    if _has_learned_little(trained):
        lines.append(say("little"))
        lines += [say("scale")] if net.loss_name == "squared_error" else []
    return "\n".join(lines)


def _has_learned_little(trained: Trained) -> bool:
    """Say whether the loss has hardly fallen, or always saying the same would be as good for what was trained on."""
    losses = trained.history.losses
    if losses[-1] > LITTLE * losses[0]:
        return True
    found, always, _ = _beside_the_same(trained, trained.train)
    if trained.net.loss_name == "squared_error":
        return bool(0 < LITTLE * always.mean() <= found.mean())
    return bool(found.mean() <= always.mean() and not found.all())


def _judged(trained: Trained, part: Array, say: Callable[..., str]) -> str:
    """Return how right the network is on some examples, beside who always says the same."""
    found, always, same = _beside_the_same(trained, part)
    loss = f"{trained.net.loss(trained.x[part], trained.y[part]):.4g}"
    if trained.net.loss_name == "squared_error":
        return say("error", loss=loss, mean=same, always=f"{float(always.mean()):.4g}")
    right = {"right": _share(found), "always": _share(always)}
    return say("accuracy", **right, label=_listed([same]), loss=loss, count=len(part))


def _beside_the_same(trained: Trained, part: Array) -> tuple[Array, Array, str]:
    """Return the error of some examples, or whether each is right; that of always saying the same; and what that would be."""
    net, x, y, known = trained.net, trained.x[part], trained.y[part], trained.y[trained.train]
    if net.loss_name == "squared_error":
        mean = known.mean(axis=0)
        with np.errstate(over="ignore"):
            found, always = (((y - said) ** 2).sum(axis=1) for said in (net(x), mean))
        return found, always, ", ".join(f"{value:.4g}" for value in mean.tolist())
    if net.loss_name == "cross_entropy":
        label = int(np.bincount(known).argmax())
        return net(x).argmax(axis=1) == y, y == label, trained.labels[label]
    # Each output is a yes or no of its own.
    usual = known.mean(axis=0) >= 0.5
    named = ", ".join(trained.labels[int(yes)] if trained.labels else str(int(yes)) for yes in usual.tolist())
    return (net(x) >= 0.5) == (y >= 0.5), (y >= 0.5) == usual, named


def _share(right: Array) -> str:
    return f"{int(right.sum())}/{right.size} ({100 * float(right.mean()):.1f} %)"


def _listed(names: Sequence[str]) -> str:
    """Return some names with commas between them, each on one line, and how many more there are."""
    short = [" ".join(name.split()) for name in names[:LISTED]]
    return ", ".join(short) + (f", … ({len(names)})" if len(names) > LISTED else "")
