"""Retention: for how long a workspace keeps what, and the sweep that removes what is older.

A sweep goes through the runs of a workspace, then its start events, then files, in the order of their ids, a page at a
time. Each removal is a short transaction, and writes in the same commit what was removed so far and where to go on: so
whatever dies meanwhile, the next process goes on there and counts nothing twice. Whether a run may go is looked at once
more in the transaction that removes it (`retention_runs.lock`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db.models import Q

from runtime.contracts.retention import DAY_MS
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.ports import PORTS
from runtime.store import artifacts, retention_files, retention_runs, sendings
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.field_models import IS_LISTED
from runtime.store.letter_groups import forget_groups
from runtime.store.models import (
    BulkRetry,
    BulkRetryItem,
    Event,
    File,
    LegalHold,
    Retention,
    Run,
    Version,
)
from runtime.store.retention_runs import Facts, Held

__all__ = ["Outrun", "Pass", "due", "held_of", "locked", "rules_of"]

#: So many rows are looked at in one page, and so many runs removed in one transaction, or somewhat more.
PAGE: Final = 400
PORTION: Final = 200
#: A sweep begins so long after the last one has; one that looks at everything, so long after the last such.
EVERY_MS: Final = DAY_MS
WHOLE_EVERY_MS: Final = 7 * DAY_MS
_NOTHING: Final = UUID(int=0)
#: Names of rules.
Rules: TypeAlias = tuple[str, ...]
#: What is removed of runs that stay, the most first.
_DATA: Final = ("values", "items", "calls")
_PHASES: Final = ("runs", "starts", "files", "end")


class Outrun(Exception):
    """Another process goes on with this sweep."""


def rules_of(row: Retention) -> dict[str, int]:
    """Days by class."""
    found: Any = loads_stored(row.rules)
    return dict(found)


def held_of(workspace_id: UUID) -> Held:
    """What legal holds of a workspace name."""
    rows = list(LegalHold.objects.filter(workspace_id=workspace_id, lifted_at=None).values_list("workflow_id", "key"))
    return Held(tuple(one for one, _ in rows if one is not None), tuple(one for _, one in rows if one is not None))


def locked(workspace_id: UUID) -> Retention:
    """The row of a workspace, made where there is none, under its lock: nothing is removed there by a rule until the
    caller's transaction is over."""
    Retention.objects.bulk_create([Retention(workspace_id=workspace_id)], ignore_conflicts=True)
    return Retention.objects.select_for_update().get(pk=workspace_id)


def due(now: int) -> list[UUID]:
    """The workspaces in which a sweep is under way, wanted, or due."""
    wanted = Q(began_at=None) | Q(began_at__lte=now - EVERY_MS) | Q(asked_at__isnull=False)
    # One that has begun is brought to its end whatever the rules are now: a run may be half gone.
    rows = Retention.objects.filter((wanted & ~Q(rules="{}")) | Q(began_at__isnull=False, ended_at=None))
    return list(rows.order_by("workspace_id").values_list("workspace_id", flat=True))


def class_of(mode: str, status: str) -> str:
    """Which rule ended runs go by."""
    return "tests" if mode == "test" else "done" if status == "completed" else "failed"


