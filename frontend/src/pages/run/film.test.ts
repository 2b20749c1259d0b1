import { describe, expect, test } from "vitest";

import type { Playback } from "../../api/lookingBack";
import type { GraphDocument, Run, RunStep } from "../../api/types";
import { filmOf, itemsAsOf, neighbour, reelOf, stateAt } from "./film";

const START = Date.parse("2026-11-20T09:41:00.000Z");
const iso = (after: number) => new Date(START + after).toISOString();

const step = (node: string, status: string, more: object = {}) => ({ node, generation: 1, attempt: 1, status, ports: status === "succeeded" ? ["out"] : [], wait: null, until: null, ...more });
const frame = (after: number, status: string, ...steps: object[]) => ({ at: iso(after), generation: 1, status, kind: "changed", by: null, steps });

const told = {
  whole: true,
  frames: [
    frame(0, "accepted"),
    frame(10, "running", step("start", "succeeded")),
    frame(20, "running", step("check", "succeeded", { ports: ["yes"] })),
    frame(30, "running", step("pay", "running")),
    frame(1030, "waiting_timer", step("pay", "retrying", { wait: "timer", until: iso(2000) })),
    frame(2000, "running", step("pay", "running", { attempt: 2 })),
    frame(2100, "dead_lettered", step("pay", "failed", { attempt: 2 })),
    // Somebody went on with it the next day: what was kept is told anew.
    { ...frame(86_400_000, "running", step("start", "succeeded", { generation: 2 }), step("check", "succeeded", { generation: 2, ports: ["yes"] })), generation: 2, kind: "retried" },
    { ...frame(86_400_100, "running", step("pay", "running", { generation: 2 })), generation: 2 },
    { ...frame(86_400_300, "completed", step("pay", "succeeded", { generation: 2 })), generation: 2 },
  ],
  items: [{ node: "each", points: [{ at: iso(100), started: 1, done: 0, failed: 0 }, { at: iso(200), started: 2, done: 1, failed: 0 }, { at: iso(300), started: 2, done: 1, failed: 1 }] }],
} as unknown as Playback;

const edge = (id: string, source: string, handle: string, target: string) => ({ id, source, sourceHandle: handle, target, targetHandle: "in" });
const node = (id: string) => ({ id, key: id, name: id, type: "data.edit_fields@1", config: {}, settings: {}, position: { x: 0, y: 0 } });
const graph = {
  nodes: ["start", "check", "pay", "ask", "each"].map(node),
  edges: [edge("e1", "start", "out", "check"), edge("e2", "check", "yes", "pay"), edge("e3", "check", "no", "ask")],
  annotations: [],
} as unknown as GraphDocument;
const run = { id: "r", status: "completed", generation: 2, finished_at: iso(86_400_300), outcome: "done", waiting: null, error: null } as unknown as Run;
const now = { node: "pay", key: "pay", generation: 2, status: "succeeded", attempt: 1, ports: ["out"], note: "201", wait: null, error: null, seq: 9, items: null } as unknown as RunStep;
const live = { run, graph, steps: { pay: now } };
const film = filmOf(told);
const at = (after: number) => stateAt(film, live, START + after);

