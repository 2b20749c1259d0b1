/** Finding runs: what they can be found by, how many there are, saved searches, and what is done to many of them. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { postOnce } from "./bulkRetries";
import { api, newIdempotencyKey } from "./client";
import { lastWins } from "./lastWins";
import { type RunFilters, workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Items, RunField } from "./types";

export type SearchFieldKind = "text" | "number" | "amount" | "date";

/** A field that runs can be found by. */
export interface SearchField {
  name: string;
  label: string;
  kind: SearchFieldKind;
  workflows: string[];
}

export interface RunCount {
  count: number;
  more: boolean;
}

/** What a list of runs is asked for, as its address and saved searches hold it. */
export interface SavedSearch {
  q: string | null;
  status: string[];
  workflow: string | null;
  mode: string | null;
  since: string | null;
  until: string | null;
  sort: string | null;
}

export interface SavedRunView {
  id: string;
  name: string;
  search: SavedSearch;
  shared: boolean;
  mine: boolean;
  owner: string;
  /** The list of all runs is opened with it. */
  first: boolean;
}

export type BulkKind = "retry" | "replay" | "cancel";

export interface BulkPlan {
  total: number;
  more: boolean;
  looked_at: number;
  safe: number;
  asks: number;
  /** So many of those that ask would do something outside a second time. */
  again: number;
  refused: number;
}

/** Chosen runs, or all that a search finds. */
export type ChosenRuns = { runs: string[] } | { search: RunFilters };

/** Dead letters of a group as a bulk retry takes them: the newest, of those that had failed by then. */
export interface ChosenLetters {
  cause: string;
  sent?: string;
  count: number;
  until: string;
}

const runsPath = (workspace: string) => `${workspacePath(workspace)}/runs`;

export function useSearchFields() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "run-fields"],
    queryFn: async ({ signal }) => (await api.get<Items<SearchField>>(`${runsPath(workspace)}/fields`, { signal })).items,
    staleTime: 60_000,
  });
}

/** How many match; asked for beside the list, which does not wait for it. */
export function useRunCount(filters: RunFilters, enabled: boolean, live = true) {
  const workspace = useWorkspace().id;
  const { sort: _order, ...matching } = filters;
  return useQuery({
    queryKey: [workspace, "run-count", matching],
    queryFn: ({ signal }) => api.get<RunCount>(`${runsPath(workspace)}/count`, { query: { ...matching }, signal }),
    enabled,
    staleTime: 10_000,
    refetchOnWindowFocus: live,
    refetchOnReconnect: live,
    retry: false,
  });
}

/** How long runs of these workflows usually take, in ms. */
export function useUsual(workflows: readonly string[]): Readonly<Record<string, number>> {
  const workspace = useWorkspace().id;
  const wanted = [...new Set(workflows)].sort().slice(0, 50);
  const query = useQuery({
    queryKey: [workspace, "run-usual", wanted],
    queryFn: async ({ signal }) => {
      const found = await api.get<Items<{ workflow: string; duration_ms: number }>>(`${runsPath(workspace)}/usual`, { query: { workflow: wanted }, signal });
      return Object.fromEntries(found.items.map((one) => [one.workflow, one.duration_ms]));
    },
    enabled: wanted.length > 0,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
  return query.data ?? {};
}

const viewsKey = (workspace: string) => [workspace, "run-views"];

export function useRunViews() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: viewsKey(workspace),
    queryFn: async ({ signal }) => (await api.get<Items<SavedRunView>>(`${runsPath(workspace)}/views`, { signal })).items,
    staleTime: 30_000,
  });
}

export function useRunViewWrites() {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const path = `${runsPath(workspace)}/views`;
  const after = () => client.invalidateQueries({ queryKey: viewsKey(workspace) });
  return {
    save: async (view: { name: string; search: Partial<SavedSearch>; shared: boolean }) => {
      const made = await postOnce<SavedRunView>(path, view);
      await after();
      return made;
    },
    change: async (id: string, part: { name?: string; shared?: boolean }) => {
      await api.patch(`${path}/${id}`, part, { idempotencyKey: newIdempotencyKey() });
      await after();
    },
    remove: async (id: string) => {
      await api.delete(`${path}/${id}`, { idempotencyKey: newIdempotencyKey() });
      await after();
    },
    openWith: async (id: string | null) => {
      await api.put(path, { view: id }, { idempotencyKey: newIdempotencyKey() });
      await after();
    },
  };
}

const columnsKey = (workspace: string) => [workspace, "run-columns"];

/** The columns that this person has chosen; null: none. */
export function useRunColumns(): { columns: string[] | null | undefined; choose: (columns: string[]) => void } {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const query = useQuery({
    queryKey: columnsKey(workspace),
    queryFn: async ({ signal }) => (await api.get<{ columns: string[] | null }>(`${runsPath(workspace)}/columns`, { signal })).columns,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // At once: a box that is ticked stays ticked, whatever the cache takes its time for.
  const [own, setOwn] = useState<string[] | null>(null);
  const keep = useMemo(
    () =>
      lastWins<string[]>(
        (columns) => api.put(`${runsPath(workspace)}/columns`, { columns }, { idempotencyKey: newIdempotencyKey() }),
        () => {
          setOwn(null);
          void client.invalidateQueries({ queryKey: columnsKey(workspace) });
        },
      ),
    [client, workspace],
  );
  const choose = (columns: string[]): void => {
    setOwn(columns);
    client.setQueryData(columnsKey(workspace), columns);
    keep(columns);
  };
  return { columns: own ?? query.data, choose };
}

export function planBulk(workspace: string, kind: BulkKind, chosen: ChosenRuns | ChosenLetters, version: "own" | "published"): Promise<BulkPlan> {
  return api.post<BulkPlan>(`${workspacePath(workspace)}/dead-letters/bulk-retries/plan`, { kind, version, ...asked(chosen) });
}

/** A search as a body says it. */
export function asked(chosen: ChosenRuns | ChosenLetters): object {
  if (!("search" in chosen)) return chosen;
  const { sort: _order, ...search } = chosen.search;
  return { search: Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) };
}

export interface KeyEvent {
  at: string;
  /** started · started_anew · came_again · came_differently · decided · retried · undo · cancelled, or how it ended. */
  kind: string;
  run: string;
  short_id: string;
  workflow: { id: string; name: string };
  by: string;
  /** Of a decision: who was away, and had them decide. */
  in_place_of: string | null;
  text: string;
  outcome: string;
  /** The builder's own name for that. */
  called: string | null;
  comment: string;
}

/** What happened to the runs of a business key, the oldest first. */
export interface KeyTimeline {
  key: string;
  items: KeyEvent[];
  fields: RunField[];
  more: boolean;
}

export function useKeyTimeline(key: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "key-timeline", key],
    queryFn: ({ signal }) => api.get<KeyTimeline>(`${runsPath(workspace)}/timeline`, { query: { key }, signal }),
    refetchInterval: 10_000,
  });
}

/** How many live runs stand at a step now, or failed there and wait for somebody. */
export interface Standing {
  node: string;
  running: number;
  waiting: number;
  failed: number;
}

export function useStanding(workflow: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "standing", workflow],
    queryFn: async ({ signal }) => (await api.get<Items<Standing>>(`${workspacePath(workspace)}/workflows/${workflow}/standing`, { signal })).items,
    refetchInterval: 4_000,
  });
}
