"""Asking the other system, before a person has a step sent again, whether it happened already.

The same look-up by which the engine settles a lost answer (`looking`), made for somebody who looks at a plan: with the
settings that the step would be given, under the key by which it was last sent. It changes nothing, there or here: the
run's rows stay as they are, and what to make of the answer is the person's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from runtime.contracts import NotRetryable
from runtime.contracts.asking_now import AskedNow
from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.engine.replay import Fate, Known
from runtime.interpreter import four_eyes, outputs
from runtime.interpreter.edited_retries import given_to
from runtime.interpreter.loading import Loaded
from runtime.interpreter.payloads import Reference
from runtime.interpreter.reopening import Found
from runtime.interpreter.versions import Step, Unsupported
from runtime.ports import PORTS
from runtime.sdk import EffectClass
from runtime.store import artifacts
from runtime.store.children import outer_of
from runtime.store.dialect import database_now
from runtime.store.models import Run
from runtime.store.reads import AttemptRow
from runtime.store.records import Claimed

__all__ = ["ASKER", "Question", "asks", "can_take", "question"]

#: Of what became of it somebody may be in doubt; what is known to stand, or was undone, need not be asked about.
_OPEN: Final = frozenset({Known.REFUSED, Known.SAME_KEY, Known.IN_DOUBT})
_NOT_ASKED: Final = "Nobody can be asked about this step: it was not sent, or has no look-up."


@dataclass(frozen=True, slots=True)
class Question:
    """A look-up, ready to be made. `settings`: of the step, worked out; `known`: what its formulas know."""

    claimed: Claimed
    step: Step
    settings: Mapping[str, Any]
    step_input: JSON
    known: Mapping[str, Any]
    key: str
    attempt: int
    at: int
    system: str


class Asker:
    """What this process asks with, if anything: see `worker.asked_now`."""

    def __init__(self) -> None:
        self.ask: Callable[[Question], AskedNow] | None = None


ASKER = Asker()


def asks(found: Found, node: str) -> str | None:
    """What people call the system that can be asked about this step before it is repeated; empty where nothing names
    it. None where nobody can be asked."""
    if _sent(found, node) is None or (step := _step(found, node)) is None:
        return None
    return _system(found, step.node.config)


def question(found: Found, node: str, settings: Mapping[str, Any] | None) -> Question:
    """The look-up for a step of a run that is to be gone on with; `settings`: others than it was given. Raises
    NotRetryable where there is none, and StepFailure where its settings cannot be worked out."""
    sent, step = _sent(found, node), _step(found, node)
    if sent is None or sent.effect_key is None or step is None:
        raise NotRetryable(_NOT_ASKED, code="no_look_up")
    assert step.prepared is not None
    claimed = _claimed(found)
    outer = outer_of([claimed.run_id]).get(claimed.run_id) if found.version.graph.container is not None else None
    texts = {one.node_id: one.output for one in found.steps.values() if one.output and one.status != "skipped"}
    began_at = claimed.started_at or claimed.accepted_at
    values = outputs.Values(found.version, claimed, Loaded(found.state, outputs=texts, outer=outer), began_at)
    if values.has_references:
        values.take_in(_read)
    began = found.state.step(node)
    since = (None if began is None else began.first_started_at) or sent.started_at
    known = values.context(found.state, sent.attempt, since, node)
    if settings is None:
        given = None if node in found.redrawn() else given_to(found, node)
        settings = given if isinstance(given, dict) else step.prepared.resolved(known)
    return Question(
        claimed=claimed,
        step=step,
        settings=settings,
        step_input=values.input_of(step.node, found.state),
        known=known,
        key=sent.effect_key,
        attempt=sent.attempt,
        at=database_now(),
        system=_system(found, settings),
    )


def can_take(found: Found, node: str) -> bool:
    """Whether what is found can be taken over: where a person may say that it happened."""
    asks = any(line.node == node and line.fate is Fate.ASKS for line in found.lines())
    return asks and not four_eyes.refused_words(found, [node])


def _sent(found: Found, node: str) -> AttemptRow | None:
    """The last try that may have reached the other system under a key; None where there is nothing to ask about."""
    if found.known.get(node) not in _OPEN or node in found.version.graph.undoes:
        return None
    if not any(line.node == node and line.first for line in found.lines()):
        return None
    tries = [one for one in found.tries.get(node, ()) if one.effect_key and EffectClass(one.effect_class).writes]
    return tries[-1] if tries else None


def _step(found: Found, node: str) -> Step | None:
    """The step, where it can be looked up what became of it."""
    if node not in found.version.graph.by_id:
        return None
    try:
        step = found.version.step(node)
    except Unsupported:
        return None
    looks = step.type.probe is not None and step.prepared is not None and step.effect is EffectClass.QUERYABLE
    return step if looks else None


def _system(found: Found, settings: Mapping[str, Any]) -> str:
    """The connection by its name, or else the host."""
    named = settings.get("connection")
    if isinstance(named, str) and named:
        try:
            return PORTS.names.connection(workspace_id=found.row["workspace_id"], connection_id=UUID(named))
        except ValueError:
            return ""
    try:
        host = urlsplit(str(settings.get("url") or "")).hostname or ""
    except ValueError:
        return ""
    return "" if "{" in host else host


def _read(reference: Reference) -> JSON:
    read: JSON = loads_stored(artifacts.read(reference.artifact_id))
    return read


def _claimed(found: Found) -> Claimed:
    """The run as a driver would have it; nobody holds a lease for this, and nothing of it is written."""
    row = found.row
    accepted_at, started_at = Run.objects.values_list("accepted_at", "started_at").get(pk=row["id"])
    return Claimed(
        run_id=row["id"],
        workspace_id=row["workspace_id"],
        workflow_id=row["workflow_id"],
        version_id=found.version.id,
        event_id=row["event_id"],
        trigger_node=row["trigger_node"],
        mode=row["mode"],
        status=row["status"],
        outcome=None,
        generation=row["generation"],
        seq=row["seq"],
        token=0,
        claims=0,
        cancel_requested_at=None,
        accepted_at=accepted_at,
        started_at=started_at,
        min_engine=row["min_engine"],
        error=None,
    )
