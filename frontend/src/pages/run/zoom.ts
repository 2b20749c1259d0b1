/** A stretch of a run's timeline, shown over its whole width. Pure. */
import type { Scale } from "./timeline";

/** Moments, ms; `from` < `until`. */
export interface Stretch {
  from: number;
  until: number;
}

/** The shortest stretch that is shown, ms: bars know no finer time. */
export const SHORTEST = 4;

/** "1200-3400" as offsets in ms; null if it is no stretch. */
export function zoomOf(value: string | undefined): Stretch | null {
  const found = /^(\d{1,13})-(\d{1,13})$/.exec(value ?? "");
  if (!found) return null;
  const from = Number(found[1]);
  const until = Number(found[2]);
  return until - from >= SHORTEST ? { from, until } : null;
}

/** The moments of an address's stretch, held within the scale; null if they are all of it or none of it. */
export function shownStretch(value: string | undefined, zero: number, scale: Scale): Stretch | null {
  const offsets = zoomOf(value);
  if (!offsets) return null;
  const from = Math.max(scale.from, zero + offsets.from);
  const until = Math.min(scale.until, zero + offsets.until);
  return until - from < SHORTEST || (from <= scale.from && until >= scale.until) ? null : { from, until };
}

/** For the address: whole ms after `zero`. */
export function zoomText(stretch: Stretch, zero: number): string {
  const from = Math.max(0, Math.floor(stretch.from - zero));
  return `${from}-${Math.max(from + SHORTEST, Math.ceil(stretch.until - zero))}`;
}

/** The same scale with the stretch over its whole width. What lies outside stands at the edges. */
export function zoomedScale(scale: Scale, stretch: Stretch | null): Scale {
  if (!stretch) return scale;
  const start = scale.at(stretch.from);
  const width = scale.at(stretch.until) - start;
  if (width <= 0) return scale;
  return {
    ...stretch,
    at: (moment) => Math.min(1, Math.max(0, (scale.at(moment) - start) / width)),
    moment: (share) => scale.moment(start + share * width),
  };
}

/** The stretch between two places of what is shown (shares of the width, in any order); null if it is too short to be meant. */
export function drawn(shown: Scale, one: number, other: number): Stretch | null {
  const clamp = (share: number) => Math.min(1, Math.max(0, share));
  const from = shown.moment(clamp(Math.min(one, other)));
  const until = shown.moment(clamp(Math.max(one, other)));
  return until - from >= SHORTEST ? { from, until } : null;
}

/** Where a key leads: a stretch, "all" of the run, or null if the key is none of the axis. */
export function keyed(key: string, whole: Scale, stretch: Stretch | null): Stretch | "all" | null {
  const start = stretch ? whole.at(stretch.from) : 0;
  const end = stretch ? whole.at(stretch.until) : 1;
  const width = end - start;
  const put = (from: number, length: number): Stretch | "all" => {
    if (length >= 0.999) return "all";
    const first = Math.min(1 - length, Math.max(0, from));
    const found = { from: whole.moment(first), until: whole.moment(first + length) };
    return found.until - found.from >= SHORTEST ? found : (stretch ?? "all");
  };
  switch (key) {
    case "+":
    case "=":
      return put(start + width / 4, width / 2);
    case "-":
      return put(start - width / 2, width * 2);
    case "ArrowLeft":
      return put(start - width / 4, width);
    case "ArrowRight":
      return put(start + width / 4, width);
    case "Home":
      return put(0, width);
    case "End":
      return put(1 - width, width);
    case "0":
    case "Escape":
      return stretch ? "all" : null;
    default:
      return null;
  }
}
