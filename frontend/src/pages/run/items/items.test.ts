import { describe, expect, it } from "vitest";

import type { RunItem, StepItems } from "../../../api/types";
import { looping } from "../../../graph/tests/fixtures";
import { runStatusKind, stepStatusKind } from "../../../ui/status";
import { stepsOfRun, stepUndoOf } from "../undo";
import { cellsOf, firstToOpen, MOST_CELLS, segmentsOf } from "./cells";
import { failedItems, failedSteps, shownGraph, UNDO_ITEMS } from "./shown";

function item(index: number, status: RunItem["status"], more: Partial<RunItem> = {}): RunItem {
  return { run_id: `r${index}`, index, status, outcome: null, label: null, started_at: null, finished_at: null, error: null, waiting: null, failed_calls: 0, failed_items: 0, solved: null, corrected: false, ...more };
}
const items = (more: Partial<StepItems>): StepItems => ({ total: 0, started: 0, done: 0, failed: 0, running: 0, waiting: 0, failed_inside: 0, failed_calls: 0, solved: 0, left_out: 0, ...more });

describe("the items of a container", () => {
  it("are cells in their order; those that have not begun too", () => {
    const cells = cellsOf(items({ total: 4, started: 3 }), [item(0, "completed"), item(2, "dead_lettered"), item(1, "running")]);
    expect(cells?.map((cell) => [cell.index, cell.kind, cell.item?.run_id])).toEqual([[0, "done", "r0"], [1, "running", "r1"], [2, "failed", "r2"], [3, "not_started", undefined]]);
  });

  it("are as many as have begun where nobody knows how many there will be", () => {
    expect(cellsOf(items({ total: null, started: 2 }), [])).toHaveLength(2);
  });

  it("are a bar where there are too many", () => {
    const many = items({ total: 200, started: 60, done: 40, failed: 10, running: 6, waiting: 4 });
    expect(cellsOf(many, [])).toBeNull();
    expect(cellsOf(items({ total: MOST_CELLS }), [])).toHaveLength(MOST_CELLS);
    expect(segmentsOf(many)).toEqual([
      { kind: "done", count: 40, share: 0.2 },
      { kind: "failed", count: 10, share: 0.05 },
      { kind: "running", count: 6, share: 0.03 },
      { kind: "waiting", count: 4, share: 0.02 },
      { kind: "not_started", count: 140, share: 0.7 },
    ]);
    expect(segmentsOf(items({ total: 3, done: 3 }))).toEqual([{ kind: "done", count: 3, share: 1 }]);
  });

  it("the first that failed is opened, else the first", () => {
    expect(firstToOpen([item(0, "completed"), item(1, "dead_lettered"), item(2, "dead_lettered")])?.index).toBe(1);
    expect(firstToOpen([item(0, "completed"), item(1, "running")])?.index).toBe(0);
    expect(firstToOpen([item(0, "completed"), item(1, "completed", { failed_items: 2 })])?.index).toBe(1);
    expect(firstToOpen([])).toBeUndefined();
  });

  it("that was settled by hand is no failure any more", () => {
    const solved = { how: "elsewhere", by: "Ada", reason: "", at: "2026-11-20T12:00:00Z" } as const;
    expect(runStatusKind(item(0, "dead_lettered", { solved }))).toBe("solved");
    expect(firstToOpen([item(0, "dead_lettered", { solved }), item(1, "dead_lettered")])?.index).toBe(1);
    expect(segmentsOf(items({ total: 4, done: 3, solved: 1 }))[1]).toEqual({ kind: "solved", count: 1, share: 0.25 });
  });

  it("who waits for them is at work", () => {
    const waiting = { kind: "children", since: null, until: null, text: "" };
    expect(runStatusKind({ status: "waiting_event", outcome: null, waiting })).toBe("running");
    expect(runStatusKind({ status: "completed", outcome: null, waiting: null })).toBe("done");
    expect(stepStatusKind({ status: "waiting", wait: { kind: "children" } })).toBe("running");
    expect(stepStatusKind({ status: "waiting", wait: { kind: "event" } })).toBe("waiting_event");
  });

  it("is not simply done where some of its items failed", () => {
    expect(stepStatusKind({ status: "succeeded", wait: null, items: { failed: 1 } })).toBe("done_with_failures");
    expect(stepStatusKind({ status: "succeeded", wait: null, items: { failed: 0 } })).toBe("done");
    expect(stepStatusKind({ status: "succeeded", wait: null, items: { failed: 0, failed_inside: 1 } })).toBe("done_with_failures");
    expect(stepStatusKind({ status: "succeeded", wait: null, items: { failed: 0, failed_calls: 1 } })).toBe("done_with_failures");
  });
});

describe("what failed below a run", () => {
  const each = { id: "each", type: "flow.for_each@1" };
  const call = { id: "call", type: "flow.run_workflow@1" };
  const graph = { nodes: [each, call] };
  const of = (status: "succeeded" | "failed", counts: Partial<StepItems>) => ({ status, items: items(counts) }) as const;

  it("are items at whatever depth, which the header counts as the step does", () => {
    const steps = { each: of("succeeded", { failed: 1, failed_inside: 2 }), call: of("succeeded", { failed_inside: 4 }) };
    expect(failedItems({ steps, graph })).toBe(7);
    expect(failedSteps(graph, steps)).toEqual([{ node: each, items: 3, calls: 0 }, { node: call, items: 4, calls: 0 }]);
  });

  it("is a workflow that was only started, and not one whose failure is that of its step", () => {
    expect(failedSteps(graph, { call: of("succeeded", { failed: 1 }) })).toEqual([{ node: call, items: 0, calls: 1 }]);
    expect(failedSteps(graph, { call: of("failed", { failed: 1 }) })).toEqual([]);
    expect(failedItems({ steps: { call: of("failed", { failed: 1 }) }, graph })).toBe(0);
  });

  it("is nothing where all is well", () => {
    expect(failedSteps(graph, { each: of("succeeded", { done: 3 }) })).toEqual([]);
  });
});

describe("the lists of a run", () => {
  const shown = shownGraph(looping(), ["each"], (name) => `Undo of ${name}`);

  it("have the outermost steps, and the undoing of a container as a step", () => {
    expect(shown.nodes.map((node) => [node.id, node.name])).toEqual([["start", "START"], ["each", "EACH"], ["each.undo", "Undo of EACH"], ["end", "END"]]);
    expect(shown.nodes[2]?.type).toBe(UNDO_ITEMS);
    expect(shown.edges.map((edge) => edge.id)).toEqual(["start-out-each", "each-out-end", "each.undo"]);
  });

  it("say of a container how its undoing went", () => {
    const row = { status: "succeeded", node: "each.undo" } as never;
    expect(stepsOfRun(shown, { "each.undo": row }).map((node) => node.id)).toEqual(["start", "each", "end", "each.undo"]);
    expect(stepUndoOf(shown, { "each.undo": row }, "each")).toMatchObject({ role: "action", state: "undone" });
    expect(stepUndoOf(shown, { "each.undo": row }, "each.undo")).toMatchObject({ role: "undo" });
  });

  it("are the drawing itself where there is no container", () => {
    const plain = { ...looping(), nodes: looping().nodes.filter((node) => node.parent === undefined) };
    expect(shownGraph(plain, [], String)).toBe(plain);
  });
});
