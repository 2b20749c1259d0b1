"""What the entries of a list are worth: written with their runs, summed for those who watch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from runtime.store.children import key
from runtime.store.dialect import Statement

__all__ = [
    "INSERT_AMOUNTS",
    "PLACES",
    "UPDATE_POSTED",
    "Sum",
    "decimal_of",
    "sums",
    "units_of",
]

#: Amounts are kept as whole numbers of the unit's ten-thousandth.
PLACES: Final = 4
_MOST: Final = 10**14


INSERT_AMOUNTS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"), ("u_node_id", "text"), ("u_index", "int"), ("u_amount", "int"),
        ("u_currency", "text"),
    ),
    body="""
    INSERT INTO store_itemamount (run_id, node_id, item_index, amount, currency, posted_currency)
    SELECT u_run_id, u_node_id, u_index, u_amount, u_currency, '' FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)  # fmt: skip

# An entry of which nothing was known to be worth anything has a row only once something was posted.
UPDATE_POSTED: Final = Statement(
    columns=(
        ("u_run_id", "uuid"), ("u_node_id", "text"), ("u_index", "int"), ("u_posted", "int"),
        ("u_currency", "text"),
    ),
    body="""
    INSERT INTO store_itemamount (run_id, node_id, item_index, currency, posted, posted_currency)
    SELECT u_run_id, u_node_id, u_index, '', u_posted, u_currency FROM u WHERE true
    ON CONFLICT (run_id, node_id, item_index)
    DO UPDATE SET posted = excluded.posted, posted_currency = excluded.posted_currency""",
)  # fmt: skip


class Sum(NamedTuple):
    """The entries in one currency: how many, and what they are worth together; of these the ones that are `done`, that
    failed, that are open, and that people left out. Amounts as `units_of` gives them."""

    currency: str
    entries: int
    amount: int
    done_count: int
    done: int
    failed_count: int
    failed: int
    open_count: int
    open: int
    left_out_count: int
    left_out: int
    #: So many have no amount.
    without: int


_SUMS: Final = """
    SELECT a.currency, count(*), coalesce(sum(a.amount), 0),
        count(*) FILTER (WHERE {done}), coalesce(sum(a.amount) FILTER (WHERE {done}), 0),
        count(*) FILTER (WHERE r.finished_at IS NOT NULL AND r.status <> 'completed'),
        coalesce(sum(a.amount) FILTER (WHERE r.finished_at IS NOT NULL AND r.status <> 'completed'), 0),
        count(*) FILTER (WHERE r.finished_at IS NULL),
        coalesce(sum(a.amount) FILTER (WHERE r.finished_at IS NULL), 0),
        count(*) FILTER (WHERE {left_out}), coalesce(sum(a.amount) FILTER (WHERE {left_out}), 0),
        count(*) FILTER (WHERE a.amount IS NULL)
    FROM store_itemamount a {runs}
    WHERE a.run_id = %(run)s AND a.node_id = %(node)s
    GROUP BY a.currency ORDER BY a.currency"""
_LEFT_OUT: Final = "r.status = 'completed' AND r.outcome = 'skipped'"
#: Without `IS DISTINCT FROM`, which older SQLites do not know.
_DONE: Final = "r.status = 'completed' AND coalesce(r.outcome, '') <> 'skipped'"
#: While a batch is young, PostgreSQL takes it for a single row, and would go through all runs for each of its amounts:
#: it is made to look up each run by its number.
_RUNS: Final = {
    "postgresql": """CROSS JOIN LATERAL (SELECT status, outcome, finished_at FROM store_run
        WHERE parent_run_id = a.run_id AND parent_node = a.node_id AND item_index = a.item_index
        AND parent_run_id IS NOT NULL OFFSET 0) r""",
    "sqlite": """JOIN store_run r ON r.parent_run_id = a.run_id AND r.parent_node = a.node_id
        AND r.item_index = a.item_index AND r.parent_run_id IS NOT NULL""",
}
_POSTED: Final = """
    SELECT posted_currency, count(*), coalesce(sum(posted), 0) FROM store_itemamount
    WHERE run_id = %(run)s AND node_id = %(node)s AND posted IS NOT NULL
    GROUP BY posted_currency ORDER BY posted_currency"""


def sums(run_id: UUID, node: str) -> tuple[list[Sum], dict[str, tuple[int, int]]]:
    """What the entries of this step are worth, by currency; and by currency how many have posted something, and how
    much."""
    with connection.cursor() as cursor:
        given = {"run": key(run_id), "node": node}
        sql = _SUMS.format(runs=_RUNS[connection.vendor], done=_DONE, left_out=_LEFT_OUT)
        cursor.execute(sql, given)
        worth = [Sum(row[0], *(int(one) for one in row[1:])) for row in cursor.fetchall()]
        cursor.execute(_POSTED, given)
        posted = {row[0]: (int(row[1]), int(row[2])) for row in cursor.fetchall()}
    return worth, posted


def units_of(value: Any) -> int | None:
    """An amount as it is kept; None where the value is none, or has more than four decimals, or is out of reach."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        exact = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    if not exact.is_finite() or abs(exact) > _MOST:
        return None
    scaled = exact.scaleb(PLACES)
    whole = scaled.to_integral_value()
    return int(whole) if whole == scaled else None


def decimal_of(units: int) -> str:
    """The amount again, with at least two decimals."""
    text = f"{Decimal(units).scaleb(-PLACES):.{PLACES}f}"
    return text[:-2] if text.endswith("00") else text
