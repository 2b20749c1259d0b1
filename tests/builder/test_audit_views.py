"""Searches of the audit log that admins save, for themselves or for all of them, and with which one they open it."""

from __future__ import annotations

from typing import Any

import pytest

from builder.accounts.models import Role
from builder.workflows import saved_views
from builder.workflows.models import SavedView
from builder.workflows.saved_views import MOST_VIEWS
from tests.builder.conftest import World
from tests.factories import Caller, browser_of, join, make_person

SIGN_INS = {"verb": ["session.signed_in", "session.refused"], "since": "7d"}


@pytest.fixture
def ada(world: World) -> Caller:
    """Another admin."""
    person = make_person("Ada")
    join(world.northwind, person, Role.ADMIN)
    return browser_of(person)


def listed(caller: Caller, world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"{world.here}/audit/views").body["items"]
    return found


def saved(caller: Caller, world: World, name: str, **more: Any) -> dict[str, Any]:
    answer = caller.post(f"{world.here}/audit/views", {"name": name, "search": SIGN_INS, **more})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body
    return made


def test_a_search_is_kept_as_it_was_saved_and_seen_by_whoever_saved_it(world: World, ada: Caller) -> None:
    made = saved(world.as_alice, world, "Sign-ins")
    assert made["search"] == {
        "actor": None, "verb": ["session.signed_in", "session.refused"], "kind": None, "object": None, "since": "7d",
        "until": None, "q": None,
    }  # fmt: skip
    assert (made["mine"], made["shared"], made["owner"], made["first"]) == (True, False, "Alice", False)
    assert [one["name"] for one in listed(world.as_alice, world)] == ["Sign-ins"]
    assert listed(ada, world) == []


def test_lists_keep_their_searches_apart(world: World) -> None:
    audit = saved(world.as_alice, world, "Sign-ins", shared=True)
    runs = world.as_alice.post(
        f"{world.here}/runs/views", {"name": "Late", "search": {"q": "late"}, "shared": True}
    ).body
    assert [one["name"] for one in world.as_vera.get(f"{world.here}/runs/views").body["items"]] == ["Late"]
    assert [one["name"] for one in listed(world.as_alice, world)] == ["Sign-ins"]
    assert world.as_alice.patch(f"{world.here}/runs/views/{audit['id']}", {"name": "x"}).status == 404
    assert world.as_alice.delete(f"{world.here}/audit/views/{runs['id']}").status == 404
    assert world.as_alice.put(f"{world.here}/audit/views", {"view": runs["id"]}).status == 404


def test_what_is_shared_is_offered_to_all_admins_who_rename_and_remove_it(world: World, ada: Caller) -> None:
    path = f"{world.here}/audit/views/{saved(world.as_alice, world, 'Sign-ins', shared=True)['id']}"
    assert [(one["name"], one["mine"]) for one in listed(ada, world)] == [("Sign-ins", False)]
    assert ada.patch(path, {"name": "Who came in", "search": {"actor": "x"}}).body["search"]["actor"] == "x"
    assert [one["name"] for one in listed(world.as_alice, world)] == ["Who came in"]
    assert ada.delete(path).status == 204
    assert listed(world.as_alice, world) == []
    hers = saved(world.as_alice, world, "Hers")
    assert ada.patch(f"{world.here}/audit/views/{hers['id']}", {"name": "Mine"}).status == 404


def test_each_admin_opens_the_log_with_one_of_their_choice(world: World, ada: Caller) -> None:
    shared, own = saved(world.as_alice, world, "Sign-ins", shared=True), saved(world.as_alice, world, "Own")
    put = f"{world.here}/audit/views"
    assert [one["first"] for one in ada.put(put, {"view": shared["id"]}).body["items"]] == [True]
    assert [one["first"] for one in listed(world.as_alice, world)] == [False, False]
    assert ada.put(put, {"view": own["id"]}).status == 404, "she cannot choose it"
    world.as_alice.put(put, {"view": shared["id"]})
    found = world.as_alice.put(put, {"view": own["id"]}).body["items"]
    assert {one["name"]: one["first"] for one in found} == {"Sign-ins": False, "Own": True}
    assert not any(one["first"] for one in world.as_alice.put(put, {"view": None}).body["items"])
    world.as_alice.patch(f"{put}/{shared['id']}", {"shared": False})
    assert listed(ada, world) == [], "and it is no more the first one of somebody who cannot see it"


def test_removing_it_opens_the_log_with_everything_again(world: World) -> None:
    made = saved(world.as_alice, world, "Sign-ins")
    world.as_alice.put(f"{world.here}/audit/views", {"view": made["id"]})
    assert world.as_alice.delete(f"{world.here}/audit/views/{made['id']}").status == 204
    assert listed(world.as_alice, world) == []


@pytest.mark.parametrize("deed", ["choose", "rename"])
def test_what_another_admin_takes_away_at_that_moment_is_not_there(
    world: World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    made = saved(world.as_alice, world, "Sign-ins", shared=True)
    true = saved_views.find

    def find_then_taken_away(**what: Any) -> SavedView | None:
        found = true(**what)
        SavedView.objects.all().delete()
        return found

    monkeypatch.setattr(saved_views, "find", find_then_taken_away)
    path = f"{world.here}/audit/views"
    if deed == "choose":
        answer = world.as_alice.put(path, {"view": made["id"]})
    else:
        answer = world.as_alice.patch(f"{path}/{made['id']}", {"name": "Who came in"})
    assert answer.status == 404, answer.body


@pytest.mark.parametrize(
    "search", [{"since": "soon"}, {"until": "2026-02-31"}, {"colour": "red"}, {"q": "x" * 201}, {"verb": "session"}]
)
def test_a_search_that_no_log_could_show_is_not_saved(world: World, search: dict[str, Any]) -> None:
    answer = world.as_alice.post(f"{world.here}/audit/views", {"name": "No", "search": search})
    assert answer.status == 422


def test_nobody_saves_without_end_and_each_list_counts_for_itself(world: World) -> None:
    for number in range(MOST_VIEWS):
        saved(world.as_alice, world, f"Search {number}")
    answer = world.as_alice.post(f"{world.here}/audit/views", {"name": "One more", "search": {}})
    assert (answer.status, answer.code) == (409, "too_many_views")
    assert world.as_alice.post(f"{world.here}/runs/views", {"name": "Late", "search": {}}).status == 201


def test_the_log_says_of_which_kinds_of_things_it_tells(world: World) -> None:
    saved(world.as_alice, world, "Sign-ins")
    assert "audit_view" in world.as_alice.get(f"{world.here}/audit/filters").body["kinds"]
