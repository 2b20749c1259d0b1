/** Mending a failed step: the run stops at it, and goes on from it with other settings. */
import type { BulkRetryDetail } from "../../api/bulkRetries";
import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Fixable, Json, RetryPlan, Run, TaskDetail } from "../../api/types";
import { parseExact } from "../../graph/exact";

/** The step cannot be given that: the server's sentence. */
export class NotFixable extends Error {}

/** The run has stopped at the step, and could not be gone on with: the server's sentence. */
export class NotGoneOn extends Error {}

export interface Mend {
  workspace: string;
  task: Pick<TaskDetail, "id" | "node"> & { run: Pick<Run, "id"> };
  settings: { [name: string]: Json };
  /** What stands beside the decision to stop. */
  comment: string;
  /** What is done now, for whoever watches. */
  onStage: (stage: "checking" | "stopping" | "going") => void;
}

const PAUSE_MS = 500;
/** Other branches of the run may have something to end first. */
const LOOKS = 60;

export const readFix = (workspace: string, id: string, signal?: AbortSignal) =>
  api.get<Fixable>(`${workspacePath(workspace)}/inbox/${id}/fix`, { ...(signal ? { signal } : {}), parse: parseExact });

/**
 * Checks the settings, and only then gives up at the step and goes on with them: one deed, which the server carries out
 * to its end whoever closes the page. "noted": other branches of the run have something to end first.
 */
export async function mend({ workspace, task, settings, comment, onStage }: Mend): Promise<"gone_on" | "noted"> {
  const path = workspacePath(workspace);
  const here = `${path}/inbox/${task.id}`;
  onStage("checking");
  const { problem } = await api.post<{ problem: string | null }>(`${here}/fix/check`, { settings });
  if (problem !== null) throw new NotFixable(problem);
  const { ended } = await readFix(workspace, task.id);
  if (!ended) {
    onStage("stopping");
    const made = await api.post<{ bulk_retry: string }>(`${here}/fix`, { settings, comment }, { idempotencyKey: newIdempotencyKey() });
    for (let look = 0; look < LOOKS; look += 1) {
      onStage("going");
      const bulk = await api.get<BulkRetryDetail>(`${path}/dead-letters/bulk-retries/${made.bulk_retry}`);
      if (bulk.begun > 0) return "gone_on";
      if (bulk.runs[0]) throw new NotGoneOn(bulk.runs[0].message);
      if (!bulk.open) return "noted";
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return "noted";
  }
  onStage("going");
  const plan = await api.get<RetryPlan>(`${path}/runs/${task.run.id}/retry-plan`, { parse: parseExact });
  const body = { plan: plan.id, start: [], version: null, edits: { [task.node]: settings }, decisions: {}, repeats: [] };
  await api.post<Run>(`${path}/runs/${task.run.id}/retry`, body, { idempotencyKey: newIdempotencyKey() });
  return "gone_on";
}
