/** How a run stands that nobody works on: in line, or stuck; and what moves it on. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Run } from "./types";

export interface InLine {
  ahead: number;
  /** There are more than `ahead`. */
  more: boolean;
  seconds: number | null;
}

export interface StuckRun {
  reason: "set_aside" | "not_taken" | "lease_over" | "nobody_can_decide";
  since: Instant;
  expected_ms: number;
  workers: number;
  may_take_up: boolean;
}

export interface RunStands {
  line: InLine | null;
  stuck: StuckRun | null;
}

/** Nobody tells of these: that nothing happens is no event. */
const EVERY_MS = 5_000;

/** Of a run as of `seq`; asked again and again while it is open. */
export function useRunStands(run: string, seq: number, on: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "run-stands", run, seq],
    queryFn: ({ signal }) => api.get<RunStands>(`${workspacePath(workspace)}/runs/${run}/standing`, { signal }),
    refetchInterval: EVERY_MS,
    staleTime: 0,
    enabled: on,
  });
}

/** Do not wait for the try that follows this one. */
export function useTryNow(run: string, node: string) {
  const workspace = useWorkspace().id;
  return useMutation({
    mutationFn: (attempt: number) => api.post<Run>(`${workspacePath(workspace)}/runs/${run}/steps/${node}/try-now`, { attempt }),
  });
}

/** Let a run that was set aside be tried again. */
export function useTakeUp(run: string) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<Run>(`${workspacePath(workspace)}/runs/${run}/take-up`),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "run-stands", run] }),
  });
}
