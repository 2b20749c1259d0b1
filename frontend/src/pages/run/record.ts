import type { TrailEntry } from "../../api/types";

export const GROUPS = ["run", "steps", "people", "workers"] as const;
export type Group = (typeof GROUPS)[number];

/** Kinds that have words of their own. */
export const KINDS = new Set([
  "accepted", "changed", "worked", "claim", "release", "set_aside", "cancel", "resume", "decide", "retried", "undone", "pause", "hold", "let_go", "set_version", "try_now",
]);
/** Owners that have words of their own. */
export const OWNERS = new Set(["worker", "next_worker", "clock", "outside", "people", "everybody", "own_runs", "operator", "workflow"]);
/** Programs that have words of their own, in place of a person. */
export const PROGRAMS = new Set(["api", "run", "workflow", "millrace", "webhook", "schedule"]);
/** Statuses that have words of their own: of runs, of steps, and of tries that touch the world. */
const STATES = new Set([
  "accepted", "running", "waiting_timer", "waiting_event", "waiting_human", "parked", "compensating", "completed", "compensated", "cancelled",
  "dead_lettered", "ready", "retrying", "waiting", "succeeded", "failed", "skipped", "intent", "in_doubt", "abandoned",
]);
const OF_WORKERS = new Set(["claim", "release", "set_aside"]);

/** A status in the reader's words. */
export function stateWords(t: (key: string) => string, status: string): string {
  return STATES.has(status) ? t(`state.${status}`) : status;
}

/** The key of why a paused run waits: who paused it, or what it was paused together with. */
export function pausedWords(name: string): string {
  if (name === "run") return "because.pausedWithRun";
  if (name === "workflow") return "because.pausedWithWorkflow";
  return name === "api" ? "because.pausedByApi" : "because.paused";
}

/** What an event is about: the run itself, its steps, what people did, or which worker had it. */
export function groupOf(entry: Pick<TrailEntry, "kind" | "by">): Group {
  if (entry.kind === "worked") return "steps";
  if (OF_WORKERS.has(entry.kind)) return "workers";
  if (entry.kind === "accepted" || entry.kind === "changed") return "run";
  return "people";
}
