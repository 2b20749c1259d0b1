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


def problems(kind: str, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with these fields, by path; empty where nothing is. No sentence holds a secret."""
    found = CATALOG.connection_kind(kind)
    if found is None:
        return {"kind": ["There is no such kind of connection."]}
    hide = found.redactor(fields)
    wrong: dict[str, list[str]] = {}
    for path, _code, sentence in found.problems(fields):
        wrong.setdefault(f"fields.{path}" if path else "fields", []).append(hide.text(sentence))
    return wrong
