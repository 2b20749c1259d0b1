"""Lists that are reviewed and released in the place of somebody who is away: the second person stays one (S117)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from json import loads

import pytest

from builder.accounts.directory import voter_of
from builder.accounts.models import Role
from builder.audit.models import AuditRow
from runtime import api as runtime_api
from runtime.contracts import NotAsked
from runtime.store.models import HumanVote, Review
from tests.builder.conftest import World
from tests.builder.test_people import membership
from tests.builder.test_reviews import accept, listed_for, path
from tests.factories import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def away(world: World, caller: Caller, stand_in: str) -> None:
    """They have been since yesterday, and nobody knows until when: no midnight ends it."""
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    body = {"first_day": yesterday, "last_day": None, "stand_in": str(membership(world, stand_in))}
    answer = caller.post(f"{world.here}/absences/mine", body)
    assert answer.status == 201, answer.body


def said_of(verb: str) -> str | None:
    found: str | None = loads(AuditRow.objects.get(verb=verb).detail).get("in_place_of")
    return found


def test_a_stand_in_releases_a_list_and_the_record_says_in_whose_place(world: World) -> None:
    here = path(world, listed_for(world, world.rosa.email, releasers=(world.vera.email,)))
    accept(world.as_rosa, here)
    handed = world.as_rosa.post(f"{here}/hand-over", {"revision": 1})
    away(world, world.as_vera, "bo")
    answer = world.as_bo.post(f"{here}/release", {"revision": handed.body["revision"]})
    assert (answer.status, answer.body["stage"]) == (200, "released"), answer.body
    vote = HumanVote.objects.get()
    assert (vote.voter, vote.for_id) == (world.bo.id, world.vera.id)
    assert said_of("review.handed_over") is None
    assert said_of("review.released") == world.vera.name


def test_a_stand_in_hands_a_list_over_and_the_record_says_in_whose_place(world: World) -> None:
    here = path(world, listed_for(world, world.rosa.email, releasers=(world.vera.email,)))
    away(world, world.as_rosa, "bo")
    accept(world.as_bo, here)
    answer = world.as_bo.post(f"{here}/hand-over", {"revision": 1})
    assert (answer.status, answer.body["stage"]) == (200, "release"), answer.body
    assert said_of("review.handed_over") == world.rosa.name


@pytest.mark.parametrize("hand", ["vera", "bo"])
def test_nobody_releases_by_standing_in_what_they_or_who_is_away_had_a_hand_in(world: World, hand: str) -> None:
    people = [world.rosa.email, world.vera.email, world.bo.email]
    here = path(world, listed_for(world, *people, releasers=(world.vera.email,)))
    accept(getattr(world, f"as_{hand}"), here)
    handed = world.as_rosa.post(f"{here}/hand-over", {"revision": 1})
    away(world, world.as_vera, "bo")
    for way, more in (("release", {"revision": handed.body["revision"]}), ("reject", {"reason": "No"})):
        answer = world.as_bo.post(f"{here}/{way}", more)
        assert answer.status == 403, answer.body
    assert Review.objects.get().stage == "release"
    assert not HumanVote.objects.exists()


def test_who_is_away_no_more_has_nobody_who_releases_for_them(world: World) -> None:
    task = listed_for(world, world.rosa.email, releasers=(world.vera.email,))
    here = path(world, task)
    accept(world.as_rosa, here)
    handed = world.as_rosa.post(f"{here}/hand-over", {"revision": 1})
    away(world, world.as_vera, "bo")
    before = voter_of(world.bo, world.northwind.id, Role.BUILDER)
    assert [one.id for one in before.stands_for] == [world.vera.id]
    assert world.as_vera.delete(f"{world.here}/absences/mine").status == 204
    answer = world.as_bo.post(f"{here}/release", {"revision": handed.body["revision"]})
    assert (answer.status, answer.code) == (403, "not_asked")
    with pytest.raises(NotAsked):
        # Who was let in a moment before is looked up once more under the lock.
        runtime_api.release_review(
            workspace_id=world.northwind.id, task_id=task.id, voter=before, revision=handed.body["revision"]
        )
