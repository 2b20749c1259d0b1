"""A route's operation: who may use it, what it reads, what it answers; and the view that carries it out.

    class Workflows(ApiView):
        @operation(Action.WORKFLOW_EDIT, body=NewWorkflow, answer=WorkflowView, status=201, repeat="stored")
        def post(self, call: Call, *, body: NewWorkflow) -> WorkflowView: ...

Parse, authorise, one call, render: a view writes only the third.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from builder.accounts import selectors
from builder.accounts.models import ApiToken, Role, User, Workspace
from builder.accounts.rights import Action, allows, role_of
from builder.api import problems, recorded, repeats
from builder.api.deeds import DEEDS, NOTHING
from builder.api.parsing import read_json
from builder.workflows.shapes import View
from runtime.contracts import JSON

__all__ = ["Access", "Answer", "ApiView", "Body", "Call", "Operation", "Query", "View", "operation"]

F = TypeVar("F", bound=Callable[..., Any])


class Access(Enum):
    """Who may use a route outside any workspace."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"


class Body(BaseModel):
    """What a request says. Unknown fields are refused: nobody sets `role` or `workspace` by adding a line."""

    model_config = ConfigDict(extra="forbid", str_max_length=200_000)


class Query(BaseModel):
    """The parameters after the question mark. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=400)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a status or headers of its own."""

    content: BaseModel | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the schema, the test matrix and the view itself need to know of one method of one route."""

    access: Access | Action
    summary: str
    body: type[Body] | None
    query: type[Query] | None
    answer: type[BaseModel] | None
    status: int
    #: Further statuses that this operation can answer, beyond those every operation can.
    also: tuple[int, ...]
    #: How an `Idempotency-Key` is honoured: not at all, by the stored answer, or by the runtime with its own key.
    repeat: Literal["no", "stored", "stored_apart", "passed"]
    #: The answer holds a secret that is shown once: the stored copy is sealed.
    secret: bool
    #: The answer is a file that is sent in portions; no model says what stands in it.
    file: bool
    #: The body is a file that comes in portions; the view reads it.
    upload: bool
    #: What goes on record of it: a deed of `deeds.DEEDS`, `nothing` for what changes nothing, None for a plain read.
    does: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated and authorised. `workspace` and `role` are set on routes within a workspace."""

    request: HttpRequest
    user: User | None
    token: ApiToken | None
    maybe_workspace: Workspace | None
    maybe_role: Role | None
    now: datetime
    key: str | None
    maybe_deed: recorded.Recording | None = None
    #: For writes that are answered `stored_apart` and commit in portions.
    progress: repeats.Progress = field(default_factory=repeats.Progress)

    @property
    def deed(self) -> recorded.Recording:
        """What is put on record of this request; only where the operation names a deed."""
        if self.maybe_deed is None:
            raise RuntimeError("This operation names no deed.")
        return self.maybe_deed

    @property
    def actor(self) -> User | ApiToken:
        """The token where there is one, else the person; only where somebody is signed in."""
        actor = self.token or self.user
        if actor is None:
            raise NotAuthenticated
        return actor

    @property
    def person(self) -> User:
        """The person who asks, or in whose name the token acts."""
        if self.user is None:
            raise NotAuthenticated
        return self.user

    @property
    def language(self) -> str:
        """In which the person reads what is made here: the one that they chose, else the workspace's."""
        return self.person.language or self.workspace.language

    @property
    def workspace(self) -> Workspace:
        """The workspace in the path, which the asker belongs to."""
        if self.maybe_workspace is None:
            raise problems.not_here("workspace")
        return self.maybe_workspace

    @property
    def role(self) -> Role:
        """The asker's role there."""
        if self.maybe_role is None:
            raise problems.not_here("workspace")
        return self.maybe_role

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return str(self.request.META.get("REMOTE_ADDR", ""))


