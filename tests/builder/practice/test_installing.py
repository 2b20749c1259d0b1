"""The first start installs the examples, each once, and later starts leave every workspace as its people want it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from builder.accounts import services
from builder.accounts.models import Workspace
from builder.config import firstrun
from builder.practice.example import EXAMPLES, ORDER_TO_CASH, install
from builder.workflows.models import Workflow
from tests.factories import make_person, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def practice_company(settings: Settings) -> None:
    settings.PRACTICE_COMPANY = True


def names() -> list[str]:
    return list(Workflow.objects.filter(deleted_at=None).order_by("-pk").values_list("name", flat=True))


def waiting() -> Workspace:
    found = services.waiting_workspace(now=datetime.now(UTC))
    assert found is not None
    return found[0]


def test_the_first_start_installs_every_example_once_however_often_it_is_cut_off() -> None:
    install(EXAMPLES[0], workspace=waiting(), by=None)
    for _start in range(2):
        welcome = firstrun.prepare()
        assert names() == [example.name for example in reversed(EXAMPLES)]
    assert welcome.curl is not None
    assert str(ORDER_TO_CASH.sample["number"]) in welcome.curl


def test_a_workspace_that_has_people_is_left_as_it_is() -> None:
    install(ORDER_TO_CASH, workspace=make_workspace("Northwind", make_person("Alice")), by=None)
    firstrun.prepare()
    assert names() == [ORDER_TO_CASH.name]


def test_without_the_practice_company_nothing_is_installed(settings: Settings) -> None:
    settings.PRACTICE_COMPANY = False
    assert firstrun.prepare().curl is None
    assert names() == []
