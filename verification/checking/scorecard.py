"""The verifier's own examination: every catalogued mistake, caught or not, blamed on which equation, recognised or not."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from handgrad import checks
from handgrad.extras import needed_by
from handgrad.losses import LOSSES
from verification.checking.check import EXAMPLES, check
from verification.checking.grading import AnswerKey
from verification.checking.questions import Questions
from verification.checking.verdict import Verdict
from verification.mistakes import BENIGN, MISTAKES, Mistake
from verification.mistakes.carrying import Exchange, gradient_carrying
from verification.mistakes.catalogue import BINARY
from verification.random_networks.cases import Case
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.support import Support, supports

with needed_by("verification.checking.scorecard"):
    from joblib import Parallel, delayed


@dataclass(frozen=True)
class Trial:
    """One mistake checked with one seed.

    Parameters
    ----------
    caught : bool
        Whether the check found it wrong.
    networks : int
        How many networks that took.
    size : int
        How many numbers the counterexample has: parameters, x and y.
    layers : int
        How many layers it has.
    equation : int or None
        The equation blamed.
    recognised : tuple of str
        The mistakes claimed; several if they could not be told apart.
    """

    caught: bool
    networks: int
    size: int
    layers: int
    equation: int | None
    recognised: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """One mistake checked with several seeds.

    Parameters
    ----------
    mistake : Mistake
        From the catalogue.
    trials : tuple of Trial
        One a seed.
    """

    mistake: Mistake
    trials: tuple[Trial, ...]

    @property
    def caught(self) -> bool:
        """Whether every seed caught it."""
        return all(trial.caught for trial in self.trials)

    @property
    def blamed(self) -> int:
        """How many seeds blamed the equation that the catalogue names; (1) and (2) are one loss."""
        right = {1, 2} if self.mistake.equation in (1, 2) else {self.mistake.equation}
        return sum(trial.equation in right for trial in self.trials)

    @property
    def recognised(self) -> int:
        """How many seeds recognised it."""
        return sum(self.mistake.name in trial.recognised for trial in self.trials)

    @property
    def misnamed(self) -> int:
        """How many seeds claimed other mistakes and not this one."""
        return sum(bool(trial.recognised) and self.mistake.name not in trial.recognised for trial in self.trials)


def examine(
    seeds: Sequence[int] = (0,),
    *,
    names: Sequence[str] | None = None,
    examples: int = EXAMPLES,
    jobs: int = 1,
    progress: Callable[[int], object] | None = None,
) -> list[Score]:
    """Check every catalogued mistake.

    Parameters
    ----------
    seeds : sequence of int
        One check of each mistake a seed.
    names : sequence of str, optional
        The mistakes to check; all of them unless given.
    examples : int
        How many networks a check may use.
    jobs : int
        How many processes share the work.
    progress : callable, optional
        Called with the number of mistakes done.

    Returns
    -------
    list of Score
        In the catalogue's order.

    Raises
    ------
    TypeError, ValueError
        If a name is not in the catalogue, or jobs is not an integer >= 1.
    """
    known = {mistake.name: mistake for mistake in MISTAKES}
    chosen = [known[checks.one_of("names", name, known)] for name in names] if names else list(MISTAKES)
    workers = checks.positive_integer("jobs", jobs)
    scores = []
    calls = (delayed(_trials)(mistake.name, tuple(seeds), examples) for mistake in chosen)
    found = Parallel(n_jobs=workers, return_as="generator")(calls)
    for mistake, trials in zip(chosen, found, strict=True):
        scores.append(Score(mistake, trials))
        if progress is not None:
            progress(len(scores))
    return scores


def _trials(name: str, seeds: Sequence[int], examples: int) -> tuple[Trial, ...]:
    (mistake,) = (each for each in MISTAKES if each.name == name)
    # Wrong backprops divide by 0 and overflow; what they warn of is not news.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(_trial(mistake, seed, examples) for seed in seeds)


def _trial(mistake: Mistake, seed: int, examples: int) -> Trial:
    verdict = check(mistake.submission, seed=seed, examples=examples)
    if verdict.ok and verdict.notes:
        # A right derivation that breaks on extreme numbers, or shares its arrays: told in a note.
        own = next((note for note in verdict.notes if mistake.name in note.mistakes), verdict.notes[0])
        claimed = tuple(name for note in verdict.notes for name in note.mistakes)
        return Trial(True, verdict.networks, 0, 0, own.equation, claimed)
    size = layers = 0
    if verdict.case is not None:
        net, x, y = verdict.case
        size = sum(array.size for array in net.named().values()) + x.size + y.size
        layers = len(net.layers)
    equation = verdict.blame.equation if verdict.blame is not None else None
    names = claimed_by(verdict)
    return Trial(not verdict.ok, verdict.networks, size, layers, equation, names)


def claimed_by(verdict: Verdict) -> tuple[str, ...]:
    """Return the names of the catalogued mistakes that a verdict claims, those that cannot be told apart included."""
    models = [tuple(mistake.name for mistake in verdict.mistakes)]
    models += [tuple(fault.mistake.name for fault in model if fault.mistake) for model in verdict.alternatives]
    return tuple(dict.fromkeys(name for model in models for name in model))


@dataclass(frozen=True)
class Pair:
    """Two mistakes in one submission, checked.

    Parameters
    ----------
    mistakes : tuple of str
        Their names.
    named : int
        How many of the two the verdict names, in its faults or its notes.
    wrong : tuple of str
        What it claims besides.
    """

    mistakes: tuple[str, str]
    named: int
    wrong: tuple[str, ...]


def pairs(count: int, seed: int = 0, *, jobs: int = 1, progress: Callable[[int], object] | None = None) -> list[Pair]:
    """Check random pairs of mistakes of different equations, made side by side in one submission.

    Parameters
    ----------
    count : int
        How many pairs.
    seed : int
        The same seed gives the same pairs.
    jobs : int
        How many processes share the work.
    progress : callable, optional
        Called with the number of pairs done.

    Returns
    -------
    list of Pair
        In the order in which they were drawn. The submissions give derivatives and loss alone.

    Raises
    ------
    TypeError, ValueError
        If count or jobs is not an integer >= 1, or seed not an integer >= 0.
    """
    checks.positive_integer("count", count)
    checks.positive_integer("jobs", jobs)
    checks.integer("seed", seed, 0)
    rng = np.random.default_rng(seed)
    chosen: list[tuple[str, str]] = []
    while len(chosen) < count:
        one, other = (MISTAKES[int(place)] for place in rng.integers(len(MISTAKES), size=2))
        if one.equation != other.equation and _go_together(one, other):
            chosen.append((one.name, other.name))
    found: list[Pair] = []
    for pair in Parallel(n_jobs=jobs, return_as="generator")(delayed(_pair)(*names) for names in chosen):
        found.append(pair)
        if progress is not None:
            progress(len(found))
    return found


def _go_together(one: Mistake, other: Mistake) -> bool:
    """Say whether both can be made at once: neither exchanges a step that the other does."""
    if one.steps is None or other.steps is None:
        return False
    shared = set(one.steps) & set(other.steps)
    return shared <= {"g", "g_prime"} and not any(set(one.steps[name]) & set(other.steps[name]) for name in shared)


def _pair(one: str, other: str) -> Pair:
    of = {mistake.name: mistake for mistake in MISTAKES}
    exchanges = [Exchange(of[name].steps or {}) for name in (one, other)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        submission = gradient_carrying(exchanges)
        if any(BINARY in of[name].needs for name in (one, other)):
            submission = supports(losses=LOSSES)(submission)
        verdict = check(submission)
    noted = {name for note in verdict.notes for name in note.mistakes}
    named = {one, other} & {*claimed_by(verdict), *noted}
    claimed = {fault.name for fault in verdict.faults if fault.known and fault.mistake is not None} | noted
    return Pair((one, other), len(named), tuple(sorted(claimed - {one, other})))


def false_alarms(networks: int, seed: int = 0, *, progress: Callable[[int], object] | None = None) -> dict[str, list[Case]]:
    """Ask every right variant of the catalogue about the same random networks; none may be called wrong.

    Parameters
    ----------
    networks : int
        How many.
    seed : int
        The same seed gives the same networks.
    progress : callable, optional
        Called with the number of networks done.

    Returns
    -------
    dict of str to list of Case
        Of each variant the networks on which it was called wrong.

    Raises
    ------
    TypeError, ValueError
        If networks is not an integer >= 1 or seed not an integer >= 0.
    """
    wanted = checks.positive_integer("networks", networks)
    checks.integer("seed", seed, 0)
    subjects = {variant.name: Local(variant.submission) for variant in BENIGN}
    found: dict[str, list[Case]] = {name: [] for name in subjects}
    questions = Questions(Support(losses=LOSSES), seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, drawn in enumerate(map(questions.case, range(wanted)), start=1):
            key = AnswerKey(describe(drawn.net), np.asarray(drawn.x), np.asarray(drawn.y))
            for name, subject in subjects.items():
                if not key.grade(subject.gradient(describe(drawn.net), drawn.x, drawn.y).arrays).ok:
                    found[name].append(drawn)
            if progress is not None:
                progress(number)
    return found


def table(scores: Sequence[Score]) -> str:
    """Return the scorecard as text: a line a mistake, then the totals."""
    seeds = len(scores[0].trials)
    lines = [f"{'mistake':<42} {'caught':<7} {'networks':>8} {'numbers':>8} {'equation':>9} {'blamed':>7} {'recognised':>11}"]
    for score in scores:
        networks = statistics.median(trial.networks for trial in score.trials)
        size = statistics.median(trial.size for trial in score.trials)
        lines.append(
            f"{score.mistake.name:<42} {'yes' if score.caught else 'NO':<7} {networks:>8g} {size:>8g} "
            f"{f'({score.mistake.equation})':>9} {f'{score.blamed}/{seeds}':>7} {f'{score.recognised}/{seeds}':>11}"
        )
    trials = [trial for score in scores for trial in score.trials]
    total = len(trials)
    lines += [
        "",
        f"caught       {sum(trial.caught for trial in trials)} of {total}; "
        f"in every one of {seeds} seeds: {sum(score.caught for score in scores)} of {len(scores)} mistakes",
        f"blamed       {sum(score.blamed for score in scores) / total:.1%} on the equation that the catalogue names",
        f"recognised   {sum(score.recognised for score in scores) / total:.1%}; "
        f"another mistake claimed instead: {sum(score.misnamed for score in scores)}",
        f"smallest     median counterexample: {statistics.median(trial.layers for trial in trials):g} layer, "
        f"{statistics.median(trial.size for trial in trials):g} numbers",
    ]
    return "\n".join(lines)
