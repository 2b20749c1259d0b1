/** What reconciling two lists found: the totals, and the rows of each group, a page at a time. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { CountAndSum } from "./batches";
import { api } from "./client";
import type { StoredFile } from "./files";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Json, Page } from "./types";

export const GROUPS = ["matched", "differing", "only_a", "only_b", "twice"] as const;
export type Group = (typeof GROUPS)[number];

export interface Both {
  a: CountAndSum;
  b: CountAndSum;
}

export interface ReconciledTotal extends Record<Group, Both> {
  currency: string;
  a: CountAndSum;
  b: CountAndSum;
  /** The first list's less the second's, a decimal. */
  difference: string;
}

export interface Reconciliation {
  run_id: string;
  node: string;
  key: string;
  name: string;
  workflow_id: string;
  a_name: string;
  b_name: string;
  a_count: number;
  b_count: number;
  /** So many of those that match do with a difference within the tolerance. */
  within: number;
  counts: Record<Group, number>;
  totals: ReconciledTotal[];
  excel: StoredFile | null;
  csv: StoredFile | null;
}

export interface Outcome {
  /** Tells it from others of its group. */
  at: number;
  group: string;
  why: string;
  key: string;
  currency: string;
  a_amount: string | null;
  b_amount: string | null;
  difference: string | null;
  days: number | null;
  missing: string[];
  a: Json[];
  b: Json[];
  a_places: string[];
  b_places: string[];
}

const pathOf = (workspace: string, run: string, node: string) => `${workspacePath(workspace)}/runs/${run}/reconciliations/${encodeURIComponent(node)}`;

/** What the step found; it does not change any more. */
export function useReconciliation(run: string, node: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "reconciliation", run, node],
    queryFn: ({ signal }) => api.get<Reconciliation>(pathOf(workspace, run, node), { signal }),
  });
}

export function useOutcomes(run: string, node: string, group: Group, search: string) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "reconciliation", run, node, "outcomes", group, search],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Outcome>>(`${pathOf(workspace, run, node)}/outcomes`, { query: { group, search: search || undefined, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}
