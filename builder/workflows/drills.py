"""Plug-pull drills: starting the sandbox, taking down what it says, one at a time in a workspace."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from builder.accounts.models import User
from builder.workflows import services, tables
from builder.workflows.models import Draft, Drill, Workflow
from runtime import api as runtime_api
from runtime.contracts import JSON, dumps, loads

__all__ = ["DrillUnderWay", "latest", "start", "summary"]

logger = logging.getLogger("millrace.drill")

#: A drill takes no longer.
LONGEST_SECONDS: Final = 600.0
#: One that nobody has written down anything of for so long has lost its server.
_SILENT: Final = timedelta(seconds=120)
#: Characters of what a sandbox said, for the log: its end says what went wrong last.
_MOST_SAID: Final = 4_000


class DrillUnderWay(Exception):
    """Another drill is under way in this workspace."""


def start(
    *,
    workflow: Workflow,
    graph: JSON,
    trigger_node: str | None,
    input: JSON,
    keys_count: bool,
    by: User,
    within: contextlib.AbstractContextManager[None] | None = None,
) -> Drill:
    """Drill the draft, or this graph. `within`: the transaction that makes its row, where the caller has one. Raises
    GraphRefused, GraphHasProblems, DrillUnderWay."""
    if graph is None:
        graph = services.graph_of(Draft.objects.get(pk=workflow.pk))
    checked = services.startable(workspace_id=workflow.workspace_id, graph=graph)
    _forget_lost(workflow.workspace_id)
    try:
        with within or transaction.atomic():
            drill = Drill.objects.create(workflow=workflow, workspace_id=workflow.workspace_id, started_by=by)
    except IntegrityError:
        raise DrillUnderWay from None
    called = _called(workflow.workspace_id, checked)
    plan = {
        "graph": checked,
        "called": called,
        "trigger": trigger_node or services.first_trigger(checked),
        "input": input,
        "answers": _answers(workflow.workspace_id, [*map(UUID, called), workflow.id]),
        "keys_count": keys_count,
        "tables": tables.copies(workspace_id=workflow.workspace_id, graphs=[checked, *_graphs(called)]),
    }
    threading.Thread(target=_carry_out, args=(drill.id, plan), name="millrace-drill", daemon=True).start()
    return drill


def latest(workflow: Workflow) -> Drill | None:
    """The newest drill of this workflow, under way or over."""
    _forget_lost(workflow.workspace_id)
    return Drill.objects.filter(workflow=workflow).order_by("-id").first()


def summary(drill: Drill) -> dict[str, Any]:
    """What came of it, in numbers: rounds that ended as the undisturbed run did, those that stopped to ask a person,
    what was done twice and by which steps, whether everything was undone (None: nothing has an undo step), and the step
    beyond which nothing was drilled, since the undisturbed run got no further (None: it went all the way)."""
    rounds: Any = loads(drill.results)
    careless: dict[str, int] = {}
    for one in rounds:
        for step, count in one["duplicates"].items():
            careless[step] = careless.get(step, 0) + count
    undone = [one["undo"] for one in rounds if one["undo"] is not None]
    return {
        "finished": sum(1 for one in rounds if one["finished"]),
        "asks": sum(1 for one in rounds if one["asks"]),
        "duplicates": sum(careless.values()),
        "careless": sorted(careless),
        "undo_complete": all(undone) if undone else None,
        "beyond": next((one["beyond"] for one in rounds if one.get("beyond") is not None), None),
        "rounds": list(rounds),
    }


def _graphs(called: Mapping[str, JSON]) -> list[Mapping[str, Any]]:
    return [graph for graph in called.values() if isinstance(graph, Mapping)]


def _called(workspace_id: UUID, graph: Mapping[str, Any]) -> dict[str, JSON]:
    """What is live of the workflows that this graph may run, and of those that they may, by workflow. One that is named
    by a formula, is switched off or was never published is not among them."""
    found: dict[str, JSON] = {}
    graphs: list[Mapping[str, Any]] = [graph]
    while graphs:
        for node in graphs.pop()["nodes"]:
            if not str(node["type"]).startswith("flow.run_workflow@"):
                continue
            try:
                named = UUID(str(node.get("config", {}).get("workflow")))
            except ValueError:
                continue
            live = runtime_api.deployment(workspace_id=workspace_id, workflow_id=named)
            if str(named) in found or live is None or not live.enabled or live.version is None:
                continue
            drawn = runtime_api.version_graph(workspace_id=workspace_id, version_id=live.version.id)
            found[str(named)] = drawn
            graphs.append(drawn)
    return found


def _answers(workspace_id: UUID, workflow_ids: Sequence[UUID]) -> dict[str, JSON]:
    """What the sandbox's calls get: the body that each step's newest call got; of the last named workflow first."""
    answers: dict[str, JSON] = {}
    for workflow_id in workflow_ids:
        found = runtime_api.samples(workspace_id=workspace_id, workflow_id=workflow_id)
        answers |= {
            key: value["body"] for key, value in found.items() if isinstance(value, Mapping) and "body" in value
        }
    return answers


def _forget_lost(workspace_id: UUID) -> None:
    """Its server ended, and with it the sandbox."""
    silent = Drill.objects.filter(workspace_id=workspace_id, status="running", seen_at__lt=timezone.now() - _SILENT)
    silent.update(status="failed", error="lost", finished_at=timezone.now())


def _carry_out(drill_id: UUID, plan: Mapping[str, Any]) -> None:
    folder = Path(settings.DATA_DIR) / "drills" / str(drill_id)
    try:
        folder.mkdir(parents=True, mode=0o700)
        (folder / "plan.json").write_text(dumps(plan), encoding="utf-8")
        error = _watch(drill_id, folder)
    except Exception:
        logger.exception("A drill broke off.")
        error = "broken"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        row = Drill.objects.filter(pk=drill_id, status="running")
        now = timezone.now()
        row.update(status="failed" if error else "done", error=error, finished_at=now, seen_at=now)
    finally:
        connection.close()


def _watch(drill_id: UUID, folder: Path) -> str:
    """Run the sandbox and write down what it says; why it broke off, or nothing."""
    said = folder / "said"
    with said.open("wb") as words:
        sandbox = _sandbox(folder, words)
    try:
        return _followed(drill_id, sandbox)
    finally:
        if words_said := said.read_text(encoding="utf-8", errors="replace")[-_MOST_SAID:].strip():
            logger.warning("A drill's sandbox said: %s", words_said)


def _sandbox(folder: Path, words: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "drill", str(folder)],
        cwd=settings.BASE_DIR,
        env=_surroundings(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        start_new_session=True,
    )


def _followed(drill_id: UUID, sandbox: subprocess.Popen[bytes]) -> str:
    alarm = threading.Timer(LONGEST_SECONDS, _end, (sandbox,))
    alarm.daemon = True
    alarm.start()
    results: list[JSON] = []
    total: int | None = None
    try:
        assert sandbox.stdout is not None
        for line in sandbox.stdout:
            news: Any = loads(line)
            if "rounds" in news:
                total = news["rounds"]
            else:
                results.append(news)
            Drill.objects.filter(pk=drill_id).update(total=total, results=dumps(results), seen_at=timezone.now())
    finally:
        in_time = alarm.is_alive()
        alarm.cancel()
        _end(sandbox)
        sandbox.wait(10)
        for pipe in (sandbox.stdin, sandbox.stdout):
            if pipe is not None:
                pipe.close()
    if total is not None and len(results) == total:
        return ""
    return "broken" if in_time else "too_long"


def _end(sandbox: subprocess.Popen[bytes]) -> None:
    """With every worker of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(sandbox.pid, signal.SIGKILL)


def _surroundings(folder: Path) -> dict[str, str]:
    """Nothing of the installation: not its database, not its keys."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "DATA_DIR": str(folder),
        "SECRET_KEY": secrets.token_hex(32),
        "LOG_LEVEL": "ERROR",
        "FREE_SPACE_FLOOR_MIB": "0",
    }
