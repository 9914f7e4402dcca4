"""Random networks and data: what is drawn (an `Architecture`), what fills it (contents from a seed), and Hypothesis strategies.

An architecture holds every choice that has a name; its numbers come from a seeded generator in one of several regimes,
each of which hides or shows other mistakes. Everything shrinks: fewer layers, narrower ones, one example, small integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

import handgrad as hg
from verification import script

Array = npt.NDArray[Any]

ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh", "leaky_relu", "prelu", "softmax")
LOSSES = ("squared_error", "cross_entropy")
REDUCTIONS = ("sum", "mean")
DTYPES = ("float64", "float32")
TARGETS = {"squared_error": ("values", "integers", "fitting"), "cross_entropy": ("indices", "distribution", "one_hot")}
INTEGERS = ("int64", "int32", "uint8")
LAYOUTS = ("C", "F", "strided")
# How many of the networks with squared error are chains of single neurons, which (3)–(7) speak of.
CHAINS = 1 / 3
SLOPES = (0.0, 0.5, 0.01, -0.5, 1.5)


class Case(NamedTuple):
    """A network with data to compute its gradient on; it unpacks as `net, x, y`, and prints as code that makes it."""

    net: hg.Network
    x: Array
    y: Array

    def __repr__(self) -> str:
        """Return Python code that makes the same numbers, every digit of them."""
        return script.expression(self.net, self.x, self.y)


@dataclass(frozen=True)
class Unit:
    """One layer's choices: its width, its activation, and the slope of a leaky one (`shared` says how many α prelu has)."""

    width: int
    activation: str
    slope: float = 0.01
    shared: bool = True


@dataclass(frozen=True)
class Architecture:
    """Everything about a case but its numbers.

    Parameters
    ----------
    inputs : int
        n_0.
    layers : tuple of Unit
        First layer first.
    loss, reduction, dtype : str
        As `handgrad.Network` takes them.
    examples : int
        N; 0 for one example without a batch axis.
    targets : str
        squared_error: values, integers, or fitting (equal to the output, so that the derivatives vanish).
        cross_entropy: indices, distribution (soft labels), or one_hot.
    integer : str
        The dtype of integer inputs, targets and class indices.
    whole : bool
        Whether x is rounded to integers of that dtype.
    layout : str
        The memory layout of x and y: C, F (Fortran order) or strided.
    regime : str
        What the numbers are like: a key of `REGIMES`, or "mixed" for another one in every array.
    kinks : bool
        Whether biases are moved so that the first example hits z = 0 exactly, where the numbers allow it.
    """

    inputs: int
    layers: tuple[Unit, ...]
    loss: str = "squared_error"
    reduction: str = "sum"
    dtype: str = "float64"
    examples: int = 1
    targets: str = "values"
    integer: str = "int64"
    layout: str = "C"
    regime: str = "integers"
    kinks: bool = False
    whole: bool = False


# Fills an array of each content, (contents, …).
Fill = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _chosen(rng: np.random.Generator, values: Sequence[float], shape: tuple[int, ...]) -> Array:
    """Return numbers chosen evenly; `Generator.choice` takes ten times as long over a few."""
    return np.asarray(values)[rng.integers(len(values), size=shape)]


REGIMES: dict[str, Fill] = {
    "integers": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
    "ones": lambda rng, shape: _chosen(rng, (1.0, -1.0), shape),
    "zeros": lambda rng, shape: np.where(rng.random(shape) < 0.8, 0.0, _chosen(rng, (1.0, -1.0), shape)),
    "repeated": lambda rng, shape: _chosen(rng, (0.5, -0.5, 0.1, 2.0), (shape[0], *[1] * (len(shape) - 1))) * np.ones(shape),
    "dyadic": lambda rng, shape: rng.integers(-32, 33, shape) / 16,
    "normal": lambda rng, shape: rng.normal(size=shape),
    "small": lambda rng, shape: rng.normal(0, 1e-3, shape),
    "big": lambda rng, shape: rng.normal(0, 30, shape),
    "heavy-tailed": lambda rng, shape: np.clip(rng.standard_cauchy(shape), -1e4, 1e4),
    "saturating": lambda rng, shape: _chosen(rng, (1.0, -1.0), shape) * 10 ** rng.uniform(0, 3, shape),
    "tiny": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.uniform(-30, -5, shape),
    "huge": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.uniform(0, 12, shape),
}
# The last two make most results over- or underflow: a twentieth of what is drawn is enough of them.
COMMON = tuple(REGIMES)[:-2]
WEIGHTED_REGIMES = (*COMMON, "mixed", "mixed", "mixed", *COMMON, "mixed", "mixed", "mixed", "tiny", "huge")


