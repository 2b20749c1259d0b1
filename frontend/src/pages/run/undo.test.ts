import { describe, expect, it } from "vitest";

import type { GraphDocument, Retried, Run, RunError, RunStep, UndoLine, UndoPlan } from "../../api/types";
import {
  causeOf, countTurns, doubtOf, goOf, hasUndoSteps, howFarUndone, isAnswered, isUndoable, missingIn, partsOf, progressOf, requestOf, saidOf, stepsOfRun, stepUndoOf,
  timesOf, wordsOfLeft,
} from "./undo";

function node(id: string) {
  return { id, key: id, name: id.toUpperCase(), type: "http.request@1", config: {}, position: { x: 0, y: 0 }, settings: {} };
}

function link(source: string, target: string, sourceHandle = "out") {
  return { id: `${source}-${target}`, source, sourceHandle, target, targetHandle: "in" };
}

/** a → b → c, where `ua` undoes a and `ub` undoes b. */
const graph: GraphDocument = {
  format: "millrace.workflow",
  version: 1,
  nodes: ["ua", "a", "ub", "b", "c"].map(node),
  edges: [link("a", "b"), link("b", "c"), link("a", "ua", "undo"), link("b", "ub", "undo")],
  annotations: [],
};
const plain: GraphDocument = { ...graph, edges: [link("a", "b"), link("b", "c")] };

function steps(said: Record<string, RunStep["status"]>): Record<string, RunStep> {
  return Object.fromEntries(Object.entries(said).map(([id, status]) => [id, { node: id, status, seq: 1 } as RunStep]));
}

function line(name: string, fate: UndoLine["fate"], why: UndoLine["why"] = null): UndoLine {
  const undone = fate !== "nothing" && why !== "no_undo_step";
  return { node: name, key: name, name, type: "http.request@1", fate, why, undo_node: undone ? `u${name}` : null, undo_name: undone ? `Undo ${name}` : null, items: null, done_at: null };
}

function plan(...lines: UndoLine[]): UndoPlan {
  return { id: "plan", generation: 1, possible: true, steps: lines };
}

describe("where undo is offered", () => {
  it("is on runs that ended and whose drawing has an undo step", () => {
    const offered = (status: string, document: GraphDocument | null) => isUndoable({ status } as Run, document);
    for (const status of ["completed", "dead_lettered", "cancelled"]) expect(offered(status, graph)).toBe(true);
    for (const status of ["running", "accepted", "parked", "compensating", "compensated"]) expect(offered(status, graph)).toBe(false);
    expect(offered("completed", plain)).toBe(false);
    expect(offered("completed", null)).toBe(false);
    expect([hasUndoSteps(graph), hasUndoSteps(plain)]).toEqual([true, false]);
  });
});

describe("the plan", () => {
  const mixed = plan(line("a", "undo"), line("b", "stays", "no_undo_step"), line("c", "again", "refused"), line("d", "undone"), line("e", "nothing"));

  it("keeps the order of what is carried out, and puts the rest apart", () => {
    const { turns, left } = partsOf(mixed);
    expect(turns.map((one) => one.node)).toEqual(["a", "c"]);
    expect(left.map((one) => one.node)).toEqual(["b", "d", "e"]);
  });

  it("has words for everything that is left as it is", () => {
    expect(partsOf(mixed).left.map(wordsOfLeft)).toEqual(["no_undo_step", "undone", "nothing"]);
    expect(wordsOfLeft(line("x", "stays", "switched_off"))).toBe("switched_off");
  });

  it("asks only where nobody knows whether the undo happened", () => {
    expect(doubtOf(line("a", "again", "in_doubt"))).toBe("ua");
    for (const why of ["refused", "same_key", "happened", "harmless"] as const) expect(doubtOf(line("a", "again", why))).toBeNull();
    const doubtful = plan(line("a", "again", "in_doubt"), line("b", "undo"), line("c", "again", "in_doubt"));
    expect([...missingIn(doubtful, {})]).toEqual(["ua", "uc"]);
    expect([...missingIn(doubtful, { uc: "send" })]).toEqual(["ua"]);
    expect([...missingIn(doubtful, { uc: "undone", ua: "still_done" })]).toEqual([]);
  });

  it("is sent with the reason and only with consents that concern it", () => {
    const doubtful = plan(line("a", "again", "in_doubt"), line("b", "undo"));
    const sayings = { gone: "send", ua: "send", ub: "undone" } as const;
    expect(requestOf(doubtful, "  wrong customer ", sayings)).toEqual({ plan: "plan", reason: "wrong customer", repeats: ["ua"], decisions: {} });
  });

  it("sends what somebody said became of it, and counts only what is carried out", () => {
    const lost = plan(line("a", "again", "in_doubt"), line("b", "again", "same_key"), line("c", "undo"));
    expect([saidOf(lost.steps[0] as UndoLine, {}), saidOf(lost.steps[1] as UndoLine, {}), saidOf(lost.steps[2] as UndoLine, {})]).toEqual([null, "send", null]);
    const sayings = { ua: "still_done", ub: "undone" } as const;
    expect(requestOf(lost, "x", sayings)).toEqual({ plan: "plan", reason: "x", repeats: [], decisions: { ua: "still_done", ub: "undone" } });
    expect([countTurns(lost, {}), countTurns(lost, sayings)]).toEqual([3, 1]);
  });

  it("keeps apart what is still done, what nobody knows of, and what was undone", () => {
    const far = howFarUndone(plan(line("a", "again", "same_key"), line("b", "stays", "earlier_go"), line("b", "undone"), line("c", "nothing")));
    const names = (lines: readonly UndoLine[]) => lines.map((one) => one.node);
    expect([names(far.standing), names(far.unsure), names(far.gone)]).toEqual([["b"], ["a"], ["b"]]);
  });

  it("names a list twice of which some stand for certain and nobody knows of others, and says when all is answered", () => {
    const items = { total: 3, undo: 0, undone: 1, nothing: 0, asks: 1, stays: 1, open: 0, unknown: 1, left: [] };
    const many = { ...line("a", "again", "happened"), items };
    const far = howFarUndone({ steps: [many] });
    expect([far.standing.length, far.unsure.length, isAnswered(many)]).toEqual([1, 1, false]);
    expect(isAnswered({ ...many, items: { ...items, undone: 2, nothing: 1, asks: 0, stays: 0, unknown: 0 } })).toBe(true);
  });
});

