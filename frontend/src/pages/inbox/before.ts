/** What stands beside a question: what was done in its run before, and what became of its key earlier. Pure. */
import type { KeyEvent } from "../../api/runSearch";
import type { GraphDocument, RunStep } from "../../api/types";

const MOST_EVENTS = 6;

/** The steps that have ended, but this one, the last first. */
export function stepsBefore(steps: readonly RunStep[], node: string): RunStep[] {
  return steps
    .filter((step) => step.node !== node && step.finished_at !== null)
    .sort((left, right) => Date.parse(right.finished_at ?? "") - Date.parse(left.finished_at ?? ""));
}

/** How many of the steps that are drawn are done, and how many failed. */
export function doneOf(graph: Pick<GraphDocument, "nodes">, steps: readonly RunStep[]): { done: number; failed: number } {
  const states = new Map(steps.map((step) => [step.node, step.status]));
  const count = (status: RunStep["status"]) => graph.nodes.filter((node) => states.get(node.id) === status).length;
  return { done: count("succeeded"), failed: count("failed") };
}

/** What happened to other runs of the key, the newest first; decisions before everything else. */
export function eventsOfOthers(events: readonly KeyEvent[], run: string): KeyEvent[] {
  const others = events.filter((event) => event.run !== run).reverse();
  const decided = others.filter((event) => event.kind === "decided");
  return [...decided, ...others.filter((event) => event.kind !== "decided")].slice(0, MOST_EVENTS);
}
