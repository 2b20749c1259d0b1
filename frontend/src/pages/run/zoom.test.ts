import { describe, expect, it } from "vitest";

import { runViewSearch } from "./look";
import type { Run } from "../../api/types";
import { type TimelineRow, timelineScale } from "./timeline";
import { drawn, keyed, shownStretch, zoomedScale, zoomOf, zoomText } from "./zoom";

const ZERO = Date.parse("2026-11-20T09:00:00.000Z");
const run = { accepted_at: new Date(ZERO).toISOString(), started_at: new Date(ZERO).toISOString(), finished_at: new Date(ZERO + 1000).toISOString() } as Run;
const row = (from: number, until: number, waiting = false): TimelineRow => ({ node: "a", name: "A", kind: "done", attempt: 1, from: ZERO + from, until: ZERO + until, waiting });
const whole = timelineScale(run, [row(0, 1000)], 0, false);

describe("a stretch of the timeline", () => {
  it("goes into the address and comes back as it was", () => {
    const stretch = { from: ZERO + 200, until: ZERO + 700 };
    expect(zoomText(stretch, ZERO)).toBe("200-700");
    expect(shownStretch("200-700", ZERO, whole)).toEqual(stretch);
  });

  it("of an address that makes no sense is all of the run", () => {
    for (const wrong of ["", "7", "700-200", "5-6", "a-b", "-5-90", "1e3-2e3", "2000-3000", "0-1000"]) {
      expect(shownStretch(wrong, ZERO, whole)).toBeNull();
    }
    expect(runViewSearch({ zoom: "700-200", kind: "nonsense", find: 500 })).toEqual({ find: "500" });
    expect(zoomOf(undefined)).toBeNull();
  });

  it("fills the width, in a squeezed timeline too", () => {
    const long = { ...run, finished_at: new Date(ZERO + 601_000).toISOString() } as Run;
    const rows = [row(0, 500), row(500, 600_500, true), row(600_500, 601_000)];
    for (const squeeze of [false, true]) {
      const all = timelineScale(long, rows, 0, squeeze);
      const zoomed = zoomedScale(all, { from: ZERO + 100, until: ZERO + 600_800 });
      expect(zoomed.at(ZERO + 100)).toBeCloseTo(0);
      expect(zoomed.at(ZERO + 600_800)).toBeCloseTo(1);
      expect(zoomed.at(ZERO)).toBe(0);
      expect(zoomed.moment(zoomed.at(ZERO + 600_600))).toBeCloseTo(ZERO + 600_600, 0);
    }
  });

  it("is drawn in either direction, within what is shown, and not by a twitch", () => {
    expect(drawn(whole, 0.7, 0.2)).toEqual({ from: ZERO + 200, until: ZERO + 700 });
    expect(drawn(whole, 0.5, 4)).toEqual({ from: ZERO + 500, until: ZERO + 1000 });
    expect(drawn(whole, 0.5, 0.501)).toBeNull();
  });

  it("is zoomed and moved by keys, and stops at the ends", () => {
    const half = keyed("+", whole, null);
    expect(half).toEqual({ from: ZERO + 250, until: ZERO + 750 });
    if (!half || half === "all") throw new Error("no stretch");
    expect(keyed("ArrowRight", whole, half)).toEqual({ from: ZERO + 375, until: ZERO + 875 });
    expect(keyed("End", whole, half)).toEqual({ from: ZERO + 500, until: ZERO + 1000 });
    expect(keyed("ArrowLeft", whole, { from: ZERO, until: ZERO + 500 })).toEqual({ from: ZERO, until: ZERO + 500 });
    expect(keyed("-", whole, half)).toBe("all");
    expect(keyed("0", whole, half)).toBe("all");
    expect(keyed("Escape", whole, null)).toBeNull();
    expect(keyed("Tab", whole, half)).toBeNull();
  });

  it("is not zoomed beyond what bars can show", () => {
    const shortest = { from: ZERO + 500, until: ZERO + 504 };
    expect(keyed("+", whole, shortest)).toEqual(shortest);
  });
});

it("hundreds of thousands of rows have a scale", () => {
  const rows = Array.from({ length: 300_000 }, (_, index) => row(index, index + 1));
  expect(timelineScale(run, rows, 0, false).until).toBe(ZERO + 300_000);
});
