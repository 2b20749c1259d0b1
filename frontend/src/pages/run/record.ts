import type { TrailEntry } from "../../api/types";

export const GROUPS = ["run", "steps", "people", "workers"] as const;
export type Group = (typeof GROUPS)[number];

/** Kinds that have words of their own. */
export const KINDS = new Set([
  "accepted", "changed", "worked", "claim", "release", "set_aside", "cancel", "resume", "decide", "retried", "undone", "pause", "let_go",
]);
/** Owners that have words of their own. */
export const OWNERS = new Set(["worker", "next_worker", "clock", "outside", "people", "everybody", "own_runs", "operator", "workflow"]);
const OF_WORKERS = new Set(["claim", "release", "set_aside"]);

/** What an event is about: the run itself, its steps, what people did, or which worker had it. */
export function groupOf(entry: Pick<TrailEntry, "kind" | "by">): Group {
  if (entry.kind === "worked") return "steps";
  if (OF_WORKERS.has(entry.kind)) return "workers";
  if (entry.kind === "accepted" || entry.kind === "changed") return "run";
  return "people";
}
