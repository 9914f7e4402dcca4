"""What is wrong, told: the smallest network, the faults that explain it, the equation, the report card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from verification.bounds.quantities import kind_of
from verification.checking.asking import Asking, scene_of
from verification.checking.card import NOTHING, Row, card
from verification.checking.diagnosis import Blame, blame
from verification.checking.explanation import ENOUGH, Search, tell_apart
from verification.checking.faults import ALPHA, BINARY_JOINED, CIRCUMSTANCES, JOINED, LOSS, faults_for
from verification.checking.grading import Grade
from verification.checking.moods import tell_mood
from verification.checking.notes import Note
from verification.checking.own_loss import NO_DERIVATIVE, OwnLoss, own_loss
from verification.checking.questions import CORNERS, EXTREME, ORDINARY
from verification.checking.verdict import Verdict
from verification.checking.when import when
from verification.checking.witnesses import Model, Witness, answer, explains, matched, witness
from verification.mistakes import Mistake
from verification.random_networks import shrinking
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Description, as_network, describe

Array = npt.NDArray[np.floating]

# How many networks the search looks at, and on how many fresh ones a set of faults must do as the submission does.
EVIDENCE = 60
NEAR = 6
FRESH = 40
# How many square networks are looked through for wrong numbers where others end in an error.
SQUARES = 100
# So many times too large is what has gone through weights after a step at the rate from which a gradient is found.
LARGE = 2.0**30
# How many corners are looked through for those that show it.
CORNERS_SEEN = 180


def tell(
    verdict: Verdict,
    asking: Asking,
    drawn: Case,
    found: Grade | SubmissionError,
    question: str,
    came: Mapping[str, Array] | None = None,
    unfit: Callable[[], bool] = lambda: False,
) -> None:
    """Fill the verdict for a network on which the submission is wrong.

    Parameters
    ----------
    verdict : Verdict
        Is filled.
    asking : Asking
        The submission.
    drawn : Case
        The network.
    found : Grade or SubmissionError
        What its answer is worth.
    question : str
        ORDINARY or CORNERS: what other networks are drawn from.
    came : mapping of str to ndarray, optional
        The answer that is wrong, to be held against another to the same question.
    unfit : callable
        Says whether it cannot be judged by what it declares; then the verdict is filled already.
    """
    verdict.status, verdict.question = "wrong", question
    if isinstance(found, SubmissionError):
        if unfit():
            return
        # Wrong numbers say more than an error does: a transpose that fits on square layers, for one.
        others = (asking.questions.case(number, stream=1, of=question) for number in range(EVIDENCE))
        squares = filter(None, (asking.questions.square(number) for number in range(SQUARES)))
        wrong = next(filter(asking.is_wrong, chain(others, squares)), None)
        if wrong is None:
            _tell_error(verdict, asking, drawn, found, question)
            return
        drawn, came = wrong, None
    # The answers are held together before anything else is asked.
    if not tell_mood(verdict, asking, drawn, came) or (came is not None and unfit()):
        return
    fails = _failing(asking, question)
    smallest = shrinking.shrink(drawn, fails) if fails(drawn) else shrinking.shrink(drawn, asking.is_wrong)
    graded = asking.graded(smallest)
    verdict.case = smallest
    if isinstance(graded, SubmissionError) or graded.ok:
        verdict.error = (
            "its numbers were wrong, and right when it was asked the same again: it answers from what it was asked before"
        )
        return
    verdict.grade, verdict.arrays = graded, dict(asking.ask(describe(smallest.net), smallest.x, smallest.y))
    if asking.subject.is_stepper and any(abs(entry.given) > LARGE * (1 + abs(entry.expected)) for entry in graded.wrong):
        # Nothing else makes numbers of the size of the rate.
        verdict.blame = Blame(14, graded.wrong[0].name, "the weights have been changed before the error goes back through them")
        verdict.card = _card(asking, [], (), {"(14)": verdict.blame.why})
        return
    evidence = _evidence(asking, smallest, question)
    verdict.when = when(smallest, fails, _wrong_cases(evidence)) if question == CORNERS else ""
    if _is_nothing_but_zeros(evidence):
        verdict.zeros = True
        verdict.card = _card(asking, evidence, (), {NOTHING: "every number is 0"})
        return
    if question == ORDINARY:
        verdict.when = _circumstance(evidence)
    models = _explained(asking, evidence, question)
    told = blame(*_lively(asking, smallest, graded, verdict.arrays), asking.ask)
    # Of ordinary networks it speaks alone.
    belongs = own_loss(asking) if question == ORDINARY else None
    if models:
        chosen = next((model for model in models if model[0].equation == told.equation), models[0])
        verdict.faults = chosen
        verdict.alternatives = tuple(model for model in models if model is not chosen)
        verdict.blame = _blame_of(chosen, graded)
    known = bool(models) and all(fault.known for fault in verdict.faults)
    if not known:
        of_forward = _by_prediction(asking, smallest)
        if of_forward is not None:
            verdict.faults, verdict.alternatives = (), ()
        verdict.blame = of_forward or verdict.blame or told
    verdict.loss = belongs.text if belongs is not None and not _is_of_loss(models, belongs) else ""
    if known and question == ORDINARY:
        carry_on(verdict, asking)
    verdict.card = _card(asking, evidence, verdict.faults, _wrong_rows(verdict, smallest))


def carry_on(verdict: Verdict, asking: Asking) -> None:
    """Ask about corners and extreme numbers what the faults found do not explain, and add to the verdict what does.

    Parameters
    ----------
    verdict : Verdict
        With faults that explain the ordinary networks; faults and notes are added.
    asking : Asking
        The submission.
    """
    for question in (CORNERS, EXTREME):
        evidence = [_seen(asking, asking.questions.case(number, stream=12, of=question)) for number in range(2 * EVIDENCE)]
        missed = [seen for seen in evidence if not explains(verdict.faults, [seen])]
        # That both end in an error proves nothing.
        if sum(not isinstance(seen.given, str) for seen in missed) < ENOUGH:
            continue
        # Of several that do the same the one that changes least.
        for fault in sorted(faults_for(asking.subject.support), key=lambda fault: len(fault.exchange.steps)):
            if fault.mistake is None or fault.mistake in verdict.mistakes:
                continue
            model = next(
                (each for each in ((*verdict.faults, fault), (fault, *verdict.faults)) if explains(each, missed)), None
            )
            if model is None or not explains(model, evidence):
                continue
            if question == CORNERS:
                verdict.faults = model
            else:
                text = f"besides, for very large or very small numbers: {fault.thought}"
                verdict.notes = (*verdict.notes, Note("numbers", text, "", fault.equation, (fault.name,)))
            break


def _failing(asking: Asking, question: str) -> Callable[[Case], bool]:
    """Return what a smaller network must do to be shown in place of this one: be wrong, and a question of the same kind."""
    corners = question == CORNERS
    return lambda each: asking.questions.is_fit(each, corners=corners) and asking.is_wrong(each)


def _lively(
    asking: Asking, smallest: Case, graded: Grade, arrays: Mapping[str, Array]
) -> tuple[Case, Grade, Mapping[str, Array]]:
    """Return the smallest case, or the same with 1 for every input of 0, which hides whatever it is multiplied by."""
    x = np.asarray(smallest.x)
    lively = Case(smallest.net, np.where(x == 0, np.ones_like(x), x), smallest.y)
    if (x == 0).any() and asking.questions.covers(lively):
        found = asking.graded(lively)
        if isinstance(found, Grade) and not found.ok:
            return lively, found, asking.ask(describe(lively.net), lively.x, lively.y)
    return smallest, graded, arrays


def _tell_error(verdict: Verdict, asking: Asking, drawn: Case, error: SubmissionError, question: str) -> None:
    """Tell an error: of every network it is no wrong derivation, but nothing that could be judged."""

    def fails(each: Case) -> bool:
        if not asking.questions.covers(each):
            return False
        found = asking.graded(each)
        # The same quantity in whichever layer, so that layers may go.
        return isinstance(found, SubmissionError) and (found.kind, kind_of(found.quantity or "")) == (
            error.kind,
            kind_of(error.quantity or ""),
        )

    smallest = shrinking.shrink(drawn, fails)
    found = asking.graded(smallest)
    verdict.case = smallest
    verdict.error = str(found if isinstance(found, SubmissionError) else error)
    evidence = _evidence(asking, smallest, question)
    errors = sum(isinstance(seen.given, str) for seen in evidence)
    if errors == len(evidence):
        verdict.status = "unjudged"
    else:
        verdict.when = when(smallest, fails, _wrong_cases(evidence)) if question == CORNERS else _circumstance(evidence)
    # Shapes and names say what is done as numbers do; that something was raised does not.
    if any(isinstance(seen.given, str) and seen.given != "raised" for seen in evidence):
        models = _explained(asking, evidence, question)
        if models and all(fault.known for fault in models[0]):
            verdict.faults, verdict.blame = models[0], Blame(models[0][0].equation, error.quantity or "", models[0][0].thought)


def _evidence(asking: Asking, smallest: Case, question: str) -> list[Witness]:
    """Return networks with the submission's answers: the smallest, some near it, and others on which it is wrong and right."""
    questions = asking.questions
    drawn = [smallest, *questions.near(smallest, NEAR)]
    if question == ORDINARY:
        drawn += [questions.case(number, stream=1, of=ORDINARY) for number in range(EVIDENCE)]
        seen = [_seen(asking, each) for each in drawn]
        if sum(isinstance(each.given, str) for each in seen) > len(seen) // 3:
            # Where most end in an error, square layers may let the wrong numbers through.
            squares = filter(None, (questions.square(number) for number in range(EVIDENCE // 2)))
            seen += [_seen(asking, each) for each in squares]
        return seen
    corners = [questions.case(number, stream=1, of=CORNERS) for number in range(CORNERS_SEEN)]
    wrong = list(islice((each for each in corners if asking.is_wrong(each)), EVIDENCE // 4))
    return [_seen(asking, each) for each in [*drawn, *wrong, *corners[: EVIDENCE // 4]]]


def _seen(asking: Asking, drawn: Case) -> Witness:
    scene = scene_of(drawn)
    return witness(scene, answer(asking.subject, scene), asking.kinds, strict_kinks=asking.strict_kinks)


def _wrong_cases(evidence: list[Witness]) -> list[Case]:
    """Return the networks of the evidence on which the submission is wrong."""
    wrong = [seen.scene for seen in evidence if not explains((), [seen])]
    return [Case(as_network(scene.network), scene.x, scene.y) for scene in wrong]


def _circumstance(evidence: list[Witness]) -> str:
    """Return the circumstance in which the submission is wrong always, and right without it; "" if there is none."""
    wrong = [seen for seen in evidence if not explains((), [seen])]
    right = [seen for seen in evidence if seen not in wrong]
    if len(right) < ENOUGH or len(wrong) < ENOUGH:
        return ""
    for words, holds in CIRCUMSTANCES.items():
        if all(holds(seen.scene) for seen in wrong) and not any(holds(seen.scene) for seen in right):
            return words
    return ""


def _is_nothing_but_zeros(evidence: list[Witness]) -> bool:
    """Say whether every derivative of every answer is 0."""
    answers = [seen.given for seen in evidence if not isinstance(seen.given, str)]
    return bool(answers) and not any(array.any() for arrays in answers for name, array in arrays.items() if name != "loss")


def _explained(asking: Asking, evidence: list[Witness], question: str) -> list[Model]:
    """Return the sets of faults that explain the evidence and as many fresh networks, the likeliest first."""
    support, questions = asking.subject.support, asking.questions
    activations = tuple(dict.fromkeys([*support.activations, *(support.outputs or ())]))
    losses, faults = support.losses_drawn, faults_for(support)
    search = Search(evidence, activations, losses, faults)
    models = search.best()
    if not models:
        return []
    fresh = [_seen(asking, questions.case(number, stream=4, of=question)) for number in range(FRESH)]
    kept = [model for model in models if explains(model, fresh)]
    if not kept:
        missed = [seen for seen in fresh if not explains(models[0], [seen])]
        again = Search([*evidence, *missed[: EVIDENCE // 4]], activations, losses, faults)
        kept = [model for model in again.best() if explains(model, fresh)]
    more = [questions.case(number, stream=7, of=(ORDINARY, CORNERS, EXTREME)[number % 3]) for number in range(2 * FRESH)]
    return tell_apart(kept, lambda scene: answer(asking.subject, scene), list(map(scene_of, more)))


def _is_of_loss(models: list[Model], belongs: OwnLoss) -> bool:
    """Say whether the faults say already what the loss says of the gradient."""
    if not models or not all(fault.known for fault in models[0]):
        return False
    return belongs.text == NO_DERIVATIVE or (belongs.belongs and all(not fault.convention for fault in models[0]))


def _blame_of(model: Model, graded: Grade) -> Blame:
    fault = next((each for each in model if not each.convention), model[0])
    quantity = graded.wrong[0].name if graded.wrong else ""
    return Blame(fault.equation, quantity, fault.told)


def _by_prediction(asking: Asking, smallest: Case) -> Blame | None:
    """Return the blame of (8) or (9) if forward already returned something else than the predictions; None otherwise."""
    predictions = asking.predicted(smallest)
    if predictions is None:
        return None
    with np.errstate(all="ignore"):
        trace = smallest.net.trace(smallest.x, smallest.y)
    last = trace[len(trace)]
    if any(np.allclose(predictions, right, rtol=1e-6, atol=1e-9) for right in (last.a, last.z)):
        return None
    plain = {layer.activation.name for layer in smallest.net.layers} == {"identity"}
    return Blame(8 if plain else 9, f"a{len(trace)}", "what forward returns is not the prediction")


def _wrong_rows(verdict: Verdict, smallest: Case) -> dict[str, str]:
    if verdict.faults:
        return {row: fault.told for fault in verdict.faults for row in fault.rows}
    if verdict.blame is None or verdict.blame.equation is None:
        return {}
    equation, quantity = verdict.blame.equation, verdict.blame.quantity
    if equation == 1 and kind_of(quantity) != "loss" and smallest.net.loss_name == "binary_cross_entropy":
        return {BINARY_JOINED: verdict.blame.why}
    if equation in (1, 10) or quantity == "loss":
        return {LOSS: verdict.blame.why}
    if equation == 2:
        return {JOINED: verdict.blame.why}
    if kind_of(quantity) == "alpha":
        return {ALPHA: verdict.blame.why}
    row = f"({equation})"
    if equation in (9, 12):
        layers, kind = smallest.net.layers, kind_of(quantity)
        if kind in ("z", "a", "da_dz"):
            # A quantity of the layer itself, and none that others made.
            layers = layers[int(quantity.removeprefix(kind)) - 1 :][:1]
        names = {layer.activation.name for layer in layers} - {"identity"}
        row = f"{row} {names.pop()}" if len(names) == 1 else row
    return {row: verdict.blame.why}


def _card(asking: Asking, evidence: list[Witness], model: Model, wrong: Mapping[str, str]) -> tuple[Row, ...]:
    """Return the report card: what is as right as the faults carried on allow is right."""
    right: list[tuple[Description, list[str]]] = []
    for seen in evidence:
        if isinstance(seen.given, str):
            right.append((seen.scene.network, []))
            continue
        fits = [
            name
            for name, array in seen.given.items()
            if array.any() and matched(model, replace(seen, given={name: array})) == (1, 1)
        ]
        right.append((seen.scene.network, fits))
    return card(asking.subject.support, right, wrong, "loss" in asking.kinds)


def breaking_like(asking: Asking, drawn: Case) -> tuple[Mistake, ...]:
    """Return the catalogued mistakes that break on extreme numbers as the submission does.

    Parameters
    ----------
    asking : Asking
        The submission.
    drawn : Case
        A network on which it breaks.

    Returns
    -------
    tuple of Mistake
        Empty if none gives the same numbers, or too few networks show it.
    """
    cases = [asking.questions.case(number, stream=11, of=EXTREME) for number in range(EVIDENCE)]
    evidence = [_seen(asking, each) for each in [drawn, *cases]]
    # That something is raised says nothing of what was computed.
    if sum(not isinstance(seen.given, str) and not explains((), [seen]) for seen in evidence) < ENOUGH:
        return ()
    alike = [
        fault for fault in faults_for(asking.subject.support) if fault.mistake is not None and explains((fault,), evidence)
    ]
    # Of those that change more steps what is too much may be what does it.
    least = min((len(fault.exchange.steps) for fault in alike), default=0)
    found = {fault.name: fault.mistake for fault in alike if len(fault.exchange.steps) == least and fault.mistake is not None}
    return tuple(found.values())
