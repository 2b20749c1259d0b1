/** What the server says of a workflow that is paused, and when it is paused by itself. */

/** A workflow that is paused and still accepts. */
export interface WorkflowHold {
  mode: "held" | "trying" | "draining" | string;
  since: string;
  by: string | null;
  cause: "person" | "failures" | string;
  reason: string;
  failures: number;
  /** Of how many runs; 0 where they failed in a row. */
  runs: number;
  last_failure: string;
  last_failed_run: string | null;
  open_runs: string;
  trial: string | null;
  trial_run: string | null;
  per_minute: number | null;
  at_once: number | null;
  drained_by: string | null;
  drained_since: string | null;
  let_go: number;
  waiting: number;
  under_way: number;
  /** The first of those that were let go that somebody paused, where the others wait for it. */
  paused_run: string | null;
}

/** Held runs that came under one version: how many, and how many could go with the one published now. */
export interface HeldVersion {
  number: number;
  live: boolean;
  count: number;
  fits: number;
}

/** When a workflow is paused by itself; 0 is never. */
export interface WorkflowBreaker {
  failures: number;
  percent: number;
  minutes: number;
}
