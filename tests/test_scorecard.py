"""The verifier's examination: what is counted, of one mistake and of two, and that processes do not change it."""

import numpy as np
import pytest

import verification.__main__ as command_line
from verification.__main__ import main
from verification.checking import scorecard
from verification.checking.diagnosis import Blame
from verification.checking.faults import CONVENTIONS, Fault
from verification.checking.notes import Note
from verification.checking.scorecard import Pair, Score, Trial, claimed_by, examine, pairs, table
from verification.checking.verdict import Verdict
from verification.mistakes import BENIGN, MISTAKES, Variant
from verification.mistakes.carrying import Exchange
from verification.submissions.description import Description

NAMES = ["output-without-2", "bias-is-a-constant"]
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


@pytest.fixture(autouse=True)
def of_few_networks(monkeypatch):
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 20)
    monkeypatch.setattr("verification.checking.telling.FRESH", 9)


def trial(caught=True, networks=2, size=4, layers=1, equation=4, recognised=("output-without-2",)):
    return Trial(caught, networks, size, layers, equation, recognised)


def planted(name, **rest):
    mistake = BY_NAME[name]
    return Fault(name, mistake.thought, mistake.equation, Exchange({}), ("(4)",), mistake, **rest)


MEASURED = Fault("w-times", "dL/dw is 3 times what it should be", 11, Exchange({}), ("(11)",))
UNKNOWN = Fault("b-otherwise", "dL/db is made in another way", 7, Exchange({}), ("(7)",), ignores=frozenset("b"))


def test_examination_is_a_score_for_each_name_with_a_trial_for_each_seed():
    done = []
    scores = examine((0, 1), names=NAMES, examples=30, progress=done.append)
    assert [score.mistake.name for score in scores] == NAMES
    assert [len(score.trials) for score in scores] == [2, 2]
    assert done == [1, 2]
    for score in scores:
        assert (score.caught, score.blamed, score.recognised, score.misnamed) == (True, 2, 2, 0)
        for each in score.trials:
            assert 1 <= each.networks <= 30
            # A layer has w, b, x and y: 4 numbers are the fewest.
            assert (each.layers, each.equation) == (1, score.mistake.equation)
            assert each.size >= 4
    assert examine((1,), names=NAMES[:1], examples=30)[0].trials == scores[0].trials[1:]


def test_examination_with_two_jobs_equals_that_with_one():
    # Processes of their own know nothing of the fewer networks of this test: what is caught and how is the same.
    found = [examine((0,), names=NAMES, examples=30, jobs=jobs) for jobs in (1, 2)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"names": ["output-without-3"]}, ValueError, "did you mean 'output-without-2'?"),
        ({"names": NAMES, "jobs": 0}, ValueError, "jobs"),
        ({"names": NAMES, "jobs": 1.5}, TypeError, "jobs"),
    ],
)
def test_examination_with_bad_arguments_raises_what_is_wrong(arguments, error, text):
    with pytest.raises(error) as caught:
        examine(**arguments)
    assert text in str(caught.value)


def test_examination_without_names_is_the_whole_catalogue(monkeypatch):
    monkeypatch.setattr(scorecard, "_trials", lambda name, seeds, examples: (trial(),))
    assert [score.mistake for score in examine()] == list(MISTAKES)


def test_trial_of_what_survives_is_not_caught():
    (score,) = examine((0,), names=["bytes-are-pictures"], examples=1)
    assert score.trials == (Trial(False, 1, 0, 0, None, ()),)
    assert not score.caught


@pytest.mark.parametrize(
    ("name", "equation", "recognised"),
    [
        ("sigmoid-overflow", 9, ("sigmoid-overflow",)),
        ("predictions-are-the-cache", 9, ("predictions-are-the-cache",)),
        ("result-always-float64", 11, ("result-always-float64",)),
        ("weights-squeezed", 11, ("weights-squeezed",)),
    ],
)
def test_trial_of_what_is_noted_is_caught_with_its_equation_and_names(name, equation, recognised):
    (score,) = examine((0,), names=[name], examples=40)
    assert score.trials == (Trial(True, 40, 0, 0, equation, recognised),)
    assert (score.caught, score.blamed, score.recognised, score.misnamed) == (True, 1, 1, 0)


