"""A line for a terminal that fires a webhook, signed where it must be."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

GREETING: Final = '{"hello":"world"}'
_HEX: Final = "| openssl dgst -{algorithm} {key} -r | cut -d' ' -f1"
_BASE64: Final = "| openssl dgst -{algorithm} {key} -binary | base64 | tr -d '\\n'"
_TEXT_KEY: Final = '-hmac "$secret"'
# Standard Webhooks write their secret in base64.
_BYTES_KEY: Final = (
    "-mac HMAC -macopt hexkey:$(printf %s \"${secret#whsec_}\" | base64 -d | od -An -v -tx1 | tr -d ' \\n')"
)


def line(url: str, config: Mapping[str, Any], sample: str | None) -> str:
    """A line that posts `sample`, or a small greeting. `config` is the webhook's complete configuration.

    Where the sender must know a secret, `YOUR-SECRET` stands for it; signatures are worked out by the line itself.
    """
    method = str(config["methods"][0])
    bodied = method not in ("GET", "HEAD", "DELETE")
    body = (sample or GREETING) if bodied else ""
    parts = ["curl", "-i", "-X", method, url]
    if method == "HEAD":
        parts = ["curl", "-I", url]
    if bodied:
        parts += ["-H", "Content-Type: application/json"]
    if config["auth"] == "hmac":
        plain = " ".join(shlex.quote(part) for part in parts)
        words = [f"secret='YOUR-SECRET'; body={shlex.quote(body)}; {_stamp(config)}{plain}"]
        words += [f'-H "{header}"' for header in _signed(config)]
        words += ['-d "$body"'] if bodied else []
        return " ".join(words)
    if bodied:
        parts += ["-d", body]
    if config["auth"] == "header":
        parts += ["-H", f"{config['header_name']}: YOUR-SECRET"]
    return " ".join(shlex.quote(part) for part in parts)


def _stamp(config: Mapping[str, Any]) -> str:
    preset = config["hmac_preset"]
    custom = preset == "custom" and config["hmac_signed"] == "timestamp.body"
    return "stamp=$(date +%s); " if preset in ("stripe", "standard") or custom else ""


def _signed(config: Mapping[str, Any]) -> list[str]:
    """The headers of a signed delivery, for a shell that knows `secret`, `body` and, where one is signed, `stamp`."""
    body, stamped = 'printf %s "$body"', 'printf %s.%s "$stamp" "$body"'
    match config["hmac_preset"]:
        case "github":
            return [f"X-Hub-Signature-256: sha256=$({body} {_digest()})"]
        case "shopify":
            return [f"X-Shopify-Hmac-Sha256: $({body} {_digest('base64')})"]
        case "stripe":
            return [f"Stripe-Signature: t=$stamp,v1=$({stamped} {_digest()})"]
        case "standard":
            content = 'printf %s.%s.%s msg_1 "$stamp" "$body"'
            return [
                "webhook-id: msg_1",
                "webhook-timestamp: $stamp",
                f"webhook-signature: v1,$({content} {_digest('base64', key=_BYTES_KEY)})",
            ]
        case _:
            timed = config["hmac_signed"] == "timestamp.body"
            digest = _digest(config["hmac_encoding"], str(config["hmac_algorithm"]))
            # Within double quotes a shell reads these four on its own account.
            prefix = "".join(f"\\{letter}" if letter in '\\"$`' else letter for letter in str(config["hmac_prefix"]))
            headers = [f"{config['hmac_header']}: {prefix}$({stamped if timed else body} {digest})"]
            return [*headers, f"{config['hmac_timestamp_header']}: $stamp"] if timed else headers


def _digest(encoding: str = "hex", algorithm: str = "sha256", key: str = _TEXT_KEY) -> str:
    return (_HEX if encoding == "hex" else _BASE64).format(algorithm=algorithm, key=key)
