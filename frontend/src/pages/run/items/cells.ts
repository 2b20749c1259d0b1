/** The items of a container as cells, or as a bar where there are too many. Pure. */
import type { RunItem, StepItems } from "../../../api/types";
import { runStatusKind, type StatusKind } from "../../../ui/status";

/** More than that are a bar. */
export const MOST_CELLS = 24;

export interface Cell {
  index: number;
  kind: StatusKind;
  /** Null while it has not begun. */
  item: RunItem | null;
}

/** One cell for each item, in order; null where there are too many, or it is not known how many. */
export function cellsOf(items: StepItems, known: readonly RunItem[]): Cell[] | null {
  const count = items.total ?? items.started;
  if (count > MOST_CELLS) return null;
  const byIndex = new Map(known.map((item) => [item.index, item]));
  return Array.from({ length: count }, (_, index) => {
    const item = byIndex.get(index) ?? null;
    return { index, item, kind: item ? runStatusKind(item) : "not_started" };
  });
}

export interface Segment {
  kind: "done" | "failed" | "solved" | "skipped" | "running" | "waiting" | "not_started";
  count: number;
  /** Of the whole bar, from 0 to 1. */
  share: number;
}

/** The parts of the bar; those that are empty are left out. */
export function segmentsOf(items: StepItems): Segment[] {
  const total = Math.max(1, items.total ?? items.started);
  const begun = items.done + items.failed + items.solved + items.left_out + items.running + items.waiting;
  const parts: [Segment["kind"], number][] = [
    ["done", items.done],
    ["failed", items.failed],
    ["solved", items.solved],
    ["skipped", items.left_out],
    ["running", items.running],
    ["waiting", items.waiting],
    ["not_started", Math.max(0, total - begun)],
  ];
  return parts.flatMap(([kind, count]) => (count > 0 ? [{ kind, count, share: count / total }] : []));
}

/** What is opened when nobody has chosen: the first that failed, or in which something did, else the first of all. */
export function firstToOpen(known: readonly RunItem[]): RunItem | undefined {
  const first = (kind: StatusKind) => known.find((item) => runStatusKind(item) === kind);
  return known.find((item) => item.status === "dead_lettered" && !item.solved) ?? first("done_with_failures") ?? known[0];
}
