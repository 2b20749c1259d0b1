"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for the day it is lost.

It stands in this room because its key is sealed under the same ring as the secrets of connections, and is sealed anew
with them. A key that is offered is kept nowhere until a code of it was entered: the offer itself is sealed, good for
its person and for a quarter of an hour. No code is taken twice, whoever asks at the same moment.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from builder.accounts.models import SecondFactor, User
from builder.accounts.services import end_sessions
from builder.connections import crypto

__all__ = ["FactorRefused", "Offer", "begin", "key_ids", "of", "offer", "passes", "remove", "renew", "reseal"]

ISSUER: Final = "Millrace"
STEP_SECONDS: Final = 30
#: Clocks go wrong, and people type slowly: the code before and the one after are taken, too.
_STEPS_ASIDE: Final = (0, -1, 1)
_KEY_BYTES: Final = 20
_DIGITS: Final = 6
_OFFER_SECONDS: Final = 15 * 60
RECOVERY_CODES: Final = 10
#: Without what is mistaken for something else when read from paper; 59 bits in twelve of them.
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 3, 4


class FactorRefused(Exception):
    """It cannot be done. `field` names the value to change, where there is one."""

    def __init__(self, code: str, message: str, *, field: str = "", status: int = 422) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.status = code, message, field, status


@dataclass(frozen=True, slots=True)
class Offer:
    """A key for an app: to type (`key`, groups of four), to open there (`address`), to point a camera at (`picture`, an
    SVG as a `data:` address), and what has to come back with the first code (`sealed`)."""

    key: str
    address: str
    picture: str
    sealed: str


def of(user: User) -> SecondFactor | None:
    """This person's, where they have one."""
    return SecondFactor.objects.filter(user=user).first()


def offer(*, user: User, now: datetime) -> Offer:
    """A new key. Nothing is kept of it. Raises FactorRefused."""
    if of(user) is not None:
        raise _on_already()
    key = secrets.token_bytes(_KEY_BYTES)
    address = _totp(key).get_provisioning_uri(user.email, ISSUER)
    until = int(now.timestamp()) + _OFFER_SECONDS
    plain = json.dumps({"key": key.hex(), "until": until}).encode()
    sealed, _ = crypto.seal(plain, place=_place("offer", user.pk), keys=_keys())
    typed = address.partition("secret=")[2].partition("&")[0]
    return Offer(
        key=" ".join(typed[at : at + 4] for at in range(0, len(typed), 4)),
        address=address,
        picture=segno.make_qr(address, error="m").svg_data_uri(border=2, dark="#000", light="#fff", scale=4),
        sealed=sealed,
    )


@transaction.atomic
def begin(*, user: User, sealed: str, code: str, now: datetime) -> list[str]:
    """Ask for codes of this key from now on; returns the recovery codes, which are never kept. All other sessions end.

    Raises FactorRefused: the offer is too old, or another person's, or the code is not one of it.
    """
    if of(user) is not None:
        raise _on_already()
    key = _offered(user, sealed, now)
    step = _step_of(key, code, now)
    if step is None:
        raise FactorRefused(
            "wrong_code", "This is not the code that the app shows now. Enter the next one.", field="code"
        )
    codes = _new_codes()
    kept, key_id = crypto.seal(key, place=_place("key", user.pk), keys=_keys())
    try:
        with transaction.atomic():
            SecondFactor.objects.create(
                user=user, sealed=kept, key_id=key_id, last_step=step, recovery=_digests(codes), since=now
            )
    except IntegrityError as error:
        raise _on_already() from error
    _end_sessions(user)
    return codes


def passes(*, user: User, code: str, now: datetime) -> bool:
    """Whether this is a code of the person's app, or one of their recovery codes, and was not taken before. It is from
    now on. Raises FactorRefused where the key cannot be opened here: recovery codes are taken all the same."""
    row = of(user)
    if row is None:
        return False
    if _is_recovery(code):
        return _spend(row, code)
    step = _step_of(_key_of(row), code, now)
    if step is None:
        return False
    return bool(SecondFactor.objects.filter(pk=row.pk, sealed=row.sealed, last_step__lt=step).update(last_step=step))


@transaction.atomic
def renew(*, user: User) -> list[str]:
    """New recovery codes in place of those that are left. Raises FactorRefused where there is no second factor."""
    codes = _new_codes()
    if not SecondFactor.objects.filter(user=user).update(recovery=_digests(codes)):
        raise FactorRefused("off", "There is no second factor.", status=409)
    return codes


