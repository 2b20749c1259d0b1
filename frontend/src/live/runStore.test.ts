import { describe, expect, it, vi } from "vitest";

import type { GraphDocument, Run, RunChange, RunSnapshot, RunStep, StepStatus } from "../api/types";
import { createRunStore, edgeStateOf } from "./runStore";

function step(node: string, status: StepStatus, seq: number, ports: string[] = []): RunStep {
  return {
    node,
    key: node,
    generation: 1,
    status,
    attempt: 1,
    ports,
    note: null,
    wait: null,
    error: null,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    seq,
    items: null,
  };
}

const yes = { id: "e1", source: "a", sourceHandle: "yes", target: "b", targetHandle: "in" };
const no = { id: "e2", source: "a", sourceHandle: "no", target: "c", targetHandle: "in" };
const graph: GraphDocument = {
  format: "millrace.workflow",
  version: 1,
  nodes: [],
  annotations: [],
  edges: [yes, no],
};

function snapshot(seq: number, steps: RunStep[], generation = 1): RunSnapshot {
  return { run: { id: "run", status: "running", generation, seq } as Run, graph, steps, seq };
}

function change(after: number, seq: number, steps: RunStep[]): RunChange {
  return { type: "changes", run: "run", after, seq, state: { status: "running" }, steps };
}

describe("a link", () => {
  const edge = yes;
  it("is undecided until its source step is decided", () => {
    expect(edgeStateOf(edge, undefined)).toBe("undecided");
    expect(edgeStateOf(edge, step("a", "running", 1))).toBe("undecided");
  });
  it("is taken if its source step left by it", () => {
    expect(edgeStateOf(edge, step("a", "succeeded", 1, ["yes"]))).toBe("taken");
    expect(edgeStateOf(edge, step("a", "succeeded", 1, ["no"]))).toBe("not_taken");
  });
  it("is taken by a failed step that has a failure path", () => {
    expect(edgeStateOf({ ...edge, sourceHandle: "error" }, step("a", "failed", 1, ["error"]))).toBe("taken");
  });
  it("is not taken if its source step was skipped", () => {
    expect(edgeStateOf(edge, step("a", "skipped", 1))).toBe("not_taken");
  });
  it("to an undo step is never taken: nothing flows along it", () => {
    expect(edgeStateOf({ ...edge, sourceHandle: "undo" }, step("a", "succeeded", 1, ["yes"]))).toBe("undecided");
  });
});

describe("the store of a run", () => {
  it("knows what was undone: that whose undo step has done its work", () => {
    const store = createRunStore();
    const undoing = { ...graph, edges: [{ ...yes, sourceHandle: "undo" }, { ...no, source: "d", sourceHandle: "undo" }] };
    store.load({ ...snapshot(3, [step("a", "succeeded", 1), step("b", "succeeded", 2), step("c", "failed", 3), step("d", "succeeded", 1)]), graph: undoing });
    expect(store.getState().undone).toEqual({ a: true });
  });

  it("keeps the objects of steps that did not change, so that only touched cards render", () => {
    const store = createRunStore();
    store.load(snapshot(2, [step("a", "succeeded", 1, ["yes"]), step("b", "running", 2)]));
    const before = store.getState();
    expect(store.apply([change(2, 3, [step("b", "succeeded", 3)])])).toBe(true);
    const after = store.getState();
    expect(after.steps.a).toBe(before.steps.a);
    expect(after.steps.b).not.toBe(before.steps.b);
    expect(after.steps.b?.status).toBe("succeeded");
    expect(after.seq).toBe(3);
  });

  it("learns from a fresh snapshot that an item was put right, although its step did not change", () => {
    const store = createRunStore();
    const counts = { total: 1, started: 1, running: 0, waiting: 0, failed_inside: 0, failed_calls: 0, solved: 0, left_out: 0 };
    const each = step("a", "succeeded", 1);
    store.load(snapshot(2, [{ ...each, items: { ...counts, done: 0, failed: 1 } }]));
    store.load(snapshot(2, [{ ...each, items: { ...counts, done: 1, failed: 0 } }]));
    expect(store.getState().steps.a?.items?.failed).toBe(0);
  });

  it("keeps them through a fresh snapshot as well", () => {
    const store = createRunStore();
    store.load(snapshot(2, [step("a", "succeeded", 1, ["yes"])]));
    const before = store.getState().steps.a;
    store.load(snapshot(5, [step("a", "succeeded", 1, ["yes"]), step("b", "running", 5)]));
    expect(store.getState().steps.a).toBe(before);
  });

  it("tells of a gap instead of guessing", () => {
    const store = createRunStore();
    store.load(snapshot(2, [step("a", "running", 2)]));
    expect(store.apply([change(4, 5, [step("a", "succeeded", 5, ["yes"])])])).toBe(false);
    expect(store.getState().steps.a?.status).toBe("running");
  });

  it("is not turned back by a snapshot that was asked for earlier", () => {
    const store = createRunStore();
    store.load(snapshot(2, [step("a", "running", 2)]));
    store.apply([change(2, 3, [step("a", "succeeded", 3, ["yes"])])]);
    store.load(snapshot(2, [step("a", "running", 2)]));
    expect(store.getState().steps.a?.status).toBe("succeeded");
  });

  it("updates once for many changes", () => {
    const store = createRunStore();
    store.load(snapshot(1, [step("a", "running", 1)]));
    const listener = vi.fn();
    store.subscribe(listener);
    store.apply([change(1, 2, [step("a", "succeeded", 2, ["yes"])]), change(2, 3, [step("b", "running", 3)])]);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(store.getState().edges).toEqual({ e1: "taken", e2: "not_taken" });
  });

  it("shows the newest generation of a step", () => {
    const store = createRunStore();
    store.load(snapshot(4, [{ ...step("a", "running", 4), generation: 2 }, step("a", "failed", 3)], 2));
    expect(store.getState().steps.a?.generation).toBe(2);
  });

  it("shows a step that a retry has not come to as not begun", () => {
    const store = createRunStore();
    store.load(snapshot(3, [step("a", "succeeded", 1, ["yes"]), step("b", "failed", 3)]));
    const kept = { ...step("a", "succeeded", 4, ["yes"]), generation: 2 };
    const reopened = { ...change(3, 4, [kept]), state: { status: "running" as const, generation: 2 } };
    expect(store.apply([reopened])).toBe(true);
    expect(store.getState().steps.a).toBe(kept);
    expect(store.getState().steps.b).toBeUndefined();
    expect(store.getState().edges).toEqual({ e1: "taken", e2: "not_taken" });
  });

  it("asks for a fresh snapshot when a retry goes on with another version, which is drawn otherwise", () => {
    const store = createRunStore();
    const first = snapshot(3, [step("a", "failed", 3)]);
    store.load({ ...first, run: { ...first.run, version: 1 } });
    const retried = { ...change(3, 4, []), state: { status: "running" as const, generation: 2, version: 2 } };
    expect(store.apply([retried])).toBe(false);
    expect(store.getState().run?.generation).toBe(1);
  });
});

it("keeps the words on a run that were put there here, through changes that say nothing of them", () => {
  const store = createRunStore();
  store.load(snapshot(1, [step("a", "running", 1)]));
  store.tagged("other", ["late"]);
  expect(store.getState().run?.tags).toBeUndefined();
  store.tagged("run", ["late"]);
  store.apply([change(1, 2, [step("a", "succeeded", 2)])]);
  expect(store.getState().run?.tags).toEqual(["late"]);
  expect(store.getState().steps["a"]?.status).toBe("succeeded");
});
