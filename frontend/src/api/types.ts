/**
 * The shapes of the HTTP API under /api/v1 and of the live socket, as the browser reads them.
 * Instants are ISO 8601 text in UTC, ids are dashed UUIDs.
 */

import type {
  Annotation, Category, FieldHints, GraphDocument, GraphEdge, GraphNode, Json, JsonSchema, PortsFrom, Problem, Severity, StepEffect, StepPort, StepSettings,
  StepSpec,
} from "../graph/types";
import type { RunStatus, StepStatus } from "../ui/status";
import type { WorkflowBreaker, WorkflowHold } from "./control";

export type * from "./control";
export type * from "./tasks";

export type Instant = string;

export type Role = "viewer" | "reviewer" | "builder" | "admin";

/** A list that comes whole. */
export interface Items<T> {
  items: T[];
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

// --- session and workspace --------------------------------------------------------------------------------------

export interface User {
  id: string;
  name: string;
  email: string;
  theme: "light" | "dark" | "system";
  language: string;
  is_instance_admin: boolean;
}

export interface WorkspaceSummary {
  id: string;
  name: string;
  role: Role;
  language: string;
  time_zone: string;
  currency: string;
}

export interface Session {
  user: User | null;
  setup_required: boolean;
  csrf_token: string;
  workspaces: WorkspaceSummary[];
  version: string;
}

export interface SystemCheck {
  id: string;
  ok: boolean;
  title: string;
  detail: string;
  fix: string;
}

export interface Member {
  id: string;
  user_id: string | null;
  name: string;
  email: string;
  role: Role;
  active: boolean;
  /** Asked to join, and has not answered yet. */
  invited: boolean;
  last_seen_at: Instant | null;
}

export interface ApiToken {
  id: string;
  name: string;
  scopes: string[];
  created_at: Instant;
  expires_at: Instant;
  last_used_at: Instant | null;
  /** Its beginning and its end, to tell it from others. */
  prefix: string;
  owner: string;
}

// --- the graph document and the step types: as the graph knows them -----------------------------------------------

export type {
  Annotation as GraphAnnotation,
  Category as StepCategory,
  FieldHints as UiHints,
  GraphDocument,
  GraphEdge,
  GraphNode,
  Json,
  JsonSchema,
  PortsFrom,
  Problem,
  Severity,
  StepEffect,
  StepPort as PortSpec,
  StepSettings as NodeSettings,
  StepSpec,
};

export interface ExpressionFunction {
  name: string;
  group: string;
  signature: string;
  help: string;
  example: string;
  result: string;
}

// --- workflows --------------------------------------------------------------------------------------------------

export interface LiveVersion {
  version: number;
  published_at: Instant;
  by: string | null;
}

export interface DraftState {
  revision: number;
  updated_at: Instant;
  updated_by: string | null;
  /** The draft differs from the live version. */
  changed: boolean;
}

export interface WorkflowStats {
  done: number;
  failed: number;
  waiting: number;
  running: number;
}

export interface Workflow {
  id: string;
  name: string;
  description: string;
  /** What the workflow does, in words. */
  sentence: string;
  live: LiveVersion | null;
  enabled: boolean;
  hold: WorkflowHold | null;
  breaker: WorkflowBreaker | null;
  draft: DraftState;
  last_run: { id: string; status: RunStatus; outcome: string | null; at: Instant } | null;
  stats_24h: WorkflowStats;
  problems_count: number;
  owner: string | null;
  created_at: Instant;
}

export interface Draft {
  revision: number;
  graph: GraphDocument;
  problems: Problem[];
  summaries: { [node: string]: string };
  effects: { [node: string]: StepEffect };
  updated_at: Instant;
  updated_by: string | null;
}

export interface SavedDraft {
  revision: number;
  problems: Problem[];
  summaries: { [node: string]: string };
  effects: { [node: string]: StepEffect };
  saved_at: Instant;
}

export interface CheckResult {
  problems: Problem[];
  summaries: { [node: string]: string };
  effects: { [node: string]: StepEffect };
  ports: { [node: string]: StepPort[] };
}

export interface Version {
  id: string;
  number: number;
  note: string;
  created_at: Instant;
  created_by: string | null;
  live: boolean;
  graph?: GraphDocument;
  summaries?: { [node: string]: string };
}

export interface Trigger {
  id: string;
  node: string;
  key: string;
  type: string;
  enabled: boolean;
  url: string | null;
  next: Instant[];
  curl: string | null;
}

// --- runs -------------------------------------------------------------------------------------------------------

export type RunOutcome = "done" | "stopped" | "filtered" | "done_with_failures";

export type { RunStatus, StepStatus };

export interface RunError {
  code: string;
  title: string;
  message: string;
  detail?: string | null;
  retryable?: boolean;
  http_status?: number | null;
  kind?: string;
}

export interface Waiting {
  kind: string;
  since: Instant | null;
  until: Instant | null;
  text: string;
  /** Who paused it: a name, `api`, or `workflow` where it was paused together with that. */
  by: string | null;
  reason: string;
  /** Why its workflow holds it: `person` or `failures`, so many of so many runs (0: in a row). */
  cause: string;
  failures: number;
  runs: number;
}

/** Whose item a run is: of a container, or called by a step of another workflow. */
export interface RunParent {
  run_id: string;
  node_id: string;
  node_name: string;
  index: number;
  workflow_id: string;
  /** It is an item of a container, whose body it is a run of; otherwise it was called. */
  is_item: boolean;
}

/** How far the runs of a container, or of a call, are. */
export interface StepItems {
  /** null: not known beforehand. */
  total: number | null;
  started: number;
  done: number;
  failed: number;
  running: number;
  waiting: number;
}

/** One item of a container, which is a run of its own. */
export interface RunItem {
  run_id: string;
  index: number;
  status: RunStatus;
  outcome: RunOutcome | string | null;
  label: string | null;
  started_at: Instant | null;
  finished_at: Instant | null;
  error: RunError | null;
  waiting: Waiting | null;
}

export type ItemFilter = "all" | "failed" | "open" | "done";

export interface Run {
  id: string;
  short_id: string;
  workflow: { id: string; name: string };
  version: number;
  mode: string;
  status: RunStatus;
  outcome: RunOutcome | string | null;
  /** Which go this is, from 1: each retry opens the next. */
  generation: number;
  seq: number;
  started_by: string;
  business_key: string | null;
  event_id: string | null;
  accepted_at: Instant;
  started_at: Instant | null;
  finished_at: Instant | null;
  duration_ms: number | null;
  waiting: Waiting | null;
  error: RunError | null;
  current_step: { node: string; name: string } | null;
  cancel_requested: boolean;
  paused: boolean;
  /** The run whose event started this one anew. */
  replay_of: string | null;
  parent: RunParent | null;
}

export interface StepWait {
  kind: string;
  until: Instant | null;
}

export interface RunStep {
  node: string;
  key: string;
  generation: number;
  status: StepStatus;
  attempt: number;
  ports: string[];
  note: string | null;
  wait: StepWait | null;
  error: RunError | null;
  started_at: Instant | null;
  finished_at: Instant | null;
  duration_ms: number | null;
  seq: number;
  items: StepItems | null;
}

export interface RunAttempt {
  generation: number;
  attempt: number;
  status: string;
  started_at: Instant | null;
  finished_at: Instant | null;
  duration_ms: number | null;
  error: RunError | null;
  request: Json;
  response: Json;
  effect_key: string | null;
  effect_class: string | null;
}

export interface RunSnapshot {
  run: Run;
  graph: GraphDocument;
  steps: RunStep[];
  seq: number;
}

export interface StepDetail {
  step: RunStep;
  input: Json;
  output: Json;
  error: RunError | null;
  attempts: RunAttempt[];
}

/** What becomes of a step in a retry. */
export type Fate = "kept" | "again" | "repeats" | "asks" | "next";

/** What is known of the last time that it did something outside. */
export type Known = "harmless" | "happened" | "refused" | "same_key" | "in_doubt" | "undone";

export interface PlanStep {
  node: string;
  key: string;
  name: string;
  type: string;
  fate: Fate;
  why: Known | null;
  /** The run goes on with it: its settings, last `input`, can be edited. */
  first: boolean;
  input: Json;
}

export interface RetryPlan {
  id: string;
  generation: number;
  version: number;
  /** To choose from: the run's own first, then the live one. */
  versions: number[];
  steps: PlanStep[];
  /** Keys of steps that forbid the version. */
  incompatible: string[];
}

export interface Decision {
  decision: "happened" | "send_again";
  output: Json;
}

/** What becomes of something that a run did, when it is undone. */
export type UndoFate = "undo" | "again" | "undone" | "stays" | "nothing";

export interface UndoLine {
  node: string;
  key: string;
  name: string;
  type: string;
  fate: UndoFate;
  /** Of `again` what is known of the undo before, of `stays` why nothing undoes it. */
  why: Known | "no_undo_step" | "switched_off" | "earlier_go" | null;
  undo_node: string | null;
  undo_name: string | null;
}

export interface UndoPlan {
  id: string;
  generation: number;
  /** The run is over, and something is left to undo. */
  possible: boolean;
  /** In the order in which it is undone. */
  steps: UndoLine[];
}

/** A retry or an undo that took place. */
export interface Retried {
  generation: number;
  at: Instant;
  by: string;
  version_before: number;
  version_after: number;
  plan: { [field: string]: unknown }[];
  edits: { [node: string]: unknown };
  decisions: { [node: string]: unknown };
  kind: "retry" | "undo";
  /** Why somebody undid it. */
  reason: string | null;
}

/** Runs that failed alike. `pattern`: their message, with … for what differs. */
export interface DeadLetterGroup {
  cause: string;
  workflow: { id: string; name: string };
  step: { node: string; name: string };
  code: string;
  title: string;
  pattern: string;
  count: number;
  first_at: Instant;
  last_at: Instant;
}

export interface DeadLetters {
  items: DeadLetterGroup[];
  count: number;
}

export interface DeadLetter {
  run: Run;
  message: string;
  at: Instant;
}

/** What came of retrying one of several. asks: its plan needs somebody's word. */
export interface RetryOutcome {
  run: string;
  outcome: "retried" | "asks" | "refused";
  message: string;
}

// --- what people are asked ----------------------------------------------------------------------------------------

export interface StartEvent {
  id: string;
  workflow_id?: string;
  source: string;
  received_at: Instant;
  verdict: string;
  reason: string | null;
  run_id: string | null;
  dedupe_key: string | null;
  duplicates: number;
}

// --- connections ------------------------------------------------------------------------------------------------

export interface ConnectionKind {
  kind: string;
  title: string;
  icon: string;
  help: string;
  fields: JsonSchema;
  secret_fields: string[];
  defaults: { [field: string]: Json };
}

export interface Connection {
  id: string;
  kind: string;
  name: string;
  status: "untested" | "working" | "broken";
  status_detail: string | null;
  used_by: number;
  owner: string | null;
  tested_at: Instant | null;
  /** Fields that are not secret, as stored. */
  public: { [field: string]: Json };
  /** Names of the secret fields that have a value. */
  secrets_set: string[];
  /** The ends of the secrets, to tell them apart. */
  last_four: { [field: string]: string };
  /** The person may change it. */
  mine: boolean;
  created_at: Instant;
  updated_at: Instant;
}

export interface ConnectionTest {
  ok: boolean;
  message: string;
}

// --- the live socket --------------------------------------------------------------------------------------------

/** The rows of a run that changed in (after, seq], with the run's own fields as of `seq`. */
export interface RunChange {
  type: "changes";
  run: string;
  after: number;
  seq: number;
  state: Partial<Run>;
  steps: RunStep[];
}

export type ServerMessage =
  | RunChange
  | { type: "runs"; items: Run[] }
  | { type: "gone"; run: string }
  | { type: "pong" };

export type ClientMessage =
  | { type: "subscribe"; run: string; after: number }
  | { type: "subscribe"; topic: "runs"; workflow: string | null }
  | { type: "unsubscribe"; run: string }
  | { type: "unsubscribe"; topic: "runs" }
  | { type: "ping" };
