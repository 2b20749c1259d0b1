/** How many items were at work in each slice of time, as the shades of a bar; and the tries of a step as ticks. Pure. */
import type { Density, StepTry } from "../../../api/runTimes";
import { statusColour } from "../../../ui/status";
import type { Scale, TimelineRow } from "../timeline";

/** More items than that are drawn as one strip; fewer have a plain bar. */
export const MANY = 10;

export interface Shade {
  /** Moments, ms. */
  from: number;
  until: number;
  busy: number;
  done: number;
  failed: number;
}

export function shadesOf(density: Density | undefined): Shade[] {
  if (!density) return [];
  const since = Date.parse(density.since);
  const end = Date.parse(density.last) + 1;
  return density.slices.map((slice, index) => {
    const from = since + index * density.width_ms;
    return { from, until: Math.min(Math.max(end, from + 1), from + density.width_ms), ...slice };
  });
}

/** The slice in which most were at work. */
export function busiest(shades: readonly Shade[]): Shade | null {
  let found: Shade | null = null;
  for (const shade of shades) if (!found || shade.busy > found.busy) found = shade;
  return found;
}

export function shadeAt(shades: readonly Shade[], moment: number): Shade | null {
  return shades.find((shade) => moment >= shade.from && moment < shade.until) ?? null;
}

const percent = (share: number): string => `${Math.round(share * 100_000) / 1000}%`;

/** A gradient over a bar that reaches from one moment to another: for each slice what `colour` says; null: nothing. */
function gradient(shades: readonly Shade[], scale: Scale, from: number, until: number, colour: (shade: Shade) => string | null): string {
  const left = scale.at(from);
  const width = scale.at(until) - left || 1;
  const place = (moment: number) => percent(Math.min(1, Math.max(0, (scale.at(moment) - left) / width)));
  const stops: string[] = [];
  let shown: string | null = null;
  let end: number | null = null;
  for (const shade of shades) {
    const next = colour(shade) ?? "transparent";
    // Slices of one colour beside each other are one stretch.
    if (end === shade.from && next === shown) stops.pop();
    else stops.push(`${next} ${place(shade.from)}`);
    stops.push(`${next} ${place(shade.until)}`);
    shown = next;
    end = shade.until;
  }
  return stops.length === 0 ? "none" : `linear-gradient(to right, transparent ${place(shades[0]?.from ?? from)}, ${stops.join(", ")}, transparent ${place(end ?? until)})`;
}

/** The strip: the more were at work, the fuller its colour, in eight steps. */
export function strip(shades: readonly Shade[], scale: Scale, from: number, until: number, tone: string): string {
  const most = busiest(shades)?.busy || 1;
  return gradient(shades, scale, from, until, ({ busy, done, failed }) => {
    if (busy <= 0 && done + failed === 0) return null;
    const step = Math.max(1, Math.ceil((busy / most) * 8));
    return `color-mix(in srgb, ${tone} ${20 + step * 10}%, transparent)`;
  });
}

/** The line beneath: where items failed. */
export function failedStrip(shades: readonly Shade[], scale: Scale, from: number, until: number): string | null {
  if (!shades.some((shade) => shade.failed > 0)) return null;
  return gradient(shades, scale, from, until, ({ failed }) => (failed > 0 ? statusColour("failed") : null));
}

export interface Tick {
  attempt: number;
  at: number;
  /** What the try before it ended with; null of the first, and where nothing is told. */
  error: StepTry["error"];
}

/** The tries of a step that its bar shows, each where it began. */
export function ticksOf(row: TimelineRow, tries: readonly StepTry[]): Tick[] {
  const { from, until } = row;
  if (from === null || row.attempt < 2) return [];
  const own = tries.filter((one) => one.node === row.node && Date.parse(one.at) >= from && Date.parse(one.at) <= (until ?? Number.POSITIVE_INFINITY));
  // The first try begins where the bar does.
  return own.flatMap((one, index) => {
    const before = own[index - 1];
    return [{ attempt: one.attempt, at: Date.parse(one.at), error: before?.generation === one.generation ? before.error : null }];
  });
}
