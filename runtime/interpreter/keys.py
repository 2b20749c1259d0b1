"""The name of a step to the outside world."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from runtime.store.models import Instance


def stored_secret() -> bytes | None:
    """The secret of this installation, which the first process to start makes; None before that."""
    text = Instance.objects.filter(pk=1).values_list("key_secret", flat=True).first()
    return None if text is None else base64.b32decode(text)


def effect_key(secret: bytes, run_id: UUID, node_id: str, generation: int, epoch: int) -> str:
    """The idempotency key of one logical effect: the same on every attempt, different for everything else (I11)."""
    text = f"{run_id}/{node_id}/{generation}/{epoch}"
    return base64.b32encode(hmac.digest(secret, text.encode(), hashlib.sha256)[:20]).decode("ascii")


def request_digest(text: str) -> str:
    """The sha256 of what an effect was asked to do, kept with its intent."""
    return hashlib.sha256(text.encode()).hexdigest()
