"""Which declaration would fit a submission that cannot be judged, or is wrong, by what it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import product
from typing import Any

import numpy as np

from verification.checking.asking import Asking, same
from verification.checking.grading import Grade
from verification.checking.questions import ORDINARY
from verification.checking.verdict import Verdict
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.conventions import factor_of
from verification.submissions.description import Description, describe
from verification.submissions.support import ACTIVATIONS, L2_FORMS, SQUARED_ERRORS, Support

Judge = Callable[[Support], Verdict]

# On so many networks a declaration must leave no error, and on so many more no wrong number, before everything is asked.
FITTING, RIGHT = 6, 12
LAYOUTS: tuple[dict[str, Any], ...] = (
    {},
    {"weights": "in-out"},
    {"examples": "columns"},
    {"weights": "in-out", "examples": "columns"},
)
# What declares nothing may be written for so many layers. For one alone it may be, too, or be wrong on the way back.
DEPTHS = (None, 2, 3)
COUNTS: tuple[dict[str, Any], ...] = ({}, {"single": False}, {"batches": False})
# As many declarations by which most is right are judged in full.
MOST_TRIED = 3
# With one of these most submissions can be called.
TRIED = ("sigmoid", "relu", "tanh", "identity")
CONVENTIONS = {"half-squared-error": "half_squared_error", "mean-squared-error": "mean_squared_error"}
NEAR = 1e-6
BLIND = "it looks at no activation's name, and does not say which it is written for"
L2_SAID = {"half": "½ λ Σ w²", "whole": "λ Σ w²", "half/N": "λ / 2N · Σ w²", "whole/N": "λ / N · Σ w²"}


def count_l2(asking: Asking) -> str:
    """Find which term of l2 a submission has, and have it counted so.

    Parameters
    ----------
    asking : Asking
        Its `support` declares l2.

    Returns
    -------
    str
        What is counted, in words. Of several the one by which most derivatives are right.
    """
    said = asking.subject.support
    forms = [said.l2_form] if said.l2_form else list(L2_FORMS)
    scores = []
    for form in forms:
        asking.subject.declare(replace(said, l2_form=form))
        scores.append(sum(_derivatives_right(asking, drawn) for drawn in _cases(asking, RIGHT)))
    best = forms[int(np.argmax(scores))]
    asking.subject.declare(replace(said, l2_form=best))
    asking.questions.support = asking.subject.support
    return f"l2 = {said.l2:g} as {L2_SAID[best]}"


def _derivatives_right(asking: Asking, drawn: Case) -> int:
    found = asking.graded(drawn)
    return sum(entry.ok for entry in found.entries if entry.name.startswith("w")) if isinstance(found, Grade) else 0


def unfit(asking: Asking, verdict: Verdict, judge: Judge) -> bool:
    """Say whether a submission cannot be judged by what it declares, and what would fit: then its verdict is filled.

    Parameters
    ----------
    asking : Asking
        The submission, by what it declares.
    verdict : Verdict
        Is filled if so.
    judge : callable
        Takes a Support; returns the verdict on the submission as if it had declared that.

    Returns
    -------
    bool
        True where most calls end in an error, or it declares nothing and looks at no name of an activation, and another
        declaration mends that.

    Raises
    ------
    SubmissionError
        If its process hangs or ends, called by another declaration.
    """
    said = asking.subject.support
    answers = [asking.answered(drawn) for drawn in _of_each_form(asking)]
    errors = [str(answer) for answer in answers if isinstance(answer, SubmissionError)]
    is_blind = not errors and said == Support() and _is_blind(asking, said)
    try:
        candidates, guessed = _fitting(asking) if is_blind or 2 * len(errors) >= len(answers) else ([], False)
        judged = [(each, judge(each)) for each in candidates]
        if not judged:
            return False
        found, with_it = min(judged, key=lambda each: (not each[1].ok, not _is_explained(each[1]), len(each[1].faults)))
        found, with_it = _by_its_loss(found, with_it, judge) or (found, with_it)
    finally:
        asking.subject.declare(said)
    if with_it.status != "wrong":
        fits = with_it.ok
    else:
        # What was guessed from the numbers is said only if it explains them.
        fits = _is_explained(with_it) or not guessed
    if not fits:
        return False
    verdict.status, verdict.question, verdict.error = "unjudged", "", BLIND if is_blind else errors[0]
    verdict.declaration, verdict.with_it = declaration(said, found), with_it
    return True


def look_for_fit(asking: Asking, verdict: Verdict, judge: Judge) -> None:
    """Find the declaration by which a wrong submission would be right, or wrong in less, and say so in its verdict.

    Parameters
    ----------
    asking : Asking
        The submission, by what it declares.
    verdict : Verdict
        That it is wrong.
    judge : callable
        As for `unfit`.
    """
    said = asking.subject.support
    try:
        found = _by_its_loss(said, verdict, judge)
        if found is None:
            other = (
                _with_l2(asking, said, verdict)
                or _other_square(asking, said)
                or _yes_or_no(asking, said)
                or _narrower(asking, said, verdict)
            )
            with_it = None if other is None else judge(other)
            if other is None or with_it is None or not _is_better(with_it, verdict):
                return
            found = other, with_it
    finally:
        asking.subject.declare(said)
    verdict.declaration, verdict.with_it = declaration(said, found[0]), found[1]


def _by_its_loss(said: Support, verdict: Verdict, judge: Judge) -> tuple[Support, Verdict] | None:
    """Return the declaration of another squared error that explains more than (10), and the verdict with it; None if none."""
    models = (verdict.faults, *verdict.alternatives)
    named = next((CONVENTIONS[fault.name] for model in models for fault in model if fault.name in CONVENTIONS), None)
    if named is None:
        return None
    found = _with_loss(said, named)
    with_it = judge(found)
    return (found, with_it) if _is_better(with_it, verdict) else None


def _is_better(one: Verdict, other: Verdict) -> bool:
    """Say whether one is right, or explained by fewer faults than the other; what is not explained is worse than any fault."""
    if one.ok:
        return True
    return _is_explained(one) and (not _is_explained(other) or len(one.faults) < len(other.faults))


def _is_explained(verdict: Verdict) -> bool:
    return bool(verdict.faults) and all(fault.known for fault in verdict.faults)


def declaration(said: Support, found: Support) -> str:
    """Return what a declaration says beyond another, as its arguments are written."""
    other = [field.name for field in fields(Support) if getattr(found, field.name) != getattr(said, field.name)]
    if found.outputs == found.activations and "outputs" in other:
        other.remove("outputs")

    def shown(name: str) -> str:
        value = getattr(found, name)
        if name in ("activations", "outputs", "losses", "reductions", "targets", "dtypes"):
            value = list(value)
        if name == "layers" and value[0] == value[1]:
            value = value[0]
        return repr(value).replace("'", '"')

    return ", ".join(f"{name}={shown(name)}" for name in other)


def _cases(asking: Asking, count: int) -> Iterator[Case]:
    return (asking.questions.case(number, stream=14, of=ORDINARY) for number in range(count))


def _of_each_form(asking: Asking) -> Iterator[Case]:
    """Yield some cases, single examples and batches of several examples where both are taken."""
    left = {"single": FITTING // 2, "one": 1, "many": FITTING // 2}
    for drawn in _cases(asking, 6 * FITTING):
        form = "single" if np.ndim(drawn.x) == 1 else "one" if len(drawn.x) == 1 else "many"
        if left[form]:
            left[form] -= 1
            yield drawn


def _as_if(asking: Asking, support: Support) -> Asking:
    asking.subject.declare(support)
    return Asking(asking.subject, asking.questions.seed, asking.strict_kinks, asking.oracle)


def _is_callable(asking: Asking, support: Support) -> bool:
    tried = _as_if(asking, support)
    return not any(isinstance(tried.answered(drawn), SubmissionError) for drawn in _of_each_form(tried))


def _is_right(asking: Asking, support: Support) -> bool:
    tried = _as_if(asking, support)
    for drawn in _cases(tried, RIGHT):
        found = tried.graded(drawn)
        if not isinstance(found, Grade) or not (found.ok or found.only_digits):
            return False
    return True


def _fitting(asking: Asking) -> tuple[list[Support], bool]:
    """Return the declaration by which everything tried is right, or else those by which most is; none if only its own fits.

    Besides, whether they were guessed from the numbers of a submission that looks at no name.
    """
    said = asking.subject.support
    scored: list[tuple[int, Support]] = []
    for support, blind in _callable_ones(asking, said):
        # Who looks at no name divides by N, or does not.
        ways = [[name] for name in support.reductions] if blind else [list(support.reductions)]
        for each, way in product(_by_numbers(support, blind), ways):
            tried = replace(each, reductions=way)
            if _is_right(asking, tried):
                return [tried], blind
            scored.append((_count_right(asking, tried) if blind else -1, tried))
    most = max((score for score, _ in scored), default=0)
    # Of who can be called by a declaration alone, whatever the numbers, the first stands for all.
    best = [each for score, each in scored if score == most and each != said]
    return best[: MOST_TRIED if most >= 0 else 1], most >= 0


def _count_right(asking: Asking, support: Support) -> int:
    tried = _as_if(asking, support)
    graded = [tried.graded(drawn) for drawn in _cases(tried, FITTING)]
    return sum(sum(entry.ok for entry in found.entries) for found in graded if isinstance(found, Grade))


def _callable_ones(asking: Asking, said: Support) -> Iterator[tuple[Support, bool]]:
    """Yield the declarations by which the submission can be called, and whether it then looks at no activation's name."""
    # Of who declares something only what he may not know of: that he does not take a batch he would have said.
    depths, counts = (DEPTHS, COUNTS) if said == Support() else ((said.layers,), ({},))
    structures = [
        {**layout, **count, **({} if biases else {"biases": False}), "layers": depth}
        for layout, biases, count, depth in product(LAYOUTS, (True, False), counts, depths)
    ]
    structures.sort(key=lambda each: len(each) + (each["layers"] != said.layers))
    kept: list[dict[str, Any]] = []
    for structure in structures:
        # Who can be called with less said needs no more.
        if any(all(structure.get(name) == value for name, value in each.items() if value is not None) for each in kept):
            continue
        wanted = replace(said, **structure)
        if said != Support():
            if _is_callable(asking, wanted):
                kept.append(structure)
                yield wanted, False
            continue
        probe = next((each for each in _probes(wanted) if _is_callable(asking, each)), None)
        if probe is None:
            continue
        if _is_blind(asking, probe):
            if structure["layers"] is None or not _is_callable(asking, _square(probe)):
                kept.append(structure)
                yield wanted, True
        elif structure["layers"] is None and probe.losses == ("squared_error",):
            # Who looks at the names is asked about all that he does not refuse, and of nothing else is an error his own.
            kept.append(structure)
            names = [name for name in ACTIVATIONS if name != "softmax"]
            taken = [name for name in names if _is_callable(asking, _of_activation(wanted, name))]
            yield replace(probe, activations=taken, outputs=taken), False


