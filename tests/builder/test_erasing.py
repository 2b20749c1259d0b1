"""S119: somebody is erased. Their name and address are gone from the account, from what they answered and did, and
from the audit log, which stays as verifiable as it was; one that was broken off is given again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, connections, transaction

from builder.accounts import erasing as accounts_erasing
from builder.accounts.models import Absence, Membership, User
from builder.audit import verify
from builder.audit.models import AuditErasing, AuditRedaction, AuditRow
from builder.workflows.models import SavedView
from runtime import api as runtime_api
from runtime.contracts.people import Erased
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store import erasing, failpoints
from runtime.store.failpoints import FailpointReached
from runtime.store.models import (
    AlertChannel,
    AlertMessage,
    BulkRetry,
    BulkRetryItem,
    HumanNote,
    HumanVote,
    LetterGroup,
    PendingAnswer,
    RunTag,
)
from runtime.worker.pending_answers import settle
from tests import factories
from tests.builder.audited import run_of
from tests.builder.conftest import World
from tests.builder.test_people import question
from tests.databases import unguarded

pytestmark = pytest.mark.django_db(transaction=True)
NAME, EMAIL = "Viktoria Verschwunden", "viktoria@example.org"


@pytest.fixture
def somebody(world: World) -> Membership:
    """A member who has done things: signed in, renamed themselves, answered a question, was put into a group."""
    person = factories.make_person("Viktoria V.")
    User.objects.filter(pk=person.pk).update(email=EMAIL)
    person.refresh_from_db()
    from builder.accounts.models import Role

    member = factories.join(world.northwind, person, Role.REVIEWER)
    theirs = factories.browser_of(person)
    assert theirs.patch("/me", {"name": NAME}).status == 200
    asked = question(world)
    assert theirs.post(f"{world.here}/inbox/{asked.id}/decide", {"outcome": "approved"}).status == 200
    alice = Membership.objects.get(user=world.alice, workspace=world.northwind)
    away = {"first_day": "2026-11-02", "stand_in": str(alice.pk), "note": f"Ask {NAME} on the phone"}
    assert theirs.post(f"{world.here}/absences/mine", away).status == 201
    away = {"first_day": "2026-11-02", "stand_in": str(member.pk)}
    assert world.as_bo.post(f"{world.here}/absences/mine", away).status == 201
    body = {"name": "Checkers", "members": [str(member.pk)]}
    assert world.as_alice.post(f"{world.here}/groups", body).status == 201
    assert world.as_alice.patch(f"{world.here}/members/{member.pk}", {"role": "builder"}).status == 200
    found: Membership = Membership.objects.get(pk=member.pk)
    return found


def erase(world: World, member: Membership, **more: Any) -> Any:
    body = {"email": EMAIL, "reason": "She asked for it.", **more}
    return world.as_alice.post(f"{world.here}/members/{member.pk}/erase", body)


def test_saved_searches_keep_neither_the_person_nor_what_only_they_looked_for(
    world: World, somebody: Membership
) -> None:
    theirs = factories.browser_of(somebody.user)
    views = f"{world.here}/runs/views"
    for name, shared in (("Only mine", False), (f"Of {NAME}", True)):
        body = {"name": name, "search": {"q": f"supplier {EMAIL}"}, "shared": shared}
        assert theirs.post(views, body).status == 201
    body = {"name": f"What {NAME} did", "search": {"q": NAME.upper(), "verb": ["task.decided"]}}
    assert world.as_alice.post(f"{world.here}/audit/views", body).status == 201
    assert erase(world, somebody).status == 200
    found = {row.name: (row.owner.email, row.search) for row in SavedView.objects.select_related("owner")}
    then = User.objects.get(pk=somebody.user_id)
    assert found == {
        f"Of {then.name}": (then.email, {"q": f"supplier {then.email}"}),
        f"What {then.name} did": (world.alice.email, {"q": then.name, "verb": ["task.decided"]}),
    }


def everything() -> str:
    """All that stands in the database."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(str(cursor.fetchall()))
    return "\n".join(found).lower()


