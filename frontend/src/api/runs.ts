/** Runs, their steps and tries, what may be done about them, and dead letters. */

import type { GroupSaid, Suggested } from "./letterGroups";
import type { LettersWith } from "./sendings";
import type { GraphDocument, Json } from "../graph/types";
import type { RunStatus, StepStatus } from "../ui/status";
import type { Instant } from "./types";

export type RunOutcome = "done" | "stopped" | "filtered" | "skipped" | "done_with_failures";

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
  /** Its number, from 0: the first item waited for that somebody paused. */
  paused_item?: number | null;
  /** Its number, from 0: the first item waited for that waits for people. */
  asking_item?: number | null;
  /** What these are: items, turns, or the run of another workflow. */
  of?: "items" | "turns" | "call";
  /** The workflow that it waits for a run of, where that is paused and holds it. */
  held_workflow?: string | null;
  /** The names of those it waits for; empty: anybody. */
  people?: string[];
  /** Where it waits for its turn: at which connection, and how much that takes. */
  connection?: string | null;
  connection_name?: string;
  calls?: number | null;
  period_ms?: number | null;
  at_once?: number | null;
  /** The other system has asked for it. */
  paused_until?: Instant | null;
  /** Why the connection is broken, where it waits for somebody to repair that. */
  broken?: string | null;
  /** Of a list whose items may begin at some times only: when it goes on. */
  goes_on_at?: Instant | null;
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
  /** Of a step that is done, within its runs that are: how many items are not, and how many workflows failed that were only started. */
  failed_inside: number;
  failed_calls: number;
  /** Of a step that has ended: those that failed and are settled by hand; they are none of `failed`. */
  solved: number;
  /** Of a step that has ended: those that people skipped; they are none of `done`. */
  left_out: number;
}

/** What somebody said of a run that failed, or of an item of a list that they skipped. `by`: a name, or api · run (the run around it). */
export interface Solved {
  how: "elsewhere" | "discarded" | "skipped";
  by: string;
  reason: string;
  at: Instant;
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
  /** Of a run that is done: how many of its own items did not end well, and how many workflows that it only started. */
  failed_items: number;
  failed_calls: number;
  solved: Solved | null;
  /** Somebody gave it something else than its list did. */
  corrected: boolean;
}

/** That a run was asked to end. `by`: a name, or api · schedule · run (with the run around it). `reason`: empty where nobody said. */
export interface Cancelled {
  at: Instant;
  by: string;
  reason: string;
}

export type ItemFilter = "all" | "failed" | "solved" | "skipped" | "open" | "done";

/** A field that a run is found by. `text`: as it was given. */
export interface RunField {
  name: string;
  label: string;
  kind: "text" | "number" | "amount" | "date";
  text: string;
  currency: string;
}

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
  /** The name of the person who started it; null where nobody did. */
  started_by_name: string | null;
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
  /** Of a run that is done: how many items of its containers are not; 100 for so many or more. */
  failed_items: number;
  /** And how many runs of other workflows failed that it began without waiting for their end. */
  failed_calls: number;
  cancelled: Cancelled | null;
  /** Of one that failed, where somebody said since that nothing more is to be done. */
  solved: Solved | null;
  /** Since when the data of its steps is gone, by a rule of the workspace. */
  data_removed_at: Instant | null;
  /** What it is found by beside its key, as far as that is known. */
  fields: RunField[];
  /** The words that people have put on it. */
  tags: string[];
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
  /** Which worker made it; null where that is not on record. */
  worker: string | null;
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
export type Known = "harmless" | "happened" | "refused" | "same_key" | "in_doubt" | "undone" | "called";

/** What becomes of one of the runs that a step has begun; `open`: it is under way already. */
export type ItemFate = "again" | "repeats" | "asks" | "open";

/** What becomes of all of them. */
export interface PlanItems {
  total: number;
  kept: number;
  /** Gone on with. */
  again: number;
  /** Gone on with only where somebody says that they may do something a second time. */
  repeats: number;
  /** Left as they are until somebody decides. */
  asks: number;
  open: number;
  /** Begun for the first time; null: not known beforehand. */
  next: number | null;
  /** The step is given the same as before. */
  same: boolean;
  /** Of a call whose run goes on with another version of its workflow than it had: that one's number. */
  version: number | null;
}

