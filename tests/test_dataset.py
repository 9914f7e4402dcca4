"""Tables in files: what they give, and what is said of those that are broken, with line and column."""

import re

import numpy as np
import pytest

from handgrad.homework.dataset import classes, read, targets

FLOWERS = "length,width,kind\n5.1,3.5,setosa\n7,3.2,versicolor\n6.3,3.3,virginica\n5,3,setosa\n"
NUMBERS = "a,b,c\n1,2,3\n4,5,6\n"


def written(folder, text, name="data.csv"):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def test_words_of_the_last_column_is_the_classes(tmp_path):
    data = read(written(tmp_path, FLOWERS))
    assert data.x.tolist() == [[5.1, 3.5], [7, 3.2], [6.3, 3.3], [5, 3]]
    assert (data.columns, data.chosen) == (("length", "width"), ("kind",))
    assert data.labels == ("setosa", "versicolor", "virginica")
    assert data.y.tolist() == [0, 1, 2, 0]
    assert (data.x.dtype, data.y.dtype) == (np.float64, np.intp)


def test_numbers_of_the_last_column_is_the_targets(tmp_path):
    data = read(str(written(tmp_path, NUMBERS)))
    assert (data.x.tolist(), data.y.tolist(), data.labels) == ([[1, 2], [4, 5]], [[3], [6]], ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3\n4,5,6\n", [[1, 2], [4, 5]]),
        ("1,2,3\n4,5,6", [[1, 2], [4, 5]]),
        ("a,b,c\r\n1,2,3\r\n4,5,6\r\n", [[1, 2], [4, 5]]),
        ("a,b,c\r1,2,3\r4,5,6\r", [[1, 2], [4, 5]]),
        ("\n\n1,2,3\n\n  \n4,5,6\n\n", [[1, 2], [4, 5]]),
        ("\ufeffa,b,c\n1,2,3\n4,5,6\n", [[1, 2], [4, 5]]),
        (" a , b,c\n 1 , 2,3\n4,5,6\n", [[1, 2], [4, 5]]),
        ("a;b;c\n1;2;3\n4;5;6\n", [[1, 2], [4, 5]]),
        ("1\t2\t3\n4\t5\t6\n", [[1, 2], [4, 5]]),
        ('"a;1","b\n2",c\n"1","2",3\n4,5,6\n', [[1, 2], [4, 5]]),
        ('a, "b, 1", c\n1, "2", 3\n4,5,6\n', [[1, 2], [4, 5]]),
        ("-1.5,+2.,3\n.5,5e-1,6\n", [[-1.5, 2], [0.5, 0.5]]),
        ("1,2,x\n4,5,y\n", [[1, 2], [4, 5]]),
        ("a,b,3\n1,2,3\n4,5,6\n", [[1, 2], [4, 5]]),
        (",b,c\n1,2,3\n4,5,6\n", [[1, 2], [4, 5]]),
        ("1,2,3\n", [[1, 2]]),
    ],
    ids=[
        "no header",
        "no last line end",
        "of Windows",
        "of old Macs",
        "empty lines",
        "a mark of Windows",
        "spaces",
        "semicolons",
        "tabs",
        "quotes",
        "quotes after spaces",
        "signs and points",
        "words without a header",
        "a target called 3",
        "a column without a name",
        "one example",
    ],
)
def test_table_equals_its_inputs(text, expected, tmp_path):
    assert read(written(tmp_path, text)).x.tolist() == expected


def test_mark_of_windows_is_in_no_name(tmp_path):
    assert read(written(tmp_path, f"\ufeff{NUMBERS}"), "a").chosen == ("a",)


@pytest.mark.parametrize(
    ("target", "x", "y", "columns", "chosen"),
    [
        ("c", [[1, 2], [4, 5]], [[3], [6]], ("a", "b"), ("c",)),
        ("a", [[2, 3], [5, 6]], [[1], [4]], ("b", "c"), ("a",)),
        ("2", [[1, 3], [4, 6]], [[2], [5]], ("a", "c"), ("b",)),
        ("c, a", [[2], [5]], [[3, 1], [6, 4]], ("b",), ("c", "a")),
        ("1,c", [[2], [5]], [[1, 3], [4, 6]], ("b",), ("a", "c")),
    ],
)
def test_target_that_is_chosen_is_no_input(target, x, y, columns, chosen, tmp_path):
    data = read(written(tmp_path, NUMBERS), target)
    assert (data.x.tolist(), data.y.tolist(), data.columns, data.chosen) == (x, y, columns, chosen)
    if target.isdecimal():
        headless = read(written(tmp_path, NUMBERS.partition("\n")[2]), target)
        assert (headless.x.tolist(), headless.y.tolist()) == (x, y)
        assert (headless.columns, headless.chosen) == (("x_1", "x_2"), ("y",))


