# ruff: noqa: DJ001, DJ008
# NULL means "there is none", which an empty text is not; the rows are shown by views, never by str().
"""The runtime's rows: plain tables whose constraints say what exactly once means.

Times are milliseconds since the epoch, UTC, by the database's clock. JSON documents are TEXT in the one JSON
profile: jsonb would reorder keys. Builder ids (`workspace_id`, `workflow_id`, `created_by`) are plain UUIDs, never
foreign keys: the runtime knows nothing of the builder. The hot path reads and writes these tables with plain SQL
(`writer.py`, `reads.py`); Django owns the schema and the slow reads. Steps, attempts and timers carry no foreign key
constraint to their run: they are written in a transaction that has just locked its row; the check would cost as much.
"""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7
from runtime.store.alert_models import AlertChannel as AlertChannel
from runtime.store.alert_models import AlertEpisode as AlertEpisode
from runtime.store.alert_models import AlertMessage as AlertMessage
from runtime.store.alert_models import AlertRule as AlertRule
from runtime.store.batch_models import BatchCheck as BatchCheck
from runtime.store.batch_models import ItemAmount as ItemAmount
from runtime.store.budget_models import Budget as Budget
from runtime.store.budget_models import BudgetTurn as BudgetTurn
from runtime.store.bulk_models import BulkRetry as BulkRetry
from runtime.store.bulk_models import BulkRetryItem as BulkRetryItem
from runtime.store.calendar_models import BusinessCalendar as BusinessCalendar
from runtime.store.datatable_models import DataChange as DataChange
from runtime.store.datatable_models import DataRow as DataRow
from runtime.store.datatable_models import DataTable as DataTable
from runtime.store.field_models import SEARCH_INDEXES
from runtime.store.field_models import RunField as RunField
from runtime.store.figure_models import Figure as Figure
from runtime.store.figure_models import FigureMark as FigureMark
from runtime.store.figure_models import Stamped
from runtime.store.figure_models import StandingFigure as StandingFigure
from runtime.store.figure_models import SystemFigure as SystemFigure
from runtime.store.file_models import File as File
from runtime.store.hold_row import BREAKER_FAILURES, BREAKER_MINUTES
from runtime.store.hold_row import Hold as Hold
from runtime.store.letter_models import LetterGroup as LetterGroup
from runtime.store.letter_models import LetterSending as LetterSending
from runtime.store.letter_models import SentLetter as SentLetter
from runtime.store.people import HumanMail as HumanMail
from runtime.store.people import HumanNote as HumanNote
from runtime.store.people import HumanSnooze as HumanSnooze
from runtime.store.people import HumanTask as HumanTask
from runtime.store.people import HumanVote as HumanVote
from runtime.store.people import PendingAnswer as PendingAnswer
from runtime.store.process_models import CommitMark as CommitMark
from runtime.store.process_models import Instance as Instance
from runtime.store.process_models import Leadership as Leadership
from runtime.store.process_models import Process as Process
from runtime.store.reading_models import ItemKey as ItemKey
from runtime.store.reading_models import PassedOver as PassedOver
from runtime.store.reading_models import Reading as Reading
from runtime.store.retention_models import LegalHold as LegalHold
from runtime.store.retention_models import Retention as Retention
from runtime.store.review_models import Review as Review
from runtime.store.review_models import ReviewChange as ReviewChange
from runtime.store.review_models import ReviewRow as ReviewRow
from runtime.store.schedule_models import ScheduleChange as ScheduleChange
from runtime.store.schedule_models import ScheduleSetting as ScheduleSetting
from runtime.store.signal_models import Signal as Signal
from runtime.store.signal_models import SignalWait as SignalWait
from runtime.store.tag_models import RunTag as RunTag


class Version(models.Model):
    """An immutable graph. Live versions count from 1 within a workflow; a test of a draft has number 0."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=[("live", "live"), ("test", "test")])
    graph = models.TextField()
    graph_sha256 = models.CharField(max_length=64)
    min_engine = models.PositiveIntegerField(default=1)
    note = models.CharField(max_length=400, default="")
    created_at = models.BigIntegerField()
    created_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow_id", "number"], condition=models.Q(kind="live"), name="version_number_once"
            ),
        ]
        indexes = [models.Index(fields=["workspace_id", "workflow_id", "number"], name="version_by_workflow")]


class Deployment(models.Model):
    """What is live of a workflow. One row a workflow, from its first publish on."""

    workflow_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField(db_index=True)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    enabled = models.BooleanField(default=True)
    retired = models.BooleanField(default=False)
    changed_at = models.BigIntegerField()
    #: After so many failures in a row, or at such a share of failures within a time, new runs are held; 0: never.
    breaker_failures = models.PositiveIntegerField(default=BREAKER_FAILURES, db_default=BREAKER_FAILURES)
    breaker_percent = models.PositiveSmallIntegerField(default=0, db_default=0)
    breaker_minutes = models.PositiveIntegerField(default=BREAKER_MINUTES, db_default=BREAKER_MINUTES)
    breaker_since = models.BigIntegerField(default=0, db_default=0)


class Trigger(models.Model):
    """An armed start: one a (workflow, node), kept across versions so that its address never changes."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    node_key = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    slug = models.CharField(max_length=64, unique=True)
    config = models.TextField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    enabled = models.BooleanField(default=True)
    next_fire_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow_id", "node_id"], name="trigger_once_per_node")]
        indexes = [
            models.Index(fields=["next_fire_at"], condition=models.Q(next_fire_at__isnull=False), name="trigger_due")
        ]


