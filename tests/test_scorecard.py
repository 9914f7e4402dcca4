"""The verifier's examination: what is counted, and that processes do not change it."""

import pytest

import verification.__main__ as command_line
from verification.__main__ import main
from verification.checking import scorecard
from verification.checking.scorecard import Score, Trial, examine, table
from verification.mistakes import BENIGN, MISTAKES, Variant

NAMES = ["output-without-2", "bias-is-a-constant"]
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


@pytest.fixture(autouse=True)
def of_few_networks(monkeypatch):
    monkeypatch.setattr("verification.checking.check.FRESH", 9)


def trial(caught=True, networks=2, size=4, layers=1, equation=4, recognised=("output-without-2",)):
    return Trial(caught, networks, size, layers, equation, recognised)


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
    (score,) = examine((0,), names=["prelu-first-alpha-for-all"], examples=1)
    assert score.trials == (Trial(False, 1, 0, 0, None, ()),)
    assert not score.caught


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
