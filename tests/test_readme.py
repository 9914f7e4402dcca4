"""Every Python block of every README runs, and its sessions print what is shown."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import handgrad as hg
from handgrad import EQUATIONS, literal, network
from handgrad.fast import stages
from handgrad.homework import described
from verification.__main__ import main
from verification.mistakes import MISTAKES

HOUSE = Path(__file__).parent.parent
README = HOUSE / "README.md"
PAGES = [README, *sorted(HOUSE.glob("handgrad/**/README.md")), *sorted(HOUSE.glob("verification/**/README.md"))]
PAGES.append(HOUSE / "tests" / "README.md")
TEXTS = {str(page.relative_to(HOUSE)): page.read_text(encoding="utf-8") for page in PAGES}
BLOCKS = [
    (f"{name}-{number}", block)
    for name, text in TEXTS.items()
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
]


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_readme_block_is_true(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if ">>>" in block:
        test = doctest.DocTestParser().get_doctest(block, {}, "README.md", str(README), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        written = []
        runner.run(test, out=written.append)
        assert not runner.failures, "".join(written)
        return
    names = {}
    exec(block, names)
    for name, function in names.items():
        if name.startswith("test_"):
            function()


def test_readme_check_output_equals_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (homework,) = [block for _, block in BLOCKS if "def gradient(network, x, y):" in block and ">>>" not in block]
    Path("homework.py").write_text(homework, encoding="utf-8")
    assert main(["check", "homework.py"]) == 1
    shown = re.search(r"<!-- check homework.py -->\n```text\n(.*?)^```$", TEXTS["README.md"], re.MULTILINE | re.DOTALL)
    assert capsys.readouterr().out == shown[1]


def test_readme_number_of_mistakes_equals_the_catalogues():
    assert f"a catalogue of {len(MISTAKES)} wrong backpropagations" in " ".join(
        TEXTS["verification/checking/README.md"].split()
    )


def test_readme_picture_equals_what_is_drawn():
    net = hg.Network([hg.Dense([[1.0, -0.5], [0.5, 1.0]], [0.0, -1.0], "relu"), hg.Dense([[1.0, -2.0]], [0.5])])
    drawn = hg.worked(net, [1.0, 2.0], [0.0]).picture()
    (shown,) = re.findall(r"^!\[.*\]\((.*\.svg)\)$", TEXTS["README.md"], re.MULTILINE)
    assert (HOUSE / shown).read_text(encoding="utf-8") == drawn


def test_file_of_the_homework_page_is_one_that_is_read(tmp_path):
    (text,) = re.findall(r"^```toml\n(.*?)^```$", TEXTS["handgrad/README.md"], re.MULTILINE | re.DOTALL)
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    settings = described.read(tmp_path / "a.toml")
    net, (x, y) = described.network(settings), described.data(settings)
    # Mazur's total error, and his w5 after the step.
    assert round(net.loss(x, y) / 2, 9) == 0.298371109
    net.descend(net.gradient(x, y), settings["rate"])
    assert round(float(net.layers[1].w[0, 0]), 8) == 0.35891648


def test_readme_map_is_of_every_room():
    text = TEXTS["README.md"]
    house = text[text.index("## The house") : text.index("Imports point one way")]
    for package in ("handgrad", "verification"):
        for path in (HOUSE / package).iterdir():
            if path.suffix == ".py" and path.stem != "__init__":
                assert f" {path.stem} " in house, path
            elif path.is_dir() and (path / "__init__.py").exists():
                assert f" {path.name}/ " in house, path


def test_readme_table_of_equations_names_what_is_there():
    rows = re.findall(r"^\| (\([^|]*) \| [^|]* \| ([^|]*) \| ([^|]*) \|$", TEXTS["README.md"], re.MULTILINE)
    functions = {
        int(n): f for numbers, names, _ in rows for n, f in zip(re.findall(r"\d+", numbers), words(names), strict=True)
    }
    assert functions == {number: equation.function.__name__ for number, equation in EQUATIONS.items()}
    modules = [
        word.partition(".") for _, _, forms in rows for word in words(forms) if re.match(r"(activations|losses)\.", word)
    ]
    assert len(modules) == 5
    for module, _, name in modules:
        found = importlib.import_module(f"handgrad.{module}")
        assert name.partition("[")[0] in found.__all__
        assert hasattr(found, name.partition("[")[0])


def words(cell):
    return re.findall(r"`([^`]*)`", cell)


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        (literal._one_example, {4, 7, 8, 9, 10, 11, 12, 13, 14}),
        (literal._one_example_of_a_chain, {3, 4, 5, 6, 7, 8, 9, 10, 14}),
        (network, {8, 9, 11, 12, 13, 14}),
        (stages.Single, {7, 8, 9, 11, 12, 13, 14}),
        (stages.Stack, {7, 8, 9, 11, 12, 13, 14}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_code_is_labelled_with_the_equations_it_applies(code, numbers):
    comments = " ".join(re.findall(r"# (.*)$", inspect.getsource(code), re.MULTILINE))
    assert numbers <= {int(number) for number in re.findall(r"\((\d+)\)", comments)}


def test_readme_is_short():
    lines = TEXTS["README.md"].splitlines()
    assert len(lines) <= 200
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", TEXTS)
def test_readme_placeholders_is_none(name):
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b", re.sub(r"[A-Z]+_NUM_THREADS", "", TEXTS[name])) == []


def test_readme_blocks_is_not_empty():
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("page", PAGES, ids=TEXTS)
def test_readme_links_to_files_is_true(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