@transaction.atomic
def remove(*, user: User) -> bool:
    """Ask for the password alone from now on; all sessions end. False where there was no second factor."""
    if not SecondFactor.objects.filter(user=user).delete()[0]:
        return False
    _end_sessions(user)
    return True


def reseal(*, batch: int = 200) -> int:
    """Seal whatever is not yet sealed under the first key of the ring; returns how many. What was set up with a key
    that is lost is passed over: nobody but that person can set it up anew, and they sign in with recovery codes."""
    keys = _keys()
    done = 0
    left = SecondFactor.objects.exclude(key_id=keys[0].id).order_by("pk")
    rows = list(left[:batch])
    while rows:
        for row in rows:
            try:
                plain = _opened(row)
            except (crypto.KeyMissing, crypto.SealBroken):
                continue
            sealed, key_id = crypto.seal(plain, place=_place("key", row.pk), keys=keys)
            # Somebody may have begun anew meanwhile: then that stays.
            done += SecondFactor.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=sealed, key_id=key_id)
        rows = list(left.filter(pk__gt=rows[-1].pk)[:batch])
    return done


def key_ids() -> set[str]:
    """The keys of the ring that are needed for these."""
    return set(SecondFactor.objects.values_list("key_id", flat=True).distinct())


def _on_already() -> FactorRefused:
    return FactorRefused("on_already", "There is a second factor already. Turn it off first.", status=409)


def _end_sessions(user: User) -> None:
    end_sessions(user.pk)
    user.refresh_from_db(fields=["session_generation"])


def _totp(key: bytes) -> TOTP:
    # SHA-1 is what apps take for granted; of a keyed digest cut to six digits its weakness is none.
    return TOTP(key, _DIGITS, SHA1(), STEP_SECONDS)


def _step_of(key: bytes, code: str, now: datetime) -> int | None:
    """The time step that this is the code of; None: of none near now."""
    typed = "".join(code.split())
    if len(typed) != _DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    for aside in _STEPS_ASIDE:
        right = _totp(key).generate((present + aside) * STEP_SECONDS)
        if hmac.compare_digest(right, typed.encode()):
            return present + aside
    return None


def _offered(user: User, sealed: str, now: datetime) -> bytes:
    try:
        plain: dict[str, Any] = json.loads(crypto.unseal(sealed, place=_place("offer", user.pk), keys=_keys()))
    except (crypto.KeyMissing, crypto.SealBroken):
        plain = {"until": 0}
    if plain["until"] < now.timestamp():
        raise FactorRefused("offer_over", "This took too long. Begin again, with a new picture.", field="offer")
    return bytes.fromhex(plain["key"])


def _keys() -> tuple[crypto.Key, ...]:
    try:
        return crypto.ring().keys()
    except crypto.KeyMissing as error:
        raise FactorRefused("key_missing", str(error), status=409) from error


def _opened(row: SecondFactor) -> bytes:
    return crypto.unseal(row.sealed, place=_place("key", row.pk), keys=_keys())


def _key_of(row: SecondFactor) -> bytes:
    try:
        return _opened(row)
    except (crypto.KeyMissing, crypto.SealBroken) as error:
        raise FactorRefused(
            "key_missing",
            "Codes of the app cannot be looked at here: the key ring of this installation is not the one they were "
            "set up with. Enter a recovery code.",
            status=409,
        ) from error


def _place(what: str, user_id: UUID) -> bytes:
    return f"millrace.second-factor:{what}:{user_id}".encode()


# --- recovery codes -------------------------------------------------------------------------------------------------


def _new_codes() -> list[str]:
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def _plain(code: str) -> str:
    return "".join(one for one in code.lower() if one.isalnum())


def _is_recovery(code: str) -> bool:
    return len(_plain(code)) == _GROUPS * _GROUP


def _digests(codes: list[str]) -> list[str]:
    return [_digest(code) for code in codes]


def _digest(code: str) -> str:
    """59 bits of chance need no slow digest, and with our key nobody tries some out elsewhere."""
    return salted_hmac("millrace.recovery-code", _plain(code), algorithm="sha256").hexdigest()


@transaction.atomic
def _spend(row: SecondFactor, code: str) -> bool:
    wanted = _digest(code)
    held = SecondFactor.objects.select_for_update().filter(pk=row.pk).first()
    if held is None or wanted not in held.recovery:
        return False
    held.recovery.remove(wanted)
    held.save(update_fields=["recovery"])
    return True
