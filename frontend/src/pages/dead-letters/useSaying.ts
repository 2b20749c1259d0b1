import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ApiError } from "../../api/client";
import { type GroupNote, type GroupSaid, mute, putNote, unmute } from "../../api/letterGroups";
import { refreshDeadLetters } from "../../api/queries";
import { useUser, useWorkspace } from "../../api/session";
import type { DeadLetterGroup, DeadLetters } from "../../api/types";
import { expected, withSaid } from "./said";

interface Noted {
  group: DeadLetterGroup;
  note: GroupNote;
}

/**
 * Puts a note on a group: it stands there at once. What the server does not take is taken back, and what was typed is
 * given to `onRefused`, so that nobody types it twice.
 */
export function useNoting(onRefused: (noted: Noted, error: unknown) => void) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const by = useUser().name;
  const lists = { queryKey: [workspace, "dead-letters", "groups"] };
  const put = (cause: string, said: GroupSaid) =>
    client.setQueriesData<DeadLetters>(lists, (list) => withSaid(list, cause, said));
  return useMutation({
    mutationFn: ({ group, note }: Noted) => putNote(workspace, group.cause, note),
    onMutate: async ({ group, note }) => {
      // A list that was asked for before would take it away again.
      await client.cancelQueries(lists);
      put(group.cause, expected(group.said, note, by, new Date().toISOString()));
    },
    onSuccess: (said, { group }) => put(group.cause, said),
    onError: async (error, noted) => {
      put(noted.group.cause, noted.group.said);
      // What somebody else wrote meanwhile is to be seen beside what was typed.
      if (error instanceof ApiError) await refreshDeadLetters(client, workspace);
      onRefused(noted, error);
    },
    onSettled: () => refreshDeadLetters(client, workspace),
  });
}

/** For how many days nobody is told; null: until somebody says otherwise; false: people are told again. */
export type Silence = 1 | 7 | null | false;

export function useMuting(group: DeadLetterGroup) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (days: Silence) => (days === false ? unmute(workspace, group.cause) : mute(workspace, group.cause, days)),
    onSuccess: (said) =>
      client.setQueriesData<DeadLetters>({ queryKey: [workspace, "dead-letters", "groups"] }, (list) => withSaid(list, group.cause, said)),
    onSettled: () => refreshDeadLetters(client, workspace),
  });
}
