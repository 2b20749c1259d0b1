"""The fields that runs are found by: what versions name, and what stands of them with each run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from runtime.contracts import RunFieldView
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.naming import NamingField, naming_of
from runtime.store.models import RunField, Version

__all__ = ["fields_named", "fields_of"]


@lru_cache(maxsize=2_048)
def fields_named(version_id: UUID) -> tuple[NamingField, ...]:
    """The fields that a version names; it never changes."""
    text = Version.objects.filter(pk=version_id).values_list("graph", flat=True).first()
    # Most graphs name none, and are long.
    if text is None or '"naming"' not in text:
        return ()
    graph: Any = loads_stored(text)
    naming = naming_of(graph)
    return () if naming is None else naming.fields


def fields_of(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, tuple[RunFieldView, ...]]:
    """What these runs are found by beside their keys, in the order in which their versions name it; a query, and none
    where no version names any. `rows`: with `id`, `workspace_id`, `version_id`."""
    named = {row["id"]: fields for row in rows if (fields := fields_named(row["version_id"]))}
    if not named:
        return {}
    found = RunField.objects.filter(
        workspace_id__in={row["workspace_id"] for row in rows if row["id"] in named},
        name__in={field.name for fields in named.values() for field in fields},
        run_id__in=list(named),
    )
    stored = {(run, name): (shown, currency) for run, name, shown, currency in found.values_list(
        "run_id", "name", "shown", "currency"
    )}  # fmt: skip
    return {
        run_id: tuple(
            RunFieldView(field.name, field.label, field.kind, *stored[run_id, field.name])
            for field in fields
            if (run_id, field.name) in stored
        )
        for run_id, fields in named.items()
    }
