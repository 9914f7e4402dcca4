"""Frames: what is written is what is read, and whatever else comes is refused with a reason."""

import io
import json

import numpy as np
import pytest

from verification.submissions import frames
from verification.submissions.frames import MAGIC, START, FrameError, Room

TOKEN = bytes(range(frames.TOKEN))
OTHER = bytes(frames.TOKEN)
ROOM = Room(200_000, 200_000)


def written(head, arrays, token=TOKEN):
    stream = io.BytesIO()
    frames.write(stream, token, head, arrays)
    return stream.getvalue()


def read(data, room=ROOM):
    return frames.read(io.BytesIO(data), TOKEN, lambda: room)


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 3)])
def test_array_equals_itself_after_a_journey(dtype, shape):
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    _, found = read(written(None, {"first": numbers, "second": numbers.T}))
    for name, array in {"first": numbers, "second": numbers.T}.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].dtype.isnative
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous


def test_array_of_any_layout_and_byte_order_equals_itself_after_a_journey():
    numbers = np.arange(6.0).reshape(2, 3)
    given = {"gaps": np.repeat(numbers, 2, axis=1)[:, ::2], "big": numbers.astype(">f8"), "back": numbers[::-1]}
    _, found = read(written({}, given))
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.float64


def test_odd_numbers_equal_themselves_after_a_journey():
    numbers = np.array([np.nan, -np.nan, np.inf, -0.0, 5e-324])
    assert read(written({}, {"a": numbers}))[1]["a"].tobytes() == numbers.tobytes()


@pytest.mark.parametrize("head", [None, {}, [1, -2, True], {"text": 'ñ α " \\ \0 \n \U0001f600', "deep": [[{"a": [None]}]]}])
def test_head_equals_itself_after_a_journey(head):
    assert read(written(head, {})) == (head, {})


def test_frames_in_a_row_are_read_one_by_one():
    stream = io.BytesIO(written(1, {"a": np.ones(3)}) + written(2, {}))
    assert frames.read(stream, TOKEN, lambda: ROOM)[0] == 1
    assert frames.read(stream, TOKEN, lambda: ROOM) == (2, {})
    with pytest.raises(EOFError):
        frames.read(stream, TOKEN, lambda: ROOM)


@pytest.mark.parametrize(
    "array", [np.zeros(2, complex), np.array([None]), np.array(["a"]), np.zeros(2, np.longdouble), np.zeros(2, "M8[s]")]
)
def test_array_that_no_frame_holds_raises(array):
    assert not frames.holds(array)
    with pytest.raises(ValueError, match="a frame cannot hold a, which is of dtype"):
        written({}, {"a": array})


def made(head=None, body=b"", *, magic=MAGIC, token=TOKEN, of_head=None, of_body=None):
    """Return a frame of any bytes, with the right lengths unless others are given."""
    head = b'{"head":{},"arrays":[]}' if head is None else head
    lengths = len(head) if of_head is None else of_head, len(body) if of_body is None else of_body
    return START.pack(magic, token, *lengths) + head + body


def listing(*entries, body=b"", head="{}"):
    return made(f'{{"head":{head},"arrays":{json.dumps(list(entries))}}}'.encode(), body)


A = ["a", "<f8", [1]]
EIGHT = bytes(8)

