"""What deeds are done to: how each kind of thing is called, and how it stands, so that before and after can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from builder.accounts.models import Absence, ApiToken, Group, Invitation, Membership, User, Workspace
from builder.accounts.times import stamp
from builder.connections.models import Connection
from builder.workflows.models import SavedView, Workflow
from runtime import api as runtime_api
from runtime.contracts import RuntimeRefused


@dataclass(frozen=True, slots=True)
class Seen:
    """A thing as it stands. `state`: what changes of it are told by; never a secret."""

    name: str
    state: Mapping[str, Any] = field(default_factory=dict)


Look: TypeAlias = Callable[[UUID, UUID], Seen | None]


_NOWHERE: Final = UUID(int=0)
#: What belongs to no workspace, or is one.
_ANYWHERE: Final = frozenset({"workspace", "person"})


def look(kind: str, workspace_id: UUID | None, object_id: str) -> Seen | None:
    """The thing with this id, as it stands now; None where there is none."""
    found = LOOKS.get(kind)
    if found is None or not object_id or (workspace_id is None and kind not in _ANYWHERE):
        return None
    try:
        return found(workspace_id or _NOWHERE, UUID(object_id))
    except (ValueError, RuntimeRefused):
        return None


def differing(before: Seen | None, after: Seen | None) -> dict[str, Any]:
    """`before` and `after` of whatever differs; of what came or went all of it."""
    was, now = (dict(one.state) if one is not None else {} for one in (before, after))
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    found: dict[str, Any] = {}
    if before is not None:
        found["before"] = {name: was[name] for name in names if name in was}
    if after is not None:
        found["after"] = {name: now[name] for name in names if name in now}
    return found


def _workspace(_workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = Workspace.objects.filter(pk=object_id).first()
    if row is None:
        return None
    return Seen(
        row.name,
        {
            "name": row.name,
            "language": row.language,
            "time_zone": row.time_zone,
            "currency": row.currency,
            "sensitive_fields": list(row.sensitive_fields),
        },
    )


def _person(_workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = User.objects.filter(pk=object_id).first()
    if row is None:
        return None
    # Whether the password is another one is told by the generation of sessions, which it ends.
    state = {
        "name": row.name,
        "theme": row.theme,
        "language": row.language,
        "undo_seconds": row.undo_seconds,
        "start_page": row.start_page,
        "passwords_set": row.session_generation,
    }
    return Seen(row.name, state)


def _member(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = Membership.objects.select_related("user").filter(workspace_id=workspace_id, pk=object_id).first()
    if row is not None:
        return Seen(row.user.name, {"role": row.role, "active": row.active})
    offer = Invitation.objects.filter(workspace_id=workspace_id, pk=object_id, accepted_at=None).first()
    return None if offer is None else Seen(offer.email, {"role": offer.role, "invited": True})


def _absence(workspace_id: UUID, object_id: UUID) -> Seen | None:
    """Told by the membership, so that all of one person stands together. The note is nobody's to keep."""
    row = Membership.objects.select_related("user").filter(workspace_id=workspace_id, pk=object_id).first()
    if row is None:
        return None
    absence = Absence.objects.filter(member=row).select_related("stand_in__user").first()
    if absence is None:
        return Seen(row.user.name, {})
    state = {
        "first_day": absence.first_day.isoformat(),
        "last_day": None if absence.last_day is None else absence.last_day.isoformat(),
        "stand_in": None if absence.stand_in is None else absence.stand_in.user.name,
    }
    return Seen(row.user.name, state)


