import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { api, NetworkError, newIdempotencyKey } from "../../api/client";
import { fetchDeadLetters, refreshDeadLetters, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { DeadLetter, DeadLetterGroup, Items, RetryOutcome, Run } from "../../api/types";
import { type Pace, type Progress, retryInBatches } from "./batches";

/** The newest `most` runs of a group as it was shown: what came later was not seen by who decides. */
export async function lettersOf(workspace: string, group: DeadLetterGroup, most: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  const until = Date.parse(group.last_at);
  let cursor: string | null = null;
  do {
    const page: { items: DeadLetter[]; next_cursor: string | null } = await fetchDeadLetters(workspace, group.cause, {
      limit: Math.min(200, Math.max(20, most)),
      cursor,
    });
    found.push(...page.items.filter((one) => Date.parse(one.at) <= until));
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < most);
  return found.slice(0, most);
}

/** An answer that was lost on its way is asked for once more: the key makes that harmless. */
async function postOnce<T>(path: string, body: unknown): Promise<T> {
  const idempotencyKey = newIdempotencyKey();
  try {
    return await api.post<T>(path, body, { idempotencyKey });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await new Promise((done) => setTimeout(done, 1500));
    return api.post<T>(path, body, { idempotencyKey });
  }
}

const MOST_SOLVED = 500;

/** Says of these runs that nothing more is to be done. */
export async function solve(workspace: string, how: "solve" | "discard", letters: readonly DeadLetter[], reason: string) {
  for (let at = 0; at < letters.length; at += MOST_SOLVED) {
    const runs = letters.slice(at, at + MOST_SOLVED).map((one) => one.run.id);
    await postOnce(`${workspacePath(workspace)}/dead-letters/${how}`, { runs, reason });
  }
}

interface Retrying {
  progress: Progress | null;
  start: (letters: readonly DeadLetter[], pace: Pace) => Promise<Progress>;
  stop: () => void;
}

/** Going on with several runs, as long as what uses it is on the screen. */
export function useRetrying(): Retrying {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const stopping = useRef(false);
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  return useMemo(
    () => ({
      progress,
      start: async (letters, pace) => {
        stopping.current = false;
        let sent = 0;
        const ended = await retryInBatches(letters, pace, {
          send: async (runs) =>
            (await postOnce<Items<RetryOutcome>>(`${workspacePath(workspace)}/dead-letters/retry`, { runs })).items,
          look: (run) => api.get<Run>(`${workspacePath(workspace)}/runs/${run}`),
          wait: (ms) => new Promise((done) => setTimeout(done, ms)),
          now: () => Date.now(),
          stopAsked: () => stopping.current,
          gone: () => gone.current,
          tell: (next) => {
            if (!gone.current) setProgress(next);
            if (next.sent > 0 && sent === 0) void refreshDeadLetters(client, workspace);
            sent = next.sent;
          },
        });
        await refreshDeadLetters(client, workspace);
        return ended;
      },
      stop: () => {
        stopping.current = true;
      },
    }),
    [progress, workspace, client],
  );
}
