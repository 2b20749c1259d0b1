/** What knocked at one workflow, and what became of it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { EventShape, RepeatShape, WholeEvent } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Page } from "../../api/types";

export interface EventSearch {
  /** Only what started nothing. */
  why?: true;
  since?: string;
  until?: string;
  event?: string;
}

const EVERY = 5_000;

function asked(workflow: string, search: EventSearch) {
  return {
    workflow,
    since: search.since ? new Date(search.since).toISOString() : undefined,
    until: search.until ? new Date(search.until).toISOString() : undefined,
  };
}

/** A list that is read page by page, and anew every few seconds. */
function usePages<T>(name: string, path: string, asks: Record<string, string | boolean | undefined>, enabled = true) {
  const workspace = useWorkspace().id;
  const query = { ...asks, limit: 50 };
  return useInfiniteQuery({
    queryKey: [workspace, name, query],
    queryFn: ({ pageParam, signal }) => api.get<Page<T>>(`${workspacePath(workspace)}${path}`, { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
    enabled,
  });
}

export function useStartEvents(workflow: string, search: EventSearch) {
  return usePages<EventShape>("events", "/events", { ...asked(workflow, search), not_started: search.why ? true : undefined });
}

/** What came again, and so started nothing: asked for where that is the question. */
export function useAgain(workflow: string, search: EventSearch) {
  return usePages<RepeatShape>("repeats", "/events/repeats", asked(workflow, search), search.why === true);
}

export function useWholeEvent(id: string | undefined) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "event", id],
    queryFn: ({ signal }) => api.get<WholeEvent>(`${workspacePath(workspace)}/events/${id}`, { signal }),
    enabled: id !== undefined,
  });
}
