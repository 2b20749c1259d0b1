"""What a plan says will be asked of the company, and what the company was asked: the oracle of `test_plans_kept.py`.

It knows the plan as people are shown it, the drawing, and the company's own list of calls; nothing of the engine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from runtime import api
from runtime.contracts import NotRetryable, RetryStep
from runtime.store.models import Attempt, Run, StepRun
from tests.runtime.machine import WORKSPACE
from tests.runtime.plan_flows import CALLS, PLACE, Block, Drawing

#: A step of a run.
At = tuple[UUID, str]


class Asked(NamedTuple):
    """A call as the company wrote it down. `status` None: it hung up; `lost`: the caller got no answer."""

    seq: int
    run_id: UUID
    step: str
    method: str
    path: str
    key: str | None
    sha256: str
    status: int | None
    applied: bool
    lost: bool

    @property
    def ok(self) -> bool:
        return not self.lost and self.status is not None and self.status < 300


def asked(one: Mapping[str, Any], mark: str, earlier: Sequence[Asked]) -> Asked | None:
    """None: it is not of this affair. `earlier`: all calls before it that are."""
    place = one["headers"].get(PLACE.lower(), "").split("/")
    if place[0] != mark:
        return None
    # The first call is cut off that has this key, or this body where it has none.
    same = any(
        (call.key or call.sha256, call.path) == (one["key"] or one["body_sha256"], one["path"]) for call in earlier
    )
    lost = "drop" in one["behaviour"] and not same
    return Asked(
        one["seq"], UUID(place[1]), place[2], one["method"], one["path"], one["key"], one["body_sha256"],
        one["status"], bool(one["applied"]), lost,
    )  # fmt: skip


@dataclass
class Expected:
    """What the plans of a run, and of the runs that it has begun, say before it goes on."""

    drawing: Drawing
    lines: dict[At, RetryStep] = field(default_factory=dict)
    #: Steps of which somebody has said that they happened.
    happened: set[At] = field(default_factory=set)
    #: Steps that get other settings than before, and so another key.
    edited: set[At] = field(default_factory=set)
    #: Runs of which no plan says more than that they go on.
    loose: set[UUID] = field(default_factory=set)
    #: All runs there were.
    known: set[UUID] = field(default_factory=set)
    #: By the step that may begin further runs: how many, where the plan says so.
    begins: dict[At, int | None] = field(default_factory=dict)
    outputs: dict[At, str | None] = field(default_factory=dict)
    tries: Counter[At] = field(default_factory=Counter)

    def read(self, root: UUID, steps: Sequence[RetryStep], start: Sequence[str]) -> None:
        self.known = tree(root)
        self._take(root, steps, start)
        rows = StepRun.objects.filter(run_id__in=self.known).order_by("generation")
        for run_id, node, output in rows.values_list("run_id", "node_id", "output"):
            self.outputs[run_id, node] = output
        self.tries.update(Attempt.objects.filter(run_id__in=self.known).values_list("run_id", "node_id"))

    def _take(self, run_id: UUID, steps: Sequence[RetryStep], start: Sequence[str]) -> None:
        for line in steps:
            self.lines[run_id, line.node] = line
            block = self.drawing.blocks.get(line.node)
            if block is None or block.kind not in ("each", "call") or line.fate == "kept":
                continue
            items = line.items
            self.begins[run_id, line.node] = None if items is None else items.next
            if items is None:
                continue
            parts = (items.kept, items.again, items.repeats, items.asks, items.open)
            assert sum(parts) + (items.next or 0) == items.total, f"{line.node}: {items} do not add up"
            found = self._undone(run_id, line.node, start)
            told = Counter(one.fate for one in found)
            assert (told["again"], told["repeats"], told["asks"], told["open"]) == parts[1:], (line.node, items, told)
            for one in found:
                if one.fate in ("again", "repeats"):
                    try:
                        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=one.run_id)
                    except NotRetryable:
                        # It was undone with the run around it, and goes on with that one alone: it has no plan of its
                        # own that is shown.
                        self.loose |= tree(one.run_id)
                        continue
                    self._take(one.run_id, plan.steps, ())

    @staticmethod
    def _undone(run_id: UUID, node: str, start: Sequence[str]) -> list[Any]:
        page = api.retry_items(workspace_id=WORKSPACE, run_id=run_id, node=node, start=start)
        return [one for one in page.items if one.fate != "kept"]

    # --- what came of it ------------------------------------------------------------------------------------------

    def compare(self, root: UUID, calls: Sequence[Asked], earlier: Sequence[Asked]) -> Iterator[str]:
        """Each way in which the company saw something else than the plan said."""
        runs = {run.id: run for run in Run.objects.filter(pk__in=tree(root))}
        by_place: dict[At, list[Asked]] = defaultdict(list)
        for call in calls:
            by_place[call.run_id, call.step].append(call)
        for at, own in by_place.items():
            if not at[1].startswith("back_") and not self._is_loose(at[0], runs):
                yield from self._one_place(at, own, runs, earlier)
        for at, line in self.lines.items():
            yield from self._one_line(at, line, runs, by_place, around=at[0] != root)
        for run_id, run in runs.items():
            if self._is_loose(run_id, runs):
                continue
            if run_id in self.known and not any(of == run_id for of, _ in self.lines):
                continue
            yield from self._one_run(run, by_place)
        for at, count in self.begins.items():
            begun = [run for run in runs.values() if (run.parent_run_id, run.parent_node) == at]
            fresh = sum(run.id not in self.known for run in begun)
            is_done = runs[at[0]].status == "completed"
            if count is not None and (fresh > count or (is_done and fresh != count)):
                yield f"{named(at)} began {fresh} runs, and the plan said {count}"

    def _is_loose(self, run_id: UUID, runs: Mapping[UUID, Run]) -> bool:
        """Whether it is one of those, or was begun by one of them."""
        run = runs.get(run_id)
        while run is not None and run.id not in self.loose:
            run = None if run.parent_run_id is None else runs.get(run.parent_run_id)
        return run is not None

    def _one_place(
        self, at: At, calls: Sequence[Asked], runs: Mapping[UUID, Run], earlier: Sequence[Asked]
    ) -> Iterator[str]:
        """The calls of one step are those of its fate."""
        block, line = self.drawing.blocks[at[1]], self.lines.get(at)
        of_before = [call for call in earlier if (call.run_id, call.step) == at]
        if line is None:
            run = runs.get(at[0])
            if at[0] in self.known:
                yield f"{named(at)} was called, and no plan spoke of it"
            elif run is None or run.parent_run_id is None:
                yield f"{named(at)} was called by a run that is not there"
            elif run.parent_run_id in self.known and (run.parent_run_id, run.parent_node) not in self.begins:
                yield f"{named(at)} was called by a new run of {run.parent_node}, of which no plan spoke"
        elif line.fate == "kept" or at in self.happened:
            yield f"{named(at)} was called {len(calls)} times, and the plan said {line.fate}"
        elif at[1] in self.drawing.untaken:
            yield f"{named(at)} was called on a way that is not taken"
        if len(calls) > block.attempts:
            yield f"{named(at)} was called {len(calls)} times, at most {block.attempts}"
        yield from self._keys(at, block, line, calls, of_before, earlier)

    def _keys(
        self,
        at: At,
        block: Block,
        line: RetryStep | None,
        calls: Sequence[Asked],
        of_before: Sequence[Asked],
        earlier: Sequence[Asked],
    ) -> Iterator[str]:
        keys = [call.key for call in calls]
        if block.kind != "keyed":
            if any(keys):
                yield f"{named(at)} sent a key"
            return
        if None in keys or len(set(keys)) != 1 or len({call.sha256 for call in calls}) != 1:
            yield f"{named(at)} did not repeat itself under one key: {keys}"
        same = line is not None and line.why == "same_key" and line.fate == "again" and at not in self.edited
        if same and of_before:
            # What was answered since, under another key that somebody agreed to, was undone: it is asked for no more.
            last = ([call for call in of_before if not call.ok] or of_before)[-1]
            if (last.key, last.sha256) != (calls[0].key, calls[0].sha256):
                yield f"{named(at)} was planned with the same key, and sent another, or something else"
        elif not same and any(call.key == calls[0].key for call in earlier):
            before = of_before[-1] if of_before else None
            agreed = line is not None and line.fate == "repeats" and at not in self.edited and before is not None
            # Where the last call had no answer, to ask with that one's key does it no third time.
            same_again = before is not None and (before.key, before.sha256) == (calls[0].key, calls[0].sha256)
            if not agreed or not same_again or (before is not None and before.ok):
                yield f"{named(at)} was planned as {line and (line.fate, line.why)}, and its key had been used"

    def _one_line(
        self, at: At, line: RetryStep, runs: Mapping[UUID, Run], by_place: Mapping[At, list[Asked]], *, around: bool
    ) -> Iterator[str]:
        """What is kept is as it was; the step that a run goes on with is called. `around`: the run around it may have
        failed of something else before it came to this one."""
        run = runs[at[0]]
        if line.fate == "kept":
            row = StepRun.objects.filter(run_id=at[0], node_id=at[1], generation=run.generation).first()
            if row is None or row.output != self.outputs.get(at):
                yield f"{named(at)} was to be kept, and is not as it was"
            if Attempt.objects.filter(run_id=at[0], node_id=at[1]).count() != self.tries[at]:
                yield f"{named(at)} was to be kept, and was tried"
        block = self.drawing.blocks.get(at[1])
        calls = block is not None and block.kind in CALLS
        firsts = [one for (of, _), one in self.lines.items() if of == at[0] and one.first]
        if (
            line.first
            and not around
            and calls
            and at not in self.happened
            and len(firsts) == 1
            and not by_place.get(at)
        ):
            yield f"{named(at)} was what the run was to go on with, and was not called"

    def _one_run(self, run: Run, by_place: Mapping[At, list[Asked]]) -> Iterator[str]:
        """A run that is done has called all that was left of it; behind a failure nothing was called; in order."""
        inside = self._inside(run)
        keys = [block.key for block in inside if block.kind in CALLS and block.key not in self.drawing.untaken]
        for key in keys:
            at, line = (run.id, key), self.lines.get((run.id, key))
            if run.id in self.known and line is None:
                yield f"{named(at)} is on the way, and the plan does not speak of it"
                continue
            kept = line is not None and (line.fate == "kept" or at in self.happened)
            if run.status == "completed" and not kept and not by_place.get(at):
                yield f"{named(at)} was planned as {line and line.fate}, the run is done, and it was not called"
        called = {key for key in keys if by_place.get((run.id, key))}
        for key in called:
            calls, block = by_place[run.id, key], self.drawing.blocks[key]
            behind = self.drawing.behind(key) & called
            for other in behind:
                if by_place[run.id, other][0].seq < calls[-1].seq:
                    yield f"{named((run.id, other))} was called before {key}"
            if not calls[-1].ok and block.on_failure != "continue" and behind:
                yield f"{named((run.id, key))} failed, and {', '.join(behind)} was called"

    def _inside(self, run: Run) -> list[Block]:
        """What this run itself carries out."""
        row = self.drawing.row if run.parent_node is None else self.drawing.blocks[run.parent_node].rows[0]
        return [*_own(row)]


def _own(row: Sequence[Block]) -> Iterator[Block]:
    for block in row:
        yield block
        if block.kind in ("choice", "beside"):
            for inside in block.rows:
                yield from _own(inside)


def tree(root: UUID) -> set[UUID]:
    """This run, and all that it has begun, however deep."""
    found, level = {root}, [root]
    while level:
        level = list(Run.objects.filter(parent_run_id__in=level).values_list("pk", flat=True))
        found.update(level)
    return found


def named(at: At) -> str:
    return f"{str(at[0])[-6:]}/{at[1]}"
