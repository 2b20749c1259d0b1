/** Dead letters that were sent to somebody's inbox, as the API has them. */
import { type QueryClient, useQuery } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "./client";
import { refreshDeadLetters, refreshInbox, workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Items } from "./types";

/** To whom: an e-mail address, `group:<id>` or `role:<role>`. */
export type SentTo = { kind: "person" | "group" | "role"; key: string; name: string };

/** With whom letters are: `count` of those that were asked about. */
export type LettersWith = {
  sending: string;
  to: SentTo;
  /** It is I, or one of us. */
  me: boolean;
  by: string | null;
  at: Instant;
  count: number;
};

export interface SentLetters {
  id: string;
  to: SentTo;
  by: string | null;
  by_me: boolean;
  at: Instant;
  note: string;
  total: number;
  /** How many of them still wait for a decision. */
  open: number;
  /** Null or empty where they failed of several things. */
  cause: string | null;
  code: string;
  title: string;
  workflow: { id: string; name: string } | null;
  step: { node: string; name: string } | null;
  ended_at: Instant | null;
  ended_as: "done" | "taken_back" | "handed_on" | "settled" | "left" | null;
  ended_by: string | null;
  /** They came to me. */
  mine: boolean;
  in_place_of: { name: string; until: string | null } | null;
  unread: boolean;
  may_finish: boolean;
  may_pass_on: boolean;
  may_take_back: boolean;
}

export interface SendAsked {
  cause?: string;
  runs?: string[];
  /** None that failed later: they were not seen by who sends. */
  until?: Instant;
  /** Only those that were sent with this one. */
  within?: string;
  to: string;
  note: string;
}

export interface SentFilters {
  who: "me" | "named" | "groups" | "stand_in" | "anybody";
  state: "open" | "closed";
}

const pathOf = (workspace: string, id: string) => `${workspacePath(workspace)}/inbox/letters/${id}`;

/** What came to an inbox; null: nothing is asked for. Asked again every `every` ms. */
export function useSentLetters(filters: SentFilters | null, every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "letters", filters],
    queryFn: async ({ signal }) =>
      (await api.get<Items<SentLetters>>(`${workspacePath(workspace)}/inbox/letters`, { query: { ...filters }, signal })).items,
    enabled: filters !== null,
    refetchInterval: every,
    staleTime: 0,
  });
}

/** One of them, as it stands. */
export function useSending(id: string | undefined, every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "letters", "one", id],
    queryFn: ({ signal }) => api.get<SentLetters>(pathOf(workspace, id ?? ""), { signal }),
    enabled: id !== undefined,
    refetchInterval: every,
    staleTime: 0,
  });
}

export function sendLetters(workspace: string, asked: SendAsked): Promise<SentLetters> {
  return api.post(`${workspacePath(workspace)}/dead-letters/send`, asked, { idempotencyKey: newIdempotencyKey() });
}

export function passOn(workspace: string, id: string, to: string, note: string): Promise<SentLetters> {
  return api.post(`${pathOf(workspace, id)}/hand-over`, { to, note }, { idempotencyKey: newIdempotencyKey() });
}

export function endSending(workspace: string, id: string, how: "done" | "take-back"): Promise<SentLetters> {
  return api.post(`${pathOf(workspace, id)}/${how}`, undefined, { idempotencyKey: newIdempotencyKey() });
}

export function sawLetters(workspace: string, id: string): Promise<unknown> {
  return api.put(`${pathOf(workspace, id)}/seen`, { seen: true }, { idempotencyKey: newIdempotencyKey() });
}

/** With whom letters are stands in both: the inbox, and the list of what failed. */
export function refreshSendings(client: QueryClient, workspace: string): Promise<unknown> {
  return Promise.all([refreshInbox(client, workspace), refreshDeadLetters(client, workspace)]);
}
