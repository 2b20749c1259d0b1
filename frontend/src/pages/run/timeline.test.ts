import { describe, expect, it } from "vitest";

import type { GraphDocument, Run, RunStep } from "../../api/types";
import { timelineRows, timelineScale } from "./timeline";

const START = Date.parse("2026-11-20T09:00:00.000Z");
const at = (ms: number) => new Date(START + ms).toISOString();

function node(id: string, type: string) {
  return { id, key: id, name: id.toUpperCase(), type, config: {}, position: { x: 0, y: 0 }, settings: {} };
}

const graph: GraphDocument = {
  format: "millrace.workflow",
  version: 1,
  nodes: [node("c", "http.request@1"), node("b", "flow.wait@1"), node("a", "trigger.webhook@1")],
  edges: [
    { id: "1", source: "a", sourceHandle: "out", target: "b", targetHandle: "in" },
    { id: "2", source: "b", sourceHandle: "out", target: "c", targetHandle: "in" },
  ],
  annotations: [],
};

function step(nodeId: string, from: number, until: number | null, extra: Partial<RunStep> = {}): RunStep {
  return {
    node: nodeId,
    key: nodeId,
    generation: 1,
    status: until === null ? "running" : "succeeded",
    attempt: 1,
    ports: ["out"],
    note: null,
    wait: null,
    error: null,
    started_at: at(from),
    finished_at: until === null ? null : at(until),
    duration_ms: until === null ? null : until - from,
    seq: 1,
    items: null,
    ...extra,
  };
}

const steps = { a: step("a", 0, 10), b: step("b", 10, 600_010), c: step("c", 600_010, 601_010) };
const run = {
  id: "r",
  accepted_at: at(0),
  started_at: at(0),
  finished_at: at(601_010),
  started_by: "webhook",
  error: null,
  status: "completed",
} as unknown as Run;

describe("the timeline", () => {
  it("lists steps in the order of the workflow, not of the document", () => {
    expect(timelineRows(graph, steps).map((row) => row.node)).toEqual(["a", "b", "c"]);
  });

  it("gives steps that were never reached no bar", () => {
    const rows = timelineRows(graph, { a: steps.a });
    expect(rows[2]).toMatchObject({ node: "c", from: null, kind: "not_started" });
  });

  it("spans from the start to the end", () => {
    const scale = timelineScale(run, timelineRows(graph, steps), 0, false);
    expect(scale.at(START)).toBe(0);
    expect(scale.at(START + 601_010)).toBe(1);
  });

  it("squeezes waiting, so that work becomes visible, and keeps the order of moments", () => {
    const rows = timelineRows(graph, steps);
    const plain = timelineScale(run, rows, 0, false);
    const squeezed = timelineScale(run, rows, 0, true);
    const width = (scale: typeof plain) => scale.at(START + 601_010) - scale.at(START + 600_010);
    expect(width(plain)).toBeLessThan(0.01);
    expect(width(squeezed)).toBeGreaterThan(0.5);
    const moments = [0, 5, 10, 300_000, 600_010, 600_500, 601_010].map((ms) => squeezed.at(START + ms));
    expect([...moments].sort((left, right) => left - right)).toEqual(moments);
    expect(squeezed.moment(1)).toBeCloseTo(START + 601_010, 0);
    expect(squeezed.moment(0)).toBeCloseTo(START, 0);
  });

  it("survives a run that took no time at all", () => {
    const instant = { ...run, finished_at: at(0) } as Run;
    for (const squeeze of [true, false]) {
      const scale = timelineScale(instant, timelineRows(graph, { a: step("a", 0, 0) }), 0, squeeze);
      expect(Number.isFinite(scale.at(START))).toBe(true);
      expect(Number.isFinite(scale.moment(0.5))).toBe(true);
    }
  });
});
