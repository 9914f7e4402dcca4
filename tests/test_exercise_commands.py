"""`python -m handgrad exercise` and `grade`: one sheet, a class set, a folder of answers, and bad input."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad as hg
from handgrad.__main__ import main
from handgrad.homework.exercises import class_set
from handgrad.homework.exercises.exercise import exercise
from handgrad.homework.exercises.sheet import Sheet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_exercise_prints_the_sheet_or_the_key(capsys):
    made = exercise(level=3, seed=5)
    assert main(["exercise", "--level", "3", "--seed", "5"]) == 0
    assert capsys.readouterr() == (made.sheet.text() + "\n", "")
    assert main(["exercise", "--level", "3", "--seed", "5", "--key"]) == 0
    assert capsys.readouterr() == (made.key.text() + "\n", "")
    assert main(["exercise", "--level", "3", "--seed", "5", "--format", "markdown"]) == 0
    assert capsys.readouterr().out == made.sheet.markdown() + "\n"


@pytest.mark.parametrize(("ending", "form"), [(".txt", "text"), (".md", "markdown"), (".tex", "latex"), (".html", "html")])
def test_exercise_writes_sheet_and_key(ending, form, folder, capsys):
    typed = ["--widths", "2,3,1", "--activations", "relu,identity", "--language", "es"]
    assert main(["exercise", *typed, "-o", f"sheet{ending}", "--key", f"key{ending}"]) == 0
    assert capsys.readouterr() == ("", "")
    made = exercise(widths=[2, 3, 1], activations=["relu", "identity"], language="es")
    assert (folder / f"sheet{ending}").read_text(encoding="utf-8") == getattr(made.sheet, form)()
    assert (folder / f"key{ending}").read_text(encoding="utf-8") == getattr(made.key, form)()
    assert sorted(os.listdir(folder)) == [f"key{ending}", f"sheet{ending}"]


@pytest.mark.parametrize("arguments", [["exercise", "--level", "1"], ["grade", "key.md"], ["grade", "key.md", "key.md"]])
def test_standard_output_by_its_name_equals_the_dash(arguments, folder):
    exercise(level=1).key.save("key.md")
    environment = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
    said = [
        subprocess.run([sys.executable, "-m", "handgrad", *arguments, *typed], capture_output=True, check=True, env=environment)
        for typed in ([], ["-o", "-"], ["-o", "/dev/stdout"])
    ]
    assert said[0].stdout
    assert {answer.stdout for answer in said} == {said[0].stdout}


def test_class_set_is_thirty_sheets_and_keys_that_grade(folder, capsys):
    assert main(["exercise", "--count", "30", "--level", "1", "--seed", "100", "-o", "class", "--format", "markdown"]) == 0
    assert capsys.readouterr() == ("30 sheets in class/sheets, keys in class/keys\n", "")
    for kind in ("sheets", "keys"):
        assert sorted(os.listdir(folder / "class" / kind)) == [f"{number:02}.md" for number in range(1, 31)]
    assert (folder / "class/sheets/01.md").read_text(encoding="utf-8") == exercise(level=1, seed=100).sheet.markdown()
    assert main(["grade", "class/keys", "-o", "points.csv"]) == 0
    rows = list(csv.DictReader((folder / "points.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["points"] for row in rows] == ["13"] * 30
    assert main(["grade", "class/keys", "class/sheets/02.md"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 32
    assert re.fullmatch(r"01\.md +13/13 +Every number is right\.", lines[1])
    assert re.fullmatch(r"02\.md +0/13 +Nothing is filled in\.", lines[31])


def test_class_set_of_few_networks_is_as_many_as_there_are(monkeypatch):
    # Each set of numbers comes twice, and then all of them again.
    monkeypatch.setattr(class_set, "exercise", lambda seed, **options: exercise(seed=seed // 2 % 3, **options))
    assert [made.code for made in class_set.different(3, 0, level=1)] == [f"level=1 seed={seed}" for seed in range(3)]
    with pytest.raises(ValueError, match=r"^count must be at most 3, since no more exercises .*; got 4$"):
        class_set.different(4, 0, level=1)


def test_grade_of_one_file_is_printed_or_written_as_json(folder, capsys):
    made = exercise(seed=0)
    rows = [f"{blank.name},{made.shown(blank.answer)}" for blank in made.blanks]
    rows[7] = "dL_da2_1,-0.5"
    (folder / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    assert main(["grade", "a.csv", "--exercise", "seed=0 level=2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == "Exercise level=2 seed=0: 21 of 22 points"
    assert out.splitlines()[-1] == "The first slip is dL_da2_1 = -0.5, equation (4): as if the factor 2 were left out."
    assert main(["grade", "a.csv", "--exercise", "level=2 seed=0", "-o", "a.json"]) == 0
    assert json.loads((folder / "a.json").read_text(encoding="utf-8"))["points"] == 21
    assert main(["grade", "a.csv", "--exercise", "level=2 seed=0", "--language", "es"]) == 0
    assert "como si faltara el factor 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exercise", "--level", "9"], "level must be an integer from 1 to 4; got 9"),
        (["exercise", "--seed", "-1"], "seed must be an integer >= 0; got -1"),
        (["exercise", "--widths", "2,20,1"], "widths[1] must be an integer from 1 to 9; got 20"),
        (["exercise", "--activations", "relu"], "activations must have one entry for each of the L = 2 layers; got 1"),
        (["exercise", "--language", "xx"], "language must be one of en, es; got 'xx'"),
        (["exercise", "-o", "a.pdf"], "a sheet is written to a file that ends in .txt, .md, .tex, .html; got a.pdf"),
        (["exercise", "-o", "a.md", "--format", "html"], "a sheet is written to a file that ends in .html; got a.md"),
        (["exercise", "-o", "a.md", "--key", "a.pdf"], "a sheet is written to a file that ends in .txt, .md, .tex, .html; got"),
        (["exercise", "-o", "a.md", "--key", "a.md"], "sheet and key need two files; got a.md for both"),
        (["exercise", "-o", "a.md", "--key", "./a.md"], "sheet and key need two files; got ./a.md for both"),
        (["exercise", "-o", "nosuch/a.md"], "nosuch/a.md: No such file or directory"),
        (["exercise", "--count", "3"], "--count needs a folder to write 3 sheets to: --output FOLDER"),
        (["exercise", "--count", "3", "-o", ""], "--count needs a folder to write 3 sheets to: --output FOLDER"),
        (["exercise", "--count", "3", "-o", "c", "--key", "k"], "--count writes every key to the folder keys; --key is for"),
        (["exercise", "--count", "0", "-o", "c"], "count must be an integer from 1 to 999; got 0"),
        (["exercise", "--count", "2", "-o", "file.md"], "file.md/sheets: Not a directory"),
        (["grade", "nosuch.csv"], "nosuch.csv: No such file or directory"),
        (["grade", "file.md"], "file.md has no answers"),
        (["grade", "bare.csv"], "bare.csv does not say which exercise it is; name it, for example 'level=2 seed=7'"),
        (["grade", "bare.csv", "--exercise", "7"], "a part of the code must be one of level, seed, "),
        (["grade", "nosuch"], "nosuch: No such file or directory"),
        (["grade", "class", "-o", "a.json"], "the file's ending must be .csv; got '.json'"),
        (["grade", "bare.csv", "-o", "a.csv"], "the file's ending must be .json; got '.csv'"),
        (["exercise", "--count", "2", "-o", "class"], "class/sheets must be empty, or not there; it holds 01.md"),
        (["grade", "empty"], "empty must hold filled-in sheets, .csv or .md; there are none"),
        (["grade", "bare.csv", "-o", "nosuch/a.json"], "nosuch/a.json: No such file or directory"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_2(arguments, said, folder, capsys):
    (folder / "file.md").write_text("nothing", encoding="utf-8")
    (folder / "bare.csv").write_text("z1,0.5\n", encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "class" / "sheets").mkdir(parents=True)
    (folder / "class" / "sheets" / "01.md").write_text("old", encoding="utf-8")
    before = sorted(os.listdir(folder))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"python -m handgrad {arguments[0]}: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert sorted(os.listdir(folder)) == before


def test_folder_is_graded_as_far_as_it_goes(folder, capsys):
    (folder / "a.md").write_text("nothing", encoding="utf-8")
    (folder / "b.csv").write_text("z1,0.5\n", encoding="utf-8")
    exercise(level=1).key.save(folder / "c.md")
    assert main(["grade", "."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["–", "–", "13/13"]
    assert sum("not graded: " in line for line in lines) == 2
    assert lines[4:] == ["2 of 3 sheets are not graded."]


def test_interrupt_leaves_no_half_written_file(folder, monkeypatch, capsys):
    written = Sheet.markdown
    count = iter(range(100))

    def stopped(sheet):
        if next(count) == 3:
            raise KeyboardInterrupt
        return written(sheet)

    monkeypatch.setitem(class_set.FORMS, ".md", stopped)
    assert main(["exercise", "--count", "5", "-o", "class"]) == 130
    assert capsys.readouterr() == ("", "stopped\n")
    whole = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}
    assert whole == {"class/sheets/01.md", "class/keys/01.md", "class/sheets/02.md"}
    assert [path for path in folder.rglob("*") if path.name.startswith(".handgrad")] == []
