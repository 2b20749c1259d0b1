"""Finding runs among millions: one statement that names the ids of a page, for both databases.

Everything that is asked for goes in as a parameter. What each condition costs at a million runs is measured by
`tests.benchmarks.search`; the indexes are those of `field_models`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from runtime.contracts.searching import FieldTerm, RunFilters
from runtime.engine.naming import KEY, folded
from runtime.store.given_up import letter_waits
from runtime.store.models import DeadLetter

__all__ = [
    "MOVING",
    "Marker",
    "Query",
    "count",
    "ids_by_key",
    "ids_of_items",
    "ids_of_page",
    "letters_standing",
    "short_id_of",
]

#: Word for word what the indexes say (`field_models.IS_LISTED`).
_LISTED: Final = "(r.parent_run_id IS NULL OR NOT (r.trigger_node = (r.parent_node) AND r.parent_node IS NOT NULL))"
_TROUBLED: Final = "NOT (r.status IN ('accepted', 'running', 'completed'))"
_PLAIN: Final = frozenset({"accepted", "running", "completed"})
_FAILED: Final = "r.status IN ('dead_lettered', 'compensated')"
_LASTED: Final = "(r.finished_at - r.accepted_at)"
#: How a step stands that is not waiting.
MOVING: Final = ("ready", "running", "retrying")
_KEYS: Final = "store_runfield AS s JOIN store_run AS r ON r.id = s.run_id"
_HEX: Final = frozenset("0123456789abcdef")
#: Ids are made by the clocks of several machines.
_SLACK_MS: Final = 3_600_000
_OPERATORS: Final = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
#: The place of a run in a sorted list: what it is sorted by, and its id.
Marker = tuple[int, UUID]


@dataclass(slots=True)
class Query:
    """Conditions and their parameters."""

    workspace_id: UUID
    sqlite: bool = field(default_factory=lambda: connection.vendor == "sqlite")
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def key(self, value: UUID) -> Any:
        return value.hex if self.sqlite else value

    def add(self, sql: str, *values: Any) -> None:
        self.where.append(sql)
        self.values += values

    def one_of(self, column: str, values: Sequence[Any]) -> None:
        """This column is one of these values."""
        if not values:
            self.add("1 = 0")
        else:
            self.add(f"{column} IN ({', '.join(['%s'] * len(values))})", *values)

    def text(self) -> str:
        return " AND ".join(self.where)


def ids_of_page(
    workspace_id: UUID, filters: RunFilters, after: Marker | None, limit: int, now: int
) -> list[tuple[int, UUID]]:
    """The markers of the next so many runs. `now`: the database's clock, by which open runs last."""
    made = _conditions(workspace_id, filters, now)
    by_field = filters.sort in ("largest", "smallest")
    source = "store_run AS r"
    descends = filters.sort in ("newest", "longest", "largest")
    place, name = "0", "r.id"
    if _goes_by_tag(filters) and filters.sort in ("newest", "oldest"):
        source, made = _of_tag(workspace_id, filters, now)
        name = "g.run_id"
    elif filters.sort in ("longest", "shortest"):
        made.add("r.finished_at IS NOT NULL")
        place = _LASTED
    elif by_field:
        source = "store_runfield AS s JOIN store_run AS r ON r.id = s.run_id"
        made.add(
            "s.workspace_id = %s AND s.name = %s AND s.number IS NOT NULL", made.key(workspace_id), filters.sort_field
        )
        place, name = "s.number", "s.run_id"
    way, beyond = ("DESC", "<") if descends else ("ASC", ">")
    order = f"{name} {way}" if place == "0" else f"{place} {way}, {name} {way}"
    if after is not None:
        mark, last = after
        if place == "0":
            made.add(f"{name} {beyond} %s", made.key(last))
        else:
            made.add(f"({place}, {name}) {beyond} (%s, %s)", mark, made.key(last))
    sql = f"SELECT {place}, {name} FROM {source} WHERE {made.text()} ORDER BY {order} LIMIT %s"
    return [(int(mark), _id(found)) for mark, found in _run(sql, [*made.values, limit])]