def _group(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = Group.objects.filter(workspace_id=workspace_id, pk=object_id).first()
    if row is None:
        return None
    members = row.members.order_by("user__email").values_list("user__email", flat=True)
    return Seen(row.name, {"name": row.name, "members": list(members)})


def _token(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = ApiToken.objects.select_related("owner").filter(workspace_id=workspace_id, pk=object_id).first()
    if row is None:
        return None
    state = {
        "scopes": list(row.scopes),
        "acts_as": row.owner.name,
        "expires_at": stamp(row.expires_at),
        "revoked": row.revoked_at is not None,
    }
    if row.replaced_by_id is not None:
        state["replaced_by"] = str(row.replaced_by_id)
    return Seen(row.name, state)


def _workflow(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = Workflow.objects.filter(workspace_id=workspace_id, pk=object_id, deleted_at=None).first()
    if row is None:
        return None
    state: dict[str, Any] = {"name": row.name, "description": row.description}
    live = runtime_api.deployment(workspace_id=workspace_id, workflow_id=object_id)
    if live is not None and live.version is not None:
        hold, breaker = live.hold, live.breaker
        state |= {
            "live_version": live.version.number,
            "enabled": live.enabled,
            "held": "no" if hold is None else hold.mode,
        }
        if breaker is not None:
            state["breaker"] = {
                "failures": breaker.failures, "percent": breaker.percent, "minutes": breaker.minutes,
            }  # fmt: skip
    return Seen(row.name, state)


def _connection(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = Connection.objects.filter(workspace_id=workspace_id, pk=object_id).first()
    if row is None:
        return None
    shown = runtime_api.redacted(dict(row.shown.get("open", {})))
    state = {"name": row.name, "kind": row.kind, "fields": shown, "secrets": sorted(row.shown.get("set", {}))}
    if row.environment:
        state["environment"] = row.environment
    if row.expires_on is not None:
        state["expires_on"] = row.expires_on.isoformat()
    if row.previous_until is not None:
        state["previous_secret_until"] = stamp(row.previous_until)
    return Seen(row.name, state)


def _run(workspace_id: UUID, object_id: UUID) -> Seen | None:
    view = runtime_api.run(workspace_id=workspace_id, run_id=object_id)
    name = Workflow.objects.filter(pk=view.workflow_id).values_list("name", flat=True).first() or ""
    key = f" · {view.business_key}" if view.business_key else ""
    return Seen(f"{name}{key}")


def _saved_view(workspace_id: UUID, object_id: UUID) -> Seen | None:
    row = SavedView.objects.filter(workspace_id=workspace_id, pk=object_id).first()
    return None if row is None else Seen(row.name, {"name": row.name, "search": row.search, "shared": row.shared})


def _task(workspace_id: UUID, object_id: UUID) -> Seen | None:
    return Seen(runtime_api.task(workspace_id=workspace_id, task_id=object_id).title)


def _file(workspace_id: UUID, object_id: UUID) -> Seen | None:
    view = runtime_api.file(workspace_id=workspace_id, file_id=object_id)
    return Seen(view.name, {"size": view.size, "sha256": view.sha256})


def _table(workspace_id: UUID, object_id: UUID) -> Seen | None:
    view = runtime_api.table(workspace_id=workspace_id, table_id=object_id)
    columns = [
        {"name": one.name, "type": one.type, "required": one.required, "key": one.key} for one in view.columns
    ]  # fmt: skip
    return Seen(view.name, {"name": view.name, "columns": columns})


def _letter_group(workspace_id: UUID, object_id: UUID) -> Seen | None:
    said = runtime_api.letter_group(workspace_id=workspace_id, cause=object_id.hex)
    until = "somebody says otherwise" if said.muted_until is None else stamp(said.muted_until)
    state = {"note": said.note, "ticket": said.ticket, "muted_until": until if said.muted else None}
    return Seen(said.title, state)


def _letter_sending(workspace_id: UUID, object_id: UUID) -> Seen | None:
    return Seen(runtime_api.sending(workspace_id=workspace_id, sending_id=object_id).title)


def _bulk_retry(workspace_id: UUID, object_id: UUID) -> Seen | None:
    return Seen(runtime_api.bulk_retry(workspace_id=workspace_id, bulk_id=object_id).title)


def _alert_rule(workspace_id: UUID, object_id: UUID) -> Seen | None:
    draft = runtime_api.alert_rule(workspace_id=workspace_id, rule_id=object_id).draft
    name = ""
    if draft.workflow_id is not None:
        rows = Workflow.objects.filter(workspace_id=workspace_id, pk=draft.workflow_id)
        name = rows.values_list("name", flat=True).first() or ""
    state = {
        **asdict(draft),
        "channels": [str(one) for one in draft.channels],
        "workflow_id": None if draft.workflow_id is None else str(draft.workflow_id),
        "connection_id": None if draft.connection_id is None else str(draft.connection_id),
        "arrival": None if draft.arrival is None else {**asdict(draft.arrival), "free": list(draft.arrival.free)},
    }
    return Seen(f"{draft.kind.replace('_', ' ')}{f' · {name}' if name else ''}", state)


def _alert_channel(workspace_id: UUID, object_id: UUID) -> Seen | None:
    draft = runtime_api.alert_channel(workspace_id=workspace_id, channel_id=object_id).draft
    state = {
        "name": draft.name,
        "people": list(draft.people),
        "mail": None if draft.mail_id is None else str(draft.mail_id),
        "hook": None if draft.hook_id is None else str(draft.hook_id),
        "language": draft.language,
        "quiet": None if draft.quiet is None else asdict(draft.quiet),
    }
    return Seen(draft.name, state)


def _legal_hold(workspace_id: UUID, object_id: UUID) -> Seen | None:
    view = runtime_api.legal_hold(workspace_id=workspace_id, hold_id=object_id)
    if view.workflow_id is None:
        return Seen(view.key or "")
    return Seen(Workflow.objects.filter(pk=view.workflow_id).values_list("name", flat=True).first() or "")


def _schedule(workspace_id: UUID, object_id: UUID) -> Seen | None:
    view = next(iter(runtime_api.schedules(workspace_id=workspace_id, schedule_id=object_id)), None)
    if view is None:
        return None
    name = Workflow.objects.filter(pk=view.workflow_id).values_list("name", flat=True).first() or ""
    return Seen(f"{name} · {view.node_key}")


def _calendar(workspace_id: UUID, object_id: UUID) -> Seen | None:
    draft = runtime_api.calendar(workspace_id=workspace_id, calendar_id=object_id).draft
    state = {**asdict(draft), "weekdays": list(draft.weekdays), "days": [asdict(one) for one in draft.days]}
    return Seen(draft.name, state)


LOOKS: Final[Mapping[str, Look]] = MappingProxyType(
    {
        "workspace": _workspace,
        "person": _person,
        "member": _member,
        "absence": _absence,
        "group": _group,
        "token": _token,
        "workflow": _workflow,
        "connection": _connection,
        "run": _run,
        "run_view": _saved_view,
        "audit_view": _saved_view,
        "task": _task,
        "file": _file,
        "table": _table,
        "bulk_retry": _bulk_retry,
        "letter_group": _letter_group,
        "letter_sending": _letter_sending,
        "alert_rule": _alert_rule,
        "alert_channel": _alert_channel,
        "legal_hold": _legal_hold,
        "schedule": _schedule,
        "calendar": _calendar,
    }
)
