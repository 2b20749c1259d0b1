"""Steps that wait for their link to be used or for an event: what is written when they begin to, and what is sent to
them."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from runtime import queue
from runtime.engine.graph import Graph
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.state import RunState, StepKey, StepState, StepStatus
from runtime.interpreter.payloads import INLINE_CHARACTERS, put_aside, reference_in
from runtime.interpreter.payloads import too_large as is_too_large
from runtime.interpreter.waiting import iso
from runtime.ports import PORTS
from runtime.sdk.signals import Signal
from runtime.store import artifacts, children, reads, signals
from runtime.store.children import Outer
from runtime.store.dialect import database_now
from runtime.store.reads import AnswerRow
from runtime.store.records import Claimed, WaitClose, WaitWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.interpreter.outcomes import Waits
    from runtime.interpreter.records import Asked

#: Where links lead, below the public address.
LINKS: Final = "/hooks/resume/"
#: A process may think that it is later than it is by the database's clock, by which events are sent: by as much as the
#: answer took that told it. An event that came so shortly before counts too: one that is missed is waited for in vain.
CLOCKS_APART_MS: Final = 1_000
_LONGEST_TITLE: Final = 300
_SECRET_BYTES: Final = 20


class SignalTooLarge(Exception):
    """More was sent than a step may give."""


# --- links ----------------------------------------------------------------------------------------------------------


def link_path(secret: bytes, run_id: UUID, node_id: str, generation: int) -> str:
    """Where to call to move this step on. Nothing of it is stored: it follows from the installation's secret."""
    return f"{LINKS}{run_id}/{node_id}/{generation}/{link_secret(secret, run_id, node_id, generation)}"


def link_secret(secret: bytes, run_id: UUID, node_id: str, generation: int) -> str:
    """What nobody can guess of a link: another one for each step and generation."""
    text = f"resume link\0{run_id}\0{node_id}\0{generation}"
    return hmac.digest(secret, text.encode(), hashlib.sha256)[:_SECRET_BYTES].hex()


def links_of(driver: Driver) -> dict[str, JSON]:
    """The links of the run's steps that have one, by key: what formulas read as `run.links`."""
    base, run_id, generation = PORTS.public_url, driver.claimed.run_id, driver.claimed.generation
    return {
        node.key: f"{base}{link_path(driver.shell.key_secret, run_id, node.id, generation)}"
        for node in driver.version.linked
    }


# --- waiting --------------------------------------------------------------------------------------------------------


def waits(step: StepState | None) -> bool:
    """Whether this step waits for its link or for an event."""
    return step is not None and step.status is StepStatus.WAITING and step.wait_kind == "event"


def any_waits(state: RunState) -> bool:
    return any(waits(step) for step in state.steps.values())


def counts_from(claimed: Claimed, outer: Outer | None, graph: Graph) -> int:
    """From when on events count in this run (`children.counts_from`)."""
    is_item = graph.container is not None and not graph.turns
    return children.counts_from(claimed.accepted_at, outer, is_item=is_item)


def begun(driver: Driver, asked: Asked, ending: Waits) -> WaitWrite:
    """The row of a step that begins to wait."""
    signal = ending.signal or Signal("link")
    at = asked.at
    since = driver.counts_from if signal.early_ms is None else at - signal.early_ms
    return WaitWrite(
        uuid7(), asked.step.node.id, asked.generation, signal.kind, signal.title[:_LONGEST_TITLE], signal.name,
        signal.key, since - CLOCKS_APART_MS, ending.due_at,
    )  # fmt: skip


def written(driver: Driver) -> tuple[WaitWrite, ...]:
    """The waits of the coming commit: of steps that it leaves waiting."""
    return tuple(wait for wait in driver.unit.waits if waits(driver.state.step(wait.node_id)))


def over(before: RunState, after: RunState, changed: tuple[StepKey, ...]) -> tuple[WaitClose, ...]:
    """The waits that nothing needs to move on any more."""
    if before.tally is not None and not before.tally.events:
        return ()
    found = []
    for key in dict.fromkeys(changed):
        if waits(before.steps.get(key)) and not waits(after.steps[key]):
            late = after.steps[key].status is StepStatus.SUCCEEDED
            found.append(WaitClose(key.node, key.generation, "late" if late else "cancelled"))
    return tuple(found)


def come_already(run_id: UUID) -> list[AnswerRow]:
    """What moves steps on that have just begun to wait: links that were used before, events that count already."""
    signals.kept(run_id)
    return reads.answers([run_id]).get(run_id, [])


def too_late(run_id: UUID, node_id: str, generation: int) -> AnswerRow | None:
    """Let nothing move this step on any more; returns what was quicker."""
    signals.too_late(run_id, node_id, generation)
    given = reads.answers([run_id]).get(run_id, ())
    wanted = node_id, generation, "signal"
    return next((row for row in given if (row.node_id, row.generation, row.kind) == wanted), None)


# --- sending --------------------------------------------------------------------------------------------------------


def draft(
    *,
    workspace_id: UUID,
    kind: Literal["event", "link", "person"],
    data: JSON,
    by: str,
    sent_by: str,
    name: str = "",
    key: str = "",
    mode: str = "live",
    run_id: UUID | None = None,
    dedupe_key: str | None = None,
) -> signals.Draft:
    """What is to be sent, with its output put aside where it is large. `by`: who sends it, for people to read.

    Raises SignalTooLarge and JSONRefused.
    """
    at = database_now()
    output: dict[str, JSON] = {"data": data, "at": iso(at), "by": by}
    if kind == "event":
        output |= {"name": name, "key": key}
    text = dumps(output)
    if is_too_large(text):
        raise SignalTooLarge
    # Of the data alone: when it came, and from whom, does not make it another.
    digest = hashlib.sha256(dumps(data).encode()).hexdigest()
    if len(text) > INLINE_CHARACTERS:
        text = put_aside(text, workspace_id=workspace_id, name="signal.json").text()
    return signals.Draft(
        workspace_id, kind, text, digest, at, sent_by, name, key, mode, run_id, dedupe_key
    )  # fmt: skip


def send(made: signals.Draft) -> signals.Sent:
    """Commit an event and move on what waits for it. Once it is committed it counts, whatever becomes of the rest."""
    sent = signals.send(made)
    if sent.duplicate:
        forget(made)
    if not sent.conflict:
        pass_on(sent.id)
    return sent


def pass_on(signal_id: UUID) -> None:
    """Move on what waits for this event."""
    queue.ring(signals.match(signal_id))


def resume(made: signals.Draft, *, node_id: str, generation: int, workflow_id: UUID, early: bool) -> signals.Used:
    """Move one step on by its link or by a person's word."""
    used = signals.resume(made, node_id=node_id, generation=generation, workflow_id=workflow_id, early=early)
    if used.what == "resumed":
        assert used.run_id is not None
        queue.ring([used.run_id])
    else:
        forget(made)
    return used


def forget(made: signals.Draft) -> None:
    """Remove what was put aside for something that was not stored."""
    reference = reference_in(made.output)
    if reference is not None:
        artifacts.discard(reference.artifact_id)
