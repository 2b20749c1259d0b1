"""Lists that a step reads page by page: how far it is, and what it has had already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from runtime.store.dialect import Statement
from runtime.store.models import ItemKey, Reading

__all__ = ["INSERT_KEYS", "UPSERT_READINGS", "had", "skipped", "state_of", "totals"]

UPSERT_READINGS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_state", "text"),
        ("u_total", "int"),
        ("u_skipped", "int"),
    ),
    body="""
    INSERT INTO store_reading (run_id, node_id, state, total, skipped)
    SELECT u_run_id, u_node_id, u_state, u_total, u_skipped FROM u WHERE true
    ON CONFLICT (run_id, node_id) DO UPDATE SET state = excluded.state, total = excluded.total,
        skipped = excluded.skipped""",
)

INSERT_KEYS: Final = Statement(
    columns=(("u_run_id", "uuid"), ("u_node_id", "text"), ("u_key", "text")),
    body="""
    INSERT INTO store_itemkey (run_id, node_id, key) SELECT u_run_id, u_node_id, u_key FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)
_PORTION: Final = 500


def state_of(run_id: UUID, node: str) -> str | None:
    """How far this step has read; None where it has not begun."""
    return Reading.objects.filter(run_id=run_id, node_id=node).values_list("state", flat=True).first()


def skipped(run_id: UUID, node: str) -> int:
    """How many entries of this step came twice and were passed over."""
    found = Reading.objects.filter(run_id=run_id, node_id=node).values_list("skipped", flat=True).first()
    return found or 0


def had(run_id: UUID, node: str, keys: Sequence[str]) -> set[str]:
    """Those of these keys that this step has had."""
    found: set[str] = set()
    for start in range(0, len(keys), _PORTION):
        rows = ItemKey.objects.filter(run_id=run_id, node_id=node, key__in=keys[start : start + _PORTION])
        found.update(rows.values_list("key", flat=True))
    return found


def totals(run_id: UUID) -> dict[str, int | None]:
    """Of each step of this run that reads page by page: how many entries there are, None where that is not known."""
    return dict(Reading.objects.filter(run_id=run_id).values_list("node_id", "total"))
