"""Networks in files: what comes back is the same, and what is broken, foreign or hostile is refused with a sentence."""

import errno
import io
import json
import os
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import handgrad as hg

HIDDEN = [
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    hg.Activation("leaky_relu", slope=0.1),
    hg.Activation("prelu", alpha=0.3),
    "softmax",
]
OUTPUTS = {"squared_error": HIDDEN, "cross_entropy": ["softmax"], "binary_cross_entropy": ["sigmoid"]}


@st.composite
def networks(draw):
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    loss = draw(st.sampled_from(sorted(OUTPUTS)))
    activations = [draw(st.sampled_from(HIDDEN)) for _ in widths[2:]] + [draw(st.sampled_from(OUTPUTS[loss]))]
    places = [place for place, activation in enumerate(activations) if getattr(activation, "name", "") == "prelu"]
    for place in places:
        if draw(st.booleans()):  # one a unit
            alpha = [0.1 + unit for unit in range(widths[place + 1])]
            activations[place] = hg.Activation("prelu", alpha=alpha)
    options = {"reduction": draw(st.sampled_from(["mean", "sum"])), "dtype": draw(st.sampled_from(["float32", "float64"]))}
    return hg.Network.random(widths, activations=activations, loss=loss, seed=draw(st.integers(0, 99)), **options)


def assert_same(found, net):
    assert (found.loss_name, found.reduction, found.dtype, found.widths) == (
        net.loss_name,
        net.reduction,
        net.dtype,
        net.widths,
    )
    assert [(layer.activation.name, layer.activation.slope) for layer in found.layers] == [
        (layer.activation.name, layer.activation.slope) for layer in net.layers
    ]
    arrays, expected = found.named(), net.named()
    assert list(arrays) == list(expected)
    for name, array in expected.items():
        assert (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype)
        # To the last bit, the sign of 0 included.
        assert arrays[name].tobytes() == array.tobytes()


@given(net=networks())
def test_loaded_network_equals_the_saved_one(net, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "net.npz"
    net.save(path)
    assert_same(hg.load(str(path)), net)


def test_extreme_parameters_and_a_learned_alpha_equal_the_saved_ones(tmp_path):
    net = hg.Network([hg.Dense([[-0.0, 5e-324, 1.7e308]], [2**-1074], hg.Activation("prelu", alpha=[0.5]))])
    net.layers[0].alpha = 0.75
    net.save(tmp_path / "net.NPZ")
    found = hg.load(tmp_path / "net.NPZ")
    assert_same(found, net)
    assert (found.layers[0].alpha.shape, found.layers[0].alpha) == ((), 0.75)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [0.3, (0.1, 1 / 3, -2.5), 1e-5])
def test_loaded_activation_equals_the_one_that_was_written(alpha, dtype, tmp_path):
    alpha = alpha if isinstance(alpha, float) else tuple(float(str(np.dtype(dtype).type(each))) for each in alpha)
    net = hg.Network.random([2, 3], activations=[hg.Activation("prelu", alpha=alpha)], dtype=dtype, seed=0)
    net.save(tmp_path / "net.npz")
    found = hg.load(tmp_path / "net.npz")
    assert_same(found, net)
    assert found.layers[0].activation == net.layers[0].activation == hg.Activation("prelu", alpha=alpha)


def test_alpha_whose_shortest_decimal_is_rounded_twice_equals_the_saved_one(tmp_path):
    # Its shortest decimal, 7.038531e-26, gives another float32 by way of the nearest float64.
    alpha = np.array(0x15AE43FD, np.uint32).view(np.float32)
    net = hg.Network([hg.Dense(np.ones((1, 1), np.float32), np.ones(1, np.float32), hg.Activation("prelu", alpha=0.25))])
    net.layers[0].alpha = alpha
    net.save(tmp_path / "net.npz")
    assert_same(hg.load(tmp_path / "net.npz"), net)


def test_loaded_network_is_trained_like_any_other(tmp_path):
    net, x, y = saved(tmp_path), [[1.0, 2.0]], [[0.5]]
    found = hg.load(tmp_path / "net.npz")
    assert hg.fit(found, x, y, rate=0.1, epochs=3).losses == hg.fit(net, x, y, rate=0.1, epochs=3).losses


