import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Happening } from "../../api/record";
import { useWorkspace } from "../../api/session";
import type { Page, Run } from "../../api/types";
import type { Narrowed } from "./events";

/** As many as a page may hold. */
export const AT_ONCE = 200;
/** While a run is at work, each page of what happened is asked for anew once in this time at most, in ms. */
const EVERY = 1000;

export const happeningsKey = (workspace: string, run: string) => [workspace, "happenings", run];

/** What happened in the run, page by page; what is shown of it is read anew when the run has changed. */
export function useHappenings(run: Run, { only, node }: Narrowed) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const path = `${workspacePath(workspace)}/runs/${run.id}/happenings`;
  const list = useInfiniteQuery({
    queryKey: [...happeningsKey(workspace, run.id), only, node],
    queryFn: ({ pageParam, signal }) => api.get<Page<Happening>>(path, { query: { limit: AT_ONCE, cursor: pageParam, only, node }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
  const known = useRef({ seq: run.seq, at: 0 });
  const { isFetching } = list;
  const pages = list.data?.pages.length ?? 1;
  useEffect(() => {
    // What is being read is read to its end: broken off each second, a long story would never be.
    if (known.current.seq === run.seq || isFetching) return undefined;
    const timer = setTimeout(
      () => {
        known.current = { seq: run.seq, at: Date.now() };
        void client.invalidateQueries({ queryKey: happeningsKey(workspace, run.id) });
      },
      Math.max(0, known.current.at + EVERY * pages - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [client, workspace, run.id, run.seq, isFetching, pages]);
  const told = useMemo(() => (list.data?.pages ?? []).flatMap((page) => page.items), [list.data]);
  /** All of it, however long, for a file. */
  const whole = useCallback(async (): Promise<Happening[]> => {
    const found: Happening[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<Happening> = await api.get<Page<Happening>>(path, { query: { limit: AT_ONCE, cursor } });
      found.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found;
  }, [path]);
  return { list, told, whole };
}
