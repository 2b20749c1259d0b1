"""Searches that people save, and the columns each of them looks at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from builder.workflows import saved_views
from builder.workflows.models import SavedView
from builder.workflows.saved_views import MOST_VIEWS
from tests.builder.conftest import World
from tests.factories import Caller

FAILED = {"status": ["dead_lettered"], "since": "7d"}


def names(caller: Caller, path: str) -> list[str]:
    return [one["name"] for one in caller.get(f"{path}/runs/views").body["items"]]


def saved(caller: Caller, path: str, name: str, **more: Any) -> Any:
    answer = caller.post(f"{path}/runs/views", {"name": name, "search": FAILED, **more})
    assert answer.status == 201, answer.body
    return answer.body


def test_a_search_is_kept_as_it_was_saved_and_seen_by_whoever_saved_it(world: World) -> None:
    made = saved(world.as_vera, world.here, "Failed")
    assert made["search"] == {
        "q": None, "status": ["dead_lettered"], "workflow": None, "mode": None, "since": "7d", "until": None,
        "sort": None,
    }  # fmt: skip
    assert (made["mine"], made["shared"], made["owner"]) == (True, False, "Vera")
    assert names(world.as_vera, world.here) == ["Failed"]
    assert names(world.as_rosa, world.here) == []
    assert names(world.as_mallory, world.there) == []


def test_what_is_shared_is_offered_to_everybody_here_and_changed_by_reviewers(world: World) -> None:
    shared = saved(world.as_rosa, world.here, "Late invoices", shared=True)
    path = f"{world.here}/runs/views/{shared['id']}"
    assert names(world.as_vera, world.here) == ["Late invoices"]
    assert world.as_vera.patch(path, {"name": "Mine now"}).status == 404
    assert world.as_bo.patch(path, {"name": "Overdue"}).body["name"] == "Overdue"
    assert world.as_vera.delete(path).status == 404
    assert world.as_bo.delete(path).status == 204
    assert names(world.as_rosa, world.here) == []


def test_viewers_save_for_themselves_only(world: World) -> None:
    answer = world.as_vera.post(f"{world.here}/runs/views", {"name": "All", "search": {}, "shared": True})
    assert answer.status == 403
    mine = saved(world.as_vera, world.here, "Mine")
    assert world.as_vera.patch(f"{world.here}/runs/views/{mine['id']}", {"shared": True}).status == 403
    assert world.as_rosa.patch(f"{world.here}/runs/views/{mine['id']}", {"name": "Hers"}).status == 404
    assert world.as_vera.delete(f"{world.here}/runs/views/{mine['id']}").status == 204


def test_what_came_shared_from_somebody_who_left_is_its_owners_to_change_and_remove(world: World) -> None:
    shared = saved(world.as_rosa, world.here, "Late invoices", shared=True)
    assert saved_views.hand_over(view_id=UUID(shared["id"]), of=world.rosa, to=world.vera)
    path = f"{world.here}/runs/views/{shared['id']}"
    assert world.as_vera.patch(path, {"name": "Overdue", "shared": True}).body["shared"]
    assert world.as_vera.patch(path, {"search": {"q": "late"}}).body["search"]["q"] == "late"
    assert world.as_bo.patch(path, {"name": "Overdue by a week"}).status == 200
    assert not world.as_vera.patch(path, {"shared": False}).body["shared"]
    # To share anew is what they may not.
    assert world.as_vera.patch(path, {"shared": True}).status == 403
    assert world.as_vera.delete(path).status == 204


def test_what_came_shared_is_removed_while_it_is_shared(world: World) -> None:
    shared = saved(world.as_rosa, world.here, "Late invoices", shared=True)
    assert saved_views.hand_over(view_id=UUID(shared["id"]), of=world.rosa, to=world.vera)
    assert world.as_vera.delete(f"{world.here}/runs/views/{shared['id']}").status == 204


@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize("day", ["2026-02-31", "2026-13-01", "2026-02-28T24:30Z", "2025-02-29T08:00"])
def test_a_day_that_there_is_not_is_refused_in_words(world: World, field: str, day: str) -> None:
    answer = world.as_vera.post(f"{world.here}/runs/views", {"name": "No", "search": {field: day}})
    assert answer.status == 422
    assert answer.body["fields"] == {
        f"search.{field}": ["There is no such day or time. Write 2026-11-30, 2026-11-30T14:30, or 7d."]
    }


@pytest.mark.parametrize("day", ["2028-02-29", "2026-11-30T14:30Z", "2026-11-30T14:30:05.5+01:00", "24h"])
def test_days_and_moments_that_there_are_are_kept(world: World, day: str) -> None:
    answer = world.as_vera.post(f"{world.here}/runs/views", {"name": "Yes", "search": {"since": day, "until": day}})
    assert answer.body["search"]["since"] == answer.body["search"]["until"] == day


def test_what_was_kept_before_days_were_looked_at_is_still_listed(world: World) -> None:
    made = saved(world.as_vera, world.here, "Old")
    SavedView.objects.filter(pk=made["id"]).update(search={"since": "2026-02-31"})
    (found,) = world.as_vera.get(f"{world.here}/runs/views").body["items"]
    assert found["search"]["since"] == "2026-02-31"


def test_each_opens_the_list_of_runs_with_one_of_their_choice(world: World) -> None:
    shared, mine = saved(world.as_rosa, world.here, "Ours", shared=True), saved(world.as_vera, world.here, "Mine")
    path = f"{world.here}/runs/views"

    def first(caller: Caller) -> list[str]:
        return [one["name"] for one in caller.get(path).body["items"] if one["first"]]

    assert first(world.as_vera) == []
    chosen = world.as_vera.put(path, {"view": shared["id"]})
    assert [one["name"] for one in chosen.body["items"] if one["first"]] == first(world.as_vera) == ["Ours"]
    assert first(world.as_rosa) == []
    assert world.as_vera.patch(f"{path}/{mine['id']}", {"name": "My own"}).body["first"] is False
    assert world.as_vera.put(path, {"view": mine["id"]}).status == 200
    assert first(world.as_vera) == ["My own"]
    assert world.as_rosa.put(path, {"view": mine["id"]}).status == 404
    assert world.as_mallory.put(f"{world.there}/runs/views", {"view": shared["id"]}).status == 404
    assert world.as_vera.put(path, {"view": None}).status == 200
    assert first(world.as_vera) == []


def test_nobody_saves_without_end(world: World) -> None:
    for number in range(MOST_VIEWS):
        saved(world.as_vera, world.here, f"Search {number}")
    answer = world.as_vera.post(f"{world.here}/runs/views", {"name": "One more", "search": {}})
    assert (answer.status, answer.code) == (409, "too_many_views")


def test_a_search_that_no_list_could_show_is_not_saved(world: World) -> None:
    for search in ({"status": ["broken"]}, {"sort": "by colour"}, {"colour": "red"}, {"since": "soon"}):
        answer = world.as_vera.post(f"{world.here}/runs/views", {"name": "No", "search": search})
        assert answer.status == 422, search


def test_columns_are_remembered_for_each_person_and_workspace(world: World) -> None:
    path = f"{world.here}/runs/columns"
    assert world.as_vera.get(path).body == {"columns": None}
    assert world.as_vera.put(path, {"columns": ["run", "field:total"]}).body == {"columns": ["run", "field:total"]}
    world.as_vera.put(path, {"columns": ["run", "who"]})
    assert world.as_vera.get(path).body == {"columns": ["run", "who"]}
    assert world.as_rosa.get(path).body == {"columns": None}
