"""Many people are invited at once, out of whatever somebody pasted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from builder.accounts import inviting
from builder.accounts.models import Invitation, Membership, Role
from builder.accounts.rights import Scope
from builder.audit import chain, verify
from builder.audit.models import AuditRow
from builder.workflows.models import Answered
from tests.builder.conftest import World
from tests.factories import PASSWORD, Answer, Caller

KEY = {"Idempotency-Key": "spring-hires"}


def check(world: World, *lines: str) -> list[tuple[int, str, str]]:
    """What is understood of these lines: the line, the address or what stands there, and what it is."""
    answer = world.as_alice.post(f"{world.here}/members/list/check", {"people": list(lines)})
    assert answer.status == 200, answer.body
    assert not Invitation.objects.exclude(email="open@example.org").exists(), "looking invites nobody"
    return [(one["line"], one["email"] or one["text"], one["state"]) for one in answer.body["people"]]


def invite(world: World, *lines: str, **more: Any) -> Answer:
    body = {"people": list(lines), "role": "reviewer", **more}
    headers = body.pop("headers", {})
    return world.as_alice.post(f"{world.here}/members/list", body, headers=headers)


def outcomes(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 200, answer.body
    return [(one["email"] or one["text"], one["outcome"]) for one in answer.body["people"]]


def told(world: World) -> list[AuditRow]:
    return list(AuditRow.objects.filter(chain=str(world.northwind.id), verb="member.invited").order_by("sequence"))


@pytest.mark.parametrize(
    ("lines", "emails"),
    [
        (["a@example.com", "b@example.com"], ["a@example.com", "b@example.com"]),
        (["a@example.com, b@example.com;c@example.com\td@example.com"], [f"{one}@example.com" for one in "abcd"]),
        (["a@example.com\r\nb@example.com\rc@example.com\n"], [f"{one}@example.com" for one in "abc"]),
        (["a@example.com b@example.com"], ["a@example.com", "b@example.com"]),
        (["Ines Kaya <ines@example.com>"], ["ines@example.com"]),
        (["<ines@example.com>"], ["ines@example.com"]),
        (["ines@example.com <Ines@Example.com>"], ["ines@example.com"]),
        (['"Kaya, Ines" <ines@example.com>, "Okafor; Ben" <ben@example.com>'], ["ines@example.com", "ben@example.com"]),
        (["Kaya, Ines <ines@example.com>; Okafor, Ben <ben@example.com>"], ["ines@example.com", "ben@example.com"]),
        (["Ines Kaya\tines@example.com\tFinance"], ["ines@example.com"]),
        (["Ines\tines@example.com\tKaya"], ["ines@example.com"]),
        (["Ines Kaya,ines@example.com"], ["ines@example.com"]),
        (['"Ines";"ines@example.com"'], ["ines@example.com"]),
        (["'ines@example.com'; \"ben@example.com\""], ["ines@example.com", "ben@example.com"]),
        (["mailto:ines@example.com", "MAILTO:ben@example.com"], ["ines@example.com", "ben@example.com"]),
        (["  INES@Example.COM  "], ["ines@example.com"]),
        (["\ufeffines@example.com\u200b\xa0"], ["ines@example.com"]),
        (["", "  ", ";,;", "\t", "ines@example.com,,"], ["ines@example.com"]),
        (["o'brien@example.com", "a+b@example.com"], ["o'brien@example.com", "a+b@example.com"]),
    ],
)
def test_addresses_are_read_out_of_many_shapes(world: World, lines: list[str], emails: list[str]) -> None:
    found = check(world, *lines)
    assert [one for _, one, _ in found] == emails
    assert {state for _, _, state in found} == {"new"}


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("E-mail", ["E-mail"]),
        ("Kaya, Ines", ["Kaya, Ines"]),
        ("ines@", ["ines@"]),
        ("@example.com", ["@example.com"]),
        ("ines kaya@example.com", ["ines kaya@example.com"]),
        ("ines@example", ["ines@example"]),
        ("ines@@example.com", ["ines@@example.com"]),
        ("ines, good@example.com", ["ines"]),
        ("ines; Ben <good@example.com>", ["ines"]),
        ("Ben <good@example.com", ["Ben <good@example.com"]),
        ("a <a@example.com> b <b@example.com>", ["a <a@example.com> b <b@example.com>"]),
        ("one@example.com <other@example.com>", ["one@example.com <other@example.com>"]),
        ("\x07@example.com", ["\x07@example.com"]),
        (f"{'x' * 300}@example.com", [f"{'x' * 120}…"]),
    ],
)
def test_what_is_no_address_is_named_with_its_line(world: World, line: str, bad: list[str]) -> None:
    found = check(world, "first@example.com", "", line)
    assert [(at, one) for at, one, state in found if state == "no_address"] == [(3, one) for one in bad]
    assert found[0] == (1, "first@example.com", "new")


def test_who_is_known_already_is_told_apart_whatever_the_case(world: World) -> None:
    assert invite(world, "open@example.org").status == 200
    found = check(world, "BO@example.org", "Open@Example.org", "new@example.org", "New <NEW@example.org>", "no", "bo")
    assert [(one, state) for _, one, state in found] == [
        ("bo@example.org", "member"), ("open@example.org", "invited"), ("new@example.org", "new"),
        ("new@example.org", "twice"), ("no", "no_address"), ("bo", "no_address"),
    ]  # fmt: skip
    answer = world.as_alice.post(f"{world.here}/members/list/check", {"people": ["bo@example.org", "x@example.org"]})
    counts = {name: answer.body[name] for name in ("new", "members", "invited", "twice", "no_addresses")}
    assert counts == {"new": 1, "members": 1, "invited": 0, "twice": 0, "no_addresses": 0}
    assert answer.body["people"][0]["role"] == "builder"


def test_an_expired_invitation_and_a_member_elsewhere_are_new_here(world: World) -> None:
    invite(world, "open@example.org")
    Invitation.objects.update(expires_at=datetime.now(UTC))
    found = check(world, "open@example.org", "mallory@example.org")
    assert [state for _, _, state in found] == ["new", "new"]


def test_everybody_gets_an_invitation_that_is_good(world: World, nobody: Caller) -> None:
    answer = invite(
        world, "Ines <ines@example.org>", "no address", "ines@example.org", "jan@example.org", "bo@example.org"
    )
    assert outcomes(answer) == [
        ("ines@example.org", "invited"), ("no address", "no_address"), ("ines@example.org", "twice"),
        ("jan@example.org", "invited"), ("bo@example.org", "member"),
    ]  # fmt: skip
    assert sorted(Invitation.objects.values_list("email", flat=True)) == ["ines@example.org", "jan@example.org"]
    with_links = [one for one in answer.body["people"] if one["link"]]
    assert [(one["email"], one["role"]) for one in with_links] == [
        ("ines@example.org", "reviewer"),
        ("jan@example.org", "reviewer"),
    ]
    assert all(one["expires_at"] for one in with_links)
    token = with_links[1]["link"].split("/invitation#token=")[1]
    joined = nobody.post("/invitations/accept", {"token": token, "name": "Jan", "password": PASSWORD})
    assert joined.status == 201, joined.body
    assert Membership.objects.get(user__email="jan@example.org").role == Role.REVIEWER


def test_an_open_invitation_is_left_unless_it_is_to_be_renewed(world: World, nobody: Caller) -> None:
    first = invite(world, "ines@example.org").body["people"][0]["link"].split("token=")[1]
    left = invite(world, "ines@example.org", role="admin")
    assert outcomes(left) == [("ines@example.org", "left")]
    assert (left.body["people"][0]["link"], left.body["people"][0]["role"]) == (None, "reviewer")
    assert Invitation.objects.get().role == Role.REVIEWER
    renewed = invite(world, "ines@example.org", role="viewer", renew=True)
    assert outcomes(renewed) == [("ines@example.org", "renewed")]
    assert Invitation.objects.get().role == Role.VIEWER
    said = {"token": first, "name": "Ines", "password": PASSWORD}
    assert nobody.post("/invitations/accept", said).code == "invitation_closed"
    token = renewed.body["people"][0]["link"].split("token=")[1]
    assert nobody.post("/invitations/accept", said | {"token": token}).status == 201


def test_each_invitation_is_on_record_as_a_single_one_is(world: World) -> None:
    single = world.as_alice.post(f"{world.here}/members", {"email": "one@example.org", "role": "reviewer"}).body
    answer = invite(world, "ines@example.org", "jan@example.org", "no", "bo@example.org", "one@example.org")
    rows = told(world)
    assert [row.object_name for row in rows] == ["one@example.org", "ines@example.org", "jan@example.org"]
    assert {row.object_id for row in rows} - {single["id"]} == {
        str(one) for one in Invitation.objects.exclude(pk=single["id"]).values_list("pk", flat=True)
    }
    assert {(row.actor_id, row.object_kind, str(row.detail)) for row in rows} == {
        (str(world.alice.id), "member", str(rows[0].detail))
    }
    assert {row.request_id for row in rows[1:]} == {answer.headers["X-Request-ID"]}
    assert verify.verify(str(world.northwind.id)).ok
    assert "token=" not in str([row.detail for row in rows])


def test_a_list_that_invites_nobody_leaves_nothing_on_record(world: World) -> None:
    assert outcomes(invite(world, "bo@example.org", "no")) == [("bo@example.org", "member"), ("no", "no_address")]
    assert told(world) == []


@pytest.mark.django_db(transaction=True)
def test_without_its_row_nobody_is_invited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    append, rows = chain.append, []

    def fail(*arguments: Any) -> Any:
        rows.append(arguments)
        if len(rows) == 2:
            raise RuntimeError("no row can be written")
        return append(*arguments)

    monkeypatch.setattr(chain, "append", fail)
    try:
        answer = invite(world, "ines@example.org", "jan@example.org")
        assert answer.status == 500
    except RuntimeError:
        pass
    monkeypatch.undo()
    assert not Invitation.objects.exists()
    assert told(world) == []


def test_who_joins_while_the_list_is_read_loses_none_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, read = [world.bo.email], inviting.read

    def before(**arguments: Any) -> list[inviting.Listed]:
        found = read(**arguments)
        return [
            inviting.Listed(one.line, one.text, one.email, inviting.ListedState.NEW) if one.email in members else one
            for one in found
        ]

    monkeypatch.setattr(inviting, "read", before)
    answer = invite(world, "ines@example.org", "bo@example.org", "jan@example.org")
    assert [one for _, one in outcomes(answer)] == ["invited", "member", "invited"]
    assert [row.object_name for row in told(world)] == ["ines@example.org", "jan@example.org"]


def test_a_repeat_gets_the_same_answer_and_invites_nobody_again(world: World) -> None:
    first = invite(world, "ines@example.org", "jan@example.org", headers=KEY)
    again = invite(world, "ines@example.org", "jan@example.org", headers=KEY)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.body == first.body
    assert len(told(world)) == Invitation.objects.count() == 2
    assert first.body["people"][0]["link"].split("token=")[1] not in str(list(Answered.objects.values()))
    assert invite(world, "other@example.org", headers=KEY).code == "key_reused"


def test_at_most_two_hundred_people_are_invited_at_a_time(world: World) -> None:
    many = [f"p{number}@example.org" for number in range(201)]
    for path, more in (("list/check", {}), ("list", {"role": "viewer"})):
        answer = world.as_alice.post(f"{world.here}/members/{path}", {"people": many, **more})
        assert (answer.status, answer.code) == (422, "too_many_people")
        assert answer.body["params"] == {"most": 200, "found": 201}
    assert not Invitation.objects.exists()
    # The same address counts once, and a heading does not count.
    whole = invite(world, "E-mail", *many[:200], many[0].upper())
    assert [one for _, one in outcomes(whole)] == ["no_address", *["invited"] * 200, "twice"]
    assert len(told(world)) == 200


@pytest.mark.parametrize(
    "lines", [["x" * 100_001], ["a@example.org," * 1_001], [f"not {number}" for number in range(1_001)]]
)
def test_a_text_that_is_no_such_list_is_refused_in_words(world: World, lines: list[str]) -> None:
    answer = invite(world, *lines)
    assert (answer.status, answer.code) == (422, "list_too_long")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("lines", [[""], ["nobody", "at all"], [";", "@", "\x07", "<>", '"', '"@"', "<@>"]])
def test_a_list_without_an_address_is_refused_in_words(world: World, lines: list[str]) -> None:
    assert invite(world, *lines).code == "nobody_to_invite"


@pytest.mark.parametrize("people", [None, "", [], {}, 0, True, [None], [1], [["a@example.org"]], "a@example.org"])
def test_what_is_no_list_is_refused(world: World, people: object) -> None:
    for path, more in (("list/check", {}), ("list", {"role": "viewer"})):
        assert world.as_alice.post(f"{world.here}/members/{path}", {"people": people, **more}).status == 422


def test_a_role_that_is_none_is_refused(world: World) -> None:
    for role in (None, "owner", "", 1):
        assert invite(world, "ines@example.org", role=role).status == 422


def test_only_who_may_invite_one_may_invite_many(world: World) -> None:
    body = {"people": ["ines@example.org"], "role": "viewer"}
    for caller, status in ((world.as_bo, 403), (world.as_vera, 403), (world.as_mallory, 404), (world.as_nobody, 401)):
        assert caller.post(f"{world.here}/members/list", body).status == status
        assert caller.post(f"{world.here}/members/list/check", {"people": body["people"]}).status == status
    assert world.program(world.alice, Scope.BUILD).post(f"{world.here}/members/list", body).status == 403
    assert not Invitation.objects.exists()
    assert world.program(world.alice, Scope.ADMIN).post(f"{world.here}/members/list", body).status == 200
