/** A time of one's own in a list of runs: whole days of the workspace, both included, or from one moment until another. Pure. */
import { briefly, instantOf, wallOf } from "../../ui/zone";
import type { RunListSearch, SearchChange } from "./search";

export type Own = "custom" | "times";
type Period = Pick<RunListSearch, "since" | "until">;

const isDay = (value: string | undefined): boolean => value !== undefined && /^\d{4}-\d\d-\d\d$/.test(value);
const isMoment = (value: string | undefined): boolean => value !== undefined && /^\d{4}-\d\d-\d\dT/.test(value);
const AGO = /^(\d+)([mhd])$/;
const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The day in a date field, which knows no time. */
export const dayOf = (value: string | undefined): string => (isDay(value) ? (value ?? "") : "");

/** In what way an address says a time of one's own; empty where it says none. */
export function ownOf({ since, until }: Period): Own | "" {
  if (isMoment(since) || isMoment(until)) return "times";
  return isDay(since) || until !== undefined ? "custom" : "";
}

const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + UNITS.d).toISOString().slice(0, 10);

/** The same time in moments; `now` in ms. */
export function inTimes({ since, until }: Period, zone: string, now: number): SearchChange {
  const moment = (value: string | undefined, end: boolean): string | undefined => {
    if (value === undefined || isMoment(value)) return value;
    const [, count, unit] = AGO.exec(value) ?? [];
    // The minute is what a field of day and time shows.
    if (unit) return briefly(new Date(Math.floor((now - Number(count) * UNITS[unit as "m"]) / UNITS.m) * UNITS.m).toISOString());
    const at = instantOf(`${end ? dayAfter(value) : value}T00:00`, zone);
    return at && briefly(at);
  };
  return { since: moment(since, false), until: moment(until, true) };
}

/** The days that the same time touches; what was so long ago stays. */
export function inDays({ since, until }: Period, zone: string): SearchChange {
  const day = (value: string | undefined, end: boolean): string | undefined =>
    value !== undefined && isMoment(value) ? wallOf(new Date(Date.parse(value) - (end ? 1 : 0)).toISOString(), zone).slice(0, 10) : value;
  return { since: day(since, false), until: day(until, true) };
}
