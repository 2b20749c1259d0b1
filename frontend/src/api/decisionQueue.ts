/** Decisions that were taken without a network: kept with their keys, and sent once when it is back. */
import { create } from "zustand";

import { ApiError, api, NetworkError, refreshSession } from "./client";
import { workspacePath } from "./queries";
import type { TaskAnswer, TaskDetail } from "./types";
import { allUnder, drop, keep } from "./kept";

export interface Queued {
  user: string;
  workspace: string;
  task: string;
  title: string;
  /** The builder's own names for answers; nothing of what was queued before there were any. */
  named?: TaskDetail["named"] | undefined;
  answer: TaskAnswer;
  /** The one it was tried with first: of a request whose answer was lost nothing is done twice. */
  key: string;
  at: number;
}

/** What became of one that was sent later, for the person to read. */
export interface Became {
  queued: Queued;
  task?: TaskDetail;
  error?: ApiError;
}

interface Queue {
  /** By question. */
  queued: Readonly<Record<string, Queued>>;
  /** What could not be taken any more, until it has been read. */
  refused: readonly Became[];
}

export const useQueue = create<Queue>(() => ({ queued: {}, refused: [] }));

const keyOf = (one: Queued) => `queued:${one.workspace}:${one.task}`;
const refusedKey = (one: Queued) => `refused:${one.workspace}:${one.task}`;

/** Reads what was left by an earlier visit of this person. */
export async function readQueue(user: string): Promise<void> {
  const queued = (await allUnder<Queued>("queued:")).filter((one) => one.user === user);
  const refused = (await allUnder<{ queued: Queued; status: number; body: unknown }>("refused:")).filter((one) => one.queued.user === user);
  useQueue.setState({
    queued: Object.fromEntries(queued.map((one) => [one.task, one])),
    refused: refused.map((one) => ({ queued: one.queued, error: new ApiError(one.status, one.body) })),
  });
}

export async function enqueue(one: Queued): Promise<void> {
  useQueue.setState(({ queued }) => ({ queued: { ...queued, [one.task]: one } }));
  await keep(keyOf(one), one);
}

/** It was not sent: then nobody ever hears of it. */
export async function unqueue(task: string): Promise<void> {
  const { [task]: one, ...rest } = useQueue.getState().queued;
  useQueue.setState({ queued: rest });
  if (one) await drop(keyOf(one));
}

export async function readRefusal(task: string): Promise<void> {
  const one = useQueue.getState().refused.find((other) => other.queued.task === task);
  useQueue.setState(({ refused }) => ({ refused: refused.filter((other) => other !== one) }));
  if (one) await drop(refusedKey(one.queued));
}

async function refuse(one: Queued, error: ApiError): Promise<void> {
  useQueue.setState(({ refused }) => ({ refused: [...refused, { queued: one, error }] }));
  await keep(refusedKey(one), { queued: one, status: error.status, body: error.body });
}

const isForLater = (error: unknown): boolean =>
  error instanceof NetworkError || (error instanceof ApiError && (error.status === 401 || error.status === 429 || error.status >= 500));

async function sendEach(user: string, told: (became: Became) => void): Promise<void> {
  const mine = Object.values(useQueue.getState().queued).filter((one) => one.user === user);
  if (mine.length === 0) return;
  // A page that was opened without a network has no token yet; and somebody else may have signed in meanwhile.
  const session = await refreshSession();
  if (session.user?.id !== user) return;
  for (const one of mine.sort((left, right) => left.at - right.at)) {
    if (!(one.task in useQueue.getState().queued)) continue;
    const path = `${workspacePath(one.workspace)}/inbox/${one.task}/decide`;
    try {
      const task = await api.post<TaskDetail>(path, { ...one.answer, undo: true }, { idempotencyKey: one.key });
      await unqueue(one.task);
      told({ queued: one, task });
    } catch (error) {
      if (isForLater(error) || !(error instanceof ApiError)) throw error;
      await unqueue(one.task);
      await refuse(one, error);
      told({ queued: one, error });
    }
  }
}

let sending: Promise<void> | undefined;

/** Sends what waits, one after the other; one page at a time. What has no answer stays, and is tried again. */
export function sendQueued(user: string, told: (became: Became) => void): Promise<void> {
  sending ??= Promise.resolve(
    "locks" in navigator
      ? navigator.locks.request("millrace-inbox", { ifAvailable: true }, (lock) => (lock ? sendEach(user, told) : undefined))
      : sendEach(user, told),
  )
    .then(() => undefined)
    .catch(() => undefined)
    .finally(() => {
      sending = undefined;
    });
  return sending;
}
