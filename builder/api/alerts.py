"""Alerts: who is told of what, how rules stand, and what came of them. For admins."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from builder.accounts.directory import Directory, labels
from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, stamp
from builder.api import cursors
from builder.api.alert_shapes import (
    AlertChannelBody,
    AlertChannelShape,
    AlertConnectionShape,
    AlertEpisodeShape,
    AlertMeasureShape,
    AlertMessageShape,
    AlertPastShape,
    AlertPersonShape,
    AlertRuleBody,
    AlertRuleShape,
    AlertsShape,
    AlertTriedShape,
    AlertWhat,
    ArrivalShape,
    QuietShape,
    TestSentShape,
)
from builder.api.cursors import PageQuery
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Call, operation
from builder.api.problems import invalid
from builder.api.shapes import Paged
from builder.connections.models import Connection
from builder.workflows.models import Workflow
from runtime import api as runtime_api
from runtime.contracts.alerts import (
    AlertChannelDraft,
    AlertChannelView,
    AlertMeasure,
    AlertMessageView,
    AlertRuleDraft,
    AlertRuleView,
    Arrival,
    QuietHours,
)
from runtime.ports import PORTS, PeopleUnknown

_MAIL, _HOOK = "smtp", "alert_hook"


class Alerts(ApiView):
    @operation(Action.MONITOR_SEE, answer=AlertsShape)
    def get(self, call: Call) -> AlertsShape:
        """The rules and how they stand now, whom they can tell, and what can be chosen."""
        here = call.workspace
        rules = runtime_api.alert_rules(workspace_id=here.id)
        channels = runtime_api.alert_channels(workspace_id=here.id)
        rows = Connection.objects.filter(workspace=here, kind__in=(_MAIL, _HOOK)).order_by("name")
        return AlertsShape(
            now=stamp(call.now),
            active=sum(one.since is not None for one in rules),
            rules=_rules(call, rules),
            channels=_channels(call, channels),
            connections=[AlertConnectionShape(id=one.id, name=one.name, kind=one.kind) for one in rows],
            can_mail=PORTS.post is not None,
            countries=runtime_api.alert_countries(),
            time_zone=here.time_zone,
        )


class AlertHistory(ApiView):
    @operation(Action.MONITOR_SEE, query=PageQuery, answer=Paged[AlertEpisodeShape])
    def get(self, call: Call, *, query: PageQuery) -> Paged[AlertEpisodeShape]:
        """Alerts, the newest first, with who was told. They are kept for 400 days."""
        found = runtime_api.alert_episodes(
            workspace_id=call.workspace.id, after=cursors.to_id(query.cursor), most=query.limit + 1
        )
        rows, next_cursor = cursors.page_of(found, query.limit)
        names = _Names(call, [one.rule for one in rows])
        hooks = {UUID(hex=message.to) for one in rows for message in one.messages if message.route == "hook"}
        called = dict(Connection.objects.filter(workspace=call.workspace, pk__in=hooks).values_list("id", "name"))
        return Paged[AlertEpisodeShape](
            items=[
                AlertEpisodeShape(
                    id=one.id,
                    rule_id=one.rule_id,
                    what=names.what(one.rule),
                    began_at=stamp(one.began_at),
                    ended_at=maybe(one.ended_at),
                    ended_by=one.ended_by,
                    measure=_measure(one.measure),
                    messages=[_message(message, called) for message in one.messages],
                )
                for one in rows
            ],
            next_cursor=next_cursor,
        )


class AlertRules(ApiView):
    @operation(
        Action.ALERTS_EDIT,
        body=AlertRuleBody,
        answer=AlertRuleShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="alert_rule.created",
    )
    def post(self, call: Call, *, body: AlertRuleBody) -> AlertRuleShape:
        """Watch something, and tell when it happens."""
        draft = _checked(call, body)
        made = runtime_api.add_alert_rule(workspace_id=call.workspace.id, draft=draft, by=call.person.id)
        return _rules(call, [runtime_api.alert_rule(workspace_id=call.workspace.id, rule_id=made)])[0]


class TryAlertRule(ApiView):
    @operation(Action.ALERTS_EDIT, body=AlertRuleBody, answer=AlertTriedShape, does=NOTHING)
    def post(self, call: Call, *, body: AlertRuleBody) -> AlertTriedShape:
        """How such a rule would stand now, and how often it would have told lately; nothing is made of it."""
        draft = _checked(call, body)
        found = runtime_api.try_alert_rule(workspace_id=call.workspace.id, draft=draft)
        past = runtime_api.alert_past(workspace_id=call.workspace.id, draft=draft)
        return AlertTriedShape(
            measure=_measure(found.measure),
            next_at=maybe(found.next_at),
            past=None if past is None else AlertPastShape(days=list(past.days), counts=list(past.counts)),
        )


class OneAlertRule(ApiView):
    @operation(
        Action.ALERTS_EDIT, body=AlertRuleBody, answer=AlertRuleShape, repeat="stored_apart", does="alert_rule.changed"
    )
    def put(self, call: Call, *, rule_id: UUID, body: AlertRuleBody) -> AlertRuleShape:
        """Watch this instead. An alert of the rule as it was is over."""
        runtime_api.alert_rule(workspace_id=call.workspace.id, rule_id=rule_id)
        draft = _checked(call, body)
        runtime_api.change_alert_rule(workspace_id=call.workspace.id, rule_id=rule_id, draft=draft)
        return _rules(call, [runtime_api.alert_rule(workspace_id=call.workspace.id, rule_id=rule_id)])[0]

    @operation(Action.ALERTS_EDIT, status=204, repeat="stored_apart", does="alert_rule.removed")
    def delete(self, call: Call, *, rule_id: UUID) -> None:
        """Watch it no more. What came of it stays in the history."""
        runtime_api.remove_alert_rule(workspace_id=call.workspace.id, rule_id=rule_id)


class AlertChannels(ApiView):
    @operation(
        Action.ALERTS_EDIT,
        body=AlertChannelBody,
        answer=AlertChannelShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="alert_channel.created",
    )
    def post(self, call: Call, *, body: AlertChannelBody) -> AlertChannelShape:
        """Make a channel: people, a chat, or both."""
        made = runtime_api.add_alert_channel(workspace_id=call.workspace.id, draft=_channel_draft(call, body))
        return _channels(call, [runtime_api.alert_channel(workspace_id=call.workspace.id, channel_id=made)])[0]


class OneAlertChannel(ApiView):
    @operation(
        Action.ALERTS_EDIT,
        body=AlertChannelBody,
        answer=AlertChannelShape,
        also=(409,),
        repeat="stored_apart",
        does="alert_channel.changed",
    )
    def put(self, call: Call, *, channel_id: UUID, body: AlertChannelBody) -> AlertChannelShape:
        """Tell these from now on."""
        here = call.workspace.id
        runtime_api.alert_channel(workspace_id=here, channel_id=channel_id)
        runtime_api.change_alert_channel(workspace_id=here, channel_id=channel_id, draft=_channel_draft(call, body))
        return _channels(call, [runtime_api.alert_channel(workspace_id=here, channel_id=channel_id)])[0]

    @operation(Action.ALERTS_EDIT, status=204, also=(409,), repeat="stored_apart", does="alert_channel.removed")
    def delete(self, call: Call, *, channel_id: UUID) -> None:
        """Take it away; refused where a rule tells nobody else."""
        runtime_api.remove_alert_channel(workspace_id=call.workspace.id, channel_id=channel_id)


class TestAlertChannel(ApiView):
    @operation(Action.ALERTS_EDIT, answer=TestSentShape, repeat="stored_apart", does="alert_channel.tested")
    def post(self, call: Call, *, channel_id: UUID) -> TestSentShape:
        """Send everybody of this channel a test."""
        sent = runtime_api.try_alert_channel(workspace_id=call.workspace.id, channel_id=channel_id)
        return TestSentShape(messages=sent)


# --- what comes in ----------------------------------------------------------------------------------------------------


def _checked(call: Call, body: AlertRuleBody) -> AlertRuleDraft:
    arrival = body.arrival if body.kind == "arrival" else None
    draft = AlertRuleDraft(
        kind=body.kind,
        channels=tuple(dict.fromkeys(body.channels)),
        workflow_id=body.workflow_id,
        connection_id=body.connection_id,
        limit=body.limit,
        minutes=body.minutes,
        least=body.least,
        arrival=None
        if arrival is None
        else Arrival(arrival.by, arrival.days, arrival.country, arrival.region, tuple(arrival.free)),
        time_zone=body.time_zone or call.workspace.time_zone,
        urgent=body.urgent,
        recovered=body.recovered,
        enabled=body.enabled,
    )
    wrong = runtime_api.alert_problems(call.workspace.id, draft)
    if draft.workflow_id is not None:
        here = Workflow.objects.filter(workspace=call.workspace, pk=draft.workflow_id, deleted_at=None)
        if not here.exists():
            wrong.setdefault("workflow_id", ["There is no such workflow here."])
    if draft.connection_id is not None and not _is_here(call, draft.connection_id):
        wrong.setdefault("connection_id", ["There is no such connection here."])
    known = {one.id for one in runtime_api.alert_channels(workspace_id=call.workspace.id)}
    if not known.issuperset(draft.channels):
        wrong["channels"] = ["One of these channels is not here any more."]
    if wrong:
        raise invalid(wrong)
    return draft


def _channel_draft(call: Call, body: AlertChannelBody) -> AlertChannelDraft:
    wrong: dict[str, list[str]] = {}
    people: tuple[str, ...] = ()
    try:
        found = Directory().find(workspace_id=call.workspace.id, names=body.people) if body.people else ()
        people = tuple(one.token for one in found)
    except PeopleUnknown as error:
        wrong["people"] = [f"Nobody here is called {', '.join(error.names)}."]
    for name, kind, chosen in (("mail_id", _MAIL, body.mail_id), ("hook_id", _HOOK, body.hook_id)):
        if chosen is not None and not _is_here(call, chosen, kind=kind):
            wrong[name] = ["There is no such connection here."]
    if people and body.mail_id is None and PORTS.post is None:
        wrong["mail_id"] = ["This installation has no mail server. Choose one of the connections."]
    if not body.people and body.hook_id is None:
        wrong["people"] = ["Choose somebody, or a chat."]
    if wrong:
        raise invalid(wrong)
    quiet = None if body.quiet is None else QuietHours(body.quiet.begin, body.quiet.end, body.quiet.weekends)
    return AlertChannelDraft(
        name=body.name.strip(),
        people=people,
        mail_id=body.mail_id,
        hook_id=body.hook_id,
        language=body.language,
        time_zone=call.workspace.time_zone,
        quiet=quiet,
    )


def _is_here(call: Call, connection_id: UUID, **more: str) -> bool:
    return Connection.objects.filter(workspace=call.workspace, pk=connection_id, **more).exists()


# --- what goes out ----------------------------------------------------------------------------------------------------


class _Names:
    """What the things that rules are about are called."""

    def __init__(self, call: Call, rules: Iterable[AlertRuleDraft]) -> None:
        rules = list(rules)
        workflows = {one.workflow_id for one in rules if one.workflow_id is not None}
        rows = Workflow.objects.filter(workspace=call.workspace, pk__in=workflows, deleted_at=None)
        self._workflows = dict(rows.values_list("id", "name"))
        chosen = {one.connection_id for one in rules if one.connection_id is not None}
        connections = Connection.objects.filter(workspace=call.workspace, pk__in=chosen)
        self._connections = dict(connections.values_list("id", "name"))
        self._calendars = {}
        if any(one.arrival is not None and one.arrival.country.startswith("@") for one in rules):
            for view in runtime_api.calendars(workspace_id=call.workspace.id):
                self._calendars.update(dict.fromkeys(runtime_api.calendar_names(view), view.draft.name))

    def what(self, rule: AlertRuleDraft) -> AlertWhat:
        arrival = rule.arrival
        return AlertWhat(
            kind=rule.kind,
            workflow_id=rule.workflow_id,
            workflow_name=None if rule.workflow_id is None else self._workflows.get(rule.workflow_id),
            connection_id=rule.connection_id,
            connection_name=None if rule.connection_id is None else self._connections.get(rule.connection_id),
            limit=rule.limit,
            minutes=rule.minutes,
            least=rule.least,
            arrival=None
            if arrival is None
            else ArrivalShape(
                by=arrival.by,
                days=arrival.days,
                country=arrival.country,
                calendar=self._calendars.get(arrival.country, ""),
                region=arrival.region,
                free=list(arrival.free),
            ),
            time_zone=rule.time_zone,
        )


def _rules(call: Call, rules: list[AlertRuleView]) -> list[AlertRuleShape]:
    names = _Names(call, [one.draft for one in rules])
    people = names_of({one.created_by for one in rules if one.created_by is not None})
    return [
        AlertRuleShape(
            id=one.id,
            what=names.what(one.draft),
            channels=list(one.draft.channels),
            urgent=one.draft.urgent,
            recovered=one.draft.recovered,
            enabled=one.draft.enabled,
            since=maybe(one.since),
            measure=_measure(one.measure),
            next_at=maybe(one.next_at),
            by=None if one.created_by is None else people.get(one.created_by),
            changed_at=stamp(one.changed_at),
        )
        for one in rules
    ]


def _channels(call: Call, channels: list[AlertChannelView]) -> list[AlertChannelShape]:
    tokens = {token for one in channels for token in one.draft.people}
    called = labels(workspace_id=call.workspace.id, tokens=tokens)
    used = (chosen for one in channels for chosen in (one.draft.mail_id, one.draft.hook_id))
    rows = Connection.objects.filter(workspace=call.workspace, pk__in={one for one in used if one is not None})
    names = dict(rows.values_list("id", "name"))
    found = []
    for one in channels:
        draft = one.draft
        found.append(
            AlertChannelShape(
                id=one.id,
                name=draft.name,
                people=[AlertPersonShape(token=token, label=called[token]) for token in draft.people],
                mail_id=draft.mail_id,
                mail_name=None if draft.mail_id is None else names.get(draft.mail_id),
                hook_id=draft.hook_id,
                hook_name=None if draft.hook_id is None else names.get(draft.hook_id),
                language=draft.language,
                time_zone=draft.time_zone,
                quiet=None
                if draft.quiet is None
                else QuietShape(begin=draft.quiet.begin, end=draft.quiet.end, weekends=draft.quiet.weekends),
                rules=one.rules,
                last=None if one.last is None else _message(one.last, names),
                waiting=one.waiting,
            )
        )
    return found


def _measure(found: AlertMeasure) -> AlertMeasureShape:
    return AlertMeasureShape(value=found.value, over=found.over, part=found.part, whole=found.whole, muted=found.muted)


def _message(found: AlertMessageView, connections: dict[UUID, str]) -> AlertMessageShape:
    to = found.to if found.route == "mail" else connections.get(UUID(hex=found.to), "")
    return AlertMessageShape(
        kind=found.kind,
        route=found.route,
        to=to,
        status=found.status,
        at=stamp(found.at),
        due_at=maybe(found.due_at),
        sent_at=maybe(found.sent_at),
        error=found.error,
    )
