/** For how long the workspace keeps what: rules, what they would remove, legal holds, how much is stored. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant } from "./types";

export const CLASSES = ["done", "failed", "tests", "values", "items", "calls", "starts", "files", "drafts"] as const;
export type DataClass = (typeof CLASSES)[number];
/** Days by class; a class that is not named is kept for ever. */
export type Rules = Partial<Record<DataClass, number>>;

export interface Counted {
  name: string;
  count: number;
}

export interface Sweep {
  began_at: Instant;
  ended_at: Instant | null;
  removed: Counted[];
  kept: Counted[];
}

export interface LegalHold {
  id: string;
  workflow_id: string | null;
  workflow_name: string | null;
  key: string | null;
  reason: string;
  at: Instant;
  by: string | null;
}

export interface Retention {
  rules: { name: DataClass; days: number | null }[];
  revision: number;
  last: Sweep | null;
  under_way: Sweep | null;
  waits: boolean;
  holds: LegalHold[];
}

export interface Preview {
  removes: Counted[];
  kept: Counted[];
  whole: boolean;
}

export interface Stored {
  name: DataClass;
  count: number;
  size: number;
}

/** While a sweep is wanted or under way, how often it is asked how far it is, ms. */
const WATCHING = 2_000;

function usePath(): string {
  return `${workspacePath(useWorkspace().id)}/retention`;
}

export function useRetention() {
  const path = usePath();
  return useQuery({
    queryKey: [useWorkspace().id, "retention"],
    queryFn: ({ signal }) => api.get<Retention>(path, { signal }),
    refetchInterval: (query) => (query.state.data?.waits || query.state.data?.under_way ? WATCHING : false),
  });
}

/** What these rules would remove now; nothing is asked where there is none. */
export function usePreview(rules: Rules, enabled: boolean) {
  const path = usePath();
  return useQuery({
    queryKey: [useWorkspace().id, "retention-preview", rules],
    queryFn: ({ signal }) => api.get<Preview>(`${path}/preview`, { query: { ...rules }, signal }),
    enabled: enabled && Object.keys(rules).length > 0,
  });
}

export function useStored() {
  const path = usePath();
  return useQuery({
    queryKey: [useWorkspace().id, "retention-stored"],
    queryFn: async ({ signal }) => (await api.get<{ stored: Stored[] }>(`${path}/stored`, { signal })).stored,
  });
}

function useChange<Asked>(change: (path: string, asked: Asked) => Promise<unknown>) {
  const path = usePath();
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  return useMutation({
    mutationFn: (asked: Asked) => change(path, asked),
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey: [id, name] }) => id === workspace && String(name).startsWith("retention"),
      }),
  });
}

export function useSaveRules() {
  return useChange((path, asked: { revision: number; days: Rules }) =>
    api.put<Retention>(path, asked, { idempotencyKey: newIdempotencyKey() }),
  );
}

export function useSweepNow() {
  return useChange((path) => api.post<Retention>(`${path}/sweep`, undefined, { idempotencyKey: newIdempotencyKey() }));
}

export function useSetHold() {
  return useChange((path, asked: { workflow?: string; key?: string; reason: string }) =>
    api.post<LegalHold>(`${path}/holds`, asked, { idempotencyKey: newIdempotencyKey() }),
  );
}

export function useLiftHold() {
  return useChange((path, id: string) => api.delete(`${path}/holds/${id}`));
}
