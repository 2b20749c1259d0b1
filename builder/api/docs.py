"""The API's own description: the OpenAPI document, and a page of it that fetches nothing from elsewhere."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views import View

from runtime.contracts import dumps


@lru_cache(maxsize=1)
def openapi() -> str:
    """The OpenAPI document as JSON text."""
    from builder.api.schema import document

    return dumps(document())


class Schema(View):
    """GET /api/v1/schema: for anyone; it describes the product, not what is in it."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(openapi(), content_type="application/vnd.oai.openapi+json")


class Docs(View):
    """GET /api/v1/docs: the same for people."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        from builder.api.schema import document

        return HttpResponse(page(document(), nonce=str(getattr(request, "csp_nonce", ""))))


_STYLE: Final = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; } code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .6rem; max-height: 24rem; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
a:focus-visible, summary:focus-visible { outline: 2px solid; outline-offset: 2px; }
"""


def page(document: dict[str, Any], *, nonce: str) -> str:
    """The document as one page of plain HTML."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sorted(groups.items()))
    shapes = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>'
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    version = escape(document["info"]["version"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Millrace API</title>'
        f'<meta name="viewport" content="width=device-width"><style nonce="{escape(nonce)}">{_STYLE}</style></head>'
        f"<body><main><h1>Millrace API {version}</h1>"
        "<p>Everything the pages do, programs can do. Send <code>Authorization: Bearer mlr_…</code> with a token from "
        "Settings, JSON in UTF-8, and an <code>Idempotency-Key</code> with writes that must not happen twice. Errors "
        'are problem documents (RFC 9457). The machine-readable form is <a href="schema">the OpenAPI document</a>.</p>'
        f"{body}<h2>shapes</h2>{shapes}</main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(part['name'])}</code></td><td>{escape(part['in'])}</td>"
        f"<td>{'needed' if part['required'] else ''}</td><td><code>{escape(dumps(part['schema']))}</code></td></tr>"
        for part in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer['description'])}</td>"
        f"<td>{_link(_schema_of(answer))}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    words = "".join(f"<p>{escape(part)}</p>" for part in operation["description"].split("\n\n"))
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span><code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary>{words}"
        + (f"<table>{rows}</table>" if rows else "")
        + (f"<p>Body: {_link(body)}</p>" if body else "")
        + f"<table>{answers}</table></details>"
    )


def _schema_of(answer: dict[str, Any]) -> dict[str, Any]:
    for content in answer.get("content", {}).values():
        schema: dict[str, Any] = content.get("schema", {})
        return schema
    return {}


def _link(schema: dict[str, Any]) -> str:
    name = escape(str(schema.get("$ref", "")).rsplit("/", 1)[-1])
    return f'<a href="#{name}"><code>{name}</code></a>' if name else ""


def _json(schema: dict[str, Any]) -> str:
    import json

    return f"<pre>{escape(json.dumps(schema, indent=1, ensure_ascii=False))}</pre>"
