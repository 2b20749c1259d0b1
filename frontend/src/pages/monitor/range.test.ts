import { describe, expect, it } from "vitest";

import { runsIn, spanOf } from "./range";

describe("the list behind a figure", () => {
  const counted = { begin: "2026-11-23T10:07:00.000Z", end: "2026-11-24T16:45:30.500Z" };
  it("is of the same time, and of live runs as the figures are", () => {
    expect(runsIn({}, counted)).toEqual({ since: "1h", mode: "live" });
    expect(runsIn({ range: "15m" }, counted)).toEqual({ since: "15m", mode: "live" });
  });
  it("is from the moment from which a range of one's own is counted until that at which it ends", () => {
    const search = { begin: "2026-11-23T10:07:12Z", end: "2026-11-24T16:45:00Z" };
    expect(runsIn(search, counted)).toEqual({ since: "2026-11-23T10:07Z", until: "2026-11-24T16:45:30.500Z", mode: "live" });
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