def test_file_is_read_by_numpy_without_pickle(tmp_path):
    net = saved(tmp_path)
    with np.load(tmp_path / "net.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted(["handgrad", *net.named()])
        assert arrays["w1"].tolist() == net.layers[0].w.tolist()
        assert json.loads(arrays["handgrad"].item()) == TOLD


TOLD = {
    "format": "handgrad",
    "version": 1,
    "loss": "squared_error",
    "reduction": "mean",
    "dtype": "float64",
    "layers": [{"activation": "leaky_relu", "slope": 0.2}, {"activation": "prelu"}],
}


def network():
    activations = [hg.Activation("leaky_relu", slope=0.2), "prelu"]
    return hg.Network.random([2, 3, 1], activations=activations, seed=0)


def saved(folder):
    net = network()
    net.save(folder / "net.npz")
    return net


def entries(**changes):
    """Return what a file holds by name, changed; None leaves an entry out."""
    whole = {"handgrad": np.array(json.dumps(TOLD)), **network().named()} | changes
    return {name: array for name, array in whole.items() if array is not None}


def archive(write=np.savez, **changes):
    stream = io.BytesIO()
    write(stream, **entries(**changes))
    return stream.getvalue()


def told(**changes):
    text = {key: value for key, value in (TOLD | changes).items() if value is not None}
    return archive(handgrad=np.array(json.dumps(text)))


def zipped(replaced=(), more=(), compression=zipfile.ZIP_STORED, change=None):
    """Return an archive whose entries are the bytes given, or those of the saved network."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as out:
        for name, array in entries().items():
            out.writestr(f"{name}.npy", dict(replaced).get(name, npy(array)))
        for name, content in more:
            out.writestr(name, content)
    return stream.getvalue() if change is None else change(stream.getvalue())


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text, content=b"\0" * 8, version=b"\x01\x00"):
    """Return an .npy file with a header of one's own."""
    line = text.encode()
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(line) + 1)
    return b"\x93NUMPY" + version + length + line + b"\n" + content


def shape(text, descr="<f8"):
    return header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {text}}}")


def twice():
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped(more=[("w1.npy", npy(np.ones((3, 2))))])


