import { describe, expect, it } from "vitest";

import { runViewSearch } from "../run/look";
import { carriedBy, changed, meant, NOTHING, type RunAddress } from "./search";

const LATE = { status: ["dead_lettered"], since: "7d" };

describe("the list of runs and the search it is opened with", () => {
  it("asks for what the address says, else for that search", () => {
    expect(meant({ q: "R-1" }, LATE)).toEqual({ q: "R-1" });
    expect(meant({}, LATE)).toBe(LATE);
    expect(meant({}, undefined)).toEqual({});
    expect(meant({ view: "all" }, LATE)).toEqual({});
    expect(meant({ sort: "oldest" }, LATE)).toEqual({ sort: "oldest" });
  });

  it("goes on from that search where a part of it is changed", () => {
    expect(changed({}, { q: "R-1" }, LATE)).toEqual({ ...LATE, q: "R-1" });
    expect(changed({}, { status: undefined }, LATE)).toEqual({ since: "7d" });
    expect(changed({ q: "R-1" }, { q: "" }, undefined)).toEqual({});
    expect(changed({ view: "all" }, { q: "R-1" }, LATE)).toEqual({ q: "R-1" });
  });

  it("says in the address that everything is meant, where it is opened with less", () => {
    expect(changed({}, NOTHING, LATE)).toEqual({ view: "all" });
    expect(changed({ q: "R-1" }, { q: undefined }, LATE)).toEqual({ view: "all" });
    expect(changed({ q: "R-1" }, NOTHING, undefined)).toEqual({});
  });

  it("keeps what else stands in the address", () => {
    const address = { q: "R-1", where: true } as RunAddress;
    expect(changed(address, { q: "R-2" }, undefined)).toEqual({ q: "R-2", where: true });
  });
});

describe("what a run carries along of the list it was opened from", () => {
  it("is the list's search, with its workflow, where it is narrowed or sorted", () => {
    expect(carriedBy({ q: "supplier:brink", status: ["dead_lettered"] })).toEqual({ list: { q: "supplier:brink", status: ["dead_lettered"] } });
    expect(carriedBy({ sort: "longest", workflow: "w" }, "w")).toEqual({ list: { sort: "longest", workflow: "w" } });
  });

  it("is nothing where the list shows all in their usual order", () => {
    expect(carriedBy({})).toEqual({});
    expect(carriedBy({ workflow: "w" }, "w")).toEqual({});
    // Of all runs, one workflow's is a choice.
    expect(carriedBy({ workflow: "w" })).toEqual({ list: { workflow: "w" } });
  });

  it("is read from an address without anything else that stands there", () => {
    expect(runViewSearch({ list: { q: "x", status: "failed", evil: 1, sort: 3 }, step: "a" })).toEqual({ list: { q: "x", status: ["failed"] }, step: "a" });
    expect(runViewSearch({ list: "x" })).toEqual({});
  });
});
