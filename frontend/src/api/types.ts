/**
 * The shapes of the HTTP API under /api/v1 and of the live socket, as the browser reads them.
 * Instants are ISO 8601 text in UTC, ids are dashed UUIDs.
 */

import type {
  Annotation, Category, FieldHints, GraphDocument, GraphEdge, GraphNode, Json, JsonSchema, PortsFrom, Problem, Severity, StepEffect, StepPort, StepSettings,
  StepSpec,
} from "../graph/types";
import type { RunStatus } from "../ui/status";
import type { WorkflowBreaker, WorkflowHold } from "./control";
import type { Run, RunStep } from "./runs";

export type * from "./control";
export type * from "./runs";
export type * from "./record";
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

export type StartPage = "home" | "inbox" | "runs" | "workflows" | "monitor";

export interface User {
  id: string;
  name: string;
  email: string;
  theme: "light" | "dark" | "system";
  language: string;
  /** For how long a decision can be taken back; 0: it takes effect at once. */
  undo_seconds: number;
  /** Where signing in and the logo lead; see `startPage.ts`. */
  start_page: StartPage;
  is_instance_admin: boolean;
}

export interface WorkspaceSummary {
  id: string;
  name: string;
  role: Role;
  language: string;
  time_zone: string;
  currency: string;
  /** Names of fields whose values are shown to nobody unasked. */
  sensitive_fields: string[];
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
  /** Signing in asks for a code, too. */
  second_factor: boolean;
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
  /** It acts as the person who looks, who alone may replace it. */
  mine: boolean;
  /** The one made in its place: until this one expires, both are accepted. */
  replaced_by: string | null;
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
  all: number;
  done: number;
  failed: number;
  /** They failed and were undone: not among `failed`. */
  undone: number;
  waiting: number;
  running: number;
}

/** A workflow, what one did to it last, and when. */
export interface RecentWorkflow {
  workflow: Workflow;
  did: "edited" | "published" | "ran" | "tested";
  at: string;
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
  last_run: { id: string; status: RunStatus; outcome: string | null; failed_items: number; failed_calls: number; undo_incomplete: boolean; at: Instant } | null;
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
  /** Of a schedule: in which zone its times are meant. */
  time_zone: string | null;
  /** What is posted to try it, where something is known. */
  sample: Json;
  curl: string | null;
  /** Of a button: its form. */
  form: { [name: string]: Json } | null;
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
  /** How many calls it takes, for all workflows together; null: any number. */
  budget: ConnectionBudget | null;
  /** What it is for; empty where nobody said so. */
  environment: string;
  /** The last day on which the other system takes it. */
  expires_on: string | null;
  /** To within five minutes. */
  last_used_at: Instant | null;
  /** Whether what calls by it fails where it is broken, or waits. */
  if_broken: "fail" | "wait";
  /** What waits for it now. */
  broken: { since: Instant; reason: string; waiting: number } | null;
  repaired_at: Instant | null;
  /** Others come in by its secret, and none goes out. */
  lets_in: boolean;
  rotated_at: Instant | null;
  /** The secret before, which is accepted too. */
  previous: { until: Instant | null; last_used_at: Instant | null; present_used_at: Instant | null } | null;
  created_at: Instant;
  updated_at: Instant;
}

/** At most so many `calls` in any such time, `at_once` under way; null: any number. And how that stands now. */
export interface ConnectionBudget {
  calls: number | null;
  per: "second" | "minute" | "hour" | "day";
  at_once: number | null;
  used: number;
  under_way: number;
  waiting: number;
  /** The other system has asked for it, by this status. */
  paused_until: Instant | null;
  paused_status: number | null;
}

export interface ConnectionTest {
  ok: boolean;
  message: string;
  /** What the other system shows: once somebody has compared it, the field is given this value. */
  confirm: { field: string; value: string } | null;
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
  | { type: "absences" }
  | { type: "figures" }
  | { type: "pong" };

export type ClientMessage =
  | { type: "subscribe"; run: string; after: number }
  | { type: "subscribe"; topic: "runs"; workflow: string | null }
  | { type: "unsubscribe"; run: string }
  | { type: "unsubscribe"; topic: "runs" }
  | { type: "subscribe" | "unsubscribe"; topic: "figures" }
  | { type: "ping" };
