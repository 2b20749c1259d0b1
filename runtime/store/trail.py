"""The audit trail of a run (I40): what changed it, written by the database itself, never changed and never removed
while the run is there.

Two sorts of rows make it up. A *step row* that is decided says for ever when, in which commit (`seq`) and under which
lease (`token`) it was written: a commit that only adds such rows needs no other record. Every other change of a run
leaves a *transition*, by a trigger on the run's own row, whoever makes it: so none is forgotten. What the run's row
does not show, its writer puts into `store_run.change`: `<unlike the last one>:<JSON>`. `engine.trail` folds both sorts
into the run's state.

A claim of a run that nobody held leaves no row of its own: who took the lease stands in the first row under its token,
which is never missing. A lease that is taken over, handed back, or claimed again after it led to nothing, does.

Triggers are made after each `migrate` and taken away before it, because SQLite forgets those of a table that is made
anew and minds those that name one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.db import connections

from runtime.engine.ids import uuid7
from runtime.engine.state import DECIDED
from runtime.store.dialect import CLOCK_SQL, STAMP_SQL
from runtime.store.records import RunWrite, StepWrite

if TYPE_CHECKING:
    from runtime.store.models import StepRun

__all__ = ["TABLE", "as_said", "change_of", "install", "said", "uninstall"]

_COLUMNS: Final = """
    run_id {uuid} NOT NULL,
    number bigint NOT NULL{counted},
    at bigint NOT NULL,
    seq bigint NOT NULL,
    token bigint NOT NULL,
    worker varchar(64) NULL,
    generation integer NOT NULL,
    status_before varchar(20) NOT NULL,
    status varchar(20) NOT NULL,
    outcome varchar(32) NULL,
    cancelled_by varchar(64) NULL,
    detail text NULL,
    PRIMARY KEY (run_id, number)"""
#: By vendor, what makes the table. On SQLite it is its own index: one page is written for a row, not two.
TABLE: Final = {
    "sqlite": (f"CREATE TABLE store_transition ({_COLUMNS.format(uuid='char(32)', counted='')}) WITHOUT ROWID",),
    "postgresql": (
        "CREATE SEQUENCE store_transition_number AS bigint",
        "CREATE TABLE store_transition ("
        + _COLUMNS.format(uuid="uuid", counted=" DEFAULT nextval('store_transition_number')")
        + ")",
        "ALTER SEQUENCE store_transition_number OWNED BY store_transition.number",
    ),
}

_WATCHED: Final = (
    "status, seq, generation, lease_token, cancel_requested_at, cancel_undo, change, paused_at, held, min_engine"
)
_CHANGED: Final = """
    NEW.status <> OLD.status OR NEW.generation <> OLD.generation OR NEW.cancel_undo <> OLD.cancel_undo
    OR NEW.paused_at IS DISTINCT FROM OLD.paused_at OR NEW.held IS DISTINCT FROM OLD.held
    OR NEW.min_engine <> OLD.min_engine
    OR NEW.change IS DISTINCT FROM OLD.change OR NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at
    OR (NEW.lease_token <> OLD.lease_token AND NEW.seq = OLD.seq AND (OLD.lease_owner IS NOT NULL OR OLD.claims > 0))"""
# What figures count (`store.figures`): that a run has begun, and that it has ended; not items of lists, and no tests. A
# row that says one of the two has a stamp, and the moment of it.
_ENDS: Final = "NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL"
_COUNTS: Final = f"""(NEW.mode = 'live' AND (NEW.parent_run_id IS NULL OR NEW.trigger_node <> NEW.parent_node)
    AND ((OLD.status = 'accepted' AND NEW.status <> 'accepted') OR ({_ENDS})))"""
# Whoever claims does it by the token that is made; all others by the one they held.
_CLAIMS: Final = "NEW.lease_token <> OLD.lease_token AND NEW.lease_owner IS NOT NULL"
_INSERT: Final = f"""
    INSERT INTO store_transition (run_id, {{number}}at, seq, token, worker, generation, status_before, status, outcome,
        cancelled_by, detail, stamp, moment)
    VALUES (NEW.id, {{counted}}{{now}}, NEW.seq,
        CASE WHEN {_CLAIMS} THEN NEW.lease_token ELSE OLD.lease_token END,
        CASE WHEN {_CLAIMS} THEN NEW.lease_owner ELSE OLD.lease_owner END,
        NEW.generation, OLD.status, NEW.status, NEW.outcome,
        CASE WHEN NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at OR NEW.cancel_undo <> OLD.cancel_undo
            THEN NEW.cancelled_by
        WHEN NEW.paused_at IS DISTINCT FROM OLD.paused_at THEN NEW.paused_by END,
        CASE WHEN NEW.change IS DISTINCT FROM OLD.change
            THEN substr(NEW.change, {{place}}(NEW.change, ':') + 1)
        WHEN NEW.paused_at IS DISTINCT FROM OLD.paused_at THEN CASE
            WHEN NEW.paused_at IS NULL THEN '{{{{"did":"resume"}}}}' ELSE '{{{{"did":"pause"}}}}' END
        WHEN NEW.held IS DISTINCT FROM OLD.held THEN '{{{{"did":"let_go"}}}}'
        WHEN NEW.lease_token <> OLD.lease_token THEN CASE
            WHEN NEW.seq <> OLD.seq THEN '{{{{"did":"set_aside"}}}}'
            WHEN NEW.lease_owner IS NOT NULL THEN '{{{{"did":"claim"}}}}'
            ELSE '{{{{"did":"release"}}}}' END END,
        CASE WHEN {_COUNTS} THEN {{stamp}} END,
        CASE WHEN {_COUNTS} THEN COALESCE(NEW.finished_at, NEW.started_at, {{now}}) END)"""
_DECIDED: Final = f"OLD.status IN ({', '.join(sorted(repr(status.value) for status in DECIDED))})"
_KEPT: Final = (
    "run_id", "node_id", "generation", "node_key", "status", "attempt", "ports", "note", "error", "wait", "due_at",
    "commit_seq", "seq", "started_at", "finished_at", "token",
)  # fmt: skip
# What a decided step was given and gave may be taken away together, by a rule of retention; nothing else.
_STANDS: Final = f"""{_DECIDED} AND (NEW.input IS NOT NULL OR NEW.output IS NOT NULL
    OR {" OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT)})"""
#: Each: name, table, when it fires, on which condition, what it does; None refuses, with these words.
_REFUSED: Final = "the trail of a run is never changed"
_OF_A_RUN: Final = "EXISTS (SELECT 1 FROM store_run WHERE id = OLD.run_id)"


def _sqlite() -> dict[str, str]:
    number = "(SELECT COALESCE(MAX(number), 0) + 1 FROM store_transition WHERE run_id = NEW.id), "
    words = {"now": CLOCK_SQL["sqlite"], "stamp": STAMP_SQL["sqlite"], "place": "instr"}
    insert = _INSERT.format(number="number, ", counted=number, **words)
    refuse = f"SELECT RAISE(ABORT, '{_REFUSED}')"

    def made(name: str, head: str, when: str | None, body: str) -> str:
        return _sqlite_words(f"CREATE TRIGGER {name} {head} FOR EACH ROW WHEN ({when or '1'}) BEGIN {body}; END")

    return {
        "trail_of_run": made("trail_of_run", f"AFTER UPDATE OF {_WATCHED} ON store_run", _CHANGED, insert),
        "trail_goes": made(
            "trail_goes", "AFTER DELETE ON store_run", None, "DELETE FROM store_transition WHERE run_id = OLD.id"
        ),
        "trail_kept": made("trail_kept", "BEFORE UPDATE ON store_transition", None, refuse),
        "trail_stays": made("trail_stays", "BEFORE DELETE ON store_transition", _OF_A_RUN, refuse),
        "step_kept": made("step_kept", "BEFORE UPDATE ON store_steprun", _STANDS, refuse),
    }


def _postgresql() -> dict[str, str]:
    words = {"now": CLOCK_SQL["postgresql"], "stamp": STAMP_SQL["postgresql"], "place": "strpos"}
    insert = _INSERT.format(number="", counted="", **words)
    functions = {
        "trail_of_run": f"{insert}; RETURN NULL;",
        "trail_goes": "DELETE FROM store_transition WHERE run_id = OLD.id; RETURN NULL;",
        "trail_refuse": f"RAISE EXCEPTION '{_REFUSED}';",
        "trail_stays": f"IF {_OF_A_RUN} THEN RAISE EXCEPTION '{_REFUSED}'; END IF; RETURN OLD;",
    }
    triggers = {
        "trail_of_run": (f"AFTER UPDATE OF {_WATCHED} ON store_run", f"({_CHANGED})", "trail_of_run"),
        "trail_goes": ("AFTER DELETE ON store_run", None, "trail_goes"),
        "trail_kept": ("BEFORE UPDATE ON store_transition", None, "trail_refuse"),
        "trail_stays": ("BEFORE DELETE ON store_transition", None, "trail_stays"),
        "step_kept": ("BEFORE UPDATE ON store_steprun", f"({_STANDS})", "trail_refuse"),
    }
    made = {
        f"{name}()": f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        for name, body in functions.items()
    }
    for name, (head, when, function) in triggers.items():
        condition = "" if when is None else f" WHEN {when}"
        made[name] = f"CREATE OR REPLACE TRIGGER {name} {head} FOR EACH ROW{condition} EXECUTE FUNCTION {function}()"
    return made


def _sqlite_words(sql: str) -> str:
    """`IS DISTINCT FROM`, which older SQLites do not know."""
    return re.sub(r"\s+", " ", sql.replace("IS DISTINCT FROM", "IS NOT"))


def install(alias: str = "default") -> None:
    """Make what writes and guards the trail, unless it is there as it should be."""
    wrapper = connections[alias]
    with wrapper.cursor() as cursor:
        if wrapper.vendor == "postgresql":
            cursor.execute("SELECT to_regclass('store_transition')")
            if cursor.fetchone()[0] is None:
                return
            # One at a time: a second `migrate` would find the functions being replaced.
            cursor.execute("SELECT pg_advisory_xact_lock(48154001)")
            for sql in _postgresql().values():
                cursor.execute(sql)
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' OR name = 'store_transition'")
        there = dict(cursor.fetchall())
        if "store_transition" not in there:
            return
        for name, sql in _sqlite().items():
            if there.get(name) != sql:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(sql)


def uninstall(alias: str = "default") -> None:
    """Take away what would be in the way of a `migrate`: on SQLite, which then has the database to itself."""
    wrapper = connections[alias]
    if wrapper.vendor == "sqlite":
        with wrapper.cursor() as cursor:
            for name in _sqlite():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def change_of(unit: RunWrite) -> str:
    """What a unit does to steps and attempts, for the trail: JSON, read by `engine.trail`."""
    found: dict[str, Any] = {}
    if unit.steps:
        found["steps"] = [as_said(step) for step in unit.steps]
    if unit.release or unit.finished_at is not None:
        found["released"] = True
    if unit.attempts:
        found["attempts"] = [(one.node_id, one.generation, one.attempt, one.status) for one in unit.attempts]
    return orjson.dumps(found).decode()


def as_said(step: StepWrite | StepRun) -> tuple[Any, ...]:
    """A step in the trail: all of it that the engine goes by, in the order of `engine.trail.STEP`."""
    return (
        step.node_id,
        step.generation,
        step.status,
        step.attempt,
        orjson.Fragment(step.ports),
        step.due_at,
        step.commit_seq,
        step.started_at,
        None if step.wait is None else orjson.Fragment(step.wait),
    )


def said(did: str, by: str, **more: Any) -> str:
    """The value of `store_run.change` for what somebody did to a run besides its workers."""
    return f"{uuid7().hex}:{orjson.dumps({'did': did, 'by': by, **more}).decode()}"
