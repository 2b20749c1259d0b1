"""HTTP request: call another system."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, assert_never
from urllib.parse import urlencode

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    FileValue,
    HttpAnswer,
    JSONRefused,
    NodeType,
    Number,
    PermanentError,
    Result,
    StepFailure,
    Text,
    Words,
    dumps_bytes,
    field,
    http_look_up,
    loads,
)
from runtime.sdk.addresses import read_address
from runtime.sdk.advice import address_advice, address_problems, secret_pairs
from runtime.sdk.bodies import is_json_type, media_type, response_json, response_text
from runtime.sdk.calls import REFUSED_HEADERS, Signed, led_on, refuse, sign_in, with_query
from runtime.sdk.fields import as_text
from runtime.sdk.headers import check_header
from runtime.sdk.http import is_among, parse_codes
from runtime.sdk.http_files import Kept, Outgoing, file_body, form_body, plain_body
from runtime.sdk.http_look_up import WRITES, LookUpSettings, judged, looks_up, patience
from runtime.sdk.jsontext import is_whole_formula, read_json_text
from runtime.sdk.probes import Probe, Verdict, Work
from runtime.sdk.redaction import Redactor

_RECORDED = 4_000


class Pair(Config):
    name: str = field(title="Name", order=1, min_length=1, max_length=200)
    value: Any = field("", title="Value", expression=True, order=2)


class HttpRequestConfig(LookUpSettings):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = field(
        "GET",
        title="Method",
        help="GET reads; POST creates; PUT and PATCH change; DELETE removes.",
        widget="choice",
        options=[(name, name) for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")],
        order=1,
    )
    url: Text = field(
        title="Address",
        help="Begins with https:// or http://.",
        widget="url",
        expression=True,
        placeholder="https://api.example.com/orders/{{ url_encode(trigger.body.id) }}",
        order=2,
        min_length=1,
        max_length=8000,
    )
    connection: str = field(
        "",
        title="Sign in with",
        help="A connection keeps the password or token; it is never shown again.",
        widget="connection",
        kinds=("http_basic", "http_bearer", "http_header", "http_query", "http_oauth"),
        order=3,
        max_length=100,
    )
    query: list[Pair] = field(
        default_factory=list,
        title="Query",
        help="Added to the address after the question mark.",
        widget="key-value",
        order=4,
        max_length=200,
    )
    headers: list[Pair] = field(default_factory=list, title="Headers", widget="key-value", order=5, max_length=100)
    body_type: Literal["none", "json", "form", "raw", "file", "multipart"] = field(
        "none",
        title="Body",
        widget="choice",
        options=(
            ("none", "Nothing"),
            ("json", "Data (JSON)"),
            ("form", "Form fields"),
            ("raw", "Text as it is"),
            ("file", "A file"),
            ("multipart", "Form with files"),
        ),
        show_if={"method": ["POST", "PUT", "PATCH", "DELETE"]},
        order=6,
    )
    json_body: Any = field(
        None,
        title="Data",
        help="Formulas may stand in the place of any value, or inside a text.",
        widget="json",
        expression=True,
        show_if={"body_type": ["json"]},
        order=7,
    )
    form: list[Pair] = field(
        default_factory=list,
        title="Form fields",
        help="In a form with files, a field whose value is a file, like {{ steps.report.file }}, is sent as that file.",
        widget="key-value",
        show_if={"body_type": ["form", "multipart"]},
        order=8,
        max_length=500,
    )
    raw_body: Text = field(
        "",
        title="Text",
        widget="textarea",
        expression=True,
        show_if={"body_type": ["raw"]},
        order=9,
        max_length=1_000_000,
    )
    file: Any = field(
        None,
        title="File",
        help="Sent as it is. Its type stands in the header Content-Type, where you name no other.",
        widget="file",
        expression=True,
        placeholder="{{ steps.report.file }}",
        show_if={"body_type": ["file"]},
        required=True,
        order=9,
    )
    content_type: str = field(
        "text/plain; charset=utf-8", title="Content type", show_if={"body_type": ["raw"]}, order=10, max_length=200
    )
    send_key: bool = field(
        True,
        title="Safe to repeat",
        help="Sends the same key with every try, so that a system that honours it never does the same thing twice.",
        widget="toggle",
        show_if={"method": list(WRITES)},
        group="Safe to repeat",
        order=11,
    )
    key_header: str = field(
        "Idempotency-Key",
        title="Header with the key",
        show_if={"send_key": [True], "method": list(WRITES)},
        group="Safe to repeat",
        advanced=True,
        order=12,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$",
    )
    success_codes: str = field(
        "200-299",
        title="Counts as success",
        help="Status codes and ranges, like 200-299, 404.",
        advanced=True,
        order=13,
        max_length=200,
    )
    response: Literal["auto", "json", "text", "file"] = field(
        "auto",
        title="Read the answer as",
        help="Kept as a file, later steps find it as this step's “file”.",
        widget="choice",
        options=(
            ("auto", "What it says it is"),
            ("json", "Data (JSON)"),
            ("text", "Text"),
            ("file", "A file to keep"),
        ),
        order=14,
    )
    file_name: Text = field(
        "",
        title="Name of the file",
        help="Empty: as the answer says itself, or the end of the address.",
        expression=True,
        placeholder="statement-{{ trigger.body.month }}.pdf",
        show_if={"response": ["file"]},
        order=15,
        max_length=200,
    )
    follow_redirects: bool = field(
        True,
        title="Follow redirects",
        help="At most 5. Secrets never go to another host.",
        widget="toggle",
        advanced=True,
        order=16,
    )
    connect_seconds: Number = field(
        5,
        title="Give up connecting after (seconds)",
        help="How long it waits for the whole answer stands with the step's time-out, under “If it fails”.",
        widget="number",
        advanced=True,
        order=17,
        gt=0,
        le=60,
    )
    #: Stored by earlier builds beside the step's own time-out, which cut it short: that one alone counts now.
    total_seconds: Number = field(
        30, title="Give up waiting after (seconds)", widget="number", show_if={"method": []}, order=18, gt=0, le=600
    )


def effect(config: Mapping[str, Any]) -> EffectClass:
    method = config["method"]
    if method not in WRITES:
        return EffectClass.READ
    if looks_up(config):
        return EffectClass.QUERYABLE
    if config["send_key"]:
        return EffectClass.KEYED
    return EffectClass.NATURAL if method in ("PUT", "DELETE") else EffectClass.UNSAFE


async def run(config: HttpRequestConfig, step_input: JSON, context: Context) -> Result:
    host = read_address(config.url).host
    query = [(pair.name, _text(pair.value)) for pair in config.query]
    headers = [(pair.name, _text(pair.value)) for pair in config.headers]
    signed = await sign_in(context, config.connection, host, headers, query)
    body = await _body(config, context)
    kept = Kept(
        context, name=config.file_name, url=config.url, counts=lambda status: is_among(status, config.success_codes)
    )
    answer, request = await _call(config, context, signed, body, kept)
    writes = config.method in WRITES
    if answer.status == 401 and signed.renew is not None and not (writes and led_on(answer, config.url, signed)):
        # A token can be ended before its time. Who was refused has done nothing: it is asked for anew, once.
        signed.renew()
        signed = await sign_in(context, config.connection, host, headers, query)
        answer, request = await _call(config, context, signed, body, kept)
    try:
        return _result(config, answer, host, signed.redactor, request, kept.file)
    except StepFailure as failure:
        failure.maybe_applied = failure.maybe_applied or (writes and led_on(answer, config.url, signed))
        raise


async def _call(
    config: HttpRequestConfig, context: Context, signed: Signed, body: Outgoing, kept: Kept
) -> tuple[HttpAnswer, JSON]:
    """The answer, and what was sent as it is shown."""
    headers, redactor = list(signed.headers), signed.redactor
    names = {name.lower() for name, _value in headers}
    if body.content_type and "content-type" not in names:
        headers.append(("Content-Type", body.content_type))
    if config.send_key and config.method in WRITES and config.key_header.lower() not in names:
        headers.append((config.key_header, context.idempotency_key))
    for name, value in headers:
        try:
            check_header(name, value, REFUSED_HEADERS)
        except ValueError as error:
            raise PermanentError("A header cannot be sent", f"{error}.", "header") from None
    url = with_query(config.url, signed.query)
    request: JSON = {
        "method": config.method,
        "url": redactor.url(url),
        "headers": redactor.headers(headers),
        "body": redactor.text(body.shown) or None,
    }
    try:
        answer = await context.http.request(
            config.method,
            url,
            headers=headers,
            content=body.content,
            connect_seconds=float(config.connect_seconds),
            total_seconds=context.timeout_seconds,
            follow_redirects=config.follow_redirects,
            drop_on_redirect=signed.drop,
            sink=kept.sink if config.response == "file" else None,
        )
    except StepFailure as failure:
        failure.request = request
        failure.message = redactor.text(failure.message)
        raise
    return answer, request


async def look(config: HttpRequestConfig, step_input: JSON, context: Context, work_out: Work) -> Verdict:
    """Whether it happened: asked with this very step type, as a GET."""
    url = work_out(config.look_up_url)
    asking = HttpRequestConfig(
        method="GET", url=url, connection=config.connection, success_codes="100-599",
        follow_redirects=config.follow_redirects, connect_seconds=config.connect_seconds,
    )  # fmt: skip
    answer = await run(asking, step_input, context)
    return judged(config, read_address(asking.url).host, answer, work_out, context.now_ms)


def _result(
    config: HttpRequestConfig, answer: HttpAnswer, host: str, redactor: Redactor, request: JSON, file: FileValue | None
) -> Result:
    text = response_text(answer.headers.get("content-type", ""), answer.content)
    response: dict[str, JSON] = {
        "status": answer.status,
        "headers": redactor.headers(answer.headers.items()),
        "body": redactor.text(text[:_RECORDED]) or None,
        "duration_ms": answer.duration_ms,
    }
    if not is_among(answer.status, config.success_codes):
        refuse(answer, host, redactor.text(text), request, response)
    note = f"Status {answer.status}"
    body: JSON = text or None
    kind, _charset = media_type(answer.headers.get("content-type", ""))
    if answer.content and (config.response == "json" or (config.response == "auto" and is_json_type(kind))):
        try:
            body = response_json(answer.headers.get("content-type", ""), answer.content)
        except JSONRefused as refused:
            if config.response == "json":
                raise PermanentError(
                    "The answer is not data",
                    f"{host} answered with status {answer.status}, but its body cannot be read as JSON: {refused}.",
                    "answer_not_json",
                    http_status=answer.status,
                    maybe_applied=config.method in WRITES,
                    request=request,
                    response=response,
                ) from None
            note = f"Status {answer.status}, kept as text: {refused.message}"
    output: dict[str, JSON] = {
        "status": answer.status,
        "headers": redactor.headers(answer.headers.items()),
        "body": body,
        "duration_ms": answer.duration_ms,
    }
    if file is not None:
        output["file"] = file.as_json()
        note = f"Status {answer.status}, kept as {file.name}"
        response = {**response, "body": f"(kept as the file {file.name}, SHA-256 {file.sha256})"}
    return Result(output, note=note[:200], request=request, response=response)


def _text(value: Any) -> str:
    return str(as_text(value))


async def _body(config: HttpRequestConfig, context: Context) -> Outgoing:
    if config.method not in WRITES:
        return plain_body(b"", "", 0)
    match config.body_type:
        case "json":
            return plain_body(dumps_bytes(_data(config.json_body)), "application/json", _RECORDED)
        case "form":
            fields = urlencode([(pair.name, _text(pair.value)) for pair in config.form])
            return plain_body(fields.encode(), "application/x-www-form-urlencoded", _RECORDED)
        case "raw":
            return plain_body(config.raw_body.encode(), config.content_type, _RECORDED)
        case "file":
            return await file_body(config.file, context)
        case "multipart":
            body = await form_body([(pair.name, pair.value) for pair in config.form], context)
            return body._replace(shown=body.shown[:_RECORDED])
        case "none":
            return plain_body(b"", "", 0)
        case _:
            assert_never(config.body_type)


def _data(value: Any) -> JSON:
    """What is sent as JSON. Text is never read as a document here: somebody else's data may have made it.

    Only a text in quotes is taken, for which one that was written into the field stands.
    """
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    try:
        found = loads(value)
    except JSONRefused:
        found = None
    if isinstance(found, str):
        return found
    raise PermanentError(
        "The body is not data",
        f"“Data” needs fields or a list, but it became the text “{value[:60]}”. Read text that holds JSON with "
        "parse_json(…), or send it with the body “Text as it is”.",
        "body",
    )


def read(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Data that was written as JSON text stands for its document; its formulas are worked out inside that."""
    body = config.get("json_body")
    if not isinstance(body, str) or is_whole_formula(body):
        return config
    try:
        found = read_json_text(body)
    except JSONRefused:
        return config  # said by `problems`, and by the run
    return config if isinstance(found, str) else {**config, "json_body": found}


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = address_problems("url", "Address", config.get("url"))
    try:
        parse_codes(str(config.get("success_codes", "200-299")))
    except ValueError as error:
        found.append(("success_codes", "invalid", f"“Counts as success” {error}."))
    body = config.get("json_body")
    if config.get("body_type") == "json" and isinstance(body, str) and body and not is_whole_formula(body):
        try:
            read_json_text(body)
        except JSONRefused as refused:
            found.append(("json_body", "invalid", f"“Data”: {refused}."))
    headers = config.get("headers")
    for index, header in enumerate(headers if isinstance(headers, list) else ()):
        if isinstance(header, Mapping) and isinstance(header.get("name"), str) and header["name"]:
            try:
                check_header(header["name"], "", REFUSED_HEADERS)
            except ValueError as error:
                found.append((f"headers[{index}].name", "header", f"{error}."))
    if http_look_up.looks_up(config) and config.get("response") == "file":
        says = "An answer that is kept as a file cannot be looked up: choose another way under “If the answer is lost”."
        found.append(("in_doubt", "look_up_file", says))
    return found + http_look_up.look_up_problems(config)