def case(architecture: Architecture, seed: int) -> Case:
    """Fill an architecture with numbers.

    Parameters
    ----------
    architecture : Architecture
        What to build.
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    Case
        A network with x and y.
    """
    return contents(architecture, seed, 1)[0]


def contents(architecture: Architecture, seed: int, count: int) -> list[Case]:
    """Fill an architecture with numbers several times.

    Parameters
    ----------
    architecture : Architecture
        What to build.
    seed : int
        The same seed and count give the same numbers.
    count : int
        How many cases, at least 1.

    Returns
    -------
    list of Case
        Networks that differ in their numbers alone, with x and y. They are drawn together, which takes a quarter of the time;
        in the regime "mixed" an array is of one regime in all of them.
    """
    rng = np.random.default_rng(seed)
    dtype = np.dtype(architecture.dtype)

    def numbers(shape: tuple[int, ...]) -> Array:
        regime = architecture.regime
        if regime == "mixed":
            regime = COMMON[int(rng.integers(len(COMMON)))]
        return REGIMES[regime](rng, (count, *shape)).astype(dtype)

    examples = max(architecture.examples, 1)
    x = numbers((examples, architecture.inputs))
    if architecture.whole:
        x = np.clip(np.rint(x), 0 if architecture.integer == "uint8" else -100, 100).astype(dtype)
    layers, a, n_prev = [], x[:, 0], architecture.inputs
    for unit in architecture.layers:
        w, b = numbers((unit.width, n_prev)), numbers((unit.width,))
        activations = _activations(unit, rng, count)
        if architecture.kinks:
            with np.errstate(all="ignore"):
                products = (w @ a[..., None])[..., 0]
                at_kink = (rng.random(b.shape) < 0.5).astype(dtype)
                b = _representable(b - (products + b) * at_kink)
                z = _representable(products + b)
                a = np.stack([activation(z_i) for activation, z_i in zip(activations, z, strict=True)])
        layers.append([hg.Dense(*of_one) for of_one in zip(w, b, activations, strict=True)])
        n_prev = unit.width
    nets = [hg.Network(of_one, architecture.loss, architecture.reduction) for of_one in zip(*layers, strict=True)]
    y = _targets(architecture, nets, x, rng, numbers)
    if architecture.whole:
        x = x.astype(architecture.integer)
    if architecture.examples == 0:
        x, y = x[:, 0], y[:, 0]
    layout = architecture.layout
    return [
        Case(net, _laid_out(x_i, layout), _laid_out(np.asarray(y_i), layout)) for net, x_i, y_i in zip(nets, x, y, strict=True)
    ]


def _representable(array: Array) -> Array:
    """Return the numbers with those that overflowed brought back."""
    if np.abs(array).max() <= 1e30:
        return array
    return np.asarray(np.clip(np.nan_to_num(array), -1e30, 1e30), array.dtype)


def _activations(unit: Unit, rng: np.random.Generator, count: int) -> list[hg.Activation]:
    """Return the activation of each content."""
    match unit.activation:
        case "leaky_relu":
            return [hg.Activation("leaky_relu", slope=unit.slope)] * count
        case "prelu" if unit.shared:
            return [hg.Activation("prelu", alpha=unit.slope)] * count
        case "prelu":
            of_all = _chosen(rng, SLOPES, (count, unit.width))
            return [hg.Activation("prelu", alpha=alpha) for alpha in of_all]
        case name:
            return [hg.Activation(name)] * count


