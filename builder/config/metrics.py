"""Figures for programs that watch: `/metrics` in the text format of Prometheus, and `/readyz`.

`/metrics` is there only where METRICS_TOKEN is set, and for whoever sends that as a bearer token; to everybody else it
is as absent as any other address. `/readyz` says in a line each whether database and broker answer and workers live; it
is 503 where nothing can be accepted, and with `?strict` also where what is accepted would wait.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from builder.accounts.models import Workspace
from builder.config import traces
from builder.config.door import Scope
from builder.workflows.models import Workflow
from runtime.api.metrics import BOUNDS_MS, Metrics, Ready, metrics, ready

__all__ = ["MEDIA_TYPE", "is_let_in", "readiness", "text"]

MEDIA_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_ENDS: Final = ("completed", "failed", "cancelled", "undone")
Labels = Mapping[str, str]


def is_let_in(scope: Scope) -> bool:
    """Whether this request brings the token."""
    token = settings.METRICS_TOKEN
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return bool(token) and len(sent) == 1 and hmac.compare_digest(sent[0], b"Bearer " + token.encode())


def readiness(*, strict: bool) -> tuple[int, bytes]:
    """The status and the lines of `/readyz`."""
    found = ready()
    fine = found.database and (not strict or (found.broker and found.workers))
    return (200 if fine else 503), _lines(found)


def _lines(found: Ready) -> bytes:
    lines = {"database": found.database, "broker": found.broker, "workers": found.workers}
    return "".join(f"{name} {'ok' if fine else 'away'}\n" for name, fine in lines.items()).encode()


def text() -> bytes:
    """The exposition."""
    return ("\n".join(_families(metrics())) + "\n").encode()


def _families(found: Metrics) -> Iterator[str]:
    workspaces = dict(Workspace.objects.values_list("id", "name"))
    workflows = dict(Workflow.objects.values_list("id", "name"))

    def named(pair: tuple[UUID, UUID]) -> dict[str, str]:
        return {"workspace": workspaces.get(pair[0], str(pair[0])), "workflow": workflows.get(pair[1], str(pair[1]))}

    def counter(name: str, what: str, of: Callable[[Any], Iterable[tuple[dict[str, str], int]]]) -> Iterator[str]:
        rows = ((named(pair) | more, count) for pair, counts in found.counts.items() for more, count in of(counts))
        return _family(f"millrace_{name}_total", "counter", what, rows)

    yield from counter("runs_started", "Runs that began.", lambda one: [({}, one["started"])])
    yield from counter(
        "runs_ended", "Runs that ended, by how.", lambda one: [({"outcome": end}, one[end]) for end in _ENDS]
    )
    yield from counter(
        "deliveries",
        "Deliveries: new ones, and those that came again and started nothing.",
        lambda one: [
            ({"kind": "new"}, one["received"]),
            ({"kind": "duplicate"}, one["duplicates"]),
            ({"kind": "conflict"}, one["conflicts"]),
        ],
    )
    yield from counter("dead_letters", "New dead letters.", lambda one: [({}, one["letters"])])
    yield from _histogram(found, workspaces)

    def gauge(name: str, what: str, rows: Mapping[UUID, float]) -> Iterator[str]:
        labelled = (({"workspace": workspaces.get(one, str(one))}, rows.get(one, 0)) for one in workspaces)
        return _family(f"millrace_{name}", "gauge", what, labelled)

    yield from gauge(
        "runs_due", "Runs that are due and that no worker has taken.", {k: one.size for k, one in found.queue.items()}
    )
    oldest = {k: max(0, found.now - one.since) / 1000 for k, one in found.queue.items() if one.since is not None}
    yield from gauge("runs_due_oldest_seconds", "How long the first of them has been due.", oldest)
    yield from gauge("dead_letters_open", "Dead letters that wait for a decision.", found.letters)
    yield from gauge("tasks_open", "Open questions to people.", found.tasks)
    yield from gauge("tasks_late", "Open questions that should have been answered.", found.tasks_late)
    kinds = ("embedded", "web", "worker", "ticker")
    of_kind = {kind: found.processes.get(kind, (0, 0)) for kind in kinds}
    yield from _family(
        "millrace_processes",
        "gauge",
        "Processes that live, by kind.",
        (({"kind": kind}, one[0]) for kind, one in of_kind.items()),
    )
    running = sum(one[1] for one in of_kind.values())
    yield from _family("millrace_runs_in_hand", "gauge", "Runs that workers have in hand.", [({}, running)])
    yield from _family(
        "millrace_free_bytes", "gauge", "Free space in DATA_DIR of this process.", [({}, found.free_bytes)]
    )
    yield from _family(
        "millrace_accepts", "gauge", "1 while this process accepts events, 0 while its disk is full.",
        [({}, int(found.accepts))],
    )  # fmt: skip
    if (spans := traces.counts()) is not None:
        yield from _family(
            "millrace_trace_spans_total",
            "counter",
            "Spans of this process: sent, dropped for lack of room, failed because the collector did not take them.",
            (({"fate": fate}, count) for fate, count in spans._asdict().items()),
        )


def _histogram(found: Metrics, workspaces: Mapping[UUID, str]) -> Iterator[str]:
    name = "millrace_run_duration_seconds"
    yield f"# HELP {name} From the acceptance of runs until they ended well, without waiting for people."
    yield f"# TYPE {name} histogram"
    for workspace_id, (counts, total) in found.took.items():
        labels = {"workspace": workspaces.get(workspace_id, str(workspace_id))}
        for bound, count in zip(BOUNDS_MS, counts, strict=True):
            yield _line(f"{name}_bucket", labels | {"le": f"{bound / 1000:g}"}, count)
        yield _line(f"{name}_bucket", labels | {"le": "+Inf"}, total)
        yield _line(f"{name}_count", labels, total)


def _family(name: str, kind: str, what: str, rows: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {what}"
    yield f"# TYPE {name} {kind}"
    for labels, value in rows:
        yield _line(name, labels, value)


def _line(name: str, labels: Labels, value: float) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
