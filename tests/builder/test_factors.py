"""The second step of a sign-in: a code of the authenticator app, each good once, and recovery codes without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from builder.accounts import services as accounts
from builder.accounts import tries
from builder.accounts.models import Membership, Role, SecondFactor, SignInTries, User
from builder.audit.models import AuditRow
from builder.connections import crypto, factors
from builder.connections import services as connections
from tests.builder.audited_factors import turn_on
from tests.builder.conftest import World
from tests.factories import PASSWORD, Caller, totp

#: Test vectors of RFC 6238, appendix B, for SHA-1: the last six of the eight digits.
KEY = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}


def soon() -> datetime:
    """A time whose code was not taken with the first one, and is taken still where that time is not yet."""
    return datetime.now(UTC) + timedelta(seconds=30)


def off(world: World) -> str:
    member = Membership.objects.get(user=world.vera, workspace=world.northwind)
    return f"{world.here}/members/{member.pk}/second-factor"


@pytest.mark.parametrize(("at", "code"), VECTORS.items())
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert totp(KEY, datetime.fromtimestamp(at, UTC)) == code


class TestTheCode:
    @pytest.fixture
    def row(self, world: World) -> SecondFactor:
        turn_on(world.as_vera)
        sealed, key_id = crypto.seal(
            b"12345678901234567890", place=factors._place("key", world.vera.pk), keys=crypto.ring().keys()
        )
        SecondFactor.objects.filter(user=world.vera).update(sealed=sealed, key_id=key_id, last_step=0)
        return SecondFactor.objects.get(user=world.vera)

    @pytest.mark.parametrize(("at", "code"), list(VECTORS.items())[1:])
    def test_of_now_of_the_one_before_and_of_the_one_after_is_taken(
        self, world: World, row: SecondFactor, at: int, code: str
    ) -> None:
        for aside in (-30, 0, 30):
            SecondFactor.objects.filter(pk=row.pk).update(last_step=0)
            now = datetime.fromtimestamp(at + aside, UTC)
            assert factors.passes(user=world.vera, code=f" {code[:3]} {code[3:]} ", now=now)
        for aside in (-90, 90):
            SecondFactor.objects.filter(pk=row.pk).update(last_step=0)
            assert not factors.passes(user=world.vera, code=code, now=datetime.fromtimestamp(at + aside, UTC))

    def test_is_taken_once_and_none_before_it_any_more(self, world: World, row: SecondFactor) -> None:
        now = datetime.fromtimestamp(1111111111, UTC)
        assert factors.passes(user=world.vera, code=VECTORS[1111111111], now=now)
        assert not factors.passes(user=world.vera, code=VECTORS[1111111111], now=now)
        assert not factors.passes(user=world.vera, code=VECTORS[1111111109], now=now)

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "12345x", "x" * 40])
    def test_that_is_none_is_refused(self, world: World, row: SecondFactor, code: str) -> None:
        assert not factors.passes(user=world.vera, code=code, now=datetime.now(UTC))


class TestSigningIn:
    def test_asks_for_a_code_only_behind_the_right_password(self, world: World) -> None:
        key, _ = turn_on(world.as_vera)
        assert Caller().sign_in(world.vera.email, "wrong").body["code"] == "wrong_credentials"
        asked = Caller().sign_in(world.vera.email)
        assert (asked.status, asked.body["code"]) == (401, "code_needed")
        wrong = Caller().sign_in(world.vera.email, code="000000" if totp(key, soon()) != "000000" else "111111")
        assert (wrong.status, wrong.body["code"]) == (401, "wrong_code")
        caller = Caller()
        assert caller.sign_in(world.vera.email, code=totp(key, soon())).status == 200
        assert caller.get("/me").status == 200

    def test_a_wrong_code_is_on_record_and_counts_as_a_failed_try(self, world: World) -> None:
        turn_on(world.as_vera)
        before = AuditRow.objects.filter(verb="session.refused").count()
        for _ in range(tries.MOST_PER_ACCOUNT):
            assert Caller().sign_in(world.vera.email, code="no code").status == 401
        assert AuditRow.objects.filter(verb="session.refused").count() == before + tries.MOST_PER_ACCOUNT
        assert Caller().sign_in(world.vera.email, code="no code").status == 429

    def test_a_recovery_code_is_good_once(self, world: World) -> None:
        _, codes = turn_on(world.as_vera)
        assert len(set(codes)) == factors.RECOVERY_CODES
        assert Caller().sign_in(world.vera.email, code=codes[3].upper().replace("-", " ")).status == 200
        assert Caller().sign_in(world.vera.email, code=codes[3]).body["code"] == "wrong_code"
        assert world.as_vera.get("/me/second-factor").body["codes_left"] == factors.RECOVERY_CODES - 1

    def test_whoever_has_none_is_not_asked(self, world: World) -> None:
        assert Caller().sign_in(world.rosa.email).status == 200
        assert Caller().sign_in(world.rosa.email, code="000000").status == 200

    def test_an_invitation_to_another_workspace_is_no_way_around_it(self, world: World) -> None:
        key, _ = turn_on(world.as_vera)
        _, token = accounts.invite(
            workspace=world.southwind,
            email=world.vera.email,
            role=Role.VIEWER,
            by=world.mallory,
            now=datetime.now(UTC),
        )
        said = {"token": token, "password": PASSWORD}
        assert world.as_nobody.post("/invitations/accept", said).body["code"] == "code_needed"
        assert not Membership.objects.filter(user=world.vera, workspace=world.southwind).exists()
        joined = world.as_nobody.post("/invitations/accept", said | {"code": totp(key, soon())})
        assert joined.status == 201

    def test_being_asked_for_the_code_is_no_failed_try(self, world: World) -> None:
        """Else a whole office behind one address, all of whom sign in by two steps, would lock itself out."""
        _, codes = turn_on(world.as_vera)
        for _ in range(tries.MOST_PER_ACCOUNT + 1):
            assert Caller().sign_in(world.vera.email).body["code"] == "code_needed"
        assert Caller().sign_in(world.vera.email, code=codes[0]).status == 200
        assert sum(SignInTries.objects.values_list("count", flat=True)) == 0

    def test_between_wrong_codes_being_asked_for_one_starts_nothing_afresh(self, world: World) -> None:
        turn_on(world.as_vera)
        for _ in range(tries.MOST_PER_ACCOUNT):
            assert Caller().sign_in(world.vera.email, code="no code").status == 401
            Caller().sign_in(world.vera.email)
        assert Caller().sign_in(world.vera.email, code="no code").status == 429

    def test_wrong_codes_count_and_are_on_record_through_however_many_invitations(self, world: World) -> None:
        """Whoever rules some workspace makes as many links as they like, and sees each."""
        turn_on(world.as_vera)
        before = AuditRow.objects.filter(verb="session.refused").count()

        def guess(number: int) -> int:
            _, token = accounts.invite(
                workspace=world.southwind, email=world.vera.email, role=Role.VIEWER, by=world.mallory,
                now=datetime.now(UTC),
            )  # fmt: skip
            said = {"token": token, "password": PASSWORD, "code": f"bad code {number}"}
            return world.as_nobody.post("/invitations/accept", said).status

        assert [guess(number) for number in range(tries.MOST_PER_ACCOUNT)] == [401] * tries.MOST_PER_ACCOUNT
        assert AuditRow.objects.filter(verb="session.refused").count() == before + tries.MOST_PER_ACCOUNT
        assert guess(99) == 429
        assert Caller().sign_in(world.vera.email, code="no code").status == 429

    def test_without_the_key_ring_recovery_codes_still_let_in(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, codes = turn_on(world.as_vera)

        def missing(*args: Any, **kwargs: Any) -> bytes:
            raise crypto.KeyMissing("The key is gone.")

        monkeypatch.setattr(crypto, "unseal", missing)
        refused = Caller().sign_in(world.vera.email, code=totp(key, soon()))
        assert (refused.status, refused.body["code"]) == (401, "key_missing")
        assert "recovery code" in refused.body["title"]
        assert Caller().sign_in(world.vera.email, code=codes[0]).status == 200


class TestTurningItOn:
    def test_ends_all_other_sessions_and_no_token(self, world: World) -> None:
        other = Caller()
        other.sign_in(world.vera.email)
        turn_on(world.as_vera)
        assert other.get("/me").status == 401
        assert world.as_vera.get("/me").status == 200

    def test_wants_the_password_and_a_code_of_the_offered_key(self, world: World) -> None:
        offered = world.as_vera.post("/me/second-factor/offer").body
        code = totp(offered["key"], datetime.now(UTC))
        said = {"offer": offered["offer"], "code": code, "password": PASSWORD}
        wrong = world.as_vera.post("/me/second-factor", said | {"password": "wrong"})
        assert (wrong.status, list(wrong.body["fields"])) == (422, ["password"])
        other = str((int(code) + 1) % 1_000_000).zfill(6)
        wrong = world.as_vera.post("/me/second-factor", said | {"code": other})
        assert (wrong.status, list(wrong.body["fields"])) == (422, ["code"])
        assert not world.as_vera.get("/me/second-factor").body["on"]
        assert world.as_vera.post("/me/second-factor", said).status == 201
        assert world.as_vera.post("/me/second-factor", said).body["code"] == "on_already"
        assert world.as_vera.post("/me/second-factor/offer").body["code"] == "on_already"

    def test_an_offer_is_good_for_its_person_and_for_a_quarter_of_an_hour(self, world: World) -> None:
        now = datetime.now(UTC)
        made = factors.offer(user=world.vera, now=now)
        for user, at, sealed in (
            (world.rosa, now, made.sealed),
            (world.vera, now + timedelta(minutes=16), made.sealed),
            (world.vera, now, made.sealed[:-4] + "AAAA"),
            (world.vera, now, ""),
        ):
            with pytest.raises(factors.FactorRefused) as refused:
                factors.begin(user=user, sealed=sealed, code=totp(made.key, at), now=at)
            assert refused.value.code == "offer_over"
        later = now + timedelta(minutes=14)
        assert factors.begin(user=world.vera, sealed=made.sealed, code=totp(made.key, later), now=later)

    def test_guessing_the_password_of_an_open_computer_is_slowed_down(self, world: World) -> None:
        said = {"offer": "", "code": "000000", "password": "wrong"}
        for number in range(tries.MOST_PER_ACCOUNT):
            headers = {"Idempotency-Key": f"guess-{number}"}
            assert world.as_vera.post("/me/second-factor", said, headers=headers).status == 422
        assert world.as_vera.post("/me/second-factor", said).status == 429
        assert world.as_rosa.post("/me/second-factor", said).status == 422

    def test_the_picture_and_the_address_say_the_same_key(self, world: World) -> None:
        offered = world.as_vera.post("/me/second-factor/offer").body
        assert offered["address"].startswith("otpauth://totp/Millrace:vera%40example.org?")
        assert f"secret={offered['key'].replace(' ', '')}" in offered["address"]
        assert offered["picture"].startswith("data:image/svg+xml;")

    def test_neither_the_key_nor_a_code_is_kept_in_the_open(self, world: World) -> None:
        key, codes = turn_on(world.as_vera)
        row = SecondFactor.objects.get(user=world.vera)
        kept = f"{row.sealed} {row.recovery}"
        for secret in (key, key.replace(" ", ""), *codes, *(one.replace("-", "") for one in codes)):
            assert secret not in kept

    def test_the_same_request_again_gets_the_same_codes(self, world: World) -> None:
        offered = world.as_vera.post("/me/second-factor/offer").body
        said = {"offer": offered["offer"], "code": totp(offered["key"], datetime.now(UTC)), "password": PASSWORD}
        first = world.as_vera.post("/me/second-factor", said, headers={"Idempotency-Key": "once"})
        again = world.as_vera.post("/me/second-factor", said, headers={"Idempotency-Key": "once"})
        assert (first.status, again.status) == (201, 201)
        assert first.body == again.body


class TestTurningItOff:
    def test_wants_the_password_and_a_code(self, world: World) -> None:
        _, codes = turn_on(world.as_vera)
        for said, field in (
            ({"password": "wrong", "code": codes[0]}, "password"),
            ({"password": PASSWORD, "code": "1"}, "code"),
        ):
            refused = world.as_vera.post("/me/second-factor/off", said)
            assert (refused.status, list(refused.body["fields"])) == (422, [field])
        assert world.as_vera.post("/me/second-factor/off", {"password": PASSWORD, "code": codes[0]}).status == 204
        assert Caller().sign_in(world.vera.email).status == 200
        assert world.as_vera.get("/me").status == 200

    def test_new_recovery_codes_are_the_only_ones(self, world: World) -> None:
        _, codes = turn_on(world.as_vera)
        made = world.as_vera.post("/me/second-factor/codes", {"password": PASSWORD, "code": codes[0]})
        assert made.status == 201
        assert Caller().sign_in(world.vera.email, code=codes[1]).status == 401
        assert Caller().sign_in(world.vera.email, code=made.body["codes"][1]).status == 200

    def test_new_recovery_codes_are_shown_also_where_there_is_no_key_ring(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        """They are in force by then, and nobody could ever read them otherwise."""
        _, codes = turn_on(world.as_vera)
        monkeypatch.setattr(crypto, "_RING", crypto.KeyRing(tmp_path / "gone.json", make=False))
        said = {"password": PASSWORD, "code": codes[0]}
        made = world.as_vera.post("/me/second-factor/codes", said, headers={"Idempotency-Key": "new"})
        assert made.status == 201, made.body
        assert Caller().sign_in(world.vera.email, code=made.body["codes"][0]).status == 200
        again = world.as_vera.post("/me/second-factor/codes", said, headers={"Idempotency-Key": "new"})
        assert (again.status, again.body["code"]) == (409, "answer_gone")

    def test_an_admin_takes_it_off_who_lost_everything(self, world: World) -> None:
        turn_on(world.as_vera)
        rows = world.as_alice.get(f"{world.here}/members").body["items"]
        assert {row["name"] for row in rows if row["second_factor"]} == {"Vera"}
        assert world.as_rosa.delete(off(world)).status == 403
        assert world.as_alice.delete(off(world)).status == 204
        assert world.as_alice.delete(off(world)).body["code"] == "off"
        assert world.as_vera.get("/me").status == 401
        assert Caller().sign_in(world.vera.email).status == 200

    def test_no_admin_takes_it_off_who_has_rights_elsewhere(self, world: World) -> None:
        """Else whoever rules one workspace could make the way into another one easier."""
        turn_on(world.as_vera)
        Membership.objects.create(user=world.vera, workspace=world.southwind, role=Role.ADMIN)
        world.alice.is_instance_admin = False
        world.alice.save()
        assert world.as_alice.delete(off(world)).body["code"] == "elsewhere_too"
        assert factors.of(world.vera) is not None

    def test_the_command_takes_it_off_the_last_admin(self, world: World) -> None:
        turn_on(world.as_alice)
        said = StringIO()
        call_command("second_factor", remove="Alice@example.org ", stdout=said)
        assert "password alone" in said.getvalue()
        assert AuditRow.objects.filter(verb="installation.factor_removed").count() == 1
        assert Caller().sign_in(world.alice.email).status == 200
        for who, why in (("alice@example.org", "no second factor"), ("nobody@example.org", "Nobody")):
            with pytest.raises(CommandError, match=why):
                call_command("second_factor", remove=who)


def test_rotating_the_keys_seals_second_factors_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    ring = crypto.KeyRing(tmp_path / "keys.json", make=True)
    monkeypatch.setattr(crypto, "_RING", ring)
    key, _ = turn_on(world.as_vera)
    before = SecondFactor.objects.get(user=world.vera)
    _, key_id = connections.rotate()
    assert connections.drop_old_keys() == [before.key_id]
    after = SecondFactor.objects.get(user=world.vera)
    assert (after.key_id, after.sealed != before.sealed) == (key_id, True)
    assert Caller().sign_in(world.vera.email, code=totp(key, soon())).status == 200


def test_what_a_lost_key_sealed_keeps_nobody_from_rotating(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Connections are entered anew after such a loss; of people's apps no operator can say the same."""
    monkeypatch.setattr(crypto, "_RING", crypto.KeyRing(tmp_path / "lost.json", make=True))
    _, codes = turn_on(world.as_vera)
    before = SecondFactor.objects.get(user=world.vera)
    monkeypatch.setattr(crypto, "_RING", crypto.KeyRing(tmp_path / "new.json", make=True))
    turn_on(world.as_rosa)
    _, key_id = connections.rotate(batch=1)
    connections.drop_old_keys()
    assert SecondFactor.objects.get(user=world.rosa).key_id == key_id
    assert SecondFactor.objects.get(user=world.vera).sealed == before.sealed
    assert Caller().sign_in(world.vera.email, code=codes[0]).status == 200


def test_nothing_is_left_of_it_when_a_person_is_erased(world: World) -> None:
    turn_on(world.as_vera)
    member = Membership.objects.get(user=world.vera, workspace=world.northwind)
    said = {"email": world.vera.email, "reason": "She asked for it."}
    assert world.as_alice.post(f"{world.here}/members/{member.pk}/erase", said).status == 200
    assert not SecondFactor.objects.exists()


def test_the_list_of_members_asks_the_database_no_more_for_it(world: World, django_assert_max_num_queries: Any) -> None:
    for user in User.objects.all():
        SecondFactor.objects.create(user=user, sealed="v1.k.x", key_id="k", since=datetime.now(UTC))
    caller = world.as_alice
    with django_assert_max_num_queries(12, connection=connection) as few:
        caller.get(f"{world.here}/members")
    SecondFactor.objects.all().delete()
    with django_assert_max_num_queries(12, connection=connection) as none:
        caller.get(f"{world.here}/members")
    assert len(few) == len(none)
