/** Steps that wait for their link or for an event. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Items, Json } from "./types";

/** by: a person's name, `link`, `run` (a step of another run sent the event) or `api`. */
export type SignalWait = {
  node: string;
  generation: number;
  kind: "link" | "event";
  status: "open" | "resumed" | "late" | "cancelled";
  title: string;
  name: string;
  key: string;
  due_at: Instant | null;
  created_at: Instant;
  closed_at: Instant | null;
  by: string | null;
};

const pathOf = (workspace: string, run: string) => `${workspacePath(workspace)}/runs/${run}/waits`;

/** The waits of a run whose step has come to `seq`. */
export function useWaits(run: string, seq: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "waits", run, seq],
    queryFn: async ({ signal }) => (await api.get<Items<SignalWait>>(pathOf(workspace, run), { signal })).items,
  });
}

/** The address that moves a step on. */
export function useResumeLink(run: string, node: string) {
  const workspace = useWorkspace().id;
  return async () => (await api.get<{ url: string }>(`${pathOf(workspace, run)}/${node}/link`)).url;
}

/** Let a step go on, with this as what came. */
export function useResume(run: string, node: string) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (data: Json) => api.post<SignalWait>(`${pathOf(workspace, run)}/${node}/resume`, { data }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "waits", run] }),
  });
}
