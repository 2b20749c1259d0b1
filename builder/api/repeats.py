"""Writes with an `Idempotency-Key`: the second request with a key gets the first one's answer and writes nothing.

The same key with another body is refused. Only answers that did something (2xx) are kept, for a day; after a refusal
or a fault the key is free again.

A write that commits in portions keeps with each how far it has come (`Progress`). Whoever repeats it after it died or
failed on the way goes on from there, and tells what came of all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from rest_framework.response import Response

from builder.api.problems import Refusal
from builder.connections import crypto
from builder.workflows.models import Answered
from runtime.contracts import JSON, dumps, loads

KEPT: Final = timedelta(days=1)
#: A first request that has not answered by then died on the way.
ABANDONED: Final = timedelta(seconds=60)
#: What a sealed answer begins with; by itself it opens with no key.
_SEALED: Final = "v1."


class Progress:
    """How far a write has come that commits in portions, kept under the key of its request; without one, nowhere.

    `left`: how far an earlier request with this key came, which died or failed; None where nothing is to be gone on
    with.
    """

    __slots__ = ("_row", "left")

    def __init__(self) -> None:
        self._row: Answered | None = None
        self.left: JSON = None

    def begin(self, row: Answered) -> None:
        """Under the row that says that this write is at work."""
        self._row = row
        self.left = loads(row.body) if row.body else None

    def keep(self, so_far: JSON) -> None:
        """Within the transaction of a portion. Raises Refusal where another request has taken over since."""
        if self._row is None:
            return
        now = datetime.now(UTC)
        mine = Answered.objects.filter(pk=self._row.pk, status=0, created_at=self._row.created_at)
        if not mine.update(body=dumps(so_far), created_at=now):
            raise _still_working("Another request with this key goes on with it.")
        # Should the portion not be committed after all, `give_up` finds the row as it was before, or not at all.
        self._row.created_at = now

    def give_up(self) -> None:
        """After a fault: the key is free again, for whoever goes on where something was done, or begins anew."""
        if self._row is None:
            return
        row = Answered.objects.filter(pk=self._row.pk, status=0)
        if not row.filter(body="").delete()[0]:
            row.filter(created_at__lte=self._row.created_at).update(created_at=F("created_at") - ABANDONED)


def key_digest(actor: str, method: str, path: str, key: str) -> str:
    """One key per asker, route and `Idempotency-Key`."""
    return hashlib.sha256("\0".join((actor, method, path, key)).encode()).hexdigest()


def once(
    *,
    key: str,
    body: bytes,
    run: Callable[[], Response],
    now: datetime,
    together: bool,
    secret: bool,
    progress: Progress | None = None,
) -> Response:
    """Run the write unless its answer is known. `together`: the answer is committed with the write itself; otherwise
    `progress` may keep how far it has come."""
    body_digest = digest(body)
    known = _known(key, body_digest, now)
    if known is not None:
        return _again(known)
    if together:
        with transaction.atomic():
            row = _begun(key, body_digest, now)
            if row is None:
                return _waited(key, body_digest, now)
            response = run()
            _keep(row, response, secret)
            return response
    row = _taken_over(key, now) or _begun(key, body_digest, now)
    if row is None:
        return _waited(key, body_digest, now)
    progress = progress or Progress()
    progress.begin(row)
    try:
        response = run()
    except BaseException:
        progress.give_up()
        raise
    _keep(row, response, secret)
    return response


def digest(body: bytes) -> str:
    """What is kept of a body, to know it again. Bodies hold passwords: without our key nobody can try some out."""
    return salted_hmac("millrace.answer", body, algorithm="sha256").hexdigest()


def sweep(*, now: datetime) -> int:
    """Remove answers past their day; returns how many."""
    return Answered.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _begun(key: str, body_digest: str, now: datetime) -> Answered | None:
    """The row that says this write is at work; None where another request was faster."""
    try:
        with transaction.atomic():
            return Answered.objects.create(key_sha256=key, body_sha256=body_digest, created_at=now)
    except IntegrityError:
        return None


def _taken_over(key: str, now: datetime) -> Answered | None:
    """The row of a write that has done something and died on the way, where nobody else goes on with it."""
    row = Answered.objects.filter(key_sha256=key, status=0, created_at__lt=now - ABANDONED).exclude(body="").first()
    if row is None or not Answered.objects.filter(pk=row.pk, created_at=row.created_at).update(created_at=now):
        return None
    row.created_at = now
    return row


def _known(key: str, body_digest: str, now: datetime) -> Answered | None:
    row = Answered.objects.filter(key_sha256=key).first()
    if row is None:
        return None
    died = row.status == 0 and row.created_at < now - ABANDONED
    if row.created_at < now - KEPT or (died and not row.body):
        Answered.objects.filter(pk=row.pk).delete()
        return None
    if row.body_sha256 != body_digest:
        raise Refusal(409, "key_reused", "This Idempotency-Key was used before with another body.")
    if died:
        # Something of it is done: it is gone on with.
        return None
    if row.status == 0:
        raise _still_working("The first request with this key is still at work.")
    return row


def _still_working(message: str) -> Refusal:
    return Refusal(409, "still_working", message, headers={"Retry-After": "1"})


def _waited(key: str, body_digest: str, now: datetime) -> Response:
    known = _known(key, body_digest, now)
    if known is None:
        raise _still_working("A request with this key is at work.")
    return _again(known)


def _keep(row: Answered, response: Response, secret: bool) -> None:
    row.status = response.status_code
    row.body = "" if response.data is None else dumps(response.data)
    if secret and row.body:
        try:
            row.body, _key = crypto.seal(row.body.encode(), place=_place(row), keys=crypto.ring().keys())
        except crypto.KeyMissing:
            # What was done stays done, and whoever asked is told; a repeat can only be told that it was.
            row.body = _SEALED
    row.headers = {name: value for name, value in response.items() if name in ("ETag", "Location")}
    # One that took so long that it was given up for dead may be gone.
    Answered.objects.filter(pk=row.pk).update(status=row.status, body=row.body, headers=row.headers)


def _again(row: Answered) -> Response:
    text = row.body
    if text.startswith(_SEALED):
        try:
            text = crypto.unseal(text, place=_place(row), keys=crypto.ring().keys()).decode()
        except (crypto.KeyMissing, crypto.SealBroken) as error:
            raise Refusal(409, "answer_gone", "The first answer to this key can no longer be shown.") from error
    data = loads(text) if text else None
    return Response(data, status=row.status, headers={**row.headers, "Idempotent-Replay": "true"})


def _place(row: Answered) -> bytes:
    return f"millrace.answer:{row.key_sha256}".encode()
