"""Text files: their encoding, and what parts the columns."""

import re

import pytest

from handgrad.homework.text_files import decoded, delimiter


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\n", "a\r\nb\n"),
        (b"\xef\xbb\xbfa", "a"),
        ("ñ, x₁\n".encode(), "ñ, x₁\n"),
        (b"", ""),
    ],
    ids=["line ends", "a mark of Windows", "beyond ASCII", "nothing"],
)
def test_decoded_equals_the_text(data, text, tmp_path):
    (tmp_path / "t.csv").write_bytes(data)
    assert decoded(tmp_path / "t.csv") == decoded(str(tmp_path / "t.csv")) == text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\nb\n\xe9", "t.csv, line 3: byte 0xe9 is no UTF-8; save the file as UTF-8"),
        (b"\xffa", "t.csv, line 1: byte 0xff is no UTF-8; save the file as UTF-8"),
        (b"a\n\0b", "t.csv, line 2: a zero byte stands in no text"),
    ],
)
def test_decoded_raises_line_and_byte(data, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        decoded("t.csv")


def test_decoded_of_no_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        decoded(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("a,b\n1;2\t3\n", ","),
        ("a;b,c\n", ";"),
        ("a\tb;c,d\n", "\t"),
        ("\r\n\na;b\n", ";"),
        ('"a;\t","b"\n', ","),
        ('"a\n,1";b\n', ";"),
        ("a,b\r1;2\r", ","),
        ("\tb\n", "\t"),
        ('a,"b;c\n', ","),
        ("", ","),
    ],
)
def test_delimiter_is_that_of_the_first_row(text, sign):
    assert delimiter(text) == sign
