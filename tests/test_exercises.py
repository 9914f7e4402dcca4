"""Exercises: the same seed, numbers for paper, the right key, and the sheet in every form."""

import re
import subprocess
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from programs import found

import handgrad as hg
from handgrad.homework.exercises import class_set
from handgrad.homework.exercises.exercise import exercise, from_code
from handgrad.homework.exercises.levels import LEVELS
from handgrad.homework.exercises.paper import right_numbers
from handgrad.homework.exercises.values import tables

KINDS = {
    "chain": {"level": 1},
    "relu": {"level": 2},
    "sigmoid": {"level": 3},
    "softmax": {"level": 4},
    "tanh": {"level": 3, "widths": [2, 3, 2], "activations": ["tanh", "tanh"]},
    "prelu": {"level": 2, "widths": [3, 2, 2], "activations": ["prelu", "leaky_relu"]},
    "yes or no": {"level": 3, "widths": [2, 2, 2], "loss": "binary_cross_entropy"},
    "hidden softmax": {"level": 2, "activations": ["softmax", "identity"]},
    "deep": {"level": 1, "widths": [1, 1, 1, 1]},
}
PARAMETRIZED = pytest.mark.parametrize("kind", KINDS)


def answers(made):
    """Return the right answers by name, as floats."""
    return {blank.name: float(blank.answer) for blank in made.blanks}


@PARAMETRIZED
def test_key_matches_the_literal_form_and_the_trace(kind):
    for seed in range(5):
        made = exercise(seed=seed, **KINDS[kind])
        net, numbers = made.net, answers(made)
        g, t = hg.literal.gradient(net, made.x, made.y), net.trace(made.x, made.y)
        chain = "z1" in numbers
        expected = {"L": g.loss}
        for layer in range(1, len(net.layers) + 1):
            for name in ("z", "a", "dL_da", "dL_dz", "da_dz"):
                array = getattr(t[layer], name)
                if array is not None:
                    expected |= named(f"{name}{layer}", array, chain)
            expected |= named(f"dL_dw{layer}", g[layer].w, chain) | named(f"dL_db{layer}", g[layer].b, chain)
            if g[layer].alpha is not None:
                expected |= named(f"dL_dalpha{layer}", g[layer].alpha, chain)
        assert set(numbers) <= set(expected)
        assert {name for name in expected if re.match(r"z|a\d|L|dL_dw|dL_db|dL_dalpha", name)} <= set(numbers)
        np.testing.assert_allclose([numbers[name] for name in numbers], [expected[name] for name in numbers], 1e-12, 1e-14)


def named(start, array, chain):
    array = np.asarray(array)
    if chain:
        return {start: float(array.item())}
    if not array.ndim:
        return {start: float(array)}
    return {f"{start}_{''.join(str(i + 1) for i in place)}": float(value) for place, value in np.ndenumerate(array)}


@PARAMETRIZED
def test_same_seed_equals_the_same_sheet(kind):
    first, again = (exercise(seed=3, **KINDS[kind]) for _ in range(2))
    assert first.sheet.markdown() == again.sheet.markdown()
    assert first.key.markdown() == again.key.markdown()
    assert from_code(first.code).key.markdown() == first.key.markdown()
    assert exercise(seed=4, **KINDS[kind]).sheet.markdown() != first.sheet.markdown()


def test_numbers_of_a_seed_equals_those_on_every_machine():
    made = exercise(seed=7)
    assert made.code == "level=2 seed=7"
    assert {name: array.tolist() for name, array in made.net.named().items()} == {
        "w1": [[-1.0, -1.5], [1.0, 1.0]],
        "b1": [-1.0, -0.5],
        "w2": [[-1.0, -1.5]],
        "b2": [0.5],
    }
    assert (made.x, made.y) == ([2.0, 1.5], [2.0])
    assert list(answers(made).items())[:7] == [
        ("z1_1", -5.25), ("z1_2", 3.0), ("a1_1", 0.0), ("a1_2", 3.0), ("z2_1", -4.0), ("a2_1", -4.0), ("L", 36.0),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["chain", "relu", "prelu", "deep"])
def test_exact_numbers_is_short(kind):
    for seed in range(20):
        made = exercise(seed=seed, **KINDS[kind])
        assert made.is_exact
        for blank in made.blanks:
            assert abs(blank.answer) <= 60
            shown = made.shown(blank.answer)
            assert Decimal(shown) == blank.answer
            assert "E" not in shown
            assert Fraction(shown) * 10**4 % 1 == 0


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "tanh", "yes or no", "hidden softmax"])
def test_table_holds_whatever_is_looked_up(kind):
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "exp": np.exp,
        "exp_minus": lambda z: np.exp(-z),
        "log": lambda p: -np.log(p),
    }
    for seed in range(20):
        made = exercise(seed=seed, **KINDS[kind])
        assert "1.0" not in dict(next((table.rows for table in tables(made) if table.function == "log"), ()))
        found = {table.function: dict(table.rows) for table in tables(made)}
        for function, rows in found.items():
            for row, values in rows.items():
                for hundredth, value in enumerate(values):
                    argument = float(row) + hundredth / 100
                    if value:
                        assert abs(float(value) - functions[function](argument)) <= 0.5000001e-4
                    else:
                        assert (function, argument) == ("log", 0)
        for function, argument in looked_up(made):
            rounded = f"{argument:.2f}"
            assert rounded[:-1] in found[function], (function, argument)


