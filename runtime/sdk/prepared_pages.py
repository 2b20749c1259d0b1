"""The rows that a value in data stands for (`table_value`), a page at a time, as the workflow expects them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from runtime.engine.jsonprofile import JSON
from runtime.sdk.table_cells import Place, TableRefused
from runtime.sdk.table_columns import TableColumn
from runtime.sdk.table_fit import NONE_LEFT_OUT, Fitting, Plan, first_rows, headers_of, open_cells, plan_of
from runtime.sdk.table_looks import Look, look_at
from runtime.sdk.table_pages import TablePages
from runtime.sdk.table_value import LeftOut, TableFormat, Unusable, spans

__all__ = ["PreparedPages", "plan_of_value"]


def plan_of_value(file: BinaryIO, value: Mapping[str, Any]) -> Plan:
    """How to read the rows that a value in data stands for. Raises TableRefused."""
    columns = _columns(value)
    try:
        if value.get("format") is None:
            return _found_out(look_at(file, columns))
        form, left_out = TableFormat.of(value["format"]), _left_out(value)
    except Unusable as unusable:
        raise TableRefused(f"The file {unusable}.") from unusable
    raw = open_cells(file, form)
    try:
        headers = headers_of(first_rows(raw.rows), form.header)
    finally:
        raw.close()
    sources = {one["name"]: one["from"] for one in value["columns"] if one.get("from")}
    return plan_of(form, columns, sources, headers, left_out)


def _columns(value: Mapping[str, Any]) -> list[TableColumn]:
    told: list[Any] = list(value["columns"])
    return [TableColumn.model_validate({n: v for n, v in one.items() if n != "from"}) for one in told]


def _left_out(value: Mapping[str, Any]) -> LeftOut:
    return spans(value["left_out"]["rows"]) if value.get("left_out") else NONE_LEFT_OUT


def _found_out(found: Look) -> Plan:
    """What nobody was asked about, where it can be read one way only."""
    for ask in found.asks:
        raise TableRefused(f"“{ask.cell}” can be read in two ways. Start it from its page, where this is asked.")
    missing = [one.label for one in found.columns if (one.required or one.key) and one.name not in found.sources]
    if missing:
        raise TableRefused(f"There is no column “{missing[0]}”. There are: {', '.join(found.headers)}.")
    return plan_of(found.form, found.columns, found.sources, found.headers)


@dataclass(frozen=True, slots=True)
class PreparedPages(TablePages):
    """As `TablePages`; `file` is the whole value."""

    def _digest(self) -> JSON:
        file = self.file.get("file") if isinstance(self.file, dict) else None
        return file.get("sha256") if isinstance(file, dict) else None

    def _reference(self) -> JSON:
        return self.file["file"] if isinstance(self.file, dict) else None

    def _look(self, file: BinaryIO) -> Any:
        return plan_of_value(file, self.file if isinstance(self.file, dict) else {})

    def _kept(self, layout: Any) -> JSON:
        return {"format": layout.form.as_json(), "places": [*layout.places], "width": layout.width}

    def _again(self, kept: Any) -> Any:
        value = self.file if isinstance(self.file, dict) else {}
        form = TableFormat.of(kept["format"])
        return Plan(form, tuple(_columns(value)), tuple(kept["places"]), kept["width"], _left_out(value))

    def _open(self, file: BinaryIO, layout: Any, start: Place) -> Any:
        return Fitting(file, layout, start)
