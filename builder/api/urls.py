"""Every route of the API. Each stands in the table of `tests/builder/test_routes.py`; an unlisted one fails."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import IntConverter

from builder.api import (
    catalogue,
    connections,
    control,
    dead_letters,
    docs,
    drafts,
    drills,
    events,
    formulas,
    inbox,
    items,
    people,
    retries,
    runs,
    session,
    starts,
    trails,
    undoing,
    versions,
    waits,
    workflows,
    workspaces,
)


class NumberConverter(IntConverter):
    """A version's number: digits that fit every database."""

    regex = "[0-9]{1,9}"


register_converter(NumberConverter, "number")

_workflow: list[URLPattern | URLResolver] = [
    path("", workflows.OneWorkflow.as_view()),
    path("/enable", workflows.Enable.as_view()),
    path("/disable", workflows.Disable.as_view()),
    path("/hold", control.HoldWorkflow.as_view()),
    path("/let-go", control.LetGo.as_view()),
    path("/held-versions", control.HeldVersions.as_view()),
    path("/breaker", control.BreakerOfWorkflow.as_view()),
    path("/draft", drafts.DraftOfWorkflow.as_view()),
    path("/check", drafts.Check.as_view()),
    path("/publish", versions.PublishWorkflow.as_view()),
    path("/versions", versions.Versions.as_view()),
    path("/versions/<number:number>", versions.OneVersion.as_view()),
    path("/versions/<number:number>/restore", versions.Restore.as_view()),
    path("/triggers", versions.Triggers.as_view()),
    path("/backfills", starts.Backfills.as_view()),
    path("/backfills/plan", starts.BackfillPlan.as_view()),
    path("/backfills/<uuid:backfill_id>/stop", starts.StopBackfill.as_view()),
    path("/runs", runs.StartRun.as_view()),
    path("/test", runs.TestRun.as_view()),
    path("/drill", drills.DrillOf.as_view()),
    path("/samples", runs.Samples.as_view()),
]

_workspace: list[URLPattern | URLResolver] = [
    path("", workspaces.OneWorkspace.as_view()),
    path("/members", workspaces.Members.as_view()),
    path("/members/<uuid:member_id>", workspaces.OneMember.as_view()),
    path("/people", people.People.as_view()),
    path("/groups", people.MemberGroups.as_view()),
    path("/groups/<uuid:group_id>", people.OneMemberGroup.as_view()),
    path("/tokens", workspaces.Tokens.as_view()),
    path("/tokens/<uuid:token_id>", workspaces.OneToken.as_view()),
    path("/node-types", catalogue.NodeTypes.as_view()),
    path("/functions", catalogue.Functions.as_view()),
    path("/connection-kinds", catalogue.ConnectionKinds.as_view()),
    path("/workflows", workflows.Workflows.as_view()),
    path("/workflows/<uuid:workflow_id>", include(_workflow)),
    path("/expressions/preview", formulas.PreviewExpression.as_view()),
    path("/schedules/preview", formulas.PreviewSchedule.as_view()),
    path("/runs", runs.Runs.as_view()),
    path("/runs/<uuid:run_id>", runs.OneRun.as_view()),
    path("/runs/<uuid:run_id>/snapshot", runs.Snapshot.as_view()),
    path("/runs/<uuid:run_id>/changes", runs.Changes.as_view()),
    path("/runs/<uuid:run_id>/steps/<str:node_id>", runs.StepOfRun.as_view()),
    path("/runs/<uuid:run_id>/items", items.Items.as_view()),
    path("/runs/<uuid:run_id>/because", trails.BecauseOf.as_view()),
    path("/runs/<uuid:run_id>/trail", trails.Trail.as_view()),
    path("/runs/<uuid:run_id>/export", trails.Export.as_view()),
    path("/runs/<uuid:run_id>/cancel", runs.Cancel.as_view()),
    path("/runs/<uuid:run_id>/pause", control.PauseRun.as_view()),
    path("/runs/<uuid:run_id>/resume", control.ResumeRun.as_view()),
    path("/runs/<uuid:run_id>/retry-plan", retries.Plan.as_view()),
    path("/runs/<uuid:run_id>/retry-plan/items", retries.PlanItemsOf.as_view()),
    path("/runs/<uuid:run_id>/retry", retries.Retry.as_view()),
    path("/runs/<uuid:run_id>/retries", retries.Retries.as_view()),
    path("/runs/<uuid:run_id>/replay", retries.ReplayAsNew.as_view()),
    path("/runs/<uuid:run_id>/undo-plan", undoing.UndoPlan.as_view()),
    path("/runs/<uuid:run_id>/undo", undoing.UndoRun.as_view()),
    path("/inbox", inbox.Inbox.as_view()),
    path("/inbox/count", inbox.InboxCount.as_view()),
    path("/inbox/decide", inbox.DecideMany.as_view()),
    path("/inbox/<uuid:task_id>", inbox.OneTask.as_view()),
    path("/inbox/<uuid:task_id>/decide", inbox.Decide.as_view()),
    path("/inbox/<uuid:task_id>/take", inbox.Take.as_view()),
    path("/inbox/<uuid:task_id>/give-back", inbox.GiveBack.as_view()),
    path("/inbox/<uuid:task_id>/hand-over", inbox.HandOver.as_view()),
    path("/dead-letters", dead_letters.Groups.as_view()),
    path("/dead-letters/retry", dead_letters.RetryEach.as_view()),
    path("/dead-letters/solve", dead_letters.Solve.as_view()),
    path("/dead-letters/discard", dead_letters.Discard.as_view()),
    path("/dead-letters/<str:cause>", dead_letters.OneGroup.as_view()),
    path("/runs/<uuid:run_id>/waits", waits.Waits.as_view()),
    path("/runs/<uuid:run_id>/waits/<str:node_id>/link", waits.ResumeLink.as_view()),
    path("/runs/<uuid:run_id>/waits/<str:node_id>/resume", waits.Resume.as_view()),
    path("/sent-events", waits.SendEvent.as_view()),
    path("/events", events.Events.as_view()),
    path("/events/repeats", starts.Repeats.as_view()),
    path("/events/figures", starts.Figures.as_view()),
    path("/events/<uuid:event_id>", events.OneEvent.as_view()),
    path("/connections", connections.Connections.as_view()),
    path("/connections/<uuid:connection_id>", connections.OneConnection.as_view()),
    path("/connections/<uuid:connection_id>/test", connections.TestConnection.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema", docs.Schema.as_view()),
    path("docs", docs.Docs.as_view()),
    path("session", session.Session.as_view()),
    path("setup", session.Setup.as_view()),
    path("system-checks", session.SystemChecks.as_view()),
    path("invitations/accept", session.AcceptInvitation.as_view()),
    path("me", session.Me.as_view()),
    path("workspaces", workspaces.Workspaces.as_view()),
    path("workspaces/<uuid:workspace_id>", include(_workspace)),
]
