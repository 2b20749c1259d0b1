"""Everything that people do and that goes on record, in one table: each route names its deed in `@operation(does=…)`.

A deed that changes something is written in the transaction that makes the change, or not at all (`recorded.py`). Where
the runtime makes it, `at` names the commit point at which it becomes durable; elsewhere the whole view is one
transaction, unless it says `INSIDE` and marks the place itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["DEEDS", "INSIDE", "NOTHING", "Deed"]

#: In `at`: the view marks its transaction with `call.deed.together()`.
INSIDE: Final = "inside"
#: Said by a route that is no GET and changes nothing: it checks, plans, or draws a preview. And by the one that marks
#: what somebody has seen, for their own eyes: a log of who read what, and when, would be kept of people for nobody.
NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Deed:
    """How a deed is put on record.

    kind      what it is done to: a key of `subjects.LOOKS`
    path      the parameter of the path that names it; without one the view says `call.deed.about(...)`, or the change
    at        the commit points of the runtime at which the change is durable
    says      what of the body or the query is put on record as it was said
    digests   what of it is put on record by its digest alone: business data, and what may be secret
    compares  what differs before and after is put on record
    ends      afterwards there is no such thing any more
    each      one row for each of several changes, of which there may be none
    perhaps   there may be nothing to change
    """

    kind: str
    path: str = ""
    at: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    compares: bool = False
    ends: bool = False
    each: bool = False
    perhaps: bool = False


def _run(*at: str, says: tuple[str, ...] = (), digests: tuple[str, ...] = (), perhaps: bool = False) -> Deed:
    return Deed("run", "run_id", at, says, digests, perhaps=perhaps)


def _task(*at: str, says: tuple[str, ...] = (), digests: tuple[str, ...] = ()) -> Deed:
    return Deed("task", "task_id", at, says, digests)


def _batch(*at: str, says: tuple[str, ...] = (), each: bool = False, perhaps: bool = False) -> Deed:
    return Deed("run", "run_id", at, ("node_id", *says), each=each, perhaps=perhaps)


def _flow(*at: str, says: tuple[str, ...] = (), ends: bool = False, compares: bool = True) -> Deed:
    return Deed("workflow", "workflow_id", at, says, compares=compares, ends=ends)


def _schedule(*says: str) -> Deed:
    return Deed("schedule", "schedule_id", ("schedule.change",), says)


DEEDS: Final[Mapping[str, Deed]] = MappingProxyType(
    {
        # People and their way in
        "session.signed_in": Deed("person", at=(INSIDE,)),
        "session.refused": Deed("person", at=(INSIDE,)),
        "session.throttled": Deed("person", at=(INSIDE,)),
        "session.signed_out": Deed("person", at=(INSIDE,), perhaps=True),
        "installation.set_up": Deed("workspace", at=(INSIDE,)),
        "workspace.created": Deed("workspace", compares=True),
        "workspace.changed": Deed("workspace", "workspace_id", compares=True),
        "profile.changed": Deed("person", at=(INSIDE,), compares=True, perhaps=True),
        "profile.columns_chosen": Deed("person", says=("columns",)),
        "factor.turned_on": Deed("person", at=(INSIDE,)),
        "factor.turned_off": Deed("person", at=(INSIDE,)),
        "factor.codes_made": Deed("person", at=(INSIDE,)),
        "member.factor_removed": Deed("member", "member_id"),
        "profile.run_view_chosen": Deed("person", says=("view",)),
        "member.invited": Deed("member", says=("role",)),
        "member.joined": Deed("member", at=(INSIDE,)),
        "member.changed": Deed("member", "member_id", compares=True),
        "member.handed_over": Deed("member", "member_id", at=(INSIDE,), says=("to", "reason"), perhaps=True),
        "member.removed": Deed("member", "member_id", compares=True, ends=True),
        "person.erased": Deed("member", "member_id", at=(INSIDE,), says=("reason",)),
        "absence.said": Deed("absence", compares=True),
        "absence.changed": Deed("absence", compares=True),
        "absence.ended": Deed("absence", compares=True),
        "group.created": Deed("group", compares=True),
        "group.changed": Deed("group", "group_id", compares=True),
        "group.removed": Deed("group", "group_id", compares=True, ends=True),
        "token.created": Deed("token", compares=True),
        "token.rotated": Deed("token", "token_id", says=("overlap_hours",), compares=True),
        "token.revoked": Deed("token", "token_id", compares=True),
        # Workflows
        "workflow.created": Deed("workflow", at=(INSIDE,), says=("from_example",), digests=("graph",)),
        "workflow.renamed": _flow(),
        "workflow.deleted": _flow("deployment.change", ends=True),
        "workflow.edited": Deed("workflow", "workflow_id", at=(INSIDE,)),
        "workflow.restored": Deed("workflow", "workflow_id", says=("number",)),
        "workflow.published": _flow("version.publish", says=("revision", "note")),
        "workflow.enabled": _flow("deployment.change"),
        "workflow.disabled": _flow("deployment.change"),
        "workflow.held": _flow("hold.begin", says=("reason", "open_runs")),
        "workflow.let_go": _flow("hold.change", says=("per_minute", "at_once", "trial", "version")),
        "workflow.breaker_changed": _flow("deployment.change"),
        "workflow.past_times_started": _flow(
            "schedule.backfill", says=("trigger", "begin", "end", "together"), compares=False
        ),
        "workflow.past_times_stopped": _flow("schedule.backfill", says=("backfill_id",), compares=False),
        # Schedules
        "schedule.start_left_out": _schedule("instant"),
        "schedule.start_moved": _schedule("instant", "to"),
        "schedule.start_put_back": _schedule("instant"),
        "schedule.paused": _schedule("until"),
        "schedule.resumed": _schedule(),
        "schedules.spread": Deed("schedule", at=("schedule.change",), says=("schedules", "minutes")),
        "workflow.drilled": Deed("workflow", "workflow_id", at=(INSIDE,), digests=("graph", "input")),
        "workflow.handed_over": Deed("workflow", "workflow_id", says=("of", "to", "reason")),
        # Runs
        "run.started": Deed("run", at=("ingress.accept",), says=("workflow_id", "trigger"), digests=("input",)),
        "run.tested": Deed("run", at=("ingress.accept",), says=("workflow_id", "trigger"), digests=("input", "graph")),
        "run.cancelled": _run("run.cancel", says=("reason", "undo")),
        "run.paused": _run("run.pause", says=("reason",)),
        "run.resumed": _run("run.resume"),
        "run.taken_up": _run("run.resume"),
        "run.retried": _run("run.replay", says=("plan", "start", "version", "repeats"), digests=("decisions",)),
        "run.asked": _run(INSIDE, says=("node", "version")),
        "run.replayed": _run("run.replay", says=("version",)),
        "run.undone": _run("run.undo", says=("plan", "reason", "repeats"), digests=("decisions",)),
        "run.moved_on": _run("wait.resume", says=("node_id",), digests=("data",)),
        "run.tried_now": _run("wait.resume", says=("node_id", "attempt")),
        "run.link_shown": _run(says=("node_id",)),
        "run.value_shown": _run(says=("node_id", "side", "path")),
        "run.exported": _run(),
        "run.tagged": _run("run.tag", says=("add", "remove"), perhaps=True),
        "runs.exported": Deed("runs", says=("runs", "search", "format", "columns")),
        "runs.tagged": Deed("runs", at=("run.tag",), says=("runs", "search", "add", "remove"), perhaps=True),
        "event.replayed": Deed("run", at=("run.replay",), says=("event_id", "unverified")),
        "event.sent": Deed("event", at=("event.send",), says=("name",), digests=("key", "data")),
        "run_view.saved": Deed("run_view", compares=True),
        "run_view.changed": Deed("run_view", "view_id", compares=True),
        "run_view.removed": Deed("run_view", "view_id", compares=True, ends=True),
        "run_view.handed_over": Deed("run_view", "view_id", says=("of", "to", "reason")),
        # Dead letters and batches
        "dead_letter.retried": Deed("run", at=("run.replay",), each=True),
        "dead_letters.solved": Deed("runs", at=("deadletter.solve",), says=("runs", "reason")),
        "dead_letters.discarded": Deed("runs", at=("deadletter.solve",), says=("runs", "reason")),
        "dead_letters.exported": Deed("runs", says=("format", "workflow", "cause", "runs", "sent")),
        "dead_letters.sent": Deed(
            "letter_sending",
            at=("deadletter.send",),
            says=("cause", "runs", "until", "within", "to", "note"),
            perhaps=True,
        ),
        "letter_sending.done": Deed("letter_sending", "sending_id", ("deadletter.send",)),
        "letter_sending.taken_back": Deed("letter_sending", "sending_id", ("deadletter.send",)),
        "letter_sending.handed_over": Deed("letter_sending", "sending_id", ("deadletter.send",), says=("to", "note")),
        "letter_group.noted": Deed("letter_group", "cause", ("deadletter.group",), compares=True),
        "letter_group.muted": Deed("letter_group", "cause", ("deadletter.group",), says=("days",), compares=True),
        "letter_group.unmuted": Deed("letter_group", "cause", ("deadletter.group",), compares=True),
        "dead_letters.retry_begun": Deed(
            "bulk_retry",
            at=("deadletter.bulk",),
            says=(
                "kind",
                "cause",
                "sent",
                "runs",
                "search",
                "count",
                "until",
                "per_minute",
                "stop_after",
                "trial",
                "reason",
                "version",
            ),
        ),
        "dead_letters.retry_continued": Deed("bulk_retry", "bulk_id", ("deadletter.bulk",)),
        "dead_letters.retry_stopped": Deed("bulk_retry", "bulk_id", ("deadletter.bulk",)),
        "batch.manifest_kept": _batch("bulk.manifest_commit", perhaps=True),
        "batch.manifest_downloaded": _batch(says=("format",)),
        "batch.checked": _batch("bulk.check"),
        "batch.check_noted": _batch("bulk.check", says=("sha256", "checked")),
        "batch.retry_begun": _batch("deadletter.bulk", says=("cause", "per_minute", "stop_after", "trial", "reason")),
        "batch.entry_corrected": _batch("run.replay", each=True),
        "batch.results_downloaded": _batch(says=("format",)),
        "batch.failed_downloaded": _batch(says=("kind",)),
        # Questions and reviews
        "task.decided": _task("human.decide", "human.pend", says=("outcome", "comment"), digests=("answers", "output")),
        "task.asked": _task(INSIDE),
        "task.mended": _task("human.decide", says=("comment",), digests=("settings",)),
        "task.run_undone": _task("run.cancel", says=("reason",)),
        "task.decision_taken_back": Deed("task", "task_id", ("human.unpend",), perhaps=True),
        "tasks.decisions_taken_back": Deed("task", at=("human.unpend",), each=True),
        "task.decision_took_effect": Deed("task", at=("human.decide",)),
        "task.decision_refused": Deed("task", at=("human.refuse",)),
        "task.decided_by_link": _task("human.decide", says=("outcome", "comment")),
        "tasks.decided": Deed("task", at=("human.decide", "human.pend"), says=("outcome", "comment"), each=True),
        "task.taken": _task("human.assign", says=("over",)),
        "task.snoozed": Deed("task", "task_id", ("human.assign",), says=("until",), perhaps=True),
        "task.commented": _task("human.assign", digests=("text",)),
        "task.given_back": _task("human.assign"),
        "task.handed_over": _task("human.assign", says=("to", "reason")),
        "task.reminded": _task("human.notice"),
        "task.left_to_admins": _task("human.assign", says=("reason",)),
        "review.changed": _task("review.change", digests=("changes",)),
        "review.downloaded": _task(),
        "review.handed_over": _task("review.change", says=("revision", "comment")),
        "review.sent_back": _task("review.change", says=("reason",)),
        "review.released": _task("human.decide", says=("revision", "comment")),
        "review.rejected": _task("human.decide", says=("reason",)),
        # Files and tables
        "file.added": Deed("file", at=("blob.row",)),
        "file.removed": Deed("file", "file_id", ("retention.delete",), compares=True, ends=True),
        "file.downloaded": Deed("file", "file_id", says=("show",)),
        "file.shown": Deed("file", "file_id", perhaps=True),
        "file.left_out_kept": Deed("file", at=("blob.row",), says=("workflow_id",), perhaps=True),
        "files.downloaded": Deed("files", says=("run", "inside", "search", "ids")),
        "table.created": Deed("table", at=("table.columns",), compares=True),
        "table.changed": Deed("table", "table_id", ("table.columns",), compares=True),
        "table.removed": Deed("table", "table_id", ("table.columns",), compares=True, ends=True),
        "table.row_added": Deed("table", "table_id", ("table.change",)),
        "table.row_changed": Deed("table", "table_id", ("table.change",)),
        "table.row_deleted": Deed("table", "table_id", ("table.change",)),
        "table.imported": Deed("table", "table_id", ("table.change",), says=("file", "if_there"), perhaps=True),
        "table.exported": Deed("table", "table_id", says=("format",)),
        # Connections
        "connection.created": Deed("connection", at=(INSIDE,), compares=True),
        "connection.changed": Deed("connection", "connection_id", at=(INSIDE,), compares=True),
        "connection.removed": Deed("connection", "connection_id", at=(INSIDE,), compares=True, ends=True),
        "connection.tested": Deed("connection", "connection_id", at=(INSIDE,)),
        "connection.limited": Deed("connection", at=("budget.change",), says=("calls", "per", "at_once"), perhaps=True),
        "connection.pause_chosen": Deed("connection", at=("budget.change",), says=("if_broken",), perhaps=True),
        "connection.repaired": Deed("connection", at=("budget.change",), perhaps=True),
        "connection.replaced": Deed("connection", "connection_id", at=(INSIDE,), says=("other",), perhaps=True),
        "connection.rotated": Deed("connection", "connection_id", at=(INSIDE,), says=("overlap_hours",), perhaps=True),
        "connection.overlap_changed": Deed("connection", "connection_id", at=(INSIDE,), says=("hours",), perhaps=True),
        "connection.previous_ended": Deed("connection", "connection_id", at=(INSIDE,), perhaps=True),
        "connection.resumed": Deed("connection", "connection_id", ("budget.change",)),
        "connection.handed_over": Deed("connection", "connection_id", says=("of", "to", "reason")),
        # Business calendars
        "calendar.created": Deed("calendar", at=("calendar.change",), compares=True),
        "calendar.changed": Deed("calendar", "calendar_id", ("calendar.change",), compares=True),
        "calendar.removed": Deed("calendar", "calendar_id", ("calendar.change",), compares=True, ends=True),
        # Alerts
        "alert_rule.created": Deed("alert_rule", at=("alert.rule",), compares=True),
        "alert_rule.changed": Deed("alert_rule", "rule_id", ("alert.rule",), compares=True),
        "alert_rule.removed": Deed("alert_rule", "rule_id", ("alert.rule",), compares=True, ends=True),
        "alert_channel.created": Deed("alert_channel", at=("alert.rule",), compares=True),
        "alert_channel.changed": Deed("alert_channel", "channel_id", ("alert.rule",), compares=True),
        "alert_channel.removed": Deed("alert_channel", "channel_id", ("alert.rule",), compares=True, ends=True),
        "alert_channel.tested": Deed("alert_channel", "channel_id", ("alert.change",)),
        # What is kept, and for how long
        "retention.changed": Deed("workspace", "workspace_id", at=("retention.change",), perhaps=True),
        "retention.asked_for": Deed("workspace", "workspace_id", at=("retention.change",), perhaps=True),
        "retention.hold_set": Deed("legal_hold", at=("retention.hold",), says=("workflow", "key", "reason")),
        "retention.hold_lifted": Deed("legal_hold", "hold_id", ("retention.hold",), ends=True),
        # The record itself
        "audit_view.saved": Deed("audit_view", compares=True),
        "audit_view.changed": Deed("audit_view", "view_id", compares=True),
        "audit_view.removed": Deed("audit_view", "view_id", compares=True, ends=True),
        "audit_view.handed_over": Deed("audit_view", "view_id", says=("of", "to", "reason")),
        "profile.audit_view_chosen": Deed("person", says=("view",)),
        "audit.exported": Deed("audit", says=("format",), digests=()),
    }
)
