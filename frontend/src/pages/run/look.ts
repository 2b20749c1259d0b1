/** What of a run's view stands in its address. Pure. */
import { type EventFilter, isEventKind, isShown } from "./eventFilter";
import { type RunListSearch, runSearch } from "../runs/search";
import { zoomOf } from "./zoom";

export interface RunViewSearch {
  step?: string;
  tab?: "items" | "input" | "output" | "attempts";
  dock?: "events" | "changes";
  /** The stretch of the timeline that is shown: "from-until", ms after the run was accepted. */
  zoom?: string;
  /** Events of steps, or of people, only. */
  only?: NonNullable<EventFilter["only"]>;
  /** Events of this step only. */
  of?: string;
  kind?: NonNullable<EventFilter["kind"]>;
  /** The list that the run was opened from, where that is narrowed or sorted. */
  list?: RunListSearch;
  /** Events whose words hold this text. */
  find?: string;
}

// A number that somebody typed into the address is a text too.
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");

export function runViewSearch(search: Record<string, unknown>): RunViewSearch {
  const step = text(search.step);
  const tab = search.tab;
  const zoom = text(search.zoom);
  const of = text(search.of);
  const find = text(search.find);
  const list = typeof search.list === "object" && search.list !== null ? runSearch(search.list as Record<string, unknown>) : {};
  return {
    ...(Object.keys(list).length > 0 ? { list } : {}),
    ...(step ? { step } : {}),
    ...(tab === "items" || tab === "input" || tab === "output" || tab === "attempts" ? { tab } : {}),
    ...(search.dock === "events" || search.dock === "changes" ? { dock: search.dock } : {}),
    ...(zoomOf(zoom) ? { zoom } : {}),
    ...(isShown(search.only) ? { only: search.only } : {}),
    ...(of ? { of } : {}),
    ...(isEventKind(search.kind) ? { kind: search.kind } : {}),
    ...(find ? { find } : {}),
  };
}
