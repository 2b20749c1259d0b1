import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import { refreshWorkflow, workspacePath } from "../../../api/queries";
import { useWorkspace } from "../../../api/session";
import type { Workflow } from "../../../api/types";

export interface LetGo {
  per_minute?: number | null;
  at_once?: number | null;
  trial?: boolean;
}

export interface Hold {
  reason?: string;
  open_runs?: "finish" | "hold";
}

/** Pausing a workflow that goes on accepting, and letting go what it holds. */
export function useControl(workflow: Workflow, onDone?: () => void) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const path = `${workspacePath(workspace)}/workflows/${workflow.id}`;
  const onSuccess = async () => {
    await refreshWorkflow(client, workspace, workflow.id);
    onDone?.();
  };
  const hold = useMutation({ mutationFn: (body: Hold) => api.post(`${path}/hold`, body), onSuccess });
  const letGo = useMutation({ mutationFn: (body: LetGo) => api.post(`${path}/let-go`, body), onSuccess });
  return { hold, letGo };
}

/** The whole number that was typed, or null where it will not do. */
export function wholeNumber(text: string, least: number, most: number): number | null {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}
