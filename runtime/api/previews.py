"""Trying things out before they are published: formulas, schedules, data of earlier runs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from runtime.api.rows import DataDamaged, document
from runtime.contracts import JSON, PreviewResult, SchedulePreview
from runtime.engine.expressions import ExpressionError, compile_template
from runtime.engine.expressions.registry import catalogue
from runtime.engine.jsonprofile import JSONRefused, dumps, normalise, number_text
from runtime.interpreter.payloads import reference_in
from runtime.nodes.triggers.schedule import NODE as SCHEDULE
from runtime.nodes.triggers.schedule import next_fires
from runtime.sdk import schedule_words, schedules
from runtime.sdk.messages import plain_problems
from runtime.store.calendars import calendar_gone, filled
from runtime.store.dialect import database_now
from runtime.store.models import Run, StepRun

#: Runs looked through for samples, and the largest sample that is shown.
_RUNS_LOOKED_AT: Final = 20
_MOST_SAMPLE: Final = 256 * 1024


def preview(*, template: str, context: Mapping[str, Any]) -> PreviewResult:
    """What a formula gives with this data, or why it gives nothing. Never raises."""
    try:
        given: Any = normalise(dict(context))
        value = normalise(compile_template(template).evaluate(given))
    except ExpressionError as error:
        return PreviewResult(ok=False, error=error.message, code=error.code)
    except JSONRefused as refused:
        return PreviewResult(ok=False, error=str(refused), code=refused.code)
    return PreviewResult(ok=True, value=value, text=_text(value), type=_type(value))


def schedule_preview(
    *, workspace_id: UUID, config: Mapping[str, Any], after: int | None = None, count: int = 10
) -> SchedulePreview:
    """The next fire times of a schedule, in words and with notes about clock changes. Never raises."""
    # The form's own rules come first: what follows counts on the types they promise.
    config = SCHEDULE.filled(config)
    try:
        SCHEDULE.config.model_validate(config)
    except ValidationError as refused:
        told = [message for _path, _code, message in plain_problems(SCHEDULE.config, refused)]
        return SchedulePreview(fires=[], words="", notes=told)
    # The form has seen to it that a calendar is named by its key.
    named = str(config["calendar"])
    gone = calendar_gone(workspace_id, named)
    config = filled(workspace_id, config)
    try:
        start = database_now() if after is None else after
        fires = next_fires(config, start, max(1, min(count, 100)))
        notes = schedule_words.notes(config, fires) if fires else ["Nothing starts any more by this schedule."]
        notes = notes if gone is None else [gone, *notes]
        return SchedulePreview(fires=fires, words=schedule_words.words(config), notes=notes)
    except schedules.ScheduleError as error:
        return SchedulePreview(fires=[], words="", notes=[error.message])
    except OverflowError:
        return SchedulePreview(
            fires=[], words="", notes=["This schedule leaves the calendar: choose another first day."]
        )


def samples(*, workspace_id: UUID, workflow_id: UUID) -> dict[str, JSON]:
    """The newest output of each step, by key, from the newest runs and tests; very large ones are left out."""
    newest = list(
        Run.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id)
        .order_by("-id")
        .values_list("id", flat=True)[:_RUNS_LOOKED_AT]
    )
    rank = {run_id: position for position, run_id in enumerate(newest)}
    rows = StepRun.objects.filter(run_id__in=newest, status="succeeded", output__isnull=False)
    chosen: dict[str, tuple[int, UUID, str]] = {}
    for run_id, node_id, node_key in rows.values_list("run_id", "node_id", "node_key"):
        if node_key not in chosen or rank[run_id] < chosen[node_key][0]:
            chosen[node_key] = (rank[run_id], run_id, node_id)
    found: dict[str, JSON] = {}
    for node_key, (_, run_id, node_id) in chosen.items():
        text = rows.filter(run_id=run_id, node_id=node_id).order_by("-generation").values_list("output", flat=True)[0]
        reference = reference_in(text)
        if reference is None or reference.size <= _MOST_SAMPLE:
            with contextlib.suppress(DataDamaged):
                found[node_key] = document(text)
    return found


def functions() -> list[dict[str, Any]]:
    """The catalogue of functions that formulas may use."""
    return catalogue()


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return number_text(value)
    return dumps(value)


def _type(value: JSON) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes_no"
        case int() | Decimal():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