def looked_up(made):
    trace = made.net.trace(made.x, made.y)
    for layer, each in zip(made.net.layers, trace, strict=True):
        name = layer.activation.name
        if name in ("sigmoid", "tanh"):
            yield from ((name, abs(z)) for z in each.z)
        if name == "softmax":
            yield from (("exp" if z > 0 else "exp_minus", abs(z)) for z in each.z)
    if made.net.loss_name == "cross_entropy":
        yield "log", trace[len(trace)].a[made.y]
    if made.net.loss_name == "binary_cross_entropy":
        for a, y in zip(trace[len(trace)].a, made.y, strict=True):
            yield "log", a if y else 1 - a


@PARAMETRIZED
def test_numbers_is_such_that_a_slip_shows(kind):
    for seed in range(25):
        made = exercise(seed=seed, **KINDS[kind])
        net, trace = made.net, made.net.trace(made.x, made.y)
        g = hg.literal.gradient(net, made.x, made.y)
        for number, (layer, each) in enumerate(zip(net.layers, trace, strict=True), start=1):
            assert np.all(each.z != 0)
            if layer.activation.name == "relu":
                assert 2 * (each.z > 0).sum() >= len(each.z)
            assert np.any(g[number].w != 0)
            if len(layer.w) > 1 and layer.w.shape[0] == layer.w.shape[1]:
                assert np.any(layer.w != layer.w.T)
            if not made.is_exact:
                assert np.abs(each.z).max() <= 2.5
        outputs = net(made.x)
        if net.loss_name == "squared_error":
            assert np.all(outputs != np.array(made.y))
        else:
            assert outputs.min() > 0.05
            assert outputs.max() < 0.95


@pytest.mark.parametrize(("level", "widths"), [(3, [2, 2, 1]), (4, [2, 2, 3]), (4, [3, 4, 3]), (3, [2, 2, 2, 1])])
def test_doubt_of_a_rounded_number_is_small(level, widths):
    for seed in range(30):
        made = exercise(level=level, widths=widths, seed=seed)
        right = right_numbers(made.net, made.trace, made.targets, made.unit)
        for blank in made.blanks:
            low, high = right[blank.step.quantity].low, right[blank.step.quantity].high
            assert low <= blank.answer <= high
            if blank.answer and abs(blank.answer) > made.unit:
                assert high - low <= Decimal("0.7") * abs(blank.answer)


def test_doubt_of_a_sum_equals_a_unit_of_each_term():
    made = exercise(level=4, seed=0)
    right = right_numbers(made.net, made.trace, made.targets, made.unit)
    for blank in made.blanks:
        if blank.name.startswith("z2_"):
            found = right[blank.step.quantity]
            # z_k and a_k are written to a unit of their last place, but a dead unit's a_k is 0; w and b are given.
            units = [2 if z > 0 else 1 for z in made.trace[1].z]
            row = made.net.layers[1].w[int(blank.name[-1]) - 1].tolist()
            doubt = sum(made.unit * each * abs(Decimal(repr(w))) for each, w in zip(units, row, strict=True))
            assert (found.high - found.low) / 2 == doubt


def test_sheet_of_exact_numbers_is_without_tables():
    assert tables(exercise(level=2)) == []


