"""The history of one thing: who did what to it, from the rows of the audit log, for whoever may see the thing."""

from __future__ import annotations

from uuid import UUID

from builder.accounts.rights import Action
from builder.api.audit import HistoryRow, cut, told
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Call, operation
from builder.api.problems import Refusal
from builder.api.shapes import Paged
from builder.api.workflows import find
from builder.audit.reading import Filters
from builder.connections import services as connections


class HistoryOfWorkflow(ApiView):
    @operation(Action.WORKFLOW_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, workflow_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who did what to this workflow, newest first."""
        return _history(call, "workflow", find(call, workflow_id).id, query)


class HistoryOfConnection(ApiView):
    @operation(Action.CONNECTION_USE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, connection_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who did what to this connection, newest first."""
        if connections.find(workspace_id=call.workspace.id, connection_id=connection_id) is None:
            raise Refusal(404, "not_found", "There is no such connection here.")
        return _history(call, "connection", connection_id, query)


class HistoryOfRun(ApiView):
    @operation(Action.RUN_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, run_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """What people did to this run, newest first; empty for a run that is not here."""
        return _history(call, "run", run_id, query)


class HistoryOfTable(ApiView):
    @operation(Action.TABLE_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, table_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """What people did to this table, newest first; empty for a table that is not here."""
        return _history(call, "table", table_id, query)


class HistoryOfMember(ApiView):
    @operation(Action.MEMBERS_MANAGE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, member_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """What was done to this member's role and access, newest first; empty for one who is not here."""
        return _history(call, "member", member_id, query)


class HistoryOfGroup(ApiView):
    @operation(Action.MEMBERS_MANAGE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, group_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who made this group of members and changed it, newest first; empty for one that is not here."""
        return _history(call, "group", group_id, query)


class HistoryOfToken(ApiView):
    @operation(Action.TOKENS_MANAGE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, token_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who made, replaced or revoked this API token, newest first; empty for one that is not here."""
        return _history(call, "token", token_id, query)


class HistoryOfSchedule(ApiView):
    @operation(Action.WORKFLOW_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, schedule_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who paused this schedule, left starts out or moved them, newest first; empty for one that is not here. What
        it is itself changes with its workflow."""
        return _history(call, "schedule", schedule_id, query)


class HistoryOfCalendar(ApiView):
    @operation(Action.WORKSPACE_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, calendar_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who made this calendar and changed it, newest first; empty for one that is not here."""
        return _history(call, "calendar", calendar_id, query)


class HistoryOfAlertRule(ApiView):
    @operation(Action.MONITOR_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, rule_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who made this rule and changed it, newest first; empty for one that is not here. When it alerted stands in
        the history of alerts."""
        return _history(call, "alert_rule", rule_id, query)


class HistoryOfAlertChannel(ApiView):
    @operation(Action.MONITOR_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, channel_id: UUID, query: PageQuery) -> Paged[HistoryRow]:
        """Who made this channel, changed and tried it, newest first; empty for one that is not here."""
        return _history(call, "alert_channel", channel_id, query)


class HistoryOfLetterGroup(ApiView):
    @operation(Action.RUN_SEE, query=PageQuery, answer=Paged[HistoryRow])
    def get(self, call: Call, *, cause: str, query: PageQuery) -> Paged[HistoryRow]:
        """Who noted something on dead letters of this cause, muted and unmuted them, newest first; empty for a cause
        that is not here. What was done to a run of it stands in that run's history."""
        if not cause.isalnum():
            return Paged[HistoryRow](items=[], next_cursor=None)
        return _history(call, "letter_group", cause, query)


def _history(call: Call, kind: str, object_id: UUID | str, query: PageQuery) -> Paged[HistoryRow]:
    filters = Filters(object_kind=kind, object_id=str(object_id))
    rows, following = cut(str(call.workspace.id), filters, query)
    return Paged[HistoryRow](items=[HistoryRow(**told(row)) for row in rows], next_cursor=following)
