/** What the monitor asks for, again when the server says that it has changed; meanwhile what is shown stays. */
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { MonitorShape, StandingShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import { useLiveFigures } from "../../live";
import { type MonitorSearch, queryOf } from "./range";

const EVERY = 5_000;
/** Times go on although nothing happens: how long the first waits, when a worker was heard of. */
const EVERY_LIVE = 15_000;

/** Reads all of the monitor anew when its figures have changed. How often it is to be asked for besides. */
export function useMonitorLive(): number {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const open = useLiveFigures(() => {
    // What is under way is let come: on a slow line a new question each time would never be answered.
    for (const name of ["monitor", "monitor-now"]) void client.invalidateQueries({ queryKey: [workspace, name] }, { cancelRefetch: false });
  });
  return open ? EVERY_LIVE : EVERY;
}

export function useMonitor(search: MonitorSearch, on: boolean, every: number) {
  const workspace = useWorkspace().id;
  const query = queryOf(search);
  return useQuery({
    queryKey: [workspace, "monitor", query],
    queryFn: ({ signal }) => api.get<MonitorShape>(`${workspacePath(workspace)}/monitor`, { query, signal }),
    placeholderData: (before) => before,
    refetchInterval: every,
    staleTime: 0,
    enabled: on,
  });
}

export function useStanding(workflow: string | undefined, on: boolean, every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "monitor-now", workflow ?? null],
    queryFn: ({ signal }) => api.get<StandingShape>(`${workspacePath(workspace)}/monitor/now`, { query: { workflow: workflow ?? null }, signal }),
    placeholderData: (before) => before,
    refetchInterval: every,
    staleTime: 0,
    enabled: on,
  });
}
