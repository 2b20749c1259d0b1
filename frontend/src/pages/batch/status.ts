import type { Batch } from "../../api/batches";
import type { Run } from "../../api/types";
import { runStatusKind, type StatusKind } from "../../ui";

/** How a batch stands in one word: its run's, until the step has ended; then its own. */
export function statusOf(batch: Batch, run: Run): StatusKind {
  if (batch.finished_at === null) return runStatusKind(run);
  return batch.failed > 0 ? (batch.status === "failed" ? "failed" : "done_with_failures") : "done";
}
