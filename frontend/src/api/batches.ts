/** Batches: the entries of one step of a run, watched, corrected and proven. */
import { type QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { BulkRetry } from "./bulkRetries";
import { api, newIdempotencyKey, upload, urlOf } from "./client";
import type { StoredFile } from "./files";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { RunStatus } from "../ui/status";
import { parseExact } from "../graph/exact";
import type { Instant, Items, Page, Retried } from "./types";

export interface CountAndSum {
  count: number;
  /** A decimal. */
  amount: string;
}

export interface ControlTotal {
  currency: string;
  received: CountAndSum;
  done: CountAndSum;
  failed: CountAndSum;
  /** Skipped by people. */
  left_out: CountAndSum;
  open: CountAndSum;
  posted: CountAndSum | null;
  expected: string | null;
  without: number;
}

export interface BatchCause {
  cause: string;
  code: string;
  title: string;
  example: string;
  count: number;
}

export interface BatchTurns {
  connection: string;
  connection_name: string;
  calls: number | null;
  period_ms: number | null;
  at_once: number | null;
  paused_until: Instant | null;
  count: number;
}

/** An entry that began no run: `done_by` had done it before, or it came twice. `number`: among these, from 1. */
export interface PassedOver {
  number: number;
  place: string;
  key: string;
  done_by: string | null;
  done_at: Instant | null;
}

export interface Batch {
  run_id: string;
  node: string;
  key: string;
  name: string;
  workflow_id: string;
  status: string;
  run_status: RunStatus;
  /** Its run has not ended. */
  open: boolean;
  can_retry_run: boolean;
  total: number | null;
  started: number;
  done: number;
  failed: number;
  solved: number;
  running: number;
  waiting: number;
  /** Passed over: they came twice. */
  skipped: number;
  /** Skipped by people. */
  left_out: number;
  left: number | null;
  started_at: Instant | null;
  finished_at: Instant | null;
  ended_last: Instant | null;
  per_minute: number | null;
  points: { at: Instant; count: number }[];
  causes: BatchCause[];
  has_amounts: boolean;
  expected_count: number | null;
  totals: ControlTotal[];
  files: number;
  input: StoredFile | null;
  manifest: StoredFile | null;
  /** Nothing has changed since the manifest was kept. */
  sealed: boolean;
  /** At which connections entries wait for their turn. */
  turns: BatchTurns[];
  /** What makes it slower than it began: a system's calls take so long now, and took so long at first, in ms. */
  slowing: { system: string; step: string; now_ms: number; usual_ms: number } | null;
  /** No further one begins before that, by the step's times. */
  goes_on_at: Instant | null;
}

export interface WrongFile {
  name: string;
  seq: number | null;
  key: string | null;
}

export interface BatchCheck {
  id: string;
  at: Instant;
  by: string | null;
  place: "server" | "browser";
  sha256: string;
  signed: boolean;
  well: boolean;
  checked: number;
  missing_count: number;
  changed_count: number;
  extra_count: number;
  missing: WrongFile[];
  changed: WrongFile[];
  extra: WrongFile[];
  problem: string;
}

export interface BatchFile {
  id: string;
  name: string;
  size: number;
  sha256: string;
  seq: number;
  key: string | null;
}

export interface FailedEntry {
  run_id: string;
  index: number;
  label: string | null;
  item: unknown;
  cause: string;
  title: string;
  message: string;
  at: Instant;
  /** Why it is given nothing else: it was released or approved as it is, or it says who decides. */
  fixed: "released" | "approved" | "decides" | null;
}

export interface Corrected {
  index: number;
  outcome: "begun" | "refused";
  message: string;
}

export interface Mended {
  begun: number;
  unchanged: number;
  refused: number;
  problems: string[];
}

const OFTEN = 1_000;
const SELDOM = 5_000;

const pathOf = (workspace: string, run: string, node: string) => `${workspacePath(workspace)}/runs/${run}/batches/${encodeURIComponent(node)}`;
const keyOf = (workspace: string, run: string, node: string) => [workspace, "batch", run, node] as const;

/** How it stands; asked for often while something is under way. */
export function useBatch(run: string, node: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: keyOf(workspace, run, node),
    queryFn: ({ signal }) => api.get<Batch>(pathOf(workspace, run, node), { signal }),
    refetchInterval: ({ state: { data } }) => (data && (data.running > 0 || (data.open && data.finished_at === null)) ? OFTEN : SELDOM),
    staleTime: 0,
  });
}

