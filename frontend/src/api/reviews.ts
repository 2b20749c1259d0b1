/** Lists that people review: looked at, changed, handed over, released by a second person. */
import { type QueryClient, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";

import type { CountAndSum } from "./batches";
import { api, newIdempotencyKey, urlOf } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Cell } from "./tables";
import type { Instant, Page } from "./types";
import { parseExact } from "../graph/exact";

export interface ReviewColumn {
  name: string;
  label: string;
  type: "text" | "number" | "amount" | "date" | "yes_no";
  editable: boolean;
  required: boolean;
  /** It says what a row is worth. */
  total: boolean;
}

export interface ReviewTotal {
  currency: string;
  /** As they came. */
  prepared: CountAndSum;
  /** As they are. */
  now: CountAndSum;
  accepted: CountAndSum;
  rejected: CountAndSum;
  /** Null where nobody said. */
  expected: string | null;
  agrees: boolean;
  without: number;
}

export interface ReviewChange {
  id: string;
  /** From 1; null: of the list. */
  number: number | null;
  kind: "edit" | "accept" | "reject" | "reopen" | "hand_over" | "send_back" | "take_back";
  at: Instant;
  by: string;
  before: { [column: string]: Cell };
  after: { [column: string]: Cell };
  reason: string;
}

export interface Review {
  id: string;
  task_id: string;
  stage: "review" | "release" | "released" | "rejected";
  /** Goes up with every change. */
  revision: number;
  columns: ReviewColumn[];
  worth: string | null;
  rows: number;
  /** So many keep it from being handed over. */
  todo: number;
  blocking: number;
  changed: number;
  rejected: number;
  expected_count: number | null;
  totals: ReviewTotal[];
  differs: boolean;
  must_agree: boolean;
  two_people: boolean;
  sha256: string;
  handed_by: string;
  handed_at: Instant | null;
  handed_comment: string;
  sent_back: ReviewChange | null;
  hands: string[];
  may_edit: boolean;
  may_hand_over: boolean;
  may_release: boolean;
  may_send_back: boolean;
  may_reject: boolean;
  /** I may not release it: I had a hand in it, or ask for it. */
  four_eyes: boolean;
  nobody: boolean;
}

export interface RowProblem {
  level: "warning" | "blocking";
  text: string;
  column: string;
}

export interface ReviewRow {
  number: number;
  data: { [column: string]: Cell };
  prepared: { [column: string]: Cell };
  state: "" | "accepted" | "rejected";
  reason: string;
  problems: RowProblem[];
  todo: boolean;
  version: number;
  changed_by: string;
  changed_at: Instant | null;
}

export interface RowChange {
  number: number;
  version: number;
  values?: { [column: string]: Cell };
  state?: "" | "accepted" | "rejected";
  reason?: string;
}

export interface RowBecame {
  number: number;
  outcome: "changed" | "conflict" | "refused";
  row: ReviewRow | null;
  message: string;
  fields: { [column: string]: string };
}

export type RowsShown = "all" | "todo" | "changed" | "rejected";

export const PAGE = 100;
const EVERY = 4_000;
const MOST_AT_ONCE = 500;

const pathOf = (workspace: string, task: string) => `${workspacePath(workspace)}/inbox/${task}/review`;
const keyOf = (workspace: string, task: string) => [workspace, "review", task] as const;

/** How it stands. While it is open it is asked for again and again: others work on it, too. */
export function useReview(task: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: keyOf(workspace, task),
    queryFn: ({ signal }) => api.get<Review>(pathOf(workspace, task), { signal, parse: parseExact }),
    refetchInterval: ({ state: { data } }) => (data && data.stage !== "review" && data.stage !== "release" ? false : EVERY),
    staleTime: 0,
  });
}

type Rows = { rows: ReviewRow[]; total: number };

function fetchRows(workspace: string, task: string, show: RowsShown, search: string, start: number, limit: number, signal?: AbortSignal): Promise<Rows> {
  return api.get<Rows>(`${pathOf(workspace, task)}/rows`, { query: { show, search, start, limit }, parse: parseExact, ...(signal ? { signal } : {}) });
}

/** Pages of rows, each by its number. `revision`: when it changes, they are read again. */
export function useReviewRows(task: string, show: RowsShown, search: string, pages: readonly number[], revision: number) {
  const workspace = useWorkspace().id;
  return useQueries({
    queries: pages.map((page) => ({
      queryKey: [...keyOf(workspace, task), "rows", show, search, page, revision],
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchRows(workspace, task, show, search, page * PAGE, PAGE, signal),
      staleTime: 60_000,
    })),
  });
}

/** All rows that are shown, a few hundred at a time. */
export async function everyRow(workspace: string, task: string, show: RowsShown, search: string): Promise<ReviewRow[]> {
  const found: ReviewRow[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one page says whether there is another
    const { rows, total } = await fetchRows(workspace, task, show, search, found.length, MOST_AT_ONCE);
    found.push(...rows);
    if (found.length >= total || rows.length === 0) return found;
  }
}

export function useReviewChanges(task: string, revision: number) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [...keyOf(workspace, task), "changes", revision],
    queryFn: ({ pageParam, signal }) => api.get<Page<ReviewChange>>(`${pathOf(workspace, task)}/changes`, { query: { limit: 50, cursor: pageParam }, parse: parseExact, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** Changes rows, so many at a time, each lot under its own key. */
export async function changeRows(workspace: string, task: string, changes: readonly RowChange[]): Promise<RowBecame[]> {
  const became: RowBecame[] = [];
  for (let start = 0; start < changes.length; start += MOST_AT_ONCE) {
    const lot = changes.slice(start, start + MOST_AT_ONCE);
    // oxlint-disable-next-line no-await-in-loop -- one after another: they change the same list
    const answer = await api.post<{ items: RowBecame[] }>(`${pathOf(workspace, task)}/rows`, { changes: lot }, { idempotencyKey: newIdempotencyKey(), parse: parseExact });
    became.push(...answer.items);
  }
  return became;
}

export type Deed = "hand-over" | "release" | "send-back" | "reject";

/** Hands the list over, releases it, sends it back or rejects it. `key`: the same however often it is sent. */
export function dealWith(workspace: string, review: Review, deed: Deed, words: string, key: string): Promise<Review> {
  const body = deed === "hand-over" || deed === "release" ? { revision: review.revision, comment: words } : { reason: words };
  return api.post<Review>(`${pathOf(workspace, review.task_id)}/${deed}`, body, { idempotencyKey: key });
}

export const sheetUrl = (workspace: string, task: string) => urlOf(`${pathOf(workspace, task)}/sheet`);

export function refreshReview(client: QueryClient, workspace: string, task: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: keyOf(workspace, task) }),
    client.invalidateQueries({ queryKey: [workspace, "inbox"] }),
    client.invalidateQueries({ queryKey: [workspace, "runs"] }),
  ]);
}
