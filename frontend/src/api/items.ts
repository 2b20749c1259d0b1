/** The items of a container, each of which is a run of its own. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { api } from "./client";
import { fetchSnapshot, workspacePath } from "./queries";
import { useWorkspace } from "./session";
import { useSlowed } from "./slowed";
import type { ItemFilter, Page, PlanItem, RunItem, StepItems } from "./types";

/** Changes whenever the items do, so that they are read again then. */
export function stampOf(items: StepItems | null | undefined): string {
  return items ? [items.total, items.started, items.done, items.failed, items.running, items.waiting, items.failed_inside, items.failed_calls, items.solved, items.left_out].join() : "";
}

/** A page is read again no more often than this. ms */
const SELDOM = 2_500;

/** The items of a step in their order, a page at a time; read again when the step says that they have changed, but not more often than is looked at. */
export function useItems(run: string, node: string, filter: ItemFilter, items: StepItems | null | undefined, enabled = true, search = "") {
  const workspace = useWorkspace().id;
  const found = useInfiniteQuery({
    queryKey: [workspace, "items", run, node, filter, search],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<RunItem>>(`${workspacePath(workspace)}/runs/${run}/items`, {
        query: { node, status: filter, search: search || undefined, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    enabled: enabled && items !== null && items !== undefined,
    staleTime: 0,
  });
  const stamp = useSlowed(stampOf(items), SELDOM * Math.max(1, found.data?.pages.length ?? 1));
  const read = useRef(stamp);
  const { isFetching, refetch } = found;
  useEffect(() => {
    if (read.current === stamp || isFetching) return;
    read.current = stamp;
    if (enabled) void refetch({ cancelRefetch: false });
  }, [stamp, isFetching, enabled, refetch]);
  return found;
}

/** What a retry would make of the runs of a step that it would not keep, a page at a time. */
export function usePlanItems(run: string, node: string, plan: string, asked: { start: readonly string[]; version: number | null; fate: string }) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "plan-items", run, node, plan, asked],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<PlanItem>>(`${workspacePath(workspace)}/runs/${run}/retry-plan/items`, {
        query: { node, ...asked, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** A run as it is now, to name it and to say how many items it has. */
export function useRunAbove(run: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "run-above", run],
    queryFn: ({ signal }) => fetchSnapshot(workspace, run, signal),
    staleTime: 10_000,
  });
}
