"""Words that people put on runs: shown, found by, offered, and nothing to the run itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest

from builder.audit.models import AuditRow
from runtime import api as runtime_api
from runtime.contracts.tagging import MOST_TAGS, tag_of
from runtime.store import tags
from runtime.store.models import Run, RunTag
from runtime.store.transitions import Transition
from tests.builder.conftest import World
from tests.builder.test_run_search import Books, _path


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def put(books: Books, runs: Iterable[UUID], *words: str, remove: Iterable[str] = (), **more: Any) -> dict[str, Any]:
    """What came of it."""
    body = {"runs": [str(run) for run in runs], "add": list(words), "remove": list(remove)} | more
    answer = books.world.as_rosa.post(f"{books.world.here}/runs/tags", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def shown(books: Books, run: UUID) -> list[str]:
    found: list[str] = books.world.as_vera.get(f"{books.world.here}/runs/{run}").body["tags"]
    return found


def offered(books: Books, part: str = "") -> list[str]:
    found: list[str] = books.world.as_vera.get(_path(f"{books.world.here}/runs/tags", {"q": part})).body["tags"]
    return found


def test_a_word_is_kept_as_it_was_typed_and_compared_without_its_case(books: Books) -> None:
    run = books.run("R-1")
    assert put(books, [run], "Quarter-End", "to  check") == {"found": 1, "changed": 1, "full": 0, "more": False}
    assert shown(books, run) == ["Quarter-End", "to check"]
    assert put(books, [run], "QUARTER-END")["changed"] == 0
    assert shown(books, run) == ["Quarter-End", "to check"]
    assert put(books, [run], remove=["quarter-end"])["changed"] == 1
    assert shown(books, run) == ["to check"]


def test_runs_are_found_by_their_words(books: Books) -> None:
    first, second, third = (books.run(f"R-{number}", "Brinkmann" if number > 1 else "") for number in (1, 2, 3))
    put(books, [first, second], "quarter-end")
    put(books, [second, third], "Öko prüfen")
    assert books.found("tag:Quarter-End") == ["R-2", "R-1"]
    assert books.found("tag:quarter-end", sort="oldest") == ["R-1", "R-2"]
    assert books.found('tag:"ÖKO prüfen"') == ["R-3", "R-2"]
    assert books.found('tag:"öko prüfen" tag:quarter-end') == ["R-2"]
    assert books.found("tag:quarter") == []
    assert books.found("tag:quarter-end supplier:brink") == ["R-2"]
    assert books.found("tag:quarter-end", sort="longest") == ["R-2", "R-1"]
    assert books.found("R-1 tag:quarter-end") == ["R-1"]
    assert "cannot be compared" in books.refused("tag>quarter")
    counted = books.world.as_vera.get(_path(f"{books.world.here}/runs/count", {"q": "tag:quarter-end"}))
    assert counted.body == {"count": 2, "more": False}
    page = books.world.as_vera.get(_path(f"{books.world.here}/runs", {"q": "tag:quarter-end", "limit": 1})).body
    after = {"q": "tag:quarter-end", "limit": 1, "cursor": page["next_cursor"]}
    rest = books.world.as_vera.get(_path(f"{books.world.here}/runs", after)).body
    assert [one["business_key"] for one in (*page["items"], *rest["items"])] == ["R-2", "R-1"]
    assert rest["next_cursor"] is None


def test_a_saved_search_can_ask_for_a_word(books: Books) -> None:
    body = {"name": "Quarter", "search": {"q": "tag:quarter-end"}}
    saved = books.world.as_vera.post(f"{books.world.here}/runs/views", body)
    assert saved.body["search"]["q"] == "tag:quarter-end"


def test_words_are_offered_that_stand_on_runs_here(books: Books) -> None:
    put(books, [books.run("R-1"), books.run("R-2")], "quarter-end", "to check")
    put(books, [books.run("R-3")], "Quarter-End", "100 %")
    assert offered(books) == ["100 %", "Quarter-End", "to check"]
    assert offered(books, "END") == ["Quarter-End"]
    assert offered(books, "%") == ["100 %"]
    assert offered(books, "zzz") == []
    elsewhere = books.world.as_mallory.get(f"/workspaces/{books.world.southwind.id}/runs/tags")
    assert elsewhere.body == {"tags": []}


def test_all_that_a_search_finds_take_a_word_at_once(books: Books) -> None:
    for number in range(4):
        books.run(f"R-{number}", "Brinkmann" if number % 2 else "Hansen")
    body = {"search": {"q": "supplier:brink"}, "add": ["late"]}
    answer = books.world.as_rosa.post(f"{books.world.here}/runs/tags", body)
    assert answer.body == {"found": 2, "changed": 2, "full": 0, "more": False}
    assert books.found("tag:late") == ["R-3", "R-1"]


def test_a_run_takes_twenty_words_and_no_more(books: Books) -> None:
    run, other = books.run("R-1"), books.run("R-2")
    for number in range(0, MOST_TAGS, 5):
        put(books, [run], *(f"word {one}" for one in range(number, number + 5)))
    assert put(books, [run, other], "one more", "word 3") == {"found": 2, "changed": 1, "full": 1, "more": False}
    assert "one more" not in shown(books, run)
    assert shown(books, other) == ["one more", "word 3"]
    path = f"{books.world.here}/runs/{run}/tags"
    refused = books.world.as_rosa.post(path, {"add": ["one more"], "remove": []})
    assert (refused.status, refused.body["code"]) == (409, "too_many_tags")
    exchanged = books.world.as_rosa.post(path, {"add": ["one more"], "remove": ["Word 3"]})
    assert exchanged.status == 200, exchanged.body
    assert len(exchanged.body["tags"]) == MOST_TAGS
    assert "one more" in exchanged.body["tags"]


@pytest.mark.parametrize("word", ["", "   ", "x" * 41, "a,b", 'a "b"', "a\u0007b", "a\u202eb"])
def test_what_is_no_plain_word_is_refused(books: Books, word: str) -> None:
    run = books.run("R-1")
    answer = books.world.as_rosa.post(f"{books.world.here}/runs/{run}/tags", {"add": [word]})
    assert answer.status == 422, answer.body
    with pytest.raises(ValueError, match=r"word|letters"):
        tag_of(word)


def test_words_change_nothing_about_the_run_and_go_on_record(books: Books) -> None:
    run = books.run("R-1")
    before = (Run.objects.filter(pk=run).values().get(), Transition.objects.count())
    path = f"{books.world.here}/runs/{run}/tags"
    assert books.world.as_rosa.post(path, {"add": ["late"]}).body == {"tags": ["late"]}
    assert (Run.objects.filter(pk=run).values().get(), Transition.objects.count()) == before
    row = AuditRow.objects.get(verb="run.tagged")
    assert (row.object_id, row.object_name) == (str(run), "Invoices · R-1")
    assert '"late"' in row.detail
    assert books.world.as_rosa.post(path, {"add": ["Late"]}).body == {"tags": ["late"]}
    assert AuditRow.objects.filter(verb="run.tagged").count() == 1, "what changes nothing is no deed"
    assert books.world.as_vera.get(f"{books.world.here}/runs/{run}/history").body["items"][0]["verb"] == "run.tagged"


def test_a_repeat_with_the_same_key_is_done_once(books: Books) -> None:
    run = books.run("R-1")
    body = {"runs": [str(run)], "add": ["late"]}
    key = {"Idempotency-Key": "tag-once"}
    path = f"{books.world.here}/runs/tags"
    first = books.world.as_rosa.post(path, body, headers=key)
    put(books, [run], remove=["late"])
    again = books.world.as_rosa.post(path, body, headers=key)
    assert first.body == again.body
    assert shown(books, run) == [], "the answer that was lost is given, and nothing is done again"


def test_many_runs_take_their_words_in_portions_and_are_one_deed(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "_MOST_ROWS", 4)
    runs = [books.run(f"R-{number}") for number in range(5)]
    put(books, runs[:2], "late")
    assert put(books, runs, "late", remove=["old"]) == {"found": 5, "changed": 3, "full": 0, "more": False}
    assert [shown(books, run) for run in runs] == [["late"]] * 5
    rows = AuditRow.objects.filter(verb="runs.tagged").order_by("sequence")
    assert [json.loads(row.detail)["count"] for row in rows] == [2, 5]


@pytest.mark.parametrize("stops_at", [1, 2, 3])
def test_what_stopped_between_two_portions_is_gone_on_with_and_is_one_deed(
    books: Books, monkeypatch: pytest.MonkeyPatch, stops_at: int
) -> None:
    monkeypatch.setattr(tags, "_MOST_ROWS", 2)
    runs = [books.run(f"R-{number}", "Brinkmann") for number in range(5)]
    put(books, runs, "old")
    on_record = AuditRow.objects.filter(verb="runs.tagged")
    before = on_record.count()
    body = {"search": {"q": "tag:old"}, "add": ["late"], "remove": ["old"]}
    true, calls = tags.change, []

    def change(*what: Any) -> tags.Changed:
        calls.append(1)
        if len(calls) == stops_at:
            raise RuntimeError("the lights went out")
        return true(*what)

    monkeypatch.setattr(tags, "change", change)
    path, key = f"{books.world.here}/runs/tags", {"Idempotency-Key": "all"}
    assert books.world.as_rosa.post(path, body, headers=key).status == 500
    assert RunTag.objects.filter(folded="late").count() == stops_at - 1
    newer = books.run("R-6", "Brinkmann")
    runtime_api.tag_run(workspace_id=books.world.northwind.id, run_id=newer, add=["old"], remove=[], by=None)
    first, again = (books.world.as_rosa.post(path, body, headers=key).body for _ in range(2))
    assert first == again == {"found": 5, "changed": 5, "full": 0, "more": False} or stops_at == 1
    assert [shown(books, run) for run in runs] == [["late"]] * 5
    assert shown(books, newer) == (["late"] if stops_at == 1 else ["old"]), "it came later"
    assert on_record.count() == before + 1


def test_runs_of_others_take_no_word(books: Books) -> None:
    run = books.run("R-1")
    theirs = f"/workspaces/{books.world.southwind.id}/runs"
    body = {"runs": [str(run), str(uuid4())], "add": ["mine"]}
    answer = books.world.as_mallory.post(f"{theirs}/tags", body)
    assert answer.body == {"found": 0, "changed": 0, "full": 0, "more": False}
    assert books.world.as_mallory.post(f"{theirs}/{run}/tags", {"add": ["mine"]}).status == 404
    assert not RunTag.objects.exists()