def ids_by_key(
    workspace_id: UUID, filters: RunFilters, after: Marker | None, limit: int, now: int
) -> list[tuple[int, UUID]]:
    """The same, newest or oldest first, of those only whose keys hold all the words: in the order in which keys stand,
    so that a word that half of all runs are called by is found at once."""
    made = _of_keys(workspace_id, filters, now)
    way, beyond = ("DESC", "<") if filters.sort == "newest" else ("ASC", ">")
    if after is not None:
        made.add(f"s.run_id {beyond} %s", made.key(after[1]))
    sql = f"SELECT s.run_id FROM {_KEYS} WHERE {made.text()} ORDER BY s.run_id {way} LIMIT %s"
    return [(0, _id(found)) for (found,) in _run(sql, [*made.values, limit])]


def count(workspace_id: UUID, filters: RunFilters, most: int, now: int) -> int:
    """How many there are, counted up to one more than `most`."""
    if filters.query:
        made = _of_keys(workspace_id, filters, now)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {_KEYS} WHERE {made.text()} LIMIT %s) AS found"
        [[found]] = _run(sql, [*made.values, most + 1])
        if found > most:
            return int(found)
    source = "store_run AS r"
    if _goes_by_tag(filters):
        source, made = _of_tag(workspace_id, filters, now)
    else:
        made = _conditions(workspace_id, filters, now)
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {made.text()} LIMIT %s) AS found"
    [[found]] = _run(sql, [*made.values, most + 1])
    return int(found)


def _of_keys(workspace_id: UUID, filters: RunFilters, now: int) -> Query:
    made = _conditions(workspace_id, replace(filters, query=None), now)
    made.add("s.workspace_id = %s AND s.name = %s", made.key(workspace_id), KEY)
    for word in (filters.query or "").split():
        _add_contained(made, word, "s")
    return made


def _goes_by_tag(filters: RunFilters) -> bool:
    """Words are found through their own index, which is no way to go run by run."""
    return bool(filters.tags) and not filters.query


def _of_tag(workspace_id: UUID, filters: RunFilters, now: int) -> tuple[str, Query]:
    """Through the rows of the first word, `g`, which stand in the order of their runs: each run is looked at in its
    turn, so that the newest are found at once however old they are. Neither database may choose to walk through all
    runs instead, which looks cheap to it where a word stands on many. Returns what to select from, and the conditions
    with the parameters of both."""
    first, *others = filters.tags
    inner = _conditions(workspace_id, replace(filters, tags=()), now)
    made = Query(workspace_id)
    if made.sqlite:
        source = "store_runtag AS g CROSS JOIN store_run AS r ON r.id = g.run_id"
        made.add(inner.text(), *inner.values)
    else:
        source = (
            "store_runtag AS g CROSS JOIN LATERAL (SELECT 1 FROM store_run AS r WHERE r.id = g.run_id "
            f"AND {inner.text()} OFFSET 0) AS one"
        )
        made.values += inner.values
    made.add("g.workspace_id = %s AND g.folded = %s", made.key(workspace_id), folded(first))
    # Before any run is looked at: which of them say both, their indexes alone know.
    _add_tags(made, others, "g.run_id")
    _add_period(made, filters, "g.run_id")
    return source, made