def _square(probe: Support) -> Support:
    """Return the declaration of another number of layers, all of one width: what it refuses there it refuses for the number."""
    return replace(probe, layers=5 - probe.layer_range[0], widths=3)


def _probes(support: Support) -> Iterator[Support]:
    """Yield declarations of little, by one of which most submissions can be called."""
    for name in TRIED:
        yield _of_activation(support, name)
    for name, targets in product(TRIED, (["one_hot", "distribution"], ["indices"])):
        yield _of_classes(support, name, targets)


def _of_activation(support: Support, name: str) -> Support:
    return replace(support, activations=[name], outputs=[name], losses=["squared_error"])


def _of_classes(support: Support, name: str, targets: list[str]) -> Support:
    return replace(support, activations=[name], outputs=["softmax"], losses=["cross_entropy"], targets=targets)


def _by_numbers(support: Support, blind: bool) -> Iterator[Support]:
    """Yield the declaration with what the numbers depend on: the squared error and, if it declares nothing, all it may mean."""
    squared = list(SQUARED_ERRORS) if "squared_error" in (support.losses or ()) else [support.squared_error]
    if not blind:
        for loss in squared:
            yield _with_loss(support, loss)
        return
    names = [name for name in ACTIVATIONS if name != "softmax"]
    for name, output, loss in product(names, (None, "identity", "sigmoid"), squared):
        if output != name:
            yield replace(_of_activation(support, name), outputs=[output or name], losses=[loss])
    for name in names:
        yield replace(_of_yes_or_no(support), activations=[name])
    targets = (["indices", "one_hot", "distribution"], ["one_hot", "distribution"], ["indices"])
    for name, target in product(names, targets):
        yield _of_classes(support, name, target)


