"""Respond to webhook: what the sender gets back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Respond,
    Result,
    Text,
    Words,
    dumps,
    field,
)
from runtime.sdk.headers import check_header, reaches_sender

#: Headers that the server itself sets or that would act on this product's own pages.
_REFUSED = frozenset(
    [
        "connection",
        "content-length",
        "content-security-policy",
        "date",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "server",
        "set-cookie",
        "set-cookie2",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-content-type-options",
        "access-control-allow-credentials",
        "clear-site-data",
        "service-worker-allowed",
        "content-encoding",
    ]
)
_LONGEST = 1_000_000


class Header(Config):
    name: str = field(title="Header", order=1, min_length=1, max_length=100)
    value: Text = field("", title="Value", expression=True, order=2, max_length=4000)


class RespondConfig(Config):
    status: int = field(
        200,
        title="Status",
        help="200 means done, 400 to 499 refused.",
        widget="number",
        expression=True,
        order=1,
        ge=200,
        le=599,
    )
    body_type: Literal["json", "text", "html", "empty"] = field(
        "json",
        title="Body",
        widget="choice",
        options=(("json", "Data (JSON)"), ("text", "Text"), ("html", "HTML"), ("empty", "Nothing")),
        order=2,
    )
    json_body: Any = field(
        default_factory=dict, title="Data", widget="json", expression=True, show_if={"body_type": ["json"]}, order=3
    )
    text_body: Text = field(
        "",
        title="Text",
        widget="textarea",
        expression=True,
        show_if={"body_type": ["text", "html"]},
        order=4,
        max_length=_LONGEST,
    )
    headers: list[Header] = field(
        default_factory=list, title="Headers", widget="key-value", advanced=True, order=5, max_length=50
    )


def run(config: RespondConfig, step_input: JSON, context: Context) -> Result:
    headers: dict[str, str] = {}
    for header in config.headers:
        try:
            check_header(header.name, header.value, _REFUSED)
        except ValueError as error:
            raise PermanentError("A header cannot be sent", f"{error}.", "header") from None
        headers[header.name] = header.value
    names = {name.lower() for name in headers}
    match config.body_type:
        case "json":
            body, content_type = dumps(config.json_body), "application/json"
        case "html":
            body, content_type = config.text_body, "text/html; charset=utf-8"
        case "text":
            body, content_type = config.text_body, "text/plain; charset=utf-8"
        case "empty":
            body, content_type = "", ""
    if len(body) > _LONGEST:
        raise PermanentError("The answer is too long", f"An answer may have {_LONGEST:,} characters.", "too_long")
    if content_type and "content-type" not in names:
        headers["Content-Type"] = content_type
    # What a workflow answers is never trusted as a page of this product.
    headers["Content-Security-Policy"] = "sandbox"
    headers["X-Content-Type-Options"] = "nosniff"
    return Result(
        {"status": config.status}, note=f"Status {config.status}", respond=Respond(config.status, headers, body)
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    headers = config.get("headers")
    for index, header in enumerate(headers if isinstance(headers, list) else ()):
        if isinstance(header, Mapping) and isinstance(header.get("name"), str) and header["name"]:
            try:
                check_header(header["name"], "", _REFUSED)
            except ValueError as error:
                found.append((f"headers[{index}].name", "header", f"{error}."))
                continue
            if not reaches_sender(header["name"]):
                says = f"The header “{header['name'][:60]}” is not part of an answer. Use one that begins with X-."
                found.append((f"headers[{index}].name", "header", says))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    status = words.value(config["status"])
    match config["body_type"]:
        case "empty":
            return f"Status {status}, nothing else"
        case "json":
            body = config["json_body"]
            what = ", ".join(str(key) for key in body) if isinstance(body, Mapping) else words.value(body)
            return f"Status {status} with {what}" if what else f"Status {status}"
        case _:
            return f"Status {status}: {words.value(config['text_body'])}"


NODE = NodeType(
    name="flow.respond",
    version=1,
    category="logic",
    icon="reply",
    title="Respond to webhook",
    description="Answers the sender of the webhook that started this run. The first answer counts.",
    synonyms=("answer", "reply", "return", "response", "http response"),
    config=RespondConfig,
    run=run,
    effect=EffectClass.PURE,
    effect_note="The sender is answered once; a repeat changes nothing.",
    summary=summary,
    inline=True,
    extra_problems=problems,
    examples=(
        Example(
            title="Tell the invoice number",
            config={"status": 201, "json_body": {"invoice": "{{ steps.invoice.body.id }}"}},
            context={"steps": {"invoice": {"body": {"id": "INV-1001"}}}},
            output={"status": 201},
        ),
    ),
)
