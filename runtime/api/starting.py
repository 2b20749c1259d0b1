"""Starts on demand: of the live version, and of a draft as a test."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from runtime.api.publishing import refuse_problems, start_of
from runtime.catalog import CATALOG
from runtime.contracts import JSON, InputRefused, KeyReused, NotStartable, RuntimeRefused, StartedRun
from runtime.engine.graph import Node, canonical, digest, parse
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps_bytes, loads_stored, normalise
from runtime.engine.needs import engine_needed
from runtime.sdk.windows import FOR_EVER, milliseconds
from runtime.store import artifacts, beside, current
from runtime.store.brake import BRAKE
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Hold, Trigger, Version
from runtime.store.records import AcceptRun, EventRow, RunRow
from runtime.traces import SPAN

_MOST_BYTES: Final = 10 * 1024 * 1024
_MOST_KEY: Final = 200


def start_run(
    *,
    workspace_id: UUID,
    workflow_id: UUID,
    trigger_node: str | None = None,
    input: JSON = None,
    by: UUID | None = None,
    key: str | None = None,
) -> StartedRun:
    """Start the live version; durable when this returns. The same `key` again gives the first start's run.

    `trigger_node` is a start step's id or key; None takes the button. Raises NotStartable, KeyReused (the same key
    with another input), InputRefused (it does not fit the start's form), JSONRefused, StoreUnavailable.
    """
    live = Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, retired=False).first()
    if live is None:
        raise NotStartable("This workflow has not been published yet.", code="not_published")
    if not live.enabled:
        raise NotStartable("This workflow is switched off. Switch it on to start it.", code="switched_off")
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=live.version_id))
    node = start_of(parse(graph), trigger_node)
    trigger = None if node is None else Trigger.objects.filter(workflow_id=workflow_id, node_id=node.id).first()
    if node is None or trigger is None or not trigger.enabled:
        raise NotStartable("The live version has no such start.", code="no_such_start")
    _refuse_input(node, input)
    settings: Any = loads_stored(trigger.config)
    return _accept(
        workspace_id=workspace_id,
        workflow_id=workflow_id,
        version_id=live.version_id,
        trigger_id=trigger.id,
        node_id=node.id,
        source="manual",
        mode="live",
        input=input,
        by=by,
        key=key,
        key_for_ms=milliseconds(settings.get("dedupe_for", FOR_EVER)),
    )


def start_test(
    *,
    workspace_id: UUID,
    workflow_id: UUID,
    graph: Mapping[str, Any],
    trigger_node: str | None = None,
    input: JSON = None,
    by: UUID | None = None,
) -> StartedRun:
    """Run a draft once, in mode `test`, as a version of its own that is never live.

    Raises GraphHasProblems, NotStartable, InputRefused, JSONRefused, StoreUnavailable.
    """
    refuse_problems(graph)
    drawn = parse(graph)
    node = start_of(drawn, trigger_node)
    if node is None:
        raise NotStartable("Choose the start to test from.", code="no_such_start")
    _refuse_input(node, input)
    text, checksum = canonical(graph), digest(graph)
    version_id = (
        Version.objects.filter(workflow_id=workflow_id, workspace_id=workspace_id, kind="test", graph_sha256=checksum)
        .values_list("id", flat=True)
        .first()
    )
    if version_id is None:
        version_id = uuid7()
        with commit("version.publish"):
            Version.objects.create(
                id=version_id,
                workspace_id=workspace_id,
                workflow_id=workflow_id,
                number=0,
                kind="test",
                graph=text,
                graph_sha256=checksum,
                min_engine=engine_needed(drawn),
                created_at=database_now(),
                created_by=by,
            )
    return _accept(
        workspace_id=workspace_id,
        workflow_id=workflow_id,
        version_id=version_id,
        trigger_id=None,
        node_id=node.id,
        source="test",
        mode="test",
        input=input,
        by=by,
        key=None,
    )


def _refuse_input(node: Node, input: JSON) -> None:
    """Raise InputRefused where the start asks for something else, so that no run begins that can only fail."""
    node_type = CATALOG.get(node.type)
    if node_type is None or node_type.check_input is None:
        return
    try:
        config = node_type.config.model_validate(dict(node.config))
    except ValidationError:
        return  # published by a build with other rules: the run says what is wrong with the step
    _accepted, refused = node_type.check_input(config, input)
    if refused:
        raise InputRefused(refused)


def _accept(
    *,
    workspace_id: UUID,
    workflow_id: UUID,
    version_id: UUID,
    trigger_id: UUID | None,
    node_id: str,
    source: str,
    mode: str,
    input: JSON,
    by: UUID | None,
    key: str | None,
    key_for_ms: int | None = None,
) -> StartedRun:
    body = dumps_bytes(normalise(input))
    if len(body) > _MOST_BYTES:
        raise RuntimeRefused("The input is larger than 10 MiB.", code="too_large", limit=_MOST_BYTES)
    BRAKE.refuse_when_full()
    artifact_id = None
    if len(body) > artifacts.INLINE_LIMIT:
        artifact_id = artifacts.put(body, workspace_id=workspace_id, media_type="application/json", name="input.json")
    held = mode == "live" and Hold.objects.filter(pk=workflow_id).exists()
    kept = beside.wanted("ingress.accept")
    with current.borrowed() as writer:
        now = writer.now_ms()
        event = EventRow(
            id=uuid7(),
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            trigger_id=trigger_id,
            source=source,
            received_at=now,
            method="",
            path="",
            query="",
            headers="[]",
            content_type="application/json",
            body=None if artifact_id is not None else body,
            body_artifact_id=artifact_id,
            body_size=len(body),
            body_sha256=sha256(body).hexdigest(),
            dedupe_key=None if key is None else _dedupe_key(key),
            signature="none",
            verdict="accepted",
            reason=None,
            parse_error=None,
        )
        run = RunRow(
            id=uuid7(),
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            version_id=version_id,
            trigger_node=node_id,
            mode=mode,
            started_by="api" if by is None else f"user:{by}",
            accepted_at=now,
            min_engine=Version.objects.values_list("min_engine", flat=True).get(pk=version_id),
            lease_owner=writer.owner if writer.takes and not held else None,
        )
        accepted = writer.accept_sync(AcceptRun(event, run, key_for_ms, kept))
    if kept is not None:
        kept.told(not accepted.duplicate)
    if accepted.conflict:
        raise KeyReused("This key was used before, with another input.", key=key, run_id=str(accepted.run_id or ""))
    assert accepted.run_id is not None
    if (span := SPAN.get()) is not None:
        span.note({"millrace.run.id": str(accepted.run_id)})
    return StartedRun(run_id=accepted.run_id, event_id=accepted.event_id, duplicate=accepted.duplicate)


def _dedupe_key(key: str) -> str:
    """Apart from the keys that webhooks bring, and never too long for its column."""
    return f"start:{key}" if len(key) <= _MOST_KEY else f"start:sha256:{sha256(key.encode()).hexdigest()}"
