import { describe, expect, it } from "vitest";

import type { Density, StepTry } from "../../../api/runTimes";
import type { Scale, TimelineRow } from "../timeline";
import { busiest, failedStrip, shadeAt, shadesOf, strip, ticksOf } from "./density";
import { keyedNames, NARROWEST, usualNames, widestNames } from "./useNames";

const AT = Date.parse("2026-11-20T09:41:07.000Z");
const iso = (ms: number) => new Date(AT + ms).toISOString();
const slice = (busy: number, failed = 0) => ({ busy, done: 1, failed });
const density: Density = { node: "each", runs: 40, first: iso(0), last: iso(349), since: iso(0), width_ms: 100, slices: [slice(10), slice(10), { busy: 0, done: 0, failed: 0 }, slice(1, 2)] };
const scale: Scale = { from: AT, until: AT + 350, at: (moment) => (moment - AT) / 350, moment: (share) => AT + share * 350 };

describe("the strip of many items", () => {
  const shades = shadesOf(density);

  it("has a shade for each slice, of which the last ends with the last item", () => {
    expect(shades.map(({ from, until }) => [from - AT, until - AT])).toEqual([[0, 100], [100, 200], [200, 300], [300, 350]]);
    expect(busiest(shades)?.from).toBe(AT);
    expect(shadeAt(shades, AT + 320)?.failed).toBe(2);
    expect(shadeAt(shades, AT + 400)).toBeNull();
    expect(shadesOf(undefined)).toEqual([]);
  });

  it("is fullest where most were at work, empty where none was, and draws like slices as one", () => {
    const drawn = strip(shades, scale, AT, AT + 350, "var(--ok)");
    expect(drawn).toContain("color-mix(in srgb, var(--ok) 100%, transparent) 0%, color-mix(in srgb, var(--ok) 100%, transparent) 57.143%");
    expect(drawn).toContain("transparent 57.143%, transparent 85.714%");
    expect(drawn).toContain("color-mix(in srgb, var(--ok) 30%, transparent) 85.714%");
    expect(drawn.match(/100%, transparent\) /g)).toHaveLength(2);
  });

  it("is underlined where items failed", () => {
    expect(failedStrip(shades, scale, AT, AT + 350)).toContain("var(--err) 85.714%");
    expect(failedStrip(shades.slice(0, 3), scale, AT, AT + 350)).toBeNull();
  });
});

describe("the ticks of a bar", () => {
  const row: TimelineRow = { node: "pay", name: "Pay", kind: "done", attempt: 3, from: AT, until: AT + 300, waiting: false };
  const error = { code: "http_503", title: "Busy", message: "", detail: null, retryable: true, http_status: 503, kind: "" };
  const tries: StepTry[] = [1, 2, 3].map((attempt) => ({ node: "pay", generation: 1, attempt, at: iso(attempt * 50), status: attempt === 3 ? "succeeded" : "failed", error: attempt === 3 ? null : error }));

  it("stand where each try began, and say what the one before ended with", () => {
    expect(ticksOf(row, tries).map(({ attempt, at, error: why }) => [attempt, at - AT, why?.code ?? null])).toEqual([[1, 50, null], [2, 100, "http_503"], [3, 150, "http_503"]]);
  });

  it("are those of this bar: not of another step, nor of an earlier go of the run", () => {
    expect(ticksOf({ ...row, from: AT + 120 }, tries).map((tick) => tick.attempt)).toEqual([3]);
    expect(ticksOf({ ...row, node: "other" }, tries)).toEqual([]);
    expect(ticksOf({ ...row, attempt: 1 }, tries)).toEqual([]);
    expect(ticksOf({ ...row, from: null }, tries)).toEqual([]);
  });
});

describe("the column of names", () => {
  it("goes by the room there is, and leaves some to the bars", () => {
    expect([usualNames(400), usualNames(700), usualNames(2000)]).toEqual([110, 154, 210]);
    expect([widestNames(1000), widestNames(0)]).toEqual([600, NARROWEST]);
  });

  it("is made wider and narrower by keys, within bounds", () => {
    expect(keyedNames("ArrowRight", 200, 600)).toBe(216);
    expect(keyedNames("ArrowRight", 595, 600)).toBe(600);
    expect(keyedNames("ArrowLeft", 85, 600)).toBe(NARROWEST);
    expect([keyedNames("Home", 200, 600), keyedNames("End", 200, 600), keyedNames("Enter", 200, 600), keyedNames("x", 200, 600)]).toEqual([NARROWEST, 600, "usual", null]);
  });
});