def operation(
    access: Access | Action,
    *,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    answer: type[BaseModel] | None = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    repeat: Literal["no", "stored", "stored_apart", "passed"] = "no",
    secret: bool = False,
    file: bool = False,
    upload: bool = False,
    does: str | None = None,
) -> Callable[[F], F]:
    """Declare a view's method. `stored` runs it in one transaction with its stored answer; `stored_apart` must be
    used where the runtime is called, whose writer has a connection of its own, and where another system is asked.

    Every write has one of these; `no` is for what changes nothing, and for what begins or ends a session.

    `does` names what goes on record (`deeds.py`); whatever is no GET says it, if only that it changes `nothing`."""
    if does is not None and does != NOTHING and does not in DEEDS:
        raise TypeError(f"There is no deed {does!r}: put it into deeds.DEEDS.")

    def declare(function: F) -> F:
        if does is None and function.__name__ != "get":
            raise TypeError(f"{function.__qualname__} does not say what it does: a deed of deeds.DEEDS, or nothing.")
        summary = (function.__doc__ or "").strip()
        function.operation = Operation(  # type: ignore[attr-defined]
            access, summary, body, query, answer, status, also, repeat, secret, file, upload, does
        )
        return function

    return declare


class ApiView(APIView):
    """Carries out operations. Answers 404 for what belongs to others, as for what is not there."""

    permission_classes = []
    metadata_class = None

    @classmethod
    def operations(cls) -> dict[str, Operation]:
        """The operations of this route by HTTP method."""
        methods = ("get", "post", "put", "patch", "delete")
        found = {name.upper(): getattr(getattr(cls, name, None), "operation", None) for name in methods}
        return {name: value for name, value in found.items() if value is not None}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's dispatch, with the operation between authentication and the method."""
        drf_request = self.initialize_request(request, *args, **kwargs)
        self.request = drf_request
        self.headers = self.default_response_headers
        try:
            self.initial(drf_request, *args, **kwargs)
            response = self._carry_out(drf_request, kwargs)
        except Exception as error:
            response = problems.handle(error, {"request": drf_request})  # type: ignore[assignment]
        return self.finalize_response(drf_request, response, *args, **kwargs)

    def _carry_out(self, request: Request, path: dict[str, Any]) -> Response:
        method = "GET" if request.method == "HEAD" else str(request.method)
        declared = self.operations().get(method)
        if declared is None:
            raise MethodNotAllowed(method)
        call = _authorised(request, declared, path)
        arguments = {name: value for name, value in path.items() if name != "workspace_id"}
        if declared.query is not None:
            arguments["query"] = read_query(request._request.GET, declared.query)
        elif request._request.GET and method != "GET":
            # As everywhere else: an address that cannot be read is 400, a body that will not do 422.
            raise problems.Refusal(400, "invalid_parameters", "This address takes no parameters.")
        content: JSON = read_json(request._request) if method != "GET" and not declared.upload else None
        if declared.body is not None:
            arguments["body"] = read_body(content, declared.body)
        handler = getattr(self, method.lower())

        recording = _recording(call, declared, path, arguments)
        if recording is not None:
            call = replace(call, maybe_deed=recording)

        def run() -> Response:
            # Of a HEAD nothing is handed out that would have to be on record.
            with nullcontext() if recording is None or request.method == "HEAD" else recording.kept():
                result = handler(call, **arguments)
            # DRF passes on whatever Django sends.
            return result if isinstance(result, StreamingHttpResponse) else _rendered(result, declared)  # type: ignore[return-value]

        if call.key is None or declared.repeat in ("no", "passed"):
            return run()
        return repeats.once(
            key=repeats.key_digest(str(call.actor.pk), method, request.path, call.key),
            body=_told(request._request) if declared.upload else request._request.body,
            run=run,
            now=call.now,
            together=declared.repeat == "stored",
            secret=declared.secret,
            progress=call.progress,
        )


def _recording(
    call: Call, declared: Operation, path: Mapping[str, Any], arguments: Mapping[str, Any]
) -> recorded.Recording | None:
    if declared.does is None or declared.does == NOTHING:
        return None
    return recorded.Recording(
        declared.does,
        actor=recorded.actor_of(call.user, call.token),
        origin=recorded.origin_of(call.request),
        workspace_id=None if call.maybe_workspace is None else call.maybe_workspace.id,
        # A file is handed out, whatever asks for it: to make it needs no transaction.
        reads=call.request.method == "GET" or declared.file,
        said=recorded.said_of(path, arguments.get("query"), arguments.get("body")),
    )