/** One of them that is not kept. */
export interface PlanItem {
  run_id: string;
  index: number;
  label: string | null;
  status: RunStatus;
  fate: ItemFate | string;
  error: RunError | null;
}

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
  items: PlanItems | null;
  /** What people call the system that can be asked now whether it happened, empty where nothing names it; else null. */
  asks: string | null;
}

/** In which of a plan's steps the live version (`after`) differs from the run's own (`before`); names of other steps. */
export interface PlanChanges {
  before: number;
  after: number;
  changed: { node: string; name: string; fields: string[] }[];
  added: string[];
  removed: string[];
}

export interface RetryPlan {
  id: string;
  generation: number;
  version: number;
  /** To choose from: the run's own first, then the live one. */
  versions: number[];
  /** Null where there is no choice. */
  changes: PlanChanges | null;
  steps: PlanStep[];
  /** Keys of steps that forbid the version. */
  incompatible: string[];
  /** Names of steps that the version lacks, and of which nobody knows whether they happened: they forbid it, too. */
  dropped: string[];
  /** Names of steps that the version lacks, and whose work outside stands: they forbid it, too. */
  missing: string[];
  /** It waits until the run around it is resumed. */
  paused_around: boolean;
  /** Its workflow is paused, still accepting; the run goes on all the same. */
  workflow_held: boolean;
}

export interface Decision {
  decision: "happened" | "send_again";
  output: Json;
}

/** What becomes of something that a run did, when it is undone. */
export type UndoFate = "undo" | "again" | "undone" | "stays" | "nothing" | "apart";

/** What becomes of the runs that a step has begun, when it is undone. */
export interface UndoItems {
  total: number;
  undo: number;
  undone: number;
  nothing: number;
  /** Somebody has to look at them first. */
  asks: number;
  /** Nothing undoes what they did. */
  stays: number;
  open: number;
  /** Of so many of these nobody knows whether something was undone. */
  unknown: number;
  /** Steps in them that stay done, by name. */
  left: string[];
}

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
  items: UndoItems | null;
  /** When the call began that this is about: a step may have made more than one. */
  done_at: Instant | null;
}

export interface UndoPlan {
  id: string;
  generation: number;
  /** The run is over, and something is left to undo. */
  possible: boolean;
  /** In the order in which it is undone. */
  steps: UndoLine[];
}

/** What undoing an open run would do, from the failure it asks people about; `why` it cannot be, if so. */
export interface AskedUndoPlan extends UndoPlan {
  why: "no_failure" | "over" | "below" | "doubt" | "unsure" | "nothing" | null;
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
  /** They are items of batches. */
  are_items: boolean;
  count: number;
  first_at: Instant;
  last_at: Instant;
  /** It is paused, still accepting; what somebody retries goes on all the same. */
  workflow_held: boolean;
  /** How many came in each 24 hours of the last seven days, the oldest first. */
  days: number[];
  /** What its runs are worth, by currency. */
  affects: { currency: string; amount: string }[];
  /** The connection by which they failed was repaired since; so many failed before. */
  repaired: { connection: string; name: string; at: Instant; count: number } | null;
  said: GroupSaid;
  suggested: Suggested;
  /** With whom some of them are, most of them first. */
  sent: LettersWith[];
}

export interface DeadLetters {
  items: DeadLetterGroup[];
  count: number;
  /** Where none waits for a decision at all: which was solved last. */
  last_solved: { at: Instant; by: string | null } | null;
}

export interface DeadLetter {
  run: Run;
  message: string;
  at: Instant;
  /** With whom it is. */
  sent: LettersWith | null;
}

/** What came of retrying one of several. asks: its plan needs somebody's word. */
export interface RetryOutcome {
  run: string;
  outcome: "retried" | "asks" | "refused";
  message: string;
}