class Event(Stamped):
    """Something that knocked, stored as it came, before anybody read it.

    `dedupe_key` is unique per trigger: a second delivery becomes a `Delivery` of the first (I4). A key that may be used
    again, since its time was over, stands in `past_key` (`intake.dedupe`). `body` holds the raw bytes up to 64 KiB;
    larger ones stand in `body_artifact`. Exactly one of the two is set. An event of the verdict `queued` waits for its
    run (`worker.queued`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    trigger_id = models.UUIDField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.BigIntegerField()
    method = models.CharField(max_length=16, default="")
    path = models.TextField(default="")
    query = models.TextField(default="")
    headers = models.TextField(default="[]")
    content_type = models.CharField(max_length=255, default="")
    body = models.BinaryField(null=True)
    body_artifact = models.ForeignKey("Artifact", null=True, on_delete=models.PROTECT, related_name="+")
    body_size = models.BigIntegerField(default=0)
    body_sha256 = models.CharField(max_length=64)
    dedupe_key = models.CharField(max_length=255, null=True)
    signature = models.CharField(max_length=16, default="none")
    verdict = models.CharField(max_length=16)
    reason = models.CharField(max_length=400, null=True)
    parse_error = models.CharField(max_length=400, null=True)
    run_id = models.UUIDField(null=True)
    duplicates = models.PositiveIntegerField(default=0)
    past_key = models.CharField(max_length=255, null=True)
    backfill_id = models.UUIDField(null=True)
    removed_at = models.BigIntegerField(null=True)  # its body and headers are gone since; that it came stays

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trigger_id", "dedupe_key"],
                condition=models.Q(dedupe_key__isnull=False),
                name="event_once_per_key",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace_id", "workflow_id", "-id"], name="event_newest"),
            models.Index(fields=["trigger_id", "id"], condition=models.Q(verdict="queued"), name="event_queued"),
            models.Index(fields=["stamp"], condition=models.Q(stamp__isnull=False), name="event_stamp"),
        ]


class Backfill(models.Model):
    """Starts of a schedule's past instants that somebody asked for: who, when, from when until when, how many.

    `together`: all at once; otherwise each waits until the one before it has ended.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    trigger_id = models.UUIDField()
    at = models.BigIntegerField()
    by = models.UUIDField(null=True)
    range_from = models.BigIntegerField()
    range_to = models.BigIntegerField()
    together = models.BooleanField()
    starts = models.PositiveIntegerField()
    known = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["workflow_id", "-id"], name="backfill_newest")]


