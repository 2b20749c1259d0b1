"""Every error is a problem document (RFC 9457) with a stable `code`, the `params` of its sentence and a `request_id`.

Domain errors are turned into problems here, in one table, so that a view says nothing about them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf

from builder.connections import crypto
from builder.connections.models import Connection
from runtime import contracts
from runtime.contracts import JSONRefused, datatables, dumps
from runtime.contracts.calendars import CalendarRefused

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Refusal(Exception):
    """A refused request, in the words of the API. `fields` maps a path in the body to what is wrong there."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str = "",
        params: Mapping[str, Any] | None = None,
        fields: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.params = dict(params or {})
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def invalid(fields: Mapping[str, list[str]], detail: str = "") -> Refusal:
    """The body is readable and some of its fields will not do."""
    return Refusal(422, "invalid", "Some values need another look.", detail=detail, fields=fields)


def not_here(what: str = "page") -> Refusal:
    """There is no such thing here, or none that the asker may know of."""
    return Refusal(404, "not_found", f"There is no such {what} here.")


def body(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """The problem document."""
    document: dict[str, Any] = {
        "type": f"urn:millrace:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "params": refusal.params,
        "request_id": request_id,
    }
    if refusal.fields:
        document["fields"] = refusal.fields
    document.update(refusal.more)
    return document


def response(request: HttpRequest | None, refusal: Refusal) -> HttpResponse:
    """The problem document as an answer."""
    request_id = str(request.META.get("millrace.request_id", "")) if request is not None else ""
    answer = HttpResponse(dumps(body(refusal, request_id)), status=refusal.status, content_type=MEDIA_TYPE)
    for name, value in refusal.headers.items():
        answer[name] = value
    return answer


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: everything that a view can raise becomes a problem document."""
    request = context.get("request")
    plain_request = getattr(request, "_request", request)
    refusal = refusal_of(error)
    if refusal is None:
        log.exception("a view failed", error=type(error).__name__, exc_info=error)
        refusal = Refusal(500, "server_error", "Something broke on our side. Nothing was changed.")
    return response(plain_request, refusal)


def refusal_of(error: Exception) -> Refusal | None:
    """The problem that an exception stands for; None for one that nobody foresaw."""
    match error:
        case Refusal():
            return error
        case JSONRefused():
            fields = {error.path: [error.message]} if error.path else {}
            return Refusal(
                400,
                error.code,
                "The body is not JSON that can be read.",
                detail=f"{error.path}: {error.message}" if error.path else error.message,
                fields=fields,
            )
        case contracts.NotFound() | Http404():
            return not_here("object" if isinstance(error, contracts.NotFound) else "page")
        case contracts.GraphHasProblems():
            return None  # the views that publish and test render the list themselves
        case contracts.KeyReused():
            return Refusal(409, error.code, "This key was used before with another body.", detail=error.message)
        case contracts.InputRefused():
            return invalid(
                {f"input.{name}" if name else "input": [said] for name, said in error.fields.items()}, error.message
            )
        case contracts.TaskRefused():
            return invalid({field: [said] for field, said in error.fields.items()}, error.message)
        case contracts.EventRefused():
            return invalid({field: [said] for field, said in error.fields.items()}, error.message)
        case contracts.EditsRefused():
            return invalid({f"edits.{run}": [said] for run, said in error.fields.items()}, error.message)
        case contracts.RetryRefused():
            return invalid({f"steps.{node}": [said] for node, said in error.fields.items()}, error.message)
        case (
            datatables.RowExists()
            | datatables.RowChanged()
            | datatables.TableRefused(code="table_changed" | "name_taken")
        ):
            return Refusal(409, error.code, error.message)
        case datatables.TableRefused():
            fields = {f"values.{name}": [said] for name, said in error.fields.items()}
            return Refusal(422, error.code, error.message, fields=fields)
        case contracts.RuntimeRefused(code="document_refused" | "upload_refused"):
            return Refusal(422, error.code, error.message, params=plain(error.params))
        case CalendarRefused():
            return invalid(error.fields)
        case contracts.RuntimeRefused(code="bad_ics"):
            return Refusal(422, error.code, error.message)
        case contracts.RuntimeRefused(code="bad_cursor"):
            return Refusal(400, "bad_cursor", error.message)
        case contracts.RuntimeRefused(code="data_damaged"):
            log.error("stored data is damaged", artifact=error.params.get("artifact"))
            return Refusal(410, "data_damaged", "This data can no longer be shown.", detail=error.message)
        case contracts.NotAsked():
            return Refusal(403, error.code, error.message, params=plain(error.params))
        case contracts.RuntimeRefused():
            return Refusal(409, error.code, error.message, params=plain(error.params))
        case contracts.StoreUnavailable() | OperationalError() | InterfaceError():
            log.warning("the database is away", error=str(error))
            return Refusal(
                503,
                "store_unavailable",
                "The database cannot be reached just now. Nothing was changed; try again shortly.",
                headers={"Retry-After": "5"},
            )
        case DataError():
            log.error("the database cannot hold a value", error=str(error))
            return Refusal(422, "cannot_be_kept", "One of these values cannot be kept. Nothing was changed.")
        case IntegrityError():
            log.error("the database refused a change", error=str(error))
            return Refusal(
                409, "conflict", "Somebody changed the same thing at this moment. Nothing was changed; try again."
            )
        case crypto.KeyMissing():
            log.error("the key ring cannot be used", error=str(error))
            return Refusal(
                503,
                "keys_missing",
                "Secrets cannot be sealed or opened just now: the key ring is not in its place. Nothing was changed.",
                detail="An administrator finds the reason in the server's log.",
                headers={"Retry-After": "60"},
            )
        case drf.Throttled():
            wait = math.ceil(getattr(error, "wait", None) or 1)
            return Refusal(
                429, "too_many", "Too many requests.", params={"seconds": wait}, headers={"Retry-After": str(wait)}
            )
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return Refusal(
                401,
                "sign_in",
                "Sign in first.",
                detail=str(error.detail) if isinstance(error, drf.AuthenticationFailed) else "",
                headers={"WWW-Authenticate": 'Bearer realm="Millrace"'},
            )
        case drf.PermissionDenied() | PermissionDenied():
            return Refusal(403, "forbidden", "Your role does not allow this.", detail=str(error))
        case drf.MethodNotAllowed():
            return Refusal(
                405, "method_not_allowed", "This address does not take that method.", detail=str(error.detail)
            )
        case drf.UnsupportedMediaType():
            return Refusal(415, "unsupported_media_type", "Send JSON: Content-Type: application/json, in UTF-8.")
        case drf.ParseError():
            return Refusal(400, "not_json", "The body is not JSON that can be read.", detail=str(error.detail))
        case RequestDataTooBig() | TooManyFieldsSent():
            return Refusal(413, "too_large", "The body is too large.")
        case SuspiciousOperation():
            return Refusal(400, "bad_request", "This request makes no sense.")
        case Connection.DoesNotExist():
            # Somebody removed it since it was read.
            return not_here("connection")
        case drf.APIException():
            title = HTTPStatus(error.status_code).phrase
            return Refusal(error.status_code, str(error.default_code), title, detail=str(error.detail))
        case _:
            return None


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON has words for as it is, and the rest as text."""
    simple = (str, int, bool, float, type(None), list, dict)
    return {name: value if isinstance(value, simple) else str(value) for name, value in params.items()}


# --- Django's own handlers ----------------------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, for requests that never reached a view."""
    return response(request, refusal_of(exception) or Refusal(400, "bad_request", "This request makes no sense."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return response(request, Refusal(403, "forbidden", "Your role does not allow this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, for addresses outside the URL table."""
    return response(request, not_here())


def server_error(request: HttpRequest) -> HttpResponse:
    """500: the exception itself is in the log, under the same request id."""
    return response(request, Refusal(500, "server_error", "Something broke on our side. Nothing was changed."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for an unsafe request that does not prove it comes from our own pages."""
    return response(
        request,
        Refusal(
            403,
            "csrf",
            "This request does not come from a Millrace page.",
            detail="Reload the page and try again; programs use a token (Authorization: Bearer …).",
        ),
    )
