"""Which faults together give what a submission gives: found one after the other, each carried on while the next is looked for.

A set of faults is claimed only if the reference with all of them gives the submission's numbers on every network that was
asked, right and wrong alike. Where it ends in an error, the submission must end in the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.quantities import PARAMETERS, kind_of
from verification.bounds.rounding import rounding
from verification.checking.faults import CIRCUMSTANCES, Fault, catalogued, concerning, narrowed
from verification.checking.measuring import Ratio, clipped, measured, unknown
from verification.checking.witnesses import (
    Answer,
    Model,
    Witness,
    agree,
    explains,
    is_close,
    matched,
    told_by,
    witness,
)
from verification.submissions.description import Description
from verification.submissions.protocol import Scene

Array = npt.NDArray[Any]

# More mistakes than these in one submission are told one after the other, as they are mended.
MOST = 4
# On how many networks a fault is tried before it is tried on all.
SCREEN = 8
# How many sets of faults are carried on side by side.
BEAM = 3
# So many times its bound is a number whose ratio to another says something.
CLEAR = 1e8
# How often a model may be asked about a network before the search is given up: some seconds.
MOST_TRIALS = 40_000
# How many networks must need a fault for it to be claimed.
ENOUGH = 3


@dataclass(eq=False)
class Search:
    """The search for the faults that explain what was seen.

    Parameters
    ----------
    evidence : sequence of Witness
        Networks on some of which the submission is wrong.
    activations, losses : sequence of str
        Those that it takes.
    faults : sequence of Fault
        Those that it may have.
    """

    evidence: Sequence[Witness]
    activations: Sequence[str]
    losses: Sequence[str]
    faults: Sequence[Fault] = field(default_factory=catalogued)
    screen: list[Witness] = field(init=False)
    layers: list[int] = field(init=False)
    trials: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.layers = [len(seen.scene.network.weights) for seen in self.evidence]
        by_size = sorted(self.evidence, key=lambda seen: seen.size)
        wrong = [seen for seen in by_size if not explains((), [seen])]
        # The smallest of each number of layers first, since an output layer alone shows what reaches the others.
        chosen = _spread_over_layers(wrong, SCREEN - 2)
        self.screen = [*chosen, *[seen for seen in by_size if seen not in wrong][:2]]

    def best(self) -> list[Model]:
        """Return the models that explain everything, the likeliest first; none if there is none."""
        if len(self.screen) == 0 or explains((), self.evidence):
            return []
        everywhere = concerning(self.faults, self.activations)
        alone = [(fault,) for fault in everywhere if explains((fault,), self.screen) and explains((fault,), self.evidence)]
        found = self._credible(alone) or self._within(everywhere)
        if found:
            return found
        known = [*everywhere, *narrowed(everywhere, self.layers)]
        found = self._credible(self._carried_on(known)) or self._credible(self._pairs(everywhere))
        if found:
            return found
        at_output = {seen.scene.network.activations[-1] for seen in self.evidence if seen.scene.network.loss == "squared_error"}
        return self._credible(self._carried_on([*known, *unknown(self.activations, self.losses, self.layers, at_output)]))

    def _credible(self, models: Sequence[Model]) -> list[Model]:
        """Return the models whose every fault is needed for numbers: that both end in an error proves nothing."""
        numbers = [seen for seen in self.evidence if not isinstance(seen.given, str)]
        shapes_or_names = [seen for seen in self.evidence if isinstance(seen.given, str) and seen.given != "raised"]
        found = []
        # Who has no biases gives dL/dw alone.
        compared = {"w", "b"} & frozenset().union(*(seen.kinds for seen in self.evidence)) or {"w", "b"}
        for model in (_pruned(model, self.evidence) for model in models):
            if compared <= frozenset().union(*(fault.ignores for fault in model)):
                # Nothing would be left to compare.
                continue
            of = [seen for seen in [*numbers, *shapes_or_names] if not any(fault.single for fault in model) or seen.single]
            if all(sum(not explains(_without(model, fault), [seen]) for seen in of) >= ENOUGH for fault in model):
                found.append(model)
        return _distinct(found)

    def _within(self, faults: Sequence[Fault]) -> list[Model]:
        """Return the faults that explain what is wrong if they are made in part of the networks alone."""
        wrong = [seen for seen in self.evidence if not explains((), [seen])]
        found: list[Model] = []
        for words, holds in CIRCUMSTANCES.items():
            inside = [seen for seen in self.evidence if holds(seen.scene)]
            if len(inside) in (0, len(self.evidence)) or not all(holds(seen.scene) for seen in wrong):
                continue
            for fault in faults:
                if explains((fault,), wrong) and explains((fault,), inside):
                    found.append((replace(fault, within=words, cost=fault.cost + 1),))
        return self._credible(found)

    def _carried_on(self, faults: Sequence[Fault]) -> list[Model]:
        """Return models found by adding the fault that explains most, again and again, to the best few models."""
        beam: list[Model] = [()]
        for _ in range(MOST):
            grown: list[tuple[tuple[int, int], int, Model]] = []
            for model in beam:
                score = self._score(model)
                for fault in [*self._measured(model), *faults]:
                    if self.trials > MOST_TRIALS:
                        return []
                    if fault in model or (fault.single and any("b" in each.ignores for each in model)):
                        continue
                    of_more = self._score((*model, fault))
                    if of_more > score:
                        grown.append((of_more, -sum(each.cost for each in (*model, fault)), (*model, fault)))
            grown.sort(key=lambda each: each[:2], reverse=True)
            complete = [model for score, _, model in grown[: 4 * BEAM] if score[0] == len(self.screen)]
            right = [model for model in complete if explains(model, self.evidence)]
            if right:
                return right
            if complete:
                # What is still wrong elsewhere is asked about from now on.
                left = [seen for seen in self.evidence if seen not in self.screen and not explains(complete[0], [seen])]
                self.screen += sorted(left, key=lambda seen: seen.size)[: SCREEN - 2]
            beam = [model for _, _, model in grown[:BEAM]]
            if not beam:
                return []
        return []

    def _score(self, model: Model) -> tuple[int, int]:
        """Return on how many networks everything is explained, and how many quantities are in all."""
        self.trials += len(self.screen)
        found = [matched(model, seen) for seen in self.screen]
        return sum(got == of for got, of in found), sum(got for got, _ in found)

    def _pairs(self, faults: Sequence[Fault]) -> list[Model]:
        """Return models of two faults of which neither alone explains anything more, as where one hides the other."""
        first = next((seen for seen in self.screen if not isinstance(seen.given, str)), None)
        if first is None:
            return []
        # Two that change nothing there cannot be told apart there.
        live = [fault for fault in faults if not explains((fault,), [first]) and _changes(fault, first)]
        found: list[Model] = []
        for one, other in combinations(live, 2):
            self.trials += 2
            if self.trials > MOST_TRIALS:
                break
            for model in ((one, other), (other, one)):
                if explains(model, [first]) and explains(model, self.screen) and explains(model, self.evidence):
                    found.append(model)
                    break
        return found

    def _measured(self, model: Model) -> list[Fault]:
        """Return what would explain more if it were a constant factor."""
        ratios: list[Ratio] = []
        for seen in self.evidence:
            theirs = told_by(model, seen)
            if isinstance(seen.given, str) or isinstance(theirs, str):
                continue
            network = seen.scene.network
            u = rounding(network.weights[0].dtype).u
            for name, mine in seen.given.items():
                kind = kind_of(name)
                if name not in theirs or kind not in (*PARAMETERS, "loss") or name not in seen.allowed:
                    continue
                sizes, allowed = np.abs(np.asarray(theirs[name])), seen.allowed[name]
                # Where everything is rounding, ratios say nothing.
                kept = (sizes > 1e-3 * sizes.max(initial=0.0)) & (sizes > CLEAR * allowed)
                if not kept.any():
                    continue
                with np.errstate(all="ignore"):
                    values = np.ravel(np.asarray(mine)[kept] / np.asarray(theirs[name])[kept])
                is_right = kind != "loss" and is_close(mine, theirs[name], allowed, u)
                ratios.append(_ratio(name, network, np.ones(3) if is_right else values))
        answers = [(seen.scene, seen.given) for seen in self.evidence if not isinstance(seen.given, str)]
        return [*measured(ratios), *(clipped(answers) if not model else [])]


def _ratio(name: str, network: Description, values: Array) -> Ratio:
    layers = len(network.weights)
    number = layers if name == "loss" else int(name.removeprefix(kind_of(name)))
    return Ratio(kind_of(name), number, layers, network.activations[number - 1], network.loss, values)


def _spread_over_layers(by_size: Sequence[Witness], most: int) -> list[Witness]:
    """Return some, of every number of layers in turn."""
    groups: dict[int, list[Witness]] = {}
    for seen in by_size:
        groups.setdefault(seen.size[0], []).append(seen)
    chosen: list[Witness] = []
    while len(chosen) < most and any(groups.values()):
        for group in groups.values():
            if group and len(chosen) < most:
                chosen.append(group.pop(0))
    return sorted(chosen, key=lambda seen: seen.size)


def _changes(fault: Fault, seen: Witness) -> bool:
    theirs, right = told_by((fault,), seen), told_by((), seen)
    if isinstance(theirs, str) or isinstance(right, str):
        return False
    return any(not np.array_equal(theirs[name], right[name]) for name in right if name in theirs)


def _without(model: Model, fault: Fault) -> Model:
    return tuple(each for each in model if each is not fault)


def _pruned(model: Model, evidence: Sequence[Witness]) -> Model:
    """Return the model without the faults that it does as well without."""
    for fault in model:
        fewer = _without(model, fault)
        if fewer and explains(fewer, evidence):
            return _pruned(fewer, evidence)
    return model


def _distinct(models: Sequence[Model]) -> list[Model]:
    """Return the models of fewest faults, each set of names once, the likeliest first."""
    fewest = min((len(model) for model in models), default=0)
    ordered = sorted((model for model in models if len(model) == fewest), key=lambda model: sum(each.cost for each in model))
    found: dict[frozenset[tuple[str, str]], Model] = {}
    for model in ordered:
        found.setdefault(frozenset((each.name, each.exchange.where) for each in model), model)
    cheapest = min((sum(each.cost for each in model) for model in found.values()), default=0)
    return [model for model in found.values() if sum(each.cost for each in model) == cheapest]


Ask = Callable[[Scene], Answer]


def tell_apart(models: list[Model], ask: Ask, scenes: Sequence[Scene]) -> list[Model]:
    """Return the models that still give what the submission does once it is asked where they differ.

    Parameters
    ----------
    models : list of tuple of Fault
        Those that explain what was seen so far.
    ask : callable
        Returns the submission's answer about a scene.
    scenes : sequence of Scene
        More networks, ordinary and extreme ones.

    Returns
    -------
    list of tuple of Fault
        Some of the models, in their order; possibly none.
    """
    for scene in scenes:
        if len(models) < 2:
            break
        blank = witness(scene, "")
        answers = [told_by(model, blank) for model in models]
        if all(agree(replace(blank, given=answers[0]), each) for each in answers[1:]):
            continue
        seen = replace(blank, given=ask(scene))
        # Where none fits, something else breaks, which has nothing to do with them.
        models = [model for model in models if explains(model, [seen])] or models
    return models
