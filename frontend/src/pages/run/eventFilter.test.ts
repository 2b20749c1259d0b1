import { expect, it } from "vitest";

import { filterEvents, isFiltered, kindsOf, type RunEventKind } from "./eventFilter";
import type { RunEvent } from "./events";

const event = (kind: RunEventKind, node: string | null, name = "", detail: string | null = null): RunEvent => ({
  id: `${kind}-${node}`, at: 0, kind, status: "done", node, name, detail, attempt: 1, by: null, deed: null, about: "", said: {},
});
const events = [event("accepted", null), event("started", "b", "Pay"), event("failed", "b", "Pay", "Card REFUSED"), event("started", "a", "Note")];
const words = (one: RunEvent) => `${one.name} ${one.kind} ${one.detail ?? ""}`;
const found = (filter: Parameters<typeof filterEvents>[1]) => filterEvents(events, filter, words).map((one) => one.id);

it("events are found by kind and every word of a search, all at once", () => {
  expect(found({ kind: "started" })).toEqual(["started-b", "started-a"]);
  expect(found({ find: " refused  pay " })).toEqual(["failed-b"]);
  expect(found({ kind: "started", find: "pay" })).toEqual(["started-b"]);
  expect(found({ kind: "failed", find: "note" })).toEqual([]);
});

it("without a filter, or with blanks only, every event is shown", () => {
  expect(filterEvents(events, {}, words)).toBe(events);
  expect(filterEvents(events, { find: "  " }, words)).toBe(events);
  expect([isFiltered({ find: "  " }), isFiltered({ only: "people" }), isFiltered({ of: "b" })]).toEqual([false, true, true]);
});

it("only kinds that there are can be chosen, in their order", () => {
  expect(kindsOf(events)).toEqual(["accepted", "started", "failed"]);
});
