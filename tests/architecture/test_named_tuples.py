"""Named tuples that are made the fast way, where no type checker counts the fields."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.engine.state import made

ROOT = Path(__file__).parents[2]


def made_fast() -> Iterator[tuple[str, type[Any], list[ast.expr]]]:
    """Each `made(Class, (…))`: where, of which class, with what."""
    for path in sorted((ROOT / "runtime").rglob("*.py")):
        text = path.read_text()
        if "made(" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for call in ast.walk(ast.parse(text)):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or len(call.args) != 2:
                continue
            if getattr(module, call.func.id, None) is not made:
                continue
            kind, values = call.args
            assert isinstance(kind, ast.Name)
            assert isinstance(values, ast.Tuple)
            yield f"{path.relative_to(ROOT)}:{call.lineno}", getattr(module, kind.id), values.elts


def test_every_field_is_given_and_stands_where_its_name_says() -> None:
    found = list(made_fast())
    assert len(found) >= 8
    for where, kind, values in found:
        fields: tuple[str, ...] = kind._fields
        assert len(values) == len(fields), f"{where}: {kind.__name__} has {len(fields)} fields, not {len(values)}"
        for place, value in enumerate(values):
            name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
            assert name not in fields or fields[place] == name, (
                f"{where}: “{name}” stands where {fields[place]} belongs"
            )
