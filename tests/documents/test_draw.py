"""What is drawn can be read in the PDF; what cannot be drawn is told plainly."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from babel.numbers import format_currency
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from runtime.documents.draw import draw
from runtime.documents.figures import figures
from runtime.documents.model import design_of
from runtime.documents.problems import DocumentProblem
from runtime.documents.ready import NAMES, ready
from runtime.documents.said import _SAID, said
from runtime.documents.type import clean
from tests.product import ROOT


def made(*blocks: dict[str, Any], **more: Any) -> Any:
    return design_of({"version": 1, "title": "Test", "blocks": list(blocks), **more})


def pages(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def table(**more: Any) -> dict[str, Any]:
    columns = [
        {"title": "Name", "value": "{{ item.name }}"},
        {"title": "Sum", "value": "{{ item.sum }}", "format": "money", "total": True},
    ]
    return {"kind": "table", "rows": "{{ data.rows }}", "columns": columns, **more}


@pytest.mark.parametrize("name", NAMES)
def test_a_ready_design_shows_its_sample(name: str) -> None:
    found = ready(name)
    (text,) = pages(draw(found.design, found.sample))
    assert found.name in text
    assert str(found.sample["number"]) in text
    assert "1 / 1" in text


def test_larger_letters_make_everything_larger() -> None:
    blocks = [
        {"kind": "title", "text": "Head"},
        {"kind": "text", "text": "Words"},
        {"kind": "notes", "text": "Small"},
        table(),
    ]
    heights = []
    for size in (9.5, 13):
        drawn = pypdfium2.PdfDocument(draw(made(*blocks, page={"size": size}), {"rows": [{"name": "x", "sum": 1}]}))
        text = drawn[0].get_textpage()
        boxes = [
            text.get_charbox(text.search(word).get_next()[0]) for word in ("Head", "Words", "Small", "Name", "Total")
        ]
        heights.append([top - bottom for _left, bottom, _right, top in boxes])
    assert [round(large / usual, 1) for usual, large in zip(*heights, strict=True)] == [1.4] * 5


@pytest.mark.parametrize(
    ("blocks", "page", "block", "field", "told"),
    [
        ([{"kind": "space", "height": 900}], {}, 0, "height", "is at most 200."),
        ([{"kind": "table", "rows": "", "columns": [{"title": "a"}]}], {}, 0, "columns.0.value", "needs a value."),
        ([{"kind": "title", "text": "", "align": "up"}], {}, 0, "align", "is one of 'left', 'centre' or 'right'."),
        ([{"kind": "title", "text": "", "colour": "red"}], {}, 0, "colour", "is not known here: remove it."),
        ([], {"text": "red"}, None, "page.text", "is a colour such as #1f5f8b."),
        ([], {"size": 3}, None, "page.size", "is at least 7."),
    ],
)
def test_what_does_not_fit_is_told_in_plain_words_with_its_place(
    blocks: list[dict[str, Any]], page: dict[str, Any], block: int | None, field: str, told: str
) -> None:
    with pytest.raises(DocumentProblem) as refused:
        made(*blocks, page=page)
    assert (refused.value.block, refused.value.field) == (block, field)
    assert refused.value.message.endswith(told)


def test_another_process_draws_the_same_bytes() -> None:
    found = ready("invoice")
    here = hashlib.sha256(draw(found.design, found.sample)).hexdigest()
    code = (
        "import hashlib; from runtime.documents.ready import ready; from runtime.documents.draw import draw;"
        "r = ready('invoice'); draw(ready('statement').design, ready('statement').sample);"
        "print(hashlib.sha256(draw(r.design, r.sample)).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert there.stdout.strip() == here


def test_a_long_table_has_its_head_on_each_page_and_carries_its_sums() -> None:
    rows = [{"name": f"Row {place}", "sum": 1} for place in range(120)]
    told = pages(draw(made(table()), {"rows": rows}))
    assert len(told) > 2
    for number, text in enumerate(told, 1):
        assert "Name" in text
        assert f"{number} / {len(told)}" in text
        assert text.count("Carried forward") == (number < len(told))
        assert text.count("Brought forward") == (number > 1)
    assert "€120.00" in told[-1]
    assert re.findall(r"Row (\d+)", "".join(told)) == [str(place) for place in range(120)]


def test_a_table_says_its_sums_in_the_language_of_the_page_unless_it_has_words_of_its_own() -> None:
    rows = [{"name": f"Row {place}", "sum": 1} for place in range(80)]
    first, last = pages(draw(made(table(), page={"language": "el"}), {"rows": rows}))
    assert "Σε μεταφορά" in first
    assert "Από μεταφορά" in last
    assert "Σύνολο" in last
    own = table(total_label="Everything", carried_label="Goes on")
    first, last = pages(draw(made(own, page={"language": "de_AT"}), {"rows": rows}))
    assert ("Goes on" in first, "Goes on" in last, "Everything" in last) == (True, True, True)
    (text,) = pages(draw(made(table(group="{{ item.name }}"), page={"language": "fr"}), {"rows": rows[:1]}))
    assert "Sous-total Row 0" in text


@pytest.mark.parametrize("language", sorted(_SAID))
def test_the_fonts_have_every_letter_of_what_tables_say(language: str) -> None:
    for words in said(language):
        assert clean(words) == words


def test_sums_stand_where_the_group_changes() -> None:
    rows = [{"name": "a", "sum": 1}, {"name": "a", "sum": 2}, {"name": "b", "sum": 4}]
    (text,) = pages(draw(made(table(group="{{ item.name }}")), {"rows": rows}))
    assert "Subtotal a" in text
    assert "€3.00" in text
    assert "€7.00" in text


def test_a_cell_that_is_longer_than_a_page_goes_on() -> None:
    told = pages(draw(made(table()), {"rows": [{"name": "word " * 3000, "sum": 1}]}))
    assert sum(text.count("word") for text in told) == 3000
    assert all("Name" in text for text in told)


def test_what_was_summed_before_a_long_cell_is_carried_over_each_of_its_pages() -> None:
    rows = [{"name": "first", "sum": 5}, {"name": "word " * 3000, "sum": 1}]
    told = pages(draw(made(table()), {"rows": rows}))
    assert len(told) > 3
    for number, text in enumerate(told, 1):
        assert "Name" in text
        assert text.count("Carried forward") == (number < len(told))
        assert text.count("Brought forward") == (number > 1)
    assert "€6.00" in told[-1]


def test_an_amount_is_never_written_on_two_lines() -> None:
    narrow = [{"title": "Text", "value": "x", "width": 9}, *table()["columns"]]
    rows = [{"name": "a", "sum": 1}, {"name": "b", "sum": 98_765_432}]
    (text,) = pages(draw(made(table(columns=narrow)), {"rows": rows}))
    assert "€98,765,432.00" in text
    assert "€98,765,433.00" in text
    with pytest.raises(DocumentProblem, match=r"“€987,654,321,012,345\.00” is too wide for its column"):
        draw(made(table(columns=narrow)), {"rows": [{"name": "a", "sum": 987_654_321_012_345}]})


def test_titles_that_leave_no_room_for_rows_are_refused() -> None:
    columns = [{"title": "word " * 2000, "value": "x"}]
    with pytest.raises(DocumentProblem, match="leave no room for its rows"):
        draw(made(table(columns=columns)), {"rows": [{}]})


def test_a_block_is_left_out_where_its_formula_gives_no() -> None:
    block = {"kind": "text", "text": "Overdue", "show_if": "{{ data.late }}"}
    assert "Overdue" in pages(draw(made(block), {"late": True}))[0]
    assert "Overdue" not in pages(draw(made(block), {"late": False}))[0]


def test_a_picture_is_drawn() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (40, 20), (200, 0, 0, 255)).save(out, "PNG")
    pdf = draw(made({"kind": "logo", "image": "logo"}), {}, {"logo": out.getvalue()})
    shown = pypdfium2.PdfDocument(pdf)[0].render().to_pil().convert("RGB")
    assert (200, 0, 0) in {colour for _count, colour in shown.getcolors(1 << 20)}


def picture(wide: int, high: int, mode: str = "RGBA") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (wide, high), 200).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "block", [{"kind": "logo", "image": "x", "height": 80}, {"kind": "qr", "text": "x", "size": 80}]
)
def test_a_picture_stays_within_the_margins_of_a_low_page(block: dict[str, Any]) -> None:
    low = {"paper": "A5", "orientation": "landscape", "top": 45, "bottom": 45, "left": 60, "right": 60}
    pdf = draw(made(block, page=low), {}, {"x": picture(40, 200, "L")})
    shown = pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil().convert("L").point(lambda grey: 255 * (grey < 250))
    dark = shown.getbbox()
    assert dark is not None
    assert dark[1] >= 45 * 72 / 25.4 * 2 - 1


def test_a_picture_that_stands_in_many_places_is_unpacked_once_and_all_pictures_share_one_limit() -> None:
    logo = {"kind": "logo", "image": "x", "height": 5}
    assert pages(draw(made(*[logo] * 60), {}, {"x": picture(1900, 2000, "L")}))
    with pytest.raises(DocumentProblem, match="at most 4,000,000 pixels in all, and 200,000 are left") as caught:
        draw(made(logo, {**logo, "image": "y"}), {}, {"x": picture(1900, 2000, "L"), "y": picture(500, 500, "L")})
    assert caught.value.block == 1


def test_nobody_is_said_to_be_the_author() -> None:
    assert b"anonymous" not in draw(made(), {})


@pytest.mark.parametrize(
    "text", ["שלום", "مرحبا", "😀", "漢字", "\x00\x07", "\u202eabc", "<b>&amp;</b>", "(\\)", "e\u0301"]
)
def test_any_letter_is_drawn_or_replaced(text: str) -> None:
    (told,) = pages(draw(made({"kind": "text", "text": "{{ data.it }}"}), {"it": f"before {text} behind"}))
    assert "before" in told
    assert "behind" in told


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(0, 12))
@example("W" * 300, 3)
def test_any_text_gives_a_pdf_that_opens(text: str, count: int) -> None:
    design = made({"kind": "title", "text": "{{ data.it }}"}, table(), header="{{ data.it }}", footer="{{ data.it }}")
    data = {"it": text, "rows": [{"name": text, "sum": place} for place in range(count)]}
    pdf = draw(design, data)
    assert pdf == draw(design, data)
    assert pages(pdf)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("language", ["en", "de", "fr", "pl", "cs", "el", "hi", "pt_BR", "de_CH", "ru", "ja"])
@given(cents=st.integers(-(10**12), 10**12))
def test_amounts_are_written_as_cldr_says(language: str, cents: int) -> None:
    amount = Decimal(cents) / 100
    for currency in ("EUR", "CHF"):
        wanted = format_currency(amount, currency, locale=language)
        assert figures(language, currency, 2, "medium").money(amount) == wanted


@pytest.mark.parametrize(
    ("block", "data", "code", "words"),
    [
        ({"kind": "text", "text": "{{ data.no }}"}, {}, "formula", "no"),
        (table(), {"rows": 3}, "data", "list"),
        (table(), {"rows": [{"name": "a", "sum": "much"}]}, "data", "“much” is not a number"),
        (table(), {"rows": [{"name": "a", "sum": 1}] * 5001}, "limit", "5,000 rows"),
        (table(), {"rows": [{"name": "a" * 20_001, "sum": 1}]}, "limit", "20,000 characters"),
        ({"kind": "logo", "image": "x"}, {}, "image", "no picture “x”"),
        ({"kind": "qr", "text": "a" * 4000}, {}, "limit", "too long for a QR code"),
    ],
)
def test_what_stands_in_the_way_is_told(block: dict[str, Any], data: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(DocumentProblem) as caught:
        draw(made({"kind": "space"}, block), data)
    assert (caught.value.code, caught.value.block) == (code, 1)
    assert words in caught.value.message


def test_a_picture_that_is_too_large_or_broken_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (3000, 3000)).save(out, "PNG")
    for data, words in ((out.getvalue(), "4,000,000 pixels"), (b"no picture", "PNG or JPEG")):
        with pytest.raises(DocumentProblem, match=words):
            draw(made({"kind": "logo", "image": "x"}), {}, {"x": data})


def test_a_design_with_an_unknown_field_names_it() -> None:
    with pytest.raises(DocumentProblem) as caught:
        made({"kind": "space", "hight": 3})
    assert "hight" in caught.value.message
    assert caught.value.block == 0


def test_more_pages_than_allowed_are_refused() -> None:
    with pytest.raises(DocumentProblem, match="at most 300 pages"):
        draw(made(*[{"kind": "text", "text": "a\n" * 9000}] * 3), {})