def test_words_before_numbers_is_a_header_only_if_it_names_every_input(tmp_path):
    data = read(written(tmp_path, "kind,length\nsetosa,1\nother,2\n"), "kind")
    assert (data.x.tolist(), data.y.tolist(), data.labels) == ([[1], [2]], [1, 0], ("other", "setosa"))
    headless = read(written(tmp_path, "setosa,1\nother,2\n"), "1")
    assert (headless.x.tolist(), headless.labels) == ([[1], [2]], ("other", "setosa"))


def test_target_that_is_a_number_is_a_place(tmp_path):
    data = read(written(tmp_path, "u,v,1\n5,6,7\n"), "3")
    assert (data.x.tolist(), data.y.tolist(), data.chosen) == ([[5, 6]], [[7]], ("1",))


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("", None, "data.csv must hold at least one example; it is empty"),
        ("\n \n", None, "data.csv must hold at least one example; it is empty"),
        ("a,b\n", None, "data.csv must hold at least one example; it has a header alone"),
        ("1\n2\n", None, "data.csv has one column alone, '1' (parted by commas): a table needs at least one input and one"),
        ("a,b,c\n1,2,3\n1,2\n", None, "data.csv, line 3: 2 cells, but line 1 has 3 (parted by commas)"),
        ("a,b,c\n1,2,3,4\n", None, "data.csv, line 2: 4 cells, but line 1 has 3 (parted by commas)"),
        ("a;b\n1;2\n3\n", None, "data.csv, line 3: 1 cell, but line 1 has 2 (parted by semicolons)"),
        ('a,b\n"1\n",2\n3\n', None, "data.csv, line 4: 1 cell, but line 1 has 2"),
        ("a,petal_length,c\n1,2,3\n\n1,abc,3\n", None, "data.csv, line 4, column 2 (petal_length): 'abc' is no number"),
        ("1,2,3\n1,abc,3\n", None, "data.csv, line 2, column 2: 'abc' is no number"),
        ("abc,2,3\n1,2,3\n", None, "data.csv, line 1, column 1: 'abc' is no number"),
        ("a,b,c\nred,x,3\nblue,x,4\n", None, "data.csv, line 1, column 1: 'a' is no number"),
        ("a,b\n1_000,2\n", None, "data.csv, line 1, column 1: 'a' is no number"),
        ("a,b,c\n1,1_000,2\n", None, "data.csv, line 2, column 2 (b): '1_000' is no number"),
        ("a,b,c\n1,\u0663,2\n", None, "data.csv, line 2, column 2 (b): '\u0663' is no number"),
        ("a,b,c\n1,0x10,2\n", None, "data.csv, line 2, column 2 (b): '0x10' is no number"),
        ("a,b,c\n1,,2\n", None, "data.csv, line 2, column 2 (b): the cell is empty; leave out the row, or fill in a number"),
        ("a,b,c\n1,2,\n", None, "data.csv, line 2, column 3 (c): the cell is empty"),
        ("a,b,c\n1,NaN,2\n", None, "data.csv, line 2, column 2 (b): 'NaN' is no finite number"),
        ("a,b,c\n1,-inf,2\n", None, "data.csv, line 2, column 2 (b): '-inf' is no finite number"),
        ("a,b,c\n1,1e999,2\n", None, "data.csv, line 2, column 2 (b): '1e999' is no finite number"),
        ("a,b,c\n1,2,nan\n", None, "data.csv, line 2, column 3 (c): 'nan' is no finite number"),
        ("a,b\n1,cat\n2,nan\n", None, "data.csv, line 3, column 2 (b): 'nan' is no finite number"),
        ("a,b\n1,2\n2,cat\n", None, "column 2 (b): 'cat' is no number, but '2' in line 2 is one: targets are all numbers or"),
        ("a,b\n1,cat\n2,3\n", None, "data.csv, line 3, column 2 (b): '3' is a number, but 'cat' in line 2 is a word"),
        ("a;b;c\n1;2,5;3\n", None, "data.csv, line 2, column 2 (b): '2,5' is no number: write decimals with a point, 2.5"),
        ("1,5;2;3\n1;2;3\n", None, "data.csv, line 1, column 1: '1,5' is no number: write decimals with a point, 1.5"),
        ("a;b\n1,5;2\n2,5;3\n", None, "data.csv, line 2, column 1 (a): '1,5' is no number: write decimals with a point, 1.5"),
        ("1,5;2\n2,5;3\n", None, "data.csv, line 1, column 1: '1,5' is no number: write decimals with a point, 1.5"),
        ("a;b\n1;2\n1;2,5\n", None, "data.csv, line 3, column 2 (b): '2,5' is no number: write decimals with a point, 2.5"),
        (b"a,b\n1,\xff\n", None, "data.csv, line 2: byte 0xff is no UTF-8; save the file as UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), None, "data.csv, line 1: byte 0xff is no UTF-8"),
        (b"a,b\n1,2\0\n", None, "data.csv, line 2: a zero byte stands in no text"),
        (b"PK\x03\x04\0\0", None, "data.csv, line 1: a zero byte stands in no text"),
        ("a,b\n1," + "9" * 200_000 + "\n", None, "data.csv, line 2: field larger than field limit (131072)"),
        ('a,b\n1,"2\n3,4\n', None, "data.csv, line 2: unexpected end of data"),
        ('a,b\n"1"x,2\n', None, "data.csv, line 2: ',' expected after '\"'"),
        ("a,b,c\n1," + "x" * 100 + ",2\n", None, f"column 2 (b): '{'x' * 40}…' is no number"),
        ("a,b\n1,2\n", "B", "target must be one of a, b; got 'B' (did you mean 'b'?)"),
        ("length,b\n1,2\n", "lenght", "target must be one of length, b; got 'lenght' (did you mean 'length'?)"),
        ("a,b\n1,2\n", "3", "target must be an integer from 1 to 2; got 3"),
        ("a,b\n1,2\n", "0", "target must be an integer from 1 to 2; got 0"),
        ("a,b\n1,2\n", "-1", "target must be one of a, b; got '-1'"),
        ("a,b\n1,2\n", "", "target must be one of a, b; got ''"),
        ("a,b\n1,2\n", "a,", "target must be one of a, b; got ''"),
        ("a,b,c\n1,2,3\n", "b,2", "a target is chosen once; got b,2"),
        ("a,b\n1,2\n", "a,b", "data.csv must have at least one input; all its columns are targets"),
        ("1,2\n3,4\n", "y", "data.csv has no names of columns, so a target is a number from 1 to 2; got 'y'"),
        ("x,x,y\n1,2,3\n", "x", "data.csv has several columns 'x': choose one by its number, 1, 2"),
        ("a,b,c\n1,cat,3\n", "b,c", "data.csv, line 2, column 2 (b): 'cat' is no number"),
    ],
)
def test_broken_table_raises_line_and_column(text, target, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = written(tmp_path, text).read_bytes()
    with pytest.raises(ValueError, match=re.escape(said)) as raised:
        read("data.csv", target)
    assert len(str(raised.value).splitlines()) == 1
    assert (tmp_path / "data.csv").read_bytes() == content


def test_file_of_another_kind_or_none_raises(tmp_path):
    with pytest.raises(ValueError, match=re.escape("the file's ending must be one of .csv, .tsv, .txt; got '.npz'")):
        read("net.npz")
    with pytest.raises(TypeError, match="path must be a str or a Path; got int"):
        read(3)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "no.csv")


