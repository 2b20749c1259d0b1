import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { askNow } from "../../api/askNow";
import { postOnce } from "../../api/bulkRetries";
import { api } from "../../api/client";
import { fetchDeadLetters, refreshDeadLetters, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { DeadLetter, Items, RetryOutcome, Run } from "../../api/types";
import { type Came, retryOne } from "./following";
import type { Target } from "./target";

/** The newest `most` runs of what was shown of a group: what came later was not seen by who decides. */
export async function lettersOf(workspace: string, { group, sent }: Pick<Target, "group" | "sent">, most: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  const until = Date.parse(group.last_at);
  let cursor: string | null = null;
  do {
    const page: { items: DeadLetter[]; next_cursor: string | null } = await fetchDeadLetters(workspace, group.cause, {
      limit: Math.min(200, Math.max(20, most)),
      cursor,
      sent,
    });
    found.push(...page.items.filter((one) => Date.parse(one.at) <= until));
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < most);
  return found.slice(0, most);
}

const MOST_SOLVED = 500;

/** Says of these runs that nothing more is to be done. */
export async function solve(workspace: string, how: "solve" | "discard", letters: readonly DeadLetter[], reason: string) {
  for (let at = 0; at < letters.length; at += MOST_SOLVED) {
    const runs = letters.slice(at, at + MOST_SOLVED).map((one) => one.run.id);
    await postOnce(`${workspacePath(workspace)}/dead-letters/${how}`, { runs, reason });
  }
}

/** Going on with one run that failed at this step, as long as what uses it is on the screen. */
export function useRetryOne(node: string): (letter: DeadLetter) => Promise<Came> {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  return useCallback(
    async (letter) => {
      const came = await retryOne(letter, {
        ask: (run) => askNow(workspace, { run, node, start: [], version: null }, null),
        send: async (run) => {
          const path = `${workspacePath(workspace)}/dead-letters/retry`;
          const sent = (await postOnce<Items<RetryOutcome>>(path, { runs: [run] })).items[0];
          void refreshDeadLetters(client, workspace);
          return sent;
        },
        look: (run) => api.get<Run>(`${workspacePath(workspace)}/runs/${run}`),
        wait: (ms) => new Promise((done) => setTimeout(done, ms)),
        now: () => Date.now(),
        gone: () => gone.current,
      });
      await refreshDeadLetters(client, workspace);
      return came;
    },
    [workspace, client, node],
  );
}