def encrypted(data):
    """Set the bit of an encrypted entry for the first one, in both its headers."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def promising(data):
    """Let the directory promise 10 ** 9 bytes for the first entry."""
    start = data.index(b"PK\x01\x02") + 20
    return data[:start] + struct.pack("<II", 10**9, 10**9) + data[start + 8 :]


def unequal(data):
    start = data.index(b"PK\x01\x02") + 24
    return data[:start] + struct.pack("<I", 10**9) + data[start + 4 :]


WHOLE, W = archive(), network().named()["w1"].tobytes()
DEEP = '{"layers": ' + "[" * 100_000
LEAKY, PRELU = TOLD["layers"]
BROKEN = {
    "empty": (b"", "it is empty"),
    "text": (b"hello", "it is no zip archive, as every .npz file is"),
    "half an archive": (WHOLE[: len(WHOLE) // 2], "it is cut off or damaged: File is not a zip file"),
    "one byte less": (WHOLE[:-1], "it is cut off or damaged: File is not a zip file"),
    "a changed weight": (WHOLE.replace(W, W[::-1]), "is cut off or damaged: Bad CRC-32 for file"),
    "an .npy": (npy(np.ones(3)), "it is no zip archive"),
    "a pickle": (b"\x80\x04\x95" + b"x" * 50, "it is no zip archive"),
    "no entries": (b"PK\x05\x06" + b"\0" * 18, "it has no entry 'handgrad', so another program wrote it"),
    "foreign": (archive(handgrad=None), "it has no entry 'handgrad', so another program wrote it"),
    "a foreign text": (told(format="mygrad"), "its format must be handgrad; got 'mygrad'"),
    "an entry that is no .npy": (zipped(more=[("read.me", b"")]), "entry 'read.me' is no array: its name does not end in .npy"),
    "an entry with other content": (zipped({"w1": b"hello"}), "entry 'w1.npy' is no array: it has no header of an .npy file"),
    "an entry that is empty": (zipped({"w1": b""}), "entry 'w1.npy' is no array: it has no header of an .npy file"),
    "the same entry twice": (None, "entry 'w1.npy' is there twice"),
    "an encrypted entry": (zipped(change=encrypted), "entry 'handgrad.npy' is encrypted"),
    "a compressed entry": (archive(np.savez_compressed), "entry 'handgrad.npy' is compressed: take np.savez, not"),
    "a bomb": (
        zipped(more=[("w9.npy", npy(np.zeros(10**7)))], compression=zipfile.ZIP_DEFLATED),
        "entry 'handgrad.npy' is compressed",
    ),
    "entries that promise much": (zipped(change=promising), "its entries promise 1000"),
    "an entry of two sizes": (zipped(change=unequal), "entry 'handgrad.npy' promises 1000000000 bytes and has"),
    "objects": (archive(w1=np.array([[None, 1.0]])), "entry 'w1.npy' holds Python objects or records, not numbers"),
    "a text of objects": (archive(handgrad=np.array({"version": 1})), "entry 'handgrad.npy' holds Python objects or records"),
    "records": (archive(w1=np.zeros(3, [("a", "f8")])), "entry 'w1.npy' holds Python objects or records"),
    "dates": (archive(w1=np.zeros(3, "M8[s]")), "entry 'w1.npy' holds Python objects or records"),
    "a huge shape": (zipped({"w1": shape("(1000000, 1000000)")}), "'w1.npy' promises shape (1000000, 1000000) of float64, and"),
    "a shape beyond numbers": (zipped({"w1": shape(f"({10**30},)")}), f"'w1.npy' promises shape ({10**30},) of float64"),
    "a negative shape": (zipped({"w1": shape("(-1, -1)")}), "entry 'w1.npy' promises shape (-1, -1) of float64"),
    "a huge dtype": (zipped({"w1": shape("()", "<U500000000")}), "entry 'w1.npy' promises shape () of <U500000000"),
    "a shape too small": (zipped({"w1": shape("(0, 2)")}), "entry 'w1.npy' promises shape (0, 2) of float64, and has 8 bytes"),
    "a header that is code": (zipped({"w1": header("__import__('os').abort()")}), "entry 'w1.npy' is no array"),
    "a deep header": (zipped({"w1": header("(" * 9000)}), "entry 'w1.npy' is no array"),
    "an endless header": (zipped({"w1": header(" " * 60_000)}), "entry 'w1.npy' is no array"),
    "a header cut off": (zipped({"w1": header("{'descr'")[:9]}), "entry 'w1.npy' is no array"),
    "another .npy version": (zipped({"w1": header("{}", version=b"\x09\x00")}), "entry 'w1.npy' is no array"),
    "a text that is numbers": (archive(handgrad=np.ones(3)), "its entry 'handgrad' must be one text of at most"),
    "a text in bytes": (archive(handgrad=np.array(b"{}")), "its entry 'handgrad' must be one text of at most"),
    "several texts": (archive(handgrad=np.array(["{}"])), "its entry 'handgrad' must be one text of at most"),
    "an endless text": (archive(handgrad=np.array(" " * 2_000_000 + "x")), "its entry 'handgrad' must be one text of at most"),
    "a text that is no text": (
        zipped({"handgrad": header("{'descr': '<U2', 'fortran_order': False, 'shape': ()}", b"\xff" * 8)}),
        "its entry 'handgrad' is no JSON: ",
    ),
    "a text that is empty": (archive(handgrad=np.array("")), "its entry 'handgrad' is no JSON: Expecting value"),
    "a text that is no JSON": (archive(handgrad=np.array("{")), "its entry 'handgrad' is no JSON: Expecting property name"),
    "a text too deep": (archive(handgrad=np.array(DEEP)), "its entry 'handgrad' is no JSON: maximum recursion depth"),
    "a number too long": (archive(handgrad=np.array("9" * 5000)), "its entry 'handgrad' is no JSON: Exceeds the limit"),
    "a list": (archive(handgrad=np.array("[]")), "its entry 'handgrad' must be a table; got list"),
    "a newer version": (
        told(version=2, more="?"),
        "a newer handgrad wrote it (format 2); this one reads 1: install a newer handgrad",
    ),
    "no version": (told(version=None), "its version must be an integer >= 1; got None"),
    "version 0": (told(version=0), "its version must be an integer >= 1; got 0"),
    "version true": (told(version=True), "its version must be an integer >= 1; got True"),
    "version 1.0": (told(version=1.0), "its version must be an integer >= 1; got 1.0"),
    "a version in words": (told(version="1"), "its version must be an integer >= 1; got '1'"),
    "no loss": (told(loss=None), "its entry 'handgrad' does not say loss"),
    "no layers": (told(layers=None), "its entry 'handgrad' does not say layers"),
    "an unknown key": (told(optimizer="adam"), "a key of its entry 'handgrad' must be one of format, version,"),
    "an unknown loss": (told(loss="mse"), "loss must be one of squared_error,"),
    "a loss that is no name": (told(loss=["a"]), "loss must be one of squared_error,"),
    "a loss of another output": (told(loss="cross_entropy"), "cross_entropy needs probabilities that sum to 1"),
    "an unknown reduction": (told(reduction="max"), "reduction must be one of mean, sum; got 'max'"),
    "float16": (told(dtype="float16"), "its dtype must be one of float32, float64; got 'float16'"),
    "a dtype that is a list": (told(dtype=[1]), "its dtype must be one of float32, float64; got [1]"),
    "layers that are none": (told(layers=3), "its layers must be a list; got int"),
    "a layer that is none": (told(layers=["tanh"]), "layer 1 must be a table; got str"),
    "an unknown activation": (told(layers=[LEAKY, {"activation": "gelu"}]), "the activation of layer 2 must be one of"),
    "no activation": (told(layers=[LEAKY, {}]), "the activation of layer 2 must be one of"),
    "an unknown key of a layer": (told(layers=[LEAKY | {"units": 3}, PRELU]), "a key of layer 1 must be one of activation,"),
    "no slope": (told(layers=[{"activation": "leaky_relu"}, PRELU]), "layer 1 is leaky_relu and needs its slope"),
    "a slope that is no number": (told(layers=[LEAKY | {"slope": "x"}, PRELU]), "layer 1: slope must hold real numbers"),
    "an infinite slope": (told(layers=[LEAKY | {"slope": float("inf")}, PRELU]), "layer 1: slope must be finite; slope is inf"),
    "a slope too long": (told(layers=[LEAKY | {"slope": 10**400}, PRELU]), "layer 1: slope must hold real numbers"),
    "a slope of another": (told(layers=[LEAKY, PRELU | {"slope": 0.1}]), "layer 2: slope is an argument of leaky_relu alone"),
    "a layer less": (told(layers=[LEAKY]), "entry 'w2' is of none of its 1 layers"),
    "a layer more": (told(layers=[LEAKY, PRELU, LEAKY]), "entry 'w3' is missing"),
    "nothing but the text": (
        archive(**dict.fromkeys(["w1", "b1", "w2", "b2", "alpha2"])),
        "entry 'w1' is missing",
    ),
    "no layer at all": (
        archive(**dict.fromkeys(["w1", "b1", "w2", "b2", "alpha2"]), handgrad=np.array(json.dumps(TOLD | {"layers": []}))),
        "layers must hold at least one Dense layer; got none",
    ),
    "an entry more": (archive(w=np.ones(3)), "entry 'w' is of none of its 2 layers"),
    "an entry less": (archive(b1=None), "entry 'b1' is missing"),
    "no alpha": (archive(alpha2=None), "entry 'alpha2' is missing"),
    "weights of float16": (archive(w1=np.ones((3, 2), "f2")), "entry 'w1' must be float64, as the entry 'handgrad' says; got"),
    "weights of float32": (archive(w1=np.ones((3, 2), "f4")), "entry 'w1' must be float64, as the entry 'handgrad' says; got"),
    "weights of integers": (archive(w1=np.ones((3, 2), int)), "entry 'w1' must be float64, as the entry 'handgrad' says; got"),
    "weights of text": (archive(w1=np.array([["a"]])), "entry 'w1' must be float64, as the entry 'handgrad' says; got <U1"),
    "NaN": (archive(w1=np.full((3, 2), np.nan)), "layer 1: w must be finite; w[0, 0] is nan"),
    "infinity": (archive(b2=np.array([np.inf])), "layer 2: b must be finite; b[0] is inf"),
    "an infinite alpha": (archive(alpha2=np.array(np.inf)), "layer 2: alpha must be finite; alpha is inf"),
    "an alpha too many": (archive(alpha2=np.ones((2, 2))), "layer 2: alpha must have shape () or (n,); got (2, 2)"),
    "a w of one dimension": (archive(w1=np.ones(6)), "layer 1: w must have shape (n, n_prev), both at least 1; got (6,)"),
    "no units": (archive(w1=np.ones((0, 2)), b1=np.ones(0)), "layer 1: w must have shape (n, n_prev), both at least 1"),
    "b that does not meet w": (archive(b1=np.ones(2)), "layer 1: b must have shape (n,) = (3,) to meet w, which is (3, 2)"),
    "layers that do not meet": (archive(w2=np.ones((1, 2))), "layer 1 has 3 units but layer 2 takes 2 inputs"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_file_that_is_no_saved_network_raises_a_sentence(broken, tmp_path):
    content, said = BROKEN[broken]
    content = twice() if content is None else content
    path = tmp_path / "net.npz"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=re.escape(said)) as raised:
            hg.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(raised.value).startswith(f"{path} is no saved network: ")
    assert len(str(raised.value).splitlines()) == 1
    # Whatever it promises, no more is taken than a few times what it is.
    assert peak < 10 * len(content) + 4_000_000
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["net.npz"]


def test_every_file_cut_off_raises(tmp_path):
    path = tmp_path / "net.npz"
    for length in range(len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        with pytest.raises(ValueError, match="is no saved network: "):
            hg.load(path)


def test_every_file_with_a_changed_byte_raises_or_is_the_network(tmp_path):
    path, generator, same = tmp_path / "net.npz", np.random.default_rng(0), 0
    for place in range(len(WHOLE)):
        changed = bytearray(WHOLE)
        changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed)
        try:
            found = hg.load(path)
        except ValueError as error:
            found = str(error)
        if isinstance(found, str):
            assert found.startswith(f"{path} is no saved network: ")
        else:
            assert_same(found, network())
            same += 1
    # Dates, permissions and the like say nothing of the network.
    assert same < len(WHOLE) / 4


@pytest.mark.parametrize("how", ["big-endian", "in columns", "of version 2"])
def test_array_written_otherwise_equals_the_network(how, tmp_path):
    net = network()
    w = net.layers[0].w
    if how == "big-endian":
        content = archive(w1=w.astype(">f8"))
    elif how == "in columns":
        content = archive(w1=np.asfortranarray(w))
    else:
        line = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}"
        content = zipped({"w1": header(line, w.tobytes(), b"\x02\x00")})
    (tmp_path / "net.npz").write_bytes(content)
    assert_same(hg.load(tmp_path / "net.npz"), net)


PROMISING = """
import resource, sys
import handgrad.homework.saving as saving
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
try:
    saving.load(sys.argv[1])
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("broken", ["a huge shape", "a huge dtype", "entries that promise much", "an entry of two sizes"])
def test_promise_of_much_memory_is_refused_with_little(broken, tmp_path):
    content, said = BROKEN[broken]
    (tmp_path / "net.npz").write_bytes(content)
    environment = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROMISING, str(tmp_path / "net.npz")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert said in answer.stdout


