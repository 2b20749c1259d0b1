"""The first start: a link that claims the instance, and examples that run before anybody has signed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings

from builder.accounts import services
from builder.api import curl
from builder.workflows.models import Workflow
from runtime import api as runtime_api
from runtime.contracts import dumps

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What to print: the first-run link while nobody has used it, and a line that fires the example."""

    setup_link: str | None
    curl: str | None


def prepare() -> Welcome:
    """Make what the first start needs; does nothing on later ones but look."""
    now = datetime.now(UTC)
    waiting = services.waiting_workspace(now=now)
    if waiting is not None and settings.PRACTICE_COMPANY:
        from builder.practice import example

        workspace, _made = waiting
        # Killed half-way the first time, none must be missing or be there twice.
        there = set(Workflow.objects.filter(workspace=workspace, deleted_at=None).values_list("name", flat=True))
        for one in example.EXAMPLES:
            if one.name not in there:
                example.install(one, workspace=workspace, by=None)
    token = services.open_setup(now=now)
    return Welcome(
        setup_link=f"{settings.PUBLIC_URL}/setup#token={token}" if token else None,
        curl=example_line() if settings.PRACTICE_COMPANY else None,
    )


def example_line() -> str | None:
    """The curl line that fires the first example's webhook; None where the example is gone or off."""
    from builder.practice.example import ORDER_TO_CASH

    row = Workflow.objects.filter(name=ORDER_TO_CASH.name, deleted_at=None).order_by("pk").first()
    if row is None:
        return None
    for trigger in runtime_api.triggers(workspace_id=row.workspace_id, workflow_id=row.id):
        if trigger.path is not None and trigger.enabled:
            url = f"{settings.PUBLIC_URL}/{trigger.path.lstrip('/')}"
            return curl.line(url, trigger.config, dumps(ORDER_TO_CASH.sample))
    return None
