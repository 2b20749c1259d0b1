"""S115: every route that changes something writes its row, with the change or not at all; a new one that does not fails
here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection

from builder.api.deeds import DEEDS, NOTHING
from builder.audit import chain, verify
from builder.audit.models import AuditRow
from builder.connections import trials
from builder.workflows import drills
from tests.builder.audited import Act
from tests.builder.audited_factors import SCENARIOS
from tests.builder.conftest import World
from tests.builder.route_table import PAGES, ROUTES
from tests.builder.test_routes import routes_of_the_product

pytestmark = pytest.mark.django_db(transaction=True)

#: Deeds that need a runtime at work: `test_audit_runs.py`. A sitting at a draft: `test_audit_drafts.py`. A workspace of
#: its own: below. What takes effect later: `test_pending_answers.py`. What is handed over: `test_handing_over.py`.
ELSEWHERE: Final = {
    "run.retried", "run.replayed", "run.undone", "run.moved_on", "run.link_shown", "dead_letter.retried",
    "batch.manifest_kept", "batch.manifest_downloaded", "batch.checked", "batch.check_noted", "batch.retry_begun",
    "batch.entry_corrected", "batch.failed_downloaded", "batch.results_downloaded", "workflow.edited",
    "workspace.created", "task.decision_took_effect", "task.decision_refused", "task.mended", "run.asked", "task.asked",
    "task.run_undone",
    "workflow.handed_over", "connection.handed_over", "run_view.handed_over", "audit_view.handed_over",
}  # fmt: skip
#: Deeds beside a view's own, one of a page outside the API, and what the ticker does in a person's name.
BESIDE: Final = {
    "session.refused", "session.throttled", "connection.limited", "connection.pause_chosen",
    "connection.repaired", "task.decided_by_link", "task.decision_took_effect", "task.decision_refused",
    "workflow.handed_over", "connection.handed_over", "run_view.handed_over", "audit_view.handed_over",
}  # fmt: skip
#: Done to several things, or to a list of them.
OF_NOTHING_ALONE: Final = {
    "files.downloaded", "audit.exported", "dead_letters.solved", "dead_letters.discarded", "runs.tagged",
    "runs.exported", "dead_letters.exported",
}  # fmt: skip
#: What changes whenever anybody asks anything, and is no part of what was asked for.
ASIDE: Final = ("django_session", "accounts_signintries", "workflows_answered", "django_migrations", "store_artifact")
#: By which the writer asks what became of a commit without an answer.
MARKS: Final = "store_commitmark"


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the test's own; drills and trials that reach nobody."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(drills, "_carry_out", lambda *_: None)
    monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: trials.Outcome(True, "It works."))


def operations() -> list[tuple[str, str, Any]]:
    """Every method of every route with its operation."""
    return [
        (method, route, found)
        for route, callback in routes_of_the_product()
        if route not in PAGES
        for method, found in callback.view_class.operations().items()
    ]


def test_every_route_that_changes_something_names_its_deed() -> None:
    names = {}
    for method, route, found in operations():
        if method != "GET":
            assert found.does is not None, f"{method} {route} does not say what it does"
        if found.file and found.does != NOTHING:
            assert found.does is not None, f"{method} {route} hands out a file, and nothing of it goes on record"
        if found.does not in (None, NOTHING):
            names[f"{method} {route}"] = found.does
    assert set(names.values()) | BESIDE == set(DEEDS)
    twice = [does for does in names.values() if list(names.values()).count(does) > 1]
    same = {
        "batch.entry_corrected", "audit.exported", "absence.said", "absence.changed", "absence.ended",
        "member.invited",
    }  # fmt: skip
    assert set(twice) <= same, "what differs has names that differ"


def test_what_a_deed_says_is_what_its_route_is_told() -> None:
    for method, route, found in operations():
        deed = DEEDS.get(found.does or "")
        if deed is None:
            continue
        known = {part.partition(":")[2].rstrip(">") for part in route.split("/") if part.startswith("<")}
        for model in (found.query, found.body):
            known |= set(model.model_fields) if model is not None else set()
        for name in (*deed.says, *deed.digests, *([deed.path] if deed.path else ())):
            if name == "node_id" or found.does in ("batch.entry_corrected",):
                continue
            assert name in known, f"{method} {route}: nothing of it is called {name!r}"


def test_every_deed_is_tried() -> None:
    assert set(DEEDS) | {"token.used"} == set(SCENARIOS) | ELSEWHERE
    assert set(SCENARIOS) & ELSEWHERE == set()


def rows(world: World) -> list[AuditRow]:
    return list(AuditRow.objects.filter(chain=str(world.northwind.id)).order_by("sequence"))


def prepared(world: World, verb: str) -> Act:
    """The request, with everybody signed in and every token used before."""
    act = SCENARIOS[verb](world)
    return act


@pytest.mark.parametrize("verb", SCENARIOS)
def test_a_deed_writes_its_row(world: World, verb: str) -> None:
    act = prepared(world, verb)
    before = len(rows(world))
    answer = act.send()
    assert answer.status == act.status, answer.body
    made = rows(world)[before:]
    assert [row.verb for row in made if row.verb == verb] == [verb] * (2 if verb == "tasks.decided" else 1)
    assert len(made) == act.count, [row.verb for row in made]
    row = next(row for row in made if row.verb == verb)
    assert row.address == "127.0.0.1"
    if verb in ("session.refused", "session.throttled"):
        assert row.actor_kind == "nobody"
    else:
        assert row.actor_kind in ("member", "token", "link")
        assert row.actor_name
        assert row.actor_id
    if verb not in OF_NOTHING_ALONE:
        assert row.object_id
        assert row.object_name
    if act.path.startswith("/d/"):
        return
    assert row.request_id == answer.headers["X-Request-ID"]
    assert verify.verify(str(world.northwind.id)).ok


@pytest.mark.parametrize("verb", [verb for verb in SCENARIOS if verb != "table.removed"])
def test_without_its_row_nothing_is_changed(world: World, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act = prepared(world, verb)
    before = everything()

    def fail(*_: Any) -> int:
        raise RuntimeError("no row can be written")

    monkeypatch.setattr(chain, "append", fail)
    try:
        status = act.send().status
    except RuntimeError:
        status = 500
    assert status >= 500
    after = everything()
    if verb == "run.tested":
        # The drawing that was to be tested is kept beside its runs; without one it means nothing.
        del before["store_version"], after["store_version"]
    assert after == before


def test_a_repeat_that_changes_nothing_writes_nothing(world: World) -> None:
    for verb in ("run.paused", "run.cancelled", "workflow.disabled", "task.taken", "event.sent", "workspace.changed"):
        act = prepared(world, verb)
        act.headers["Idempotency-Key"] = verb if verb == "event.sent" else ""
        if verb != "event.sent":
            del act.headers["Idempotency-Key"]
        act.send()
        count = len(rows(world))
        assert act.send().status in (200, 202), verb
        assert len(rows(world)) == count, verb


def test_a_start_under_a_known_key_writes_nothing(world: World) -> None:
    act = prepared(world, "run.started")
    act.headers["Idempotency-Key"] = "order-7"
    assert act.send().status == 202
    count = len(rows(world))
    assert act.send().status == 200
    assert len(rows(world)) == count


def test_what_is_refused_writes_nothing(world: World) -> None:
    flow = world.workflow()
    last = world.as_alice.get(f"{world.here}/members").body["items"]
    alice = next(one["id"] for one in last if one["name"] == "Alice")
    count = len(rows(world))
    for caller, method, path, body in (
        (world.as_vera, "POST", f"{world.here}/workflows", {"name": "x"}),
        (world.as_alice, "PATCH", f"{world.here}/members/{alice}", {"role": "viewer"}),
        (world.as_bo, "POST", f"{world.here}/workflows/{flow.id}/publish", {"revision": 9}),
        (world.as_bo, "POST", f"{world.here}/workflows/{flow.id}/hold", {}),
        (world.as_bo, "POST", f"{world.here}/connections", {"kind": "none", "name": "x", "fields": {}}),
        (world.as_mallory, "DELETE", f"{world.here}/workflows/{flow.id}", None),
    ):
        assert caller.call(method, path, body).status >= 400
    assert len(rows(world)) == count


def test_a_new_workspace_begins_its_own_record(world: World) -> None:
    made = world.as_alice.post("/workspaces", {"name": "Third"}).body["id"]
    (row,) = AuditRow.objects.filter(chain=made)
    assert (row.sequence, row.verb, row.actor_name, row.object_name) == (1, "workspace.created", "Alice", "Third")


def test_a_sign_in_by_nobody_known_is_on_the_installations_record_without_what_was_typed(world: World) -> None:
    answer = world.as_nobody.post("/session", {"email": "hunter2-my-password", "password": "x"})
    assert answer.status == 401
    (row,) = AuditRow.objects.filter(chain=chain.INSTALLATION)
    assert (row.verb, row.actor_kind, row.object_id) == ("session.refused", "nobody", "")
    assert "hunter2" not in str(vars(row))


def test_a_token_is_named_with_whom_it_acts_for_and_its_use_once_a_day(world: World) -> None:
    from builder.accounts.rights import Scope

    program = world.program(world.alice, *Scope)
    for name in ("One", "Two"):
        assert program.post(f"{world.here}/groups", {"name": name}).status == 201
    made = rows(world)
    assert [row.verb for row in made] == ["token.used", "group.created", "group.created"]
    assert {(row.actor_kind, row.actor_name) for row in made} == {("token", "A program (Alice)")}


def test_somebody_without_a_name_is_told_of_by_their_address(world: World) -> None:
    type(world.bo).objects.filter(pk=world.bo.pk).update(name="")
    assert world.as_bo.post(f"{world.here}/workflows", {"name": "New"}).status == 201
    assert [row.actor_name for row in rows(world)] == [world.bo.email]


def test_every_route_of_the_matrix_is_one_that_was_looked_at() -> None:
    assert {(method, route) for method, route, _ in operations()} == {(row.method, row.route) for row in ROUTES}


def everything() -> dict[str, list[Any]]:
    """All rows of all tables that matter."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            if name in (*ASIDE, MARKS) or name.startswith(("sqlite_", "auth_", "django_content")):
                continue
            cursor.execute(f'SELECT * FROM "{name}"')
            found[name] = sorted(map(str, cursor.fetchall()))
    return found
