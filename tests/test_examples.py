"""The worked examples: every printed number recomputed by handgrad and by torch, and every erratum explained."""

import math
import re
import tomllib
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch

import handgrad
from handgrad.__main__ import main
from handgrad.homework import described
from handgrad.homework.examples import EXAMPLES, OWN, Erratum, Example, example, verdict
from handgrad.homework.examples.quantities import equation, finder
from verification.mistakes import MISTAKES, in_state
from verification.submissions.description import describe

PUBLISHED = [name for name in EXAMPLES if name not in OWN]
FOLDER = Path(handgrad.__file__).parent / "homework" / "examples"
ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softmax": lambda z: torch.softmax(z, 0),
}
LOSSES = {
    "squared_error": lambda a, y: (a - y) ** 2,
    "cross_entropy": lambda a, y: -torch.log(a[int(y)]),
    "binary_cross_entropy": lambda a, y: -torch.log(a * y + (1 - a) * (1 - y)),
}


# The oracle: torch on plain tensors, and its own reading of names and of digits.


def with_torch(settings, parameters, scale):
    """Return every number of one forward and backward pass as {"z1": tensor, …}."""
    found = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in parameters.items()}
    loss = settings.get("loss", "squared_error")
    found["a0"] = torch.tensor(settings["x"], dtype=torch.float64, requires_grad=True)
    for number, layer in enumerate(settings["layers"], start=1):
        z = found[f"w{number}"] @ found[f"a{number - 1}"] + found[f"b{number}"]
        a = ACTIVATIONS[layer.get("activation", "identity")](z)
        slope = torch.autograd.grad(a.sum(), z, retain_graph=True)[0]
        found |= {f"z{number}": z, f"a{number}": a, f"da_dz{number}": slope}
    shares = scale * LOSSES[loss](a, torch.tensor(settings["y"], dtype=torch.float64))
    found |= {"loss": shares.sum(), "share": shares}
    names = [name for name in found if re.fullmatch(r"[wbza]\d", name)]
    derivatives = torch.autograd.grad(found["loss"], [found[name] for name in names])
    found |= {f"dL_d{name}": value for name, value in zip(names, derivatives, strict=True)}
    return {name: value.detach() for name, value in found.items()} | {"dL_dx": found["dL_da0"]}


def parameters_of(settings):
    numbered = list(enumerate(settings["layers"], start=1))
    return {f"{key}{number}": np.array(layer[key], float) for number, layer in numbered for key in "wb"}


def stepped(one, parameters, derivatives):
    """Return the parameters after the publication's step, with derivatives of the publication's loss."""
    moves = {name: one.settings["rate"] * derivatives[name] * (name not in one.fixed) for name in parameters}
    return {name: value - moves[name] for name, value in parameters.items()}


def named(found, name):
    sign, name = (-1, name[1:]) if name.startswith("-") else (1, name)
    array, _, place = name.partition("[")
    number = found["share" if name.startswith("loss[") else array]
    for index in place.rstrip("]").split(",") if place else []:
        number = number[int(index) - 1]
    return sign * float(number)


def number_of(one, quantity, derivatives=None):
    """Return a quantity by torch; after the step by other derivatives, {"w1": array, …}, if they are given."""
    parameters = parameters_of(one.settings)
    before = with_torch(one.settings, parameters, one.scale)
    if "step" not in quantity and "change" not in quantity:
        return named(before, quantity)
    own = {name: before[f"dL_d{name}"].numpy() for name in parameters}
    after = with_torch(one.settings, stepped(one, parameters, derivatives or own), one.scale)
    if "change of " in quantity:
        name = quantity.replace("change of ", "")
        return named(after, name) - named(before, name)
    return named(after, quantity.removesuffix(" after the step"))


def same_digits(published, number, exact=False):
    """Say whether a number is printed so: rounded or cut, or exactly so."""
    if exact:
        return math.isclose(float(published), number, rel_tol=1e-14, abs_tol=1e-15)
    mantissa, _, power = published.partition("e")
    places = len(mantissa.partition(".")[2]) - int(power or 0)
    shifted = number * 10**places
    wanted = round(float(published) * 10**places)
    return abs(shifted - wanted) <= 0.5 + 1e-6 or math.trunc(shifted) == wanted