class Delivery(Stamped):
    """A further delivery of an event that was accepted before; with its body when that differs (I5)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    received_at = models.BigIntegerField()
    workspace_id = models.UUIDField(null=True)
    workflow_id = models.UUIDField(null=True)
    conflict = models.BooleanField()
    body_sha256 = models.CharField(max_length=64)
    body = models.BinaryField(null=True)
    body_artifact = models.ForeignKey("Artifact", null=True, on_delete=models.PROTECT, related_name="+")
    headers = models.TextField(default="[]")

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="delivery_newest"),
            models.Index(fields=["workflow_id", "-id"], name="delivery_newest_of_workflow"),
            models.Index(fields=["stamp"], condition=models.Q(stamp__isnull=False), name="delivery_stamp"),
        ]


class Run(models.Model):
    """One execution of one version, caused by one event.

    A run is advanced only under a lease: `lease_token` rises with every claim and every write names it (I14).
    `wake_at` is when somebody should look at the run again; NULL means nobody needs to (it ended, or it waits for
    something that will set it). `claims` counts claims without progress (I20). `state` holds what the step rows
    cannot say: the engine's run-level state as JSON.

    `paused_at`: somebody paused the run. `held`: 1 while its workflow holds it, 0 once it was let go, NULL for most.
    Each of the two, while it lasts, adds `statements.HELD` to `min_engine`: so no worker claims it, of whatever age.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    # Nothing looks a run up by these two alone, and each index is written anew with every claim.
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    event = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    trigger_node = models.CharField(max_length=64)
    mode = models.CharField(max_length=8, default="live")
    started_by = models.CharField(max_length=64)
    status = models.CharField(max_length=20)
    outcome = models.CharField(max_length=32, null=True)
    generation = models.PositiveIntegerField(default=1)
    seq = models.BigIntegerField(default=0)
    business_key = models.CharField(max_length=200, null=True)
    parent_run_id = models.UUIDField(null=True)
    parent_node = models.CharField(max_length=64, null=True)
    item_index = models.BigIntegerField(null=True)
    #: What a run of a container's body, or of a called workflow, is given: JSON, by reference where it is large.
    item = models.TextField(null=True)
    #: Begun by another run that does not wait for its end: no part of that one.
    detached = models.BooleanField(default=False, db_default=False)
    replay_of = models.UUIDField(null=True)
    lease_owner = models.CharField(max_length=64, null=True)
    lease_token = models.BigIntegerField(default=0)
    lease_expires_at = models.BigIntegerField(null=True)
    wake_at = models.BigIntegerField(null=True)
    claims = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.BigIntegerField(null=True)
    cancelled_by = models.CharField(max_length=64, null=True)
    cancel_undo = models.BooleanField(default=False, db_default=False)  # what the run did is to be undone
    min_engine = models.PositiveIntegerField(default=1)
    paused_at = models.BigIntegerField(null=True)
    #: `user:` and an id, `api`, or `workflow`: paused together with its workflow, and resumed with it.
    paused_by = models.CharField(max_length=64, null=True)
    pause_reason = models.CharField(max_length=400, null=True)
    held = models.PositiveSmallIntegerField(null=True)
    waiting = models.TextField(null=True)
    error = models.TextField(null=True)
    accepted_at = models.BigIntegerField()
    started_at = models.BigIntegerField(null=True)
    finished_at = models.BigIntegerField(null=True)
    change = models.TextField(null=True)  # the last that was noted: see `store.trail`
    values_removed_at = models.BigIntegerField(null=True)  # what its steps were given and gave is gone since

    class Meta:
        constraints = [
            # One event starts one run; a child run is caused by something else.
            models.UniqueConstraint(
                fields=["event"],
                condition=models.Q(parent_run_id__isnull=True, replay_of__isnull=True),
                name="run_once_per_event",
            ),
            models.UniqueConstraint(
                fields=["parent_run_id", "parent_node", "item_index"],
                condition=models.Q(parent_run_id__isnull=False),
                name="run_once_per_item",
            ),
        ]
        indexes = [
            models.Index(fields=["wake_at"], condition=models.Q(wake_at__isnull=False), name="run_due"),
            models.Index(
                fields=["workflow_id", "wake_at"],
                condition=models.Q(wake_at__isnull=False, lease_owner__isnull=True),
                name="run_turn",
            ),
            models.Index(
                fields=["workflow_id", "held", "id"],
                condition=models.Q(held__isnull=False, finished_at__isnull=True),
                name="run_held",
            ),
            models.Index(fields=["workspace_id", "id"], condition=models.Q(status="parked"), name="run_parked"),
            # What is going on is little beside all that ever ran: where runs are now is read from it alone.
            models.Index(
                fields=["workspace_id", "workflow_id", "id"],
                condition=models.Q(finished_at__isnull=True),
                name="run_open",
            ),
            *SEARCH_INDEXES,
            # Of a step's own runs those that are open, and those that did not end well: with the highest number they
            # say how all of them stand, however many there are.
            models.Index(
                fields=["parent_run_id", "parent_node"],
                condition=models.Q(parent_run_id__isnull=False, finished_at__isnull=True),
                name="run_open_item",
            ),
            models.Index(
                fields=["parent_run_id", "parent_node", "finished_at", "status"],
                condition=models.Q(parent_run_id__isnull=False, finished_at__isnull=False)
                & ~models.Q(status="completed"),
                name="run_failed_item",
            ),
            # And those that people left out: a few among the many that are done.
            models.Index(
                fields=["parent_run_id", "parent_node"], condition=models.Q(outcome="skipped"), name="run_left_out_item"
            ),
        ]