class Pass:
    """One sweep of one workspace, as far as one process goes with it. `step` until it says that nothing is left.

    `dry`: it only counts what it would remove, and writes nothing; `rules`: by these in place of the workspace's.
    """

    def __init__(self, workspace_id: UUID, *, dry: bool = False, rules: Mapping[str, int] | None = None) -> None:
        self.workspace_id = workspace_id
        self.dry = dry
        self.removed: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self._now = database_now()
        self._held = held_of(workspace_id)
        self._replays: set[UUID] | None = None
        row = Retention.objects.filter(pk=workspace_id).first() or Retention(workspace_id=workspace_id)
        self.rules = rules_of(row) if rules is None else dict(rules)
        self._state: dict[str, Any] = {"phase": "runs", "after": _NOTHING.hex, "flow": _NOTHING.hex}
        #: Of the page in hand; it counts when the page is done.
        self._kept_here: Counter[str] = Counter()
        self._token = 0
        self._seen_until = 0
        if dry:
            self._whole = True
        else:
            self._begin()

    # --- where it is ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Take it over where it stands, or begin a new one."""
        with commit("retention.sweep"):
            row = Retention.objects.select_for_update().get(pk=self.workspace_id)
            self._token = row.token = row.token + 1
            self.rules = rules_of(row)
            if row.began_at is None or row.ended_at is not None:
                whole = row.whole_at is None or row.whole_at <= self._now - WHOLE_EVERY_MS or row.asked_at is not None
                last: Any = loads_stored(row.last)
                row.began_at, row.ended_at, row.asked_at = self._now, None, None
                asked = None if row.asked_by is None else str(row.asked_by)
                row.asked_by = None
                if whole or row.changed_at >= (last.get("began_at") or 0):
                    row.whole_at = self._now
                    whole = True
                self._state |= {"whole": whole, "seen": last.get("began_at") or 0, "by": asked}
                row.state = self._written()
            else:
                stored: Any = loads_stored(row.state)
                self._state |= {name: one for name, one in stored.items() if name not in ("removed", "kept")}
                self.removed.update(stored.get("removed", {}))
                self.kept.update(stored.get("kept", {}))
            self._now = row.began_at
            row.save()
        self._whole = bool(self._state.get("whole", True))
        self._seen_until = int(self._state.get("seen") or 0)

    def _written(self) -> str:
        return dumps({**self._state, "removed": dict(self.removed), "kept": dict(self.kept)})

    @contextmanager
    def _removing(self) -> Iterator[Counter[str]]:
        """A transaction that removes something, counted with it. Raises Outrun where another process goes on."""
        before = self.removed.copy()
        try:
            with commit("retention.delete"):
                # A hold that somebody has set meanwhile counts; one that is being set waits for this (`locked`).
                if not Retention.objects.select_for_update().filter(pk=self.workspace_id, token=self._token):
                    raise Outrun
                self._held = held_of(self.workspace_id)
                yield self.removed
                self._note()
        except BaseException:
            self.removed = before
            raise

    def _note(self, **more: Any) -> None:
        mine = Retention.objects.filter(pk=self.workspace_id, token=self._token)
        if not mine.update(state=self._written(), **more):
            raise Outrun

    def step(self) -> bool:
        """A page; whether there is more."""
        self._kept_here = Counter()
        if (large := self._state.get("large")) is not None:
            self._large(UUID(large[0]), tuple(large[1]))
        match self._state["phase"]:
            case "runs":
                more = self._runs()
            case "starts":
                more = self._starts()
            case "files":
                more = self._files()
            case _:
                self._finish()
                return False
        if not more:
            phase = _PHASES[_PHASES.index(self._state["phase"]) + 1]
            self._state |= {"phase": phase, "after": _NOTHING.hex, "flow": _NOTHING.hex}
        self.kept += self._kept_here
        if not self.dry:
            with commit("retention.sweep"):
                self._note()
        return self._state["phase"] != "end" or not self.dry

    def _finish(self) -> None:
        if self.dry:
            return
        with commit("retention.sweep"):
            now = database_now()
            last = {
                "began_at": self._now, "ended_at": now, "removed": dict(self.removed), "kept": dict(self.kept),
            }  # fmt: skip
            self._note(ended_at=now, last=dumps(last))
            forget_groups(self.workspace_id)
            # What says with whom failed runs were is kept for as long as such runs are: for ever, where no rule takes
            # them; and for as long as others, where these are kept longer, for many are done by then.
            if (cut := self._cut("failed")) is not None:
                done = self._cut("done")
                sendings.forget(self.workspace_id, cut if done is None else min(cut, done))
            by = self._state.get("by")
            if self.removed or by is not None:
                PORTS.record.swept(
                    workspace_id=self.workspace_id, by=None if by is None else UUID(by), removed=dict(self.removed),
                    kept=dict(self.kept), rules=self.rules,
                )  # fmt: skip

    def _cut(self, name: str) -> int | None:
        """What is older goes; None: nothing does."""
        days = self.rules.get(name)
        return None if days is None else self._now - days * DAY_MS

    # --- runs -----------------------------------------------------------------------------------------------------

    def _runs(self) -> bool:
        cuts = {name: cut for name in ("done", "failed", "tests", *_DATA) if (cut := self._cut(name)) is not None}
        if not cuts:
            return False
        rows = list(
            Run.objects.filter(IS_LISTED, workspace_id=self.workspace_id, pk__gt=UUID(self._state["after"]))
            .order_by("pk")
            .values_list(
                "pk", "parent_run_id", "detached", "mode", "status", "accepted_at", "finished_at", "values_removed_at"
            )[:PAGE]
        )
        newest = max(cuts.values())
        wanted: dict[UUID, Rules] = {}
        for pk, parent, detached, mode, status, accepted, finished, removed_at in rows:
            if parent is not None and not detached:
                continue  # it goes with the run that it is a part of
            if finished is None:
                self._kept_here["open"] += accepted < newest
            elif what := self._wanted(class_of(mode, status), finished, removed_at, cuts):
                wanted[pk] = what
        self._handle(wanted)
        if not rows:
            return False
        self._state["after"] = rows[-1][0].hex
        # Ids are in the order of time: behind a page of which all are younger there are none that are older.
        return len(rows) == PAGE and any(row[5] < newest for row in rows)

    def _wanted(self, kind: str, finished: int, removed_at: int | None, cuts: Mapping[str, int]) -> Rules:
        """The rules by which something of a run goes that ended then: one that takes the most of it is enough."""
        if finished < cuts.get(kind, 0):
            return (kind,)
        if removed_at is not None:
            return ()
        if finished < cuts.get("values", 0):
            return ("values",)
        # What of these an earlier sweep has been through does not show: all of it is looked at once a week.
        return tuple(
            name
            for name in ("items", "calls")
            if finished < cuts.get(name, 0)
            and (self._whole or finished >= self._seen_until - self.rules[name] * DAY_MS)
        )

    def _handle(self, wanted: Mapping[UUID, Rules]) -> None:
        found = retention_runs.facts(list(wanted), self._held)
        needed = self._under_way(found)
        small: list[UUID] = []
        count = 0
        for root, one in found.items():
            why = one.kept or ("needed" if root in needed else None)
            if why is not None:
                self._kept_here[why] += 1
            elif self.dry:
                self._count(root, one, wanted[root])
            elif one.runs > PORTION:
                self._large(root, wanted[root])
            else:
                small.append(root)
                count += one.runs
                if count >= PORTION:
                    self._small(small, wanted)
                    small, count = [], 0
        if small:
            self._small(small, wanted)

    def _count(self, root: UUID, one: Facts, rules: Rules) -> None:
        for name in rules:
            match name:
                case "items":
                    self.removed[name] += len(retention_runs.items_of(retention_runs.parts([root])))
                case "calls":
                    self.removed[name] += retention_runs.count_calls(retention_runs.parts([root]))
                case _:
                    self.removed[name] += 1

    def _under_way(self, found: Mapping[UUID, Facts]) -> set[UUID]:
        """Those of these runs that somebody goes on with in bulk, and whose turn comes."""
        bulks = BulkRetry.objects.filter(workspace_id=self.workspace_id, closed_at=None)
        if not (ids := list(bulks.values_list("pk", flat=True))):
            return set()
        items = BulkRetryItem.objects.filter(bulk_id__in=ids, status__in=("pending", "begun"), run_id__in=list(found))
        return set(items.values_list("run_id", flat=True))

    def _small(self, roots: Sequence[UUID], wanted: Mapping[UUID, Rules]) -> None:
        places: list[str] = []
        with self._removing() as removed:
            may = retention_runs.lock(roots, self._held)
            for what in dict.fromkeys(wanted[root] for root in may):
                mine = [root for root in may if wanted[root] == what]
                places += self._take(what, mine, retention_runs.parts(mine), removed)
        self._drop(places)

    def _take(self, rules: Rules, roots: Sequence[UUID], runs: Sequence[UUID], removed: Counter[str]) -> list[str]:
        places: list[str] = []
        for name in rules:
            match name:
                case "values":
                    removed[name] += len(roots)
                    places += retention_runs.clear(runs)
                case "items":
                    own = retention_runs.items_of(runs)
                    removed[name] += len(own)
                    places += retention_runs.clear(own)
                case "calls":
                    removed[name] += retention_runs.clear_calls(runs)
                case _:
                    removed[name] += len(roots)
                    places += retention_runs.remove(runs)
        return places

    def _large(self, root: UUID, rules: Rules) -> None:
        """A run with many parts, in many transactions. First it says that its data is going, so that nobody goes on
        with it; then its parts, those that have none before those that have; itself at the end. Whoever dies meanwhile
        has left its name in the state."""
        if rules[0] in ("items", "calls"):
            self._large_data(root, rules)
            return
        with self._removing():
            may = root in retention_runs.lock([root], self._held)
            self._state["large"] = [root.hex, list(rules)] if may else None
            places = retention_runs.clear([root]) if may else []
        self._drop(places)
        if may:
            if rules[0] == "values":
                self._parts(root, retention_runs.clear, only="r.values_removed_at IS NULL")
            else:
                self._parts(root, retention_runs.remove)
            self._end_large(root, rules)

    def _parts(self, root: UUID, take: Callable[[Sequence[UUID]], list[str]], only: str = "") -> None:
        while some := self._some_parts(root, only):
            with self._removing():
                may = root in retention_runs.lock([root], self._held)
                places = take(some) if may else []
                if not may:
                    self._state["large"] = None
            self._drop(places)
            if not may:
                return

    def _some_parts(self, root: UUID, only: str) -> list[UUID]:
        if only:
            return retention_runs.parts([root], only=only, limit=PORTION)
        return retention_runs.leaves(root, PORTION)

    def _end_large(self, root: UUID, rules: Rules) -> None:
        if self._state.get("large") is None:
            return
        with self._removing() as removed:
            self._state["large"] = None
            removed[rules[0]] += 1
            places = retention_runs.remove([root]) if rules[0] != "values" else []
        self._drop(places)

    def _large_data(self, root: UUID, rules: Rules) -> None:
        runs = retention_runs.parts([root])
        for start in range(0, len(runs), PORTION):
            with self._removing() as removed:
                if root not in retention_runs.lock([root], self._held):
                    return
                places = self._take(rules, [root], runs[start : start + PORTION], removed)
            self._drop(places)

    def _drop(self, places: Sequence[str]) -> None:
        for location in places:
            artifacts.drop(location)

    # --- start events ---------------------------------------------------------------------------------------------

    def _starts(self) -> bool:
        cut = self._cut("starts")
        if cut is None:
            return False
        flow = UUID(self._state["flow"])
        if flow == _NOTHING and (flow := self._next_flow(flow)) == _NOTHING:
            return False
        if self._replays is None:
            self._replays = retention_files.open_replays(self.workspace_id)
        rows = list(
            Event.objects.filter(workspace_id=self.workspace_id, workflow_id=flow, pk__gt=UUID(self._state["after"]))
            .order_by("pk")
            .values_list("pk", "received_at", "run_id", "verdict", "removed_at")[:PAGE]
        )
        old = [row for row in rows if row[1] < cut and row[4] is None]
        going = self._events_to_clear(old)
        if self.dry:
            self.removed["starts"] += len(going)
        elif going:
            with self._removing() as removed:
                count, places = retention_files.clear_events(going, self._held)
                removed["starts"] += count
            self._drop(places)
        if len(rows) == PAGE and any(row[1] < cut for row in rows):
            self._state |= {"flow": flow.hex, "after": rows[-1][0].hex}
            return True
        following = self._next_flow(flow)
        self._state |= {"flow": following.hex, "after": _NOTHING.hex}
        return following != _NOTHING

    def _next_flow(self, after: UUID) -> UUID:
        rows = Version.objects.filter(workspace_id=self.workspace_id, workflow_id__gt=after).order_by("workflow_id")
        return rows.values_list("workflow_id", flat=True).first() or _NOTHING

    def _events_to_clear(self, rows: Sequence[Any]) -> list[UUID]:
        runs = {row[2] for row in rows if row[2] is not None}
        roots = retention_files.roots_of(sorted(runs))
        stands = retention_runs.facts(sorted(set(roots.values())), self._held)
        under_way = self._under_way(stands)
        going = []
        for pk, _, run_id, verdict, _ in rows:
            root = roots.get(run_id, _NOTHING) if run_id is not None else _NOTHING
            one = stands.get(root)
            needed = verdict == "queued" or pk in (self._replays or ()) or root in under_way
            why = "needed" if needed else one.kept if one is not None else None
            if why is None:
                going.append(pk)
            else:
                self._kept_here[why] += 1
        return going

    # --- files ----------------------------------------------------------------------------------------------------

    def _files(self) -> bool:
        cut = self._cut("files")
        if cut is None:
            return False
        rows = list(
            File.objects.filter(workspace_id=self.workspace_id, pk__gt=UUID(self._state["after"]))
            .order_by("pk")
            .values_list("pk", "created_at", "run_id", "removed_at", "workflow_id")[:PAGE]
        )
        # What people have uploaded workflows may name: whoever put it there removes it.
        old = [row for row in rows if row[1] < cut and row[2] is not None and row[3] is None]
        going = self._files_to_remove(old)
        if self.dry:
            self.removed["files"] += len(going)
        elif going:
            with self._removing() as removed:
                gone = retention_files.remove_files(going)
                removed["files"] += len(gone)
            retention_files.drop_bytes(gone)
        if not rows:
            return False
        self._state["after"] = rows[-1][0].hex
        return len(rows) == PAGE and any(row[1] < cut for row in rows)

    def _files_to_remove(self, rows: Sequence[Any]) -> list[UUID]:
        if not rows:
            return []
        roots = retention_files.roots_of(sorted({row[2] for row in rows}))
        stands = retention_runs.facts(sorted(set(roots.values())), self._held)
        going = []
        for pk, _, run_id, _, workflow_id in rows:
            one = stands.get(roots.get(run_id, _NOTHING))
            why = "hold" if workflow_id in self._held.workflows else one.kept if one is not None else None
            if why in (None, "uncounted"):
                going.append(pk)
            else:
                self._kept_here[str(why)] += 1
        read = retention_files.mentioned(self.workspace_id, set(going)) if going else set()
        self._kept_here["needed"] += len(read)
        return [pk for pk in going if pk not in read]