# a frame, and a part of the reason that it is refused
BAD = {
    "another magic word": (made(magic=b"handgr4d"), "does not begin as an answer does"),
    "zeros": (bytes(1_000_000), "does not begin as an answer does"),
    "a pickle": (b"\x80\x05cos\nsystem\n(S'true'\ntR." + bytes(100), "does not begin as an answer does"),
    "another token": (made(token=OTHER), "not an answer to what was asked"),
    "a byte before it": (b"\0" + made(), "does not begin as an answer does"),
    "a head that is too long": (made(of_head=200_001), "200001 bytes long, and an answer 400000 at most"),
    "a body that is too long": (made(of_body=2**63), "bytes long, and an answer 400000 at most"),
    "no UTF-8": (made(b'{"head":"\xff","arrays":[]}'), "not the JSON of an answer"),
    "no JSON": (made(b"head"), "not the JSON of an answer"),
    "no head": (made(b""), "not the JSON of an answer"),
    "two values": (made(b'{"head":{},"arrays":[]} {}'), "not the JSON of an answer"),
    "NaN": (listing(head="NaN"), "not the JSON of an answer"),
    "infinity": (listing(head="[-Infinity]"), "not the JSON of an answer"),
    "a float": (listing(head="1.5"), "not the JSON of an answer"),
    "a huge float": (listing(head="1e999"), "not the JSON of an answer"),
    "an integer of many digits": (listing(head="9" * 5000), "not the JSON of an answer"),
    "many brackets": (made(b"[" * 60_000), "not the JSON of an answer"),
    "a list for the head": (made(b"[]"), "not the JSON of an answer"),
    "a field too many": (made(b'{"head":{},"arrays":[],"more":1}'), "not the JSON of an answer"),
    "a field too few": (made(b'{"head":{}}'), "not the JSON of an answer"),
    "a mapping of arrays": (made(b'{"head":{},"arrays":{}}'), "not in a list"),
    "an array without a shape": (listing(["a", "<f8"]), "not a name, a dtype and a shape"),
    "a number for an array": (listing(3), "not a name, a dtype and a shape"),
    "a number for a name": (listing([1, "<f8", [1]], body=EIGHT), "not a short name that no other has"),
    "a long name": (listing(["a" * 101, "<f8", [1]], body=EIGHT), "not a short name that no other has"),
    "the same name twice": (listing(A, A, body=2 * EIGHT), "not a short name that no other has"),
    "objects": (listing(["a", "|O", [1]], body=EIGHT), "'a' is of a dtype that no answer has"),
    "complex numbers": (listing(["a", "<c8", [1]], body=EIGHT), "of a dtype that no answer has"),
    "long doubles": (listing(["a", "<f16", [1]], body=2 * EIGHT), "of a dtype that no answer has"),
    "a structure": (listing(["a", [["b", "<f8"]], [1]], body=EIGHT), "of a dtype that no answer has"),
    "big-endian numbers": (listing(["a", ">f8", [1]], body=EIGHT), "of a dtype that no answer has"),
    "a negative length": (listing(["a", "<f8", [-1]]), "a shape that no answer has"),
    "two negative lengths": (listing(["a", "<f8", [-1, -1]], body=EIGHT), "a shape that no answer has"),
    "a truth value for a length": (listing(["a", "<f8", [True]], body=EIGHT), "a shape that no answer has"),
    "text for a length": (listing(["a", "<f8", ["1"]], body=EIGHT), "a shape that no answer has"),
    "a number for a shape": (listing(["a", "<f8", 1], body=EIGHT), "a shape that no answer has"),
    "a huge length of nothing": (listing(["a", "<f8", [0, 10**30]]), "a shape that no answer has"),
    "long lengths of nothing": (listing(["a", "<f8", [0, 2**30, 2**30, 2**30]]), "a shape that no answer has"),
    "many axes": (listing(["a", "<f8", [1] * 9], body=EIGHT), "a shape that no answer has"),
    "more numbers than the body has": (listing(["a", "<f8", [2]], body=EIGHT), "not as long as its arrays"),
    "a huge array": (listing(["a", "<f8", [2**30, 2**30]], body=EIGHT), "not as long as its arrays"),
    "fewer numbers than the body has": (listing(A, body=9 * b"\0"), "not as long as its arrays"),
    "a body of nothing": (listing(body=b"\0"), "not as long as its arrays"),
    "truth values of another sort": (listing(["a", "|b1", [2]], body=b"\1\2"), "neither true nor false"),
}


@pytest.mark.parametrize("row", BAD)
def test_bad_frame_raises(row):
    data, why = BAD[row]
    with pytest.raises(FrameError, match=why):
        read(data)


def test_frame_with_its_token_and_lengths_right_is_read():
    # The rows above are refused for what they are named for, and not for how they are made.
    head, arrays = read(listing(A, ["b", "|b1", [2]], body=EIGHT + b"\1\0"))
    assert head == {}
    np.testing.assert_array_equal(arrays["a"], [0.0])
    np.testing.assert_array_equal(arrays["b"], [True, False])


@pytest.mark.parametrize("length", [0, 1, START.size - 1, START.size, START.size + 5, -1])
def test_frame_that_ends_early_raises(length):
    with pytest.raises(EOFError):
        read(written({"a": 1}, {"a": np.ones(3)})[:length])


def test_long_frame_is_read_where_there_is_room():
    data = written({"text": "a" * 100_000}, {"a": np.zeros(10_000)})
    assert len(read(data)[0]["text"]) == 100_000
    for room in (Room(100_000, 80_000), Room(200_000, 79_999)):
        with pytest.raises(FrameError, match="bytes long"):
            read(data, room)


def test_nothing_is_read_of_a_frame_that_is_refused():
    stream = io.BytesIO(made(token=OTHER, of_body=2**62) + b"more")
    with pytest.raises(FrameError):
        frames.read(stream, TOKEN, lambda: ROOM)
    assert stream.tell() == START.size