@pytest.mark.parametrize(
    ("notes", "equation", "recognised"),
    [
        ([Note("numbers", "a", "", 2, ("softmax-overflow",))], 2, ("softmax-overflow",)),
        # Of several notes its own one counts, and every name is a claim.
        (
            [
                Note("numbers", "a", "", 2, ("softmax-overflow",)),
                Note("manners", "b", "", 9, ("tanh-overflow", "sigmoid-overflow")),
            ],
            9,
            ("softmax-overflow", "tanh-overflow", "sigmoid-overflow"),
        ),
        # A note that names nothing is caught all the same.
        ([Note("manners", "a", "", 11), Note("numbers", "b", "", 12)], 11, ()),
    ],
)
def test_trial_equals_its_notes_counted(notes, equation, recognised, monkeypatch):
    monkeypatch.setattr(scorecard, "check", lambda submission, seed, examples: Verdict("f", networks=7, notes=tuple(notes)))
    (score,) = examine((0,), names=["sigmoid-overflow"], examples=40)
    assert score.trials == (Trial(True, 7, 0, 0, equation, recognised),)


def test_trial_of_a_wrong_verdict_with_notes_equals_its_blame(monkeypatch):
    note = Note("numbers", "a", "", 9, ("sigmoid-overflow",))
    verdict = Verdict(
        "f", status="wrong", networks=7, notes=(note,), blame=Blame(4, "w1", "a reason"), faults=(planted(NAMES[0]),)
    )
    monkeypatch.setattr(scorecard, "check", lambda submission, seed, examples: verdict)
    (score,) = examine((0,), names=[NAMES[0]], examples=40)
    assert score.trials == (Trial(True, 7, 0, 0, 4, (NAMES[0],)),)


# Four trials of two mistakes, counted by hand.
FIRST = Score(
    BY_NAME["output-without-2"],
    (trial(networks=1, size=4, layers=1), trial(networks=6, size=9, layers=2, equation=12, recognised=("output-sign",))),
)
SECOND = Score(
    BY_NAME["logits-without-normaliser"],
    (
        trial(networks=9, size=7, layers=1, equation=1, recognised=("output-sign", "logits-without-normaliser")),
        trial(False, 300, 0, 0, None, ()),
    ),
)


def test_score_equals_its_trials_counted():
    assert (FIRST.caught, FIRST.blamed, FIRST.recognised, FIRST.misnamed) == (True, 1, 1, 1)
    # (1) and (2) are one loss.
    assert (SECOND.caught, SECOND.blamed, SECOND.recognised, SECOND.misnamed) == (False, 1, 1, 0)


def test_table_equals_the_trials_counted_by_hand():
    head, first, second, gap, caught, blamed, recognised, smallest = table([FIRST, SECOND]).splitlines()
    assert head.split() == ["mistake", "caught", "networks", "numbers", "equation", "blamed", "recognised"]
    assert first.split() == ["output-without-2", "yes", "3.5", "6.5", "(4)", "1/2", "1/2"]
    assert second.split() == ["logits-without-normaliser", "NO", "154.5", "3.5", "(2)", "1/2", "1/2"]
    assert gap == ""
    assert caught == "caught       3 of 4; in every one of 2 seeds: 1 of 2 mistakes"
    assert blamed == "blamed       50.0% on the equation that the catalogue names"
    assert recognised == "recognised   50.0%; another mistake claimed instead: 1"
    assert smallest == "smallest     median counterexample: 1 layer, 5.5 numbers"


@pytest.mark.parametrize(("survives", "status"), [(False, 0), (True, 1)])
def test_mistakes_command_is_exit_1_if_one_survives(survives, status, monkeypatch, capsys):
    asked = []

    def trials(name, seeds, examples):
        asked.append((name, list(seeds), examples))
        return (trial(caught=not (survives and name == NAMES[1])), trial())

    monkeypatch.setattr(scorecard, "_trials", trials)
    options = ["--seeds", "2", "--seed", "5", "--examples", "7"]
    assert command_line.main(["mistakes", *NAMES, *options]) == status
    assert asked == [(name, [5, 6], 7) for name in NAMES]
    shown = capsys.readouterr()
    assert f"in every one of 2 seeds: {2 - survives} of 2 mistakes" in shown.out
    assert shown.err.splitlines()[-1] == "2 of 2 mistakes checked"