def test_nothing_says_any_more_who_it_was_and_the_log_is_whole(
    world: World, somebody: Membership, tmp_path: Path
) -> None:
    before = list(AuditRow.objects.order_by("pk").values_list("chain", "sequence", "verb", "previous", "digest"))
    assert NAME.lower() in everything()
    answer = erase(world, somebody)
    assert answer.status == 200, answer.body
    pseudonym = answer.body["pseudonym"]
    told = everything()
    for gone in (NAME, EMAIL, "Viktoria V."):
        assert gone.lower() not in told, gone
    assert (
        list(
            AuditRow.objects.order_by("pk").values_list("chain", "sequence", "verb", "previous", "digest")[
                : len(before)
            ]
        )
        == before
    ), "no row is gone, and no digest is another one"
    for chain in verify.chains_known():
        assert verify.verify(chain).ok, chain
    assert HumanVote.objects.get().name == pseudonym
    (absence,) = Absence.objects.all()
    assert (absence.member.user, absence.stand_in) == (world.bo, None)
    user = User.objects.get(pk=somebody.user_id)
    assert (user.name, user.is_active, user.has_usable_password()) == (pseudonym, False, False)
    row = AuditRow.objects.get(verb="person.erased", chain=str(world.northwind.id))
    assert json.loads(row.detail)["redacted"]["rows"] > 2
    export = tmp_path / "audit.jsonl"
    export.write_bytes(world.as_alice.get(f"{world.here}/audit/export").raw)
    script = [sys.executable, "docs/check_audit.py", str(export)]
    assert "as they were written" in subprocess.run(script, capture_output=True, text=True, check=True).stdout
    lines = export.read_text().splitlines()
    changed = [line.replace(pseudonym, "Mallory") for line in lines]
    export.write_text("\n".join(changed))
    assert subprocess.run(script, capture_output=True, check=False).returncode == 1


def test_what_waits_and_whom_alerts_tell_says_nothing_of_them_either(world: World, somebody: Membership) -> None:
    theirs = factories.browser_of(User.objects.get(pk=somebody.user_id))
    waits, refused = question(world), question(world)
    for task in (waits, refused):
        answer = theirs.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved", "undo": True})
        assert len(answer.body["pending"]) == 1, answer.body
    PendingAnswer.objects.filter(task=refused).update(due_at=None, refused="It was too late.", refused_code="too_late")
    HumanNote.objects.create(
        task=waits, kind="mail_failed", at=1, to=EMAIL, text=f"550 <{EMAIL}>: there is no such mailbox"
    )
    people = dumps([EMAIL, "role:admin"])
    channel = AlertChannel.objects.create(workspace_id=world.northwind.id, name="Ops", people=people, created_at=1)
    AlertMessage.objects.create(
        workspace_id=world.northwind.id, channel_id=channel.pk, kind="alert", route="mail", target=EMAIL, name=NAME,
        slot_at=1, due_at=2**40, created_at=1, error=f"550 <{EMAIL}>",
    )  # fmt: skip
    assert erase(world, somebody).status == 200
    PendingAnswer.objects.filter(task=waits).update(due_at=1)
    settle()
    told = everything()
    for gone in (NAME, EMAIL, "Viktoria V."):
        assert gone.lower() not in told, gone
    assert not HumanVote.objects.filter(task=waits).exists(), "nobody decides after they are gone"
    assert AlertChannel.objects.get().people == dumps(["role:admin"])
    assert (AlertMessage.objects.get().status, AlertMessage.objects.get().due_at) == ("dropped", None)


def test_somebody_whose_address_ends_alike_stays_as_they_are(world: World, somebody: Membership) -> None:
    """And keeps nobody waiting: what merely looks like the person is passed over once."""
    task = question(world)
    for number in range(3):
        HumanNote.objects.create(task=task, kind="too", at=number, to=f"maria{EMAIL}")
    who = Erased(somebody.user_id, frozenset({NAME}), frozenset({EMAIL}), "Erased person 1", "erased@erased.invalid")
    assert erasing._notes(who) == 0
    assert HumanNote.objects.filter(to=f"maria{EMAIL}").count() == 3


def test_whoever_changes_a_row_that_was_redacted_is_found(world: World, somebody: Membership) -> None:
    assert erase(world, somebody).status == 200
    chain = str(world.northwind.id)
    redacted = AuditRedaction.objects.filter(chain=chain).order_by("sequence").first()
    assert redacted is not None
    with transaction.atomic(), unguarded():
        AuditRow.objects.filter(chain=chain, sequence=redacted.sequence).update(actor_name="Mallory")
    found = verify.verify(chain).fault
    assert found is not None
    assert (found.sequence, found.what) == (redacted.sequence, "changed")


