"""Signing in and out, and everything that ends a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session

from builder.accounts import services, tries
from builder.accounts.models import Invitation, Role, SignInTries, User
from builder.accounts.rights import Scope
from tests.builder.conftest import World
from tests.factories import PASSWORD, Caller, browser_of


def test_signing_in_answers_with_who_one_is_and_where(world: World) -> None:
    caller = Caller()
    answer = caller.sign_in("ALICE@example.org ")
    assert answer.status == 200
    assert answer.body["user"]["name"] == "Alice"
    assert [workspace["name"] for workspace in answer.body["workspaces"]] == ["Northwind"]


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(world: World) -> None:
    answers = [Caller().sign_in(email, "wrong") for email in ("alice@example.org", "nobody@example.org")]
    assert {answer.status for answer in answers} == {401}
    assert {answer.body["title"] for answer in answers} == {"E-mail or password is wrong."}


def test_the_session_key_before_signing_in_is_worth_nothing_after(world: World) -> None:
    """S10: fixation."""
    caller = Caller()
    caller.get("/session")
    caller.client.cookies[settings.SESSION_COOKIE_NAME] = "planted" * 4
    caller.sign_in("alice@example.org")
    assert caller.client.cookies[settings.SESSION_COOKIE_NAME].value != "planted" * 4
    csrf_before = caller.csrf
    caller.delete("/session")
    assert caller.get("/session").body["csrf_token"] != csrf_before


def test_cookies_are_closed_to_scripts_and_other_sites(world: World) -> None:
    caller = Caller()
    assert caller.sign_in(world.alice.email).status == 200
    cookies = caller.client.cookies
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert cookies[name]["httponly"]
        assert cookies[name]["samesite"] == "Lax"


@pytest.mark.parametrize(("remember", "lasts"), [(False, False), (True, True)])
def test_keep_me_signed_in_decides_whether_the_cookie_outlives_the_browser(
    world: World, remember: bool, lasts: bool
) -> None:
    caller = Caller()
    caller.sign_in("alice@example.org", remember=remember)
    assert bool(caller.client.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) is lasts


def test_signing_out_ends_the_session_on_the_server(world: World) -> None:
    caller = browser_of(world.alice)
    key = caller.client.cookies[settings.SESSION_COOKIE_NAME].value
    assert caller.delete("/session").body["user"] is None
    assert not Session.objects.filter(session_key=key).exists()
    caller.client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert caller.get("/me").status == 401


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(world: World) -> None:
    here, elsewhere = browser_of(world.bo), browser_of(world.bo)
    assert here.patch("/me", {"password": "another long phrase"}).status == 422
    wrong = here.patch("/me", {"password": "another long phrase", "current_password": "wrong"})
    assert wrong.body["fields"] == {"current_password": ["This is not your present password."]}
    changed = here.patch("/me", {"password": "another long phrase", "current_password": PASSWORD})
    assert changed.status == 200
    assert here.get("/me").status == 200
    assert elsewhere.get("/me").status == 401


def test_guessing_the_present_password_is_slowed_down(world: World) -> None:
    here = browser_of(world.bo)

    def change(password: str, present: str) -> int:
        return here.patch("/me", {"password": password, "current_password": present}).status

    # What is refused for another reason is no guess.
    assert {change("weak", PASSWORD) for _ in range(12)} == {422}
    assert [change("another long phrase", f"guess {number}") for number in range(11)] == [422] * 10 + [429]
    assert change("another long phrase", PASSWORD) == 429
    assert here.patch("/me", {"name": "Bo Again"}).status == 200, "the rest of a profile is none of it"
    SignInTries.objects.update(window_started_at=datetime.now(UTC) - tries.WINDOW - timedelta(seconds=1))
    assert change("another long phrase", PASSWORD) == 200


def test_switching_a_member_off_ends_their_sessions_and_tokens(world: World) -> None:
    bo = browser_of(world.bo)
    program = world.program(world.bo)
    member = next(m for m in world.as_alice.get(f"{world.here}/members").body["items"] if m["name"] == "Bo")
    assert world.as_alice.patch(f"{world.here}/members/{member['id']}", {"active": False}).status == 200
    assert bo.get("/me").status == 401
    assert program.get(world.here).status == 404
    again = Caller()
    again.sign_in("bo@example.org")
    assert again.get(world.here).status == 404


def test_a_changed_role_counts_at_once(world: World) -> None:
    member = next(m for m in world.as_alice.get(f"{world.here}/members").body["items"] if m["name"] == "Bo")
    assert world.as_bo.post(f"{world.here}/workflows", {"name": "One"}).status == 201
    world.as_alice.patch(f"{world.here}/members/{member['id']}", {"role": "viewer"})
    assert world.as_bo.post(f"{world.here}/workflows", {"name": "Two"}).status == 403


def test_the_last_admin_stays(world: World) -> None:
    world.dora.is_active = False
    members = world.as_alice.get(f"{world.here}/members").body["items"]
    alice = next(member for member in members if member["name"] == "Alice")
    for change in ({"role": "builder"}, {"active": False}):
        answer = world.as_alice.patch(f"{world.here}/members/{alice['id']}", change)
        assert (answer.status, answer.code) == (409, "last_admin")
    assert world.as_alice.delete(f"{world.here}/members/{alice['id']}").code == "last_admin"


class TestGuessing:
    def test_an_account_is_slowed_down_after_ten_wrong_passwords(self, world: World) -> None:
        statuses = [Caller().sign_in("alice@example.org", "wrong").status for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        refused = Caller().sign_in("alice@example.org")
        assert (refused.status, refused.code) == (429, "too_many_tries")
        assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
        assert Caller().sign_in("bo@example.org").status == 200

    def test_an_address_is_slowed_down_whatever_accounts_it_tries(self, world: World) -> None:
        statuses = [
            Caller().sign_in(f"guess{n}@example.org", "wrong").status for n in range(tries.MOST_PER_ADDRESS + 2)
        ]
        assert statuses.count(401) == tries.MOST_PER_ADDRESS
        assert statuses[-1] == 429

    def test_a_forged_forwarded_for_changes_no_address(self, world: World) -> None:
        for number in range(tries.MOST_PER_ADDRESS + 1):
            caller = Caller(headers={"X-Forwarded-For": f"203.0.113.{number}"})
            answer = caller.sign_in(f"guess{number}@example.org", "wrong")
        assert answer.status == 429

    def test_a_stranger_locks_nobody_out_for_longer_than_the_window(self, world: World) -> None:
        for _ in range(30):
            Caller().sign_in("alice@example.org", "wrong")
        SignInTries.objects.update(window_started_at=datetime.now(UTC) - tries.WINDOW - timedelta(seconds=1))
        assert Caller().sign_in("alice@example.org").status == 200

    def test_a_good_password_starts_the_account_afresh(self, world: World) -> None:
        for _ in range(3):
            assert [Caller().sign_in("bo@example.org", "wrong").status for _ in range(6)] == [401] * 6
            assert Caller().sign_in("bo@example.org").status == 200


class TestInvitations:
    def link(self, world: World, email: str = "ines@example.org", role: str = "reviewer") -> str:
        answer = world.as_alice.post(f"{world.here}/members", {"email": email, "role": role})
        assert answer.status == 201, answer.body
        link = str(answer.body["link"])
        assert "/invitation#token=" in link
        return link.split("token=")[1]

    def test_a_newcomer_gets_an_account_and_the_role(self, world: World, nobody: Caller) -> None:
        token = self.link(world)
        answer = nobody.post("/invitations/accept", {"token": token, "name": "Ines", "password": PASSWORD})
        assert answer.status == 201, answer.body
        assert answer.body["workspaces"][0]["role"] == "reviewer"
        assert not Invitation.objects.filter(token_sha256=token).exists()

    def test_it_is_good_once(self, world: World, nobody: Caller) -> None:
        token = self.link(world)
        nobody.post("/invitations/accept", {"token": token, "name": "Ines", "password": PASSWORD})
        other = Caller()
        other.csrf = other.get("/session").body["csrf_token"]
        assert other.post("/invitations/accept", {"token": token, "name": "Eve", "password": PASSWORD}).status == 403

    def test_it_ends_after_a_week_and_when_withdrawn(self, world: World, nobody: Caller) -> None:
        late = self.link(world)
        Invitation.objects.update(expires_at=datetime.now(UTC))
        withdrawn = self.link(world, "jan@example.org")
        row = next(m for m in world.as_alice.get(f"{world.here}/members").body["items"] if m["invited"])
        assert world.as_alice.delete(f"{world.here}/members/{row['id']}").status == 204
        for token in (late, withdrawn, "guess"):
            body = {"token": token, "name": "X", "password": PASSWORD}
            assert nobody.post("/invitations/accept", body).code == "invitation_closed"

    def test_who_has_an_account_proves_it_with_its_password(self, world: World, nobody: Caller) -> None:
        token = self.link(world, "mallory@example.org", "admin")
        wrong = nobody.post("/invitations/accept", {"token": token, "password": "wrong"})
        assert wrong.body["fields"] == {"password": ["You have an account here already: enter its password to join."]}
        assert nobody.post("/invitations/accept", {"token": token, "password": PASSWORD}).status == 201

    @pytest.mark.parametrize("token", [None, "", [], {}, 0, True])
    def test_a_token_that_is_no_token_is_refused(self, world: World, nobody: Caller, token: object) -> None:
        assert nobody.post("/invitations/accept", {"token": token, "password": PASSWORD}).status == 422

    def test_an_admin_of_one_workspace_invites_nobody_into_another(self, world: World) -> None:
        body = {"email": "ines@example.org", "role": "admin"}
        assert world.as_mallory.post(f"{world.here}/members", body).status == 404
        assert not Invitation.objects.exists()


class TestTokens:
    def test_the_token_is_shown_once_and_kept_as_a_digest(self, world: World) -> None:
        made = world.as_alice.post(f"{world.here}/tokens", {"name": "ERP", "scopes": ["read"], "expires_days": 7})
        token = made.body["token"]
        assert services.digest(token) != token
        listed = world.as_alice.get(f"{world.here}/tokens")
        assert token not in listed.raw.decode()
        assert listed.body["items"][0]["prefix"].endswith(token[-4:])
        assert Caller(token=token).get(world.here).status == 200
        assert Caller(token=token).get(world.there).status == 404

    def test_a_revoked_token_is_refused_at_once(self, world: World) -> None:
        made = world.as_alice.post(f"{world.here}/tokens", {"name": "ERP", "scopes": ["read"]}).body
        program = Caller(token=made["token"])
        assert program.get(world.here).status == 200
        assert world.as_alice.delete(f"{world.here}/tokens/{made['id']}").status == 204
        assert program.get(world.here).status == 401

    def test_a_token_follows_its_owners_role(self, world: World) -> None:
        program = world.program(world.bo, *Scope)
        assert program.post(f"{world.here}/workflows", {"name": "One"}).status == 201
        world.bo.memberships.update(role=Role.VIEWER)
        assert program.post(f"{world.here}/workflows", {"name": "Two"}).status == 403

    def test_a_token_needs_no_csrf_and_cannot_make_tokens(self, world: World) -> None:
        program = world.program(world.alice, *Scope)
        assert program.post(f"{world.here}/workflows", {"name": "One"}).status == 201
        assert program.post(f"{world.here}/tokens", {"name": "x", "scopes": ["read"]}).status == 403

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic abc", "bearer x y", "Bearer " + "m" * 5000])
    def test_a_broken_authorization_header_is_401(self, world: World, header: str) -> None:
        assert Caller(headers={"Authorization": header}).get(world.here).status == 401


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/me", {"is_instance_admin": True}),
        ("/me", {"is_active": True}),
        ("/me", {"email": "alice@example.org"}),
        ("/me", {"session_generation": 0}),
    ],
)
def test_fields_that_are_not_ones_to_set_are_refused(world: World, path: str, fields: dict[str, object]) -> None:
    """S6: mass assignment."""
    before = User.objects.filter(pk=world.bo.pk).values().get()
    answer = world.as_bo.patch(path, fields)
    assert answer.status == 422
    assert answer.body["fields"] == {next(iter(fields)): ["There is no such field."]}
    after = User.objects.filter(pk=world.bo.pk).values().get()
    assert {**after, "last_login": None} == {**before, "last_login": None}


def test_only_an_instance_admin_makes_workspaces(world: World) -> None:
    assert world.as_alice.post("/workspaces", {"name": "Third"}).status == 201
    assert world.as_mallory.post("/workspaces", {"name": "Fourth"}).status == 403


def test_a_session_that_ends_with_the_browser_ends_on_the_server_after_a_day(world: World) -> None:
    def left(*, remember: bool) -> timedelta:
        Session.objects.all().delete()
        caller = Caller()
        assert caller.sign_in(world.bo.email, remember=remember).status == 200
        cookie = caller.client.cookies["millrace_session"]
        assert bool(cookie["max-age"]) is remember
        return Session.objects.get().expire_date - datetime.now(UTC)

    assert timedelta(hours=23) < left(remember=False) <= timedelta(days=1)
    assert timedelta(days=29) < left(remember=True) <= timedelta(days=30)


def test_a_session_past_its_day_is_nobodys(world: World) -> None:
    assert world.as_bo.get("/me").status == 200
    Session.objects.update(expire_date=datetime.now(UTC) - timedelta(seconds=1))
    assert world.as_bo.get("/me").status == 401
