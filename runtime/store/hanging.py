"""Rows that hang on a run's own, from the unit that writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from runtime.store.records import ReadingWrite, RunWrite


def attempt_rows(run_key: Any, unit: RunWrite) -> Iterable[tuple[Any, ...]]:
    """Of `UPSERT_ATTEMPTS`."""
    for attempt in unit.attempts:
        yield (
            run_key,
            attempt.node_id,
            attempt.generation,
            attempt.attempt,
            attempt.status,
            attempt.effect_class,
            attempt.effect_key,
            attempt.key_epoch,
            attempt.request_digest,
            unit.token,
            attempt.worker,
            attempt.started_at,
            attempt.finished_at,
            attempt.request,
            attempt.response,
            attempt.error,
        )


def wait_rows(key: Callable[[UUID], Any], run_key: Any, unit: RunWrite) -> Iterable[tuple[Any, ...]]:
    """Of `INSERT_WAITS`."""
    ids = key(unit.workspace_id), key(unit.workflow_id)
    for wait in unit.waits:
        yield key(wait.id), *ids, run_key, *wait[1:]


def file_rows(key: Callable[[UUID], Any], run_key: Any, unit: RunWrite) -> Iterable[tuple[Any, ...]]:
    """Of `INSERT_FILES`."""
    ids = key(unit.workspace_id), key(unit.workflow_id)
    for file in unit.files:
        yield key(file.id), *ids, run_key, *file[1:]


def key_rows(
    key: Callable[[UUID], Any], run_key: Any, unit: RunWrite, reading: ReadingWrite
) -> Iterable[tuple[Any, ...]]:
    """Of `INSERT_KEYS`."""
    workflow = key(unit.workflow_id)
    for known, index in reading.keys:
        yield run_key, reading.node_id, known, workflow, index


def passed_over_rows(key: Callable[[UUID], Any], run_key: Any, reading: ReadingWrite) -> Iterable[tuple[Any, ...]]:
    """Of `INSERT_PASSED_OVER`."""
    for one in reading.passed_over:
        by = None if one.done_by is None else key(one.done_by)
        yield run_key, reading.node_id, one.number, one.place, one.key, by, one.done_at
