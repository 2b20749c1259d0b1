"""Rows and units for tests: what a test names is given, everything else is filled in."""

from __future__ import annotations

import hashlib
import time
from typing import Any
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.models import Deployment, Trigger, Version
from runtime.store.records import AcceptRun, EventRow, RunRow, RunWrite, StepWrite

WORKSPACE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
WORKFLOW = UUID("01890a5d-ac96-774b-bcce-b302099a8058")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def a_version(graph: str = "{}", *, workflow_id: UUID = WORKFLOW, number: int = 1) -> Version:
    return Version.objects.create(
        workspace_id=WORKSPACE,
        workflow_id=workflow_id,
        number=number,
        kind="live",
        graph=graph,
        graph_sha256="0" * 64,
        created_at=now_ms(),
    )


def a_webhook(slug: str = "orders", *, workflow_id: UUID | None = None, enabled: bool = True, **config: Any) -> Trigger:
    """A live workflow with one webhook. Configuration not named: POST, no authentication, no dedupe."""
    workflow_id = workflow_id or uuid7()
    version = a_version(workflow_id=workflow_id)
    Deployment.objects.create(
        workflow_id=workflow_id, workspace_id=WORKSPACE, version=version, changed_at=now_ms(), enabled=enabled
    )
    return Trigger.objects.create(
        workspace_id=WORKSPACE,
        workflow_id=workflow_id,
        node_id="start",
        node_key="start",
        type="trigger.webhook@1",
        slug=slug,
        config=dumps({"methods": ["POST"], "auth": "none", "dedupe": "none", **config}),
        version=version,
    )


def an_acceptance(
    version_id: UUID,
    *,
    body: bytes = b'{"order": 1}',
    key: str | None = None,
    trigger_id: UUID | None = None,
    lease_owner: str | None = None,
    min_engine: int = 1,
) -> AcceptRun:
    return AcceptRun(
        EventRow(
            id=uuid7(),
            workspace_id=WORKSPACE,
            workflow_id=WORKFLOW,
            trigger_id=trigger_id,
            source="webhook",
            received_at=now_ms(),
            method="POST",
            path="/hooks/orders",
            query="",
            headers="[]",
            content_type="application/json",
            body=body,
            body_artifact_id=None,
            body_size=len(body),
            body_sha256=hashlib.sha256(body).hexdigest(),
            dedupe_key=key,
            signature="none",
            verdict="accepted",
            reason=None,
            parse_error=None,
        ),
        RunRow(
            id=uuid7(),
            workspace_id=WORKSPACE,
            workflow_id=WORKFLOW,
            version_id=version_id,
            trigger_node="start",
            mode="live",
            started_by="webhook",
            accepted_at=now_ms(),
            min_engine=min_engine,
            lease_owner=lease_owner,
        ),
    )


def a_write(run_id: UUID, token: int, *steps: StepWrite, status: str = "running", **fields: Any) -> RunWrite:
    return RunWrite(
        run_id=run_id,
        workspace_id=WORKSPACE,
        workflow_id=WORKFLOW,
        token=token,
        names=fields.pop("names", ("step.result",)),
        status=status,
        steps=steps,
        **fields,
    )


def a_step(node_id: str = "work", *, status: str = "succeeded", **fields: Any) -> StepWrite:
    return StepWrite(
        node_id=node_id,
        generation=fields.pop("generation", 1),
        node_key=node_id,
        status=status,
        attempt=fields.pop("attempt", 1),
        **fields,
    )
