/** What a list of runs is asked for, as its address holds it. */
import type { RunFilters } from "../../api/queries";
import type { SavedSearch } from "../../api/runSearch";

export interface RunListSearch {
  q?: string;
  status?: string[];
  workflow?: string;
  mode?: string;
  since?: string;
  until?: string;
  sort?: string;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

/** What an address says of it, and nothing else that stands there. */
export function runSearch(search: Record<string, unknown>): RunListSearch {
  const q = text(search.q);
  const workflow = text(search.workflow);
  const mode = text(search.mode);
  const since = text(search.since);
  const until = text(search.until);
  const sort = text(search.sort);
  const raw = Array.isArray(search.status) ? search.status : search.status === undefined ? [] : [search.status];
  const status = raw.filter((one): one is string => typeof one === "string");
  return {
    ...(q ? { q } : {}),
    ...(workflow ? { workflow } : {}),
    ...(mode ? { mode } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(sort ? { sort } : {}),
    ...(status.length > 0 ? { status } : {}),
  };
}

/** What a run that is opened from such a list carries along, so that its neighbours are those of the list; nothing where
 * that is all runs in their usual order. */
export function carriedBy(filters: RunListSearch, workflow?: string): { list?: RunListSearch } {
  const own = Object.keys(runSearch({ ...filters, workflow: workflow ? undefined : filters.workflow })).length > 0;
  return own ? { list: runSearch({ ...filters, workflow: workflow ?? filters.workflow }) } : {};
}

/** In an address: everything, though the list is opened with a saved search. */
export const EVERYTHING = "all";

/** `view`: see EVERYTHING. */
export interface RunAddress extends RunListSearch {
  view?: typeof EVERYTHING;
}

/** A part of it that changes; what is undefined is taken away. */
export type SearchChange = { [Name in keyof RunListSearch]?: RunListSearch[Name] | undefined };

/** What is offered beside "All" before anybody has saved anything. */
export const TO_LOOK_AFTER: RunListSearch = {
  status: ["dead_lettered", "waiting_timer", "waiting_event", "waiting_human", "parked"],
  since: "7d",
};

const NAMES = ["q", "status", "workflow", "mode", "since", "until", "sort"] as const;
/** Whatever is not said is taken away. */
export const NOTHING: SearchChange = {
  q: undefined, status: undefined, workflow: undefined, mode: undefined, since: undefined, until: undefined, sort: undefined,
};

export function filtersOf(search: RunListSearch, workflow?: string): RunFilters {
  return { ...search, workflow: workflow ?? search.workflow };
}

export function isFiltered(search: RunListSearch): boolean {
  return NAMES.some((name) => name !== "sort" && search[name] !== undefined);
}

/** What an address asks for: what it says, or where it says nothing the search that the list is opened with. */
export function meant(address: RunAddress, first: RunListSearch | undefined): RunListSearch {
  const { view, ...said } = address;
  return first && view === undefined && NAMES.every((name) => said[name] === undefined) ? first : said;
}

/** The address once a part of what it asks for is to be another; without what is empty. */
export function changed(address: RunAddress, part: SearchChange, first: RunListSearch | undefined): RunAddress {
  const found = Object.fromEntries(Object.entries({ ...meant(address, first), ...part }).filter(([, value]) => value !== undefined && value !== "")) as RunListSearch;
  return first && meant(found, first) === first ? { ...found, view: EVERYTHING } : found;
}

/** Two searches ask for the same. */
export function sameSearch(one: RunListSearch, other: RunListSearch): boolean {
  const plain = (search: RunListSearch) => JSON.stringify(NAMES.map((name) => (name === "status" ? [...(search.status ?? [])].sort() : (search[name] ?? ""))));
  return plain(one) === plain(other);
}

export function fromSaved(saved: SavedSearch): RunListSearch {
  return {
    ...(saved.q ? { q: saved.q } : {}),
    ...(saved.status.length > 0 ? { status: saved.status } : {}),
    ...(saved.workflow ? { workflow: saved.workflow } : {}),
    ...(saved.mode ? { mode: saved.mode } : {}),
    ...(saved.since ? { since: saved.since } : {}),
    ...(saved.until ? { until: saved.until } : {}),
    ...(saved.sort ? { sort: saved.sort } : {}),
  };
}
