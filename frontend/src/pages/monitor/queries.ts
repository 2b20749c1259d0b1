/** What the monitor asks for, again every few seconds; meanwhile what is shown stays. */
import { useQuery } from "@tanstack/react-query";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { MonitorShape, StandingShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import { type MonitorSearch, queryOf } from "./range";

const EVERY = 5_000;

export function useMonitor(search: MonitorSearch, on: boolean) {
  const workspace = useWorkspace().id;
  const query = queryOf(search);
  return useQuery({
    queryKey: [workspace, "monitor", query],
    queryFn: ({ signal }) => api.get<MonitorShape>(`${workspacePath(workspace)}/monitor`, { query, signal }),
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
    enabled: on,
  });
}

export function useStanding(workflow: string | undefined, on: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "monitor-now", workflow ?? null],
    queryFn: ({ signal }) => api.get<StandingShape>(`${workspacePath(workspace)}/monitor/now`, { query: { workflow: workflow ?? null }, signal }),
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
    enabled: on,
  });
}