def test_right_variants_is_called_wrong_nowhere(capsys):
    assert not any(scorecard.false_alarms(6, seed=3).values())
    assert main(["mistakes", "output-without-2", "--benign", "3"]) == 0
    assert f"right        {len(BENIGN)} variants on 3 networks each; called wrong: none" in capsys.readouterr().out


def test_wrong_variant_is_a_false_alarm(monkeypatch, capsys):
    wrong = Variant(
        "not-right", "it is a mistake", next(each for each in MISTAKES if each.name == "output-without-2").submission
    )
    monkeypatch.setattr(scorecard, "BENIGN", (BENIGN[0], wrong))
    found = scorecard.false_alarms(20, seed=1)
    assert found[BENIGN[0].name] == []
    assert 0 < len(found["not-right"]) < 20  # it is right under cross-entropy
    assert main(["mistakes", "output-without-2", "--benign", "20", "--seed", "1"]) == 1
    assert f"called wrong: not-right {len(found['not-right'])}" in capsys.readouterr().out


# Pairs.


def test_claims_of_a_verdict_is_every_mistake_once():
    verdict = Verdict(
        "f",
        status="wrong",
        faults=(planted("output-sign"), MEASURED),
        alternatives=((planted("output-sign"), planted("bias-mean")), (CONVENTIONS[0],), (planted("output-2-twice"), UNKNOWN)),
    )
    assert claimed_by(verdict) == ("output-sign", "bias-mean", "output-2-twice")
    assert claimed_by(Verdict("f")) == ()
    in_row = Verdict("f", status="wrong", in_protocol=(BY_NAME["step-uphill"],))
    assert claimed_by(in_row) == ("step-uphill",)


ONE, OTHER = "output-sign", "bias-mean"


@pytest.mark.parametrize(
    ("fields", "named", "wrong"),
    [
        ({}, 0, ()),
        ({"faults": (planted(ONE), planted(OTHER))}, 2, ()),
        ({"faults": (planted(OTHER), planted(ONE))}, 2, ()),
        ({"faults": (planted(ONE),)}, 1, ()),
        # What cannot be told from it counts as named, and is no wrong claim.
        ({"faults": (planted(ONE), planted("bias-only-first-example")), "alternatives": ((planted(ONE), planted(OTHER)),)}, 2,
         ("bias-only-first-example",)),
        ({"faults": (planted(ONE), planted(OTHER)), "alternatives": ((planted(ONE), planted("output-2-twice")),)}, 2, ()),
        # A note names as a fault does.
        ({"faults": (planted(ONE),), "notes": (Note("numbers", "a", "", 7, (OTHER,)),)}, 2, ()),
        ({"faults": (planted(ONE),), "notes": (Note("numbers", "a", "", 9, ("tanh-overflow",)),)}, 1, ("tanh-overflow",)),
        ({"faults": (planted("output-2-twice"), planted("descent-direction"))}, 0, ("descent-direction", "output-2-twice")),
        # What is measured or unknown, or a convention, claims no mistake.
        ({"faults": (planted(ONE), MEASURED, UNKNOWN, CONVENTIONS[0])}, 1, ()),
        ({"faults": (planted(ONE), planted(OTHER, ignores=frozenset("b")))}, 2, ()),
    ],
)  # fmt: skip
def test_pair_equals_its_verdict_counted(fields, named, wrong, monkeypatch):
    monkeypatch.setattr(scorecard, "check", lambda submission: Verdict("f", **({"status": "wrong"} | fields)))
    assert scorecard._pair(ONE, OTHER) == Pair((ONE, OTHER), named, wrong)


def test_pair_of_two_mistakes_is_both_in_one_submission(monkeypatch):
    seen = []
    monkeypatch.setattr(scorecard, "check", lambda submission: seen.append(submission) or Verdict("f"))
    scorecard._pair("output-2-twice", "bias-mean")
    # 2 · 2 (a − y), and for the bias the mean over two examples.
    network = Description([np.eye(1)], [np.zeros(1)], ["identity"], [None], "squared_error", "sum")
    found = seen[0](network, np.array([[1.0], [2.0]]), np.array([[0.0], [0.0]]))
    np.testing.assert_array_equal(found["w1"], [[4.0 * (1 + 4)]])
    np.testing.assert_array_equal(found["b1"], [4.0 * (1 + 2) / 2])
    assert found.keys() == {"w1", "b1", "loss"}


