"""From rows to views: the one place where stored text becomes what the contracts promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist

from runtime.api.fields import fields_of
from runtime.api.held import holds_of
from runtime.api.items import NOTHING, Halted, halted, parents, settled_of
from runtime.contracts import JSON, AttemptView, CancelView, HoldView, RunFieldView, RuntimeRefused, RunView, StepView
from runtime.contracts.items import ParentView, SolvedView
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import TERMINAL, Outcome
from runtime.interpreter import waiting
from runtime.interpreter.payloads import reference_in
from runtime.interpreter.started import business_keys
from runtime.store import artifacts, below, tags
from runtime.store.models import HumanTask, StepRun
from runtime.store.transitions import Transition

RUN_COLUMNS: Final = (
    "id", "workspace_id", "workflow_id", "version_id", "version__number", "mode", "status", "outcome", "generation",
    "seq", "started_by", "business_key", "event_id", "accepted_at", "started_at", "finished_at", "waiting", "error",
    "cancel_requested_at", "cancelled_by", "replay_of", "trigger_node", "parent_run_id", "parent_node", "item_index",
    "paused_at", "paused_by", "pause_reason", "held", "values_removed_at",
)  # fmt: skip
STEP_COLUMNS: Final = (
    "node_id", "node_key", "generation", "status", "attempt", "ports", "note", "wait", "error", "due_at", "started_at",
    "finished_at", "seq",
)  # fmt: skip
#: What of an error the canvas needs; the whole of it stands in the step's detail.
_OPEN: Final = ("running", "waiting", "retrying", "ready")


class DataDamaged(RuntimeRefused):
    """Data that stands in a file of its own cannot be read back as it was written."""

    code = "data_damaged"


def document(text: str | None) -> Any:
    """A stored document, wherever it stands; None stays None. Raises DataDamaged."""
    if text is None:
        return None
    reference = reference_in(text)
    return loads_stored(artifact(reference.artifact_id)) if reference is not None else loads_stored(text)


def artifact(artifact_id: UUID) -> bytes:
    """The bytes of an artifact. Raises DataDamaged."""
    try:
        return artifacts.read(artifact_id)
    except (artifacts.ArtifactDamaged, ObjectDoesNotExist, OSError) as error:
        raise DataDamaged(
            "The file that holds this data is missing or damaged. An administrator can put it back: it belongs into "
            "the folder artifacts of DATA_DIR.",
            artifact=str(artifact_id),
        ) from error


def run_view(
    row: Mapping[str, Any],
    current_node: str | None,
    parent: ParentView | None = None,
    hold: HoldView | None = None,
    halts: Halted = NOTHING,
    asked: Mapping[tuple[UUID, str], list[str]] | None = None,
    failed: below.Failed = below.NONE,
    why_cancelled: str = "",
    solution: SolvedView | None = None,
    fields: tuple[RunFieldView, ...] = (),
    tagged: tuple[str, ...] = (),
) -> RunView:
    """One run, from its `RUN_COLUMNS`; `hold`: its workflow's, where that holds it; `halts`: what holds up the runs
    that it waits for; `asked`: whom it asks itself; `failed`: below it, where it is done; `why_cancelled`: of one that
    somebody cancelled; `solution`: of one that failed, where it was settled since, or was left out; `fields`: what it
    is found by; `tagged`: the words on it."""
    return RunView(
        id=row["id"],
        workspace_id=row["workspace_id"],
        workflow_id=row["workflow_id"],
        version_id=row["version_id"],
        version=row["version__number"],
        mode=row["mode"],
        status=row["status"],
        outcome=row["outcome"],
        generation=row["generation"],
        seq=row["seq"],
        started_by=row["started_by"],
        business_key=row["business_key"],
        event_id=row["event_id"],
        accepted_at=row["accepted_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        waiting=_cause(row, hold, halts, asked or {}),
        error=_plain(row["error"]),
        current_node=current_node,
        cancel_requested=row["cancel_requested_at"] is not None,
        replay_of=row["replay_of"],
        parent=parent,
        paused=_is_paused(row),
        failed_items=failed.items,
        failed_calls=failed.calls,
        cancelled=_cancelled(row, why_cancelled),
        solved=solution,
        fields=fields,
        data_removed_at=row["values_removed_at"],
        tags=tagged,
    )


def run_views(rows: Iterable[Mapping[str, Any]]) -> list[RunView]:
    """Runs with the step each stands at, and the run around it: a few queries, however many."""
    rows = list(rows)
    if unnamed := [row for row in rows if _is_held(row) and row["business_key"] is None]:
        # What is held has not begun, so nobody has worked out yet how people call it.
        keys = business_keys(unnamed)
        rows = [{**row, "business_key": keys.get(row["id"], row["business_key"])} for row in rows]
    current = _current_nodes([row["id"] for row in rows if row["status"] not in TERMINAL])
    around = parents(rows)
    held = {(row["workspace_id"], row["workflow_id"]) for row in rows if _is_held(row)}
    holds = {one: hold for workspace_id, one in held for hold in holds_of(workspace_id, [one]).values()}
    halts = halted([row["id"] for row in rows if _waits_for(row, "children")])
    asked = _asked([row["id"] for row in rows if _waits_for(row, "human")])
    done = [row for row in rows if row["status"] == "completed" and row["outcome"] != Outcome.SKIPPED]
    failed = below.failed({row["id"]: row["version_id"] for row in done})
    reasons = _reasons([row["id"] for row in rows if row["cancel_requested_at"] is not None])
    settled = settled_of({row["id"]: (row["status"], row["outcome"]) for row in rows})
    named = fields_of(rows)
    tagged = tags.of_runs([row["id"] for row in rows])
    return [
        run_view(
            row,
            current.get(row["id"]) or _failed_node(row),
            around.get(row["id"]),
            holds.get(row["workflow_id"]),
            halts.get(row["id"], NOTHING),
            asked,
            failed.get(row["id"], below.NONE),
            reasons.get(row["id"], ""),
            settled.get(row["id"]),
            named.get(row["id"], ()),
            tagged.get(row["id"], ()),
        )
        for row in rows
    ]


def _asked(run_ids: list[UUID]) -> dict[tuple[UUID, str], list[str]]:
    """Whom these runs ask, by run and step; one query, and none where nobody is asked."""
    if not run_ids:
        return {}
    rows = HumanTask.objects.filter(run_id__in=run_ids, status="open").values_list("run_id", "node_id", "people")
    return {(run_id, node): [one for one in people.split(",") if one] for run_id, node, people in rows}


def _cancelled(row: Mapping[str, Any], why: str) -> CancelView | None:
    if row["cancel_requested_at"] is None:
        return None
    return CancelView(row["cancel_requested_at"], row["cancelled_by"] or "", why)


def _reasons(run_ids: list[UUID]) -> dict[UUID, str]:
    """Why these runs were cancelled, of those where somebody said so: from their trails, which alone say it."""
    if not run_ids:
        return {}
    asked = Transition.objects.filter(run_id__in=run_ids, detail__startswith='{"did":"cancel"').order_by("number")
    details = [(run_id, _plain(detail) or {}) for run_id, detail in asked.values_list("run_id", "detail")]
    # Asked twice, the later one counts; a run that was gone on with since is not among them.
    return {run_id: str(detail.get("reason", "")) for run_id, detail in details}


def _is_paused(row: Mapping[str, Any]) -> bool:
    return row["paused_at"] is not None and row["finished_at"] is None


def _waits_for(row: Mapping[str, Any], kind: str) -> bool:
    return row["finished_at"] is None and (row["waiting"] or "").startswith(f'{{"kind":"{kind}"')


def _is_held(row: Mapping[str, Any]) -> bool:
    return row["held"] == 1 and row["finished_at"] is None


def _cause(
    row: Mapping[str, Any],
    hold: HoldView | None,
    halts: Halted,
    asked: Mapping[tuple[UUID, str], list[str]],
) -> dict[str, Any] | None:
    """Why the run does not move, one cause: what stops it altogether comes before what it waits for itself (I17)."""
    if _is_paused(row):
        return waiting.paused(row["paused_at"], row["paused_by"], row["pause_reason"])
    if _is_held(row):
        if hold is None:
            # Nothing is paused (any more): it goes at the next look, or in its turn.
            return waiting.held(row["accepted_at"], "turn", {}, "")
        since = max(hold.since, row["accepted_at"])
        if hold.mode == "draining":
            return waiting.held(since, "turn", {}, "")
        return waiting.held(since, hold.cause, hold.facts, hold.reason)
    waits = _plain(row["waiting"])
    if waits is not None and (people := asked.get((row["id"], str(waits.get("node"))))):
        return {**waits, "people": people}
    if waits is not None and halts.paused is not None:
        return waiting.held_up(waits, halts.paused)
    if waits is not None and halts.held is not None:
        return waiting.in_line(waits, halts.held)
    if waits is not None and halts.asking is not None:
        return waiting.asking(waits, halts.asking)
    return waits


def step_view(row: Mapping[str, Any]) -> StepView:
    """One step, from its `STEP_COLUMNS`."""
    wait = _plain(row["wait"])
    if wait is not None and wait.get("kind") is None:
        wait = None  # what its retries came late by, which nobody waits for
    if row["status"] == "retrying":
        wait = {"kind": "retry", "until": row["due_at"]}
    ports: Any = loads_stored(row["ports"])
    return StepView(
        node=row["node_id"],
        key=row["node_key"],
        generation=row["generation"],
        status=row["status"],
        attempt=row["attempt"],
        ports=list(ports),
        note=row["note"],
        wait=wait,
        error=_plain(row["error"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        seq=row["seq"],
    )


def attempt_view(row: Mapping[str, Any]) -> AttemptView:
    """One try, from the columns of its row."""
    return AttemptView(
        attempt=row["attempt"],
        status=row["status"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=_plain(row["error"]),
        effect_key=row["effect_key"],
        effect_class=row["effect_class"],
        request=_json(row["request"]),
        response=_json(row["response"]),
        worker=row["worker"],
        generation=row["generation"],
    )


def _current_nodes(run_ids: list[UUID]) -> dict[UUID, str]:
    if not run_ids:
        return {}
    rows = StepRun.objects.filter(run_id__in=run_ids, status__in=_OPEN).order_by("seq")
    found: dict[UUID, str] = {}
    for run_id, node_id in rows.values_list("run_id", "node_id"):
        found.setdefault(run_id, node_id)
    return found


def _failed_node(row: Mapping[str, Any]) -> str | None:
    error = _plain(row["error"])
    node = error.get("node") if error else None
    return node if isinstance(node, str) else None


def _plain(text: str | None) -> dict[str, Any] | None:
    found: Any = None if text is None else loads_stored(text)
    return found if isinstance(found, dict) else None


def _json(text: str | None) -> JSON:
    return None if text is None else loads_stored(text)