describe("the state at a moment", () => {
  test("nothing has happened before anything has", () => {
    expect(at(0).steps).toEqual({});
    expect(at(0).run?.status).toBe("accepted");
    expect(at(-5000).run?.status).toBe("accepted");
  });
  test("a step that works works, and what stands behind it has not begun", () => {
    const shown = at(500);
    expect(shown.steps["pay"]?.status).toBe("running");
    expect(shown.steps["ask"]).toBeUndefined();
    expect(shown.run?.finished_at).toBeNull();
  });
  test("links are taken once their step is decided, and not before", () => {
    expect(at(15).edges).toEqual({ e1: "taken", e2: "undecided", e3: "undecided" });
    expect(at(25).edges).toEqual({ e1: "taken", e2: "taken", e3: "not_taken" });
  });
  test("a try that failed waits for the next, and the next is another", () => {
    expect(at(1500).steps["pay"]).toMatchObject({ status: "retrying", attempt: 1, wait: { kind: "timer", until: iso(2000) } });
    expect(at(2050).steps["pay"]).toMatchObject({ status: "running", attempt: 2 });
  });
  test("the end of an earlier go is shown as it was, and the next go begins with what was kept", () => {
    expect(at(3000).run).toMatchObject({ status: "dead_lettered", generation: 1, finished_at: iso(2100) });
    expect(at(3000).steps["pay"]).toMatchObject({ status: "failed", duration_ms: 2070 });
    const next = at(86_400_050);
    expect(Object.keys(next.steps).sort()).toEqual(["check", "start"]);
    expect(next.run).toMatchObject({ status: "running", generation: 2 });
  });
  test("at its end the run is as it is now, with all that is known of it", () => {
    const end = at(86_400_300);
    expect(end.run).toBe(run);
    expect(end.steps["pay"]).toMatchObject({ status: "succeeded", note: "201" });
  });
  test("steps that did not change keep their object, so that nothing else is drawn anew", () => {
    const before = at(500);
    const after = stateAt(film, live, START + 1500, before);
    expect(after.steps["start"]).toBe(before.steps["start"]);
    expect(after.steps["pay"]).not.toBe(before.steps["pay"]);
  });
  test("the items of a list are counted as they stood", () => {
    const frames = [{ ...frame(50, "running", step("each", "waiting", { wait: "children" })) }];
    const listed = filmOf({ ...told, frames } as unknown as Playback);
    const counts = (after: number) => stateAt(listed, live, START + after).steps["each"]?.items;
    expect(counts(60)).toMatchObject({ started: 0, done: 0, failed: 0, running: 0 });
    expect(counts(250)).toMatchObject({ started: 2, done: 1, failed: 0, running: 1 });
    expect(counts(350)).toMatchObject({ started: 2, done: 1, failed: 1, running: 0 });
  });
});

test("items that had not begun are not there, and those that had not ended were at work", () => {
  const items = [
    { started_at: iso(0), finished_at: iso(100), status: "completed" as const },
    { started_at: iso(50), finished_at: iso(900), status: "dead_lettered" as const },
    { started_at: iso(500), finished_at: null, status: "running" as const },
  ];
  expect(itemsAsOf(items, START + 200).map((item) => item.status)).toEqual(["completed", "running"]);
});

describe("time", () => {
  const reel = reelOf(film.moments, 0);
  test("every moment can be reached, whatever waits lie between", () => {
    const shares = film.moments.map((moment) => reel.share(moment));
    expect(shares[0]).toBe(0);
    expect(shares[shares.length - 1]).toBe(1);
    for (let index = 1; index < shares.length; index += 1) expect((shares[index] ?? 0) - (shares[index - 1] ?? 0)).toBeGreaterThan(0.01);
  });
  test("a place on the slider and its moment lead to each other", () => {
    for (const moment of film.moments) expect(Math.abs(reel.moment(reel.share(moment)) - moment)).toBeLessThanOrEqual(1);
  });
  test("time passes as it did, ten times as fast, or with waits left out", () => {
    expect(reel.after(START, 100, "1")).toBe(START + 100);
    expect(reel.after(START, 100, "10")).toBe(START + 1000);
    expect(reel.after(START + 2100, 1300, "skip")).toBeGreaterThanOrEqual(START + 86_400_000);
    expect(reel.after(START, 10_000_000, "skip")).toBe(reel.until);
  });
  test("a film of ten thousand changes ends within two minutes", () => {
    const long = reelOf(Array.from({ length: 10_000 }, (_, index) => START + index * 1000), 0);
    let place = long.from;
    for (let watched = 0; watched < 1200 && place < long.until; watched += 1) place = long.after(place, 100, "skip");
    expect(place).toBe(long.until);
  });
  test("an open run goes on until it was opened", () => {
    expect(reelOf([START], START + 5000).until).toBe(START + 5000);
    expect(reelOf([], START).share(START)).toBe(0);
  });
});

test("arrow keys go from change to change, and beyond the last is now", () => {
  const moments = [10, 20, 30, 40];
  expect(neighbour(moments, null, -1)).toBe(30);
  expect(neighbour(moments, 30, -1)).toBe(20);
  expect(neighbour(moments, 25, -1)).toBe(20);
  expect(neighbour(moments, 25, 1)).toBe(30);
  expect(neighbour(moments, 30, 1)).toBeNull();
  expect(neighbour(moments, 10, -1)).toBe(10);
  expect(neighbour(moments, null, -10)).toBe(10);
  expect(neighbour(moments, null, 1)).toBeNull();
});
