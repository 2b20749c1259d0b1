"""For each deed a request that does it: the world is made ready, and what is to be sent is returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.test import Client

from builder.accounts import groups, tries
from builder.accounts import services as accounts
from builder.accounts.models import Membership, Role
from builder.workflows.models import Workflow
from runtime.store.models import BulkRetry, Run, StepRun, Version
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_backfills import scheduled
from tests.builder.test_bulk_retries import BULK, letters
from tests.builder.test_people import link_of, question
from tests.builder.test_reviews import accept, listed_for, path, ready
from tests.factories import PASSWORD, Answer, Caller, make_token


@dataclass
class Act:
    """A request, and the status of its answer. `count`: how many rows it makes."""

    caller: Caller
    method: str
    path: str
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    count: int = 1

    def send(self) -> Answer:
        return self.caller.call(self.method, self.path, self.body, headers=self.headers, raw=self.raw)


SCENARIOS: Final[dict[str, Callable[[World], Act]]] = {}


def does(verb: str) -> Callable[[Callable[[World], Act]], Callable[[World], Act]]:
    def keep(make: Callable[[World], Act]) -> Callable[[World], Act]:
        assert verb not in SCENARIOS
        SCENARIOS[verb] = make
        return make

    return keep


def short(verb: str, make: Callable[[World], Act]) -> None:
    does(verb)(make)


def membership(world: World, name: str) -> UUID:
    found: UUID = Membership.objects.get(user=getattr(world, name), workspace=world.northwind).id
    return found


def flow_of(world: World, *steps: Any) -> Workflow:
    """A published workflow that a button starts."""
    graph = factories.graph(("start", "trigger.manual@1", {}), *steps)
    workflow = world.workflow(graph=graph)
    assert world.as_bo.post(f"{world.here}/workflows/{workflow.id}/publish", {"revision": 1}).status == 201
    return workflow


def at(world: World, workflow: Workflow) -> str:
    return f"{world.here}/workflows/{workflow.id}"


def run_of(world: World, **changes: Any) -> str:
    """The path of a run that nobody works at."""
    workflow = flow_of(world)
    version = Version.objects.get(workflow_id=workflow.id)
    fields: dict[str, Any] = {"status": "running", "accepted_at": 1, "seq": 3, **changes}
    run = Run.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, trigger_node="n_start",
        mode="live", started_by="api", **fields,
    )  # fmt: skip
    return f"{world.here}/runs/{run.pk}"


# --- people -------------------------------------------------------------------------------------------------------


@does("session.signed_in")
def _(world: World) -> Act:
    body = {"email": world.vera.email, "password": PASSWORD}
    return Act(world.as_nobody, "POST", "/session", body)


@does("session.refused")
def _(world: World) -> Act:
    body = {"email": world.vera.email, "password": "wrong"}
    return Act(world.as_nobody, "POST", "/session", body, 401)


@does("session.throttled")
def _(world: World) -> Act:
    body = {"email": world.vera.email, "password": "wrong"}
    for _ in range(tries.MOST_PER_ACCOUNT):
        assert world.as_nobody.post("/session", body).status == 401
    return Act(world.as_nobody, "POST", "/session", body, 429)


short("session.signed_out", lambda world: Act(world.as_vera, "DELETE", "/session"))


@does("installation.set_up")
def _(world: World) -> Act:
    from builder.accounts.models import User, Workspace

    # Nobody is here yet, and one workspace waits: the one that the row is looked for in.
    User.objects.all().delete()
    Workspace.objects.exclude(pk=world.northwind.pk).delete()
    token = accounts.open_setup(now=datetime.now(UTC))
    workspace = {"name": "First"}
    body = {"token": token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD, "workspace": workspace}
    return Act(world.as_nobody, "POST", "/setup", body, 201)


@does("member.joined")
def _(world: World) -> Act:
    _, token = accounts.invite(
        workspace=world.northwind, email="new@example.org", role=Role.BUILDER, by=world.alice, now=datetime.now(UTC)
    )
    return Act(
        world.as_nobody, "POST", "/invitations/accept", {"token": token, "name": "New", "password": PASSWORD}, 201
    )


@does("person.erased")
def _(world: World) -> Act:
    body = {"email": world.vera.email, "reason": "She asked for it."}
    # First the way in is taken away, which is a row of its own.
    return Act(world.as_alice, "POST", f"{world.here}/members/{membership(world, 'vera')}/erase", body, count=2)


short("profile.changed", lambda world: Act(world.as_bo, "PATCH", "/me", {"name": "Bo B."}))
short("workspace.changed", lambda world: Act(world.as_alice, "PATCH", world.here, {"currency": "CZK"}))
short(
    "member.invited",
    lambda world: Act(
        world.as_alice, "POST", f"{world.here}/members", {"email": "n@example.org", "role": "viewer"}, 201
    ),
)
short(
    "member.changed",
    lambda world: Act(
        world.as_alice, "PATCH", f"{world.here}/members/{membership(world, 'vera')}", {"role": "builder"}
    ),
)
short(
    "member.removed",
    lambda world: Act(world.as_alice, "DELETE", f"{world.here}/members/{membership(world, 'vera')}", status=204),
)


def away(world: World) -> dict[str, Any]:
    return {"first_day": "2026-11-02", "last_day": None, "stand_in": str(membership(world, "rosa"))}


def absent(world: World) -> str:
    """Somebody who is away: the path of that."""
    path = f"{world.here}/members/{membership(world, 'vera')}/absence"
    assert world.as_vera.post(f"{world.here}/absences/mine", away(world)).status == 201
    return path


short("absence.said", lambda world: Act(world.as_vera, "POST", f"{world.here}/absences/mine", away(world), status=201))
short(
    "absence.changed",
    lambda world: Act(world.as_alice, "PUT", absent(world), {**away(world), "last_day": "2099-01-01"}),
)
short("absence.ended", lambda world: Act(world.as_alice, "DELETE", absent(world), status=204))
short("group.created", lambda world: Act(world.as_alice, "POST", f"{world.here}/groups", {"name": "Finance"}, 201))


def group(world: World) -> str:
    made = groups.make_group(workspace=world.northwind, name="Finance", members=[membership(world, "vera")])
    return f"{world.here}/groups/{made.id}"


short("group.changed", lambda world: Act(world.as_alice, "PATCH", group(world), {"members": []}))
short("group.removed", lambda world: Act(world.as_alice, "DELETE", group(world), status=204))
short(
    "token.created",
    lambda world: Act(world.as_alice, "POST", f"{world.here}/tokens", {"name": "ERP", "scopes": ["read"]}, 201),
)
short(
    "token.rotated",
    lambda world: Act(
        world.as_alice,
        "POST",
        f"{world.here}/tokens/{make_token(world.northwind, world.alice)[0].id}/rotate",
        {"overlap_hours": 24},
        201,
    ),
)
short(
    "token.revoked",
    lambda world: Act(
        world.as_alice, "DELETE", f"{world.here}/tokens/{make_token(world.northwind, world.alice)[0].id}", status=204
    ),
)
short(
    "token.used",
    lambda world: Act(Caller(token=make_token(world.northwind, world.alice)[1]), "GET", f"{world.here}/workflows"),
)

# --- workflows ----------------------------------------------------------------------------------------------------

short("workflow.created", lambda world: Act(world.as_bo, "POST", f"{world.here}/workflows", {"name": "New"}, 201))
short("workflow.renamed", lambda world: Act(world.as_bo, "PATCH", at(world, world.workflow()), {"name": "Other"}))
short("workflow.deleted", lambda world: Act(world.as_bo, "DELETE", at(world, flow_of(world)), status=204))
short(
    "workflow.published",
    lambda world: Act(world.as_bo, "POST", f"{at(world, world.workflow())}/publish", {"revision": 1}, 201),
)
short("workflow.disabled", lambda world: Act(world.as_bo, "POST", f"{at(world, flow_of(world))}/disable", {}))


@does("workflow.enabled")
def _(world: World) -> Act:
    here = at(world, flow_of(world))
    assert world.as_bo.post(f"{here}/disable").status == 200
    return Act(world.as_bo, "POST", f"{here}/enable", {})


@does("workflow.restored")
def _(world: World) -> Act:
    here = at(world, flow_of(world))
    return Act(world.as_bo, "POST", f"{here}/versions/1/restore", {}, headers={"If-Match": '"1"'})


short(
    "workflow.held",
    lambda world: Act(world.as_bo, "POST", f"{at(world, flow_of(world))}/hold", {"reason": "The ERP is away."}),
)


@does("workflow.let_go")
def _(world: World) -> Act:
    here = at(world, flow_of(world))
    assert world.as_bo.post(f"{here}/hold", {}).status == 200
    return Act(world.as_bo, "POST", f"{here}/let-go", {"per_minute": 10})


short(
    "workflow.breaker_changed",
    lambda world: Act(
        world.as_bo, "PUT", f"{at(world, flow_of(world))}/breaker", {"failures": 7, "percent": 0, "minutes": 15}
    ),
)


@does("workflow.past_times_started")
def _(world: World) -> Act:
    here, body = scheduled(world)
    return Act(world.as_rosa, "POST", f"{here}/backfills", body, 202)


@does("workflow.past_times_stopped")
def _(world: World) -> Act:
    here, body = scheduled(world)
    made = world.as_rosa.post(f"{here}/backfills", body).body["id"]
    return Act(world.as_rosa, "POST", f"{here}/backfills/{made}/stop", {}, 202)


@does("workflow.drilled")
def _(world: World) -> Act:
    return Act(world.as_bo, "POST", f"{at(world, flow_of(world))}/drill", {}, 202)


# --- runs ---------------------------------------------------------------------------------------------------------

short(
    "run.started",
    lambda world: Act(world.as_rosa, "POST", f"{at(world, flow_of(world))}/runs", {"input": {"order": 7}}, 202),
)
short(
    "run.tested",
    lambda world: Act(world.as_bo, "POST", f"{at(world, flow_of(world))}/test", {"input": {"order": 7}}, 202),
)
short("run.cancelled", lambda world: Act(world.as_rosa, "POST", f"{run_of(world)}/cancel", {"reason": "Twice."}, 202))
short("run.paused", lambda world: Act(world.as_rosa, "POST", f"{run_of(world)}/pause", {"reason": "Wait."}))


@does("run.resumed")
def _(world: World) -> Act:
    here = run_of(world)
    assert world.as_rosa.post(f"{here}/pause", {}).status == 200
    return Act(world.as_rosa, "POST", f"{here}/resume", {})


short(
    "profile.columns_chosen",
    lambda world: Act(world.as_vera, "PUT", f"{world.here}/runs/columns", {"columns": ["key", "status"]}),
)


def run_view(world: World) -> str:
    body = {"name": "Late ones", "search": {"q": "late"}}
    made = world.as_vera.post(f"{world.here}/runs/views", body)
    assert made.status == 201
    return f"{world.here}/runs/views/{made.body['id']}"


short(
    "run_view.saved",
    lambda world: Act(world.as_vera, "POST", f"{world.here}/runs/views", {"name": "All", "search": {}}, 201),
)
short("run_view.changed", lambda world: Act(world.as_vera, "PATCH", run_view(world), {"name": "Later"}))
short("run_view.removed", lambda world: Act(world.as_vera, "DELETE", run_view(world), status=204))


@does("run.value_shown")
def _(world: World) -> Act:
    assert world.as_alice.patch(world.here, {"sensitive_fields": ["iban"]}).status == 200
    path = run_of(world)
    StepRun.objects.create(
        run_id=path.rpartition("/")[2], node_id="n_fields", node_key="fields", status="succeeded", attempt=1, seq=1,
        output='{"iban":"DE89"}',
    )  # fmt: skip
    asked = {"side": "output", "path": ["iban"]}
    return Act(world.as_rosa, "POST", f"{path}/steps/n_fields/reveal", asked)


short("run.exported", lambda world: Act(world.as_vera, "GET", f"{run_of(world)}/export"))
short(
    "event.sent",
    lambda world: Act(
        world.as_rosa, "POST", f"{world.here}/sent-events", {"name": "order.shipped", "key": "PO-7"}, 202
    ),
)


# --- dead letters -------------------------------------------------------------------------------------------------


def solve(way: str, who: str) -> Callable[[World], Act]:
    def make(world: World) -> Act:
        body = {"runs": letters(world), "reason": "Paid by hand."}
        return Act(getattr(world, f"as_{who}"), "POST", f"{world.here}/dead-letters/{way}", body)

    return make


short("dead_letters.solved", solve("solve", "rosa"))
short("dead_letters.discarded", solve("discard", "alice"))


@does("dead_letters.retry_begun")
def _(world: World) -> Act:
    letters(world)
    return Act(world.as_rosa, "POST", f"{world.here}/{BULK}", {"cause": "c1", "reason": "It is back."}, 202)


def bulk(world: World, **changes: Any) -> str:
    letters(world)
    made = world.as_rosa.post(f"{world.here}/{BULK}", {"cause": "c1", "trial": True}).body["id"]
    BulkRetry.objects.update(**changes)
    return f"{world.here}/{BULK}/{made}"


short(
    "dead_letters.retry_continued",
    lambda world: Act(
        world.as_rosa, "POST", f"{bulk(world, status='waiting', trial='done', begun=1, done=1)}/go-on", {}, 202
    ),
)
short(
    "dead_letters.retry_stopped",
    lambda world: Act(world.as_rosa, "POST", f"{bulk(world, begun=0)}/stop", {}, 202),
)

# --- questions and reviews ----------------------------------------------------------------------------------------


def inbox(world: World, **changes: Any) -> str:
    return f"{world.here}/inbox/{question(world, **changes).id}"


short(
    "task.decided",
    lambda world: Act(world.as_rosa, "POST", f"{inbox(world)}/decide", {"outcome": "rejected", "comment": "Too dear."}),
)


@does("task.decided_by_link")
def _(world: World) -> Act:
    browser = Client(enforce_csrf_checks=False)
    link = link_of(question(world, world.rosa.email, spec={"open_link": True}), world.rosa.email)

    class Mailed(Caller):
        def call(self, *_: Any, **__: Any) -> Answer:
            response = browser.post(link, {"outcome": "approved", "comment": ""})
            return Answer(response.status_code, None, response.headers, response.content)

    return Act(Mailed(), "POST", link, status=303)


@dataclass
class _Many:
    """Two questions of one step."""

    ids: list[str]


@does("tasks.decided")
def _(world: World) -> Act:
    first = question(world)
    second = question(world, run=first.run, attempt=2, node="ask")
    body = {"tasks": [str(first.id), str(second.id)], "outcome": "approved"}
    return Act(world.as_rosa, "POST", f"{world.here}/inbox/decide", body, count=2)


@does("task.decision_taken_back")
def _(world: World) -> Act:
    here = inbox(world)
    assert world.as_rosa.post(f"{here}/decide", {"outcome": "approved", "undo": True}).status == 200
    return Act(world.as_rosa, "POST", f"{here}/take-back", {})


@does("tasks.decisions_taken_back")
def _(world: World) -> Act:
    asked = question(world)
    body = {"outcome": "approved", "undo": True}
    assert world.as_rosa.post(f"{world.here}/inbox/{asked.id}/decide", body).status == 200
    return Act(world.as_rosa, "POST", f"{world.here}/inbox/take-back", {"tasks": [str(asked.id)]})


short("task.taken", lambda world: Act(world.as_rosa, "POST", f"{inbox(world)}/take", {}))


@does("task.snoozed")
def _(world: World) -> Act:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return Act(world.as_rosa, "POST", f"{inbox(world)}/snooze", {"until": until})


short("task.commented", lambda world: Act(world.as_rosa, "POST", f"{inbox(world)}/comments", {"text": "Which order?"}))


@does("task.given_back")
def _(world: World) -> Act:
    here = inbox(world)
    assert world.as_rosa.post(f"{here}/take", {}).status == 200
    return Act(world.as_rosa, "POST", f"{here}/give-back", {})


@does("task.handed_over")
def _(world: World) -> Act:
    here = f"{world.here}/inbox/{question(world, world.rosa.email).id}"
    return Act(world.as_rosa, "POST", f"{here}/hand-over", {"to": world.bo.email, "reason": "On leave."})


@does("task.reminded")
def _(world: World) -> Act:
    return Act(world.as_rosa, "POST", f"{inbox(world, spec={'mail': 'c1'})}/remind", {})


@does("task.left_to_admins")
def _(world: World) -> Act:
    return Act(world.as_rosa, "POST", f"{inbox(world, kind='exception')}/leave", {"reason": "The bank is down."})


@does("review.changed")
def _(world: World) -> Act:
    here = path(world, listed_for(world))
    changes = [{"number": 1, "version": 0, "values": {"amount": "130.50"}}]
    return Act(world.as_rosa, "POST", f"{here}/rows", {"changes": changes})


short("review.downloaded", lambda world: Act(world.as_rosa, "GET", f"{path(world, listed_for(world))}/sheet"))


@does("review.handed_over")
def _(world: World) -> Act:
    here = path(world, listed_for(world))
    accept(world.as_rosa, here)
    return Act(world.as_rosa, "POST", f"{here}/hand-over", {"revision": 1})


short("review.sent_back", lambda world: Act(world.as_vera, "POST", f"{ready(world)[0]}/send-back", {"reason": "Look."}))


@does("review.released")
def _(world: World) -> Act:
    here, _, revision = ready(world)
    return Act(world.as_vera, "POST", f"{here}/release", {"revision": revision})


short("review.rejected", lambda world: Act(world.as_vera, "POST", f"{ready(world)[0]}/reject", {"reason": "No."}))