describe("what became of it", () => {
  it("says at the action how its undo stands", () => {
    const state = (status: RunStep["status"]) => {
      const found = stepUndoOf(graph, steps({ a: "succeeded", ua: status }), "a");
      return found?.role === "action" ? [found.by.id, found.state] : found;
    };
    expect(state("succeeded")).toEqual(["ua", "undone"]);
    expect(state("failed")).toEqual(["ua", "failed"]);
    for (const status of ["ready", "running", "retrying", "waiting"] as const) expect(state(status)).toEqual(["ua", "undoing"]);
    expect(state("skipped")).toBeNull();
    expect(stepUndoOf(graph, steps({ a: "succeeded" }), "a")).toBeNull();
    expect(stepUndoOf(graph, steps({ c: "succeeded" }), "c")).toBeNull();
  });

  it("says at the undo step what it undoes", () => {
    expect(stepUndoOf(graph, {}, "ub")).toMatchObject({ role: "undo", action: { id: "b" } });
  });

  it("counts no undo step as a step to come", () => {
    expect(progressOf(graph, steps({ a: "succeeded", b: "failed", ub: "succeeded" }))).toEqual({ done: 2, total: 3 });
  });

  it("lists undo steps only where they were needed, in the order in which they undo", () => {
    const listed = (said: Record<string, RunStep["status"]>) => stepsOfRun(graph, steps(said)).map((one) => one.id);
    expect(listed({ a: "succeeded" })).toEqual(["a", "b", "c"]);
    expect(listed({ a: "succeeded", ua: "skipped", ub: "cancelled" })).toEqual(["a", "b", "c"]);
    expect(listed({ a: "succeeded", ua: "succeeded", ub: "running" })).toEqual(["a", "b", "c", "ub", "ua"]);
  });

  it("tells who undid it, else that it was cancelled, else what it failed of", () => {
    const error = { code: "x", title: "Refused", message: "" } as RunError;
    const run = { generation: 2, cancel_requested: true, error };
    const undo = { generation: 2, kind: "undo", by: "Ana", at: "2026-11-20T09:00:00Z", reason: "wrong" } as Retried;
    expect(causeOf(run, [undo])).toEqual({ kind: "person", by: "Ana", at: undo.at, reason: "wrong" });
    expect(causeOf(run, [{ ...undo, kind: "retry" }])).toEqual({ kind: "cancelled" });
    expect(causeOf({ ...run, generation: 3, cancel_requested: false }, [undo])).toEqual({ kind: "failed", error });
    expect(causeOf({ generation: 1, cancel_requested: false, error: null }, [])).toBeNull();
  });
});

describe("the goes of a run", () => {
  const retries = (["retry", "undo", "retry", "undo"] as const).map((kind, at) => ({ generation: at + 2, kind }) as Retried);

  it("are counted by their kind", () => {
    expect([1, 2, 3, 4, 5].map((generation) => goOf(retries, generation))).toEqual([
      { kind: "first", number: 1 },
      { kind: "retry", number: 1 },
      { kind: "undo", number: 1 },
      { kind: "retry", number: 2 },
      { kind: "undo", number: 2 },
    ]);
    expect(timesOf(retries)).toEqual({ retried: 2, undone: 2 });
  });

  it("are retries as long as nothing is known of them", () => {
    expect(goOf([], 3)).toEqual({ kind: "retry", number: 2 });
  });
});
