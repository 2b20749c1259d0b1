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
