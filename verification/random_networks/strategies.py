"""Hypothesis strategies. What they draw shrinks: fewer layers, narrower ones, one example, small integers."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import handgrad as hg
from handgrad.extras import needed_by
from handgrad.losses import JOINED
from verification.random_networks.architectures import INTEGERS, LAYOUTS, SLOPES, TARGETS, Architecture, Options, Unit
from verification.random_networks.cases import Case, case
from verification.random_networks.regimes import WEIGHTED_REGIMES

with needed_by("verification.random_networks.strategies"):
    from hypothesis import strategies as st


def layers(options: Options) -> st.SearchStrategy[Unit]:
    """Return a strategy for one layer's choices; it shrinks to one unit of the first activation."""
    widths, names = st.integers(1, options.max_width), st.sampled_from(options.activations)
    slopes, shared = st.sampled_from(SLOPES), st.booleans()

    @st.composite
    def layer(draw: st.DrawFn) -> Unit:
        width, name = draw(widths), draw(names)
        # What an activation has not is not drawn: Hypothesis takes as long over a draw as handgrad over a layer.
        match name:
            case "prelu":
                return Unit(width, name, draw(slopes), draw(shared))
            case "leaky_relu":
                return Unit(width, name, draw(slopes))
        return Unit(width, name)

    return layer()


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
        # Drawn for every loss: Hypothesis holds what takes fewer draws for simpler.
        chain = draw(is_chain)
        if loss in JOINED:
            units[-1] = replace(units[-1], activation=JOINED[loss])
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
