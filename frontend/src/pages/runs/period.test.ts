import { expect, it } from "vitest";

import { dayOf, inDays, inTimes, ownOf } from "./period";

const ZONE = "Europe/Berlin";
const NOW = Date.parse("2026-11-30T12:34:56Z");

it("is told from the address in what way a time was chosen", () => {
  expect(ownOf({})).toBe("");
  expect(ownOf({ since: "24h" })).toBe("");
  expect(ownOf({ since: "2026-11-23" })).toBe("custom");
  expect(ownOf({ since: "2026-11-23", until: "2026-11-24T10:00Z" })).toBe("times");
  expect([dayOf("2026-11-23"), dayOf("2026-11-23T10:00Z"), dayOf("24h"), dayOf(undefined)]).toEqual(["2026-11-23", "", "", ""]);
});

it("goes over from days to moments and back without gaining or losing any", () => {
  const days = { since: "2026-10-24", until: "2026-10-25" };
  const times = { since: "2026-10-23T22:00Z", until: "2026-10-25T23:00Z" };
  expect(inTimes(days, ZONE, NOW)).toEqual(times);
  expect(inDays(times, ZONE)).toEqual(days);
  expect(inTimes(times, ZONE, NOW)).toEqual(times);
  expect(inDays(days, ZONE)).toEqual(days);
});

it("begins with what was chosen before", () => {
  expect(inTimes({ since: "24h" }, ZONE, NOW)).toEqual({ since: "2026-11-29T12:34Z", until: undefined });
  expect(inTimes({}, ZONE, NOW)).toEqual({ since: undefined, until: undefined });
  expect(inDays({ since: "24h" }, ZONE)).toEqual({ since: "24h", until: undefined });
});