def ids_of_items(workspace_id: UUID, filters: RunFilters, after: Marker | None, limit: int) -> list[tuple[int, UUID]]:
    """What is done for one entry of a list, found by the beginning of what it is called; newest first."""
    word = (filters.query or "").strip()
    made = Query(workspace_id)
    made.add(
        "r.workspace_id = %s AND r.parent_run_id IS NOT NULL AND r.business_key IS NOT NULL", made.key(workspace_id)
    )
    # Their names stand as they were given: they are asked for in each way people write a word.
    spellings = sorted({word, word.lower(), word.upper(), word.title(), word.capitalize()})
    made.add(
        f"({' OR '.join(['r.business_key LIKE %s' + _escape()] * len(spellings))})",
        *(f"{_escaped(one)}%" for one in spellings),
    )
    made.add(f"NOT {_LISTED}")
    _add_plain(made, filters)
    if after is not None:
        made.add("r.id < %s", made.key(after[1]))
    sql = f"SELECT r.id FROM store_run AS r WHERE {made.text()} ORDER BY r.id DESC LIMIT %s"
    return [(0, _id(found)) for (found,) in _run(sql, [*made.values, limit])]


def short_id_of(word: str) -> str | None:
    """The last eight characters of a run's id, if this is what they look like."""
    return word if len(word) == 8 and _HEX.issuperset(word) else None


# --- conditions ---------------------------------------------------------------------------------------------------


def _conditions(workspace_id: UUID, filters: RunFilters, now: int) -> Query:
    made = Query(workspace_id)
    made.add("r.workspace_id = %s", made.key(workspace_id))
    # What stands at a step within a list is an item of it: of one workflow, whose index holds them, they are found too.
    if filters.stands is None or filters.workflow_id is None:
        made.add(_LISTED)
    _add_plain(made, filters)
    if filters.statuses and not _PLAIN.intersection(filters.statuses):
        made.add(_TROUBLED)
    if filters.version_ids is not None:
        made.one_of("r.version_id", [made.key(one) for one in filters.version_ids])
    if filters.started_by:
        _add_started_by(made, filters.started_by)
    if filters.longer_than is not None:
        made.add(f"({_LASTED} > %s OR (r.finished_at IS NULL AND r.accepted_at < %s))", filters.longer_than,
            now - filters.longer_than)  # fmt: skip
    if filters.shorter_than is not None:
        made.add(f"({_LASTED} < %s OR (r.finished_at IS NULL AND r.accepted_at > %s))", filters.shorter_than,
            now - filters.shorter_than)  # fmt: skip
    if filters.asks is not None:
        asked = "SELECT h.run_id FROM store_humantask AS h WHERE h.workspace_id = %s AND h.status = 'open'"
        made.add(f"r.id {'' if filters.asks else 'NOT '}IN ({asked})", made.key(workspace_id))
    if filters.codes or filters.causes:
        _add_failure(made, filters)
    if filters.nodes is not None or filters.stands is not None:
        _add_steps(made, filters)
    for term in filters.fields:
        _add_field(made, term)
    _add_tags(made, filters.tags, "r.id")
    for word in (filters.query or "").split():
        _add_word(made, word)
    return made


def _add_tags(made: Query, tags: Sequence[str], column: str) -> None:
    for tag in tags:
        tagged = "SELECT t.run_id FROM store_runtag AS t WHERE t.workspace_id = %s AND t.folded = %s"
        made.add(f"{column} IN ({tagged})", made.key(made.workspace_id), folded(tag))


def _add_plain(made: Query, filters: RunFilters) -> None:
    if filters.workflow_id is not None:
        made.add("r.workflow_id = %s", made.key(filters.workflow_id))
    if filters.statuses:
        made.one_of("r.status", filters.statuses)
    if filters.mode is not None:
        made.add("r.mode = %s", filters.mode)
    if filters.accepted_after is not None:
        made.add("r.accepted_at >= %s", filters.accepted_after)
    if filters.accepted_before is not None:
        made.add("r.accepted_at < %s", filters.accepted_before)
    _add_period(made, filters, "r.id")


def _add_period(made: Query, filters: RunFilters, column: str) -> None:
    """Ids begin with the moment at which they were made."""
    if filters.accepted_after is not None:
        made.add(f"{column} >= %s", made.key(_made_at(filters.accepted_after - _SLACK_MS, 0)))
    if filters.accepted_before is not None:
        made.add(f"{column} <= %s", made.key(_made_at(filters.accepted_before + _SLACK_MS, 1)))


