/** Which events of a run are shown. Pure. */
import type { RunEvent, RunEventKind } from "./timeline";

export const EVENT_KINDS: readonly RunEventKind[] = [
  "accepted", "begun", "started", "finished", "failed", "waits", "retries", "retried", "undone", "ended",
];

export interface EventFilter {
  /** A step's id. */
  of?: string | undefined;
  kind?: RunEventKind | undefined;
  find?: string | undefined;
}

export function isEventKind(value: unknown): value is RunEventKind {
  return (EVENT_KINDS as readonly unknown[]).includes(value);
}

export function isFiltered(filter: EventFilter): boolean {
  return Boolean(filter.of || filter.kind || filter.find?.trim());
}

/** Events that fit all of the filter; `words` is what the page says of one. Every word of the search must be found. */
export function filterEvents(
  events: readonly RunEvent[],
  filter: EventFilter,
  words: (event: RunEvent) => string,
): readonly RunEvent[] {
  if (!isFiltered(filter)) return events;
  const parts = (filter.find ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return events.filter((event) => {
    if (filter.of && event.node !== filter.of) return false;
    if (filter.kind && event.kind !== filter.kind) return false;
    if (parts.length === 0) return true;
    const said = words(event).toLocaleLowerCase();
    return parts.every((part) => said.includes(part));
  });
}

/** Steps and kinds that have events, in the order of the run and of the kinds: only these are worth choosing. */
export function choices(events: readonly RunEvent[]): { steps: { node: string; name: string }[]; kinds: RunEventKind[] } {
  const steps = new Map<string, string>();
  const kinds = new Set<RunEventKind>();
  for (const event of events) {
    kinds.add(event.kind);
    if (event.node && !steps.has(event.node)) steps.set(event.node, event.name);
  }
  return { steps: [...steps].map(([node, name]) => ({ node, name })), kinds: EVENT_KINDS.filter((kind) => kinds.has(kind)) };
}
