/** The audit log, and the history of one thing from the same rows. */
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { postOnce } from "./bulkRetries";
import { api, newIdempotencyKey, type Query, urlOf } from "./client";
import { workspacePath } from "./queries";
import type { AuditSearchShape, AuditViewShape } from "./schema.gen";
import { useWorkspace } from "./session";
import type { Instant, Items, Page } from "./types";

export interface AuditActor {
  kind: "member" | "token" | "link" | "command" | "nobody" | "rule";
  id: string;
  name: string;
}

export interface HistoryRow {
  sequence: number;
  at: Instant;
  actor: AuditActor;
  verb: string;
  object: { kind: string; id: string; name: string };
  detail: Record<string, unknown>;
}

/** The whole row, as admins see it. */
export interface AuditRow extends HistoryRow {
  address: string;
  agent: string;
  request_id: string;
  previous: string;
  digest: string;
}

export interface AuditVerdict {
  ok: boolean;
  rows: number;
  sequence: number;
  digest: string;
  fault: { sequence: number; what: string; message: string } | null;
}

export interface AuditFilters {
  actor?: string | undefined;
  verb?: string | undefined;
  kind?: string | undefined;
  object?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  q?: string | undefined;
}

/** Things that have a history of their own, by the part of their path. */
export type Historic =
  | "workflows"
  | "connections"
  | "runs"
  | "tables"
  | "members"
  | "groups"
  | "tokens"
  | "schedules"
  | "calendars"
  | "alerts/rules"
  | "alerts/channels"
  | "dead-letters";

/** Whose log: the workspace's, or what belongs to none. */
export type AuditScope = "workspace" | "installation";

function pathOf(workspace: string, scope: AuditScope): string {
  return scope === "installation" ? "/installation/audit" : `${workspacePath(workspace)}/audit`;
}

export function useAudit(scope: AuditScope, filters: AuditFilters, enabled = true) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    enabled,
    queryKey: [workspace, "audit", scope, filters],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<AuditRow>>(pathOf(workspace, scope), { query: { ...filters, limit: 50, cursor: pageParam } as Query, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** Whom and what the log tells of. */
export function useAuditChoices(scope: AuditScope) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "audit-filters", scope],
    queryFn: ({ signal }) => api.get<{ actors: AuditActor[]; verbs: string[]; kinds: string[] }>(`${pathOf(workspace, scope)}/filters`, { signal }),
  });
}

const viewsKey = (workspace: string) => [workspace, "audit-views"];

/** The saved searches of this workspace's log. */
export function useAuditViews(enabled: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    enabled,
    queryKey: viewsKey(workspace),
    queryFn: async ({ signal }) => (await api.get<Items<AuditViewShape>>(`${workspacePath(workspace)}/audit/views`, { signal })).items,
    staleTime: 30_000,
  });
}

export function useAuditViewWrites() {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const path = `${workspacePath(workspace)}/audit/views`;
  const then = async (deed: Promise<unknown>) => {
    await deed;
    await client.invalidateQueries({ queryKey: viewsKey(workspace) });
  };
  const once = () => ({ idempotencyKey: newIdempotencyKey() });
  return {
    save: (view: { name: string; search: Partial<AuditSearchShape>; shared: boolean }) => then(postOnce(path, view)),
    change: (id: string, part: { name?: string; shared?: boolean }) => then(api.patch(`${path}/${id}`, part, once())),
    remove: (id: string) => then(api.delete(`${path}/${id}`, once())),
    openWith: (id: string | null) => then(api.put(path, { view: id }, once())),
  };
}

export function useVerify(scope: AuditScope) {
  const workspace = useWorkspace().id;
  return useMutation({ mutationFn: () => api.get<AuditVerdict>(`${pathOf(workspace, scope)}/check`) });
}

export function auditExportUrl(workspace: string, scope: AuditScope, format: "csv" | "json", filters: AuditFilters): string {
  return urlOf(`${pathOf(workspace, scope)}/export`, { format, ...filters });
}

export function useHistory(what: Historic, id: string) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "history", what, id],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<HistoryRow>>(`${workspacePath(workspace)}/${what}/${id}/history`, { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}
