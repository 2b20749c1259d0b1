/** Moments as the clock on the wall of a time zone shows them, for fields of day and time. */

/** So far the clock on the wall of this zone is ahead of UTC at that moment, ms. */
function aheadAt(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(ms);
  const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - Math.floor(ms / 1000) * 1000;
}

/** `2026-11-30T14:30`, as a field of day and time holds it; empty where there is no moment. */
export function wallOf(instant: string | undefined, zone: string): string {
  const ms = Date.parse(instant ?? "");
  return Number.isNaN(ms) ? "" : new Date(ms + aheadAt(ms, zone)).toISOString().slice(0, 16);
}

/**
 * The moment at which the clock on the wall shows this. Where it shows it twice, as clocks are put back, the first time;
 * where it never does, as they are put forward, as much later. Undefined where the text is no time.
 */
export function instantOf(wall: string, zone: string): string | undefined {
  const shown = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(wall) ? Date.parse(`${wall}${wall.length === 16 ? ":00" : ""}Z`) : Number.NaN;
  if (Number.isNaN(shown)) return undefined;
  const before = aheadAt(shown - 86_400_000, zone);
  const after = aheadAt(shown + 86_400_000, zone);
  const fits = [before, after].map((ahead) => shown - ahead).filter((ms) => ms + aheadAt(ms, zone) === shown);
  return new Date(fits.length > 0 ? Math.min(...fits) : shown - before).toISOString();
}

/** An instant as short as it is exact: it stands in an address. */
export const briefly = (at: string): string => new Date(at).toISOString().replace(/(:00)?\.000Z$/, "Z");