/** Entries that wait for a decision. `stamp`: changes when they do. */
export function useFailedEntries(run: string, node: string, cause: string, stamp: number) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [...keyOf(workspace, run, node), "failed", cause, stamp],
    queryFn: ({ pageParam, signal }) => api.get<Page<FailedEntry>>(`${pathOf(workspace, run, node)}/failed`, { query: { cause, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
  });
}

/** Entries that began no run. `stamp`: changes when there are more. */
export function usePassedOver(run: string, node: string, stamp: number) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [...keyOf(workspace, run, node), "passed-over", stamp],
    queryFn: ({ pageParam, signal }) => api.get<Page<PassedOver>>(`${pathOf(workspace, run, node)}/passed-over`, { query: { limit: 100, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
  });
}

export function useBatchChecks(run: string, node: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [...keyOf(workspace, run, node), "checks"],
    queryFn: async ({ signal }) => (await api.get<Items<BatchCheck>>(`${pathOf(workspace, run, node)}/checks`, { signal })).items,
  });
}

/** What somebody gave an entry (by its run) in place of what its list did, the oldest first. */
export function useCorrections(run: string, node: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "corrections", run, node],
    queryFn: async ({ signal }) => {
      const found = await api.get<Items<Retried>>(`${workspacePath(workspace)}/runs/${run}/retries`, { signal, parse: parseExact });
      return found.items.flatMap(({ at, by, edits }) => {
        const edit = edits[node] as { before?: unknown; after?: unknown } | undefined;
        return edit === undefined ? [] : [{ at, by, before: edit.before, after: edit.after }];
      });
    },
    staleTime: 0,
  });
}

export function fetchBatchFiles(workspace: string, run: string, node: string, cursor: string | null, signal: AbortSignal): Promise<Page<BatchFile>> {
  return api.get<Page<BatchFile>>(`${pathOf(workspace, run, node)}/files`, { query: { limit: 100, cursor }, signal });
}

export function refreshBatch(client: QueryClient, workspace: string, run: string, node: string): Promise<unknown> {
  return client.invalidateQueries({ queryKey: keyOf(workspace, run, node) });
}

export function retryFailed(workspace: string, run: string, node: string, asked: { cause: string | null; trial: boolean; reason: string }): Promise<BulkRetry> {
  return api.post<BulkRetry>(`${pathOf(workspace, run, node)}/retry`, asked, { idempotencyKey: newIdempotencyKey() });
}

export async function correctEntries(workspace: string, run: string, node: string, items: { index: number; item: unknown }[]): Promise<Corrected[]> {
  return (await api.post<Items<Corrected>>(`${pathOf(workspace, run, node)}/corrections`, { items }, { idempotencyKey: newIdempotencyKey() })).items;
}

export function keepManifest(workspace: string, run: string, node: string): Promise<StoredFile> {
  return api.post<StoredFile>(`${pathOf(workspace, run, node)}/manifest`, undefined, { idempotencyKey: newIdempotencyKey() });
}

export function checkBatch(workspace: string, run: string, node: string): Promise<BatchCheck> {
  return api.post<BatchCheck>(`${pathOf(workspace, run, node)}/checks`, undefined, { idempotencyKey: newIdempotencyKey() });
}

export function noteBrowserCheck(workspace: string, run: string, node: string, found: { sha256: string; checked: number; missing: WrongFile[]; changed: WrongFile[] }): Promise<BatchCheck> {
  return api.post<BatchCheck>(`${pathOf(workspace, run, node)}/browser-checks`, found, { idempotencyKey: newIdempotencyKey() });
}

export function sendMended(workspace: string, run: string, node: string, file: File): Promise<Mended> {
  return upload<Mended>(`${pathOf(workspace, run, node)}/error-file`, file, { idempotencyKey: newIdempotencyKey(), onProgress: () => {}, signal: new AbortController().signal });
}

export const errorFileUrl = (workspace: string, run: string, node: string) => urlOf(`${pathOf(workspace, run, node)}/error-file`);
/** The table as it was given, and beside each row what came of it. */
export const RESULT_FORMATS = ["csv", "csv_comma"] as const;
export const resultsUrl = (workspace: string, run: string, node: string, format: (typeof RESULT_FORMATS)[number]) =>
  urlOf(`${pathOf(workspace, run, node)}/results`, { format });
/** `json`: lines that can be verified; the others are tables to look at. */
export const MANIFEST_FORMATS = ["json", "csv", "csv_comma"] as const;
export const manifestUrl = (workspace: string, run: string, node: string, format: (typeof MANIFEST_FORMATS)[number]) =>
  urlOf(`${pathOf(workspace, run, node)}/manifest`, { format });