# Numbers.


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_matches_torch_and_what_is_printed(name):
    one = example(name)
    wrong = [quantity for erratum in one.errata for quantity in erratum.quantities]
    rows = one.checked()
    assert [(row.quantity, row.published) for row in rows] == list(one.expected)
    for row in rows:
        number = number_of(one, row.quantity)
        assert row.computed == pytest.approx(number, rel=1e-12, abs=1e-15)
        assert same_digits(row.published, number, one.exact) == (row.quantity not in wrong), row
        assert row.verdict == ("erratum" if row.quantity in wrong else "cut" if row.quantity in one.cut else "agrees")


def test_table_1_of_the_notes_is_cut_and_not_rounded():
    verdicts = {row.quantity: row.verdict for row in example("table-1").checked()}
    assert verdicts == {"loss[1]": "cut", "loss[2]": "agrees", "loss": "cut"}
    assert [row.published for row in example("table-1").checked()] == ["0.039", "0.040", "0.079"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_number_that_is_changed_is_noticed(name):
    one = example(name)
    wrong = {quantity for erratum in one.errata for quantity in erratum.quantities}
    for place, (quantity, published) in enumerate(one.expected):
        if quantity in wrong:
            continue
        unit = Decimal((0, (1,), Decimal(published).as_tuple().exponent))
        for change in (-unit, unit):
            changed = list(one.expected)
            changed[place] = (quantity, str(Decimal(published) + change))
            row = replace(one, expected=tuple(changed)).checked()[place]
            assert row.verdict == "differs", row


@pytest.mark.parametrize("name", [name for name in EXAMPLES if example(name).errata])
def test_erratum_of_a_right_number_is_noticed(name):
    one = example(name)
    right = tuple((row.quantity, repr(row.computed)) for row in one.checked())
    wrong = {quantity for erratum in one.errata for quantity in erratum.quantities}
    for row in replace(one, expected=right, cut=()).checked():
        assert row.verdict == ("differs" if row.quantity in wrong else "agrees")


def test_cut_of_a_rounded_number_is_noticed():
    one = replace(example("table-1"), cut=("loss[1]", "loss[2]", "loss"))
    assert [row.verdict for row in one.checked()] == ["cut", "differs", "cut"]
    assert [row.verdict for row in replace(one, cut=()).checked()] == ["differs", "agrees", "differs"]


@pytest.mark.parametrize(
    ("published", "computed", "exact", "expected"),
    [
        ("0.13", 0.125, False, "agrees"),
        ("0.12", 0.125, False, "agrees"),  # a half is rounded either way
        ("0.12", 0.1251, False, "cut"),
        ("0.12", 0.1299999, False, "cut"),
        ("0.12", 0.13, False, "differs"),
        ("0.12", 0.1149, False, "differs"),
        ("-0.12", -0.1299, False, "cut"),
        ("-0.12", -0.1149, False, "differs"),
        ("-0.12", 0.125, False, "differs"),
        ("0.00", -0.004, False, "agrees"),
        ("0.00", 0.009, False, "cut"),
        ("12", 12.4, False, "agrees"),
        ("1.2e-3", 0.00124, False, "agrees"),
        ("1.2e-3", 0.00131, False, "differs"),
        ("0.1", 0.1 + 1e-16, True, "agrees"),
        ("0.1", 0.1 + 1e-12, True, "differs"),
        ("-0.1", -0.14, True, "differs"),
    ],
)
def test_verdict_of_a_print_equals_what_its_digits_say(published, computed, exact, expected):
    assert verdict(published, computed, exact=exact) == expected


# Errata.

ERRATA = [(name, erratum) for name in EXAMPLES for erratum in example(name).errata]


def found_by(mistake, net, x, y):
    """Return the derivatives that a mistake of the catalogue finds."""
    submission = next(entry.submission for entry in MISTAKES if entry.name == mistake)
    if not isinstance(submission, type):
        return submission(describe(net), x, y)
    wrong = submission(describe(net))
    wrong.forward(x)
    return wrong.backward(y)


@pytest.mark.parametrize(("name", "erratum"), ERRATA, ids=[f"{name}-{erratum.quantities[0]}" for name, erratum in ERRATA])
def test_erratum_matches_what_its_mistake_or_working_gives(name, erratum, monkeypatch):
    one = example(name)
    published = dict(one.expected)
    assert erratum.mistake or erratum.working
    for quantity in erratum.quantities:
        if erratum.working:
            number = eval(erratum.working, {"__builtins__": {}, "ln": math.log, "exp": math.exp})
            assert same_digits(published[quantity], number)
        elif erratum.mistake:
            # The catalogue's entry takes a step of its own; here it takes the publication's.
            monkeypatch.setattr(in_state, "STEP", one.scale * one.settings["rate"])
            x, y = one.data()
            gradient = found_by(erratum.mistake, one.network(), x, y)
            derivatives = {key: one.scale * gradient[key] for key in parameters_of(one.settings)}
            assert same_digits(published[quantity], number_of(one, quantity, derivatives))


def test_error_of_macleod_is_nearer_to_the_mistakes_number(monkeypatch):
    """Its factors are rounded, too, so the mistake alone does not give its last digit."""
    one = example("macleod")
    monkeypatch.setattr(in_state, "STEP", one.scale * one.settings["rate"])
    wrong = found_by("step-inside-backward", one.network(), *one.data())
    printed = float(dict(one.expected)["-dL_dz1[1]"])
    mistaken, right = -one.scale * wrong["b1"][0], number_of(one, "-dL_dz1[1]")
    assert abs(printed - mistaken) < 0.02 * abs(printed - right)


# Files.


def test_sources_of_published_examples_are_at_least_eight():
    assert len({example(name).source for name in PUBLISHED}) == len(PUBLISHED) >= 8
    assert len({example(name).author for name in PUBLISHED}) == len(PUBLISHED)


def test_own_examples_is_the_figures_and_the_table():
    assert OWN == ("figure-7", "figure-11", "figure-12", "table-1")
    widths = [example(name).network().widths for name in OWN]
    assert widths == [(1, 1, 1, 1), (3, 1), (3, 2), (2, 2)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_file_is_of_known_keys_and_said_once(name):
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert set(table) <= {field.name for field in fields(Example)} - {"name"}
    assert set(table["settings"]) <= set(described.KEYS) - {"widths", "activations", "seed", "dtype"}
    for layer in table["settings"]["layers"]:
        assert set(layer) <= set(described.LAYER_KEYS)
    for erratum in table.get("errata", []):
        assert set(erratum) <= {field.name for field in fields(Erratum)}
    one = example(name)
    quantities = [quantity for quantity, _ in one.expected]
    wrong = [quantity for erratum in one.errata for quantity in erratum.quantities]
    assert len(set(quantities)) == len(quantities)
    assert len(set(wrong)) == len(wrong)
    assert set(wrong) <= set(quantities)
    assert set(one.cut) <= set(quantities) - set(wrong)
    assert set(one.fixed) <= set(one.network().named())
    assert "\n" not in one.note + "".join(erratum.text for erratum in one.errata)


def test_mistakes_of_errata_are_in_the_catalogue():
    assert {erratum.mistake for _, erratum in ERRATA} - {""} <= {mistake.name for mistake in MISTAKES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_network_of_an_example_is_a_new_one_each_time(name):
    one = example(name)
    net = one.network()
    for array in net.named().values():
        array += 1
    assert {row.verdict for row in one.checked()} <= {"agrees", "cut", "erratum"}
    assert all((old != new).all() for old, new in zip(one.network().named().values(), net.named().values(), strict=True))


@pytest.mark.parametrize(("name", "error"), [("mazr", ValueError), ("", ValueError), (7, TypeError), (None, TypeError)])
def test_example_of_no_such_name_raises_a_sentence(name, error):
    with pytest.raises(error, match=r"an example must be one of figure-7, figure-11, .*; got"):
        example(name)


@pytest.mark.parametrize(
    "quantity", ["", "z", "z3[1]", "w9[1,1]", "loss[1] of", "change of", "dL_dz2[1]]", "z1[1", "z1[a]", "z1[1] after the step"]
)
def test_quantity_that_is_none_raises_a_sentence(quantity):
    settings = {name: value for name, value in example("mazur").settings.items() if name != "rate"}
    with pytest.raises(ValueError, match="a quantity must be one of"):
        finder(settings, 1.0, ())(quantity)


@pytest.mark.parametrize(
    ("quantity", "loss", "expected"),
    [
        ("z2[1]", "squared_error", 8),
        ("a1[1] after the step", "squared_error", 9),
        ("loss", "squared_error", 10),
        ("loss[2]", "squared_error", 10),
        ("loss", "cross_entropy", 2),
        ("loss", "binary_cross_entropy", 1),
        ("dL_da2[1]", "squared_error", 4),
        ("-dL_da1[1]", "squared_error", 14),
        ("dL_dx[1]", "squared_error", 14),
        ("da_dz1[1]", "squared_error", 12),
        ("dL_dw1[1,2]", "squared_error", 11),
        ("dL_db1[1]", "squared_error", 7),
        ("dL_dz1[1]", "squared_error", None),
        ("change of w1[1,1]", "squared_error", None),
        ("b1[1]", "squared_error", None),
    ],
)
def test_equation_of_a_quantity_equals_the_notes_number(quantity, loss, expected):
    assert equation(quantity, 2, loss) == expected


# The command.


def test_command_shows_a_line_for_each(capsys):
    assert main(["examples"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["example", "network", "source", "numbers", "errata"]
    assert [line.split()[0] for line in lines] == list(EXAMPLES)
    assert lines[0].split("  ")[-1].strip() == "none"
    for line, name in zip(lines, EXAMPLES, strict=True):
        one = example(name)
        wrong = sum(len(erratum.quantities) for erratum in one.errata)
        assert one.author in line
        assert f"  {len(one.expected) - wrong} of {len(one.expected)} agree  " in line
        assert line.endswith(f"  {wrong or 'none'}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_command_shows_every_number_of_one(name, capsys):
    assert main(["examples", name]) == 0
    out = capsys.readouterr().out
    one = example(name)
    for text in (one.title, one.author, one.source, *filter(None, (part for part in (one.note, *texts(one))))):
        assert " ".join(text.split()) in " ".join(out.split())
    for row in one.checked():
        (line,) = [line for line in out.splitlines() if line.startswith(f"{row.quantity}  ")]
        _, published, computed, said, *number = re.split(r"\s{2,}", line)
        assert (published, said) == (row.published, row.verdict)
        assert float(computed) == pytest.approx(row.computed, rel=1e-4)
        assert number == ([] if row.equation is None else [f"({row.equation})"])
    assert max(map(len, out.splitlines())) <= 128
    assert out.endswith(f"--output {name}.toml, then\npython -m handgrad worked {name}.toml\n")


def texts(one):
    return [text for erratum in one.errata for text in (erratum.text, erratum.working, erratum.mistake)]


def test_command_shows_what_is_cut_in_full(capsys):
    assert main(["examples", "table-1"]) == 0
    assert "loss[1]   0.039      0.03999999999999998  cut     (10)\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", EXAMPLES)
def test_written_file_equals_the_example(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["examples", name, "--output", "a.toml"]) == 0
    assert capsys.readouterr() == ("", "")
    one, settings = example(name), described.read("a.toml")
    net, written = one.network(), described.network(settings)
    assert repr(written) == repr(net)
    for mine, its in zip(net.named().values(), written.named().values(), strict=True):
        assert np.array_equal(mine, its)
    for mine, its in zip(one.data(), described.data(settings), strict=True):
        assert np.array_equal(mine, its)
    assert settings.get("rate") == (one.settings["rate"] * one.scale if "rate" in one.settings else None)
    head = Path("a.toml").read_text(encoding="utf-8")
    assert one.source in head
    assert ("0.5 times" in head) == (one.scale != 1)
    assert all(parameter in head for parameter in one.fixed)
    # The hint is true.
    assert main(["worked", "a.toml"]) == 0
    assert capsys.readouterr().out.startswith("Backprop")


def test_step_of_the_written_file_matches_the_publications(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["examples", "han", "-o", "han.toml"])
    settings = described.read("han.toml")
    net = described.network(settings)
    net.descend(net.gradient(*described.data(settings)), settings["rate"])
    assert net.layers[1].w.round(3).tolist() == [[-0.261, -0.138]]


def test_file_on_standard_output_stands_alone(capsys):
    assert main(["examples", "rai", "-o", "-"]) == 0
    assert capsys.readouterr().out == example("rai").file()


def test_command_of_a_number_that_differs_is_exit_2(monkeypatch, capsys):
    one = example("rai")
    monkeypatch.setattr("handgrad.homework.examples.example", lambda name: replace(one, errata=()))
    assert main(["examples", "rai"]) == 2
    out, err = capsys.readouterr()
    assert "differs" in out
    assert err == "python -m handgrad examples: every number of an example must agree, or be an erratum; not so in rai\n"
