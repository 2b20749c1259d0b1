import { describe, expect, it } from "vitest";

import { runsIn, spanOf } from "./range";

describe("the time of the list behind a figure", () => {
  it("is that of the monitor", () => {
    expect(runsIn({}, "UTC")).toEqual({ since: "1h" });
    expect(runsIn({ range: "15m" }, "UTC")).toEqual({ since: "15m" });
  });
  it("is in whole days of the workspace for a range of one's own, and ends with its last day", () => {
    const search = { begin: "2026-11-22T23:00:00Z", end: "2026-11-24T23:00:00Z" };
    expect(runsIn(search, "Europe/Berlin")).toEqual({ since: "2026-11-23", until: "2026-11-24" });
    expect(runsIn(search, "UTC")).toEqual({ since: "2026-11-22", until: "2026-11-24" });
  });
});

describe("the range that a range of one's own begins with", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  it("is the one that is shown", () => {
    expect(spanOf({ range: "6h" }, now)).toEqual({ begin: "2026-11-24T06:00:00.000Z", end: "2026-11-24T12:00:00.000Z" });
    expect(spanOf({}, now).begin).toBe("2026-11-24T11:00:00.000Z");
    const own = { begin: "2026-11-22T23:00:00Z", end: "2026-11-24T23:00:00Z" };
    expect(spanOf(own, now)).toEqual(own);
  });
});
