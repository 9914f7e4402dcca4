"""Replies: each kind is unpacked as it was packed, and one that holds anything but what was asked for is refused."""

import io
from dataclasses import replace

import numpy as np
import pytest

import handgrad as hg
from verification.submissions import frames, replies
from verification.submissions.answers import Answer, SubmissionError, shapes
from verification.submissions.description import describe
from verification.submissions.frames import FrameError
from verification.submissions.performing import CHANGED_AT_MOST, CHANGES_AT_MOST
from verification.submissions.protocol import Change, Observation, Outcome, Scene, Step, scenes
from verification.submissions.replies import ExpectedAnswer, ExpectedLoaded, ExpectedOutcome, Loaded
from verification.submissions.support import Support

TOKEN = bytes(frames.TOKEN)
NET = describe(hg.Network.random([2, 3, 1], activations=["sigmoid", "sigmoid"], seed=0))
SCENE = Scene(NET, np.ones((4, 2)), np.ones((4, 1)))
SCENES = scenes(SCENE.network, SCENE.x, SCENE.y, seed=0)
STEPS = (
    Step("build"),
    Step("parameters", name="first"),
    Step("forward", "decoy"),
    Step("backward", "decoy", "second"),
    Step("descend"),
    Step("forward", "larger"),
    Step("backward", "larger", "third"),
)
LOADED = Loaded("gradient", True, False, True, False, Support(), 3, "")


def numbers(shapes, dtype=float):
    return {name: np.full(shape, float(place), dtype) for place, (name, shape) in enumerate(shapes.items())}


ARRAYS = numbers(shapes(NET, SCENE.x)[0])
ANSWER = Answer(ARRAYS, "printed\n", np.zeros((4, 1)))


def sent(reply):
    """Return a frame's head and arrays, as they come out at the other end."""
    stream = io.BytesIO()
    frames.write(stream, TOKEN, *replies.pack(reply))
    stream.seek(0)
    return frames.read(stream, TOKEN, lambda: frames.Room(10**8, 10**8))


def received(reply, expected, file="homework.py"):
    stream = io.BytesIO()
    frames.write(stream, TOKEN, *replies.pack(reply))
    stream.seek(0)
    return replies.receive(stream, TOKEN, expected, file)


def assert_equal(arrays, others):
    assert list(arrays) == list(others)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name])
        assert (array.dtype, array.shape) == (others[name].dtype, others[name].shape)


@pytest.mark.parametrize(
    "support",
    [
        Support(),
        Support(activations=["relu", "softmax"], batches=False, targets=["indices"], dtypes=["float32"]),
        Support(activations=["relu"], outputs=["softmax"], layers=(2, 5), widths=3),
        Support(widths=[2, 3, 1], reductions=["sum"], single=False),
        Support(layers=3),
    ],
)
def test_loaded_equals_what_was_sent(support):
    for reply in (replace(LOADED, support=support), Loaded("Ñ", False, True, False, True, support, None, "α\n\0\U0001f600")):
        found = received(reply, ExpectedLoaded())
        assert found == reply
        assert found.support.layers == support.layers


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_answer_equals_what_was_sent(dtype):
    net = hg.Network.random([2, 3, 4], activations=[hg.Activation("prelu", alpha=0.5), "softmax"], seed=0, dtype=dtype)
    for x, predictions in (
        (np.ones((5, 2), dtype), np.ones((5, 4))),
        (np.ones(2, dtype), np.ones(4)),
        (np.ones(2, dtype), None),
    ):
        scene = Scene(describe(net), x, np.ones(4))
        needed, allowed = shapes(scene.network, x)
        for named in (needed, needed | allowed):
            # A loss may have a dtype of its own.
            arrays = numbers(named, dtype) | ({"loss": np.array(2.0, np.float16)} if "loss" in named else {})
            reply = Answer(arrays, "x", predictions, {"dtype": "w1 came in int64 for float64"})
            found = received(reply, ExpectedAnswer(scene))
            assert_equal(found.arrays, arrays)
            assert (found.printed, found.remarks) == ("x", reply.remarks)
            assert (found.predictions is None) is (predictions is None)
            if predictions is not None:
                np.testing.assert_array_equal(found.predictions, predictions)


def test_answer_is_in_the_order_of_shapes():
    found = received(Answer(dict(reversed(ARRAYS.items()))), ExpectedAnswer(SCENE))
    assert list(found.arrays) == list(ARRAYS)


def test_error_equals_what_was_sent():
    for error in (
        SubmissionError("it failed", "homework.py", 3, "raised"),
        SubmissionError("α \0 \U0001f600", None, None, "unknown", "w3", None),
        SubmissionError("it is (3, 2)", "homework.py", 3, "shape", "w1", "(3, 2)"),
    ):
        error.printed = "so far\n"
        for expected in (ExpectedLoaded(), ExpectedAnswer(SCENE), ExpectedOutcome(STEPS, SCENES)):
            found = received(error, expected)
            assert isinstance(found, SubmissionError)
            assert (found.args, str(found), found.printed) == (error.args, str(error), "so far\n")