def _of_yes_or_no(support: Support) -> Support:
    return replace(support, outputs=["sigmoid"], losses=["binary_cross_entropy"])


def _with_loss(support: Support, squared: str) -> Support:
    losses = [squared if name in SQUARED_ERRORS else name for name in support.losses or ()]
    return replace(support, losses=losses)


def _is_blind(asking: Asking, support: Support, to: str = "activations") -> bool:
    """Say whether the answers do not depend on the activations' names, or on the loss's."""
    seen = 0
    tried = _as_if(asking, support)
    for drawn in _cases(tried, FITTING):
        network = describe(drawn.net)
        try:
            answers = [tried.ask(each, drawn.x, drawn.y) for each in CALLED[to](network)]
        except SubmissionError:
            continue
        if not all(same(answers[0], other) for other in answers[1:]):
            return False
        seen += 1
    return seen > 0


def _by_activations(network: Description) -> list[Description]:
    count = len(network.activations)
    names = ("sigmoid", "relu", "identity")
    return [replace(network, activations=[name] * count, slopes=[None] * count) for name in names]


def _by_losses(network: Description) -> list[Description]:
    return [replace(network, loss=name) for name in ("squared_error", "binary_cross_entropy")]


CALLED = {"activations": _by_activations, "loss": _by_losses}


