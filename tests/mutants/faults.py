"""The faults: where, which line, what instead, and the test that must fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong line. `old` stands once in `file`; `test` is what pytest is given. `database`: where the test bites."""

    id: str
    what: str
    file: str
    old: str
    new: str
    test: str
    database: str = "sqlite"


MUTANTS = (
    Mutant(
        "M1",
        "a sender is answered before the event is committed",
        "runtime/intake/app.py",
        "return await (self._writer.accept(unit) if artifact_id is None else self._accept_large(unit, artifact_id))",
        "asyncio.ensure_future(self._writer.accept(unit)); return Accepted(unit.event.id, unit.run and unit.run.id)",
        "tests/runtime/test_intake_door.py -k without_a_database_the_answer_is_later",
    ),
    Mutant(
        "M2",
        "an effect has no intent",
        "runtime/interpreter/driver.py",
        "        if step.writes:\n            asked.earlier",
        "        if False:\n            asked.earlier",
        "tests/runtime/test_interpreter_effects.py -k the_intent_is_committed_before",
    ),
    Mutant(
        "M3",
        "each try has another key",
        "runtime/interpreter/preparing.py",
        "claimed.generation, asked.epoch\n",
        "claimed.generation, asked.attempt\n",
        "tests/runtime/test_interpreter_effects.py -k every_try_carries_the_same_key",
    ),
    Mutant(
        "M4",
        "one write forgets the lease",
        "runtime/store/statements.py",
        "    WHERE r.id = u_id AND r.lease_token = u_token AND r.finished_at IS NULL\n",
        "    WHERE r.id = u_id AND r.finished_at IS NULL\n",
        "tests/runtime/test_worker_leases.py -k an_old_token_is_fenced",
        "postgres",
    ),
    Mutant(
        "M5",
        "what was done first is undone first",
        "runtime/engine/undo.py",
        "for *_, node in sorted(found, reverse=True))",
        "for *_, node in sorted(found))",
        "tests/engine/test_undo.py -k parallel_branches_are_undone",
    ),
    Mutant(
        "M6",
        "an action counts for undo only when its result is there",
        "runtime/engine/undo.py",
        "    return step.status in DECIDED and (step.error is None or step.error.may_have_happened)",
        "    return False",
        "tests/engine/test_undo.py -k an_action_that_was_cut_off",
    ),
    Mutant(
        "M7",
        "nobody sweeps",
        "runtime/worker/pump.py",
        '        """Ask the database what is due as soon as there is room."""\n        self._sweep = True\n',
        '        """Ask the database what is due as soon as there is room."""\n',
        "tests/runtime/test_worker_leases.py -k the_sweep_finds_every_run",
    ),
    Mutant(
        "M8",
        "a fault of the database costs a try",
        "runtime/interpreter/attempts.py",
        "    if isinstance(error, StoreUnavailable | OperationalError | InterfaceError):\n        return Cut",
        "    if False:\n        return Cut",
        "tests/runtime/test_worker_faults.py -k an_answer_that_cannot_be_stored_yet or holds_up_its_own_branch",
    ),
    Mutant(
        "M9",
        "claims without progress are not counted",
        "runtime/store/claims.py",
        "        claims = claims + 1\n    FROM due",
        "        claims = claims\n    FROM due",
        "tests/runtime/test_writer_promises.py -k a_run_that_kills_its_workers",
    ),
    Mutant(
        "M10",
        "a timer goes by the worker's clock",
        "runtime/store/writer.py",
        "        return now + int((time.monotonic() - at) * 1000) if now else time.time_ns() // 1_000_000\n",
        "        return time.time_ns() // 1_000_000\n",
        "tests/runtime/test_interpreter_waits.py -k goes_by_the_databases_clock",
    ),
    Mutant(
        "M11",
        "a second delivery is another event",
        "runtime/store/statements.py",
        "        u_verdict, u_reason, u_parse_error, u_run_id, 0\n    FROM u WHERE true\n    ON CONFLICT DO NOTHING",
        "        u_verdict, u_reason, u_parse_error, u_run_id, 0\n    FROM u WHERE u_dedupe_key IS NULL",
        "tests/runtime/test_writer_promises.py -k fifty_parallel_deliveries",
    ),
    Mutant(
        "M12",
        "a run takes the version that is live",
        "runtime/worker/loads.py",
        "            for version_id, number, graph in Version.objects.filter(id__in=set(versions)).values_list(\n"
        '                "id", "number", "graph"\n            )\n',
        "            for version_id in set(versions)\n"
        "            for _, number, graph in"
        ' Version.objects.order_by("-id").values_list("id", "number", "graph")[:1]\n',
        "tests/runtime/test_interpreter_steps.py -k the_version_a_run_was_accepted_under",
    ),
    Mutant(
        "M13",
        "a wait's due time is not in the commit of the wait",
        "runtime/interpreter/units.py",
        "            driver.wake_at() if release else None,\n",
        "            None,\n",
        "tests/runtime/test_interpreter_waits.py -k a_wait_survives_a_crash",
    ),
    Mutant(
        "M15",
        "SQLite forgets after a power cut",
        "runtime/store/link_sqlite.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
        "tests/runtime/test_store_durability.py -k the_writers_connection_is_durable",
    ),
    Mutant(
        "M16",
        "an end may be written over",
        "runtime/engine/advance.py",
        "    if state.status in TERMINAL:\n        return state, _NOTHING\n    match fact:",
        "    match fact:",
        "tests/engine/test_laws.py",
    ),
    Mutant(
        "M17",
        "a retry does again what stands",
        "runtime/engine/replay.py",
        "            if _stands(step):\n",
        "            if _stands(step) and not step.attempt:\n",
        "tests/engine/test_replay.py",
    ),
    Mutant(
        "M18",
        "an early nudge eats the timer",
        "runtime/engine/advance.py",
        "        return state, (SetTimer(fact.node, step.due_at, timer_kind(step)),)\n",
        "        return state, _NOTHING\n",
        "tests/engine/test_waiting.py",
    ),
    Mutant(
        "M19",
        "a sibling's due time wakes a step that is not due",
        "runtime/engine/advance.py",
        "    if fact.at < step.due_at:\n",
        "    if False:\n",
        "tests/engine/test_waiting.py",
    ),
    Mutant(
        "M20",
        "the row of a document stands before its file",
        "runtime/store/artifacts.py",
        "    try:\n        _write_durably(final, data)\n    except OSError as error:\n",
        "    try:\n        final.parent.mkdir(parents=True, exist_ok=True)\n    except OSError as error:\n",
        "tests/runtime/test_store_artifacts.py -k the_row_is_written_behind_the_file",
    ),
    Mutant(
        "D1",
        "a run is begun however little room there is",
        "runtime/worker/pump.py",
        "                if BRAKE.is_on:\n",
        "                if BRAKE.held:\n",
        "tests/runtime/test_brake.py -k with_little_room",
    ),
    Mutant(
        "D2",
        "an event is accepted though there is no room",
        "runtime/intake/app.py",
        "        BRAKE.refuse_when_full()\n",
        "        pass\n",
        "tests/runtime/test_brake.py -k the_door_answers_503",
    ),
    Mutant(
        "R1",
        "a restored backup goes on by itself",
        "runtime/worker/pump.py",
        "                if BRAKE.is_on:\n",
        "                if BRAKE.low:\n",
        "tests/runtime/test_restores.py -k begins_nothing_until_it_is_confirmed",
    ),
    Mutant(
        "R2",
        "the last beat before a restore is not missed",
        "runtime/store/restores.py",
        "        behind = instance.beat - 1 < _seen(instance)\n",
        "        behind = instance.beat < _seen(instance)\n",
        "tests/runtime/test_restores.py -k one_lost_beat",
    ),
    Mutant(
        "R3",
        "whoever outlived a restore goes on writing",
        "runtime/store/restores.py",
        "_TOKENS_APART: Final = 1_000_000\n",
        "_TOKENS_APART: Final = 0\n",
        "tests/runtime/test_restores.py -k whoever_outlived",
    ),
    Mutant(
        "P1",
        "a second decision counts too",
        "runtime/api/tasks.py",
        '    if row.status == "decided":\n        last',
        "    if False:\n        last",
        "tests/runtime/test_people.py -k of_many_who_decide_at_once",
    ),
    Mutant(
        "P2",
        "a decision at the last moment is passed over",
        "runtime/interpreter/lookups.py",
        "    return told if answer is None else Told(told.at, answer=answer)\n",
        "    return told\n",
        "tests/runtime/test_people.py -k while_the_time_runs_out",
    ),
    Mutant(
        "U1",
        "what was undone is asked for under its old key",
        "runtime/interpreter/loading.py",
        "undone.get(node, 0) >= lost.generation:",
        "False:",
        "tests/runtime/test_undoing_again.py -k however_the_links_are_drawn_now",
    ),
    Mutant(
        "U2",
        "a failing undo keeps the others from being carried out",
        "runtime/engine/undo.py",
        "if StepKey(by, generation) not in steps), None)",
        "if StepKey(by, generation) not in steps and not any("
        "s.error for k, s in steps.items() if k.node in graph.undoes)), None)",
        "tests/engine/test_undo.py -k a_failing_undo",
    ),
    Mutant(
        "M21",
        "a signal moves a run on although the time is over",
        "runtime/store/signals.py",
        "    return wait.due_at is None or at < wait.due_at\n",
        "    return True\n",
        "tests/runtime/test_intake_resuming.py -k comes_too_late",
    ),
    Mutant(
        "M22",
        "nobody looks for what came before a wait began",
        "runtime/interpreter/driver.py",
        "        self._looks = self._looks or bool(self.unit.waits)\n",
        "",
        "tests/runtime/test_signals.py -k came_before_the_wait_counts",
    ),
    Mutant(
        "C1",
        "an item that may have happened is sent again unasked",
        "runtime/interpreter/again.py",
        "    if any(line.fate in (Fate.ASKS, Fate.REPEATS) for line in lines):\n",
        "    if False:\n",
        "tests/runtime/test_own_runs_again.py -k somebody_has_to_decide_about",
    ),
    Mutant(
        "C2",
        "a run that ends knocks at nobody",
        "runtime/interpreter/own_runs.py",
        "    if parent is None or driver.shell.hears(parent):\n",
        "    if True:\n",
        "tests/runtime/test_own_runs.py -k the_steps_inside_are_done_once",
    ),
    Mutant(
        "C3",
        "items are undone in the order in which they were done",
        "runtime/store/children.py",
        'F("ended").desc(nulls_last=True), "-item_index"',
        'F("ended").asc(nulls_last=True), "item_index"',
        "tests/runtime/test_own_runs.py -k an_undo_goes_over_its_runs",
    ),
    Mutant(
        "C4",
        "a cancel does not wait for the runs of the run",
        "runtime/engine/change.py",
        ' and step.wait_kind != "children"',
        "",
        "tests/engine/test_containers.py -k a_run_that_is_cancelled_waits",
    ),
)