@pytest.mark.parametrize("how", [hg.load, network().save])
@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("net.npy", ValueError, "the file's ending must be .npz; got '.npy'"),
        ("net", ValueError, "the file's ending must be .npz; got ''"),
        ("-", ValueError, "the file's ending must be .npz; got ''"),
        (3, TypeError, "path must be a str or a Path; got int"),
        (None, TypeError, "path must be a str or a Path; got NoneType"),
        ("no/folder/net.npz", FileNotFoundError, "No such file or directory: 'no/folder/net.npz'"),
        ("folder.npz", IsADirectoryError, "Is a directory: 'folder.npz'"),
    ],
)
def test_path_that_is_none_raises_a_sentence(how, path, error, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(error, match=re.escape(said)):
        how(path)
    assert os.listdir(tmp_path) == ["folder.npz"]


def test_parameter_that_is_not_finite_is_not_saved(tmp_path):
    saved(tmp_path)
    before = (tmp_path / "net.npz").read_bytes()
    net = network()
    net.layers[1].b[0] = np.nan
    with pytest.raises(ValueError, match=re.escape("net's b2 must be finite; net's b2[0] is nan")):
        net.save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before


def test_what_is_no_network_is_not_saved(tmp_path):
    from handgrad.homework.saving import save

    with pytest.raises(TypeError, match="net must be a Network; got list"):
        save([], tmp_path / "net.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_old_file_is_there_when_writing_fails(where, error, tmp_path, monkeypatch):
    saved(tmp_path)
    before = (tmp_path / "net.npz").read_bytes()

    def fail(*_):
        raise error

    monkeypatch.setattr(where, fail)
    with pytest.raises(type(error)):
        hg.Network.random([1, 1], activations=["relu"], seed=0).save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before
    assert os.listdir(tmp_path) == ["net.npz"]
