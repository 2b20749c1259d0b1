/** Mending a failed step: the run stops at it, and goes on from it with other settings. */
import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Fixable, Json, RetryPlan, Run, TaskDetail } from "../../api/types";
import { parseExact } from "../../graph/exact";

/** The step cannot be given that: the server's sentence. */
export class NotFixable extends Error {}

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
 * Checks the settings, and only then gives up at the step and goes on with them. Each of the two is a deed of its own, on
 * record: what breaks off between them leaves a run that has stopped, and that the next try goes on with.
 */
export async function mend({ workspace, task, settings, comment, onStage }: Mend): Promise<void> {
  const path = workspacePath(workspace);
  const here = `${path}/inbox/${task.id}`;
  onStage("checking");
  const { problem } = await api.post<{ problem: string | null }>(`${here}/fix/check`, { settings });
  if (problem !== null) throw new NotFixable(problem);
  let { ended } = await readFix(workspace, task.id);
  if (!ended) {
    onStage("stopping");
    await api.post(`${here}/decide`, { outcome: "give_up", comment, answers: {}, output: null, undo: false }, { idempotencyKey: newIdempotencyKey() });
    for (let look = 0; !ended && look < LOOKS; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      ended = (await api.get<Run>(`${path}/runs/${task.run.id}`)).finished_at !== null;
    }
  }
  onStage("going");
  const plan = await api.get<RetryPlan>(`${path}/runs/${task.run.id}/retry-plan`, { parse: parseExact });
  const body = { plan: plan.id, start: [], version: null, edits: { [task.node]: settings }, decisions: {}, repeats: [] };
  await api.post<Run>(`${path}/runs/${task.run.id}/retry`, body, { idempotencyKey: newIdempotencyKey() });
}
