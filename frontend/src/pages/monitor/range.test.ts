import { describe, expect, it } from "vitest";

import { runsIn } from "./range";

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
