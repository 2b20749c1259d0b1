"""The kinds of connection, as the runtime's catalog describes them: fields, which of them are secret, and checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.catalog import CATALOG


def specs() -> list[dict[str, Any]]:
    """All kinds: {kind, title, icon, help, fields (JSON Schema with x-ui), secret_fields, defaults}."""
    return [dict(spec) for spec in CATALOG.connection_kinds()]


def known(kind: str) -> bool:
    """Whether there is such a kind."""
    return CATALOG.connection_kind(kind) is not None


def secret_names(kind: str) -> frozenset[str]:
    """The fields that are never shown again."""
    found = CATALOG.connection_kind(kind)
    return frozenset(found.secret_fields) if found is not None else frozenset()


def takes_two(kind: str) -> bool:
    """Whether connections of this kind let somebody else in, by their secret or by the one before it."""
    return "previous_secret" in secret_names(kind)


def leads_to(kind: str, fields: Mapping[str, Any]) -> frozenset[str]:
    """Where the secret may be sent with these fields, which have no problems."""
    found = CATALOG.connection_kind(kind)
    return frozenset() if found is None else found.leads_to(fields)


def typed(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields without problems, each in the type of its field, as they are kept; what was left out stays out."""
    found = CATALOG.connection_kind(kind)
    return dict(fields) if found is None else found.model.model_validate(dict(fields)).model_dump(exclude_unset=True)


def problems(kind: str, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with these fields, by path; empty where nothing is. No sentence holds a secret.

    Text must come as text: a secret that was a number would be written in more ways than one, and not all are hidden.
    """
    found = CATALOG.connection_kind(kind)
    if found is None:
        return {"kind": ["There is no such kind of connection."]}
    hide = found.redactor(fields)
    texts = (name for name, field in found.model.model_fields.items() if field.annotation is str)
    wrong = {f"fields.{name}": ["Use text."] for name in texts if not isinstance(fields.get(name, ""), str)}
    for path, _code, sentence in found.problems(fields):
        where = f"fields.{path}" if path else "fields"
        if wrong.get(where) != ["Use text."]:
            wrong.setdefault(where, []).append(hide.text(sentence))
    return wrong
