import { type QueryClient, skipToken, useQuery } from "@tanstack/react-query";

import { api, NetworkError, newIdempotencyKey } from "./client";
import { workspacePath } from "./queries";
import type { Run } from "./runs";
import { useWorkspace } from "./session";
import type { Instant, Items } from "./types";

/** Dead letters that are gone on with one after another, by the server. */
export interface BulkRetry {
  id: string;
  /** What is done: dead letters are retried, others started anew or cancelled. */
  kind: "retry" | "replay" | "cancel";
  workflow: { id: string; name: string } | null;
  cause: string | null;
  title: string;
  at: Instant;
  by: string | null;
  reason: string;
  version: "own" | "published";
  /** Null is as fast as possible. */
  per_minute: number | null;
  stop_after: number | null;
  /** waiting: for somebody's word, after the first one. stopped: by its rule. cancelled: by a person. */
  status: "trying" | "waiting" | "running" | "done" | "stopped" | "cancelled";
  trial: "done" | "failed" | "asks" | "refused" | "under_way" | null;
  total: number;
  begun: number;
  done: number;
  failed: number;
  under_way: number;
  asks: number;
  refused: number;
  left: number;
  ended_at: Instant | null;
  ended_by: string | null;
  /** Its numbers change still. */
  open: boolean;
  workflow_held: boolean;
  /** Of `published`: the versions that were live when it began. `live`: the one that is live now. */
  held_to: { workflow: { id: string; name: string }; version: number; live: number | null }[];
}

export interface BulkRetryRun {
  run: Run;
  outcome: "begun" | "done" | "failed" | "asks" | "refused";
  message: string;
}

/** runs: the first that did not just work; before them the one that was tried, while it is about that one. */
export interface BulkRetryDetail extends BulkRetry {
  runs: BulkRetryRun[];
}

/** Another value at this place in what the step was given. */
export interface FieldChange {
  path: string[];
  value: unknown;
}

/** Other values for the failed step of one run; all that is not named stays. */
export interface RunEdits {
  run: string;
  generation: number;
  node: string;
  fields: FieldChange[];
}

export interface BulkRetryAsked {
  kind?: "retry" | "replay" | "cancel";
  cause?: string;
  /** Of the group only those that were sent to somebody with this one. */
  sent?: string;
  runs?: string[];
  search?: object;
  edits?: RunEdits[];
  count?: number;
  until?: Instant;
  version: "own" | "published";
  per_minute: number | null;
  stop_after: number | null;
  trial: boolean;
  reason: string;
}

const OFTEN = 1_000;
const NONE: readonly string[] = [];

const pathOf = (workspace: string) => `${workspacePath(workspace)}/dead-letters/bulk-retries`;

/** The newest; asked for again every `every` ms, and often while one of them is under way. */
export function useBulkRetries(every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "dead-letters", "bulk"],
    queryFn: async ({ signal }) => (await api.get<Items<BulkRetry>>(pathOf(workspace), { signal })).items,
    refetchInterval: (query) => (query.state.data?.some((one) => one.open && one.status !== "waiting") ? 2 * OFTEN : every),
    staleTime: 0,
  });
}

/** One of them, followed to its end. */
export function useBulkRetry(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "dead-letters", "bulk", id],
    queryFn: ({ signal }) => api.get<BulkRetryDetail>(`${pathOf(workspace)}/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data?.open === false ? false : OFTEN),
    staleTime: 0,
  });
}

/** An answer that was lost on its way is asked for once more: the key makes that harmless. */
export async function postOnce<T>(path: string, body: unknown): Promise<T> {
  const idempotencyKey = newIdempotencyKey();
  try {
    return await api.post<T>(path, body, { idempotencyKey });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await new Promise((done) => setTimeout(done, 1500));
    return api.post<T>(path, body, { idempotencyKey });
  }
}

export function startBulkRetry(workspace: string, asked: BulkRetryAsked): Promise<BulkRetry> {
  return postOnce(pathOf(workspace), asked);
}

const startedKey = (workspace: string) => [workspace, "bulk-started"] as const;

/** Remember one that was started here: its end is told even where it was over before anybody had asked. */
export function noteStarted(client: QueryClient, workspace: string, job: BulkRetry): void {
  client.setQueryData<readonly string[]>(startedKey(workspace), (before = []) => [...before, job.id]);
}

/** Their ids, in this tab. */
export function useStarted(): readonly string[] {
  const workspace = useWorkspace().id;
  return useQuery<readonly string[]>({ queryKey: startedKey(workspace), queryFn: skipToken, gcTime: Infinity, staleTime: Infinity }).data ?? NONE;
}

export function tellBulkRetry(workspace: string, id: string, word: "go-on" | "stop"): Promise<BulkRetry> {
  return postOnce(`${pathOf(workspace)}/${id}/${word}`, {});
}