@PARAMETRIZED
def test_forms_is_the_same_blanks(kind):
    made = exercise(seed=1, **KINDS[kind])
    names = [blank.name for blank in made.blanks]
    shown = [made.shown(blank.answer) for blank in made.blanks]
    assert re.findall(r"^\| `(\w+)` \| \$.*\$ \| [()\d]* \| ______ \|$", made.sheet.markdown(), re.MULTILINE) == names
    rows = re.findall(r"^\| `(\w+)` \| \$.*\$ \| [()\d]* \| (-?[\d.]+) \|$", made.key.markdown(), re.MULTILINE)
    assert rows == list(zip(names, shown, strict=True))
    assert re.findall(r"^  (\w+) +\S.* = ______(?:   [()\d]+)?$", made.sheet.text(), re.MULTILINE) == names
    assert re.findall(r"^  (\w+) +\S.* = (-?[\d.]+)(?:   [()\d]+)?$", made.key.text(), re.MULTILINE) == rows
    assert re.findall(r'<input data-name="(\w+)"', made.sheet.html()) == names
    answered = re.findall(r'class="answer">([^<]*)<', made.key.html())
    assert [text.replace("−", "-") for text in answered] == shown
    assert "<input" not in made.key.html()
    assert made.sheet.latex().count(r"\rule[-1pt]{3cm}") == len(names)
    assert re.findall(r"\{\$(-?[\d.]+)\$\}$", made.key.latex(), re.MULTILINE) == shown
    # What is kept is marked in a solution alone.
    assert "[" not in "".join(re.findall(r"^  \w+ +(\S.*) = ______", made.sheet.text(), re.MULTILINE))
    # No answer stands on a sheet, whichever form; what is given does.
    for form in ("markdown", "latex", "html", "text"):
        text = getattr(made.sheet, form)()
        assert made.code.split()[0] in text
        for number in (number for number in shown if len(number) > 6):
            assert number not in text.replace("−", "-"), (form, number)


@pytest.mark.parametrize("level", LEVELS)
def test_formulas_is_on_the_sheets_of_the_first_levels(level):
    made = exercise(level=level, seed=2)
    assert ("g(z₁⁽¹⁾)" in made.sheet.text() or "g(z⁽¹⁾)" in made.sheet.text()) == (level <= 2)
    # The notes have no formula of p − y.
    assert ("dL/dz₁⁽²⁾ = a₁⁽²⁾ − y₁ = ______" in made.sheet.text()) == (level == 4)


@PARAMETRIZED
def test_rules_of_a_sheet_is_of_its_activations(kind):
    made = exercise(seed=2, **KINDS[kind])
    names = {layer.activation.name for layer in made.net.layers}
    said = {"identity": "g(z) = z, ", "sigmoid": "1/(1 + e", "tanh": "tanh: g", "relu": "\n  ReLU: g(z) = max(0, z)"}
    said |= {"leaky_relu": "otherwise 0.01.", "prelu": "otherwise α", "softmax": "softmax: a_j"}
    rules = made.sheet.text().partition("\nThe activations")[2].partition("\n\n")[0]
    assert {name for name, words in said.items() if words in rules} == names
    # (12) as it is printed is the sigmoid's.
    equations = made.sheet.markdown().partition("## The equations")[2]
    assert ("- (12)" in equations) == ("sigmoid" in names)
    assert "- (8)" in equations


def test_equations_of_a_blank_is_with_that_of_its_first_factor():
    shown = {
        level: re.findall(r"^\| `(dL_d[wb][^`]*)` .*\| ([()0-9]+) \| ", exercise(level=level).sheet.markdown(), re.MULTILINE)
        for level in (1, 2)
    }
    assert shown[1] == [("dL_dw2", "(3)(6)"), ("dL_db2", "(3)(7)"), ("dL_dw1", "(3)(6)"), ("dL_db1", "(3)(7)")]
    assert shown[2][:3] == [("dL_dw2_11", "(11)(13)"), ("dL_dw2_12", "(11)(13)"), ("dL_db2_1", "(11)(7)")]


def test_sheet_in_spanish_is_in_spanish():
    text = str(exercise(level=3, language="es").sheet)
    assert "Rellena todos los huecos" in text
    assert "Hacia atrás, capa 1" in text
    assert "la sigmoide" in text


@pytest.mark.parametrize(("level", "language"), [(1, "en"), (2, "en"), (3, "es"), (4, "es")])
@pytest.mark.parametrize("kind", ["sheet", "key"])
def test_sheet_is_compiled_by_pdflatex(level, language, kind, tmp_path):
    pdflatex = found("pdflatex")
    getattr(exercise(level=level, seed=5, language=language), kind).save(tmp_path / "a.tex")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout[-2000:]
    assert "Overfull" not in answer.stdout
    pages = re.search(r"\((\d+) pages?,", answer.stdout)
    assert int(pages[1]) <= (3 if level == 4 else 2)


def test_saved_sheet_equals_the_form_of_its_ending(tmp_path):
    made = exercise(seed=2)
    for ending, form in ((".txt", "text"), (".md", "markdown"), (".tex", "latex"), (".html", "html")):
        for sheet in (made.sheet, made.key):
            sheet.save(tmp_path / f"a{ending}")
            assert (tmp_path / f"a{ending}").read_text(encoding="utf-8") == getattr(sheet, form)()
    with pytest.raises(ValueError, match=r"^the file's ending must be one of \.txt, \.md, \.tex, \.html; got '\.pdf'$"):
        made.sheet.save(tmp_path / "a.pdf")
    assert made.sheet._repr_markdown_() == made.sheet.markdown()
    assert repr(made.key) == "Sheet(key of 'level=2 seed=2'; print it, or save it as .txt, .md, .tex or .html)"


