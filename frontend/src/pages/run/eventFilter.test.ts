import { expect, it } from "vitest";

import { choices, filterEvents } from "./eventFilter";
import type { RunEvent, RunEventKind } from "./timeline";

const event = (kind: RunEventKind, node: string | null, name = "", detail: string | null = null): RunEvent => ({
  id: `${kind}-${node}`, at: 0, kind, status: "done", node, name, detail, attempt: 1,
});
const events = [event("accepted", null), event("started", "b", "Pay"), event("failed", "b", "Pay", "Card REFUSED"), event("started", "a", "Note")];
const words = (one: RunEvent) => `${one.name} ${one.kind} ${one.detail ?? ""}`;
const found = (filter: Parameters<typeof filterEvents>[1]) => filterEvents(events, filter, words).map((one) => one.id);

it("events are found by step, kind and every word of a search, all at once", () => {
  expect(found({ of: "b" })).toEqual(["started-b", "failed-b"]);
  expect(found({ kind: "started" })).toEqual(["started-b", "started-a"]);
  expect(found({ find: " refused  pay " })).toEqual(["failed-b"]);
  expect(found({ of: "b", kind: "started", find: "pay" })).toEqual(["started-b"]);
  expect(found({ of: "a", kind: "failed" })).toEqual([]);
});

it("without a filter, or with blanks only, every event is shown", () => {
  expect(filterEvents(events, {}, words)).toBe(events);
  expect(filterEvents(events, { find: "  " }, words)).toBe(events);
});

it("only steps and kinds that have events are there to be chosen, in their order", () => {
  expect(choices(events)).toEqual({ steps: [{ node: "b", name: "Pay" }, { node: "a", name: "Note" }], kinds: ["accepted", "started", "failed"] });
});