class Replay(models.Model):
    """Who went on with an ended run, when, and by which plan: one row for each generation after the first (I22).

    `plan`: what each step was said to become. `edits`: by node id, the settings `before` and `after`. `decisions`: by
    node id, what a person said of an effect in doubt. `called`: by workflow, the version with which runs of it that
    this run has begun are gone on with (ids in hex). All JSON. `kind`: `retry`, or `undo` for a generation that only
    undoes what the run did, for the `reason` that somebody gave.
    """

    pk = models.CompositePrimaryKey("run_id", "generation")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False)
    generation = models.PositiveIntegerField()
    at = models.BigIntegerField()
    by = models.CharField(max_length=64)
    from_status = models.CharField(max_length=20)
    error = models.TextField(null=True)
    version_before = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    version_after = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    plan = models.TextField()
    edits = models.TextField(default="{}")
    decisions = models.TextField(default="{}")
    kind = models.CharField(max_length=8, default="retry", db_default="retry")
    reason = models.CharField(max_length=400, null=True)
    called = models.TextField(null=True)


class DeadLetter(Stamped):
    """A run that ended in failure and waits for somebody's decision: one row for each generation that ended so.

    `cause` names all that failed alike (`engine.causes`). It is written with the run's end and never removed; solved is
    said beside it: `retried`, `elsewhere` (done outside of Millrace) or `discarded`, by whom and why.
    """

    pk = models.CompositePrimaryKey("run_id", "generation")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    generation = models.PositiveIntegerField()
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    cause = models.CharField(max_length=32)
    code = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    message = models.TextField()
    pattern = models.CharField(max_length=300)
    at = models.BigIntegerField()
    solved_at = models.BigIntegerField(null=True)
    solved_by = models.CharField(max_length=64, null=True)
    solution = models.CharField(max_length=16, null=True)
    reason = models.CharField(max_length=400, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace_id", "cause", "at"],
                condition=models.Q(solved_at__isnull=True),
                name="deadletter_open",
            ),
            models.Index(fields=["at"], name="deadletter_newest"),
            models.Index(fields=["workflow_id", "at"], name="deadletter_of_workflow"),
            models.Index(fields=["stamp"], condition=models.Q(stamp__isnull=False), name="deadletter_stamp"),
        ]


class StepRun(models.Model):
    """One node's part in one run's generation: at most one row, whatever happens to the workers."""

    pk = models.CompositePrimaryKey("run_id", "node_id", "generation")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=1)
    node_key = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    attempt = models.PositiveIntegerField(default=0)
    ports = models.TextField(default="[]")
    note = models.CharField(max_length=200, null=True)
    input = models.TextField(null=True)
    output = models.TextField(null=True)
    error = models.TextField(null=True)
    wait = models.TextField(null=True)
    due_at = models.BigIntegerField(null=True)
    commit_seq = models.BigIntegerField(null=True)
    seq = models.BigIntegerField()
    started_at = models.BigIntegerField(null=True)
    finished_at = models.BigIntegerField(null=True)
    token = models.BigIntegerField(null=True)  # the lease that wrote it last; none where a person did


class Attempt(Stamped):
    """One try that touches the world, or one that failed. The row stands before the effect may start (I9).

    status: `intent` → `succeeded` | `failed` | `in_doubt` → `succeeded` | `failed` | `abandoned`.
    """

    pk = models.CompositePrimaryKey("run_id", "node_id", "generation", "attempt")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=1)
    attempt = models.PositiveIntegerField()
    status = models.CharField(max_length=16)
    effect_class = models.CharField(max_length=16)
    effect_key = models.CharField(max_length=64, null=True)
    key_epoch = models.PositiveIntegerField(default=0)
    request_digest = models.CharField(max_length=64, null=True)
    lease_token = models.BigIntegerField()
    worker = models.CharField(max_length=64)
    started_at = models.BigIntegerField()
    finished_at = models.BigIntegerField(null=True)
    request = models.TextField(null=True)
    response = models.TextField(null=True)
    error = models.TextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["stamp"], condition=models.Q(stamp__isnull=False), name="attempt_stamp")]


class Timer(models.Model):
    """A due time that survives everything: a retry, a wait, a time-out. `run.wake_at` is the earliest of them."""

    pk = models.CompositePrimaryKey("run_id", "node_id", "generation", "kind")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=8)
    due_at = models.BigIntegerField()
    created_at = models.BigIntegerField()


class Response(models.Model):
    """What a `Respond to webhook` step answers: at most one a run."""

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="+")
    status = models.PositiveSmallIntegerField()
    headers = models.TextField(default="[]")
    body = models.BinaryField()
    created_at = models.BigIntegerField()


class Artifact(models.Model):
    """Bytes kept outside the row. The row is written after the file is durable under its final name (I36)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField(db_index=True)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=255, default="application/octet-stream")
    name = models.CharField(max_length=255, default="")
    location = models.CharField(max_length=255)
    created_at = models.BigIntegerField()
