/** What the page of alerts asks for. How rules stand changes by itself: it asks again every few seconds. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { AlertChannelBody, AlertEpisodeShape, AlertRuleBody, AlertRuleShape, AlertsShape, AlertTriedShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Page } from "../../api/types";

const EVERY = 5_000;
/** While something is under way somebody waits for it. */
const SOON = 1_500;

export function useAlerts() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "alerts"],
    queryFn: ({ signal }) => api.get<AlertsShape>(`${workspacePath(workspace)}/alerts`, { signal }),
    refetchInterval: ({ state }) => (state.data?.channels.some((one) => one.waiting > 0) ? SOON : EVERY),
    staleTime: 0,
  });
}

export function useAlertHistory() {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "alert-history"],
    queryFn: ({ pageParam, signal }) => api.get<Page<AlertEpisodeShape>>(`${workspacePath(workspace)}/alerts/history`, { query: { limit: 30, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<AlertEpisodeShape>) => page.next_cursor,
    refetchInterval: EVERY,
  });
}

/** How a rule would stand now; null while it is not whole. */
export function useTriedRule(body: AlertRuleBody | null) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "alert-try", body],
    queryFn: ({ signal }) => api.post<AlertTriedShape>(`${workspacePath(workspace)}/alerts/rules/try`, body, { signal }),
    enabled: body !== null,
    placeholderData: (before) => before,
    retry: false,
    staleTime: 5_000,
  });
}

/** A change of rules or channels: what is shown is read again behind it. */
export function useAlertChange<Sent, Got = unknown>(send: (path: string, sent: Sent, once: { idempotencyKey: string }) => Promise<Got>, done?: (got: Got, sent: Sent) => void) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sent: Sent) => send(`${workspacePath(workspace)}/alerts`, sent, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: async (got, sent) => {
      done?.(got, sent);
      await Promise.all([
        client.invalidateQueries({ queryKey: [workspace, "alerts"] }),
        client.invalidateQueries({ queryKey: [workspace, "alert-history"] }),
      ]);
    },
  });
}

/** A rule as it is sent. */
export function bodyOf(rule: AlertRuleShape): AlertRuleBody {
  const { what } = rule;
  return {
    kind: what.kind,
    channels: rule.channels,
    workflow_id: what.workflow_id,
    connection_id: what.connection_id,
    limit: what.limit,
    minutes: what.minutes,
    least: what.least,
    arrival: what.arrival && { by: what.arrival.by, days: what.arrival.days, country: what.arrival.country, region: what.arrival.region, free: what.arrival.free },
    time_zone: what.time_zone,
    urgent: rule.urgent,
    recovered: rule.recovered,
    enabled: rule.enabled,
  };
}

export type { AlertChannelBody };
