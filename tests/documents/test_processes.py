"""Documents are drawn in processes that others can end, and that end what takes too much."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from runtime.documents.draw import draw
from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing
from runtime.documents.ready import ready
from runtime.engine.jsonprofile import dumps
from tests.documents.test_draw import pages, picture, table


def stored(*blocks: dict[str, Any]) -> bytes:
    return dumps({"version": 1, "title": "Test", "blocks": list(blocks)}).encode()


WORDS = stored({"kind": "text", "text": "{{ data.it }}"})


@pytest.fixture
def drawing() -> Iterator[Drawing]:
    made = Drawing(1)
    yield made
    made.close()


def child(drawing: Drawing) -> int:
    (found,) = drawing._children
    return found._process.pid


async def test_what_another_process_draws_is_the_same_to_the_byte(drawing: Drawing) -> None:
    invoice = ready("invoice")
    made = await drawing.draw(dumps(invoice.stored).encode(), dumps(invoice.sample).encode())
    assert made.data == draw(invoice.design, invoice.sample)
    assert made.pages == 1


def test_amounts_are_exact_on_their_way(drawing: Drawing) -> None:
    (text,) = pages(drawing.draw_now(WORDS, b'{"it": 0.1000000000000000055511151231257827}').data)
    assert "0.1000000000000000055511151231257827" in text


def test_pictures_go_with_it(drawing: Drawing) -> None:
    logo = stored({"kind": "logo", "image": "x"})
    assert drawing.draw_now(logo, b"{}", {"x": picture(40, 20)}).pages == 1
    with pytest.raises(DocumentProblem, match="no picture “x”") as caught:
        drawing.draw_now(logo, b"{}")
    assert (caught.value.code, caught.value.block) == ("image", 0)


def test_one_page_can_be_had_as_a_picture(drawing: Drawing) -> None:
    made = drawing.draw_now(WORDS, dumps({"it": "a\n" * 200}).encode(), page=2, wide=300)
    assert made.data.startswith(b"\x89PNG")
    assert made.pages > 2
    # The last one where there are fewer.
    assert drawing.draw_now(WORDS, b'{"it": "a"}', page=9).data.startswith(b"\x89PNG")


def test_a_process_is_used_again_and_one_that_died_is_made_good(drawing: Drawing) -> None:
    first = drawing.draw_now(WORDS, b'{"it": "a"}')
    pid = child(drawing)
    assert drawing.draw_now(WORDS, b'{"it": "a"}') == first
    assert child(drawing) == pid
    os.kill(pid, signal.SIGKILL)
    assert drawing.draw_now(WORDS, b'{"it": "a"}') == first
    assert child(drawing) != pid


def test_what_takes_too_long_is_ended_and_the_next_is_drawn() -> None:
    # As many cells as there may be, on fewer pages than there may be: nothing stops it before its time is over.
    long = dumps({"rows": [{"name": "word", "sum": 1}] * 5_000}).encode()
    drawing = Drawing(1, seconds=0.05)
    try:
        drawing.draw_now(WORDS, b'{"it": "a"}')
        pid = child(drawing)
        with pytest.raises(DocumentProblem, match=r"longer than 0\.05 seconds") as caught:
            drawing.draw_now(stored(table(columns=[{"title": "Name", "value": "{{ item.name }}"}] * 12)), long)
        assert caught.value.code == "limit"
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert drawing.draw_now(WORDS, b'{"it": "a"}').pages == 1
    finally:
        drawing.close()


def test_what_needs_too_much_memory_is_told_so_and_the_next_is_drawn() -> None:
    drawing = Drawing(1)
    try:
        drawing.draw_now(WORDS, b'{"it": "a"}')
        with open(f"/proc/{child(drawing)}/statm") as sizes:
            needed = int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        drawing.close()
    drawing = Drawing(1, memory=needed + 20 * 1024 * 1024)
    try:
        with pytest.raises(DocumentProblem, match="memory") as caught:
            drawing.draw_now(stored({"kind": "logo", "image": "x"}), b"{}", {"x": picture(2000, 2000)})
        assert caught.value.code == "limit"
        assert drawing.draw_now(WORDS, b'{"it": "a"}').pages == 1
    finally:
        drawing.close()


def test_many_at_once_are_drawn_by_a_few() -> None:
    drawing = Drawing(2)
    try:
        with ThreadPoolExecutor(8) as many:
            made = list(many.map(lambda place: drawing.draw_now(WORDS, dumps({"it": place}).encode()), range(60)))
        assert [text.split()[0] for one in made for text in pages(one.data)] == [str(place) for place in range(60)]
        assert len(drawing._children) <= 2
    finally:
        drawing.close()


def test_a_process_that_draws_knows_no_secret_of_the_one_that_asks(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of-the-server")
    drawing.draw_now(WORDS, b'{"it": "a"}')
    with open(f"/proc/{child(drawing)}/environ", "rb") as environment:
        assert b"of-the-server" not in environment.read()


def test_it_ends_with_the_process_that_asks(drawing: Drawing) -> None:
    drawing.draw_now(WORDS, b'{"it": "a"}')
    (found,) = drawing._children
    found._door.close()
    assert found._process.wait(20) == 0
