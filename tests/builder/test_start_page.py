"""Where a person begins is kept with the person, not with a browser."""

from __future__ import annotations

import json

import pytest

from builder.accounts.models import StartPage, User
from builder.audit.models import AuditRow
from tests.builder.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


def changes(world: World) -> list[dict[str, object]]:
    rows = AuditRow.objects.filter(verb="profile.changed", object_id=str(world.rosa.pk)).order_by("sequence")
    return [json.loads(row.detail) for row in rows]


def test_everybody_begins_at_home_until_they_choose_another_page(world: World) -> None:
    assert world.as_rosa.get("/me").body["start_page"] == "home"
    for page in StartPage.values:
        assert world.as_rosa.patch("/me", {"start_page": page}).body["start_page"] == page
        assert world.as_rosa.get("/session").body["user"]["start_page"] == page
    assert world.as_bo.get("/me").body["start_page"] == "home", "of each person by themselves"


def test_a_page_that_is_none_to_begin_at_is_refused_and_changes_nothing(world: World) -> None:
    assert world.as_rosa.patch("/me", {"start_page": "inbox"}).status == 200
    for wrong in ("https://elsewhere.example", "/settings", "", 1):
        assert world.as_rosa.patch("/me", {"start_page": wrong}).status == 422, wrong
    assert User.objects.get(pk=world.rosa.pk).start_page == "inbox"


def test_the_choice_is_on_record_once_with_what_it_was_before(world: World) -> None:
    for _ in range(2):
        assert world.as_rosa.patch("/me", {"start_page": "runs"}).status == 200
    (told,) = changes(world)
    before, after = told["before"], told["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["start_page"], after["start_page"]) == ("home", "runs")


def test_what_else_is_changed_leaves_it_as_it_is(world: World) -> None:
    world.as_rosa.patch("/me", {"start_page": "workflows"})
    assert world.as_rosa.patch("/me", {"theme": "dark"}).body["start_page"] == "workflows"