def _other_square(asking: Asking, said: Support) -> Support | None:
    """Return the declaration of another squared error than the one that is declared, if everything tried is right by it."""
    if said.squared_error == "squared_error":
        return None
    others = (_with_loss(said, name) for name in SQUARED_ERRORS if name != said.squared_error)
    return next((each for each in others if _is_right(asking, each)), None)


def _yes_or_no(asking: Asking, said: Support) -> Support | None:
    """Return the declaration of the binary cross-entropy, if everything tried is right by it."""
    if said.losses != ("squared_error",) or "sigmoid" not in (said.outputs or ()):
        return None
    found = _of_yes_or_no(said)
    # Who looks at the loss's name has another derivative for each, and means what is asked.
    return found if _is_blind(asking, found, "loss") and _is_right(asking, found) else None


def _narrower(asking: Asking, said: Support, verdict: Verdict) -> Support | None:
    """Return the declaration of no single units, or classes, where the submission is wrong of these alone."""
    of_one_unit = verdict.case is not None and 1 in verdict.case.net.widths
    if said.widths is not None or (_is_explained(verdict) and not of_one_unit):
        return None
    for wider in (replace(said, least_classes=2), replace(said, least_width=2)):
        if wider != said and _is_right(asking, wider):
            return wider
    return None if _is_explained(verdict) or said.least_width > 1 else replace(said, least_width=2)


def _with_l2(asking: Asking, said: Support, verdict: Verdict) -> Support | None:
    """Return the declaration of a term of l2, where dL/dw differs from what it should be by a constant times w, and no more."""
    asking.subject.declare(said)
    if said.l2 or verdict.status != "wrong" or verdict.question != ORDINARY:
        return None
    shares: list[float] = []
    counts: list[int] = []
    for drawn in _cases(asking, RIGHT):
        arrays, network = asking.answered(drawn), describe(drawn.net)
        if isinstance(arrays, SubmissionError):
            return None
        trace = drawn.net.trace(drawn.x, drawn.y).gradient.named()
        for number, w in enumerate(network.weights, start=1):
            off = (arrays[f"w{number}"] - trace[f"w{number}"]) / factor_of(network, said)
            kept = np.abs(w) > 0.1
            shares += list(off[kept] / w[kept])
            counts += [len(drawn.x) if np.ndim(drawn.x) == 2 else 1] * int(kept.sum())
    of_forms: dict[str, list[int]] = {"half": [1] * len(shares), "half/N": counts}
    for form, times in of_forms.items():
        found = np.array(shares, float) * np.array(times)
        if len(found) and abs(found[0]) > NEAR and (np.abs(found - found[0]) <= NEAR * abs(found[0])).all():
            digits = float(f"{found[0]:.6g}")
            return replace(said, l2=digits, l2_form=form) if digits > 0 else None
    return None
