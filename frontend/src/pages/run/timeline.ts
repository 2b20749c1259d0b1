/** Times of a run as rows and bars. Pure. */
import type { GraphDocument, Run, RunStep } from "../../api/types";
import { type StatusKind, stepStatusKind } from "../../ui/status";
import { stepsOfRun } from "./undo";

export interface TimelineRow {
  node: string;
  name: string;
  kind: StatusKind;
  attempt: number;
  /** ms since the epoch; null if the run has not been there. */
  from: number | null;
  until: number | null;
  /** The bar shows time spent waiting, not working. */
  waiting: boolean;
}

/** Types whose time is spent waiting, so that a squeezed timeline may shorten it. */
const WAITING_TYPES = /^(flow\.wait|people\.)/;
const LONG_GAP = 10_000;

/** Rows in the order of the workflow; steps that the run never reached have no bar. Undo steps that were not needed have no row. */
export function timelineRows(graph: GraphDocument, steps: Readonly<Record<string, RunStep>>): TimelineRow[] {
  return stepsOfRun(graph, steps).map((node) => {
    const step = steps[node.id];
    const from = step?.started_at ? Date.parse(step.started_at) : null;
    return {
      node: node.id,
      name: node.name,
      kind: stepStatusKind(step),
      attempt: step?.attempt ?? 0,
      from,
      until: step?.finished_at ? Date.parse(step.finished_at) : null,
      // A container whose items work is at work.
      waiting: (step?.status === "waiting" && step.wait?.kind !== "children") || step?.status === "retrying" || WAITING_TYPES.test(node.type),
    };
  });
}

export interface Scale {
  from: number;
  until: number;
  /** Share of the width, 0 to 1, at which a moment stands. */
  at: (moment: number) => number;
  /** The moment at a share of the width. */
  moment: (share: number) => number;
}

/** From the run's start to its end (or now); with `squeeze`, stretches in which nothing works are shortened. */
export function timelineScale(run: Run, rows: readonly TimelineRow[], now: number, squeeze: boolean): Scale {
  // One by one: a call takes only so many arguments, and a run may have tens of thousands of rows.
  let from = Date.parse(run.started_at ?? run.accepted_at);
  for (const row of rows) if (row.from !== null && row.from < from) from = row.from;
  let until = Math.max(run.finished_at ? Date.parse(run.finished_at) : now, from + 1);
  for (const row of rows) if (row.until !== null && row.until > until) until = row.until;
  if (!squeeze) {
    const length = until - from;
    return { from, until, at: (moment) => clamp((moment - from) / length), moment: (share) => from + share * length };
  }
  const working = rows
    .filter((row) => row.from !== null && !row.waiting)
    .map((row) => [row.from ?? from, row.until ?? until] as const)
    .sort((left, right) => left[0] - right[0]);
  let next = 0;
  /** Until when those that started before a moment work. */
  let busyUntil = Number.NEGATIVE_INFINITY;
  const marks = [...new Set([from, until, ...rows.flatMap((row) => [row.from ?? from, row.until ?? until])])]
    .filter((mark) => mark >= from && mark <= until)
    .sort((left, right) => left - right);
  const segments: { start: number; end: number; length: number }[] = [];
  for (let index = 0; index + 1 < marks.length; index += 1) {
    const start = marks[index] ?? from;
    const stop = marks[index + 1] ?? until;
    for (; next < working.length && (working[next]?.[0] ?? stop) < stop; next += 1) {
      busyUntil = Math.max(busyUntil, working[next]?.[1] ?? busyUntil);
    }
    const busy = busyUntil > start;
    const length = stop - start;
    segments.push({ start, end: stop, length: busy || length <= LONG_GAP ? length : 0 });
  }
  const worked = segments.reduce((sum, segment) => sum + segment.length, 0);
  // A shortened stretch stays visible: a twelfth of the working time each, but at least half a second.
  const short = Math.max(500, worked / 12);
  for (const segment of segments) if (segment.length === 0) segment.length = Math.min(short, segment.end - segment.start);
  const total = segments.reduce((sum, segment) => sum + segment.length, 0) || 1;
  const at = (moment: number) => {
    let passed = 0;
    for (const segment of segments) {
      if (moment <= segment.start) break;
      const share = clamp((moment - segment.start) / (segment.end - segment.start || 1));
      passed += segment.length * share;
    }
    return clamp(passed / total);
  };
  const moment = (share: number) => {
    let left = clamp(share) * total;
    for (const segment of segments) {
      if (left <= segment.length) return segment.start + (left / (segment.length || 1)) * (segment.end - segment.start);
      left -= segment.length;
    }
    return until;
  };
  return { from, until, at, moment };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
