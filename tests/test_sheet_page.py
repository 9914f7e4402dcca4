"""A sheet in a browser: filled in, saved as CSV and graded; light and dark, narrow and wide, on paper."""

import pytest
from browsing import violations

from handgrad.homework.exercises.exercise import exercise
from handgrad.homework.grading.answers import read
from handgrad.homework.grading.grade import grade


@pytest.mark.parametrize("level", [2, 3])
def test_page_that_is_filled_in_equals_the_key(level, opened, tmp_path):
    made = exercise(level=level, seed=4)
    page = opened(made.sheet)
    page.get_by_label("Name:").fill('Ana "A", Núñez')
    for blank in made.blanks:
        page.locator(f'input[data-name="{blank.name}"]').fill(made.shown(blank.answer).replace("-", "−"))
    with page.expect_download() as download:
        page.get_by_role("button").click()
    download.value.save_as(tmp_path / "answers.csv")
    assert download.value.suggested_filename == "answers-ana-a-núñez.csv"
    assert read(tmp_path / "answers.csv").student == 'Ana "A", Núñez'
    assert grade(tmp_path / "answers.csv", made).ok


@pytest.mark.parametrize(
    ("level", "kind", "language", "width", "scheme"),
    [
        (1, "sheet", "en", 390, "light"),
        (1, "sheet", "en", 1280, "dark"),
        (4, "sheet", "es", 390, "dark"),
        (3, "key", "en", 1280, "light"),
    ],
)
def test_page_is_accessible(level, kind, language, width, scheme, opened):
    page = opened(getattr(exercise(level=level, seed=4, language=language), kind), width, scheme)
    assert violations(page) == []
    # Only tables and long formulas scroll, each by itself.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_page_warns_who_would_lose_what_is_filled_in(opened):
    page, asked = opened(exercise(level=1, seed=4).sheet), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == []
    page.locator("input[data-name]").first.fill("1")
    page.reload()
    assert asked == ["beforeunload"]
    page.locator("input[data-name]").first.fill("1")
    with page.expect_download() as download:
        page.get_by_role("button").click()
    assert download.value.suggested_filename == "answers.csv"
    page.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("level", "width"), [(1, 390), (2, 390), (4, 390), (2, 1280)])
def test_formulas_of_a_page_is_seen_whole(level, width, opened):
    page = opened(exercise(level=level, seed=4).sheet, width)
    wide = "[...document.querySelectorAll('.blanks .piece, .values')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
    assert page.evaluate(wide) == 0
    assert page.evaluate("[...document.querySelectorAll('.values')].filter(t => t.offsetWidth > innerWidth).length") == 0


def test_page_on_paper_is_without_its_button(opened):
    page = opened(exercise(level=2, seed=4).sheet)
    page.emulate_media(media="print")
    assert not page.get_by_role("button").is_visible()
    assert page.locator("input[data-name]").first.is_visible()


def test_inputs_of_a_page_is_named_for_who_hears_it(opened):
    page = opened(exercise(level=2, seed=4).sheet)
    assert page.get_by_label("dL/dw₂₁⁽¹⁾", exact=True).last.get_attribute("data-name") == "dL_dw1_21"