def warnings(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        *address_advice(config.get("url"), with_connection=bool(config.get("connection"))),
        *secret_pairs("headers", config.get("headers")),
        *secret_pairs("query", config.get("query")),
        *http_look_up.look_up_warnings(config),
    ]


def summary(config: Mapping[str, Any], words: Words) -> str:
    url = config.get("url")
    if not url:
        return ""
    shown = words.value(url)
    for prefix in ("https://", "http://"):
        shown = shown.removeprefix(prefix)
    return f"{config['method']} {shown.split('?')[0]}"


NODE = NodeType(
    name="http.request",
    version=1,
    category="app",
    icon="globe",
    title="HTTP request",
    description="Calls another system's web interface and hands on its answer.",
    synonyms=("api", "rest", "web", "call", "get", "post", "fetch", "curl", "json", "erp", "book"),
    config=HttpRequestConfig,
    run=run,
    effect=effect,
    summary=summary,
    extra_problems=problems,
    extra_warnings=warnings,
    read=read,
    probe=Probe(look, patience),
    examples=(
        Example(
            title="Create an invoice",
            config={
                "method": "POST",
                "url": "http://practice-company/invoices",
                "body_type": "json",
                "json_body": {
                    "order": "{{ trigger.body.order_id }}",
                    "customer": "{{ trigger.body.customer }}",
                    "amount": "{{ trigger.body.total }}",
                    "currency": "EUR",
                },
            },
            context={"trigger": {"body": {"order_id": "SO-1042", "customer": "C-200", "total": Decimal("1342.80")}}},
            output={
                "status": 201,
                "headers": {"content-type": "application/json"},
                "body": {
                    "id": "INV-1001",
                    "order": "SO-1042",
                    "customer": "C-200",
                    "name": "Brightwater Hotels",
                    "email": "accounts@brightwater.example",
                    "amount": Decimal("1342.80"),
                    "currency": "EUR",
                    "status": "open",
                    "created_at": "2026-11-20T09:41:07.123Z",
                },
                "duration_ms": 42,
            },
        ),
    ),
)