def test_a_redaction_without_a_deed_is_found(world: World, somebody: Membership) -> None:
    """Whoever changes a row and says themselves that it was redacted has no deed in the chain that vouches for it."""
    from builder.audit import chain as chains

    chain = str(world.northwind.id)
    row = AuditRow.objects.filter(chain=chain).order_by("sequence").first()
    assert row is not None
    row.actor_name = "Mallory"
    sha256 = chains.digest_of(chains.document([getattr(row, name) for name in chains.COLUMNS]))
    with transaction.atomic(), unguarded():
        AuditRow.objects.filter(pk=row.pk).update(actor_name="Mallory")
        AuditRedaction.objects.create(chain=chain, sequence=row.sequence, sha256=sha256, deed=row.sequence + 1)
    found = verify.verify(chain).fault
    assert found is not None
    assert found.what == "changed"


def test_the_database_lets_nothing_else_of_a_row_be_changed(world: World, somebody: Membership) -> None:
    for change in ({"actor_name": "x"}, {"digest": "0" * 64}):
        with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
            AuditRow.objects.update(**change)

    def while_erasing() -> None:
        with transaction.atomic():
            AuditErasing.objects.create(pk=1)
            AuditRow.objects.update(digest="0" * 64)

    with pytest.raises(DatabaseError, match="only added"):
        while_erasing()
    assert not AuditErasing.objects.exists()


def test_it_can_be_given_again_where_it_was_broken_off(world: World, somebody: Membership) -> None:
    failpoints.arm("people.erase:after=raise@nth(1)")
    try:
        assert erase(world, somebody).status >= 500
    except FailpointReached:
        pass
    finally:
        failpoints.disarm()
    assert User.objects.get(pk=somebody.user_id).email == EMAIL
    removed = AuditRow.objects.filter(verb="member.removed", object_id=str(somebody.pk))
    assert removed.count() == 1, "that they come in no more is on record already"
    assert erase(world, somebody).status == 200
    assert EMAIL not in everything()
    assert removed.count() == 1
    assert erase(world, somebody, email=User.objects.get(pk=somebody.user_id).email).status < 500


def test_who_may_not_be_erased_is_not(world: World, somebody: Membership) -> None:
    assert erase(world, somebody, email="somebody@example.org").status == 422
    mine = Membership.objects.get(user=world.alice, workspace=world.northwind)
    answer = world.as_alice.post(f"{world.here}/members/{mine.pk}/erase", {"email": world.alice.email, "reason": "x"})
    assert (answer.status, answer.body["code"]) == (409, "not_oneself")
    assert world.as_bo.post(f"{world.here}/members/{somebody.pk}/erase", {"email": EMAIL, "reason": "x"}).status == 403


def two_admins(world: World) -> tuple[Any, Membership, Any, Membership]:
    """The two admins of the workspace, each with their browser."""
    for person in (world.alice, world.bo):
        User.objects.filter(pk=person.pk).update(is_instance_admin=True)
    Membership.objects.filter(user=world.bo, workspace=world.northwind).update(role="admin")
    found = {row.user_id: row for row in Membership.objects.filter(workspace=world.northwind)}
    return world.as_alice, found[world.alice.pk], world.as_bo, found[world.bo.pk]


def admins_left(world: World) -> int:
    rows = Membership.objects.filter(workspace=world.northwind, role="admin", active=True, user__is_active=True)
    return rows.filter(user__is_instance_admin=True).count()


