"""Webhook: another system posts something."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    EventView,
    Example,
    JSONRefused,
    NodeType,
    PermanentError,
    Result,
    Words,
    field,
    windows,
)
from runtime.sdk.bodies import parse_request_body
from runtime.sdk.places import PlaceUnclear, read_place
from runtime.sdk.redaction import MASK, is_secret_name
from runtime.sdk.windows import Span

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

# Large bodies are read in threads, one at a time: several at once are no sooner done and take the memory of all.
_LARGE_BYTES = 256 * 1024
_IN_TURN = threading.Lock()

_PRESETS = {
    "github": "GitHub",
    "stripe": "Stripe",
    "shopify": "Shopify",
    "standard": "Standard Webhooks",
    "custom": "Custom",
}


class WebhookConfig(Config):
    methods: list[Method] = field(
        default_factory=lambda: ["POST"],
        title="Methods",
        help="Which HTTP methods start a run. Nearly all systems use POST.",
        widget="multi-choice",
        options=[(name, name) for name in ("POST", "GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")],
        show_if={"any_method": [False]},
        order=1,
        min_length=1,
        max_length=7,
    )
    any_method: bool = field(
        False,
        title="Take every method",
        help="Every request to the address starts a run, in whatever way the other system sends it. Then a link that "
        "somebody opens, and a program that only looks whether the address answers, start one, too.",
        widget="toggle",
        advanced=True,
        order=1,
    )
    auth: Literal["none", "header", "hmac"] = field(
        "none",
        title="Who may send",
        help="Anyone who knows the address, only senders with a secret header, or only signed deliveries.",
        widget="choice",
        options=(("none", "Anyone with the address"), ("header", "A secret header"), ("hmac", "Signed deliveries")),
        order=2,
    )
    secret_connection: str = field(
        "",
        title="Secret",
        help="The webhook secret that you share with the sender.",
        widget="connection",
        kinds=("webhook_secret",),
        show_if={"auth": ["header", "hmac"]},
        required=True,
        order=3,
    )
    header_name: str = field(
        "X-Webhook-Token",
        title="Header",
        help="The header that carries the secret.",
        show_if={"auth": ["header"]},
        order=4,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$",
    )
    hmac_preset: Literal["github", "stripe", "shopify", "standard", "custom"] = field(
        "github",
        title="Signed as by",
        widget="choice",
        options=list(_PRESETS.items()),
        show_if={"auth": ["hmac"]},
        order=5,
    )
    hmac_header: str = field(
        "X-Signature",
        title="Signature header",
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"]},
        order=6,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$",
    )
    hmac_algorithm: Literal["sha1", "sha256", "sha512"] = field(
        "sha256",
        title="Algorithm",
        widget="choice",
        options=(("sha256", "SHA-256"), ("sha512", "SHA-512"), ("sha1", "SHA-1")),
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"]},
        order=7,
    )
    hmac_encoding: Literal["hex", "base64"] = field(
        "hex",
        title="Written as",
        widget="choice",
        options=(("hex", "Hexadecimal"), ("base64", "Base64")),
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"]},
        order=8,
    )
    hmac_prefix: str = field(
        "",
        title="Prefix",
        placeholder="sha256=",
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"]},
        order=9,
        max_length=40,
    )
    hmac_signed: Literal["body", "timestamp.body"] = field(
        "body",
        title="What is signed",
        widget="choice",
        options=(("body", "The body"), ("timestamp.body", "Time stamp, a dot, the body")),
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"]},
        order=10,
    )
    hmac_timestamp_header: str = field(
        "X-Timestamp",
        title="Time stamp header",
        show_if={"auth": ["hmac"], "hmac_preset": ["custom"], "hmac_signed": ["timestamp.body"]},
        order=11,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$",
    )
    tolerance_seconds: int = field(
        300,
        title="How old a signature may be (seconds)",
        help="Counts where a time stamp is signed.",
        widget="number",
        show_if={"auth": ["hmac"], "hmac_preset": ["stripe", "standard", "custom"]},
        advanced=True,
        order=12,
        ge=1,
        le=86_400,
    )
    dedupe: Literal["none", "header", "path", "body"] = field(
        "none",
        title="Recognise repeats by",
        help="A second delivery of the same thing starts nothing and is answered with the first run.",
        widget="choice",
        options=(
            ("none", "Nothing: every delivery starts a run"),
            ("header", "A header, such as Idempotency-Key"),
            ("path", "A field of the body"),
            ("body", "The whole body"),
        ),
        order=20,
    )
    dedupe_header: str = field(
        "Idempotency-Key",
        title="Header with the key",
        show_if={"dedupe": ["header"]},
        required=True,
        order=21,
        max_length=100,
    )
    dedupe_path: str = field(
        "",
        title="Field with the key",
        placeholder="order.id",
        show_if={"dedupe": ["path"]},
        required=True,
        order=22,
        max_length=200,
    )
    dedupe_for: Span = field(
        windows.START,
        title="Recognise them for",
        help="After that the same key counts as something new.",
        widget="choice",
        options=windows.SPANS,
        show_if={"dedupe": ["header", "path", "body"]},
        order=23,
    )
    on_unparsable: Literal["refuse", "keep"] = field(
        "refuse",
        title="A body that cannot be read",
        widget="choice",
        options=(("refuse", "Refuse it (the sender is told)"), ("keep", "Start a run without a body")),
        advanced=True,
        order=30,
    )
    respond: Literal["immediately", "when_finished", "respond_step"] = field(
        "immediately",
        title="Answer",
        help="At once with the run's id, or after at most 30 seconds with what the run or a Respond step says.",
        widget="choice",
        options=(
            ("immediately", "At once"),
            ("when_finished", "When the run has finished"),
            ("respond_step", "By a Respond step"),
        ),
        order=31,
    )
    per_minute: int = field(
        0,
        title="Most deliveries a minute",
        help="More are answered with 429, “come again later”. 0 is no limit; each web process counts for itself.",
        widget="number",
        advanced=True,
        order=32,
        ge=0,
        le=1_000_000,
    )
    business_key: str = field(
        "",
        title="Business key",
        help="What people search the runs by, for example the order number.",
        placeholder="{{ trigger.body.order_id }}",
        deferred=True,
        advanced=True,
        order=40,
        max_length=2000,
    )


def run(config: WebhookConfig, step_input: JSON, context: Context) -> Result:
    event = context.event or EventView(source="test", received_at=context.now_ms)
    received = datetime.fromtimestamp(event.received_at / 1000, UTC).isoformat(timespec="milliseconds")
    error: str | None = None
    if event.has_input:
        body: JSON = event.input
    else:
        try:
            with _IN_TURN if len(event.body) > _LARGE_BYTES else nullcontext():
                body = parse_request_body(event.content_type, event.body, event.headers.get("content-encoding", ""))
        except JSONRefused as refused:
            if config.on_unparsable == "refuse":
                raise PermanentError(
                    "The body cannot be read", f"The body cannot be read: {refused}.", "unparsable"
                ) from None
            body, error = None, str(refused)
    output: dict[str, JSON] = {
        "body": body,
        "headers": {name: MASK if is_secret_name(name) else value for name, value in event.headers.items()},
        "query": _pairs(event.query),
        "method": event.method or "POST",
        "path": event.path,
        "received_at": received.replace("+00:00", "Z"),
    }
    if error:
        output["parse_error"] = error
    return Result(output, note="Body could not be read" if error else None)


def _pairs(pairs: Any) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(earlier := found[name], list):
            earlier.append(value)
        else:
            found[name] = [earlier, value]
    return found


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """A place that cannot be read would recognise no repeat, and nobody would know."""
    if config.get("dedupe") == "path" and str(config.get("dedupe_path", "")).strip():
        try:
            read_place(str(config["dedupe_path"]))
        except PlaceUnclear as unclear:
            return [("dedupe_path", "place", str(unclear))]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    methods = "Any method" if config["any_method"] else ", ".join(config["methods"]) or "POST"
    match config["auth"]:
        case "hmac":
            return f"{methods}, signed ({_PRESETS.get(config['hmac_preset'], 'custom')})"
        case "header":
            return f"{methods} with a secret in {config['header_name']}"
        case _:
            return f"{methods} from anyone with the address"


NODE = NodeType(
    name="trigger.webhook",
    version=1,
    category="start",
    icon="webhook",
    title="Webhook",
    description="Starts when another system posts to this workflow's address.",
    synonyms=("http", "post", "hook", "callback", "api", "event", "incoming", "something arrives"),
    config=WebhookConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    extra_problems=problems,
    trigger=True,
    inline=True,
    examples=(
        Example(
            title="A shop posts an order",
            config={"methods": ["POST"], "dedupe": "header", "business_key": "{{ trigger.body.order_id }}"},
            event={
                "source": "webhook",
                "received_at": 1795167667123,
                "method": "POST",
                "path": "/hooks/orders",
                "headers": {"content-type": "application/json"},
                "content_type": "application/json",
                "body": b'{"order_id":"SO-1042","total":13412.80}',
            },
            output={
                "body": {"order_id": "SO-1042", "total": Decimal("13412.80")},
                "headers": {"content-type": "application/json"},
                "query": {},
                "method": "POST",
                "path": "/hooks/orders",
                "received_at": "2026-11-20T09:41:07.123Z",
            },
        ),
    ),
)