def test_classes_of_numbers_is_their_order(tmp_path):
    data = read(written(tmp_path, "1,10\n1,9\n1,10\n1,0.5\n"))
    places, labels = classes(data)
    assert (places.tolist(), labels) == ([2, 1, 2, 0], ("0.5", "9", "10"))


def test_targets_is_what_the_loss_takes(tmp_path):
    words, numbers = read(written(tmp_path, FLOWERS)), read(written(tmp_path, "1,1\n2,0\n3,1\n", "b.csv"))
    assert targets(words, "cross_entropy", 3).tolist() == [0, 1, 2, 0]
    assert targets(numbers, "cross_entropy", 2).tolist() == [1, 0, 1]
    assert targets(numbers, "squared_error", 1).tolist() == [[1], [0], [1]]
    assert targets(numbers, "binary_cross_entropy", 1).tolist() == [[1], [0], [1]]
    two = targets(read(written(tmp_path, "1,yes\n2,no\n")), "binary_cross_entropy", 1)
    assert (two.tolist(), two.dtype) == ([[1], [0]], np.float64)


@pytest.mark.parametrize(
    ("text", "loss", "n_out", "said"),
    [
        (
            FLOWERS,
            "squared_error",
            1,
            "data.csv are 3 words, which need the loss cross_entropy, or with two of them binary_cross",
        ),
        (
            FLOWERS,
            "binary_cross_entropy",
            1,
            "data.csv are 3 words, which need the loss cross_entropy; got binary_cross_entropy",
        ),
        (
            FLOWERS,
            "cross_entropy",
            2,
            "must have a class for each of the n_L = 2 outputs; got 3: setosa, versicolor, virginica",
        ),
        ("1,5\n2,7\n", "cross_entropy", 3, "data.csv must have a class for each of the n_L = 3 outputs; got 2: 5, 7"),
    ],
)
def test_targets_of_another_loss_raises(text, loss, n_out, said, tmp_path):
    with pytest.raises(ValueError, match=re.escape(said)):
        targets(read(written(tmp_path, text)), loss, n_out)


def test_classes_of_several_columns_raises(tmp_path):
    with pytest.raises(ValueError, match=re.escape("classes are in one column; got the targets a, b")):
        classes(read(written(tmp_path, NUMBERS), "a,b"))
