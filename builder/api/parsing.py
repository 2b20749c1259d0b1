"""Bodies in and out: the one JSON profile in strict UTF-8, and nothing else."""

from __future__ import annotations

from typing import IO, Any, Final

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from builder.api.problems import Refusal
from runtime.contracts import JSON, dumps, loads

MOST_BYTES: Final = 5 * 1024 * 1024


def read_json(request: HttpRequest) -> JSON:
    """The request's body as a value of the profile; an empty body reads as an empty object.

    Raises Refusal (413, 415) or JSONRefused (400).
    """
    raw = request.body
    if len(raw) > MOST_BYTES:
        raise Refusal(413, "too_large", "The body is too large.", params={"most_bytes": MOST_BYTES})
    if not raw:
        return {}
    require_json(request.META.get("CONTENT_TYPE", ""), request.META.get("HTTP_CONTENT_ENCODING", ""))
    return loads(raw)


def require_json(content_type: str, encoding: str = "") -> None:
    """Refuse every type but `application/json`, every charset but UTF-8, and compressed bodies."""
    refused = Refusal(415, "unsupported_media_type", "Send JSON: Content-Type: application/json, in UTF-8.")
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() != "application/json" or (encoding and encoding.lower() != "identity"):
        raise refused
    seen = 0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            seen += 1
            if value.strip().strip('"').lower() not in ("utf-8", "utf8"):
                raise refused
    if seen > 1:
        raise refused


class StrictJSONParser(BaseParser):
    """Names the one media type to DRF and the schema; `read_json` does the reading."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        return loads(stream.read(MOST_BYTES + 1))


class ProfileJSONRenderer(BaseRenderer):
    """Writes answers in the profile: exact decimals, keys in their order."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data).encode()


class AlwaysJSON(BaseContentNegotiation):
    """Whatever a client says it accepts, it gets JSON: the only thing there is."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