def test_long_and_unprintable_texts_are_cut_and_mended_before_they_are_sent():
    error = SubmissionError("s" * 20_000, None, 3, "unknown", "\ud800" * 1000)
    error.printed = "\ud800"
    found = received(error, ExpectedLoaded())
    assert (len(found.sentence), len(found.quantity)) == (replies.SENTENCE_AT_MOST, replies.NAME_AT_MOST)
    assert found.sentence.endswith("s...")
    assert found.quantity.startswith("\\ud800\\ud800")
    assert found.printed == "\\ud800"


def outcome():
    """Return what a process may send; the places in it are not those of a right answer."""
    wrong = Scene(
        describe(hg.Network.random([2, 3, 1], activations=["relu", "relu"], seed=9)), np.zeros((4, 2)), np.zeros((4, 1))
    )
    seen = [
        Observation("any", "gradient", wrong.network, wrong.x, wrong.y, {name: array + place for name, array in ARRAYS.items()})
        for place in range(3)
    ]
    changes = [
        Change("forward", "the caller's x", np.arange(3, dtype=np.uint8), np.zeros(0)),
        Change("a", "b", np.ones(1), np.ones(2)),
    ]
    return Outcome(tuple(seen), tuple(changes), "printed")


def test_outcome_is_of_the_steps_and_scenes_that_were_asked_for():
    given = outcome()
    found = received(given, ExpectedOutcome(STEPS, SCENES))
    assert [(seen.name, seen.kind) for seen in found.observations] == [
        ("first", "parameters"),
        ("second", "gradient"),
        ("third", "gradient"),
    ]
    first, second, third = found.observations
    for mine, theirs in zip(found.observations, given.observations, strict=True):
        assert_equal(mine.arrays, theirs.arrays)
    assert first.network is NET
    assert (second.x is SCENES["decoy"].x, second.y is SCENES["decoy"].y) == (True, True)
    assert (third.x is SCENES["larger"].x, third.y is SCENES["larger"].y) == (True, True)
    # After the parameters that came, and a step along the derivatives that came.
    assert_equal(second.network.named(), first.arrays)
    assert_equal(third.network.named(), {name: first.arrays[name] - 0.125 * second.arrays[name] for name in first.arrays})


def test_changes_equal_what_was_sent():
    given = outcome()
    found = received(given, ExpectedOutcome(STEPS, SCENES))
    assert found.printed == "printed"
    assert list(map(str, found.changes)) == list(map(str, given.changes))
    for mine, theirs in zip(found.changes, given.changes, strict=True):
        assert_equal({"before": mine.before, "after": mine.after}, {"before": theirs.before, "after": theirs.after})


def test_outcome_of_the_greatest_size_is_received():
    change = Change("w" * 500, "α" * 500, np.zeros(CHANGED_AT_MOST, np.uint8), np.zeros(CHANGED_AT_MOST, np.uint8))
    found = received(replace(outcome(), changes=(change,) * CHANGES_AT_MOST), ExpectedOutcome(STEPS, SCENES))
    assert len(found.changes) == CHANGES_AT_MOST


def put(**fields):
    return lambda head, arrays: head.update(fields)


def drop(name):
    return lambda head, arrays: head.pop(name)


def array(name, value):
    return lambda head, arrays: arrays.update({name: value})


def without(name):
    return lambda head, arrays: arrays.pop(name)


NAN = float("nan")
TEXTS = {"a number": 3, "None": None, "a list": ["a"], "half a surrogate pair": "\ud800", "NaN": NAN}
EXPECTED = {
    "loaded": (LOADED, ExpectedLoaded()),
    "answer": (ANSWER, ExpectedAnswer(SCENE)),
    "outcome": (outcome(), ExpectedOutcome(STEPS, SCENES)),
    "error": (SubmissionError("it failed", "homework.py", 3, "shape", "w1", "(3, 2)"), ExpectedAnswer(SCENE)),
}
PARAMETERS = {f"answer0/{name}": value for name, value in ARRAYS.items()}

