"""Is this request from whom it says? Checked on the raw bytes, before anybody reads them.

Pure: headers, bytes, secrets and the time come in, a word comes out. Every active secret is tried, so a secret can be
changed while both are in use; the comparison takes the same time whatever is wrong.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

__all__ = ["PRESETS", "Scheme", "Signature", "check", "scheme_of", "waste_the_same_time"]

Headers = Mapping[bytes, Sequence[bytes]]
_TOLERANCE_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a sender signs.

    `signed` is what the HMAC covers: the body, or the time stamp, a point and the body. Standard Webhooks put the
    message id in front of both and encode their secret; Stripe packs time stamp and signatures into one header.
    """

    style: Literal["plain", "stripe", "standard"]
    header: bytes = b""
    algorithm: str = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: bytes = b""
    signed: Literal["body", "timestamp.body"] = "body"
    timestamp_header: bytes = b""
    tolerance_seconds: int = _TOLERANCE_SECONDS


PRESETS: Final[Mapping[str, Scheme]] = {
    "github": Scheme("plain", b"x-hub-signature-256", prefix=b"sha256="),
    "shopify": Scheme("plain", b"x-shopify-hmac-sha256", encoding="base64"),
    "stripe": Scheme("stripe", b"stripe-signature"),
    "standard": Scheme("standard", b"webhook-signature"),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """The verdict. `reason` is for the owner of the webhook, never for the sender; `which`: the first of the
    secrets that fits."""

    valid: bool
    reason: str = ""
    which: int = 0


_VALID: Final = (Signature(True), Signature(True, which=1))


def scheme_of(config: Mapping[str, Any]) -> Scheme:
    """The scheme that a webhook's complete configuration names; its own fields where the preset is `custom`."""
    tolerance = int(config["tolerance_seconds"])
    if (preset := PRESETS.get(str(config["hmac_preset"]))) is not None:
        return replace(preset, tolerance_seconds=tolerance)
    return Scheme(
        style="plain",
        header=str(config["hmac_header"]).lower().encode("latin-1", "replace"),
        algorithm=str(config["hmac_algorithm"]),
        encoding="base64" if config["hmac_encoding"] == "base64" else "hex",
        prefix=str(config["hmac_prefix"]).encode("latin-1", "replace"),
        signed="timestamp.body" if config["hmac_signed"] == "timestamp.body" else "body",
        timestamp_header=str(config["hmac_timestamp_header"]).lower().encode("latin-1", "replace"),
        tolerance_seconds=tolerance,
    )


def check(scheme: Scheme, headers: Headers, body: bytes, secrets: Sequence[bytes], now: float) -> Signature:
    """Whether one of the secrets made one of the signatures. `now` in seconds since the epoch."""
    if not any(secrets):
        return Signature(False, "No secret is set.")
    secrets = [secret for secret in secrets if secret]
    match scheme.style:
        case "stripe":
            return _stripe(scheme, headers, body, secrets, now)
        case "standard":
            return _standard(scheme, headers, body, secrets, now)
        case _:
            return _plain(scheme, headers, body, secrets, now)


def waste_the_same_time(body: bytes) -> None:
    """Do a check's work where there is nothing to check, so that the answer's time says nothing (S28)."""
    hmac.compare_digest(hmac.digest(b"nobody", body, "sha256"), b"\0" * 32)


def _plain(scheme: Scheme, headers: Headers, body: bytes, secrets: Sequence[bytes], now: float) -> Signature:
    given = _single(headers, scheme.header)
    if given is None:
        return Signature(False, f"The header {scheme.header.decode('latin-1')} is missing or came twice.")
    if not given.startswith(scheme.prefix):
        return Signature(False, "The signature does not begin as agreed.")
    signature = _decoded(given[len(scheme.prefix) :], scheme.encoding)
    content = body
    if scheme.signed == "timestamp.body":
        stamp = _single(headers, scheme.timestamp_header)
        if problem := _stale(stamp, scheme.tolerance_seconds, now):
            return Signature(False, problem)
        content = (stamp or b"") + b"." + body
    return _compared([signature], content, secrets, scheme.algorithm)


def _stripe(scheme: Scheme, headers: Headers, body: bytes, secrets: Sequence[bytes], now: float) -> Signature:
    given = _single(headers, scheme.header)
    if given is None:
        return Signature(False, "The header Stripe-Signature is missing or came twice.")
    stamp: bytes | None = None
    signatures: list[bytes | None] = []
    for part in given.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name == b"t":
            stamp = value
        elif name == b"v1":
            signatures.append(_decoded(value, "hex"))
    if problem := _stale(stamp, scheme.tolerance_seconds, now):
        return Signature(False, problem)
    return _compared(signatures, (stamp or b"") + b"." + body, secrets, "sha256")


def _standard(scheme: Scheme, headers: Headers, body: bytes, secrets: Sequence[bytes], now: float) -> Signature:
    message_id = _single(headers, b"webhook-id")
    stamp = _single(headers, b"webhook-timestamp")
    given = _single(headers, scheme.header)
    if not message_id or given is None:
        return Signature(False, "One of webhook-id, webhook-timestamp and webhook-signature is missing or came twice.")
    if problem := _stale(stamp, scheme.tolerance_seconds, now):
        return Signature(False, problem)
    signatures: list[bytes | None] = []
    for part in given.split(b" "):
        version, _, value = part.partition(b",")
        if version == b"v1":
            signatures.append(_decoded(value, "base64"))
    keys = [_standard_key(secret) for secret in secrets]
    if not any(keys):
        return Signature(False, "The secret is not a Standard Webhooks secret (base64, with or without whsec_).")
    return _compared(signatures, message_id + b"." + (stamp or b"") + b"." + body, keys, "sha256")


def _standard_key(secret: bytes) -> bytes | None:
    text = secret.removeprefix(b"whsec_")
    # Some senders leave the padding out.
    return _decoded(text + b"=" * (-len(text) % 4), "base64")


def _compared(
    signatures: Sequence[bytes | None], content: bytes, secrets: Sequence[bytes | None], algorithm: str
) -> Signature:
    # A secret that cannot be read signs nothing: with an empty one anybody could.
    expected = [hmac.digest(secret, content, algorithm) if secret else None for secret in secrets]
    if not any(signatures):
        return Signature(False, "No signature of a known version can be read.")
    fits = 0
    for place, mine in enumerate(expected):
        if mine is None:
            continue
        for theirs in signatures:
            # No early end: which secret or which signature fits must not show in the time.
            fits |= hmac.compare_digest(mine, theirs or b"") << place
    # A sender that changes over may sign with both: what counts is whether it can do without the one before.
    if fits:
        return _VALID[0 if fits & 1 else 1]
    return Signature(False, "The signature does not fit the body and the secret.")


def _decoded(value: bytes, encoding: str) -> bytes | None:
    try:
        if encoding == "hex":
            return binascii.unhexlify(value)
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None


def _stale(stamp: bytes | None, tolerance: int, now: float) -> str:
    if stamp is None:
        return "The time stamp is missing or came twice."
    if not stamp.isdigit() or len(stamp) > 12:
        return "The time stamp is not a number of seconds."
    if abs(now - int(stamp)) > tolerance:
        return f"The time stamp is more than {tolerance} seconds off."
    return ""


def _single(headers: Headers, name: bytes) -> bytes | None:
    values = headers.get(name)
    return values[0] if values is not None and len(values) == 1 else None
