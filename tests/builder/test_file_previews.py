"""Files that are looked at: told by their bytes, with headers that let nothing run, and on record as a download is."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from builder.audit.models import AuditRow
from runtime.api import file_previews
from runtime.sdk.file_sorts import could_act, picture_size, shown_as
from tests.builder.conftest import World
from tests.builder.test_files import download, on_disk, upload

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "artifacts" / "files"


def picture(form: str, size: tuple[int, int] = (320, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (20, 60, 120)).save(out, form)
    return out.getvalue()


def seen(world: World, data: bytes, name: str = "a.bin", mime: str = "application/octet-stream") -> dict[str, Any]:
    added = upload(world, data, name, mime)
    assert added.status == 201, added.body
    answer = world.as_vera.get(f"{world.here}/files/{added.body['id']}/preview")
    assert answer.status == 200, answer.body
    return dict(answer.body)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_known_by_its_bytes_with_its_size(world: World, form: str) -> None:
    found = seen(world, picture(form), "invoice.html", "text/html")
    assert (found["kind"], found["mime"]) == ("picture", f"image/{form.lower()}")
    assert (found["width"], found["height"]) == (320, 200)


def test_every_sort_of_webp_says_its_size() -> None:
    image = Image.new("RGBA", (33, 44), (1, 2, 3, 100))
    for how in ({"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}):
        out = io.BytesIO()
        image.save(out, "WEBP", **how)
        assert picture_size(out.getvalue()) == (33, 44), how


def test_what_is_shown_is_sent_as_what_its_bytes_are_and_may_do_nothing(world: World) -> None:
    for data, mime in ((picture("PNG"), "image/png"), (b"\n" + PDF, "application/pdf")):
        added = upload(world, data, "page.html", "text/html").body
        status, headers, body = download(world, f"/files/{added['id']}/content?show=true")
        assert (status, body) == (200, data)
        assert headers["Content-Type"] == mime
        assert headers["Content-Disposition"].startswith("inline; ")
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("data", "mime"),
    [(SVG, "image/svg+xml"), (b"<html><script>alert(1)</script>", "application/pdf"), (b"x", "image/png")],
    ids=["a drawing that runs", "a page that says it is a PDF", "no picture"],
)
def test_what_only_says_that_it_can_be_shown_is_handed_out_as_a_download(world: World, data: bytes, mime: str) -> None:
    added = upload(world, data, "a", mime).body
    _, headers, _ = download(world, f"/files/{added['id']}/content?show=true")
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "data",
    [SVG, b"<!DOCTYPE html><p>x", "<HTML><body>".encode("utf-16"), b"<p>x</p><script src=//x></script>"],
    ids=["svg", "html", "html in utf-16", "script"],
)
def test_html_and_drawings_are_never_shown_not_even_as_text(world: World, data: bytes) -> None:
    """S91."""
    found = seen(world, data, "notes.txt", "text/plain")
    assert (found["kind"], found["reason"], found["text"], found["rows"]) == ("none", "active", "", [])


def test_of_a_table_the_first_rows_come_as_they_are_read(world: World) -> None:
    lines = ["Number;Name;Amount", *(f"{number};Müller {number};{number},50" for number in range(1, 501)), ""]
    found = seen(world, "\r\n".join(lines).encode("cp1252"), "May.csv", "text/plain")
    assert (found["kind"], found["header"], found["more"]) == ("table", True, True)
    assert len(found["rows"]) == 201
    assert found["rows"][:2] == [["Number", "Name", "Amount"], ["1", "Müller 1", "1,50"]]
    short = seen(world, b"a,b\n1,2\n", "x", "text/csv")
    assert (short["rows"], short["more"]) == ([["a", "b"], ["1", "2"]], False)


def test_a_table_that_breaks_off_shows_what_comes_before(world: World) -> None:
    found = seen(world, b"a,b\n1,2\n" + b"x," * 2_000 + b"\n3,4\n", "a.csv")
    assert (found["kind"], found["rows"], found["more"]) == ("table", [["a", "b"], ["1", "2"]], True)


def test_of_a_text_the_first_lines_come(world: World) -> None:
    found = seen(world, "\n".join(f"Zeile {number} – ä" for number in range(300)).encode(), "log.txt", "text/plain")
    assert (found["kind"], found["more"]) == ("text", True)
    assert found["text"].split("\n")[0::199] == ["Zeile 0 – ä", "Zeile 199 – ä"]
    wide = seen(world, b"x" * 10_000, "a.json", "application/json")
    assert (len(wide["text"]), wide["more"]) == (2_000, True)


def test_of_a_long_text_only_the_beginning_is_read_and_no_letter_is_cut(world: World) -> None:
    data = ("ä" * 99 + "\n").encode() * 4_000
    found = seen(world, b"\n" + data, "a.txt", "text/plain")
    assert found["text"].split("\n")[1:3] == ["ä" * 99, "ä" * 99]
    assert found["more"] is True


@pytest.mark.parametrize("letter", ["ä", "€", "𝄞"])
@pytest.mark.parametrize("before", range(4))
def test_a_text_of_one_line_that_is_cut_within_a_letter_is_read_as_what_it_is(
    world: World, letter: str, before: int
) -> None:
    found = seen(world, b"x" * before + letter.encode() * 140_000, "a.txt", "text/plain")
    assert found["text"] == "x" * before + letter * (1_999 - before) + "…"
    assert found["more"] is True


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_long_text_in_utf_16_is_cut_behind_a_letter(world: World, encoding: str) -> None:
    # Letters that together have the bytes of a line end, where they can be told from what is no text.
    odd = "Seite \u0a41\u4100 und mehr\n" if encoding == "utf-16" else "Seite \u0a41\u410a und mehr\n"
    for line in ("Zeile eins\n", odd, "ohne Ende "):
        found = seen(world, (line * 20_000).encode(encoding), "a.csv", "text/csv")
        shown = "".join(row[0] for row in found["rows"]) or found["text"]
        assert "\ufffd" not in shown
        assert shown.startswith(line.strip())
        assert found["more"] is True


@pytest.mark.parametrize("length", range(1_497, 1_503))
def test_the_last_line_of_a_text_in_utf_16_that_is_shown_is_whole(world: World, length: int) -> None:
    """So few lines, and so long, that all of the beginning is shown."""
    line = "Zeile " + "b" * length
    found = seen(world, f"{line}\n".encode("utf-16-le") * 400, "a.txt", "text/plain")
    assert found["more"] is True
    assert set(found["text"].splitlines()) == {line}


def test_a_photograph_whose_size_stands_behind_much_else_is_shown(world: World) -> None:
    image = picture("JPEG")
    segment = b"\xff\xe2\xff\xff" + bytes(0xFFFF - 2)
    found = seen(world, image[:2] + segment * 20 + image[2:])
    assert (found["kind"], found["width"], found["height"]) == ("picture", 320, 200)
    # Further down nobody looks for it; that does not make it damaged.
    assert seen(world, image[:2] + segment * 70 + image[2:])["reason"] == "sort"
    assert seen(world, image[:2] + segment * 20 + b"no picture")["reason"] == "damaged"


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0"?>\n<order><head>No. 7</head><body>Paper</body></order>',
        b"\xef\xbb\xbf<!-- made by hand -->\n<invoice><header/><body/></invoice>",
        "<order><head/></order>".encode("utf-16"),
        b"Element,Meaning\n<head>,what is said before\n<script>,what is carried out\n",
        b"About <html> and <body> in letters",
        b"<headers>1</headers>",
    ],
    ids=["xml", "xml with a comment", "xml in utf-16", "csv", "letter", "names that begin alike"],
)
def test_what_only_names_parts_of_web_pages_is_a_text(world: World, data: bytes) -> None:
    assert seen(world, data, "a.xml", "text/xml")["kind"] == "text"
    assert could_act(data) is False


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf \n<!-- x --><html>", b"<!-- " + b"x" * 5_000 + b"--><html>", b"<body onload=alert(1)>",
        b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y"><s/>', b'<?xml-stylesheet href="x.xsl"?><order/>',
        b'<order><h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script></order>',
        b"<order>\n<svg onload=alert(1)></order>", b"<head><meta>", b"<a href=x>", b"<!-- x -->y<script>",
        b'<!DOCTYPE x [<!ENTITY y "z">]><x/>', b"<iframe src=x>", b"<object data=x>", b"<p",
    ],
)  # fmt: skip
def test_what_browsers_would_take_for_a_page_or_a_drawing_could_act(data: bytes) -> None:
    assert could_act(data) is True


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"), (b"PK\x03\x04" + bytes(40), "sort"), (b"\x01\x02\x03 text", "sort"),
        (b"\x89PNG\r\n\x1a\nxx", "damaged"),
    ],
    ids=["empty", "archive", "control characters", "half a picture"],
)  # fmt: skip
def test_what_cannot_be_shown_says_why(world: World, data: bytes, reason: str) -> None:
    found = seen(world, data, "a.txt", "text/plain")
    assert (found["kind"], found["reason"], found["size"]) == ("none", reason, len(data))


def test_what_is_too_large_is_not_sent_to_be_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_previews, "MOST_PDF_BYTES", 10)
    monkeypatch.setattr(file_previews, "MOST_PICTURE_BYTES", 60)
    found = seen(world, PDF)
    assert (found["kind"], found["reason"], found["most"]) == ("none", "large", 10)
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 60_000, 60_000)
    bomb = seen(world, header)
    assert (bomb["kind"], bomb["reason"], bomb["width"]) == ("none", "pixels", 60_000)
    assert seen(world, header + bytes(60))["reason"] == "large"


def test_damaged_bytes_are_said_to_be_damaged(world: World, folder: Path) -> None:
    for data in (b"the truth", b"the truth\n" * 60_000):
        added = upload(world, data, "a.txt", "text/plain").body
        newest = max(on_disk(folder), key=lambda path: path.name)
        newest.write_bytes(data[:-1] + b"?")
        found = world.as_vera.get(f"{world.here}/files/{added['id']}/preview").body
        assert (found["kind"], found["reason"], found["text"]) == ("none", "damaged", "")


def test_to_look_at_a_file_goes_on_record_as_to_download_it_does(world: World) -> None:
    def verbs() -> list[str]:
        rows = AuditRow.objects.filter(verb__in=("file.shown", "file.downloaded"))
        return list(rows.order_by("pk").values_list("verb", flat=True))

    text, image = upload(world, b"a text").body["id"], upload(world, picture("PNG")).body["id"]
    assert world.as_vera.get(f"{world.here}/files/{text}/preview").status == 200
    assert verbs() == ["file.shown"]
    # What a picture is, is no part of it.
    assert world.as_vera.get(f"{world.here}/files/{image}/preview").status == 200
    assert verbs() == ["file.shown"]
    assert download(world, f"/files/{image}/content?show=true")[0] == 200
    assert verbs() == ["file.shown", "file.downloaded"]


def test_a_file_of_another_workspace_or_one_that_was_removed_cannot_be_looked_at(world: World) -> None:
    """S3."""
    added = upload(world, b"secret").body["id"]
    for workspace in (world.northwind.id, world.southwind.id):
        assert world.as_mallory.get(f"/workspaces/{workspace}/files/{added}/preview").status == 404
    assert world.as_alice.delete(f"{world.here}/files/{added}").status == 204
    assert world.as_vera.get(f"{world.here}/files/{added}/preview").status == 404


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\0\xff", b"GIF89a", b"RIFF....WEBPVP8 ", bytes(64)]
)
def test_any_bytes_at_all_have_a_sort_or_none(data: bytes) -> None:
    assert picture_size(data) is None
    assert isinstance(shown_as(data), str)
    assert could_act(data) is False
