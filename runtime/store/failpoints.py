"""Places where a test can stop, kill or break the process: one before and one after every commit point.

`FAILPOINTS="step.effect:after=kill@nth(3);run.claim:before=sleep(200)"` arms them; nothing else does. A process that
is not a test build (`MILLRACE_TEST_BUILD=1`) refuses to start with the variable set. Actions: `kill` (SIGKILL to
itself), `stop` (SIGSTOP; the test continues it), `raise` (OperationalError), `sleep(milliseconds)`, `exit` (status 0,
nothing cleaned up). `@nth(n)` acts on the n-th hit only; without it every hit acts. Each hit of an armed process that
acts is appended to the file `FAILPOINTS_LOG` and fsynced first, so the test knows that the point was reached.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db import OperationalError

__all__ = ["COMMIT_POINTS", "EFFECT_POINTS", "FailpointReached", "arm", "armed", "disarm", "hit", "parse"]

# Points inside a database transaction: `commit(name)` hits `name:before` just before COMMIT and `name:after` behind it.
COMMIT_POINTS: Final = frozenset(
    {
        "ingress.accept",
        "run.claim",
        "run.lease_renew",
        "run.release",
        "step.intent",
        "step.result",
        "step.retry_scheduled",
        "timer.create",
        "timer.fire",
        "event.send",
        "event.match",
        "wait.begin",
        "wait.resume",
        "wait.late",
        "human.create",
        "human.decide",
        "human.late",
        "human.assign",
        "human.notice",
        "human.recount",
        "human.pend",
        "human.unpend",
        "human.refuse",
        "people.erase",
        "mail.claim",
        "mail.sent",
        "alert.rule",
        "calendar.change",
        "run.tag",
        "alert.change",
        "alert.claim",
        "alert.sent",
        "branch.fork",
        "branch.join",
        "child.start",
        "child.result",
        "child.knock",
        "child.cancel",
        "child.reopen",
        "child.undo",
        "comp.begin",
        "comp.intent",
        "comp.result",
        "run.begin",
        "run.finish",
        "run.dead_letter",
        "run.replay",
        "deadletter.solve",
        "deadletter.bulk",
        "deadletter.group",
        "deadletter.send",
        "run.cancel",
        "run.undo",
        "run.park",
        "run.pause",
        "run.resume",
        "hold.begin",
        "hold.change",
        "hold.gather",
        "hold.drain",
        "hold.end",
        "budget.change",
        "budget.turn",
        "bulk.page",
        "bulk.item",
        "bulk.manifest_commit",
        "bulk.check",
        "blob.row",
        "review.stage",
        "review.change",
        "table.change",
        "table.columns",
        "version.publish",
        "deployment.change",
        "schedule.look",
        "schedule.tick",
        "schedule.backfill",
        "schedule.change",
        "schedule.release",
        "figures.mark",
        "figures.roll",
        "figures.stand",
        "retention.delete",
        "retention.change",
        "retention.hold",
        "retention.sweep",
        "key.rotate",
        "deed.keep",
        "process.sign",
        "leadership.take",
        "instance.create",
        "instance.beat",
        "instance.hold",
        "instance.release",
    }
)
# Points around something that is no transaction: a call to the outside, a file, an answer, a message.
EFFECT_POINTS: Final = frozenset(
    {
        "ingress.respond",
        "nudge.publish",
        "step.effect",
        "step.look_up",
        "comp.effect",
        "mail.send",
        "alert.send",
        "blob.write",
        "blob.rename",
        "blob.upload",
        "save.write",
        "save.rename",
        "bulk.manifest_write",
    }
)

_SPEC = re.compile(
    r"(?P<name>[a-z_]+\.[a-z_]+):(?P<side>before|after)=(?P<action>kill|stop|raise|exit|sleep)"
    r"(?:\((?P<argument>\d*)\))?(?:@nth\((?P<nth>\d+)\))?"
)


class FailpointReached(OperationalError):
    """The action `raise`: looks like any fault of the database."""


@dataclass(frozen=True, slots=True)
class Action:
    """What an armed point does, and on which hit (None: on every one)."""

    kind: str
    milliseconds: int
    nth: int | None


def parse(text: str) -> dict[str, Action]:
    """The armed points of a `FAILPOINTS` value; raises ValueError that quotes the part it cannot read."""
    actions: dict[str, Action] = {}
    for part in filter(None, (piece.strip() for piece in re.split(r"[;\s]+", text))):
        match = _SPEC.fullmatch(part)
        if match is None:
            raise ValueError(f"FAILPOINTS: cannot read {part!r}. Write name:before=kill@nth(1).")
        name = match["name"]
        if name not in COMMIT_POINTS and name not in EFFECT_POINTS:
            raise ValueError(f"FAILPOINTS: there is no point named {name!r}.")
        nth = int(match["nth"]) if match["nth"] else None
        actions[f"{name}:{match['side']}"] = Action(match["action"], int(match["argument"] or 0), nth)
    return actions


_lock = threading.Lock()
_seen: Counter[str] = Counter()
_active: dict[str, Action] = {}
_log: int | None = None


def arm(text: str, *, log: str | None = None) -> None:
    """Arm the points named in `text`, in place of those armed before. Refused outside a test build."""
    global _active, _log
    if os.environ.get("MILLRACE_TEST_BUILD") not in ("1", "true"):
        raise RuntimeError(
            "FAILPOINTS is set: it crashes the process on purpose and only a test build "
            "(MILLRACE_TEST_BUILD=1) accepts it."
        )
    with _lock:
        _seen.clear()
        _active = parse(text)
        if _log is not None:
            os.close(_log)
        _log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else None


def disarm() -> None:
    """Make every point inert again."""
    global _active
    with _lock:
        _active = {}
        _seen.clear()


def armed() -> bool:
    """Whether any point is armed: callers on the hot path skip all bookkeeping when none is."""
    return bool(_active)


def hit(point: str) -> None:
    """Pass the point `name:before` or `name:after`: nothing, unless a test armed it."""
    if not _active:
        return
    action = _active.get(point)
    if action is None:
        return
    with _lock:
        _seen[point] += 1
        count = _seen[point]
        if action.nth is not None and action.nth != count:
            return
        if _log is not None:
            os.write(_log, f"{point} {action.kind} {count} {os.getpid()}\n".encode())
            os.fsync(_log)
    match action.kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            # Sent to the process, it would let this thread run on until another one has taken it.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        case "raise":
            raise FailpointReached(f"failpoint {point}")
        case "sleep":
            time.sleep(action.milliseconds / 1000)
        case _:
            os._exit(0)


if os.environ.get("FAILPOINTS", "").strip():
    arm(os.environ["FAILPOINTS"], log=os.environ.get("FAILPOINTS_LOG"))
