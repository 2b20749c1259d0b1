"""Data tables that steps name: whether they are in this workspace, and have the columns that are named with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from builder.workflows import documents
from runtime import api as runtime_api
from runtime.catalog import CATALOG
from runtime.contracts import JSON, Problem
from runtime.contracts.datatables import TableView

__all__ = ["copies", "problems"]

#: So many rows of each table a drill has.
_COPIED: Final = 200


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where a step type names its table and columns: `lists` are settings whose entries name one, with its name."""

    table: str
    columns: tuple[str, ...]
    lists: tuple[tuple[str, str], ...]


def problems(*, workspace_id: UUID, graph: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the tables that the steps of this graph name; formulas are not worked out."""
    named = list(_named(graph))
    if not named:
        return []
    here = {table.id: table for table in runtime_api.tables(workspace_id=workspace_id)}
    return [problem for node, fields in named for problem in _of(node, fields, here)]


def copies(*, workspace_id: UUID, graphs: list[Mapping[str, Any]]) -> list[dict[str, JSON]]:
    """The tables that these graphs name, with their first rows, for a drill: what happens there happens to copies.

    Numbers are text, which loses none of their digits on the way.
    """
    ids = {found for graph in graphs for found in documents.ids_anywhere(dict(graph))}
    tables = [table for table in runtime_api.tables(workspace_id=workspace_id) if table.id in ids]
    return [_copy(workspace_id, table) for table in tables]


def _copy(workspace_id: UUID, table: TableView) -> dict[str, JSON]:
    rows = runtime_api.table_rows(workspace_id=workspace_id, table_id=table.id, limit=_COPIED).items
    columns: list[JSON] = [
        {"id": one.id, "name": one.name, "type": one.type, "required": one.required, "key": one.key}
        for one in table.columns
    ]
    found: list[JSON] = [{name: _plain(value) for name, value in row.values.items()} for row in rows]
    return {"id": str(table.id), "name": table.name, "columns": columns, "rows": found}


def _plain(value: JSON) -> JSON:
    return value if value is None or isinstance(value, bool | str) else str(value)


def _named(graph: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], _Fields]]:
    for node in documents.nodes_of(graph):
        fields = _fields().get(documents.type_of(node))
        config = node.get("config")
        # A step that could name a table may do something else, as “For each” does.
        if fields is None or not isinstance(config, dict) or config.get("source", "table") != "table":
            continue
        if isinstance(config.get(fields.table), str) and config[fields.table]:
            yield node, fields


def _of(node: dict[str, Any], fields: _Fields, here: Mapping[UUID, TableView]) -> Iterator[Problem]:
    config = node["config"]
    try:
        table = here.get(UUID(config[fields.table]))
    except ValueError:
        table = None
    if table is None:
        yield _problem(
            node, fields.table, "table_missing", "Choose a table: the one chosen before is not in this workspace."
        )
        return
    columns = {column.name for column in table.columns}
    for path, name in _columns_named(config, fields):
        if isinstance(name, str) and name and name not in columns:
            there = ", ".join(f"“{one}”" for one in columns)
            said = f"The table “{table.name}” has no column “{name[:100]}”. It has: {there}."
            yield _problem(node, path, "column_missing", said)


def _columns_named(config: Mapping[str, Any], fields: _Fields) -> Iterator[tuple[str, Any]]:
    for name in fields.columns:
        yield name, config.get(name)
    for name, inner in fields.lists:
        entries = config.get(name)
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield f"{name}[{place}].{inner}", entry.get(inner)


def _problem(node: Mapping[str, Any], field: str, code: str, message: str) -> Problem:
    return Problem(
        severity="error", code=code, message=message, node=str(node.get("id")), edge=None, field=field, params={}
    )


@lru_cache(maxsize=1)
def _fields() -> Mapping[str, _Fields]:
    found = {}
    for spec in CATALOG.specs():
        properties = spec["config_schema"].get("properties", {})
        tables = _with_widget(properties, "data-table")
        if tables:
            lists = tuple(
                (name, inner)
                for name, schema in properties.items()
                for inner in _with_widget(schema.get("items", {}).get("properties", {}), "table-column")
            )
            found[spec["type"]] = _Fields(tables[0], tuple(_with_widget(properties, "table-column")), lists)
    return found


def _with_widget(properties: Mapping[str, Any], widget: str) -> list[str]:
    return [name for name, schema in properties.items() if schema.get("x-ui", {}).get("widget") == widget]
