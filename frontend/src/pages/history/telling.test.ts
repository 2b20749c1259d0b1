import { describe, expect, it } from "vitest";

import { dayBegins, inPlaceOf, lineOf, tell } from "./telling";

const words = { yes: "yes", no: "no", nothing: "–" };

describe("tell", () => {
  it("tells objects by what differs in them", () => {
    const told = tell({ before: { held: "no", breaker: { failures: 3, minutes: 15 } }, after: { held: "held", breaker: { failures: 7, minutes: 15 } } });
    expect(told.differences).toEqual([
      { name: "held", before: "no", after: "held" },
      { name: "breaker.failures", before: 3, after: 7 },
    ]);
  });

  it("tells all of what came or went", () => {
    expect(tell({ after: { name: "Bank", fields: { url: "https://x" } } }).differences).toEqual([
      { name: "name", before: undefined, after: "Bank" },
      { name: "fields.url", before: undefined, after: "https://x" },
    ]);
    expect(tell({ before: { role: "viewer" } }).differences).toEqual([{ name: "role", before: "viewer", after: undefined }]);
  });

  it("keeps digests apart from what is to be read, and leaves out what says nothing", () => {
    const told = tell({ said: { reason: "Twice." }, sha256: { input: "aa" }, sha256_before: "bb", secrets_entered: [], saves: 3 });
    expect(told.facts).toEqual([
      { name: "reason", value: "Twice." },
      { name: "saves", value: 3 },
    ]);
    expect(told.digests).toEqual([
      { name: "sha256_before", value: "bb" },
      { name: "input", value: "aa" },
    ]);
  });

  it("names the fields of steps that were given something else", () => {
    const told = tell({ edits: { n_pay: { changed: ["url"], sha256_before: "a", sha256_after: "b" } } });
    expect(told.facts.map((fact) => lineOf(fact.value, words))).toEqual(["n_pay (url)"]);
  });
});

describe("lineOf", () => {
  it("writes values as people read them", () => {
    expect(lineOf([{ step: "Pay", fields: ["config.url", "name"] }, "x"], words)).toBe("Pay (config.url, name), x");
    expect(lineOf({ begins: "long", sha256: "aa" }, words)).toBe("long …");
    expect(lineOf(false, words)).toBe("no");
    expect(lineOf([], words)).toBe("–");
    expect(lineOf([{ name: "Customer", type: "text", key: true }], words)).toBe("Customer");
  });
});

describe("dayBegins", () => {
  it("is midnight in the workspace's zone, also when the clocks change", () => {
    expect(dayBegins("2026-11-29", "Europe/Berlin")).toBe("2026-11-28T23:00:00.000Z");
    expect(dayBegins("2026-03-29", "Europe/Berlin", 1)).toBe("2026-03-29T22:00:00.000Z");
    expect(dayBegins("2026-10-25", "Europe/Berlin")).toBe("2026-10-24T22:00:00.000Z");
    expect(dayBegins("2026-11-29", "Pacific/Auckland")).toBe("2026-11-28T11:00:00.000Z");
    expect(dayBegins("", "UTC")).toBeUndefined();
  });
});

it("knows in whose place something was done", () => {
  expect(inPlaceOf({ in_place_of: "Alice" })).toBe("Alice");
  expect(inPlaceOf({ in_place_of: "" })).toBeNull();
  expect(inPlaceOf({})).toBeNull();
});