# the reply, what is done to it, and a part of the reason that it is refused then
BAD = {
    **{
        f"{reply}: printed {name}": (reply, put(printed=value), "'printed' holds")
        for reply in EXPECTED
        for name, value in TEXTS.items()
    },
    **{f"{reply}: printed too much": (reply, put(printed="a" * 11_001), "'printed' holds") for reply in EXPECTED},
    **{f"{reply}: nothing printed": (reply, drop("printed"), "its fields are not those") for reply in EXPECTED},
    **{f"{reply}: a field too many": (reply, put(more=1), "its fields are not those") for reply in EXPECTED},
    **{f"{reply}: no reply": (reply, drop("reply"), "another reply than") for reply in EXPECTED},
    **{f"{reply}: of a kind that is none": (reply, put(reply=["answer"]), "another reply than") for reply in EXPECTED},
    "loaded: an answer": ("loaded", put(reply="answer"), "another reply than"),
    "answer: loaded": ("answer", put(reply="loaded"), "another reply than"),
    "outcome: an answer": ("outcome", put(reply="answer"), "another reply than"),
    "loaded: a number for the name": ("loaded", put(name=3), "'name' holds"),
    "loaded: a long name": ("loaded", put(name="a" * 501), "'name' holds"),
    "loaded: a number for a truth value": ("loaded", put(is_class=1), "'is_class' holds"),
    "loaded: None for a truth value": ("loaded", put(descends=None), "'descends' holds"),
    "loaded: text for a truth value": ("loaded", put(has_parameters="yes"), "'has_parameters' holds"),
    "loaded: a negative line": ("loaded", put(line=-1), "'line' holds"),
    "loaded: a huge line": ("loaded", put(line=10**30), "'line' holds"),
    "loaded: a truth value for the line": ("loaded", put(line=True), "'line' holds"),
    "loaded: a list for the declaration": ("loaded", put(support=[]), "'support' holds"),
    "loaded: an unknown argument": ("loaded", put(support={"more": 1}), "declaration is one that cannot be made"),
    "loaded: an unknown activation": ("loaded", put(support={"activations": ["x"]}), "declaration is one that cannot be made"),
    "loaded: nothing to draw": ("loaded", put(support={"batches": False, "single": False}), "cannot be made"),
    "loaded: negative layers": ("loaded", put(support={"layers": [-1, 3]}), "cannot be made"),
    "loaded: a mapping of layers": ("loaded", put(support={"layers": {}}), "cannot be made"),
    "loaded: widths within widths": ("loaded", put(support={"widths": [[3], [3]]}), "cannot be made"),
    "loaded: an array": ("loaded", array("a", np.ones(1)), "'a', which was not asked for"),
    "answer: a missing parameter": ("answer", without("answer/b2"), "it gives no b2"),
    "answer: no parameters": ("answer", lambda head, arrays: arrays.clear(), "it gives no w1"),
    "answer: an unknown name": ("answer", array("answer/w3", np.ones(1)), "'w3', which was not asked for"),
    "answer: a name outside": ("answer", array("w1", np.ones((3, 2))), "which was not asked for"),
    "answer: a name further inside": ("answer", array("answer/answer/w1", np.ones(1)), "was not asked for"),
    "answer: an observation": ("answer", array("answer0/w1", np.ones((3, 2))), "was not asked for"),
    "answer: a transpose": ("answer", array("answer/w1", np.ones((2, 3))), r"w1 in shape \(2, 3\) for \(3, 2\)"),
    "answer: a column": ("answer", array("answer/b1", np.ones((3, 1))), r"b1 in shape \(3, 1\) for \(3,\)"),
    "answer: float32": ("answer", array("answer/b1", np.ones(3, "f4")), "b1 in float32 for float64"),
    "answer: integers": ("answer", array("answer/b1", np.ones(3, int)), "b1 in int64 for float64"),
    "answer: truth values": ("answer", array("answer/b1", np.ones(3, bool)), "b1 in bool for float64"),
    "answer: an integer loss": ("answer", array("answer/loss", np.array(1)), "loss in int64"),
    "answer: a loss for each example": ("answer", array("answer/loss", np.ones(4)), r"loss in shape \(4,\)"),
    "answer: z1 of another batch": ("answer", array("answer/z1", np.ones((5, 3))), "z1 in shape"),
    "answer: predictions of another shape": (
        "answer",
        array("predictions", np.ones(4)),
        r"predictions in float64 and shape \(4,\)",
    ),
    "answer: predictions in float32": ("answer", array("predictions", np.ones((4, 1), "f4")), "predictions in float32"),
    "answer: a list of remarks": ("answer", put(remarks=["a"]), "'remarks' holds"),
    "answer: an unknown remark": ("answer", put(remarks={"more": "a"}), "'remarks' holds"),
    "answer: a number for a remark": ("answer", put(remarks={"dtype": 3}), "'remarks' holds"),
    "outcome: a missing observation": (
        "outcome",
        lambda head, arrays: [arrays.pop(f"answer2/{name}") for name in ARRAYS],
        "no w1",
    ),
    "outcome: a missing parameter": ("outcome", without("answer1/w1"), "it gives no w1"),
    "outcome: an observation too many": ("outcome", array("answer3/w1", np.ones((3, 2))), "'answer3', which was not asked for"),
    "outcome: a shape of another batch": ("outcome", array("answer1/z1", np.ones((5, 3))), "z1 in shape"),
    "outcome: parameters and more": ("outcome", array("answer0/loss", np.ones(())), "something else than the parameters"),
    "outcome: fewer parameters": ("outcome", without("answer0/w1"), "something else than the parameters"),
    "outcome: where it was": ("outcome", put(network=[]), "its fields are not those"),
    "outcome: a change without arrays": ("outcome", put(changes=[["a", "b"]] * 3), "something else than what changed"),
    "outcome: a change without its end": ("outcome", without("change1/after"), "something else than what changed"),
    "outcome: a change and more": ("outcome", array("change1/more", np.ones(1)), "something else than what changed"),
    "outcome: a large change": ("outcome", array("change1/after", np.ones(12_501)), "something else than what changed"),
    "outcome: arrays without a change": ("outcome", put(changes=[["a", "b"]]), "'change1', which was not asked for"),
    "outcome: many changes": ("outcome", put(changes=[["a", "b"]] * (CHANGES_AT_MOST + 1)), "'changes' holds"),
    "outcome: a number for the changes": ("outcome", put(changes=2), "'changes' holds"),
    "outcome: a change of three parts": ("outcome", put(changes=[["a", "b", "c"], ["a", "b"]]), "'changes' holds"),
    "outcome: a change of text": ("outcome", put(changes=["ab", "ab"]), "'changes' holds"),
    "outcome: a number in a change": ("outcome", put(changes=[["a", 3], ["a", "b"]]), "'changes' holds"),
    "outcome: a change told at length": ("outcome", put(changes=[["a", "b" * 501], ["a", "b"]]), "'changes' holds"),
    **{f"error: {name} for the sentence": ("error", put(sentence=value), "'sentence' holds") for name, value in TEXTS.items()},
    "error: a long sentence": ("error", put(sentence="a" * 10_001), "'sentence' holds"),
    "error: another file": ("error", put(file="/etc/passwd"), "'file' holds"),
    "error: a number for the file": ("error", put(file=0), "'file' holds"),
    "error: NaN for the line": ("error", put(line=NAN), "'line' holds"),
    "error: a huge line": ("error", put(line=10**10), "'line' holds"),
    "error: text for the line": ("error", put(line="3"), "'line' holds"),
    "error: a kind that is none": ("error", put(kind="right"), "'kind' holds"),
    "error: a kind that is said here": ("error", put(kind="hang"), "'kind' holds"),
    "error: a list for the kind": ("error", put(kind=["raised"]), "'kind' holds"),
    "error: a long quantity": ("error", put(quantity="w" * 501), "'quantity' holds"),
    "error: a number for the quantity": ("error", put(quantity=3), "'quantity' holds"),
    "error: a list for the shape": ("error", put(shape=[3]), "'shape' holds"),
    "error: an array": ("error", array("answer/w1", np.ones((3, 2))), "which was not asked for"),
}


