/** A mail now to those whose answer a question waits for. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant } from "./types";

const HOUR = 3_600_000;

/** They are written to at most once an hour, whoever wants it; whether that was so lately. */
export function remindedLately(at: Instant | null, now: number): boolean {
  return at !== null && now - Date.parse(at) < HOUR;
}

export function useRemind(task: string) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<{ told: number }>(`${workspacePath(workspace)}/inbox/${task}/remind`, {}, { idempotencyKey: newIdempotencyKey() }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "inbox"] }),
  });
}
