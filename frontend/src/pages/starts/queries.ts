/** What this screen asks for: how much came again, which, and the starts for past times. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { BackfillPlanShape, BackfillShape, FiguresShape, RepeatShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";

export type Kind = "duplicate" | "conflict";
export const DAYS = [1, 7, 30] as const;
const EVERY = 5000;

export interface Range {
  trigger: string;
  begin: string;
  end: string;
}

export function useFigures(workflow: string, days: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "repeat-figures", workflow, days],
    queryFn: ({ signal }) => api.get<FiguresShape>(`${workspacePath(workspace)}/events/figures`, { query: { workflow, days }, signal }),
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

export function useRepeats(workflow: string, kind: Kind | null) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "repeats", workflow, kind],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ items: RepeatShape[]; next_cursor: string | null }>(`${workspacePath(workspace)}/events/repeats`, {
        query: { workflow, kind, limit: 20, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

function backfillsPath(workspace: string, workflow: string): string {
  return `${workspacePath(workspace)}/workflows/${workflow}/backfills`;
}

/** Asked again while starts wait. */
export function useBackfills(workflow: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "backfills", workflow],
    queryFn: async ({ signal }) => (await api.get<{ items: BackfillShape[] }>(backfillsPath(workspace, workflow), { signal })).items,
    refetchInterval: (query) => (query.state.data?.some((one) => one.waiting > 0) ? 2000 : false),
    staleTime: 0,
  });
}

export function planBackfill(workspace: string, workflow: string, range: Range): Promise<BackfillPlanShape> {
  return api.post<BackfillPlanShape>(`${backfillsPath(workspace, workflow)}/plan`, { ...range });
}

export function startBackfill(workspace: string, workflow: string, range: Range, together: boolean): Promise<BackfillShape> {
  return api.post<BackfillShape>(backfillsPath(workspace, workflow), { ...range, together });
}

export function stopBackfill(workspace: string, workflow: string, id: string): Promise<BackfillShape> {
  return api.post<BackfillShape>(`${backfillsPath(workspace, workflow)}/${id}/stop`, {});
}
