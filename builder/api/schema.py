"""The OpenAPI document, made from the operations themselves.

Imported only when somebody asks for the document: drf-spectacular stays out of a server's memory until then.
"""

from __future__ import annotations

import re
from typing import Any, Final

import uritemplate
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from pydantic import BaseModel

from builder.accounts.rights import RULES
from builder.api.operation import Access, ApiView, Operation

REF: Final = "#/components/schemas/{model}"
_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457. `code` is stable, `params` fill its sentence, `fields` says what is wrong where.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "params": {"type": "object", "additionalProperties": True},
        "request_id": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
    "required": ["type", "title", "status", "detail", "code", "params", "request_id"],
    "additionalProperties": True,
}
_WORDS: Final = {
    400: "The body or a parameter cannot be read.",
    401: "Nobody is signed in, or the token is not good.",
    403: "The role, the scope or the CSRF token does not allow it.",
    404: "There is no such thing here.",
    408: "The body came too slowly.",
    409: "It conflicts with how things stand.",
    413: "The body is too large.",
    415: "The body is not JSON in UTF-8.",
    422: "Some values will not do.",
    428: "The revision is missing: send If-Match.",
    429: "Too many requests.",
    503: "The database cannot be reached just now.",
}


class MillraceSchema(AutoSchema):
    """Describes one operation, without guessing."""

    def _declared(self) -> Operation:
        return self._operations()[self.method]

    def _operations(self) -> dict[str, Operation]:
        return self.view.operations() if isinstance(self.view, ApiView) else {}

    def is_excluded(self) -> bool:
        return self.method not in self._operations()

    def get_operation_id(self) -> str:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", self.view.__class__.__name__).lower()
        verb = {"GET": "read", "POST": "do", "PUT": "put", "PATCH": "change", "DELETE": "remove"}[self.method]
        return f"{verb}_{words}"

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if not part.startswith("{")]
        return [parts[1] if parts[0] == "workspaces" and len(parts) > 1 else parts[0]]

    def get_summary(self) -> str | None:
        return self._declared().summary.split("\n")[0].split(". ")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        declared = self._declared()
        match declared.access:
            case Access.ANYONE:
                who = "For anyone."
            case Access.SIGNED_IN:
                who = "For whoever is signed in."
            case action:
                rule = RULES[action]
                who = f"For the role {rule.least} and above; tokens need the scope `{rule.scope}`."
        return f"{declared.summary}\n\n{who}"

    def get_auth(self) -> list[dict[str, Any]]:
        match self._declared().access:
            case Access.ANYONE:
                return [{}]
            case Access.SIGNED_IN:
                return [{"session": []}]
            case _:
                return [{"session": []}, {"token": []}]

    def _get_parameters(self) -> list[dict[str, Any]]:
        declared = self._declared()
        found = [
            {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
            for name in uritemplate.variables(self.path)
        ]
        if declared.query is not None:
            schema = self._inline(declared.query)
            needed = schema.get("required", [])
            found += [
                {"name": name, "in": "query", "required": name in needed, "schema": part, "explode": True}
                for name, part in schema["properties"].items()
            ]
        if declared.repeat != "no":
            found.append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string", "maxLength": 255},
                    "description": "Makes the write safe to send again: a repeat gets the first answer.",
                }
            )
        if 428 in declared.also:
            found.append(
                {
                    "name": "If-Match",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                    "description": 'The revision that was changed, such as "12".',
                }
            )
        return found

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        body = self._declared().body
        if self._declared().upload:
            anything = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
            return {"content": {"*/*": anything}, "required": True}
        if body is None:
            return None
        return {"content": {"application/json": {"schema": self._component(body, "validation")}}, "required": True}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        declared = self._declared()
        answers: dict[str, Any] = {}
        if declared.file:
            # Of whatever type it is: JSON, CSV, PDF, an archive.
            answers["200"] = {"description": "A file.", "content": {"*/*": {"schema": {}}}}
        elif declared.answer is None:
            answers["204"] = {"description": "Done."}
        else:
            content = {"application/json": {"schema": self._component(declared.answer, "serialization")}}
            answers[str(declared.status)] = {"description": "Done.", "content": content}
            if declared.repeat == "passed":
                answers["200"] = {"description": "Done before, by a request with the same key.", "content": content}
        for status in self._refusals(declared):
            schema = {"$ref": REF.format(model="Problem")}
            answers[str(status)] = {
                "description": _WORDS[status],
                "content": {"application/problem+json": {"schema": schema}},
            }
        return dict(sorted(answers.items()))

    def _refusals(self, declared: Operation) -> set[int]:
        found = {400, 401, 503, *declared.also}
        if self.method != "GET":
            found |= {403, 413, 415}
        if declared.access not in (Access.ANYONE, Access.SIGNED_IN):
            found |= {403, 404}
        if declared.body is not None:
            found.add(422)
        if declared.repeat != "no":
            found |= {409, 422}
        self._register("Problem", dict(_PROBLEM))
        return found

    def _component(self, model: type[BaseModel], mode: Any) -> dict[str, Any]:
        self._register(_name(model), self._inline(model, mode))
        return {"$ref": REF.format(model=_name(model))}

    def _inline(self, model: type[BaseModel], mode: Any = "validation") -> dict[str, Any]:
        schema: dict[str, Any] = _tidy(model.model_json_schema(ref_template=REF, mode=mode))
        for name, part in schema.pop("$defs", {}).items():
            self._register(_clean(name), part)
        return schema

    def _register(self, name: str, schema: dict[str, Any]) -> None:
        kind = ResolvedComponent.SCHEMA
        component = ResolvedComponent(name=name, type=kind, object=name, schema=schema)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        # The first of two with one name would stand for both.
        if dict(self.registry[(name, kind)].schema) != schema:
            raise TypeError(f"Two shapes are called {name}: the published schema can name only one of them so.")


def _path_schema(name: str) -> dict[str, Any]:
    if name == "number":
        return {"type": "integer", "minimum": 1, "maximum": 999_999_999}
    if name == "node_id":
        return {"type": "string"}
    return {"type": "string", "format": "uuid"}


def _name(model: type[BaseModel]) -> str:
    return _clean(model.__name__)


def _clean(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part)


def _tidy(value: Any) -> Any:
    """Component names that OpenAPI allows, and no titles that repeat the name of a field."""
    if isinstance(value, dict):
        tidy = {}
        for key, part in value.items():
            if key == "$ref":
                tidy[key] = REF.format(model=_clean(part.rsplit("/", 1)[1]))
            elif not (key == "title" and isinstance(part, str)):
                tidy[key] = _tidy(part)
        return tidy
    return [_tidy(part) for part in value] if isinstance(value, list) else value


def document() -> dict[str, Any]:
    """The whole OpenAPI document."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    generated: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return generated
