import { describe, expect, it } from "vitest";

import { csvOf, highest, labelled, pathOf, ticks } from "./chart";
import { monitorSearch, queryOf, wrongWith } from "./range";

describe("a chart", () => {
  it("has a few round ticks that reach above what it shows", () => {
    expect(ticks(0)).toEqual([0, 1]);
    expect(ticks(3)).toEqual([0, 1, 2, 3]);
    expect(ticks(97)).toEqual([0, 25, 50, 75, 100]);
    expect(ticks(90_000, true)).toEqual([0, 30_000, 60_000, 90_000]);
    for (const most of [1, 7, 13, 999, 12_345]) {
      const found = ticks(most);
      expect(found.at(-1)).toBeGreaterThanOrEqual(most);
      expect(found.length).toBeLessThanOrEqual(6);
    }
  });
  it("is as high as its highest value, or as the highest sum of what is stacked", () => {
    const series = [
      { key: "a", name: "A", values: [1, 4, null] },
      { key: "b", name: "B", values: [2, 5, 3] },
    ];
    expect(highest(series, false)).toBe(5);
    expect(highest(series, true)).toBe(9);
    expect(highest([], true)).toBe(0);
  });
  it("breaks its line off where there is nothing, and shows what stands alone", () => {
    const at = (value: number) => value * 10;
    expect(pathOf([1, 2, null, 3, null, 4, 5], at, at)).toBe("M0 10L10 20M28 30h4M50 40L60 50");
  });
  it("is labelled at round times where its steps are short", () => {
    const at = Array.from({ length: 60 }, (_, minute) => new Date(Date.UTC(2026, 10, 29, 9, 41 + minute)).toISOString());
    expect(labelled(at, 60_000, 5).map((index) => at[index]?.slice(11, 16))).toEqual(["09:45", "10:00", "10:15", "10:30"]);
    expect(labelled(at.slice(0, 30), 86_400_000, 5)).toEqual([3, 9, 15, 21, 27]);
  });
  it("gives its numbers to spreadsheets as numbers, and no formulas", () => {
    expect(csvOf([["a", 'say "x", y'], ["=SUM(A1)", 1.5], ["-", null]])).toBe("a,\"say \"\"x\"\", y\"\r\n'=SUM(A1),1.5\r\n'-,\r\n");
  });
});

describe("the range", () => {
  it("is an hour where the address says nothing, or nonsense", () => {
    expect(monitorSearch({ range: "a year", begin: "yesterday", end: 5 })).toEqual({});
    expect(queryOf({})).toMatchObject({ minutes: 60, begin: null, people: null });
  });
  it("of one's own goes before those that have a name", () => {
    const own = monitorSearch({ range: "7d", begin: "2026-11-01T10:00:00Z", end: "2026-11-02T10:00:00Z" });
    expect(own).toEqual({ begin: "2026-11-01T10:00:00Z", end: "2026-11-02T10:00:00Z" });
    expect(queryOf(own).minutes).toBeNull();
    expect(monitorSearch({ begin: "2026-11-02T10:00:00Z", end: "2026-11-01T10:00:00Z" })).toEqual({});
  });
  it("says what is wrong with one of one's own", () => {
    expect(wrongWith("", "2026-11-01T10:00")).toBe("empty");
    expect(wrongWith("2026-11-01T10:00", "2026-11-01T09:00")).toBe("order");
    expect(wrongWith("2026-11-01T10:00", "2026-11-01T10:10")).toBe("short");
    expect(wrongWith("2024-11-01T10:00", "2026-11-01T10:10")).toBe("long");
    expect(wrongWith("2026-11-01T10:00", "2026-11-01T10:15")).toBeNull();
  });
});
