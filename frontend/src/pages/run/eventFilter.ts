/** Which events of a run are shown. Pure. */
import type { RunEvent } from "./events";

export const EVENT_KINDS = [
  "accepted", "begun", "started", "finished", "failed", "waits", "retries", "cancelled", "doubt",
  "decided", "retried", "undone", "person", "worker", "ended",
] as const;
export type RunEventKind = (typeof EVENT_KINDS)[number];

/** Whose doing is shown: everybody's (nothing set), that of steps, or that of people. */
export const SHOWN = ["steps", "people"] as const;
export type Shown = (typeof SHOWN)[number];

export interface EventFilter {
  only?: Shown | undefined;
  /** A step's id. */
  of?: string | undefined;
  kind?: RunEventKind | undefined;
  find?: string | undefined;
}

export function isEventKind(value: unknown): value is RunEventKind {
  return (EVENT_KINDS as readonly unknown[]).includes(value);
}

export function isShown(value: unknown): value is Shown {
  return (SHOWN as readonly unknown[]).includes(value);
}

export function isFiltered(filter: EventFilter): boolean {
  return Boolean(filter.only || filter.of || filter.kind || filter.find?.trim());
}

/** Events that fit kind and words; `words` is what the page says of one. Every word of the search must be found. */
export function filterEvents(
  events: readonly RunEvent[],
  filter: EventFilter,
  words: (event: RunEvent) => string,
): readonly RunEvent[] {
  const parts = (filter.find ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!filter.kind && parts.length === 0) return events;
  return events.filter((event) => {
    if (filter.kind && event.kind !== filter.kind) return false;
    if (parts.length === 0) return true;
    const said = words(event).toLocaleLowerCase();
    return parts.every((part) => said.includes(part));
  });
}

/** The kinds that there are, in their order: only these are worth choosing. */
export function kindsOf(events: readonly RunEvent[]): RunEventKind[] {
  const kinds = new Set(events.map((event) => event.kind));
  return EVENT_KINDS.filter((kind) => kinds.has(kind));
}
