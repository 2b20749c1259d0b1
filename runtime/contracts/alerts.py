"""What crosses about alerts: rules, whom they tell, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

__all__ = [
    "ALERT_KINDS",
    "MOST_ALERT_CHANNELS",
    "MOST_ALERT_MINUTES",
    "MOST_ALERT_RULES",
    "AlertChannelDraft",
    "AlertChannelView",
    "AlertDays",
    "AlertEpisodeView",
    "AlertKind",
    "AlertMeasure",
    "AlertMessageView",
    "AlertPast",
    "AlertRuleDraft",
    "AlertRuleView",
    "Arrival",
    "QuietHours",
]

AlertKind: TypeAlias = Literal[
    "failure_rate",
    "failed_runs",
    "dead_letters",
    "stuck_runs",
    "p95",
    "queue_age",
    "no_workers",
    "connection_errors",
    "duplicate_rate",
    "arrival",
]
AlertDays: TypeAlias = Literal["working", "every", "mon_fri", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALERT_KINDS: Final[tuple[AlertKind, ...]] = get_args(AlertKind)
MOST_ALERT_RULES: Final = 200
MOST_ALERT_CHANNELS: Final = 50
#: The longest time that a rule looks back on.
MOST_ALERT_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Nothing is sent from `begin` until `end` (HH:MM), nor on Saturdays and Sundays where `weekends` is set. Equal
    times: no hours of a day are quiet."""

    begin: str
    end: str
    weekends: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """When something should have come: by `by` (HH:MM) of each day of `days`, counted from midnight. Working days are
    those of a country and region without its holidays, of a calendar of the workspace (`@key` in place of the country),
    or Monday to Friday; `free`: days off besides."""

    by: str
    days: AlertDays = "working"
    country: str = ""
    region: str = ""
    free: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRuleDraft:
    """A rule as people make it.

    `limit`: above which it alerts: per cent for rates, seconds for `p95` and `queue_age`, else a number. `minutes`: the
    time that is looked at; for stuck runs and workers how long it has been so. `least`: of fewer runs or deliveries
    rates and p95 say nothing. `workflow_id`, `connection_id`: of which; None: of all. `urgent`: also in quiet hours.
    `recovered`: tell when it is over, too.
    """

    kind: AlertKind
    channels: tuple[UUID, ...]
    workflow_id: UUID | None = None
    connection_id: UUID | None = None
    limit: float = 0
    minutes: int = 10
    least: int = 10
    arrival: Arrival | None = None
    time_zone: str = "UTC"
    urgent: bool = False
    recovered: bool = True
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AlertMeasure:
    """What a rule sees: the value in the unit of its limit, None where there is too little to say; `part` of `whole`
    where it is a share. `over`: it alerts. `muted`: so many more, of groups of dead letters that nobody is told of for
    now; they are in none of the others."""

    value: float | None
    over: bool
    part: int | None = None
    whole: int | None = None
    muted: int = 0


@dataclass(frozen=True, slots=True)
class AlertPast:
    """How often a rule would have begun to alert: `counts` by `days` (YYYY-MM-DD, its time zone), the oldest first."""

    days: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AlertRuleView:
    """A rule and how it stands. `since`: since when it alerts; None: it does not. `next_at`: when something is next
    expected."""

    id: UUID
    draft: AlertRuleDraft
    created_at: int
    created_by: UUID | None
    changed_at: int
    since: int | None
    measure: AlertMeasure
    next_at: int | None


@dataclass(frozen=True, slots=True)
class AlertMessageView:
    """A message to one address or connection. `status`: waiting, sent, failed, dropped (nobody is there any more)."""

    kind: str
    route: Literal["mail", "hook"]
    to: str
    status: str
    at: int
    due_at: int | None
    sent_at: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class AlertChannelDraft:
    """Whom rules tell: people by mail (tokens, as questions name them), and at most one chat or address, by its
    connection. `mail_id`: the connection of the mail server; None: the installation's. `language`: of what goes to the
    chat."""

    name: str
    people: tuple[str, ...] = ()
    mail_id: UUID | None = None
    hook_id: UUID | None = None
    language: str = "en"
    time_zone: str = "UTC"
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class AlertChannelView:
    """A channel. `rules`: how many tell it; `last`: its newest message that was tried; `waiting`: those to be sent."""

    id: UUID
    draft: AlertChannelDraft
    rules: int
    last: AlertMessageView | None
    waiting: int


@dataclass(frozen=True, slots=True)
class AlertEpisodeView:
    """An alert: from when it began until it was over. `ended_by`: recovered, again (it was expected once more and did
    not come either), changed, off, removed. `rule`: as it was."""

    id: UUID
    rule_id: UUID
    rule: AlertRuleDraft
    began_at: int
    ended_at: int | None
    ended_by: str | None
    measure: AlertMeasure
    messages: list[AlertMessageView] = field(default_factory=list)
