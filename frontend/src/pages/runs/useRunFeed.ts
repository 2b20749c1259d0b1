import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { api } from "../../api/client";
import { type RunFilters, runsQuery, useRuns, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Page, Run } from "../../api/types";
import { useLiveRuns } from "../../live";

type Pages = InfiniteData<Page<Run>, string | null>;

/** How long after the last news the server is asked which of them a search would show. */
const ASK_AFTER = 1200;

/** Puts newer states of known runs in their places. Nothing moves under the cursor. */
export function withUpdates(pages: Pages, updates: ReadonlyMap<string, Run>): Pages {
  let touched = false;
  const next = pages.pages.map((page) => {
    if (!page.items.some((run) => updates.has(run.id))) return page;
    touched = true;
    const items = page.items.map((run) => {
      const update = updates.get(run.id);
      return update && update.seq >= run.seq ? { ...run, ...update } : run;
    });
    return { ...page, items };
  });
  return touched ? { ...pages, pages: next } : pages;
}

export function fits(run: Run, filters: RunFilters): boolean {
  if (filters.workflow && run.workflow.id !== filters.workflow) return false;
  if (filters.mode && run.mode !== filters.mode) return false;
  if (filters.status && filters.status.length > 0 && !filters.status.includes(run.status)) return false;
  // A search is answered by the server alone.
  return !filters.q;
}

/** Whether new runs stand on top of such a list, so that they can be counted there. */
export function isLive(filters: RunFilters): boolean {
  return (filters.sort === undefined || filters.sort === "newest") && !filters.until;
}

/** The run list with live updates: known rows change in place, new ones are counted until the reader asks for them.
 * `live` off: it stays as it was when it was asked for. */
export function useRunFeed(filters: RunFilters, limit = 50, live = true) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const list = useRuns(filters, limit, live);
  const key = useMemo(() => runsQuery(workspace, filters, limit).queryKey, [workspace, filters, limit]);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const asking = useRef<ReturnType<typeof setTimeout> | null>(null);

  useEffect(() => {
    setFresh(new Set());
    return () => {
      if (asking.current) clearTimeout(asking.current);
      asking.current = null;
    };
  }, [key, live]);

  const knownIds = (): Set<string> =>
    new Set(client.getQueryData<Pages>(key)?.pages.flatMap((page) => page.items.map((run) => run.id)) ?? []);
  const add = (added: readonly string[]): void => {
    if (added.length === 0) return;
    // An empty list has nothing under the cursor that could move.
    if (knownIds().size === 0) void client.invalidateQueries({ queryKey: key });
    else setFresh((before) => new Set([...before, ...added]));
  };

  useLiveRuns(filters.workflow ?? null, (runs) => {
    const pages = client.getQueryData<Pages>(key);
    if (!pages) return;
    const known = knownIds();
    const updates = new Map(runs.filter((run) => known.has(run.id)).map((run) => [run.id, run]));
    if (updates.size > 0) client.setQueryData<Pages>(key, (before) => before && withUpdates(before, updates));
    const others = runs.filter((run) => !known.has(run.id));
    if (others.length === 0 || !isLive(filters)) return;
    if (!filters.q) {
      add(others.filter((run) => fits(run, filters)).map((run) => run.id));
      return;
    }
    // Of a search only the server knows what it would find.
    asking.current ??= setTimeout(() => {
      asking.current = null;
      void api
        .get<Page<Run>>(`${workspacePath(workspace)}/runs`, { query: { ...filters, limit } })
        .then(({ items }) => {
          const shown = knownIds();
          const newest = [...shown].sort().at(-1) ?? "";
          add(items.map((run) => run.id).filter((id) => !shown.has(id) && id > newest));
        })
        .catch(() => undefined);
    }, ASK_AFTER);
  }, live);

  const runs = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  // Rows that a refetch has brought meanwhile are not new any more.
  const freshCount = useMemo(() => {
    const shown = new Set(runs.map((run) => run.id));
    return [...fresh].filter((id) => !shown.has(id)).length;
  }, [fresh, runs]);

  const showFresh = async () => {
    setFresh(new Set());
    // Only the first page is asked for again; older pages follow when they are wanted.
    client.setQueryData<Pages>(key, (before) =>
      before && before.pages.length > 1
        ? { pages: before.pages.slice(0, 1), pageParams: before.pageParams.slice(0, 1) }
        : before,
    );
    await client.invalidateQueries({ queryKey: key });
  };

  return { list, runs, freshCount, showFresh };
}
