"""One look at the runs of one step: begin further ones, hear of their ends, end the step with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from runtime.contracts import StoreUnavailable
from runtime.engine.containers import NEEDS_ENGINE
from runtime.engine.facts import SignalReceived, StepFailed, StepInterrupted
from runtime.engine.graph import Graph, Node
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.state import TERMINAL, StepError, StepKey, StepStatus
from runtime.interpreter import (
    again,
    manifests,
    own_amounts,
    own_errors,
    own_hands,
    own_labels,
    own_left_out,
    own_pages,
    own_results,
    people,
)
from runtime.interpreter.attempts import failed as failure_of
from runtime.interpreter.outcomes import Failed
from runtime.interpreter.outputs import document_of
from runtime.interpreter.own_plans import may_call_anew, settled, version_for
from runtime.interpreter.payloads import INLINE_CHARACTERS, MOST_BYTES, Reference
from runtime.interpreter.records import Asked, Record
from runtime.sdk import OwnRuns
from runtime.store import children
from runtime.store.children import Child, Tally
from runtime.store.records import ChildWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.interpreter.own_runs import Fan

T = TypeVar("T")

#: So long it counts by what it hears, where some have failed: counting these takes the longer the more they are.
_COUNTED_MS: Final = 1_000
#: Begun in one commit; the next portion follows at once.
PORTION: Final = 200


class Look:
    """One look at the runs of one step."""

    def __init__(self, driver: Driver, fan: Fan) -> None:
        self.driver = driver
        self.fan = fan
        self.graph: Graph = driver.graph
        self.node: Node = driver.graph.by_id[fan.node]
        #: Whose runs they are: an undo step looks after those of the step that it undoes.
        self.owner = driver.graph.undoes.get(fan.node, fan.node)
        self.at = driver.shell.now_ms()

    async def take(self) -> bool:
        driver, fan = self.driver, self.fan
        try:
            spec = fan.spec or await self._spec()
        except StoreUnavailable:
            raise
        except Exception as error:
            ending = failure_of(error, None, driver.version.step(fan.node))
            if not isinstance(ending, Failed):
                raise StoreUnavailable(str(error)) from error
            self._fail(ending.error)
            return True
        fan.spec = spec
        known, heard = fan.tally, self._by_ear(spec)
        fan.tally = heard or await self._counted()
        if known != fan.tally:
            fan.at = self.at
        if heard is None and await self._is_cancelled_meanwhile(spec):
            driver.cancel_seen()
            fan.due = True
            return True
        if driver.state.ending is not None:
            return await self._wind_up()
        if spec.kind == "undo":
            return await self._undo()
        if self._is_tried_again() and not fan.compared:
            # Runs below are handed the versions too, whatever they are runs of.
            fan.may, fan.called = await self._ask(settled, driver.claimed.generation)
            index = None
            if spec.kind in ("items", "call") and spec.paged is None:
                index = await self._ask(own_results.that_differs, spec)
            if index is not None and spec.kind == "call" and await self._ask(may_call_anew, fan.may):
                return await self._begin_call(spec, index + 1)
            if index is not None:
                self._fail(own_errors.changed(index) if spec.kind == "items" else own_errors.called_otherwise())
                return True
            fan.compared = True
        match spec.kind:
            case "items":
                return await self._items(spec)
            case "turns":
                return await self._turns(spec)
            case "call":
                return await self._call(spec)

    def _by_ear(self, spec: OwnRuns) -> Tally | None:
        """The last count, and what has ended here since; None where that cannot be all, or may end the step."""
        fan, tally = self.fan, self.fan.tally
        if fan.doubt or tally.before or spec.kind != "items" or len(self.driver.fans) > 1:
            return None
        ended = fan.heard.keys() & tally.ids
        left, well = tally.open - len(ended), sum(fan.heard[one] for one in ended)
        failed = tally.failed + len(ended) - well
        # Whatever ended elsewhere is told to nobody here.
        last = len(spec.items) if spec.paged is None else fan.reading.at_hand if fan.reading is not None else 0
        if own_hands.here(self.driver) < left or tally.count >= last:
            return None
        # Of those that failed somebody may go on with one, of which nobody tells here. Until that is seen one more may
        # be under way than asked for; but nothing is said to have failed for it.
        may_fail = (spec.may_fail is None or failed <= spec.may_fail) and tally.count > spec.tried_first
        if failed and (not may_fail or self.at >= fan.counted_at + _COUNTED_MS):
            return None
        for one in ended:
            del fan.heard[one]
        return replace(tally, done=tally.done + well, failed=failed, open=left, moving=left, ids=tally.ids - ended)

    async def _counted(self) -> Tally:
        """What the rows say. They name those that are open: so an end that is heard of counts once, whether the rows
        had it or not."""
        fan = self.fan
        fan.doubt, fan.counted_at = False, self.at
        tally = await self._ask(children.tally, fan.since)
        fan.heard = {one: well for one, well in fan.heard.items() if one in tally.ids}
        return tally

    async def _is_cancelled_meanwhile(self, spec: OwnRuns) -> bool:
        """What a cancel of this run ended is no failure of its: the cancel was there first, and is heard of first."""
        state = self.driver.state
        if not self.fan.tally.failed or spec.kind == "undo" or state.ending is not None:
            return False
        return await self.driver.shell.ask(partial(children.was_cancelled, self.driver.claimed.run_id))

    async def _ask(self, question: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Ask something of the runs of this step."""
        run_id, owner = self.driver.claimed.run_id, self.owner
        return await self.driver.shell.ask(partial(question, run_id, owner, *arguments, **named))

    async def _spec(self) -> OwnRuns:
        """What the step does, worked out from its recorded settings as it was when it began."""
        driver, record = self.driver, self.driver.records.get(self.fan.node)
        step = driver.version.step(self.fan.node)
        if step.refused is not None:
            raise step.refused
        assert step.prepared is not None
        given: Any = {}
        if record is not None and record.input is not None:
            given = await document_of(record.input, driver.shell.fetch)
        asked = Asked(step, self.fan.attempt, None, None, "", self.at, "", driver.claimed.generation)
        made = step.type.run(step.prepared.validate(given), None, driver.shell.context(driver, asked))
        assert isinstance(made, OwnRuns)
        return made

    # --- the sorts of steps ---------------------------------------------------------------------------------------

    async def _items(self, spec: OwnRuns) -> bool:
        fan, tally = self.fan, self.fan.tally
        reading = None if spec.paged is None else await own_pages.take_in(self, spec.paged)
        total, at_hand = (len(spec.items),) * 2 if reading is None else (0, reading.at_hand)
        # Those of an earlier try come first, and count as failed when they fail again.
        failed = tally.failed - tally.before + len(fan.asked)
        may_fail = own_pages.may_fail(spec, reading)
        ended, trying = tally.done + failed, tally.count <= spec.tried_first and tally.done < spec.tried_first
        too_many = failed > 0 if trying else may_fail is not None and failed > may_fail
        fan.opens_at = None if spec.hours is None else spec.hours.opens(self.at)
        wanted = 0 if too_many or fan.opens_at is not None else min(spec.at_a_time - tally.open, PORTION)
        wanted = min(wanted, spec.tried_first - tally.done - tally.open) if trying else wanted
        free = own_hands.room(self.driver, fan, wanted, at_hand)
        if free > 0 and tally.before > len(fan.asked) and await self._try_again(free):
            return True
        if reading is not None:
            total = max(tally.count, reading.total or 0)
            own_pages.want(self, reading, spec, too_many=too_many)
        room = min(free, at_hand - tally.count)
        if room > 0:
            await own_hands.make_ready(self.driver, fan)
            for index in range(tally.count, tally.count + room):
                item = spec.items[index] if reading is None else reading.item(index)
                await self._begin_one(index, item, label=True)
                own_amounts.note(self.driver, self.node.id, index, item)
                await asyncio.sleep(0)  # others go on between two of them
            self._note(self._so_far(ended, total))
            fan.due |= room == PORTION  # what one portion left over follows with the next commit
            return True
        closed = fan.opens_at is not None and not too_many and own_pages.has_more(self, reading, at_hand)
        if tally.open or fan.room_at is not None or closed:
            return self._progress(self._so_far(ended, total))
        if reading is not None and not too_many:
            if reading.broken is not None:
                await self._keep_manifest(spec, reading.skipped)
                self._fail(reading.broken)
                return True
            if not reading.is_over or tally.count < at_hand:
                return self._progress(self._so_far(ended, total))
        if too_many and fan.asked and failed == len(fan.asked):
            self._fail(own_errors.decide_first(self.node.name, list(fan.asked.values())))
            return True
        skipped = 0 if reading is None else reading.skipped
        if too_many:
            await self._keep_manifest(spec, skipped)
            first = await self._ask(children.failed, limit=own_errors.SHOWN)
            self._fail(own_errors.failures(self.node.name, first, tally.failed, total))
            return True
        output, note = await own_left_out.summed(self)
        if reading is not None:
            output |= {"pages": reading.pages, "skipped": reading.skipped}
        if spec.collect:
            collected = await own_results.collected(self.driver, self.node.id, await self._ask(children.ended))
            if collected is None:
                self._fail(own_errors.too_large())
                return True
            output["results"] = collected
        output |= await self._keep_manifest(spec, skipped)
        await self._succeed(output, note)
        return True

    async def _keep_manifest(self, spec: OwnRuns, skipped: int) -> dict[str, JSON]:
        """The manifest of its entries as a file, whose row shares the commit that ends the step (I37)."""
        if not spec.manifest:
            return {}
        driver = self.driver
        about = self.node.key, driver.claimed.generation, skipped
        kept = await self._ask(manifests.keep, *about, workspace_id=driver.claimed.workspace_id)
        driver.unit.files += (kept.write,)
        driver.unit.names["bulk.manifest_commit"] = None
        return {"manifest": kept.as_json()}

    def _so_far(self, ended: int, total: int) -> str:
        reading = self.fan.reading
        return f"{ended} of {total}" if reading is None or reading.total is not None else f"{ended} so far"

    async def _turns(self, spec: OwnRuns) -> bool:
        last = await self._ask(children.last)
        if last is None:
            await self._begin_one(0, None)
            return True
        if self.fan.tally.open:
            return self._progress(f"Turn {last.index + 1}")
        if self.fan.tally.before > len(self.fan.asked) and await self._try_again(1, turns=True):
            return True
        if self.fan.asked:
            self._fail(own_errors.decide_first(self.node.name, list(self.fan.asked.values())))
            return True
        if last.status != "completed":
            self._fail(own_errors.turn_failed(last))
            return True
        result = (await own_results.of(self.driver, self.node.id, [last])).get(last.id)
        prepared = self.driver.version.step(self.node.id).prepared
        assert prepared is not None
        try:
            context = self.driver.values.context(self.driver.state, 1, self.at)
            enough = prepared.deferred("until", {**context, "item": result, "index": last.index})
        except Exception as error:
            ending = failure_of(error, None, self.driver.version.step(self.node.id))
            self._fail(cast("Failed", ending).error)
            return True
        if enough is True:
            await self._succeed({"turns": last.index + 1, "result": result}, f"{last.index + 1} turns")
        elif not isinstance(enough, bool):
            self._fail(own_errors.no_answer(enough))
        elif last.index + 1 >= spec.most_turns:
            self._fail(own_errors.never_enough(self.node.name, spec.most_turns))
        else:
            await self._begin_one(last.index + 1, result, delay_ms=spec.pause_ms)
            self._note(f"Turn {last.index + 2}")
        return True

    async def _call(self, spec: OwnRuns) -> bool:
        child = await self._ask(children.last)
        if child is None:
            return await self._begin_call(spec)
        if not spec.waits:
            await self._succeed({"run_id": str(child.id)}, None)
            return True
        if child.status not in TERMINAL:
            return self._progress(None)
        # What was begun before it was given something else is left as it is.
        ended_before = child.status != "completed" and (child.finished_at or 0) < self.fan.since
        if ended_before and child.id not in self.fan.asked and await self._try_again(1, least=child.index):
            return True
        if child.id in self.fan.asked:
            self._fail(own_errors.decide_first(self.node.name, [child]))
            return True
        if child.status != "completed":
            self._fail(own_errors.failures(self.node.name, [child], 1, 1, called=True))
            return True
        result = (await own_results.of(self.driver, self.node.id, [child])).get(child.id)
        await self._succeed({"run_id": str(child.id), "outcome": child.outcome, "result": result}, None)
        return True

    async def _begin_call(self, spec: OwnRuns, index: int = 0) -> bool:
        driver, workflow = self.driver, spec.workflow_id
        assert workflow is not None
        workspace, run_id = driver.claimed.workspace_id, driver.claimed.run_id
        callee, depth = await driver.shell.ask(lambda: (children.callee(workspace, workflow), children.depth(run_id)))
        problem = own_errors.why_not(callee, depth)
        if problem is not None:
            self._fail(problem)
            return True
        assert callee is not None
        child = await self._child(index, spec.items[0])
        self._add(
            child._replace(
                workflow_id=workflow,
                version_id=callee.version_id,
                trigger_node=callee.trigger_nodes[0],
                min_engine=max(callee.min_engine, NEEDS_ENGINE),
                detached=not spec.waits,
            )
        )
        if not spec.waits:
            await self._succeed({"run_id": str(child.id)}, None)
        return True

    async def _undo(self) -> bool:
        """Undo the runs one after another, the one that ended last first."""
        driver, fan, tally = self.driver, self.fan, self.fan.tally
        if tally.open:
            return self._progress(None)
        # Which undo of the run this is: what an earlier one tried in vain is tried once more.
        mark = f"run:{driver.claimed.generation}.{fan.attempt}"
        if fan.left is None:
            fan.left = await self._ask(children.to_undo, mark)
        name = driver.graph.by_id[self.owner].name
        while fan.left:
            workspace_id, run_id = fan.left.pop(0)
            became = await driver.shell.ask(partial(again.undo, workspace_id, run_id, name, mark))
            if became == "begun":
                driver.shell.nudge(run_id)
                self._expect()
                self._note(f"{tally.undone} of {tally.count}")
                return True
            if became == "asks":
                fan.asks.append(run_id)
        standing = await self._ask(children.standing, mark)
        if standing or fan.asks:
            some = own_errors.to_look_into(standing, fan.asks)
            lists = await driver.shell.ask(partial(again.inside, driver.claimed.workspace_id, some))
            self._fail(own_errors.not_undone(name, standing, len(fan.asks), tally.count, *lists))
            return True
        nothing = tally.count - tally.undone
        output: dict[str, JSON] = {"total": tally.count, "undone": tally.undone, "nothing_to_undo": nothing}
        await self._succeed(output, f"{tally.undone} undone")
        return True

    # --- trying again ---------------------------------------------------------------------------------------------

    def _is_tried_again(self) -> bool:
        """Whether there may be runs of an earlier try at this step."""
        return self.driver.claimed.generation > 1 or self.fan.attempt > 1

    async def _try_again(self, free: int, *, turns: bool = False, least: int = 0) -> bool:
        """Go on with so many of those, from the number `least` on, that did not end well before this try began,
        wherever nobody has to decide something first. False where there are none left."""
        driver, fan = self.driver, self.fan
        version = version_for(self.graph.bodies, self.node.id, driver.claimed.version_id)
        while rows := await self._ask(
            children.stale, before=fan.since, limit=free, without=fan.asked.keys(), least=least
        ):
            begun = 0
            for row in rows:
                item = await self._of_turn_before(row) if turns and row.index else None
                parent = driver.claimed.run_id
                go_on = partial(again.retry, row.id, parent, version, item, may=fan.may, called=fan.called)
                became = await driver.shell.ask(go_on)
                if became == "stopped":
                    self._expect(begun)
                    return True  # the next commit hears of it
                if became == "asks":
                    fan.asked[row.id] = row
                else:
                    begun += 1
                    driver.shell.nudge(row.id)
            if begun:
                self._expect(begun)
                return True
            if turns:
                return False
        fan.due = True  # counted anew, without those that somebody has to decide about
        return True

    async def _of_turn_before(self, row: Child) -> str | None:
        """What the turn before this one gave, as the row of this one holds it."""
        before = await self._ask(children.at, row.index - 1)
        if before is None:
            return None
        result = (await own_results.of(self.driver, self.node.id, [before])).get(before.id)
        return (await self._child(row.index, result)).item

    def _expect(self, more: int = 1) -> None:
        """So many more runs are under way."""
        tally = self.fan.tally
        self.fan.tally = replace(tally, open=tally.open + more, moving=tally.moving + more)
        self.fan.at = self.at

    # --- beginning and ending -------------------------------------------------------------------------------------

    async def _begin_one(self, index: int, item: JSON, *, label: bool = False, delay_ms: int = 0) -> None:
        child = await self._child(index, item)
        self._add(
            child._replace(business_key=own_labels.label(self, index, item) if label else None, delay_ms=delay_ms)
        )

    async def _child(self, index: int, item: JSON) -> ChildWrite:
        claimed = self.driver.claimed
        text = dumps(item)
        if len(text) > INLINE_CHARACTERS:
            name = f"{self.node.key}-{index}.json"
            kept: Reference = await self.driver.shell.keep(workspace_id=claimed.workspace_id, text=text, name=name)
            text = kept.text()
        return ChildWrite(
            uuid7(), claimed.workflow_id, claimed.version_id, self.node.id, claimed.mode, claimed.min_engine,
            self.node.id, index, text,
        )  # fmt: skip

    def _add(self, child: ChildWrite) -> None:
        unit = self.driver.unit
        child = own_hands.taken(self.driver, self.fan, child)
        unit.children += (child,)
        unit.names["child.start"] = None
        unit.dirty = True
        self._expect()
        tally = self.fan.tally
        self.fan.tally = replace(tally, count=max(tally.count, child.item_index + 1), ids=tally.ids | {child.id})

    async def _succeed(self, output: dict[str, JSON], note: str | None) -> None:
        driver, node = self.driver, self.node
        text = dumps(output)
        if len(text.encode()) > MOST_BYTES:
            self._fail(own_errors.too_large())
            return
        driver.values.put(node, output)
        if len(text) > INLINE_CHARACTERS:
            kept = await driver.shell.keep(workspace_id=driver.claimed.workspace_id, text=text, name=f"{node.key}.json")
            text = kept.text()
        record = driver.records.setdefault(node.id, Record())
        record.output, record.note = text, note
        driver.commit_seq += 1
        driver.fans.pop(node.id, None)
        driver.unit.names["child.result"] = None
        driver.apply(SignalReceived(node.id, (node.default_port,), self.at, driver.commit_seq))

    def _fail(self, error: StepError) -> None:
        driver, node = self.driver, self.node
        driver.commit_seq += 1
        driver.fans.pop(node.id, None)
        driver.unit.names["child.result"] = None
        driver.records.setdefault(node.id, Record())
        driver.apply(StepFailed(node.id, self.fan.attempt, error, self.at, 0.5, driver.commit_seq))
        step = driver.state.step(node.id)
        if step is not None and step.status is StepStatus.FAILED and step.ports:
            fallback = node.settings.fallback if node.settings.on_failure == "continue" else None
            driver.records[node.id].output = dumps(fallback)
            driver.values.put(node, fallback)
        elif people.waits_for_people(step):
            people.ask_about(driver, node.id, self.fan.attempt, error)

    async def _wind_up(self) -> bool:
        """The run is to end: its own runs first."""
        driver, run_id, node = self.driver, self.driver.claimed.run_id, self.fan.node
        own_pages.leave_off(driver, self.fan)
        if self.fan.tally.open:
            for child in await driver.shell.ask(lambda: children.ask_to_end(run_id, node)):
                driver.shell.nudge(child)
            return False
        driver.fans.pop(node, None)
        driver.apply(StepInterrupted(node, self.fan.attempt, self.at))
        return True

    def _note(self, note: str | None) -> None:
        driver = self.driver
        record = driver.records.setdefault(self.fan.node, Record())
        if note is None or record.note == note:
            return
        record.note = note
        driver.unit.changed += (StepKey(self.fan.node, driver.state.generation),)
        driver.unit.noted += (self.fan.node,)
        driver.unit.dirty = True

    def _progress(self, note: str | None) -> bool:
        """Nothing to do but to say how far it is."""
        was = self.driver.unit.dirty
        self._note(note)
        return self.driver.unit.dirty and not was
