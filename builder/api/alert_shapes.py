"""What the routes of alerts read and answer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from builder.api.operation import Body, View
from runtime.contracts.alerts import MOST_ALERT_MINUTES, AlertDays, AlertKind
from runtime.contracts.calendars import CALENDAR_PATTERN

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ChannelName = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
#: A date of one year, or of every year.
Day = Annotated[str, Field(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class ArrivalBody(Body):
    """By when something should have come, on which days. `country` and `region`: whose holidays are free, beside the
    days in `free`; in place of a country a calendar of the workspace (`@key`, `@default`). Without one working days are
    Monday to Friday."""

    by: Clock
    days: AlertDays = "working"
    country: Annotated[str, Field(pattern=CALENDAR_PATTERN)] = ""
    region: Annotated[str, Field(max_length=10)] = ""
    free: Annotated[list[Day], Field(max_length=60)] = []


class AlertRuleBody(Body):
    """A rule. `limit`: above which it alerts: per cent for rates, seconds for `p95` and `queue_age`, else a number.
    `minutes`: the time that is looked at; for stuck runs and workers how long it has been so. `least`: of fewer runs or
    deliveries rates and p95 say nothing. Of which workflow or connection; null: of all. `urgent`: also in quiet hours.
    `recovered`: tell when it is over, too. `time_zone`: of what is expected; null: the workspace's."""

    kind: AlertKind
    channels: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    workflow_id: UUID | None = None
    connection_id: UUID | None = None
    limit: Annotated[float, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)] = 0
    minutes: Annotated[int, Field(ge=1, le=MOST_ALERT_MINUTES)] = 10
    least: Annotated[int, Field(ge=1, le=100_000)] = 10
    arrival: ArrivalBody | None = None
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    urgent: bool = False
    recovered: bool = True
    enabled: bool = True


class QuietBody(Body):
    """Nothing is sent from `begin` until `end`, nor at weekends where that is set; it goes out together afterwards."""

    begin: Clock
    end: Clock
    weekends: bool = False


class AlertChannelBody(Body):
    """Whom rules tell. `people`: addresses, `group:` and an id, or `role:` and a role. `mail_id`: the mail server's
    connection; null: the installation's. `hook_id`: the connection of a chat. `language`: of what goes to the chat."""

    name: ChannelName
    people: Annotated[list[Annotated[str, Field(max_length=254)]], Field(max_length=50)] = []
    mail_id: UUID | None = None
    hook_id: UUID | None = None
    language: Annotated[str, Field(pattern=r"^(en|de)$")] = "en"
    quiet: QuietBody | None = None


class AlertMeasureShape(View):
    """How it stands: the value in the unit of the limit, null where there is too little to say. `part` of `whole`.
    `muted`: so many more, of groups of dead letters that nobody is told of for now."""

    value: float | None
    over: bool
    part: int | None
    whole: int | None
    muted: int


class ArrivalShape(View):
    """By when something should have come, on which days. `calendar`: the name of the workspace's calendar, where it is
    chosen in place of a country."""

    by: str
    days: AlertDays
    country: str
    calendar: str
    region: str
    free: list[str]


class AlertWhat(View):
    """What a rule watches. Names are null where the thing is gone, or none was chosen."""

    kind: AlertKind
    workflow_id: UUID | None
    workflow_name: str | None
    connection_id: UUID | None
    connection_name: str | None
    limit: float
    minutes: int
    least: int
    arrival: ArrivalShape | None
    time_zone: str


class AlertRuleShape(View):
    """A rule. `since`: since when it alerts; null: it does not. `next_at`: when something is next expected."""

    id: UUID
    what: AlertWhat
    channels: list[UUID]
    urgent: bool
    recovered: bool
    enabled: bool
    since: str | None
    measure: AlertMeasureShape
    next_at: str | None
    by: str | None
    changed_at: str


class AlertPastShape(View):
    """How often a rule would have begun to tell: `counts` by `days`, the oldest first, the last one today."""

    days: list[str]
    counts: list[int]


class AlertTriedShape(View):
    """How a rule would stand now. `next_at`: when something would next be expected. `past`: how often it would have
    told in the last seven days; null where no figures tell that."""

    measure: AlertMeasureShape
    next_at: str | None
    past: AlertPastShape | None


class AlertMessageShape(View):
    """A message. `kind`: alert, recovered, test. `route`: mail, hook. `status`: waiting, sent, failed, dropped."""

    kind: str
    route: str
    to: str
    status: str
    at: str
    due_at: str | None
    sent_at: str | None
    error: str | None


class QuietShape(View):
    """When nothing is sent."""

    begin: str
    end: str
    weekends: bool


class AlertPersonShape(View):
    """Whom a channel writes to, as it is kept and as people call it."""

    token: str
    label: str


class AlertChannelShape(View):
    """A channel. `rules`: how many tell it; `last`: its newest message that was tried; `waiting`: those to be sent."""

    id: UUID
    name: str
    people: list[AlertPersonShape]
    mail_id: UUID | None
    mail_name: str | None
    hook_id: UUID | None
    hook_name: str | None
    language: str
    time_zone: str
    quiet: QuietShape | None
    rules: int
    last: AlertMessageShape | None
    waiting: int


class AlertConnectionShape(View):
    """A connection that a channel can use: a mail server, or a chat."""

    id: UUID
    name: str
    kind: str


class AlertsShape(View):
    """Rules, whom they can tell, and what there is to choose from. `can_mail`: the installation has a mail server.
    `countries`: whose holidays are known, by ISO 3166 code."""

    now: str
    active: int
    rules: list[AlertRuleShape]
    channels: list[AlertChannelShape]
    connections: list[AlertConnectionShape]
    can_mail: bool
    countries: list[str]
    time_zone: str


class AlertEpisodeShape(View):
    """An alert, from when it began until it was over. `ended_by`: recovered, again, changed, off, removed; null: it
    goes on. `rule_id`: the rule, which may be another one by now, or gone."""

    id: UUID
    rule_id: UUID
    what: AlertWhat
    began_at: str
    ended_at: str | None
    ended_by: str | None
    measure: AlertMeasureShape
    messages: list[AlertMessageShape]


class TestSentShape(View):
    """To how many a test is under way; how it went stands in the channel's `last`."""

    messages: int
