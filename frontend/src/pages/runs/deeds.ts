import type { BulkKind } from "../../api/runSearch";
import type { Run } from "../../api/types";
import { runIsFinished } from "../../ui";

/** What a row of the list offers for its run, beside opening it. */
export function deedsOf(run: Pick<Run, "status" | "cancel_requested" | "solved">): BulkKind[] {
  if (run.status === "dead_lettered") return run.solved ? [] : ["retry"];
  return runIsFinished(run) || run.cancel_requested ? [] : ["cancel"];
}