def drawn(count, seed, monkeypatch):
    monkeypatch.setattr(scorecard, "_pair", lambda one, other: Pair((one, other), 2, ()))
    return [pair.mistakes for pair in pairs(count, seed)]


def test_pairs_of_the_same_seed_equals_the_same_pairs(monkeypatch):
    first = drawn(40, 3, monkeypatch)
    assert first == drawn(40, 3, monkeypatch)
    assert first[:10] == drawn(10, 3, monkeypatch)
    assert first != drawn(40, 4, monkeypatch)
    assert drawn(3, 0, monkeypatch) == [pair.mistakes for pair in pairs(3)]
    assert len(set(first)) > 30


def test_pairs_is_of_mistakes_that_can_be_made_side_by_side(monkeypatch):
    for names in drawn(200, 5, monkeypatch):
        one, other = (BY_NAME[name] for name in names)
        assert one.equation != other.equation
        for step in set(one.steps) & set(other.steps):
            assert step in ("g", "g_prime")
            assert not set(one.steps[step]) & set(other.steps[step])


def test_pairs_of_submissions_is_found_named_and_reported():
    done = []
    found = pairs(1, seed=5, progress=done.append)
    assert done == [1]
    assert [(pair.named, pair.wrong) for pair in found] == [(2, ())]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((0,), ValueError, "count must be"),
        ((-3,), ValueError, "count must be"),
        ((1.5,), TypeError, "count must be"),
        (("two",), TypeError, "count must be"),
        ((1, -1), ValueError, "seed must be"),
        ((1, 0.5), TypeError, "seed must be"),
        ((1, None), TypeError, "seed must be"),
    ],
)
def test_pairs_with_bad_arguments_raises_what_is_wrong(arguments, error, text):
    with pytest.raises(error, match=text):
        pairs(*arguments)


@pytest.mark.parametrize(("jobs", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_pairs_with_bad_jobs_raises_what_is_wrong(jobs, error):
    with pytest.raises(error, match="jobs must be"):
        pairs(1, jobs=jobs)


@pytest.mark.parametrize(
    ("found", "status", "line"),
    [
        ([2, 2, 2], 0, "both mistakes named in 3 of 3, one in 0; something else claimed in 0"),
        ([2, 1, 0], 0, "both mistakes named in 1 of 3, one in 1; something else claimed in 0"),
        ([2, 1, -1], 1, "both mistakes named in 1 of 3, one in 1; something else claimed in 1"),
    ],
)
def test_mistakes_command_with_pairs_is_exit_1_if_one_is_misnamed(found, status, line, monkeypatch, capsys):
    asked = []

    def pair(one, other):
        named = found[len(asked)]
        asked.append((one, other))
        return Pair((one, other), max(named, 0), ("tanh-overflow",) if named < 0 else ())

    monkeypatch.setattr(scorecard, "_trials", lambda name, seeds, examples: (trial(),))
    monkeypatch.setattr(scorecard, "_pair", pair)
    assert main(["mistakes", NAMES[0], "--pairs", "3", "--seed", "7"]) == status
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    place = lines.index(f"pairs        {line}")
    # Which pairs they were follows.
    of_pair = f"             {' and '.join(asked[-1])}: tanh-overflow"
    assert lines[place + 1 :] == ([of_pair] if status else [])
    assert shown.err.splitlines()[-1] == "3 of 3 pairs checked"
    assert asked == drawn(3, 7, monkeypatch)


def test_mistakes_command_without_pairs_checks_none(monkeypatch, capsys):
    monkeypatch.setattr(scorecard, "_trials", lambda name, seeds, examples: (trial(),))
    monkeypatch.setattr(scorecard, "pairs", lambda *arguments, **options: pytest.fail("nobody asked for pairs"))
    assert main(["mistakes", NAMES[0]]) == 0
    assert "pairs" not in capsys.readouterr().out
