/** Days and times of day as they are in one time zone, which is the workspace's and not this computer's. */

export type View = "agenda" | "week" | "month";
export const VIEWS: readonly View[] = ["agenda", "week", "month"];

const DAY = 86_400_000;
const AGENDA_DAYS = 7;

/** 2026-11-29: the day of this moment in that zone. */
export function dayOf(at: string | number, zone: string): string {
  const parts = partsOf(at, zone);
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** 2026-11-29T18:00, as an input of a date and a time wants it. */
export function localOf(at: string | number, zone: string): string {
  const parts = partsOf(at, zone);
  return `${dayOf(at, zone)}T${parts.hour}:${parts.minute}`;
}

/** The moment at which clocks of that zone show this; where they never do, the first one behind the gap. */
export function momentOf(local: string, zone: string): number {
  const wall = Date.parse(`${local.length === 10 ? `${local}T00:00` : local}Z`);
  // As far as the clocks are from UTC the day before, and the day behind: between them they may change.
  const found = [wall - DAY, wall + DAY].map((near) => wall - offsetAt(near, zone));
  const fits = found.filter((at) => at + offsetAt(at, zone) === wall);
  return fits.length > 0 ? Math.min(...fits) : Math.max(...found);
}

/** This many days behind, or before. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

export function isDay(text: unknown): text is string {
  return typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00Z`));
}

/** The days that a view shows: of a month whole weeks. Weeks begin on Mondays. */
export function daysOf(view: View, day: string): string[] {
  const many = (first: string, count: number) => Array.from({ length: count }, (_, number) => plusDays(first, number));
  if (view === "agenda") return many(day, AGENDA_DAYS);
  if (view === "week") return many(mondayOf(day), 7);
  const first = mondayOf(`${day.slice(0, 8)}01`);
  const next = monthFrom(day, 1);
  const weeks = Math.ceil((Date.parse(`${next}T00:00Z`) - Date.parse(`${first}T00:00Z`)) / (7 * DAY));
  return many(first, weeks * 7);
}

/** The day that the view shows behind this one, or before. */
export function turned(view: View, day: string, by: 1 | -1): string {
  if (view === "month") return monthFrom(day, by);
  return plusDays(day, by * (view === "week" ? 7 : AGENDA_DAYS));
}

function monthFrom(day: string, months: number): string {
  const at = new Date(`${day.slice(0, 8)}01T00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + months);
  return at.toISOString().slice(0, 10);
}

function mondayOf(day: string): string {
  return plusDays(day, -((new Date(`${day}T00:00Z`).getUTCDay() + 6) % 7));
}

type Parts = Record<"year" | "month" | "day" | "hour" | "minute" | "second", string>;

const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(at: string | number, zone: string): Parts {
  let format = formats.get(zone);
  if (!format) {
    const two = "2-digit" as const;
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: two, day: two, hour: two, minute: two, second: two, hourCycle: "h23" });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(new Date(at)).map((part) => [part.type, part.value])) as Parts;
}

/** How far the clocks of that zone are ahead of UTC at this moment, ms. */
function offsetAt(at: number, zone: string): number {
  const parts = partsOf(at, zone);
  const wall = Date.parse(`${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}Z`);
  return wall - Math.floor(at / 1000) * 1000;
}
