import type { Run } from "../../api/types";
import { runIsFinished } from "../../ui";

const PROGRAMS = new Set(["api", "schedule", "run"]);

/** The key of who cancelled a run, or asked for that; null where nobody did, or where it came too late. */
export function cancelWords({ status, cancelled }: Pick<Run, "status" | "cancelled">): string | null {
  if (cancelled === null || status === "completed" || status === "dead_lettered") return null;
  const who = PROGRAMS.has(cancelled.by) ? cancelled.by : cancelled.by === "" ? "somebody" : "person";
  return `cancelled.${runIsFinished({ status }) || status === "compensating" ? "by" : "asked"}.${who}`;
}
