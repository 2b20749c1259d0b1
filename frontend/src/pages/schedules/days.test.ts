import { describe, expect, it } from "vitest";

import { dayOf, daysOf, isDay, localOf, momentOf, plusDays, turned } from "./days";

const BERLIN = "Europe/Berlin";
const iso = (at: number) => new Date(at).toISOString();

describe("days of the workspace's zone", () => {
  it("knows the day of a moment there, not here", () => {
    expect(dayOf("2026-11-29T23:30:00Z", BERLIN)).toBe("2026-11-30");
    expect(dayOf("2026-11-29T23:30:00Z", "America/New_York")).toBe("2026-11-29");
    expect(localOf("2026-11-29T17:00:00Z", BERLIN)).toBe("2026-11-29T18:00");
  });

  it("finds the moment of a time on the clock, in summer and in winter", () => {
    expect(iso(momentOf("2026-07-01T18:00", BERLIN))).toBe("2026-07-01T16:00:00.000Z");
    expect(iso(momentOf("2026-12-01", BERLIN))).toBe("2026-11-30T23:00:00.000Z");
    expect(iso(momentOf("2026-12-01T18:00", "Asia/Kathmandu"))).toBe("2026-12-01T12:15:00.000Z");
  });

  it("takes the first of two equal times, and the first one behind a gap", () => {
    expect(iso(momentOf("2026-10-25T02:30", BERLIN))).toBe("2026-10-25T00:30:00.000Z");
    const behind = momentOf("2026-03-29T02:30", BERLIN);
    expect(behind).toBeGreaterThanOrEqual(Date.parse("2026-03-29T01:00:00Z"));
  });

  it("shows whole weeks of a month, Mondays first", () => {
    const month = daysOf("month", "2026-11-29");
    expect([month[0], month.at(-1), month.length]).toEqual(["2026-10-26", "2026-12-06", 42]);
    expect(daysOf("week", "2026-11-29")[0]).toBe("2026-11-23");
    expect(daysOf("agenda", "2026-11-29")).toHaveLength(7);
    expect(daysOf("month", "2027-02-15")).toHaveLength(28);
  });

  it("turns to the next and the last one", () => {
    expect(turned("month", "2026-01-31", 1)).toBe("2026-02-01");
    expect(turned("month", "2026-01-31", -1)).toBe("2025-12-01");
    expect(turned("week", "2026-11-29", -1)).toBe("2026-11-22");
    expect(plusDays("2026-12-31", 1)).toBe("2027-01-01");
    expect([isDay("2026-13-01"), isDay("2026-11-29"), isDay(7)]).toEqual([false, true, false]);
  });
});
