/** Going on with one run, and seeing what comes of it. Nothing here knows of the page. */
import type { AskedNow } from "../../api/askNow";
import type { DeadLetter, RetryOutcome, Run } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { runIsFinished } from "../../ui/status";

/** So long a run is watched; one that takes longer is under way. */
export const WATCHED_MS = 60_000;
/** Most are over at once: the first look comes soon, and each further one after twice as long, up to a second. */
const SOONEST_MS = 200;
const LATEST_MS = 1_000;

/** asks: somebody has to look at its plan. refused: it was not this page's to retry any more. happened: the other system
 * says that it is there already, so nothing was sent. */
export type Fate = "worked" | "underWay" | "failed" | "asks" | "refused" | "happened";

/** What became of a retry by the run's state, for a run that was in go `generation` before; open: nothing so far. */
export function fateOf(run: Pick<Run, "status" | "generation" | "waiting">, generation: number): Fate | "open" {
  if (run.generation <= generation) return "open";
  if (run.status === "completed") return "worked";
  if (runIsFinished(run)) return "failed";
  const waits = ["waiting_event", "waiting_human", "parked"].includes(run.status);
  // A wait that the step asked for comes after what failed; a wait for the next try does not.
  return waits || (run.status === "waiting_timer" && run.waiting?.kind !== "retry") ? "underWay" : "open";
}

export interface Came {
  letter: DeadLetter;
  fate: Fate;
  /** Why it did not work. */
  message: string;
  /** What the other system said before, asked whether it had happened; null where nobody could be asked. */
  said: AskedNow | null;
}

/** The world outside: what `retryOne` needs of it. */
export interface Outside {
  /** Asks the other system whether it happened all the same; null where nobody can be asked. */
  ask: (run: string) => Promise<AskedNow | null>;
  send: (run: string) => Promise<RetryOutcome | undefined>;
  look: (run: string) => Promise<Run>;
  wait: (ms: number) => Promise<void>;
  now: () => number;
  /** Nobody watches any more. */
  gone: () => boolean;
}

/** Goes on with this run and watches it; what came of it. */
export async function retryOne(letter: DeadLetter, outside: Outside): Promise<Came> {
  const said = await outside.ask(letter.run.id).catch(() => null);
  if (said?.found === "happened") return { letter, fate: "happened", message: "", said };
  const sent = await outside.send(letter.run.id);
  if (sent?.outcome !== "retried") return { letter, fate: sent?.outcome ?? "refused", message: sent?.message ?? "", said };
  const since = outside.now();
  for (let pause = SOONEST_MS; !outside.gone() && outside.now() - since < WATCHED_MS; pause = Math.min(2 * pause, LATEST_MS)) {
    await outside.wait(pause);
    // An answer that did not come is asked for again until the time is over.
    const run = await outside.look(letter.run.id).catch(() => null);
    const fate = run ? fateOf(run, letter.run.generation) : "open";
    if (fate !== "open") return { letter, fate, message: run?.error ? failureTitle(run.error) : "", said };
  }
  return { letter, fate: "underWay", message: "", said };
}
