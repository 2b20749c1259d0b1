/** What the figures say beside each other: changes, rates, and where a number leads. */
import type { MonitorShape } from "../../api/schema.gen";

/** By what part it is more (or less, below 0) than before; null where nothing can be said. */
export function changeOf(now: number | null, before: number | null): number | null {
  if (now === null || before === null) return null;
  if (before === 0) return now === 0 ? 0 : null;
  return (now - before) / before;
}

export function rateOf(count: number, hours: number): number {
  return hours > 0 ? count / hours : 0;
}

/** At least one: what was heard this moment was heard a second ago. */
export function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds / 1000)) * 1000;
}

/** Of all deliveries that came again the list stands at the workflow, where they are all of one. */
export function waysFrom(found: Pick<MonitorShape, "workflows">): { starts: string | null } {
  const theirs = found.workflows.filter((one) => one.happened.repeated > 0);
  return { starts: theirs.length === 1 ? (theirs[0]?.workflow_id ?? null) : null };
}

/** Of runs that ended by themselves, what part failed: of those that are counted as failed beside it. What was undone
 * neither failed for good nor ended well. Null where none ended. */
export function failureOf(happened: { completed: number; failed: number; undone: number }): number | null {
  const ended = happened.completed + happened.failed + happened.undone;
  return ended === 0 ? null : happened.failed / ended;
}

/** How a run that ended may stand. */
export const ENDED = ["completed", "dead_lettered", "compensated", "cancelled"];
/** The statuses of runs that failed for good, as figures of failures count them. */
export const FAILED = ["dead_lettered"];

/** The runs behind how long they took, which ended well: those that took longest stand first. */
export function longest<Span extends object>(span: Span) {
  return { ...span, status: ["completed"], sort: "longest" };
}

/** The runs that failed, of versions whose steps call by this connection. */
export function failedOf<Span extends object>(connection: string, span: Span) {
  return { ...span, status: FAILED, q: `connection:${connection}` };
}