def _add_started_by(made: Query, wanted: Iterable[str]) -> None:
    whole = [one for one in wanted if one != "user:"]
    parts, values = [], list(whole)
    if whole:
        parts.append(f"r.started_by IN ({', '.join(['%s'] * len(whole))})")
    if "user:" in wanted:
        parts.append("r.started_by LIKE %s")
        values.append("user:%")
    made.add(f"({' OR '.join(parts)})", *values)


def _add_failure(made: Query, filters: RunFilters) -> None:
    """By the letter of the generation that failed last, not of one that somebody has gone on with since."""
    inner = Query(made.workspace_id, made.sqlite)
    inner.add("d.workspace_id = %s", made.key(made.workspace_id))
    if filters.codes:
        inner.one_of("d.code", filters.codes)
    if filters.causes:
        inner.one_of("d.cause", filters.causes)
    made.add(f"{_FAILED} AND {_TROUBLED} AND r.id IN ({_letters(inner)})", *inner.values)


def _letters(inner: Query) -> str:
    return (
        f"SELECT d.run_id FROM store_deadletter AS d WHERE {inner.text()} AND NOT EXISTS (SELECT 1 FROM "
        "store_deadletter AS later WHERE later.run_id = d.run_id AND later.generation > d.generation)"
    )


def letters_standing(workspace_id: UUID) -> QuerySet[DeadLetter]:
    """The letters that wait for a decision, of a run that of the generation which failed last."""
    later = DeadLetter.objects.filter(run_id=OuterRef("run_id"), generation__gt=OuterRef("generation"))
    return DeadLetter.objects.filter(letter_waits(), ~Exists(later), workspace_id=workspace_id).order_by()


def _add_steps(made: Query, filters: RunFilters) -> None:
    """At these steps, or at any (None), it failed or stands; `stands`: only those that stand so now."""
    nodes = filters.nodes
    if nodes is not None and not nodes:
        made.add("1 = 0")
        return
    if filters.stands is not None:
        _add_stands(made, filters)
        return
    failed = Query(made.workspace_id, made.sqlite)
    failed.add("d.workspace_id = %s", made.key(made.workspace_id))
    if nodes is not None:
        failed.one_of("d.node_id", nodes)
    at_work = _at_work("r", filters, made)
    made.add(
        f"(({_FAILED} AND r.id IN ({_letters(failed)})) OR (r.finished_at IS NULL AND {at_work.text()}))",
        *failed.values, *at_work.values,
    )  # fmt: skip


def _at_work(run: str, filters: RunFilters, made: Query) -> Query:
    """That this run is at one of the steps; one that is at work has its row, one that only computes has none before
    it is done."""
    inner = Query(made.workspace_id, made.sqlite)
    inner.add(f"t.run_id = {run}.id")
    if filters.nodes is not None:
        inner.one_of("t.node_id", filters.nodes)
    moving = () if filters.stands == "waiting" else MOVING
    inner.one_of("t.status", [*moving, *(() if filters.stands == "running" else ("waiting",))])
    found = Query(made.workspace_id, made.sqlite)
    found.add(f"EXISTS (SELECT 1 FROM store_steprun AS t WHERE {inner.text()})", *inner.values)
    return found


