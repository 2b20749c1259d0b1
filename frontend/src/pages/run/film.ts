/** A run as a film: how it stood at a moment, and how time passes while it is played. Pure. */
import type { Playback } from "../../api/lookingBack";
import type { GraphDocument, Run, RunStep, StepItems } from "../../api/types";
import type { RunStatus, StepStatus } from "../../ui/status";
import { drawn, type RunState } from "../../live/runStore";

interface FrameStep {
  node: string;
  generation: number;
  attempt: number;
  status: StepStatus;
  ports: string[];
  wait: string | null;
  until: string | null;
}

interface Frame {
  at: number;
  generation: number;
  status: RunStatus;
  kind: string;
  steps: readonly FrameStep[];
}

interface Point {
  at: number;
  started: number;
  done: number;
  failed: number;
}

export interface Film {
  frames: readonly Frame[];
  /** Each moment at which something changed, once, the oldest first. */
  moments: readonly number[];
  items: ReadonlyMap<string, readonly Point[]>;
  /** Nothing of what came first was drawn together. */
  whole: boolean;
}

export function filmOf(told: Playback): Film {
  const frames = told.frames.map((frame) => ({ ...frame, at: Date.parse(frame.at), status: frame.status as RunStatus, steps: frame.steps as FrameStep[] }));
  const items = new Map(told.items.map(({ node, points }) => [node, points.map((point) => ({ ...point, at: Date.parse(point.at) }))]));
  const all = [...frames.map((frame) => frame.at), ...[...items.values()].flatMap((points) => points.map((point) => point.at))];
  return { frames, moments: [...new Set(all)].sort((left, right) => left - right), items, whole: told.whole };
}

