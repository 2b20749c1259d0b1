"""Workflows and their drafts. Versions, runs and events are the runtime's rows."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from builder.accounts.ids import new_id
from builder.accounts.models import User, Workspace


class Workflow(models.Model):
    """A named automation; it has one draft and any number of versions, which the runtime keeps."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=2000, default="", blank=True)
    #: What the draft does, in words; kept so that the list needs no graph.
    sentence = models.CharField(max_length=600, default="", blank=True)
    problems_count = models.PositiveIntegerField(default=0)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    #: Set when it was deleted; its runs and versions stay readable.
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="workflow_newest")]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """The editable graph of one workflow. May be broken. Each save raises `revision` by one."""

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    revision = models.PositiveIntegerField(default=1)
    #: The document in the JSON profile, as text: key order is kept.
    graph = models.TextField()
    #: Of the graph without positions and remarks, to tell "changed since live" from "moved about".
    graph_sha256 = models.CharField(max_length=64)
    #: The same of the draft that was last published; empty before the first publish.
    published_sha256 = models.CharField(max_length=64, default="", blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"revision {self.revision}"


class Editing(models.Model):
    """A sitting at a draft that is not on record yet; see `editing.py`. `entry`: who, from where (JSON)."""

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, primary_key=True, related_name="+")
    entry = models.TextField()
    began_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    saves = models.PositiveIntegerField(default=0)
    revision_before = models.PositiveIntegerField()
    sha256_before = models.CharField(max_length=64)
    graph_before = models.TextField()

    def __str__(self) -> str:
        return f"{self.saves} saves"


class Drill(models.Model):
    """A plug-pull drill of one workflow, and what its rounds came to (JSON). At most one a workspace is under way."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=8, default="running")
    error = models.CharField(max_length=16, default="", blank=True)
    total = models.PositiveIntegerField(null=True)
    results = models.TextField(default="[]")
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(status="running"), name="drill_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.status


class FileLayout(models.Model):
    """What people said about files whose columns have these names, when they started the workflow with one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    #: The name of the question that asks for the file.
    question = models.CharField(max_length=60)
    #: Digest of the names of the file's columns, in their order.
    layout_sha256 = models.CharField(max_length=64)
    #: For each expected column the file's own; and how numbers and dates are written (JSON).
    sources = models.TextField(default="{}")
    decimal = models.CharField(max_length=1, default=".")
    dates = models.CharField(max_length=3, default="dmy")
    said_at = models.DateTimeField(default=timezone.now)
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "question", "layout_sha256"], name="file_layout_once")
        ]

    def __str__(self) -> str:
        return self.question


class FileStart(models.Model):
    """A start of a workflow with a file, so that the same file is known again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    run_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "sha256"], name="file_start_once")]
        indexes = [models.Index(fields=["workflow", "sha256", "-id"], name="file_start_same")]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A search of one list that somebody has given a name, for themselves or for all who see that list."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    #: Of which list: runs · audit.
    of = models.CharField(max_length=8, default="runs", db_default="runs")
    #: The parameters of the list's address.
    search = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["workspace", "owner"], name="run_view_of_person")]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """With which saved search one person opens a list, in one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    of = models.CharField(max_length=8)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "person", "of"], name="default_view_once")]

    def __str__(self) -> str:
        return f"{self.person_id} opens {self.of} with {self.view_id}"


class RunColumns(models.Model):
    """Which columns of the list of runs one person looks at, in one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "person"], name="run_columns_once")]

    def __str__(self) -> str:
        return ", ".join(self.columns)


class SeenQuestion(models.Model):
    """That one person has seen a question of the inbox; see `seen.py`. Kept only while the question is open."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    task_id = models.UUIDField()
    #: When they saw it last, ms: what happened to it later makes it new again.
    at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "task_id"], name="question_seen_once")]
        indexes = [models.Index(fields=["workspace", "person"], name="question_seen_by")]

    def __str__(self) -> str:
        return f"{self.person_id} has seen {self.task_id}"


class Touch(models.Model):
    """What one person did last to a workflow; see `recent.py`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    #: edited · published · ran · tested.
    did = models.CharField(max_length=12)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "workflow"], name="touch_once")]
        indexes = [models.Index(fields=["workspace", "person", "-at"], name="touch_newest")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.did} {self.workflow_id}"


class Answered(models.Model):
    """The answer to a write that carried an `Idempotency-Key`, so that a repeat gets it again and writes nothing."""

    id = models.BigAutoField(primary_key=True)
    #: Digest of who asked, the route and the key.
    key_sha256 = models.CharField(max_length=64, unique=True)
    body_sha256 = models.CharField(max_length=64)
    #: 0 while the first request is still at work.
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="", blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="answered_age")]

    def __str__(self) -> str:
        return str(self.status)