@pytest.mark.parametrize("row", BAD)
def test_bad_reply_raises(row):
    name, spoil, why = BAD[row]
    reply, expected = EXPECTED[name]
    head, arrays = sent(reply)
    spoil(head, arrays)
    with pytest.raises(FrameError, match=why) as caught:
        unpacked(expected, head, arrays)
    assert "\n" not in str(caught.value)


def unpacked(expected, head, arrays):
    """Unpack what a frame holds, without the frame, which refuses some of it before."""

    class Whole:
        read = staticmethod(lambda stream, token, room: (head, arrays))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replies, "frames", Whole)
        return replies.receive(None, TOKEN, expected, "homework.py")


@pytest.mark.parametrize("head", [None, 3, "answer", [], {}, [["reply", "answer"]], {"reply": None}])
@pytest.mark.parametrize("name", EXPECTED)
def test_head_that_is_no_mapping_of_a_reply_raises(name, head):
    with pytest.raises(FrameError, match="another reply than was asked for"):
        unpacked(EXPECTED[name][1], head, {})


@pytest.mark.parametrize("name", EXPECTED)
def test_reply_that_nothing_was_done_to_is_unpacked(name):
    reply, expected = EXPECTED[name]
    assert type(unpacked(expected, *sent(reply))) is type(reply)


def test_room_is_for_what_was_asked_and_no_more():
    assert ExpectedLoaded().room().body == 0
    needed, allowed = shapes(NET, SCENE.x)
    every = sum(array.nbytes for array in numbers(needed | allowed).values()) + 4 * 8
    assert ExpectedAnswer(SCENE).room().body == every
    assert ExpectedOutcome(STEPS, {"real": SCENE}).room().body == 3 * every + 2 * CHANGES_AT_MOST * CHANGED_AT_MOST
