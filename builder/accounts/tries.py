"""Slows down guessing: failed sign-ins are counted per account and per address.

A try is counted before the password is looked at, so that a hundred at once are a hundred. Nobody stays locked out
for longer than the window, because a stranger can cause it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F

from builder.accounts.models import SignInTries

WINDOW: Final = timedelta(minutes=15)
MOST_PER_ACCOUNT: Final = 10
MOST_PER_ADDRESS: Final = 60


@dataclass(frozen=True, slots=True)
class TooManyTries(Exception):
    """No more tries until then. `of`: account or address, of which there were too many; `first`: until now there were
    not."""

    until: datetime
    of: str = "account"
    first: bool = False


def count(*, account: str, address: str, now: datetime) -> None:
    """Count one try; raises TooManyTries where either limit is passed."""
    for of, value, most in (("account", account, MOST_PER_ACCOUNT), ("address", address, MOST_PER_ADDRESS)):
        row = _raise(_digest(of, value), now)
        if row.count > most:
            raise TooManyTries(row.window_started_at + WINDOW, of, row.count == most + 1)


def forget(*, account: str, address: str) -> None:
    """A try succeeded: the account starts afresh, and the try does not count against the address."""
    SignInTries.objects.filter(key=_digest("account", account)).delete()
    SignInTries.objects.filter(key=_digest("address", address), count__gt=0).update(count=F("count") - 1)


def take_back(*, account: str, address: str) -> None:
    """The try that was just counted was none: it counts neither against the account nor against the address. Those
    before it do."""
    for of, value in (("account", account), ("address", address)):
        SignInTries.objects.filter(key=_digest(of, value), count__gt=0).update(count=F("count") - 1)


def sweep(*, now: datetime) -> int:
    """Remove windows that are over; returns how many."""
    return SignInTries.objects.filter(window_started_at__lt=now - WINDOW).delete()[0]


def _raise(key: str, now: datetime) -> SignInTries:
    SignInTries.objects.filter(key=key, window_started_at__lt=now - WINDOW).delete()
    if not SignInTries.objects.filter(key=key).update(count=F("count") + 1):
        try:
            with transaction.atomic():
                return SignInTries.objects.create(key=key, count=1, window_started_at=now)
        except IntegrityError:
            SignInTries.objects.filter(key=key).update(count=F("count") + 1)
    return SignInTries.objects.filter(key=key).first() or SignInTries(key=key, count=1, window_started_at=now)


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value.strip().lower()}".encode()).hexdigest()