def test_worked_solution_of_an_exercise_is_of_its_network():
    made = exercise(seed=2, language="es")
    text = made.worked(rate=0.5).text()
    assert "Retropropagación, paso a paso" in text
    assert "tasa de aprendizaje 0.5" in text


def test_class_set_is_of_different_sheets(tmp_path):
    made = class_set.different(30, 0, level=1)
    shown = {re.sub(r"seed=\d+", "", one.sheet.markdown()) for one in made}
    assert len(shown) == 30
    written = class_set.write(made[:3], tmp_path / "class", ".md")
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        f"class/{kind}/{number:02}.md" for number in (1, 2, 3) for kind in ("sheets", "keys")
    ]
    assert (tmp_path / "class/keys/03.md").read_text(encoding="utf-8") == made[2].key.markdown()
    assert (tmp_path / "class/sheets/03.md").read_text(encoding="utf-8") == made[2].sheet.markdown()


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"level": 5}, ValueError, "level must be an integer from 1 to 4; got 5"),
        ({"level": "2"}, TypeError, "level must be an integer from 1 to 4; got '2'"),
        ({"seed": -1}, ValueError, "seed must be an integer >= 0; got -1"),
        ({"seed": 0.5}, TypeError, "seed must be an integer >= 0; got 0.5"),
        ({"language": "fr"}, ValueError, "language must be one of en, es; got 'fr'"),
        ({"widths": 3}, TypeError, "widths must be a sequence of integers n_0, ..., n_L; got 3"),
        ({"widths": [2]}, ValueError, "widths of an exercise must name 1 to 6 layers after the inputs; got [2]"),
        ({"widths": [1] * 9}, ValueError, f"widths of an exercise must name 1 to 6 layers after the inputs; got {[1] * 9}"),
        ({"widths": [2, 12, 1]}, ValueError, "widths[1] must be an integer from 1 to 9; got 12"),
        ({"widths": [9, 9, 9]}, ValueError, "widths must leave at most 120 blanks on the sheet; 9-9-9 has at least 234"),
        ({"widths": [6, 7, 4]}, ValueError, "widths must leave at most 120 blanks on the sheet; 6-7-4 has at least 126"),
        ({"activations": 5}, TypeError, "activations must be a sequence, one for each layer; got 5"),
        ({"activations": "relu"}, TypeError, "activations must be a sequence, one for each layer; got 'relu'"),
        ({"random_state": 1}, TypeError, "exercise has no argument random_state: the word for it is seed"),
        ({"widths": [2, 1], "level": 4}, ValueError, "softmax needs n_l >= 2 units; layer 1 has n_1 = 1"),
        ({"activations": ["relu"]}, ValueError, "activations must have one entry for each of the L = 2 layers; got 1"),
        ({"activations": ["relu", "swish"]}, ValueError, "activation must be one of identity, "),
        ({"loss": "cross"}, ValueError, "loss must be one of "),
        ({"activations": ["relu", "relu"], "loss": "cross_entropy"}, ValueError, "cross_entropy needs probabilities"),
        (
            {"widths": [1, 1, 1, 1, 1, 1, 1], "activations": ["sigmoid"] * 6},
            ValueError,
            "widths and activations must have numbers that suit paper; none were found for 1-1-1-1-1-1-1: take fewer",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_exercise_of_bad_input_raises(arguments, error, sentence):
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        exercise(**arguments)


@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [
        (7, TypeError, "code must be a text like 'level=2 seed=7'; got int"),
        ("", ValueError, "code must be like 'level=2 seed=7'; got ''"),
        ("level=2", ValueError, "code must be like 'level=2 seed=7'; got 'level=2'"),
        ("level=two seed=7", ValueError, "code must be like 'level=2 seed=7'; got 'level=two seed=7'"),
        ("level=2 sed=7", ValueError, "a part of the code must be one of level, seed, widths, activations, loss; got 'sed'"),
    ],
)
def test_exercise_of_a_bad_code_raises(code, error, sentence):
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        from_code(code)


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (1000, 0), (2, -1)])
def test_class_set_of_bad_input_raises(count, seed):
    with pytest.raises(ValueError, match=r"^(count|seed) must be an integer"):
        class_set.different(count, seed)


def test_answer_as_asked_is_rounded_half_away_from_zero():
    made = exercise(level=3)
    assert made.shown(Decimal("0.12345")) == "0.1235"
    assert made.shown(Decimal("-0.00005")) == "-0.0001"
    assert made.shown(Decimal("1.9")) == "1.9"
    assert made.shown(Decimal("20")) == "20"
    assert made.shown(Decimal("-0.00001")) == "0.0000"
    # What slips lead to.
    assert [made.shown(Decimal(number)) for number in ("inf", "-inf", "nan", "-1e1998")] == ["∞", "-∞", "NaN", "-1.000E+1998"]
