/**
 * Read by tsc alone: the types that the app uses must fit those generated from the server's schema. They are narrower
 * (a status is one of eleven words, not any text), and they must name exactly the same fields.
 */
import type * as absences from "./absences";
import type { AskedNow } from "./askNow";
import type * as bulk from "./bulkRetries";
import type * as documents from "./documents";
import type * as files from "./files";
import type * as reviews from "./reviews";
import type * as letterGroups from "./letterGroups";
import type * as sendings from "./sendings";
import type * as generated from "./schema.gen";
import type * as types from "./types";
import type * as waits from "./waits";

type Differs<A, B> = Exclude<keyof A, keyof B> | Exclude<keyof B, keyof A>;

/** True only if A is a narrower B with the same fields; the fields that differ otherwise. */
type Fits<A, B> = [Differs<A, B>] extends [never] ? (A extends B ? true : "a field has another type") : Differs<A, B>;

type Checked<T extends true> = T;

export type Checks = [
  Checked<Fits<types.Run, generated.RunShape>>,
  Checked<Fits<types.RecentWorkflow, generated.RecentShape>>,
  Checked<Fits<types.RunStep, generated.StepShape>>,
  Checked<Fits<types.RunParent, generated.ParentShape>>,
  Checked<Fits<types.StepItems, generated.ItemsView>>,
  Checked<Fits<types.RunItem, generated.ItemShape>>,
  Checked<Fits<types.RunAttempt, generated.AttemptShape>>,
  Checked<Fits<types.StepDetail, generated.StepDetailView>>,
  Checked<Fits<types.PlanStep, generated.PlanStep>>,
  Checked<Fits<AskedNow, generated.AskedShape>>,
  Checked<Fits<types.RetryPlan, generated.PlanView>>,
  Checked<Fits<types.PlanItems, generated.PlanItems>>,
  Checked<Fits<types.HeldVersion, generated.HeldVersionView>>,
  Checked<Fits<types.PlanItem, generated.PlanItemShape>>,
  Checked<Fits<types.UndoItems, generated.UndoItems>>,
  Checked<Fits<types.Decision, generated.DecisionBody>>,
  Checked<Fits<types.Retried, generated.RetryShape>>,
  Checked<Fits<types.DeadLetterGroup, generated.GroupView>>,
  Checked<Fits<letterGroups.GroupSaid, generated.GroupSaidView>>,
  Checked<Fits<letterGroups.GroupNote, Required<generated.NoteBody>>>,
  Checked<Fits<types.DeadLetters, generated.GroupsView>>,
  Checked<Fits<types.DeadLetter, generated.LetterView>>,
  Checked<Fits<sendings.SentTo, generated.SentTo>>,
  Checked<Fits<sendings.LettersWith, generated.LettersWithView>>,
  Checked<Fits<sendings.SentLetters, generated.SentLettersShape>>,
  Checked<Fits<types.RetryOutcome, generated.OutcomeView>>,
  Checked<Fits<bulk.BulkRetry, generated.BulkRetryShape>>,
  Checked<Fits<bulk.BulkRetryRun, generated.BulkRetryRun>>,
  Checked<Fits<bulk.BulkRetryDetail, generated.OneBulkRetryShape>>,
  Checked<Fits<Required<bulk.BulkRetryAsked>, Required<generated.StartBulkRetry>>>,
  Checked<Fits<documents.ReadyDesign, generated.DesignView>>,
  Checked<Fits<documents.DesignModel, generated.DesignModelView>>,
  Checked<Fits<files.StoredFile, generated.FileShape>>,
  Checked<Fits<files.FileTotal, generated.FileTotalShape>>,
  Checked<Fits<files.FileUse, generated.FileUseShape>>,
  Checked<Fits<reviews.ReviewColumn, generated.ReviewColumnShape>>,
  Checked<Fits<reviews.ReviewTotal, generated.ReviewTotalShape>>,
  Checked<Fits<reviews.Review, generated.ReviewShape>>,
  Checked<Fits<reviews.ReviewRow, generated.ReviewRowShape>>,
  Checked<Fits<reviews.ReviewChange, generated.ReviewChangeShape>>,
  Checked<Fits<reviews.RowBecame, generated.RowBecameShape>>,
  Checked<Fits<absences.Absence, generated.AbsenceView>>,
  Checked<Fits<absences.AbsenceBody, Required<generated.AbsenceBody>>>,
  Checked<Fits<types.TaskVote, generated.Vote>>,
  Checked<Fits<types.Task, generated.TaskShape>>,
  Checked<Fits<types.TaskDetail, generated.TaskDetail>>,
  Checked<Fits<types.TaskAnswer & { undo: boolean }, Required<generated.DecideBody>>>,
  Checked<Fits<types.PendingAnswer, generated.Pending>>,
  Checked<Fits<types.GivenAnswer, generated.Given>>,
  Checked<Fits<waits.SignalWait, generated.WaitShape>>,
  Checked<Fits<types.Workflow, generated.WorkflowShape>>,
  Checked<Fits<types.Trigger, generated.TriggerShape>>,
  Checked<Fits<types.Connection, generated.ConnectionShape>>,
  Checked<Fits<types.Member, generated.MemberView>>,
  Checked<Fits<types.ApiToken, generated.TokenView>>,
  Checked<Fits<types.User, generated.PersonView>>,
  Checked<Fits<types.Session, generated.SessionView>>,
  Checked<Fits<types.WorkspaceSummary, generated.WorkspaceView>>,
  Checked<Fits<types.SystemCheck, generated.CheckLine>>,
  Checked<Fits<types.Problem, generated.ProblemView>>,
];
