/** Going on with many runs: how fast, what came of each, and when to stop. Nothing here knows of the page. */
import type { DeadLetter, RetryOutcome, Run } from "../../api/types";
import { runIsFinished } from "../../ui/status";

export const RATES = [1, 5, 20] as const;
export type Rate = (typeof RATES)[number];

/** So long a run is watched; one that takes longer is counted as under way. */
export const WATCHED_MS = 60_000;
const LIMIT = 0.2;
/** The share of so few says nothing yet. */
const FEW = 5;
const LOOKED_AT_ONCE = 20;

/** What is known of one. asks: somebody has to look at its plan. refused: it was not this page's to retry any more. */
export type Fate = "open" | "worked" | "underWay" | "failed" | "asks" | "refused";

/** What became of a retry by the run's state, for a run that was in go `generation` before. */
export function fateOf(run: Pick<Run, "status" | "generation" | "waiting">, generation: number): Fate {
  if (run.generation <= generation) return "open";
  if (run.status === "completed") return "worked";
  if (runIsFinished(run)) return "failed";
  const waits = ["waiting_event", "waiting_human", "parked"].includes(run.status);
  // A wait that the step asked for comes after what failed; a wait for the next try does not.
  return waits || (run.status === "waiting_timer" && run.waiting?.kind !== "retry") ? "underWay" : "open";
}

/** One batch a second: as many runs as go in a second. */
export function batchesOf<T>(items: readonly T[], rate: number): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < items.length; at += rate) batches.push(items.slice(at, at + rate));
  return batches;
}

export interface Tally {
  total: number;
  sent: number;
  open: number;
  worked: number;
  underWay: number;
  failed: number;
  asks: number;
  refused: number;
}

/** Whether more than a fifth of those of which something is known failed again or need a person. */
export function tooManyFail(tally: Tally): boolean {
  const bad = tally.failed + tally.asks;
  const known = bad + tally.worked + tally.underWay;
  return known >= Math.min(FEW, tally.total < FEW ? 1 : FEW) && bad / known > LIMIT;
}

/** How many of `wanted` there are; nothing where that is no number of runs. */
export function howMany(typed: string, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(typed.trim()) ? Number(typed) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

/** A letter that did not just work, and why. */
export interface Left {
  letter: DeadLetter;
  fate: "failed" | "asks" | "refused";
  message: string;
}

export interface Progress extends Tally {
  left: Left[];
  /** Why nothing more is sent before all were. */
  stopped: "person" | "rule" | "error" | null;
  error: unknown;
  ended: boolean;
}

export function nothingYet(total: number): Progress {
  return {
    total, sent: 0, open: 0, worked: 0, underWay: 0, failed: 0, asks: 0, refused: 0,
    left: [], stopped: null, error: null, ended: false,
  };
}

/** The world outside: what `retryInBatches` needs of it. */
export interface Outside {
  send: (runs: string[]) => Promise<RetryOutcome[]>;
  look: (run: string) => Promise<Run>;
  wait: (ms: number) => Promise<void>;
  now: () => number;
  /** A person said stop: nothing more is sent, what is under way is watched to its end. */
  stopAsked: () => boolean;
  /** Nobody watches any more. */
  gone: () => boolean;
  tell: (progress: Progress) => void;
}

export interface Pace {
  rate: number;
  stopRule: boolean;
}

/** Goes on with these runs, the first first, and watches each. Returns what came of them. */
export async function retryInBatches(letters: readonly DeadLetter[], pace: Pace, outside: Outside): Promise<Progress> {
  let progress = nothingYet(letters.length);
  let queue = batchesOf(letters, pace.rate);
  const open = new Map<string, { letter: DeadLetter; since: number }>();
  // By the rule, it must be known what came of most before more are sent.
  const mostOpen = pace.stopRule ? Math.max(LOOKED_AT_ONCE, 2 * pace.rate) : Number.POSITIVE_INFINITY;
  const tell = (part: Partial<Progress>) => {
    progress = { ...progress, ...part, open: open.size };
    outside.tell(progress);
  };
  const settle = (letter: DeadLetter, fate: Exclude<Fate, "open">, message: string) => {
    open.delete(letter.run.id);
    const known = fate === "worked" || fate === "underWay";
    tell({
      [fate]: progress[fate] + 1,
      ...(known ? {} : { left: [...progress.left, { letter, fate, message }] }),
    });
  };
  const stop = (why: Progress["stopped"], error: unknown = null) => {
    if (queue.length === 0) return;
    queue = [];
    tell({ stopped: why, error });
  };

  const sendNext = async () => {
    const batch = queue[0];
    if (!batch || open.size >= mostOpen) return;
    try {
      const outcomes = await outside.send(batch.map((letter) => letter.run.id));
      queue = queue.slice(1);
      const byRun = new Map(outcomes.map((one) => [one.run, one]));
      tell({ sent: progress.sent + batch.length });
      for (const letter of batch) {
        const came = byRun.get(letter.run.id);
        if (came?.outcome === "retried") open.set(letter.run.id, { letter, since: outside.now() });
        else settle(letter, came?.outcome ?? "refused", came?.message ?? "");
      }
      tell({});
    } catch (error) {
      stop("error", error);
    }
  };
  const lookAt = async (id: string) => {
    const watched = open.get(id);
    if (!watched) return;
    // An answer that did not come is asked for again until the time is over.
    const run = await outside.look(id).catch(() => null);
    const fate = run ? fateOf(run, watched.letter.run.generation) : "open";
    if (fate !== "open") settle(watched.letter, fate, run?.error?.title ?? "");
    else if (outside.now() - watched.since >= WATCHED_MS) settle(watched.letter, "underWay", "");
  };

  outside.tell(progress);
  while ((queue.length > 0 || open.size > 0) && !outside.gone()) {
    if (outside.stopAsked()) stop("person");
    await sendNext();
    if (open.size === 0 && queue.length === 0) break;
    await outside.wait(1000);
    if (outside.gone()) break;
    await Promise.all([...open.keys()].slice(0, LOOKED_AT_ONCE).map(lookAt));
    if (pace.stopRule && tooManyFail(progress)) stop("rule");
  }
  tell({ ended: true });
  return progress;
}
