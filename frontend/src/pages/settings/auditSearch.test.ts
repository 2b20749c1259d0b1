import { describe, expect, it } from "vitest";

import { addressOf, auditSearch, type AuditView, changed, fromSaved, meant, sameFilter, toSaved, withPart } from "./auditSearch";

const view = (id: string, search: AuditView["search"], first = false): AuditView => ({ id, name: id, search, shared: false, mine: true, owner: "Alice", first });

describe("the address of the audit log", () => {
  it("is read without what nobody understands", () => {
    expect(auditSearch({ actor: "a", verb: "", since: "3 weeks", from: "yesterday", to: "2026-11-30", view: 7, q: "x" })).toEqual({ actor: "a", to: "2026-11-30", q: "x" });
    expect(auditSearch({ since: "7d", from: "2026-11-01" })).toEqual({ since: "7d" });
  });

  it("means what it says, the search it names, or the one that comes first", () => {
    const views = [view("first", { actor: "a" }, true), view("other", { q: "x" })];
    expect(meant({}, views)).toEqual({ filter: { actor: "a" }, gone: false });
    expect(meant({ view: "other" }, views)).toEqual({ filter: { q: "x" }, gone: false });
    expect(meant({ view: "all" }, views)).toEqual({ filter: {}, gone: false });
    expect(meant({ q: "y", view: "other" }, views)).toEqual({ filter: { q: "y" }, gone: false });
    expect(meant({ view: "nowhere" }, views)).toEqual({ filter: {}, gone: true });
    expect(meant({}, [])).toEqual({ filter: {}, gone: false });
  });

  it("says everything only where something else would come first", () => {
    expect(addressOf({}, [view("other", {})])).toEqual({});
    expect(addressOf({}, [view("first", { q: "x" }, true)])).toEqual({ view: "all" });
    expect(addressOf({ q: "x" }, [])).toEqual({ q: "x" });
  });
});

it("changes a part, and lets days and so long ago rule each other out", () => {
  expect(withPart({ since: "7d", q: "x" }, { from: "2026-11-01" })).toEqual({ from: "2026-11-01", q: "x" });
  expect(withPart({ from: "2026-11-01", to: "2026-11-02" }, { since: "7d" })).toEqual({ since: "7d" });
  expect(withPart({ q: "x" }, { q: "" })).toEqual({});
});

it("keeps what was changed a moment before, also of a saved search", () => {
  const views = [view("first", { actor: "a", since: "7d" }, true)];
  const chosen = changed({}, { kind: "workflow" }, views);
  expect(changed(chosen, { q: "rent" }, views)).toEqual({ actor: "a", since: "7d", kind: "workflow", q: "rent" });
  expect(changed({ q: "rent" }, { q: "" }, views)).toEqual({ view: "all" });
});

it("is the same after it was saved", () => {
  for (const filter of [{ since: "7d" as const, verb: "a,b" }, { from: "2026-11-01", to: "2026-11-02", kind: "workflow", object: "o" }, { actor: "a", q: "x" }]) {
    const nothing = { actor: null, verb: [], kind: null, object: null, since: null, until: null, q: null };
    expect(sameFilter(fromSaved({ ...nothing, ...toSaved(filter) }), filter)).toBe(true);
  }
});
