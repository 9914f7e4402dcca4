"""The page of a worked solution in a browser: its numbers, the walk by keyboard, light and dark, narrow and wide."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from browsing import violations

import handgrad as hg
from handgrad.homework.worked import worked

MAZUR = hg.Network(
    [
        hg.Dense([[0.15, 0.2], [0.25, 0.3]], [0.35, 0.35], "sigmoid"),
        hg.Dense([[0.4, 0.45], [0.5, 0.55]], [0.6, 0.6], "sigmoid"),
    ],
    reduction="sum",
)
CLASSES = hg.Network.random([2, 3, 3], activations=["leaky_relu", "softmax"], loss="cross_entropy", seed=1)
CHAIN = hg.Network([hg.Dense([[2.0]], [-1.0], "sigmoid"), hg.Dense([[1.5]], [0.25], "tanh")])
SOLUTIONS = {
    "mazur": worked(MAZUR, [0.05, 0.1], [0.01, 0.99], rate=0.5),
    "classes": worked(CLASSES, np.random.default_rng(0).normal(size=(2, 2)), [0, 2], rate=0.1, language="es"),
    "chain": worked(CHAIN, [0.5], [1.0], digits=4),
    "part": worked(CLASSES, [0.25, -1.0], 1, layer=1, unit=2),
    "deep": worked(hg.Network.random([1, 7, 1, 1, 1], activations=["tanh"] * 4, seed=0), [0.5], [1.0], layer=1, unit=7),
}
SIZES = [390, 1280]


def steps(name):
    return [step for section in SOLUTIONS[name].solution.derivation.sections for step in section.steps]


# axe takes seconds for a long page: the short one is seen in every way.
@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [("chain", scheme, width) for scheme in ("light", "dark") for width in SIZES]
    + [("mazur", "light", 390), ("part", "dark", 1280)],
)
def test_page_is_for_everybody(name, scheme, width, opened):
    page = opened(SOLUTIONS[name], width, scheme)
    page.evaluate("go(Math.floor(steps.length / 2))")
    page.hover("#step-5 .number >> nth=0")
    assert violations(page) == []


def test_picture_of_a_deep_network_is_read_on_a_phone(opened):
    page = opened(SOLUTIONS["deep"], 390)
    height = page.evaluate("document.querySelector('[data-slot=w-1-1-1] text').getBoundingClientRect().height")
    assert height >= 13
    # What is computed is brought into sight, however wide and high the picture.
    for number, step in enumerate(steps("deep"), start=1):
        page.evaluate(f"go({number})")
        # A factor that the picture has no place for is seen by its unit.
        seen = page.locator(".lit-slot")
        if not seen.count():
            seen = page.locator(f"[data-part=unit-{step.quantity.layer}-{step.quantity.j}]")
        box, frame = seen.bounding_box(), page.locator("#picture").bounding_box()
        assert frame["x"] <= box["x"] + 1, step
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert frame["y"] <= box["y"] + 1
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("name", SOLUTIONS)
def test_page_is_no_wider_than_the_screen(name, width, opened):
    page = opened(SOLUTIONS[name], width)
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    page.evaluate("go(Math.floor(steps.length / 2))")
    assert not page.evaluate(wider)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_numbers_of_the_page_equals_those_of_the_text(name, opened):
    page = opened(SOLUTIONS[name])
    # What MathML shows, read back: a step's value is the last number of its formula.
    read = page.eval_on_selector_all(
        ".steps li", "all => all.map(step => step.querySelector('.piece:last-of-type').textContent.replace(/[=≈\\s]/g, ''))"
    )
    plain = SOLUTIONS[name].text()
    values = []
    for paragraph in plain.split("\n\n")[2:]:
        for block in re.split(r"\n(?=  \S)", paragraph)[1:]:
            joined = " ".join(block.split())
            values += re.findall(r"[=≈] (\S+)(?: \([^=≈]*)?$", joined)
    powers = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789−")
    assert read == [value.translate(powers) for value in values]
    assert len(read) == len(steps(name))


@pytest.mark.parametrize("name", SOLUTIONS)
def test_walk_by_keyboard_is_through_every_step(name, opened):
    page = opened(SOLUTIONS[name])
    count = len(steps(name))
    assert page.inner_text("#where") in ("The whole network", "La red completa")
    # All that is seen of a step in one question: each costs a layout of the page.
    seen = """number => [
        document.querySelector('#where').innerText,
        document.querySelector('#panel .formula').textContent,
        document.querySelector(`#step-${number} .formula`).textContent,
        [...document.querySelectorAll('#panel a')].map(a => a.textContent),
        [...document.querySelectorAll('.lit')].map(part => part.dataset.part),
    ]"""
    for number, step in enumerate(steps(name), start=1):
        page.keyboard.press("ArrowRight")
        where, shown, listed, links, lit = page.evaluate(seen, number)
        assert re.findall(r"\d+", where) == [str(number), str(count)]
        assert shown == listed
        assert links == [f"({n})" for n in step.equations]
        assert set(lit) == expected_parts(name, step)
    page.keyboard.press("ArrowRight")
    assert page.input_value("#at") == str(count)
    page.keyboard.press("Home")
    assert page.input_value("#at") == "0"
    assert page.locator(".lit").count() == 0
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.input_value("#at") == str(count - 1)


def expected_parts(name, step):
    """Return which units and edges are at work in a step, by the numbers in its formula."""
    widths = SOLUTIONS[name].solution.net.widths
    quantity = step.quantity
    layer, j, k = quantity.layer, quantity.j or 1, quantity.k or 1
    of_layer = lambda number: range(1, widths[number] + 1)  # noqa: E731
    if quantity.kind == "L":
        return {f"unit-{len(widths) - 1}-{i}" for i in of_layer(len(widths) - 1)}
    parts = {f"unit-{layer}-{j}"}
    if quantity.kind == "z":
        parts |= {f"edge-{layer}-{j}-{i}" for i in of_layer(layer - 1)} | {f"unit-{layer - 1}-{i}" for i in of_layer(layer - 1)}
    if quantity.kind in ("dz_dw", "dL_dw", "w_new"):
        parts |= {f"edge-{layer}-{j}-{k}", f"unit-{layer - 1}-{k}"}
    if quantity.kind == "a" and SOLUTIONS[name].solution.net.layers[layer - 1].activation.name == "softmax":
        parts |= {f"unit-{layer}-{i}" for i in of_layer(layer)}
    if quantity.kind == "dL_da" and layer < len(widths) - 1:
        parts |= {f"edge-{layer + 1}-{i}-{j}" for i in of_layer(layer + 1)} | {
            f"unit-{layer + 1}-{i}" for i in of_layer(layer + 1)
        }
    return parts


def test_picture_shows_what_is_known_so_far(opened):
    page = opened(SOLUTIONS["mazur"])
    visible = "all => all.filter(slot => slot.getAttribute('visibility') !== 'hidden').map(slot => slot.dataset.slot)"
    everything = page.eval_on_selector_all("[data-slot]:not(li)", visible)
    assert {"z-1-1", "a-2-2", "dL_da-1-2", "dL_dw-1-1-2", "dL_db-2-1", "w-2-1-2", "y-2", "a-0-1", "dL_da-0-1"} <= set(
        everything
    )
    page.keyboard.press("ArrowRight")
    known = page.eval_on_selector_all("[data-slot]:not(li)", visible)
    assert "z-1-1" in known
    assert not {"z-1-2", "a-1-1", "dL_dw-1-1-1"} & set(known)
    assert {"w-1-1-1", "b-2-1", "a-0-1", "y-1"} <= set(known)
    page.keyboard.press("End")
    assert page.text_content("[data-slot=w-1-1-1]") == "w 0.1496"
    assert page.get_attribute("[data-slot=w-1-1-1]", "data-said").startswith("w₁₁⁽¹⁾ = 0.149561")


def test_picture_of_a_batch_shows_the_example_at_work(opened):
    page = opened(SOLUTIONS["classes"])
    first = page.text_content("[data-slot=a-0-1]")
    second = next(number for number, step in enumerate(steps("classes"), start=1) if step.quantity.example == 2)
    page.evaluate(f"go({second})")
    x = np.random.default_rng(0).normal(size=(2, 2))
    assert first.split() == ["0.1257"]
    assert page.text_content(".example") == "Ejemplo 2"
    assert float(page.text_content("[data-slot=a-0-1]").replace("−", "-")) == pytest.approx(x[1, 0], rel=1e-3)
    # What is said of a number is of the same example, and of the whole picture's again at its start.
    assert page.get_attribute("[data-slot=a-0-1]", "data-said") == f"x₁ = {page.text_content('[data-slot=a-0-1]').strip()}"
    page.evaluate("go(0)")
    assert page.get_attribute("[data-slot=a-0-1]", "data-said") == f"x₁ = {first.strip()}"
    page.evaluate(f"go({second})")
    assert page.text_content("[data-slot=y-3]") == "y 1"
    page.keyboard.press("End")
    assert page.text_content(".example") == ""
    assert page.get_attribute("[data-slot=a-0-1]", "visibility") == "hidden"
    page.keyboard.press("Home")
    assert page.text_content(".example") == "Ejemplo 1"
    assert page.get_attribute("[data-slot=a-0-1]", "visibility") is None


def test_number_that_is_pointed_at_shows_its_derivation(opened):
    page = opened(SOLUTIONS["mazur"])
    # a of the first hidden unit, in the formula of the second layer's z.
    page.hover("#step-5 [data-step='3'] >> nth=0")
    assert page.is_visible("#tip")
    assert page.text_content("#tip .formula") == page.text_content("#step-3 .formula")
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")
    page.hover("#step-1 [data-said] >> nth=0")
    assert page.inner_text("#tip") == "b₁⁽¹⁾ = 0.35 is given."
    page.focus("[data-slot=z-1-2]")
    assert page.text_content("#tip .formula") == page.text_content("#step-2 .formula")


def test_number_that_is_clicked_leads_the_walk_there(opened):
    page = opened(SOLUTIONS["mazur"])
    page.click("[data-slot=a-1-2]")
    assert page.input_value("#at") == "4"
    assert page.evaluate("scrollY") == 0
    assert "#step" not in page.url
    assert page.text_content("#panel .formula") == page.text_content("#step-4 .formula")
    page.focus("[data-slot=z-1-2]")
    page.keyboard.press("Enter")
    assert page.input_value("#at") == "2"


def test_number_that_is_pointed_at_lights_what_made_it(opened):
    page = opened(SOLUTIONS["mazur"])
    page.hover("[data-slot=z-2-1]")
    hinted = "all => all.map(part => part.dataset.part)"
    wanted = {"unit-2-1", "unit-1-1", "unit-1-2", "edge-2-1-1", "edge-2-1-2"}
    assert set(page.eval_on_selector_all(".hint", hinted)) == wanted
    # They are to be seen: what is said of them stands below the picture.
    bottom = page.evaluate("picture.getBoundingClientRect().bottom")
    assert page.evaluate("tip.getBoundingClientRect().top") >= bottom - 1
    page.hover("h1")
    assert page.locator(".hint").count() == 0
    assert not page.is_visible("#tip")


def test_picture_of_a_part_shows_what_it_uses(opened):
    page = opened(SOLUTIONS["part"])
    # dL/dz of the layer after, which the part does not derive, is there without a link.
    slot = page.locator("[data-slot=dL_dz-2-3]")
    assert slot.evaluate("slot => slot.tagName") == "g"
    assert float(slot.text_content().split()[-1].replace("−", "-")) != 0


def test_tip_is_reached_by_the_pointer(opened):
    page, number = opened(SOLUTIONS["mazur"]), "#step-5 [data-step='3'] >> nth=0"
    page.hover(number)
    x, y = (page.evaluate(f"tip.getBoundingClientRect().{side}") for side in ("x", "bottom"))
    start = page.locator(number).bounding_box()
    x = max(x + 20, start["x"] + start["width"] / 2)
    for down in range(int(start["y"] + start["height"] / 2), int(y) - 6, -1):
        page.mouse.move(x, down)
    assert page.is_visible("#tip")
    page.hover("#tip a")
    assert page.is_visible("#tip")


def test_number_that_is_tapped_shows_its_derivation(browser, tmp_path):
    SOLUTIONS["mazur"].save(tmp_path / "a.html")
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    page.tap("#step-5 [data-step='3'] >> nth=0")
    assert page.is_visible("#tip")
    box = page.locator("#tip").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    context.close()


def test_number_outside_the_part_is_not_called_given(opened):
    page = opened(SOLUTIONS["part"])
    said = page.eval_on_selector_all(".number[data-said]", "all => all.map(number => number.dataset.said)")
    assert "x₁ = 0.25 is given." in said
    assert any(re.fullmatch(r"dL/dz₁⁽²⁾ = \S+ is computed in a part that is not shown\.", sentence) for sentence in said)
    assert not any(re.match(r"dL|da", sentence) and sentence.endswith("is given.") for sentence in said)


def test_formula_that_is_scrolled_keeps_its_arrows(opened):
    page = opened(SOLUTIONS["mazur"], 390)
    page.set_viewport_size({"width": 120, "height": 800})
    page.evaluate("reachable(document)")
    page.focus(".steps .piece[tabindex] >> nth=0")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#at") == "0"


def test_notebook_frame_stays_on_the_page(browser, tmp_path):
    (tmp_path / "a.html").write_text(f"<title>notebook</title>{SOLUTIONS['mazur']._repr_html_()}", encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    frame = page.frames[1]
    for link in ("[data-slot=z-1-1]", "#step-9 .behind a"):
        frame.click(link)
        page.wait_for_timeout(200)
        assert page.frames[1].url == "about:srcdoc"
        assert frame.evaluate("document.title") == "Backpropagation, worked out"
    assert frame.evaluate("scrollY") > 0
    page.close()


def test_formula_is_a_stop_of_tab_only_while_it_is_cut(opened):
    page = opened(SOLUTIONS["classes"], 390)
    pieces = "[...document.querySelectorAll('.steps .piece')]"
    settled = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    stops = []
    for width in (320, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(settled)
        cut = page.evaluate(f"{pieces}.filter(piece => piece.scrollWidth > piece.clientWidth + 1).length")
        stops.append(page.evaluate(f"{pieces}.filter(piece => piece.tabIndex === 0).length"))
        assert stops[-1] == cut
    assert stops[0] > stops[1] == 0


def test_slider_walks_too(opened):
    page = opened(SOLUTIONS["chain"])
    page.focus("#at")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#at") == "2"
    assert page.get_attribute("#at", "aria-valuetext") == "Step 2 of 18"
    page.click("#on")
    page.click("#on")
    page.click("#back")
    assert page.input_value("#at") == "3"


def test_page_without_script_is_whole(browser, tmp_path):
    SOLUTIONS["mazur"].save(tmp_path / "a.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    assert not page.is_visible("#at")
    assert page.is_visible("#step-55")
    assert page.text_content("[data-slot=z-1-1]") == "z 0.3775"
    context.close()


def test_printed_page_is_of_the_solution_alone(opened):
    page = opened(SOLUTIONS["mazur"])
    page.keyboard.press("ArrowRight")
    page.emulate_media(media="print")
    assert not page.is_visible("#at")
    assert page.is_visible("#step-55")
    # Printed is the whole network; then the walk is where it was.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.input_value("#at") == "0"
    assert page.locator(".lit").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.input_value("#at") == "1"


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action", "data")]


@pytest.mark.parametrize("name", SOLUTIONS)
def test_picture_of_its_own_promises_no_links(name):
    page, file = (SOLUTIONS[name].html(), SOLUTIONS[name].picture())
    promised = re.compile(r'aria-label="(Network|Red) [^"]*(leads to its derivation|lleva a su derivación)')
    assert promised.search(page)
    assert not promised.search(file)
    assert "<a " not in file


@pytest.mark.parametrize("name", SOLUTIONS)
def test_page_asks_for_nothing_from_elsewhere(name):
    text = SOLUTIONS[name].html()
    tags = Tags()
    tags.feed(text)
    assert tags.addresses
    assert all(address.startswith("#") for address in tags.addresses)
    assert "default-src &#39;none&#39;" in text
    assert not re.search(r"url\(|@import", text)
    # Every address in the page is there.
    ids = set(re.findall(r'id="([^"]+)"', text))
    assert {address[1:] for address in tags.addresses} <= ids
