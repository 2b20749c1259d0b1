import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import { refreshWorkflow, workspacePath } from "../../../api/queries";
import { useWorkspace } from "../../../api/session";
import type { HeldVersion, Workflow } from "../../../api/types";

export interface LetGo {
  per_minute?: number | null;
  at_once?: number | null;
  trial?: boolean;
  version?: "published" | "own";
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

/** Under which versions the held runs came; asked for while `waiting` of them are there. */
export function useHeldVersions(workflow: Workflow, waiting: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "held-versions", workflow.id, waiting],
    queryFn: ({ signal }) => api.get<{ items: HeldVersion[] }>(`${workspacePath(workspace)}/workflows/${workflow.id}/held-versions`, { signal }),
    enabled: waiting > 0,
  });
}

/** The whole number that was typed, or null where it will not do. */
export function wholeNumber(text: string, least: number, most: number): number | null {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}
