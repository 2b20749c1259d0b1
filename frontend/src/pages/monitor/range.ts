/** The range of time that the monitor shows: as it stands in the address, and as the server is asked for it. */

import { briefly } from "../../ui/zone";

export const RANGES = { "15m": 15, "1h": 60, "6h": 360, "24h": 1440, "7d": 10_080, "30d": 43_200 } as const;
export type RangeName = keyof typeof RANGES;
export const DEFAULT_RANGE: RangeName = "1h";

export interface MonitorSearch {
  range?: RangeName;
  /** Instants of a range of one's own. */
  begin?: string;
  end?: string;
  workflow?: string;
  /** With the time in which people were waited for. */
  people?: true;
  /** On a screen on the wall. */
  tv?: true;
}

const instant = (value: unknown): string | undefined =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;

export function monitorSearch(search: Record<string, unknown>): MonitorSearch {
  const begin = instant(search.begin);
  const end = instant(search.end);
  const own = begin !== undefined && end !== undefined && Date.parse(begin) < Date.parse(end);
  const range = typeof search.range === "string" && search.range in RANGES ? (search.range as RangeName) : undefined;
  return {
    ...(own ? { begin, end } : range ? { range } : {}),
    ...(typeof search.workflow === "string" && search.workflow ? { workflow: search.workflow } : {}),
    ...(search.people ? { people: true as const } : {}),
    ...(search.tv ? { tv: true as const } : {}),
  };
}

/** What the server is asked. */
export function queryOf(search: MonitorSearch): Record<string, string | number | boolean | null> {
  const own = search.begin !== undefined && search.end !== undefined;
  return {
    minutes: own ? null : RANGES[search.range ?? DEFAULT_RANGE],
    begin: own ? (search.begin ?? null) : null,
    end: own ? (search.end ?? null) : null,
    workflow: search.workflow ?? null,
    people: search.people ?? null,
  };
}

/** From when until when it shows, as instants; `now` in ms. */
export function spanOf(search: MonitorSearch, now: number): { begin: string; end: string } {
  if (search.begin !== undefined && search.end !== undefined) return { begin: search.begin, end: search.end };
  const minutes = RANGES[search.range ?? DEFAULT_RANGE];
  return { begin: new Date(now - minutes * 60_000).toISOString(), end: new Date(now).toISOString() };
}

/** What the list of runs behind a figure is asked for. */
export interface RunsIn {
  since: string;
  until?: string;
  mode: "live";
}

/** The list of the same runs: live ones only, as the figures count them; of a range of one's own from the moment from which the figures count until that at which they end. */
export function runsIn(search: MonitorSearch, counted: { begin: string; end: string }): RunsIn {
  if (search.begin === undefined || search.end === undefined) return { since: search.range ?? DEFAULT_RANGE, mode: "live" };
  return { since: briefly(counted.begin), until: briefly(counted.end), mode: "live" };
}

/** The same without some of it. */
export function without(search: MonitorSearch, ...names: (keyof MonitorSearch)[]): MonitorSearch {
  return Object.fromEntries(Object.entries(search).filter(([name]) => !names.includes(name as keyof MonitorSearch)));
}

/** Of a range of one's own: what is wrong with it. */
export function wrongWith(begin: string, end: string): "empty" | "order" | "short" | "long" | null {
  const [from, to] = [Date.parse(begin), Date.parse(end)];
  if (Number.isNaN(from) || Number.isNaN(to)) return "empty";
  if (to <= from) return "order";
  if (to - from < 15 * 60_000) return "short";
  return to - from > 400 * 86_400_000 ? "long" : null;
}
