"""HTML and data become a PDF: data stays data, nothing is fetched, and what takes too much is ended."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from runtime.documents.model import MOST_PAGES
from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing
from runtime.documents.templates import checked
from runtime.engine.jsonprofile import dumps
from tests.documents.extra import needs_html
from tests.documents.test_draw import pages, picture
from tests.product import ROOT

pytestmark = needs_html
PAGED = '<style>@page{size:A5;@bottom-right{content:"Page " counter(page) " of " counter(pages)}}</style>'
TABLE = (
    '<table><thead><tr><th>Name<th>Amount</thead><tr data-each="{{ data.rows }}"><td>{{ index + 1 }} {{ item.name }}'
    '<td data-format="money">{{ item.amount }}</table>'
)


@pytest.fixture(scope="module")
def drawing() -> Iterator[Drawing]:
    made = Drawing(1)
    yield made
    made.close()


def told(template: str, language: str = "en", currency: str = "EUR") -> bytes:
    return dumps({"template": template, "language": language, "currency": currency}).encode()


def draw(
    drawing: Drawing, template: str, data: Any = None, images: dict[str, bytes] | None = None, **more: str
) -> bytes:
    return drawing.draw_now(told(template, **more), dumps(data or {}).encode(), images, by="html").data


def words(pdf: bytes) -> str:
    return " ".join("\n".join(pages(pdf)).split())


def test_data_never_becomes_markup(drawing: Drawing) -> None:
    data = {"name": '<b>Ann</b> & "Söhne" {{ 1 + 1 }}', "style": "a:b"}
    found = words(draw(drawing, '<p title="{{ data.name }}">{{ data.name }}</p>', data))
    assert found == '<b>Ann</b> & "Söhne" {{ 1 + 1 }}'


def test_markup_of_a_trusted_value_is_closed_where_it_stands(drawing: Drawing) -> None:
    note = '<b>Bold</b></div></body><script>no()</script><i data-each="x">{{ data.note }}'
    assert words(draw(drawing, '<div data-html="{{ data.note }}"></div><p>After', {"note": note})) == (
        "Bold{{ data.note }} After"
    )


def test_a_list_is_repeated_and_amounts_are_written_as_the_language_does(drawing: Drawing) -> None:
    rows = [{"name": "Papier", "amount": 1234.5}, {"name": "Tinte", "amount": -2}]
    assert "1 Papier 1.234,50 € 2 Tinte -2,00 €" in words(draw(drawing, TABLE, {"rows": rows}, language="de"))


def test_signs_of_markup_may_stand_in_formulas(drawing: Drawing) -> None:
    template = '<p data-if="{{ data.n < 3 and data.name != "<b>" }}">few<p data-if="{{ data.n >= 3 }}">many'
    assert words(draw(drawing, template, {"n": 2, "name": "x"})) == "few"
    assert words(draw(drawing, template, {"n": 3, "name": "x"})) == "many"


def test_heads_are_repeated_on_each_page_and_pages_are_counted(drawing: Drawing) -> None:
    rows = [{"name": f"Žluťoučký {place} ελληνικά", "amount": place} for place in range(60)]
    found = pages(draw(drawing, PAGED + TABLE, {"rows": rows}))
    assert len(found) > 2
    for number, text in enumerate(found, 1):
        assert "Amount" in text
        assert f"Page {number} of {len(found)}" in text
    assert "Žluťoučký 59 ελληνικά" in found[-1]


def test_the_same_template_and_data_give_the_same_bytes_in_any_process() -> None:
    made = []
    for _ in range(2):
        drawing = Drawing(1)
        try:
            made.append(draw(drawing, PAGED + TABLE, {"rows": [{"name": "Ž", "amount": 1}]}))
        finally:
            drawing.close()
    assert made[0] == made[1]


def test_its_letters_are_ours_whatever_the_machine_has(drawing: Drawing) -> None:
    pdf = pypdfium2.PdfDocument(draw(drawing, '<p style="font-family: Arial, serif">Words <b>and bold'))
    names = {found.get_font().get_base_name() for found in pdf[0].get_objects() if hasattr(found, "get_font")}
    assert {name.split("+")[-1] for name in names} == {"Noto-Sans", "Noto-Sans-Bold"}


# --- nothing is fetched -------------------------------------------------------------------------------------------


class _Noting(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Noting) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


WAYS = [
    '<img src="{}">', '<link rel=stylesheet href="{}">', '<style>@import "{}";</style>',
    '<img srcset="{} 2x" src="{}">',
    '<link rel=attachment href="{}">', '<a rel=attachment href="{}">x</a>', '<p style="background: url({})">x',
    '<style>@font-face{{font-family:f;src:url({})}} p{{font-family:f}}</style><p>x', '<p style="content: url({})">x',
    '<style>p::before{{content:url({})}}</style><p>x', '<ul style="list-style-image: url({})"><li>x</ul>',
    '<svg width=9 height=9><image href="{}" width=9 height=9 /></svg>', '<video poster="{}" src="{}">x</video>',
    '<svg width=9 height=9><use href="{}#a" /></svg>', '<div data-html="{{{{ data.note }}}}"></div>',
    '<base href="{}"><img src="x.png">', '<object data="{}">x</object>', '<embed src="{}">',
    '<iframe src="{}"></iframe>',
]  # fmt: skip


def drawn_or_told(drawing: Drawing, template: str, data: Any) -> str:
    """The words of the document, or why there is none."""
    try:
        return words(draw(drawing, template, data))
    except DocumentProblem as problem:
        return problem.message


@pytest.mark.parametrize("way", WAYS)
def test_no_address_is_asked_and_no_file_is_read(
    drawing: Drawing, server: HTTPServer, tmp_path: Path, way: str
) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text y='9'>the secret</text></svg>")
    for address in (f"http://127.0.0.1:{server.server_port}/x.png", secret.as_uri(), str(secret)):
        template = way.replace("{}", address).format() if "{}" in way else way.format()
        said = drawn_or_told(drawing, template, {"note": f'<img src="{address}">'})
        assert "is not fetched" in said or "secret" not in said
    assert _Noting.asked == []


def test_the_process_itself_speaks_to_no_network_and_starts_no_other(server: HTTPServer) -> None:
    tries = (
        f"socket.create_connection(('127.0.0.1', {server.server_port}))",
        "socket.getaddrinfo('example.org', 80)", "subprocess.run(['true'])", "os.system('true')", "os.fork()",
    )  # fmt: skip
    code = "import os, socket, subprocess\nfrom runtime.documents.html import close_the_network\nclose_the_network()\n"
    for one in tries:
        code += f"try:\n    {one}\nexcept PermissionError as error:\n    print(error)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("does not do this") == len(tries), done.stdout + done.stderr


def test_links_lead_to_the_web_or_to_mail_and_nowhere_else(drawing: Drawing) -> None:
    links = "".join(f'<a href="{one}">x</a>' for one in ("javascript:alert(1)", "file:///etc/passwd", "{{ data.it }}"))
    unsafe = draw(drawing, links, {"it": " JavaScript:alert(1)"})
    safe = draw(drawing, '<a href="https://example.org/{{ data.it }}">x</a>', {"it": "ok"})
    link = pypdfium2.raw.FPDFLink_Enumerate
    for pdf, there in ((unsafe, False), (safe, True)):
        document = pypdfium2.PdfDocument(pdf)
        found = pypdfium2.raw.FPDF_LINK()
        assert bool(link(document[0].raw, pypdfium2.raw.c_int(0), found)) is there


def test_pictures_that_the_template_names_are_shown(drawing: Drawing) -> None:
    name = "0199a7f0-0000-7000-8000-0000000000f1"
    template = f'<img src="picture:{name}"><img src="data:image/png;base64,{{{{ data.it }}}}">'
    made = draw(drawing, template, {"it": base64.b64encode(picture(9, 9)).decode()}, {name: picture(40, 20)})
    shown = [one for one in pypdfium2.PdfDocument(made)[0].get_objects() if isinstance(one, pypdfium2.PdfImage)]
    assert sorted(one.get_px_size() for one in shown) == [(9, 9), (40, 20)]
    with pytest.raises(DocumentProblem, match="is not fetched"):
        draw(drawing, '<img src="{{ data.it }}">', {"it": f"picture:{name}"})


# --- what does not fit is told ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("<p>\n\n{{ data. }}", "Line 3: "),
        ("<p>\n{{ data.nothing }}", "Line 2: data has no field “nothing”"),
        ("<p>{{ data.name", "Line 1: .*not closed"),
        ('<p data-each="x">', "data-each takes one formula"),
        ('<p data-each="{{ data.name }}">', "Line 1: data-each takes a list"),
        ('<p data-html="{{ data.rows }}">', "Line 1: data-html takes a text"),
        ('<p data-format="cents">', "money, number, date and text"),
        ('<p data-format="money">{{ data.name }}', "Line 1: “a;b” is not a number"),
        ('<p style="color: {{ data.name }}">', "Line 1: “a;b” cannot stand in a style"),
        ("<style>p { color: {{ data.name }} }</style>", "Line 1: “a;b” cannot stand in a style"),
        ("<i>" * 300, "nested 100 deep"),
        ("x" * 200_001, "at most 200,000 characters"),
        ('<img src="data:image/png;base64,x">', "data: address"),
    ],
)
def test_what_stands_in_the_way_is_told_with_its_line(drawing: Drawing, template: str, message: str) -> None:
    with pytest.raises(DocumentProblem, match=message):
        draw(drawing, template, {"name": "a;b", "rows": []})


def test_a_template_is_checked_before_it_is_used() -> None:
    checked("<p>{{ data.name }} {{ item.a }} {{ index }}")
    with pytest.raises(DocumentProblem, match=r"Line 2: .*“steps”"):
        checked("<p>\n{{ steps.read.rows }}")


def test_no_more_rows_and_pages_than_there_may_be(drawing: Drawing) -> None:
    with pytest.raises(DocumentProblem, match="at most 5,000 rows"):
        draw(drawing, TABLE, {"rows": [1] * 5_001})
    row = '<p data-each="{{ data.rows }}" style="break-after: page">x'
    with pytest.raises(DocumentProblem, match=f"at most {MOST_PAGES} pages"):
        draw(drawing, row, {"rows": [1] * (MOST_PAGES + 2)})
    nested = '<p data-each="{{ data.rows }}"><i data-each="{{ data.rows }}">x'
    with pytest.raises(DocumentProblem, match="at most 40,000 elements"):
        draw(drawing, nested, {"rows": [1] * 300})


def test_what_takes_too_long_is_ended_and_the_next_is_drawn() -> None:
    drawing = Drawing(1, seconds=1)
    try:
        draw(drawing, "<p>warm")
        with pytest.raises(DocumentProblem, match="longer than 1 seconds"):
            draw(drawing, TABLE, {"rows": [{"name": "word", "amount": 1}] * 5_000})
        assert words(draw(drawing, "<p>{{ data.it }}", {"it": "next"})) == "next"
    finally:
        drawing.close()


def test_what_needs_too_much_memory_is_told_so_and_the_next_is_drawn() -> None:
    drawing = Drawing(1, memory=400 * 1024 * 1024)
    try:
        with pytest.raises(DocumentProblem, match="memory") as caught:
            draw(drawing, '<img src="picture:0199a7f0-0000-7000-8000-0000000000f1">', {}, {
                "0199a7f0-0000-7000-8000-0000000000f1": picture(9_000, 9_000)
            })  # fmt: skip
        assert caught.value.code == "limit"
        assert words(draw(drawing, "<p>{{ data.it }}", {"it": "next"})) == "next"
    finally:
        drawing.close()
