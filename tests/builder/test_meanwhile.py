"""What somebody changes between the look and the save of somebody else stays changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from builder.accounts import services as accounts
from builder.accounts.models import Workspace
from builder.connections import rotation, trials
from builder.connections import services as connections
from builder.connections.models import Connection
from builder.connections.vault import SealedVault
from builder.workflows import saved_views, services
from builder.workflows.models import SavedView, Workflow
from runtime import api as runtime_api
from tests.builder.conftest import World

#: What a publish or a removal commits goes by transactions of its own.
pytestmark = pytest.mark.usefixtures("transactional_db")


def secret(world: World) -> str:
    body = {"kind": "webhook_secret", "name": "Shop", "fields": {"secret": "the old one"}}
    return f"{world.here}/connections/{world.as_bo.post(f'{world.here}/connections', body).body['id']}"


def after_the_look(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have this done when a request has read its connection, and before it changes it."""
    real = connections.may_manage

    def then(**named: Any) -> bool:
        monkeypatch.setattr(connections, "may_manage", real)
        act()
        return real(**named)

    monkeypatch.setattr(connections, "may_manage", then)


class TestConnections:
    def test_a_new_name_does_not_bring_back_a_secret_that_was_replaced(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = secret(world)

        def replace() -> None:
            with transaction.atomic():
                rotation.replace_incoming(
                    row=Connection.objects.get(), secret="the new one", hours=0, now=datetime.now(UTC)
                )

        after_the_look(monkeypatch, replace)
        assert world.as_bo.patch(here, {"name": "The shop"}).status == 200
        fields = SealedVault().open(workspace_id=world.northwind.id, connection_id=UUID(here[-36:])).fields
        assert (Connection.objects.get().name, fields) == ("The shop", {"secret": "the new one"})

    def test_one_that_is_removed_meanwhile_stays_removed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        here = secret(world)
        after_the_look(monkeypatch, lambda: connections.delete(row=Connection.objects.get()))
        assert world.as_bo.patch(here, {"name": "The shop"}).status == 404
        assert not Connection.objects.exists()

    @pytest.mark.parametrize(
        ("method", "place", "body"),
        [
            ("post", "rotate", {"secret": "the newest one", "overlap_hours": 1}),
            ("patch", "previous-secret", {"hours": 1}),
            ("delete", "previous-secret", None),
        ],
    )
    def test_one_that_is_removed_while_its_secret_is_replaced_is_not_here(
        self, world: World, monkeypatch: pytest.MonkeyPatch, method: str, place: str, body: Any
    ) -> None:
        here = secret(world)
        after_the_look(monkeypatch, lambda: connections.delete(row=Connection.objects.get()))
        answer = getattr(world.as_bo, method)(f"{here}/{place}", *([] if body is None else [body]))
        assert answer.status == 404, answer.body

    def test_a_test_of_values_that_were_replaced_meanwhile_says_nothing_of_the_new_ones(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fields = {"token": "the old one", "base_url": "https://bank.example"}
        body = {"kind": "http_bearer", "name": "Bank", "fields": fields}
        here = f"{world.here}/connections/{world.as_bo.post(f'{world.here}/connections', body).body['id']}"

        def tried(_row: Connection) -> trials.Outcome:
            assert world.as_bo.patch(here, {"fields": {"token": "another one"}}).status == 200
            return trials.Outcome(True, "It takes them.")

        monkeypatch.setattr(trials, "try_out", tried)
        assert world.as_bo.post(f"{here}/test").body["ok"] is True
        assert world.as_bo.get(here).body["status"] == "untested"


class TestWhatIsNotGivenIsLeftAsItIs:
    def test_of_a_workflow(self, world: World) -> None:
        row = world.workflow()
        services.change(workflow=Workflow.objects.get(), name="Cash to order")
        services.change(workflow=row, description="All of it")
        found = Workflow.objects.get()
        assert (found.name, found.description) == ("Cash to order", "All of it")

    def test_of_a_workspace(self, world: World) -> None:
        accounts.change_workspace(workspace=Workspace.objects.get(pk=world.northwind.pk), sensitive_fields=["iban"])
        accounts.change_workspace(workspace=world.northwind, name="Northwind Ltd")
        found = Workspace.objects.get(pk=world.northwind.pk)
        assert (found.name, found.sensitive_fields) == ("Northwind Ltd", ["iban"])

    def test_of_a_saved_search(self, world: World) -> None:
        row = saved_views.save(
            of="runs",
            workspace=world.northwind,
            person=world.bo,
            name="Mine",
            search={},
            shared=False,
            now=datetime.now(UTC),
        )
        saved_views.change(row=SavedView.objects.get(), name=None, search=None, shared=True)
        saved_views.change(row=row, name="Ours", search=None, shared=None)
        found = SavedView.objects.get()
        assert (found.name, found.shared) == ("Ours", True)


class TestDeleted:
    @pytest.mark.parametrize("when", ["before it is live", "between the two halves", "behind it"])
    def test_what_is_published_while_somebody_deletes_it_is_not_live(
        self, world: World, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        row = world.workflow()

        def delete() -> None:
            services.delete(workflow=Workflow.objects.get(), now=datetime.now(UTC))

        def publish() -> int:
            return world.as_bo.post(f"{world.here}/workflows/{row.id}/publish", {"revision": 1}).status

        if when == "between the two halves":
            real = runtime_api.retire

            def retire(**named: Any) -> None:
                monkeypatch.setattr(runtime_api, "retire", real)
                real(**named)
                assert publish() == 201

            monkeypatch.setattr(runtime_api, "retire", retire)
            delete()
        else:
            live = runtime_api.publish

            def published(**named: Any) -> Any:
                if when == "before it is live":
                    delete()
                made = live(**named)
                if when == "behind it":
                    delete()
                return made

            monkeypatch.setattr(runtime_api, "publish", published)
            assert publish() == 404
        assert runtime_api.deployment(workspace_id=world.northwind.id, workflow_id=row.id) is None
        assert Workflow.objects.get().deleted_at is not None
