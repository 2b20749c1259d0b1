"""What a question shows besides its words: in the inbox by HTTP, and on the page behind the link of a mail."""

from __future__ import annotations

from django.test import Client

from tests.builder.conftest import World
from tests.builder.test_people import link_of, question


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
    assert "Warnings" not in Client().get(link_of(plain, world.rosa.email)).content.decode()


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
