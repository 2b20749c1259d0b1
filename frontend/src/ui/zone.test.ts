import { expect, it } from "vitest";

import { instantOf, wallOf } from "./zone";

it("says what the clock of another zone shows, and when it shows that", () => {
  for (const [instant, zone, wall] of [
    ["2026-11-30T13:30:00.000Z", "Europe/Berlin", "2026-11-30T14:30"],
    ["2026-07-01T12:30:00.000Z", "Europe/Berlin", "2026-07-01T14:30"],
    ["2026-11-30T23:15:00.000Z", "Asia/Kolkata", "2026-12-01T04:45"],
    ["2026-11-30T02:00:00.000Z", "America/Los_Angeles", "2026-11-29T18:00"],
    ["2026-11-30T00:00:00.000Z", "UTC", "2026-11-30T00:00"],
  ] as const) {
    expect(wallOf(instant, zone)).toBe(wall);
    expect(instantOf(wall, zone)).toBe(instant);
  }
});

it("is right when clocks are changed", () => {
  // 02:30 comes twice when they are put back: the first time.
  expect(instantOf("2026-10-25T02:30", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
  expect(instantOf("2026-10-25T03:30", "Europe/Berlin")).toBe("2026-10-25T02:30:00.000Z");
  expect(instantOf("2026-10-25T01:30", "Europe/Berlin")).toBe("2026-10-24T23:30:00.000Z");
  // And never when they are put forward: as much later.
  expect(instantOf("2026-03-29T02:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
  expect(wallOf("2026-03-29T01:30:00Z", "Europe/Berlin")).toBe("2026-03-29T03:30");
});

it("knows what is no time", () => {
  expect(wallOf(undefined, "UTC")).toBe("");
  expect(wallOf("tomorrow", "UTC")).toBe("");
  expect(instantOf("", "UTC")).toBeUndefined();
  expect(instantOf("2026-11-3", "UTC")).toBeUndefined();
});