def _told(request: HttpRequest) -> bytes:
    """What is known of a file before it has been read: by that a repeat is told from another file under its key."""
    meta = request.META
    return "\0".join((request.GET.urlencode(), meta.get("CONTENT_TYPE", ""), meta.get("CONTENT_LENGTH", ""))).encode()


MOST_KEY: Final = 255


def _authorised(request: Request, declared: Operation, path: Mapping[str, Any]) -> Call:
    user = request.user if isinstance(request.user, User) else None
    token = request.auth if isinstance(request.auth, ApiToken) else None
    known = getattr(request._request, "scope", {}).get("millrace.known")
    if user is not None and known is not None:
        # Whose trace this belongs to is for those to say who are known (`config.traces.web`).
        known()
    workspace: Workspace | None = None
    role: Role | None = None
    match declared.access:
        case Access.ANYONE:
            pass
        case Access.SIGNED_IN:
            if user is None:
                raise NotAuthenticated
            if token is not None:
                raise problems.Refusal(403, "forbidden", "A token works within its workspace only.")
        case action:
            workspace_id: UUID = path["workspace_id"]
            if user is None:
                raise NotAuthenticated
            actor = token or user
            role = role_of(actor, workspace_id)
            workspace = selectors.workspace(workspace_id) if role is not None else None
            if role is None or workspace is None:
                raise problems.not_here("workspace")
            if not allows(role, action, actor):
                raise problems.Refusal(
                    403,
                    "forbidden",
                    "Your role does not allow this.",
                    params={"action": str(action), "role": str(role)},
                )
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and (not 1 <= len(key) <= MOST_KEY or not key.isascii() or not key.isprintable()):
        raise problems.Refusal(
            400, "key_invalid", f"An Idempotency-Key has 1 to {MOST_KEY} printable ASCII characters."
        )
    return Call(request._request, user, token, workspace, role, datetime.now(UTC), key)


def _rendered(result: Any, declared: Operation) -> Response:
    headers: Mapping[str, str] = {}
    status = declared.status
    if isinstance(result, Answer):
        status, headers, result = result.status, result.headers, result.content
    if result is None:
        return Response(status=204 if status == 200 else status, headers=dict(headers))
    return Response(result.model_dump(), status=status, headers=dict(headers))


B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


def read_body(content: JSON, model: type[B]) -> B:
    """The body as a model; raises 422 with a message for each field that will not do."""
    if not isinstance(content, dict):
        raise problems.Refusal(400, "not_an_object", "The body must be a JSON object.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise problems.invalid(_fields(error)) from error


def read_query(parameters: QueryDict, model: type[Q]) -> Q:
    """The query as a model. A parameter may come twice only where the model wants a list."""
    content: dict[str, Any] = {}
    fields: dict[str, list[str]] = {}
    for name, values in parameters.lists():
        wanted = model.model_fields.get(name)
        if wanted is not None and (wanted.json_schema_extra or {}) == {"many": True}:
            content[name] = [part for value in values for part in str(value).split(",") if part]
        elif len(values) > 1:
            fields[name] = ["This parameter may come only once."]
        elif values[0] != "":
            content[name] = values[0]
    if not fields:
        try:
            return model.model_validate(content)
        except ValidationError as error:
            fields = _fields(error)
    raise problems.Refusal(400, "invalid_parameters", "Some parameters will not do.", fields=fields)


def _fields(error: ValidationError) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in error.errors(include_url=False, include_context=False, include_input=False)[:50]:
        path = ".".join(str(part)[:100] for part in entry["loc"])
        found.setdefault(path, []).append(_WORDS.get(entry["type"], entry["msg"].removeprefix("Value error, ")))
    return found


_WORDS: Final = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "Use text.",
    "int_type": "Use a whole number.",
    "int_parsing": "Use a whole number.",
    "bool_type": "Use true or false.",
    "bool_parsing": "Use true or false.",
    "uuid_parsing": "This is not an id.",
    "uuid_type": "This is not an id.",
    "list_type": "Use a list.",
    "dict_type": "Use an object.",
}
