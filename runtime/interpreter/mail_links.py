"""The secret part of a link in a mail about a question."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from django.conf import settings


def token_of(mail_id: UUID) -> str:
    """The token of this mail: the same at each try, and guessed by nobody without the secret key."""
    made = hmac.new(settings.SECRET_KEY.encode(), b"millrace.people.link:" + mail_id.bytes, sha256).digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def digest(token: str) -> str:
    """What is kept of a token: 256 bits of entropy need no slow hash."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