def _targets(
    architecture: Architecture,
    nets: list[hg.Network],
    x: Array,
    rng: np.random.Generator,
    numbers: Callable[[tuple[int, ...]], Array],
) -> Array:
    """Return y of each content, (contents, N, n_L), or (contents, N) of class indices."""
    batch, n = x.shape[:2], nets[0].widths[-1]
    match architecture.targets:
        case "indices":
            return rng.integers(0, n, batch).astype(architecture.integer)
        case "one_hot":
            return np.eye(n, dtype=architecture.integer)[rng.integers(0, n, batch)]
        case "distribution":
            parts = rng.integers(0, 9, (*batch, n)) + (np.arange(n) == rng.integers(0, n, (*batch, 1)))
            return np.asarray(parts / parts.sum(axis=-1, keepdims=True), nets[0].dtype)
        case "integers":
            lowest = 0 if architecture.integer == "uint8" else -3
            return rng.integers(lowest, 4, (*batch, n)).astype(architecture.integer)
        case "fitting":
            with np.errstate(all="ignore"):
                return _representable(np.stack([net(x_i) for net, x_i in zip(nets, x, strict=True)]))
        case _:
            return numbers((batch[1], n))


def _laid_out(array: Array, layout: str) -> Array:
    """Return equal numbers in another memory layout."""
    if layout == "F" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    return array


@dataclass(frozen=True)
class Options:
    """What networks are drawn from; its fields are the keyword arguments of the strategies.

    Parameters
    ----------
    activations, losses, reductions, dtypes : sequence of str
        What to draw from. Cross-entropy puts a softmax last, so it needs softmax among the activations.
    max_layers, max_width : int
        The most layers, and units in one.
    max_examples : int
        The largest batch; now and then one of 33 is drawn as well, unless this is 1.

    Raises
    ------
    TypeError
        If a list is no sequence of names, or a number no integer.
    ValueError
        If a name is unknown, a list is empty, a number is below 1, or only cross-entropy is asked for without softmax.
    """

    activations: Sequence[str] = ACTIVATIONS
    losses: Sequence[str] = LOSSES
    reductions: Sequence[str] = REDUCTIONS
    dtypes: Sequence[str] = DTYPES
    max_layers: int = 5
    max_width: int = 8
    max_examples: int = 6

    def __post_init__(self) -> None:
        known = {"activations": ACTIVATIONS, "losses": LOSSES, "reductions": REDUCTIONS, "dtypes": DTYPES}
        for argument, names in known.items():
            given = getattr(self, argument)
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise TypeError(f"{argument} must be a sequence of names; got {given!r}")
            if not given:
                raise ValueError(f"{argument} must name at least one of {', '.join(names)}; got none")
            for name in given:
                hg.checks.one_of(argument, name, names)
            # In our order, whatever the caller's: shrinking goes towards the first.
            object.__setattr__(self, argument, tuple(name for name in names if name in given))
        for argument in ("max_layers", "max_width", "max_examples"):
            hg.checks.positive_integer(argument, getattr(self, argument))
        if "softmax" not in self.activations:
            if self.losses == ("cross_entropy",):
                raise ValueError(
                    f"losses of cross_entropy alone need softmax in activations; got {', '.join(self.activations)}"
                )
            object.__setattr__(self, "losses", ("squared_error",))

    @property
    def batch_sizes(self) -> list[int]:
        """What N is drawn from: 0 stands for one example without a batch axis."""
        few = range(1, self.max_examples + 1)
        return [*few, *few, 0, 0, 33] if self.max_examples > 1 else [1, 0]


def layers(options: Options) -> st.SearchStrategy[Unit]:
    """Return a strategy for one layer's choices; it shrinks to one unit of the first activation."""
    widths = st.integers(1, options.max_width)
    return st.builds(Unit, widths, st.sampled_from(options.activations), st.sampled_from(SLOPES), st.booleans())


def architectures(**options: Any) -> st.SearchStrategy[Architecture]:
    """Return a strategy for architectures; it shrinks to one layer 1 → 1 and one example of small integers.

    Parameters
    ----------
    **options
        The fields of `Options`.

    Returns
    -------
    SearchStrategy of Architecture
        Everything about a case but its numbers.

    Raises
    ------
    TypeError, ValueError
        As `Options`.
    """
    known = [field.name for field in fields(Options)]
    for name in options:
        hg.checks.one_of("options", name, known)
    return _architectures(Options(**options))


