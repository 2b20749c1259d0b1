"""What each role may do, in one table, and `can(...)`, the one function that reads it.

HTTP, the live socket and the public API all ask here. A token acts as the person who made it: it can do what that
person's role allows today, narrowed to its scopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from builder.accounts.models import ApiToken, Membership, Role, User


class Scope(StrEnum):
    """What a token can be narrowed to."""

    READ = "read"
    RUN = "run"
    BUILD = "build"
    ADMIN = "admin"


class Action(StrEnum):
    """Everything that needs a right within a workspace."""

    WORKSPACE_SEE = "workspace.see"
    WORKSPACE_EDIT = "workspace.edit"
    MEMBERS_MANAGE = "members.manage"
    TOKENS_MANAGE = "tokens.manage"
    WORKFLOW_SEE = "workflow.see"
    WORKFLOW_EDIT = "workflow.edit"
    WORKFLOW_TEST = "workflow.test"
    WORKFLOW_PUBLISH = "workflow.publish"
    WORKFLOW_HOLD = "workflow.hold"
    RUN_SEE = "run.see"
    RUN_REVEAL = "run.reveal"
    RUN_VIEW_SAVE = "run.view_save"
    RUN_VIEW_SHARE = "run.view_share"
    RUN_TAG = "run.tag"
    RUN_START = "run.start"
    RUN_CANCEL = "run.cancel"
    RUN_PAUSE = "run.pause"
    RUN_RETRY = "run.retry"
    RUN_UNDO = "run.undo"
    TASK_SEE = "task.see"
    PEOPLE_SEE = "people.see"
    TASK_DECIDE = "task.decide"
    ABSENCE_SAY = "absence.say"
    RUN_DISCARD = "run.discard"
    RUN_SIGNAL = "run.signal"
    SCHEDULE_CHANGE = "schedule.change"
    MONITOR_SEE = "monitor.see"
    ALERTS_EDIT = "alerts.edit"
    EVENT_SEE = "event.see"
    EVENT_SEND = "event.send"
    FILE_SEE = "file.see"
    FILE_ADD = "file.add"
    FILE_REMOVE = "file.remove"
    TABLE_SEE = "table.see"
    TABLE_FILL = "table.fill"
    TABLE_EDIT = "table.edit"
    CONNECTION_USE = "connection.use"
    CONNECTION_CREATE = "connection.create"
    CONNECTION_MANAGE = "connection.manage"
    AUDIT_SEE = "audit.see"
    RETENTION_MANAGE = "retention.manage"


@dataclass(frozen=True, slots=True)
class Rule:
    """The least role that may do it, and the scope a token needs for it."""

    least: Role
    scope: Scope


RULES: Final = MappingProxyType(
    {
        Action.WORKSPACE_SEE: Rule(Role.VIEWER, Scope.READ),
        Action.WORKSPACE_EDIT: Rule(Role.ADMIN, Scope.ADMIN),
        Action.MEMBERS_MANAGE: Rule(Role.ADMIN, Scope.ADMIN),
        Action.TOKENS_MANAGE: Rule(Role.ADMIN, Scope.ADMIN),
        Action.WORKFLOW_SEE: Rule(Role.VIEWER, Scope.READ),
        Action.WORKFLOW_EDIT: Rule(Role.BUILDER, Scope.BUILD),
        Action.WORKFLOW_TEST: Rule(Role.BUILDER, Scope.BUILD),
        Action.WORKFLOW_PUBLISH: Rule(Role.BUILDER, Scope.BUILD),
        Action.WORKFLOW_HOLD: Rule(Role.BUILDER, Scope.BUILD),
        Action.RUN_SEE: Rule(Role.VIEWER, Scope.READ),
        # To ask for one sensitive value, which goes on record.
        Action.RUN_REVEAL: Rule(Role.REVIEWER, Scope.RUN),
        # What one looks at oneself, and what everybody is offered.
        Action.RUN_VIEW_SAVE: Rule(Role.VIEWER, Scope.RUN),
        Action.RUN_VIEW_SHARE: Rule(Role.REVIEWER, Scope.RUN),
        # A word on a run everybody sees; it changes nothing about what the run does.
        Action.RUN_TAG: Rule(Role.REVIEWER, Scope.RUN),
        Action.RUN_START: Rule(Role.REVIEWER, Scope.RUN),
        Action.RUN_CANCEL: Rule(Role.REVIEWER, Scope.RUN),
        Action.RUN_PAUSE: Rule(Role.REVIEWER, Scope.RUN),
        Action.RUN_RETRY: Rule(Role.REVIEWER, Scope.RUN),
        Action.RUN_UNDO: Rule(Role.REVIEWER, Scope.RUN),
        Action.TASK_SEE: Rule(Role.VIEWER, Scope.READ),
        # Names and addresses of colleagues, to ask them and to hand things over to them; nothing else about them.
        Action.PEOPLE_SEE: Rule(Role.VIEWER, Scope.READ),
        # Whoever is asked may answer, whatever else they may not.
        Action.TASK_DECIDE: Rule(Role.VIEWER, Scope.RUN),
        # That one is away oneself; who manages members says so of others.
        Action.ABSENCE_SAY: Rule(Role.VIEWER, Scope.RUN),
        Action.RUN_DISCARD: Rule(Role.ADMIN, Scope.ADMIN),
        # To have the link of a waiting step, and to let it go on without.
        Action.RUN_SIGNAL: Rule(Role.REVIEWER, Scope.RUN),
        # To leave starts out, move them, pause a schedule: as to pause a workflow.
        Action.SCHEDULE_CHANGE: Rule(Role.BUILDER, Scope.BUILD),
        # Figures of everything, and which processes of the installation live.
        Action.MONITOR_SEE: Rule(Role.ADMIN, Scope.READ),
        # Who is told of what goes wrong, and where that is sent.
        Action.ALERTS_EDIT: Rule(Role.ADMIN, Scope.ADMIN),
        Action.EVENT_SEE: Rule(Role.VIEWER, Scope.READ),
        Action.EVENT_SEND: Rule(Role.REVIEWER, Scope.RUN),
        Action.FILE_SEE: Rule(Role.VIEWER, Scope.READ),
        Action.FILE_ADD: Rule(Role.REVIEWER, Scope.RUN),
        # What is gone is gone for every run that names it.
        Action.FILE_REMOVE: Rule(Role.BUILDER, Scope.BUILD),
        Action.TABLE_SEE: Rule(Role.VIEWER, Scope.READ),
        # Rows are business data; what a table is, workflows count on.
        Action.TABLE_FILL: Rule(Role.REVIEWER, Scope.RUN),
        Action.TABLE_EDIT: Rule(Role.BUILDER, Scope.BUILD),
        Action.CONNECTION_USE: Rule(Role.BUILDER, Scope.BUILD),
        Action.CONNECTION_CREATE: Rule(Role.BUILDER, Scope.BUILD),
        # A builder manages their own connections; see `builder.connections.services.may_manage`.
        Action.CONNECTION_MANAGE: Rule(Role.BUILDER, Scope.BUILD),
        # Who did what, from where. What was done to one thing everybody sees who sees the thing.
        Action.AUDIT_SEE: Rule(Role.ADMIN, Scope.ADMIN),
        # What is removed is gone for everybody.
        Action.RETENTION_MANAGE: Rule(Role.ADMIN, Scope.ADMIN),
    }
)

_RANK: Final = MappingProxyType({Role.VIEWER: 0, Role.REVIEWER: 1, Role.BUILDER: 2, Role.ADMIN: 3})


def role_of(actor: User | ApiToken, workspace_id: UUID) -> Role | None:
    """The actor's role in this workspace today; None for strangers, for the deactivated and for dead tokens."""
    if isinstance(actor, ApiToken):
        if actor.workspace_id != workspace_id:
            return None
        user_id, active = actor.owner_id, actor.owner.is_active
    else:
        user_id, active = actor.id, actor.is_active
    if not active:
        return None
    role = (
        Membership.objects.filter(user_id=user_id, workspace_id=workspace_id, active=True)
        .values_list("role", flat=True)
        .first()
    )
    return Role(role) if role is not None else None


def allows(role: Role | None, action: Action, actor: User | ApiToken) -> bool:
    """Whether this role, and this token's scopes, cover the action."""
    if role is None:
        return False
    rule = RULES[action]
    if isinstance(actor, ApiToken) and rule.scope not in actor.scopes:
        return False
    return _RANK[role] >= _RANK[rule.least]


def can(actor: User | ApiToken | None, action: Action, workspace_id: UUID) -> bool:
    """Whether the actor may do this in this workspace. Nobody may do anything unless the table says so."""
    return actor is not None and allows(role_of(actor, workspace_id), action, actor)
