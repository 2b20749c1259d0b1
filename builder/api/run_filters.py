"""From what somebody typed and chose to the conditions that runs are found by: names become ids, words become times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from builder.accounts.selectors import active_members
from builder.api.cursors import PageQuery
from builder.api.operation import Call, Query
from builder.api.problems import invalid
from builder.connections import services as connections
from builder.workflows import selectors
from builder.workflows.run_query import QueryRefused, Term, duration_ms, parse, suggestion
from runtime import api as runtime_api
from runtime.contracts import FieldTerm, RunFilters, SearchedField

__all__ = ["STATUSES", "STATUS_WORDS", "RunsQuery", "SearchQuery", "Status", "filters_of"]

Status = Literal[
    "accepted",
    "running",
    "waiting_timer",
    "waiting_event",
    "waiting_human",
    "parked",
    "compensating",
    "completed",
    "compensated",
    "cancelled",
    "dead_lettered",
]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
#: What people call how a run stands, with the statuses that are meant.
STATUS_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "failed": ("dead_lettered",),
    "waiting": ("waiting_timer", "waiting_event", "waiting_human", "parked"),
    "running": ("accepted", "running", "compensating"),
    "done": ("completed",),
    "undone": ("compensated",),
    "cancelled": ("cancelled",),
}
_STATUSES: Final = frozenset(STATUSES)
_STARTS: Final[Mapping[str, str]] = {
    "webhook": "webhook", "schedule": "schedule", "api": "api", "workflow": "run", "person": "user:",
}  # fmt: skip
_COMPARED: Final = {">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_TIME: Final = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_SINCE: Final = rf"^([1-9][0-9]{{0,3}}[mhd]|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_TIME})?)$"
Day = Annotated[str, Field(pattern=_SINCE)]
#: A sort, or a field behind `largest:` and `smallest:`.
Sort = Annotated[str, Field(pattern=r"^(newest|oldest|longest|shortest|(largest|smallest):[a-z][a-z0-9_]{0,31})$")]


class SearchQuery(Query):
    """Which runs. `q`: what people type, such as `supplier:brink total>10000 status:failed`; words by themselves are
    looked for in business keys, fields and run ids. `since`, `until`: a day, both of them included; a moment
    (2026-11-30T14:30Z; without its zone in that of the workspace), from then on and before it; or so many minutes
    (15m), hours (24h) or days (7d) ago."""

    workflow: UUID | None = None
    status: Annotated[list[Status], Field(max_length=11, json_schema_extra={"many": True})] = []
    mode: Literal["live", "test"] | None = None
    q: Annotated[str, Field(max_length=400)] = ""
    since: Day | None = None
    until: Day | None = None


class RunsQuery(SearchQuery, PageQuery):
    """Which runs, and in which order: newest, oldest, longest, shortest, or by a field: `largest:total`."""

    sort: Sort = "newest"


class _Reading:
    """One search on its way to conditions."""

    def __init__(self, call: Call, query: SearchQuery) -> None:
        self._call = call
        self._workspace = call.workspace.id
        self._zone = ZoneInfo(call.workspace.time_zone)
        self._fields: dict[str, SearchedField] | None = None
        self._readers: Mapping[str, Callable[[Term], None]] = {
            "status": self._status, "workflow": self._workflow, "version": self._version, "by": self._by,
            "step": self._step, "stands": self._stands, "error": self._error, "cause": self._cause,
            "connection": self._connection, "longer": self._longer, "shorter": self._shorter, "is": self._is,
            "mode": self._is, "asks": self._asks,
            "since": self._from, "from": self._from, "until": self._until, "key": self._key, "run": self._run,
            "tag": self._tag,
        }  # fmt: skip
        self.found = RunFilters(
            workflow_id=query.workflow,
            statuses=tuple(query.status),
            mode=query.mode,
            accepted_after=None if query.since is None else self._moment(query.since, end=False),
            accepted_before=None if query.until is None else self._moment(query.until, end=True),
        )
        self._words: list[str] = []
        # A version's number, a step's name: what they mean depends on the workflow, whichever was said first.
        self._last: list[Term] = []

    def read(self, terms: Sequence[Term]) -> RunFilters:
        for term in terms:
            if not term.name:
                self._words.append(term.value)
            elif term.name in ("version", "step"):
                self._last.append(term)
            elif (reader := self._readers.get(term.name)) is not None:
                reader(term)
            else:
                self._field(term)
        for term in self._last:
            self._readers[term.name](term)
        return replace(self.found, query=" ".join(self._words) or None)

    @property
    def fields(self) -> dict[str, SearchedField]:
        if self._fields is None:
            self._fields = {one.name: one for one in runtime_api.searched_fields(workspace_id=self._workspace)}
        return self._fields

    # --- words of the search ------------------------------------------------------------------------------------

    def _status(self, term: Term) -> None:
        word = self._plain(term).lower()
        statuses = STATUS_WORDS.get(word) or ((word,) if word in _STATUSES else None)
        if statuses is None:
            raise QueryRefused(f"There is no status “{term.value}”. Write one of: {', '.join(STATUS_WORDS)}.")
        self.found = replace(self.found, statuses=tuple(dict.fromkeys((*self.found.statuses, *statuses))))

    def _workflow(self, term: Term) -> None:
        value = self._plain(term)
        if (known := _as_id(value)) is not None:
            self.found = replace(self.found, workflow_id=known)
            return
        found = selectors.called(workspace_id=self._workspace, text=value)
        if not found:
            raise QueryRefused(f"No workflow is called “{value}”.")
        exact = [one for one in found if one[1].casefold() == value.casefold()]
        if len(exact or found) > 1:
            names = ", ".join(f"“{name}”" for _, name in found[:3])
            raise QueryRefused(f"“{value}” may be several workflows: {names}. Write more of the name.")
        self.found = replace(self.found, workflow_id=(exact or found)[0][0])

    def _version(self, term: Term) -> None:
        value = self._plain(term).lower().removeprefix("v")
        if not value.isdecimal() or len(value) > 9:
            raise QueryRefused(f"“{term.value}” is no version: write its number, as in version:12.")
        versions = runtime_api.versions_numbered(
            workspace_id=self._workspace, workflow_id=self.found.workflow_id, number=int(value)
        )
        self._of_versions(versions)

    def _by(self, term: Term) -> None:
        value = self._plain(term)
        word = value.lower()
        if word in _STARTS:
            wanted = [_STARTS[word]]
        elif word == "me":
            wanted = [f"user:{self._call.person.id}"]
        else:
            members = [one.user for one in active_members(workspace_id=self._workspace)]
            wanted = [f"user:{one.id}" for one in members if word in one.name.casefold()]
            if not wanted:
                raise QueryRefused(
                    f"Nobody here is called “{value}”. Write a name, me, person, webhook, schedule, api or workflow."
                )
        self.found = replace(self.found, started_by=(*self.found.started_by, *wanted))

    def _step(self, term: Term) -> None:
        nodes = selectors.steps_called(
            workspace_id=self._workspace,
            workflow_id=self.found.workflow_id,
            text=self._plain(term),
            exactly=term.op == "=",
        )
        if not nodes:
            raise QueryRefused(f"No step of a live workflow is called “{term.value}”.")
        self.found = replace(self.found, nodes=tuple(nodes))

    def _stands(self, term: Term) -> None:
        word = self._plain(term).lower()
        if word not in ("any", "running", "waiting", "failed"):
            raise QueryRefused("Write stands:running, stands:waiting, stands:failed or stands:any.")
        self.found = replace(self.found, stands=word)  # type: ignore[arg-type]

    def _error(self, term: Term) -> None:
        self.found = replace(self.found, codes=(*self.found.codes, self._plain(term)))

    def _cause(self, term: Term) -> None:
        self.found = replace(self.found, causes=(*self.found.causes, self._plain(term)))

    def _connection(self, term: Term) -> None:
        value = self._plain(term)
        rows = connections.listing(workspace_id=self._workspace, most=1_000)
        found = [one for one in rows if value.casefold() in one.name.casefold() or str(one.id) == value.lower()]
        if not found:
            raise QueryRefused(f"No connection is called “{value}”.")
        versions = [
            version
            for one in found
            for version in runtime_api.versions_using(workspace_id=self._workspace, connection_id=one.id)
        ]
        self._of_versions(list(dict.fromkeys(versions)))

    def _longer(self, term: Term) -> None:
        self.found = replace(self.found, longer_than=duration_ms(term.value))

    def _shorter(self, term: Term) -> None:
        self.found = replace(self.found, shorter_than=duration_ms(term.value))

    def _is(self, term: Term) -> None:
        word = self._plain(term).lower()
        if word not in ("test", "live"):
            raise QueryRefused("A run is:test or is:live. How it stands is status:failed.")
        self.found = replace(self.found, mode=word)

    def _asks(self, term: Term) -> None:
        word = self._plain(term).lower()
        if word not in ("person", "yes", "no", "nobody"):
            raise QueryRefused("Write asks:person for runs that wait for somebody's word, or asks:nobody.")
        self.found = replace(self.found, asks=word in ("person", "yes"))

    def _from(self, term: Term) -> None:
        self.found = replace(self.found, accepted_after=self._moment(self._plain(term), end=False))

    def _until(self, term: Term) -> None:
        self.found = replace(self.found, accepted_before=self._moment(self._plain(term), end=True))

    def _key(self, term: Term) -> None:
        exactly = term.op == "="
        if term.op not in (":", "="):
            raise QueryRefused("A business key is found with key:R-2026 (a part of it) or key=R-2026-0417 (all of it).")
        self._with(FieldTerm("key", "is" if exactly else "contains", term.value))

    def _run(self, term: Term) -> None:
        digits = self._plain(term).lower().replace("-", "")
        if not (6 <= len(digits) <= 32) or not set(digits) <= set("0123456789abcdef"):
            raise QueryRefused(f"“{term.value}” is no run number: it has at least six of the characters 0-9 and a-f.")
        self._words.append(term.value)

    def _tag(self, term: Term) -> None:
        self.found = replace(self.found, tags=(*self.found.tags, self._plain(term)))

    # --- fields ---------------------------------------------------------------------------------------------------

    def _field(self, term: Term) -> None:
        one = self.fields.get(term.name)
        if one is None:
            known = [*self._readers, *self.fields]
            if term.op == ":" and not suggestion(term.name, known):
                # It may be a part of what people call a run: a key such as “AB:17”.
                self._words.append(f"{term.name}:{term.value}")
                return
            fields = ", ".join(self.fields) or "none yet"
            raise QueryRefused(
                f"There is nothing called “{term.name}” to search by.{suggestion(term.name, known)} Fields: {fields}."
            )
        if one.kind == "text":
            if term.op not in (":", "="):
                raise QueryRefused(f"“{one.label}” is a text: write {one.name}:part or {one.name}=all.")
            self._with(FieldTerm(one.name, "is" if term.op == "=" else "contains", term.value))
            return
        if one.kind == "date":
            self._date(term, one)
            return
        number, currency = runtime_api.number_typed(term.value)
        if number is None:
            example = f"{one.name}>10000" + ("EUR" if one.kind == "amount" else "")
            raise QueryRefused(f"“{term.value}” is no number. Write digits with a point, as in {example}.")
        op = "is" if term.op in (":", "=") else _COMPARED[term.op]
        self._with(FieldTerm(one.name, op, "", number, currency))  # type: ignore[arg-type]

    def _date(self, term: Term, one: SearchedField) -> None:
        try:
            day = date.fromisoformat(term.value)
        except ValueError:
            message = f"“{term.value}” is no day. Write it as in {one.name}>=2026-11-30."
            raise QueryRefused(message) from None
        begins = runtime_api.day_typed(day)
        ends = runtime_api.day_typed(day + timedelta(days=1))
        match term.op:
            case ">":
                self._with(FieldTerm(one.name, "at_least", "", ends))
            case ">=":
                self._with(FieldTerm(one.name, "at_least", "", begins))
            case "<":
                self._with(FieldTerm(one.name, "below", "", begins))
            case "<=":
                self._with(FieldTerm(one.name, "below", "", ends))
            case _:
                self._with(FieldTerm(one.name, "at_least", "", begins))
                self._with(FieldTerm(one.name, "below", "", ends))

    # --- shared ---------------------------------------------------------------------------------------------------

    def _with(self, term: FieldTerm) -> None:
        self.found = replace(self.found, fields=(*self.found.fields, term))

    def _of_versions(self, versions: list[UUID]) -> None:
        both = self.found.version_ids
        kept = versions if both is None else [one for one in versions if one in both]
        self.found = replace(self.found, version_ids=tuple(kept))

    def _plain(self, term: Term) -> str:
        if term.op not in (":", "="):
            raise QueryRefused(f"“{term.name}” cannot be compared: write {term.name}:{term.value}.")
        return term.value

    def _moment(self, value: str, *, end: bool) -> int:
        """A day in the workspace's time zone, its end where `end`; a moment; or so long ago."""
        if value[-1:] in _UNITS and value[:-1].isdecimal() and len(value) < 7:
            return int((self._call.now - int(value[:-1]) * _UNITS[value[-1]]).timestamp() * 1000)
        try:
            if "T" in value:
                at = datetime.fromisoformat(value)
                return _ms(at if at.tzinfo is not None else at.replace(tzinfo=self._zone))
            day = date.fromisoformat(value) + timedelta(days=1 if end else 0)
            return _ms(datetime.combine(day, time.min, self._zone))
        except (ValueError, OverflowError):
            message = f"“{value}” is no day and no moment. Write 2026-11-30, 2026-11-30T14:30, or 24h for so long ago."
            raise QueryRefused(message) from None


def filters_of(call: Call, query: SearchQuery, sort: str = "newest") -> RunFilters:
    """The conditions of a search. Raises a refusal that says what cannot be understood."""
    try:
        found = _Reading(call, query).read(parse(query.q))
    except QueryRefused as refused:
        raise invalid({"q": [refused.message]}, refused.message) from refused
    kind, _, name = sort.partition(":")
    return replace(found, sort=kind, sort_field=name)  # type: ignore[arg-type]


def _ms(at: datetime) -> int:
    # Floating-point seconds would be a millisecond off now and then.
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _as_id(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
