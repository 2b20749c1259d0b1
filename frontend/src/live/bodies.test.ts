import { expect, it } from "vitest";

import type { Run, RunSnapshot, RunStep } from "../api/types";
import { edge, looping, node } from "../graph/tests/fixtures";
import { drawingOf } from "./bodies";
import { joined } from "./joined";
import { createRunStore, undoOfItems } from "./runStore";

const PARENT = { run_id: "r0", node_id: "each", node_name: "Each", index: 3, workflow_id: "w", is_item: true };

function step(id: string, status: RunStep["status"], more: Partial<RunStep> = {}): RunStep {
  return {
    node: id, key: id, generation: 1, status, attempt: 1, ports: ["out"], note: null, wait: null, error: null, started_at: null,
    finished_at: null, duration_ms: null, seq: 1, items: null, ...more,
  };
}
function snapshot(run: Partial<Run>, steps: RunStep[]): RunSnapshot {
  return { run: { id: "r", generation: 1, seq: 1, parent: null, ...run } as Run, graph: looping(), steps, seq: 1 };
}

it("an item shows what stands in its container, and nothing else", () => {
  const graph = looping();
  const body = drawingOf(graph, PARENT);
  expect(body.nodes.map((one) => [one.id, one.parent])).toEqual([["a", undefined], ["b", undefined]]);
  expect(body.edges.map((one) => one.id)).toEqual([edge("a", "b").id]);
  expect(drawingOf(graph, PARENT)).toBe(body);
});

it("a container in an item keeps what stands in it", () => {
  const graph = looping();
  graph.nodes.push(node("inner", "flow.for_each@1", { parent: "each" }), node("deep", "http.request@1", { parent: "inner" }));
  expect(drawingOf(graph, PARENT).nodes.map((one) => [one.id, one.parent])).toEqual([["a", undefined], ["b", undefined], ["inner", undefined], ["deep", "inner"]]);
});

it("a workflow that another one has run shows all of itself", () => {
  const graph = looping();
  expect(drawingOf(graph, { ...PARENT, is_item: false })).toBe(graph);
  expect(drawingOf(graph, null)).toBe(graph);
});

it("an opened item is laid over the run", () => {
  const main = createRunStore();
  main.load(snapshot({ id: "r0" }, [step("start", "succeeded"), step("each", "waiting")]));
  const item = createRunStore();
  item.load(snapshot({ id: "r1", parent: PARENT }, [step("a", "succeeded"), step("b", "failed")]));
  const shown = joined(main.getState(), [item.getState()]);
  expect(Object.entries(shown.steps).map(([id, one]) => [id, one.status])).toEqual([["start", "succeeded"], ["each", "waiting"], ["a", "succeeded"], ["b", "failed"]]);
  expect([shown.edges["a-out-b"], shown.edges["start-out-each"], shown.run?.id]).toEqual(["taken", "taken", "r0"]);
  expect(joined(main.getState(), [])).toBe(main.getState());
});

it("a container is undone when the step that undoes its runs is over", () => {
  const store = createRunStore();
  store.load(snapshot({ id: "r0" }, [step("each", "succeeded"), step(undoOfItems("each"), "running")]));
  expect(store.getState().undone).toEqual({});
  store.load({ ...snapshot({ id: "r0" }, [step("each", "succeeded"), step(undoOfItems("each"), "succeeded", { seq: 2 })]), seq: 2 });
  expect(store.getState().undone).toEqual({ each: true });
});