@pytest.mark.parametrize("behind", ["look", "erase_person"])
def test_of_two_admins_who_are_erased_at_the_same_moment_one_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    """The other one is asked for just behind the first look, and while what the first one left is rewritten."""
    alice, her_own, bo, his_own = two_admins(world)
    assert bo.get(f"{world.here}/members").status == 200
    body = {"reason": "They asked for it."}
    answers: list[Any] = []
    of: Any = accounts_erasing if behind == "look" else runtime_api
    genuine = getattr(of, behind)

    def meanwhile(*told: Any, **named: Any) -> Any:
        found = genuine(*told, **named)
        if not answers:
            answers.append(None)
            path = f"{world.here}/members/{her_own.pk}/erase"
            answers[0] = bo.post(path, {"email": world.alice.email, **body})
        return found

    monkeypatch.setattr(of, behind, meanwhile)
    first = alice.post(f"{world.here}/members/{his_own.pk}/erase", {"email": world.bo.email, **body})
    assert sorted(one.status // 100 for one in (first, answers[0])) == [2, 4], (first.body, answers[0].body)
    assert admins_left(world) == 1


def test_two_admins_erased_by_two_threads_leave_one(world: World) -> None:
    alice, her_own, bo, his_own = two_admins(world)
    assert bo.get(f"{world.here}/members").status == 200
    gate = threading.Barrier(2)
    statuses: list[int] = []

    def erased(by: Any, member: Membership, email: str) -> None:
        gate.wait()
        try:
            answer = by.post(f"{world.here}/members/{member.pk}/erase", {"email": email, "reason": "Asked for."})
            statuses.append(answer.status)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=erased, args=(alice, his_own, world.bo.email)),
        threading.Thread(target=erased, args=(bo, her_own, world.alice.email)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status // 100 for status in statuses) == [2, 4], statuses
    assert admins_left(world) == 1


def test_what_they_typed_for_runs_whose_turn_has_not_come_names_them_no_more(
    world: World, somebody: Membership
) -> None:
    """Only what they typed themselves: others may mean somebody else of that name."""
    bulks = [
        BulkRetry.objects.create(
            workspace_id=world.northwind.id, at=1, by=by, reason=f"{NAME} said so", status="running", total=1
        )
        for by in (somebody.user_id, world.bo.pk)
    ]
    edits = dumps({"node": "a", "fields": [[["to"], EMAIL], [["text"], f"Ask {NAME}, please"]]})
    whole = dumps({"node": "a", "whole": {"to": EMAIL}})
    for bulk in bulks:
        for place, text in enumerate((edits, whole)):
            BulkRetryItem.objects.create(bulk_id=bulk.pk, place=place, run_id=bulk.pk, generation=1, edits=text)
    answer = erase(world, somebody)
    assert answer.status == 200
    mine, others = (list(BulkRetryItem.objects.filter(bulk_id=one.pk).order_by("place")) for one in bulks)
    for item in mine:
        assert item.edits is not None
        assert NAME not in item.edits
        assert EMAIL not in item.edits
    assert answer.body["pseudonym"] in str(mine[0].edits)
    assert [item.edits for item in others] == [edits, whole]
    mine_said, others_said = BulkRetry.objects.order_by("id").values_list("reason", flat=True)
    assert mine_said == f"{answer.body['pseudonym']} said so"
    assert others_said == f"{NAME} said so"


def test_notes_on_groups_of_dead_letters_name_whoever_wrote_them_no_more(world: World, somebody: Membership) -> None:
    """Their own notes; of what others wrote nobody knows whom they meant."""
    for by, cause in ((somebody.user_id, "c1"), (world.bo.pk, "c2")):
        LetterGroup.objects.create(
            workspace_id=world.northwind.id, cause=cause, note=f"Ask {NAME} ({EMAIL})", noted_by=by, noted_at=1,
            ticket=f"https://tickets.example.org/of/{EMAIL}", muted_by=by, muted_at=1,
        )  # fmt: skip
    answer = erase(world, somebody)
    assert answer.status == 200
    theirs, others = LetterGroup.objects.order_by("cause")
    assert NAME not in theirs.note
    assert EMAIL not in theirs.note + theirs.ticket
    assert answer.body["pseudonym"] in theirs.note
    assert (others.note, others.noted_by) == (f"Ask {NAME} ({EMAIL})", world.bo.pk)
    listed = world.as_vera.get(f"{world.here}/dead-letters")
    assert listed.status == 200


def test_words_on_runs_that_name_them_are_taken_back_and_those_of_others_stay(world: World) -> None:
    mine, other = uuid7(), uuid7()
    run, both = (UUID(run_of(world).rpartition("/")[2]) for _ in range(2))
    name = "Viktoria V."
    for by, runs, word in ((mine, [run, both], f"ask {name}"), (mine, [run], "late"), (other, [both], f"for {name}")):
        runtime_api.tag_runs(workspace_id=world.northwind.id, run_ids=runs, add=[word], remove=[], by=by)
    runtime_api.tag_run(workspace_id=world.northwind.id, run_id=both, add=["ask P 1"], remove=[], by=other)
    who = Erased(mine, frozenset({name}), frozenset({EMAIL}), "P 1", "p1@erased.invalid")
    assert runtime_api.erase_person(who) == 2
    assert set(RunTag.objects.values_list("run_id", "tag")) == {
        (run, "ask P 1"), (run, "late"), (both, "ask P 1"), (both, f"for {name}"),
    }  # fmt: skip
    assert runtime_api.erase_person(who) == 0