def _architectures(options: Options) -> st.SearchStrategy[Architecture]:
    # Made once: Hypothesis takes as long to make and check a strategy as to draw from it.
    losses, lists = st.sampled_from(options.losses), st.lists(layers(options), min_size=1, max_size=options.max_layers)
    inputs_of_any, is_chain = st.integers(1, options.max_width), st.sampled_from([False, False, True])
    targets = {loss: st.sampled_from(TARGETS[loss]) for loss in options.losses}
    reductions, dtypes = st.sampled_from(options.reductions), st.sampled_from(options.dtypes)
    batch_sizes, integers = st.sampled_from(options.batch_sizes), st.sampled_from(INTEGERS)
    layouts, regimes = st.sampled_from(LAYOUTS), st.sampled_from(WEIGHTED_REGIMES)
    kinks, whole = st.booleans(), st.sampled_from([False, False, False, True])

    @st.composite
    def architecture(draw: st.DrawFn) -> Architecture:
        loss = draw(losses)
        units = draw(lists)
        inputs = draw(inputs_of_any)
        # Drawn for either loss: Hypothesis holds what takes fewer draws for simpler.
        chain = draw(is_chain)
        if loss == "cross_entropy":
            units[-1] = replace(units[-1], activation="softmax")
        elif chain:
            # A chain of single neurons is what (3)–(7) speak of; a softmax of one neuron is no function of z.
            inputs = 1
            other = options.activations[0]
            units = [
                replace(unit, width=1, activation=other if unit.activation == "softmax" else unit.activation) for unit in units
            ]
        return Architecture(
            inputs,
            tuple(units),
            loss,
            draw(reductions),
            draw(dtypes),
            draw(batch_sizes),
            draw(targets[loss]),
            draw(integers),
            draw(layouts),
            draw(regimes),
            draw(kinks),
            draw(whole),
        )

    return architecture()


def drawn(rng: np.random.Generator, options: Options) -> Architecture:
    """Draw an architecture evenly from a seeded generator, as `architectures` does by Hypothesis.

    Parameters
    ----------
    rng : Generator
        The same state gives the same architecture.
    options : Options
        What to draw from.

    Returns
    -------
    Architecture
        Everything about a case but its numbers.
    """

    def pick(values: Sequence[Any]) -> Any:
        return values[int(rng.integers(len(values)))]

    loss = pick(options.losses)
    widths = rng.integers(1, options.max_width + 1, 1 + int(rng.integers(1, options.max_layers + 1))).tolist()
    names = [pick(options.activations) for _ in widths[1:]]
    if loss == "cross_entropy":
        names[-1] = "softmax"
    elif rng.random() < CHAINS:
        widths = [1] * len(widths)
        names = [options.activations[0] if name == "softmax" else name for name in names]
    units = [Unit(n, name, pick(SLOPES), bool(rng.integers(2))) for n, name in zip(widths[1:], names, strict=True)]
    return Architecture(
        widths[0],
        tuple(units),
        loss,
        pick(options.reductions),
        pick(options.dtypes),
        pick(options.batch_sizes),
        pick(TARGETS[loss]),
        pick(INTEGERS),
        pick(LAYOUTS),
        pick(WEIGHTED_REGIMES),
        bool(rng.integers(2)),
        bool(rng.integers(4) == 0),
    )


def seeds() -> st.SearchStrategy[int]:
    """Return a strategy for the seed of a case's numbers."""
    return st.integers(0, 2**32 - 1)


def cases(**options: Any) -> st.SearchStrategy[Case]:
    """Return a strategy for cases: `net, x, y = case`.

    Parameters
    ----------
    **options
        The fields of `Options`: activations, losses, reductions, dtypes, max_layers, max_width, max_examples.

    Returns
    -------
    SearchStrategy of Case
        Random networks with data.

    Raises
    ------
    TypeError, ValueError
        As `Options`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(cases(activations=["relu"], losses=["squared_error"]), lambda case: True).net
    Network(1-1, relu; squared_error, sum; float64; 2 parameters)
    """
    of_architecture, of_numbers = architectures(**options), seeds()

    # Composed rather than built from `case`: what is composed prints as itself.
    @st.composite
    def drawn_case(draw: st.DrawFn) -> Case:
        return case(draw(of_architecture), draw(of_numbers))

    return drawn_case()


def networks(**options: Any) -> st.SearchStrategy[hg.Network]:
    """Return a strategy for networks alone.

    Parameters
    ----------
    **options
        As for `cases`.

    Returns
    -------
    SearchStrategy of handgrad.Network
        Random networks.

    Raises
    ------
    TypeError, ValueError
        As `Options`.
    """
    return cases(**options).map(lambda drawn: drawn.net)
