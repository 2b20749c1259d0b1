"""Writes with an `Idempotency-Key`: the second request with a key gets the first one's answer and writes nothing.

The same key with another body is refused. Only answers that did something (2xx) are kept, for a day; after a refusal
or a fault the key is free again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from rest_framework.response import Response

from builder.api.problems import Refusal
from builder.connections import crypto
from builder.workflows.models import Answered
from runtime.contracts import dumps, loads

KEPT: Final = timedelta(days=1)
#: A first request that has not answered by then died on the way.
ABANDONED: Final = timedelta(seconds=60)


def key_digest(actor: str, method: str, path: str, key: str) -> str:
    """One key per asker, route and `Idempotency-Key`."""
    return hashlib.sha256("\0".join((actor, method, path, key)).encode()).hexdigest()


def once(
    *, key: str, body: bytes, run: Callable[[], Response], now: datetime, together: bool, secret: bool
) -> Response:
    """Run the write unless its answer is known. `together`: the answer is committed with the write itself."""
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
    row = _begun(key, body_digest, now)
    if row is None:
        return _waited(key, body_digest, now)
    try:
        response = run()
    except BaseException:
        row.delete()
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


def _known(key: str, body_digest: str, now: datetime) -> Answered | None:
    row = Answered.objects.filter(key_sha256=key).first()
    if row is None:
        return None
    if row.created_at < now - KEPT or (row.status == 0 and row.created_at < now - ABANDONED):
        Answered.objects.filter(pk=row.pk).delete()
        return None
    if row.body_sha256 != body_digest:
        raise Refusal(409, "key_reused", "This Idempotency-Key was used before with another body.")
    if row.status == 0:
        raise Refusal(
            409, "still_working", "The first request with this key is still at work.", headers={"Retry-After": "1"}
        )
    return row


def _waited(key: str, body_digest: str, now: datetime) -> Response:
    known = _known(key, body_digest, now)
    if known is None:
        raise Refusal(409, "still_working", "A request with this key is at work.", headers={"Retry-After": "1"})
    return _again(known)


def _keep(row: Answered, response: Response, secret: bool) -> None:
    row.status = response.status_code
    row.body = "" if response.data is None else dumps(response.data)
    if secret and row.body:
        row.body, _key = crypto.seal(row.body.encode(), place=_place(row), keys=crypto.ring().keys())
    row.headers = {name: value for name, value in response.items() if name in ("ETag", "Location")}
    # One that took so long that it was given up for dead may be gone.
    Answered.objects.filter(pk=row.pk).update(status=row.status, body=row.body, headers=row.headers)


def _again(row: Answered) -> Response:
    text = row.body
    if text.startswith("v1."):
        try:
            text = crypto.unseal(text, place=_place(row), keys=crypto.ring().keys()).decode()
        except (crypto.KeyMissing, crypto.SealBroken) as error:
            raise Refusal(409, "answer_gone", "The first answer to this key can no longer be shown.") from error
    data = loads(text) if text else None
    return Response(data, status=row.status, headers={**row.headers, "Idempotent-Replay": "true"})


def _place(row: Answered) -> bytes:
    return f"millrace.answer:{row.key_sha256}".encode()