/** How many entries of a sorted list are not after this moment. */
function upTo(list: readonly { at: number }[], at: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function itemsAt(points: readonly Point[] | undefined, at: number, now: StepItems | null | undefined): StepItems | null {
  if (!points) return null;
  const point = points[upTo(points, at) - 1] ?? { started: 0, done: 0, failed: 0 };
  const running = Math.max(0, point.started - point.done - point.failed);
  return { total: now?.total ?? null, started: point.started, done: point.done, failed: point.failed, running, waiting: 0, failed_inside: 0, failed_calls: 0, solved: 0, left_out: 0 };
}

interface Now {
  run: Run;
  graph: GraphDocument;
  steps: Readonly<Record<string, RunStep>>;
}

/** How a step stood, with what is known of it now where it stands like that still. */
function stepAt(step: FrameStep, since: number, began: number | null, seq: number, key: string, now: RunStep | undefined, items: StepItems | null): RunStep {
  const over = step.status === "succeeded" || step.status === "failed" || step.status === "skipped" || step.status === "cancelled";
  const still = now !== undefined && now.generation === step.generation && now.status === step.status && now.attempt === step.attempt;
  const iso = (at: number): string => new Date(at).toISOString();
  if (still) return { ...now, seq, items: items ?? now.items };
  return {
    node: step.node,
    key,
    generation: step.generation,
    status: step.status,
    attempt: step.attempt,
    ports: step.ports,
    note: null,
    wait: step.wait === null ? null : { kind: step.wait, until: step.until },
    error: null,
    started_at: began === null ? null : iso(began),
    finished_at: over ? iso(since) : null,
    duration_ms: over && began !== null ? since - began : null,
    seq,
    items,
  };
}

/**
 * How the run stood at this moment: what the canvas shows of it. `seq` counts the frames, so that every moment is another
 * state; steps that stand as they did in `before` keep their object, so that nothing but what changed is drawn anew.
 */
export function stateAt(film: Film, now: Now, at: number, before?: RunState): RunState {
  const count = Math.max(1, upTo(film.frames, at));
  const last = film.frames[count - 1];
  const stood = new Map<string, { step: FrameStep; since: number; began: number | null; frame: number }>();
  for (let index = 0; index < count; index += 1) {
    const frame = film.frames[index];
    for (const step of frame?.steps ?? []) {
      const earlier = stood.get(step.node);
      // An earlier go of the run is over once a later one tells of the step.
      if (earlier && earlier.step.generation > step.generation) continue;
      const sameGo = earlier?.step.generation === step.generation;
      const began = (sameGo ? earlier.began : null) ?? (step.status === "running" || step.status === "waiting" || step.status === "retrying" ? (frame?.at ?? 0) : null);
      stood.set(step.node, { step, since: frame?.at ?? 0, began, frame: index });
    }
  }
  const generation = last?.generation ?? 1;
  const keys = new Map(now.graph.nodes.map((node) => [node.id, node.key]));
  const steps: Record<string, RunStep> = {};
  for (const [node, { step, since, began, frame }] of stood) {
    // As on the live canvas: what an earlier go did is not how this one stands.
    if (step.generation !== generation) continue;
    const items = itemsAt(film.items.get(node), at, now.steps[node]?.items);
    const points = film.items.get(node);
    const made = stepAt(step, since, began, frame + 1 + (points ? upTo(points, at) * 1e-6 : 0), keys.get(node) ?? node, now.steps[node], items);
    const known = before?.steps[node];
    steps[node] = known && known.seq === made.seq && known.generation === made.generation && known.status === made.status ? known : made;
  }
  const status = last?.status ?? now.run.status;
  const still = status === now.run.status && generation === now.run.generation;
  const run: Run = still
    ? now.run
    : { ...now.run, status, generation, finished_at: ENDS.has(status) ? new Date(last?.at ?? at).toISOString() : null, outcome: null, waiting: null, error: null, paused: false, solved: null, failed_items: 0, failed_calls: 0 };
  return drawn(run, now.graph, steps, count);
}

const ENDS: ReadonlySet<RunStatus> = new Set(["completed", "compensated", "cancelled", "dead_lettered"]);

// --- time -----------------------------------------------------------------------------------------------------

export type Pace = "1" | "10" | "skip";

/** With waits left out, a change is shown for at least and at most so long, and the whole run for at most so long. ms */
const LEAST = 120;
const MOST = 1200;
const WHOLE = 60_000;

/** Time as it is shown on the slider: where nothing happens it is short, so that every moment can be reached. */
export interface Reel {
  from: number;
  until: number;
  /** Share of the way, 0 to 1, at which a moment stands. */
  share(at: number): number;
  /** The moment at a share of the way. */
  moment(share: number): number;
  /** Where a film that stands at `at` stands after so many ms of watching. */
  after(at: number, watched: number, pace: Pace): number;
}

export function reelOf(moments: readonly number[], now: number): Reel {
  const marks = moments.length > 0 ? [...moments] : [now];
  const last = marks[marks.length - 1] ?? now;
  const first = marks[0] ?? now;
  if (now > last) marks.push(now);
  if (marks.length === 1) marks.push(last + 1);
  const until = marks[marks.length - 1] ?? last;
  const lengths = marks.slice(1).map((mark, index) => Math.min(MOST, Math.max(LEAST, mark - (marks[index] ?? mark))));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const starts: number[] = [0];
  for (const length of lengths) starts.push((starts[starts.length - 1] ?? 0) + length);
  const share = (at: number): number => {
    if (at <= first) return 0;
    if (at >= until) return 1;
    let low = 0;
    let high = marks.length - 1;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle] ?? 0) <= at) low = middle;
      else high = middle;
    }
    const from = marks[low] ?? first;
    const to = marks[low + 1] ?? until;
    return ((starts[low] ?? 0) + ((at - from) / (to - from)) * (lengths[low] ?? 0)) / total;
  };
  const moment = (wanted: number): number => {
    const place = Math.min(1, Math.max(0, wanted)) * total;
    let at = 0;
    while (at < lengths.length - 1 && (starts[at + 1] ?? 0) < place) at += 1;
    const from = marks[at] ?? first;
    const to = marks[at + 1] ?? until;
    return Math.round(from + ((place - (starts[at] ?? 0)) / (lengths[at] || 1)) * (to - from));
  };
  // A film of very many changes is shown quicker, so that it has an end.
  const hurry = Math.max(1, total / WHOLE);
  const after = (at: number, watched: number, pace: Pace): number =>
    pace === "skip" ? Math.max(at, moment(share(at) + (watched * hurry) / total)) : Math.min(until, at + watched * Number(pace));
  return { from: first, until, share, moment, after };
}

/** The moment at which something changed, so many changes on (or back); null beyond the last but one: that is now. */
export function neighbour(moments: readonly number[], at: number | null, by: number): number | null {
  const last = moments.length - 1;
  let place = last;
  if (at !== null) {
    place = 0;
    while (place < last && (moments[place + 1] ?? 0) <= at) place += 1;
  }
  // Between two changes, one step back leads to the one that made it what it is.
  const between = at !== null && moments[place] !== at;
  const index = place + by + (between && by < 0 ? 1 : 0);
  return index >= last ? null : (moments[Math.max(0, index)] ?? null);
}

/** Items as they stood: those that had not begun are not there, those that had not ended were at work. */
export function itemsAsOf<T extends { started_at: string | null; finished_at: string | null; status: RunStatus }>(items: readonly T[], at: number): T[] {
  return items
    .filter((item) => item.started_at !== null && Date.parse(item.started_at) <= at)
    .map((item) => (item.finished_at !== null && Date.parse(item.finished_at) > at ? { ...item, status: "running" as const, finished_at: null, outcome: null, error: null, failed_items: 0, failed_calls: 0, solved: null } : item));
}
