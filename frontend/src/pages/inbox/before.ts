/** What stands beside a question: what was done in its run before, and what became of its key earlier. Pure. */
import type { KeyEvent } from "../../api/runSearch";
import type { RunStep } from "../../api/types";

const MOST_EVENTS = 6;

/** The steps that have ended, but this one, the last first. */
export function stepsBefore(steps: readonly RunStep[], node: string): RunStep[] {
  return steps
    .filter((step) => step.node !== node && step.finished_at !== null)
    .sort((left, right) => Date.parse(right.finished_at ?? "") - Date.parse(left.finished_at ?? ""));
}

/** What happened to other runs of the key, the newest first; decisions before everything else. */
export function eventsOfOthers(events: readonly KeyEvent[], run: string): KeyEvent[] {
  const others = events.filter((event) => event.run !== run).reverse();
  const decided = others.filter((event) => event.kind === "decided");
  return [...decided, ...others.filter((event) => event.kind !== "decided")].slice(0, MOST_EVENTS);
}