def _add_stands(made: Query, filters: RunFilters) -> None:
    """One list of ids: open runs and letters that wait each have an index, a choice between both has none."""
    parts: list[str] = []
    values: list[Any] = []
    if filters.stands in ("any", "failed"):
        letters = letters_standing(made.workspace_id)
        letters = letters if filters.nodes is None else letters.filter(node_id__in=filters.nodes)
        letters = letters if filters.workflow_id is None else letters.filter(workflow_id=filters.workflow_id)
        sql, values = _sql(letters.values("run_id"))
        parts.append(sql)
    if filters.stands != "failed":
        going = Query(made.workspace_id, made.sqlite)
        going.add("o.workspace_id = %s AND o.finished_at IS NULL", made.key(made.workspace_id))
        if filters.workflow_id is not None:
            going.add("o.workflow_id = %s", made.key(filters.workflow_id))
        at_work = _at_work("o", filters, made)
        going.add(at_work.text(), *at_work.values)
        parts.append(f"SELECT o.id FROM store_run AS o WHERE {going.text()}")
        values = [*values, *going.values]
    made.add(f"r.id IN ({' UNION ALL '.join(parts)})", *values)


def _sql(rows: QuerySet[Any, Any]) -> tuple[str, list[Any]]:
    """Rows as a statement may ask for them within another."""
    sql, values = rows.query.sql_with_params()
    return str(sql), list(values)


def _add_field(made: Query, term: FieldTerm) -> None:
    inner = Query(made.workspace_id, made.sqlite)
    inner.add("f.workspace_id = %s AND f.name = %s", made.key(made.workspace_id), term.name)
    if term.op == "contains":
        _add_contained(inner, term.text)
    elif term.op == "is" and term.number is None:
        inner.add("f.folded = %s", folded(term.text))
    elif term.op == "is":
        inner.add("f.number = %s", term.number)
    else:
        inner.add(f"f.number IS NOT NULL AND f.number {_OPERATORS[term.op]} %s", term.number)
    if term.currency:
        inner.add("f.currency = %s", term.currency)
    made.add(f"r.id IN (SELECT f.run_id FROM store_runfield AS f WHERE {inner.text()})", *inner.values)


def _add_contained(inner: Query, text: str, of: str = "f") -> None:
    if inner.sqlite:
        inner.add(f"instr({of}.folded, %s) > 0", folded(text))
    else:
        inner.add(f"{of}.folded LIKE %s", f"%{_escaped(folded(text))}%")


def _add_word(made: Query, word: str) -> None:
    """In the key or a field; or a run's id, its beginning, or its end."""
    inner = Query(made.workspace_id, made.sqlite)
    inner.add("f.workspace_id = %s", made.key(made.workspace_id))
    _add_contained(inner, word)
    sources = [f"SELECT f.run_id FROM store_runfield AS f WHERE {inner.text()}"]
    values = list(inner.values)
    digits = word.lower().replace("-", "")
    if len(digits) >= 6 and len(digits) <= 32 and _HEX.issuperset(digits):
        sources.append("SELECT i.id FROM store_run AS i WHERE i.id >= %s AND i.id <= %s")
        values += [made.key(UUID(digits.ljust(32, fill))) for fill in "0f"]
    if (short := short_id_of(word.lower())) is not None:
        end = "substr(i.id, 25)" if made.sqlite else "substring(uuid_send(i.id) FROM 13)"
        sources.append(f"SELECT i.id FROM store_run AS i WHERE i.workspace_id = %s AND {_LISTED.replace('r.', 'i.')} "
            f"AND {end} = %s")  # fmt: skip
        values += [made.key(made.workspace_id), short if made.sqlite else bytes.fromhex(short)]
    made.add(f"r.id IN ({' UNION ALL '.join(sources)})", *values)


# --- helpers ------------------------------------------------------------------------------------------------------


def _run(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _id(found: Any) -> UUID:
    return found if isinstance(found, UUID) else UUID(found)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _escape() -> str:
    """Said where the database takes nothing for granted."""
    return " ESCAPE '\\'" if connection.vendor == "sqlite" else ""


def _made_at(milliseconds: int, side: int) -> UUID:
    """The least id (`side` 0) that is made at this moment, or the greatest (1)."""
    bounded = max(0, min(milliseconds, 2**48 - 1))
    return UUID(int=(bounded << 80) | ((1 << 80) - 1 if side else 0))
