"""A made-up past: many runs of several workflows with all that figures count, written as the product writes them, at
times of their own."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from runtime.engine.ids import uuid7
from runtime.store import statements as sql
from runtime.store.dialect import Link, open_link
from runtime.store.models import Deployment, Version
from runtime.store.questions import INSERT_TASKS
from tests.runtime.rows import WORKSPACE, a_version, now_ms

MINUTE = 60_000
#: A parameter that is a UUID, written in hex.
_UUID = {"postgresql": "CAST(%s AS uuid)", "sqlite": "%s"}


class Past:
    """Writes runs; `chance` decides what becomes of them. `MILLRACE_PAST_SEED=8` makes up another past."""

    def __init__(self, *, workflows: int = 4, seed: int | None = None) -> None:
        self.chance = random.Random(int(os.environ.get("MILLRACE_PAST_SEED", "7")) if seed is None else seed)
        self.versions: list[Version] = []
        for _ in range(workflows):
            version = a_version('{"nodes": []}', workflow_id=uuid7())
            Deployment.objects.create(
                workflow_id=version.workflow_id, workspace_id=WORKSPACE, version=version, changed_at=now_ms()
            )
            self.versions.append(version)

    def happen(self, runs: int, *, since: int, until: int) -> None:
        """So many runs within this time."""
        link = open_link()
        try:
            for _ in range(runs):
                version = self.chance.choice(self.versions)
                accepted = self.chance.randrange(since, until)
                link.begin()
                run_id = self._accept(link, version, accepted)
                self._go(link, version, run_id, accepted, until)
                link.commit()
        finally:
            link.close()

    def _accept(self, link: Link, version: Version, at: int) -> UUID:
        event_id, run_id = uuid7(), uuid7()
        event = {
            "id": link.key(event_id), "workspace_id": link.key(WORKSPACE), "source": "webhook", "received_at": at,
            "workflow_id": link.key(version.workflow_id), "verdict": "accepted", "run_id": link.key(run_id),
        }  # fmt: skip
        link.batch(sql.INSERT_EVENTS, [_filled(sql.INSERT_EVENTS, event)])
        again = [
            {
                "id": link.key(uuid7()), "event_id": link.key(event_id), "workspace_id": link.key(WORKSPACE),
                "workflow_id": link.key(version.workflow_id), "received_at": at + self.chance.randrange(MINUTE),
                "conflict": int(self.chance.random() < 0.3),
            }
            for _ in range(self.chance.choice([0, 0, 0, 0, 1, 2]))
        ]  # fmt: skip
        if again:
            link.batch(sql.INSERT_DELIVERIES, [_filled(sql.INSERT_DELIVERIES, one) for one in again])
        run = {
            "id": link.key(run_id), "workspace_id": link.key(WORKSPACE), "workflow_id": link.key(version.workflow_id),
            "version_id": link.key(version.id), "event_id": link.key(event_id), "trigger_node": "start",
            "mode": self.chance.choice(["live"] * 9 + ["test"]), "started_by": "webhook", "accepted_at": at,
            "min_engine": 1, "leased": 0,
        }  # fmt: skip
        link.batch(sql.INSERT_RUNS, [_filled(sql.INSERT_RUNS, run)])
        return run_id

    def _go(self, link: Link, version: Version, run_id: UUID, accepted: int, until: int) -> None:
        chance = self.chance
        if chance.random() < 0.05:
            return  # it has not begun
        began = accepted + chance.randrange(2_000)
        ended = began + int(chance.lognormvariate(8, 2))
        ends = chance.choices(["completed", "dead_lettered", "cancelled", "compensated", None], [80, 8, 4, 3, 5])[0]
        if chance.random() < 0.3 and ends is not None:
            # In one commit.
            self._write(link, run_id, ends, 1, began, ended)
        else:
            self._write(link, run_id, "running", 1, began, None)
            if ends is None or ended > until:
                return
            ended = self._ask(link, version, run_id, began, ended)
            self._write(link, run_id, ends, 1, began, ended)
        if ends == "dead_lettered":
            self._letter(link, version, run_id, 1)
            if chance.random() < 0.5:
                again = ended + chance.randrange(60 * MINUTE)
                self._gone_on(link, version, run_id, again)
                self._write(link, run_id, "running", 2, began, None)
                self._write(link, run_id, "completed", 2, began, again + int(chance.lognormvariate(7, 1)))

    def _ask(self, link: Link, version: Version, run_id: UUID, began: int, ended: int) -> int:
        """Perhaps questions, which may overlap, and perhaps some of a run of its own; when the run ends then."""
        chance = self.chance
        if chance.random() < 0.7:
            return ended
        asked = run_id
        if chance.random() < 0.3:
            asked = uuid7()
            child = {
                "parent_run_id": link.key(run_id), "workspace_id": link.key(WORKSPACE), "id": link.key(asked),
                "workflow_id": link.key(version.workflow_id), "version_id": link.key(version.id),
                "trigger_node": "each", "parent_node": "each", "mode": "live", "min_engine": 1, "item_index": 0,
                "delay_ms": 0, "detached": 0, "leased": 0,
            }  # fmt: skip
            link.batch(sql.INSERT_CHILDREN, [_filled(sql.INSERT_CHILDREN, child)])
        last = ended
        for number in range(chance.choice([1, 1, 2])):
            opened = chance.randrange(began, ended + 1)
            closed = opened + int(chance.lognormvariate(12, 1.5))
            task_id = uuid7()
            task = {
                "id": link.key(task_id), "workspace_id": link.key(WORKSPACE), "run_id": link.key(asked),
                "workflow_id": link.key(version.workflow_id), "node_id": f"ask{number}", "generation": 1, "attempt": 1,
                "kind": "approval", "title": "", "spec": "{}", "people": "", "barred": "",
            }  # fmt: skip
            link.batch(INSERT_TASKS, [_filled(INSERT_TASKS, task)])
            link.query(
                f"""UPDATE store_humantask SET status = 'decided', created_at = CAST(%s AS bigint),
                closed_at = CAST(%s AS bigint) WHERE id = {_UUID[link.vendor]} RETURNING status""",
                (opened, closed, task_id.hex),
            )
            last = max(last, closed + chance.randrange(5_000))
        if asked != run_id:
            # An item is no run of the workflow.
            self._write(link, asked, "completed", 1, began, last)
        return last

    def _letter(self, link: Link, version: Version, run_id: UUID, generation: int) -> None:
        letter = {
            "run_id": link.key(run_id), "generation": generation, "workspace_id": link.key(WORKSPACE),
            "workflow_id": link.key(version.workflow_id), "node_id": "send", "cause": "c", "code": "x", "title": "",
            "message": "", "pattern": "",
        }  # fmt: skip
        # A test run has one as well, and counts for nothing.
        live = f"SELECT 1 FROM store_run WHERE id = {_UUID[link.vendor]} AND mode = 'live'"
        if link.query(live, (run_id.hex,)):
            link.batch(sql.INSERT_DEAD_LETTERS, [_filled(sql.INSERT_DEAD_LETTERS, letter)])

    def _gone_on(self, link: Link, version: Version, run_id: UUID, at: int) -> None:
        link.query(
            f"""INSERT INTO store_replay (run_id, generation, at, by, from_status, version_before_id, version_after_id,
            plan, edits, decisions, kind) VALUES ({_UUID[link.vendor]}, 2, CAST(%s AS bigint), 'x',
            'dead_lettered', {_UUID[link.vendor]}, {_UUID[link.vendor]}, '{{}}', '{{}}', '{{}}', 'retry')
            RETURNING generation""",
            (run_id.hex, at, version.id.hex, version.id.hex),
        )

    def _write(self, link: Link, run_id: UUID, status: str, generation: int, began: int, ended: int | None) -> None:
        link.query(
            f"""UPDATE store_run SET status = CAST(%s AS varchar), generation = CAST(%s AS integer),
            started_at = CAST(%s AS bigint), finished_at = CAST(%s AS bigint), wake_at = NULL
            WHERE id = {_UUID[link.vendor]} RETURNING seq""",
            (status, generation, began, ended, run_id.hex),
        )


def forget(rows: Sequence[UUID] | None = None) -> None:
    """Remove runs that ended, with all that belongs to them, as a rule of retention does; or all runs."""
    chosen = "" if rows is None else f"IN ({', '.join(['%s'] * len(rows))})"
    keys = [] if rows is None else [one if connection.vendor == "postgresql" else one.hex for one in rows]
    with connection.cursor() as cursor:
        for table, column in (
            ("store_delivery", "event_id IN (SELECT event_id FROM store_run WHERE id {})"),
            ("store_humantask", "run_id {}"),
            ("store_replay", "run_id {}"),
            ("store_deadletter", "run_id {}"),
            ("store_run", "id {}"),
        ):
            where = column.format(chosen or "IS NOT NULL")
            cursor.execute(f"DELETE FROM {table} WHERE {where}", keys)
        if rows is None:
            cursor.execute("DELETE FROM store_event")


def _filled(statement: Any, known: dict[str, Any]) -> tuple[Any, ...]:
    """A row of a statement: what is not named is empty."""
    empty: dict[str, Any] = {"text": None, "int": None, "uuid": None, "bytes": None}
    needed = {"headers": "[]", "body_sha256": "0" * 64, "method": "POST", "path": "", "query": "", "content_type": "",
              "body_size": 0, "signature": "none", "seq": 0}  # fmt: skip
    row = []
    for column, kind in statement.columns:
        name = column[2:]
        row.append(known.get(name, needed.get(name, empty[kind])))
    return tuple(row)
