"""Going on with a run over HTTP: what a person is told, and what a page gets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from builder.accounts.models import Role
from runtime import api as runtime_api
from tests.live.conftest import Browser, Site, steps
from tests.live.test_golden import fails_until_mended

MENDED: dict[str, Any] = {"fields": [{"name": "number", "value": 2}]}


def failed_run(site: Site) -> UUID:
    run_id = site.start(site.publish(fails_until_mended(), "Fails"))
    site.finish(run_id)
    return run_id


def ask(site: Site, browser: Browser, method: str, run_id: UUID, what: str, body: Any = None) -> tuple[int, Any]:
    answer = browser.http.request(
        method, f"/workspaces/{site.northwind.id}/runs/{run_id}/{what}", json=body, headers=browser.unsafe
    )
    return answer.status_code, answer.json()


def test_a_run_is_gone_on_with_by_the_plan_that_was_shown(site: Site) -> None:
    alice, run_id = site.browser(site.alice), failed_run(site)
    status, plan = ask(site, alice, "GET", run_id, "retry-plan")
    assert status == 200
    assert {step["key"]: step["fate"] for step in plan["steps"]} == {
        "start": "kept",
        "done": "kept",
        "broken": "again",
        "last": "next",
    }
    (broken,) = (step["node"] for step in plan["steps"] if step["first"])
    status, run = ask(site, alice, "POST", run_id, "retry", {"plan": plan["id"], "edits": {broken: MENDED}})
    assert (status, run["generation"], run["finished_at"]) == (202, 2, None)
    site.finish(run_id)
    assert runtime_api.run(workspace_id=site.northwind.id, run_id=run_id).status == "completed"
    status, found = ask(site, alice, "GET", run_id, "retries")
    assert [(one["generation"], one["by"]) for one in found["items"]] == [(2, "Alice")]
    assert found["items"][0]["edits"][broken]["after"] == MENDED


def test_what_stands_in_the_way_is_said_at_its_step(site: Site) -> None:
    alice, run_id = site.browser(site.alice), failed_run(site)
    _, plan = ask(site, alice, "GET", run_id, "retry-plan")
    (broken,) = (step["node"] for step in plan["steps"] if step["first"])
    (done,) = (step["node"] for step in plan["steps"] if step["key"] == "done")
    edits = {broken: {"fields": "none"}, done: MENDED}
    status, problem = ask(site, alice, "POST", run_id, "retry", {"plan": plan["id"], "edits": edits})
    assert status == 422
    assert set(problem["fields"]) == {f"steps.{broken}", f"steps.{done}"}


def test_an_outdated_plan_and_a_run_that_is_done_are_refused_with_a_sentence(site: Site) -> None:
    alice, run_id = site.browser(site.alice), failed_run(site)
    status, problem = ask(site, alice, "POST", run_id, "retry", {"plan": "0" * 32})
    assert (status, problem["code"]) == (409, "plan_outdated")
    done = site.start(site.publish(steps(0), "Done"))
    site.finish(done)
    status, problem = ask(site, alice, "GET", done, "retry-plan")
    assert (status, problem["code"]) == (409, "already_done")


def test_a_viewer_sees_the_plan_and_may_not_retry(site: Site) -> None:
    vera, run_id = site.browser(site.vera), failed_run(site)
    status, plan = ask(site, vera, "GET", run_id, "retry-plan")
    assert status == 200
    status, problem = ask(site, vera, "POST", run_id, "retry", {"plan": plan["id"]})
    assert (status, problem["code"]) == (403, "forbidden")
    status, problem = ask(site, vera, "POST", run_id, "replay", {})
    assert (status, problem["code"]) == (403, "forbidden")


def test_a_reviewer_may_retry_and_may_not_make_a_step_do_something_else(site: Site) -> None:
    site.membership.role = Role.REVIEWER
    site.membership.save()
    vera, run_id = site.browser(site.vera), failed_run(site)
    _, plan = ask(site, vera, "GET", run_id, "retry-plan")
    (broken,) = (step["node"] for step in plan["steps"] if step["first"])
    status, problem = ask(site, vera, "POST", run_id, "retry", {"plan": plan["id"], "edits": {broken: MENDED}})
    assert (status, problem["code"]) == (403, "forbidden")
    status, run = ask(site, vera, "POST", run_id, "retry", {"plan": plan["id"]})
    assert (status, run["generation"]) == (202, 2)
    site.finish(run_id)


def test_a_run_started_anew_says_from_which(site: Site) -> None:
    alice, run_id = site.browser(site.alice), failed_run(site)
    status, again = ask(site, alice, "POST", run_id, "replay", {})
    assert (status, again["replay_of"], again["generation"]) == (202, str(run_id), 1)
    site.finish(UUID(again["id"]))
