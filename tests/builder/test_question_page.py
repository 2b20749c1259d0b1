"""What a question shows besides its words: in the inbox by HTTP, and on the page behind the link of a mail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from builder.api.link_words import words_of as link_words
from builder.audit.models import AuditRow
from runtime.sdk.labels import USUAL_LABELS
from runtime.store.models import HumanMail
from runtime.worker.mail_words import words_of as mail_words
from tests.builder.conftest import World
from tests.builder.test_people import link_of, question, run_of
from tests.generated import ROOT


def test_warnings_stand_with_the_question_in_the_list_and_on_the_page_of_a_link(world: World) -> None:
    spec = {"open_link": True, "warnings": ["38 % above <the> usual"]}
    task = question(world, world.rosa.email, spec=spec)
    plain = question(world, world.rosa.email, spec={"open_link": True})
    listed = {one["id"]: one["warnings"] for one in world.as_rosa.get(f"{world.here}/inbox").body["items"]}
    assert listed == {str(task.id): ["38 % above <the> usual"], str(plain.id): []}
    assert world.as_rosa.get(f"{world.here}/inbox/{task.id}").body["warnings"] == ["38 % above <the> usual"]
    page = Client().get(link_of(task, world.rosa.email)).content.decode()
    assert "<li>38 % above &lt;the&gt; usual</li>" in page
    assert page.index("38 % above") < page.index("<dl>")
    assert "<b>Warning</b>" in page
    assert "Warning" not in Client().get(link_of(plain, world.rosa.email)).content.decode()


def test_the_page_of_a_link_is_in_the_language_of_its_mail(world: World) -> None:
    table = {"columns": [{"name": "item", "number": False}], "rows": [["Stuhl"]], "more": 12, "more_columns": 1}
    spec = {"open_link": True, "warnings": ["38 % mehr", "Neues Konto"], "facts": [{"label": "Zeilen", "value": table}]}
    task = question(world, world.rosa.email, spec=spec)
    link = link_of(task, world.rosa.email)
    HumanMail.objects.filter(task=task).update(language="de")
    page = Client().get(link).content.decode()
    assert "<b>Warnungen</b><ul><li>38 % mehr</li><li>Neues Konto</li></ul>" in page
    assert "und 12 weitere · 1 weitere Spalte" in page


def test_what_was_warned_of_stays_with_the_decision(world: World) -> None:
    task = question(world, world.rosa.email, spec={"warnings": ["New bank account"]})
    path = f"{world.here}/inbox/{task.id}"
    assert world.as_rosa.post(f"{path}/decide", {"outcome": "approved"}).body["warnings"] == ["New bank account"]
    found = world.as_rosa.get(path).body
    assert (found["status"], found["warnings"]) == ("decided", ["New bank account"])


def test_a_list_is_a_table_on_the_page_of_a_link_and_says_what_is_left_out(world: World) -> None:
    table = {
        "columns": [{"name": "item", "number": False}, {"name": "total", "number": True}],
        "rows": [["A <b>chair</b>", "12.50"], ["", "3"]], "more": 12, "more_columns": 1,
    }  # fmt: skip
    facts = [{"label": "Lines", "value": table}, {"label": "Before", "value": '[{"item":"A lamp"}]'}]
    task = question(world, world.rosa.email, spec={"open_link": True, "facts": facts})
    page = Client().get(link_of(task, world.rosa.email)).content.decode()
    assert '<th scope="col" role="columnheader" class="number">total</th>' in page
    assert '<td role="cell" data-name="item">A &lt;b&gt;chair&lt;/b&gt;</td>' in page
    assert '<td role="cell" data-name="total" class="number">12.50</td>' in page
    assert '<td role="cell" data-name="item">–</td>' in page
    assert "and 12 more · 1 more column" in page
    # What was kept before there were tables is the text that it was.
    assert "<dt>Before</dt><dd>[{&quot;item&quot;:&quot;A lamp&quot;}]</dd>" in page
    assert world.as_rosa.get(f"{world.here}/inbox/{task.id}").body["facts"] == facts


def recorded(**of: str) -> Any:
    """What is on record of the one deed that this finds."""
    return json.loads(AuditRow.objects.get(**of).detail)


OWN = [
    {"id": "approved", "label": "Release <it>", "comment": False, "own": True},
    {"id": "rejected", "label": "Send it back", "comment": True, "own": True},
]


def test_the_page_of_a_link_shows_buttons_by_the_names_that_the_builder_gave_them(world: World) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True, "choices": OWN})
    link = link_of(task, world.rosa.email)
    browser = Client()
    page = browser.get(link).content.decode()
    assert 'value="approved">Release &lt;it&gt;</button>' in page
    assert 'value="rejected">Send it back</button>' in page
    assert browser.post(link, {"outcome": "approved"}).status_code == 303
    assert "Rosa: Release &lt;it&gt;" in browser.get(link).content.decode()
    row = recorded(verb="task.decided_by_link")
    assert (row["said"]["outcome"], row["called"]) == ("approved", "Release <it>")


def test_own_names_are_told_of_with_the_question_what_is_pending_and_the_record(world: World) -> None:
    task = question(world, world.rosa.email, spec={"choices": OWN})
    path = f"{world.here}/inbox/{task.id}"
    said = world.as_rosa.post(f"{path}/decide", {"outcome": "approved", "undo": True}).body
    assert said["named"] == {"approved": "Release <it>", "rejected": "Send it back"}
    assert [(one["outcome"], one["called"]) for one in said["pending"]] == [("approved", "Release <it>")]
    (given,) = world.as_rosa.get(f"{world.here}/inbox/given").body["items"]
    assert given["pending"]["called"] == "Release <it>"
    assert recorded(verb="task.decided")["called"] == "Release <it>"
    usual = question(world, world.rosa.email)
    assert world.as_rosa.post(f"{world.here}/inbox/{usual.id}/decide", {"outcome": "approved"}).body["named"] == {}
    assert "called" not in recorded(object_id=str(usual.id))


def test_questions_whose_buttons_say_different_things_are_not_decided_together(world: World) -> None:
    run = run_of(world)
    plain = question(world, world.rosa.email, run=run)
    named = [question(world, world.rosa.email, run=run, attempt=at, spec={"choices": OWN}) for at in (2, 3)]
    path = f"{world.here}/inbox/decide"
    mixed = {"tasks": [str(plain.id), str(named[0].id)], "outcome": "approved"}
    assert world.as_rosa.post(path, mixed).status == 422
    alike = {"tasks": [str(one.id) for one in named], "outcome": "approved"}
    assert [one["taken"] for one in world.as_rosa.post(path, alike).body["items"]] == [True, True]


@pytest.mark.parametrize(("language", "usual"), list(zip(("en", "de"), USUAL_LABELS, strict=True)))
def test_the_usual_names_of_the_buttons_are_the_same_everywhere(language: str, usual: tuple[str, str]) -> None:
    mail, page = mail_words(language), link_words(language)
    inbox = json.loads((ROOT / "frontend" / "src" / "i18n" / language / "inbox.json").read_text("utf-8"))["choice"]
    assert (mail["approved"], mail["rejected"]) == usual
    assert (page["choice_approved"], page["choice_rejected"]) == usual
    assert (inbox["approved"], inbox["rejected"]) == usual
