"""Lists that people review, by HTTP: who may what, what is told, repeats, and the second person (S117)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from builder.accounts.models import Membership, Role
from builder.accounts.rights import Scope
from runtime.sdk.reviews import Judge, ReviewColumn
from runtime.store import reviews
from runtime.store.models import HumanTask, HumanVote, Review, ReviewChange
from runtime.store.reviews import Place
from tests.builder.conftest import World
from tests.builder.test_people import browser as browser
from tests.builder.test_people import link_of, question, run_of
from tests.factories import Caller

COLUMNS = (
    ReviewColumn(name="supplier", label="Supplier", required=True, editable=True),
    ReviewColumn(name="amount", label="Amount", type="amount", editable=True, total=True),
)
RULES = (("Over the limit", "{{ item.amount > 5000 }}", "warning"),)
ROWS: list[dict[str, Any]] = [
    {"supplier": "Brinkmann", "amount": 120, "currency": "EUR", "secret": "not shown"},
    {"supplier": "Ölmühle", "amount": 9000, "currency": "EUR"},
]


def listed_for(world: World, *people: str, releasers: tuple[str, ...] = (), **spec: Any) -> HumanTask:
    """A list that waits for its review, as a run leaves one."""
    run = run_of(world)
    judge = Judge(COLUMNS, RULES, "currency")  # type: ignore[arg-type]
    policy: dict[str, Any] = {
        "four_eyes": True, "releasers": list(releasers), "reviewers": list(people), "barred": [],
        "expected_count": 2, "expected_amount": "9120", "must_agree": False,
    }  # fmt: skip
    review = reviews.stage(Place(world.northwind.id, run.id, "ask", 1, 1), judge, {**policy, **spec})
    reviews.add(review, judge, ROWS, 0)
    reviews.staged(review)
    task = question(world, *people, run=run, spec={"review": str(review), "choices": []})
    HumanTask.objects.filter(pk=task.pk).update(kind="review")
    task.kind = "review"
    return task


def path(world: World, task: HumanTask) -> str:
    return f"{world.here}/inbox/{task.id}/review"


def accept(caller: Caller, here: str, number: int = 2, version: int = 0) -> dict[str, Any]:
    changes = [{"number": number, "version": version, "state": "accepted"}]
    return dict(caller.post(f"{here}/rows", {"changes": changes}).body)


def ready(world: World, **spec: Any) -> tuple[str, HumanTask, int]:
    """A list that Rosa has handed over; its path, and its revision."""
    task = listed_for(world, **spec)
    here = path(world, task)
    accept(world.as_rosa, here)
    answer = world.as_rosa.post(f"{here}/hand-over", {"revision": 1})
    assert (answer.status, answer.body["stage"]) == (200, "release"), answer.body
    return here, task, answer.body["revision"]


def test_a_list_is_shown_changed_handed_over_and_released(world: World) -> None:
    task = listed_for(world)
    here = path(world, task)
    shown = world.as_rosa.get(here).body
    assert (shown["rows"], shown["todo"], shown["may_edit"], shown["may_hand_over"]) == (2, 1, True, False)
    [total] = shown["totals"]
    assert (total["currency"], total["expected"], total["agrees"]) == ("EUR", "9120", True)
    assert total["now"] == {"count": 2, "amount": "9120.00"}
    rows = world.as_rosa.get(f"{here}/rows?show=todo").body
    assert (rows["total"], rows["rows"][0]["problems"][0]["text"]) == (1, "Over the limit")
    changes = [
        {"number": 1, "version": 0, "values": {"amount": "130,50"}},
        {"number": 2, "version": 0, "state": "accepted"},
    ]
    became = world.as_rosa.post(f"{here}/rows", {"changes": changes, "decimal": ","}).body
    assert [one["outcome"] for one in became["items"]] == ["changed", "changed"]
    assert became["items"][0]["row"]["data"] == {"supplier": "Brinkmann", "amount": 130.5}
    assert became["review"]["differs"]
    refused = world.as_rosa.post(f"{here}/hand-over", {"revision": 1})
    assert (refused.status, list(refused.body["fields"])) == (422, ["comment"]), "the totals differ"
    handed = world.as_rosa.post(f"{here}/hand-over", {"revision": 1, "comment": "A fee"}).body
    assert (handed["stage"], handed["hands"], handed["four_eyes"]) == ("release", ["Rosa"], True)
    seen = world.as_vera.get(here).body
    assert (seen["may_release"], seen["four_eyes"], seen["handed_comment"]) == (True, False, "A fee")
    done = world.as_vera.post(f"{here}/release", {"revision": handed["revision"]})
    assert (done.status, done.body["stage"]) == (200, "released")
    kinds = [one["kind"] for one in world.as_vera.get(f"{here}/changes").body["items"]]
    assert kinds == ["hand_over", "accept", "edit"]
    assert HumanTask.objects.get(pk=task.id).outcome == "released"


def test_the_table_is_sent_what_it_shows_and_nothing_else(world: World) -> None:
    here = path(world, listed_for(world))
    assert "not shown" not in str(world.as_vera.get(f"{here}/rows").body)


def test_every_question_but_a_list_has_none(world: World) -> None:
    here = path(world, question(world))
    for way in ("", "/rows", "/changes", "/sheet"):
        assert world.as_rosa.get(here + way).status == 404
    assert world.as_rosa.post(f"{here}/release", {"revision": 1}).status == 404


def test_another_workspaces_list_is_not_there(world: World) -> None:
    task = listed_for(world)
    for way in ("", "/rows", "/changes", "/sheet"):
        assert world.as_mallory.get(f"{world.there}/inbox/{task.id}/review{way}").status == 404
        assert world.as_mallory.get(path(world, task) + way).status == 404


def test_whoever_had_a_hand_in_it_is_refused_by_every_door(world: World) -> None:
    here, task, revision = ready(world)
    body = {"revision": revision}
    answer = world.as_rosa.post(f"{here}/release", body)
    assert (answer.status, answer.code) == (403, "four_eyes")
    program = world.program(world.rosa, Scope.READ, Scope.RUN)
    assert program.post(f"{here}/release", body).code == "four_eyes", "a program acts in her name"
    Membership.objects.filter(user=world.rosa, workspace=world.northwind).update(role=Role.ADMIN)
    assert world.as_rosa.post(f"{here}/release", body).code == "four_eyes", "no role stands above it"
    other = f"{world.here}/inbox/{task.id}"
    assert world.as_rosa.post(f"{other}/take", {"over": True}).status == 403
    assert world.as_rosa.post(f"{other}/decide", {"outcome": "released"}).status == 403
    assert world.as_vera.post(f"{other}/decide", {"outcome": "released"}).status == 422
    many = world.as_vera.post(f"{world.here}/inbox/decide", {"tasks": [str(task.id)], "outcome": "released"})
    assert many.status == 422
    handing = {"to": world.rosa.email, "reason": "She knows it"}
    assert world.as_alice.post(f"{other}/hand-over", handing).status == 422
    assert not HumanVote.objects.exists()
    assert world.as_vera.post(f"{here}/release", body).status == 200


def test_the_link_of_a_mail_leads_to_the_list_and_releases_nothing(world: World, browser: Client) -> None:
    _, task, _ = ready(world)
    link = link_of(task, world.rosa.email)
    answer = browser.get(link)
    assert (answer.status_code, answer["Location"]) == (302, f"/inbox?task={task.id}")
    assert browser.post(link, {"outcome": "released"}).status_code == 403
    assert Review.objects.get().stage == "release"


def test_whoever_is_moved_out_of_the_releasing_role_meanwhile_is_refused(world: World) -> None:
    here, _, revision = ready(world, releasers=("role:viewer",))
    Membership.objects.filter(user=world.vera, workspace=world.northwind).update(role=Role.BUILDER)
    answer = world.as_vera.post(f"{here}/release", {"revision": revision})
    assert (answer.status, answer.code) == (403, "not_asked")


@pytest.mark.parametrize("way", ["rows", "hand-over", "release", "send-back", "reject"])
def test_a_write_that_is_repeated_under_its_key_is_made_once(world: World, way: str) -> None:
    if way in ("rows", "hand-over"):
        here = path(world, listed_for(world))
        if way == "hand-over":
            accept(world.as_rosa, here)
        caller, revision = world.as_rosa, 1
    else:
        here, _, revision = ready(world)
        caller = world.as_vera
    changes = [{"number": 1, "version": 0, "values": {"amount": 130}}]
    bodies: dict[str, dict[str, Any]] = {
        "rows": {"changes": changes},
        "hand-over": {"revision": revision},
        "release": {"revision": revision},
    }
    body = bodies.get(way, {"reason": "Row 1"})
    first = caller.post(f"{here}/{way}", body, headers={"Idempotency-Key": f"once-{way}"})
    made = ReviewChange.objects.count(), HumanVote.objects.count()
    again = caller.post(f"{here}/{way}", body, headers={"Idempotency-Key": f"once-{way}"})
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert (ReviewChange.objects.count(), HumanVote.objects.count()) == made
    other = caller.post(f"{here}/{way}", {**body, "x": 1}, headers={"Idempotency-Key": f"once-{way}"})
    assert other.status in (409, 422)


def test_two_who_edit_at_once_are_told_and_an_old_page_releases_nothing(world: World) -> None:
    here = path(world, listed_for(world))
    changes = [{"number": 1, "version": 0, "values": {"amount": 130}}]
    world.as_rosa.post(f"{here}/rows", {"changes": changes})
    [became] = world.as_bo.post(f"{here}/rows", {"changes": changes}).body["items"]
    assert (became["outcome"], became["message"]) == ("conflict", "Rosa changed this row meanwhile.")
    assert (became["row"]["version"], became["row"]["data"]["amount"]) == (1, 130)
    accept(world.as_rosa, here)
    stale = world.as_rosa.post(f"{here}/hand-over", {"revision": 1, "comment": "x"})
    assert (stale.status, stale.code) == (409, "review_changed")
    handed = world.as_rosa.post(f"{here}/hand-over", {"revision": 2, "comment": "x"}).body
    late = world.as_bo.post(f"{here}/rows", {"changes": changes})
    assert (late.status, late.code) == (409, "handed_over")
    assert world.as_vera.post(f"{here}/release", {"revision": handed["revision"] - 1}).code == "review_changed"


def test_the_sheet_has_the_fingerprint_that_was_released(world: World) -> None:
    here, _, _ = ready(world)
    sheet = b"".join(world.as_vera.client.get(f"/api/v1{here}/sheet"))
    assert hashlib.sha256(sheet).hexdigest() == world.as_vera.get(here).body["sha256"]


@pytest.mark.parametrize(
    "body",
    [
        {"changes": []},
        {"changes": [{"number": 0, "version": 0}]},
        {"changes": [{"number": 1, "version": 0, "state": "released"}]},
        {"changes": [{"number": 1, "version": 0, "role": "admin"}]},
        {"changes": [{"number": 1, "version": 0}], "decimal": ";"},
    ],
)
def test_what_says_no_change_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world.as_rosa.post(f"{path(world, listed_for(world))}/rows", body).status == 422
