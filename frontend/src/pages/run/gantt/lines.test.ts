import { describe, expect, it } from "vitest";

import type { GraphNode, StepItems } from "../../../api/types";
import type { TimelineRow } from "../timeline";
import { around, closedAt, keyedLine, lineFor, linesOf, MOST_ITEMS, type Owner, shownPlaces, withOpened } from "./lines";

const row = (node: string): TimelineRow => ({ node, name: node, kind: "done", attempt: 1, from: 0, until: 1, waiting: false });
const counts = (started: number): StepItems => ({ total: started, started, done: started, failed: 0, running: 0, waiting: 0, failed_inside: 0, failed_calls: 0, solved: 0, left_out: 0 });

function owner(run: string, nodes: readonly string[], containers: Record<string, number> = {}): Owner {
  return {
    run,
    rows: nodes.map(row),
    containers: new Map(Object.entries(containers).map(([id, started]) => [id, { node: { id } as GraphNode, items: counts(started) }])),
  };
}

const paths = (lines: ReturnType<typeof linesOf>): (string | undefined)[] => Array.from({ length: lines.count }, (_, place) => lines.at(place)?.path);
const opened = (...open: string[]) => new Map(open.map((path) => [path, null]));

describe("the lines of a timeline", () => {
  const main = owner("run", ["start", "each", "after"], { each: 3 });

  it("are the steps, of which those with items can be opened", () => {
    const lines = linesOf(main, new Map(), new Map());
    expect(paths(lines)).toEqual(["start", "each", "after"]);
    expect([0, 1].map((place) => (lines.at(place) as { open?: boolean }).open)).toEqual([undefined, false]);
    expect(lines.at(3)).toBeUndefined();
  });

  it("show the items of an opened container, and the steps inside an opened item once they are known", () => {
    const open = opened("each", "each 1");
    const waiting = linesOf(main, open, new Map());
    expect(paths(waiting)).toEqual(["start", "each", "each 0", "each 1", "each 1 ?", "each 2", "after"]);
    expect(waiting.at(4)?.kind).toBe("reading");
    const lines = linesOf(main, open, new Map([["each 1", owner("item", ["a", "inner"], { inner: 2 })]]));
    expect(paths(lines)).toEqual(["start", "each", "each 0", "each 1", "each 1 a", "each 1 inner", "each 2", "after"]);
    expect(lines.at(5)).toMatchObject({ level: 3, run: "item", place: 2, of: 2, open: false });
    expect(lines.at(3)).toMatchObject({ level: 2, run: "run", place: 2, of: 3, open: true });
  });

  it("know where each stands, also among very many that nobody looks at", () => {
    const many = owner("run", ["start", "each", "after"], { each: 20_000 });
    const lines = linesOf(many, opened("each", "each 12345"), new Map([["each 12345", owner("item", ["a"])]]));
    expect(lines.count).toBe(20_004);
    for (const path of ["start", "each 0", "each 12344", "each 12345", "each 12345 a", "each 12346", "each 19999", "after"]) {
      expect(lines.at(lines.placeOf(path))?.path).toBe(path);
    }
    expect(lines.placeOf("each 20000")).toBe(-1);
    expect(lines.placeOf("nowhere")).toBe(-1);
  });

  it("are not more than a browser can show, and say so", () => {
    const lines = linesOf(owner("run", ["each"], { each: MOST_ITEMS + 5 }), opened("each"), new Map());
    expect(lines.at(lines.count - 1)).toMatchObject({ kind: "more", count: 5 });
  });

  it("are gone through by keys", () => {
    const closed = linesOf(main, new Map(), new Map());
    expect(keyedLine("ArrowRight", closed, 1)).toBe("open");
    expect(keyedLine("ArrowRight", closed, 0)).toEqual({ to: 0 });
    expect(keyedLine("End", closed, 0)).toEqual({ to: 2 });
    const lines = linesOf(main, opened("each"), new Map());
    expect(keyedLine("ArrowRight", lines, 1)).toEqual({ to: 2 });
    expect(keyedLine("ArrowLeft", lines, 1)).toBe("close");
    expect(keyedLine("ArrowLeft", lines, 4)).toEqual({ to: 1 });
    expect(keyedLine("ArrowUp", lines, 0)).toEqual({ to: 0 });
    expect(keyedLine("x", lines, 0)).toBeNull();
  });

  it("close with all that is opened further inside", () => {
    const open = opened("each", "each 1", "each 1 inner", "each2");
    expect([...closedAt(open, "each").keys()]).toEqual(["each2"]);
    expect([...closedAt(open, "each 1").keys()]).toEqual(["each", "each2"]);
    expect([around("each 1 inner"), around("each")]).toEqual(["each 1", null]);
  });

  it("say of an item which opened one stands before it, whose steps come between", () => {
    const lines = linesOf(main, opened("each", "each 1"), new Map([["each 1", owner("item", ["a"])]]));
    expect(["each 0", "each 1", "each 2"].map((path) => (lines.at(lines.placeOf(path)) as { after?: number | null }).after)).toEqual([null, null, 1]);
  });

  it("are drawn in their order, the one that has the focus among them", () => {
    expect(shownPlaces(2, 5, 3)).toEqual([2, 3, 4]);
    expect(shownPlaces(2, 5, 0)).toEqual([0, 2, 3, 4]);
    expect(shownPlaces(2, 5, 9)).toEqual([2, 3, 4, 9]);
    expect(shownPlaces(2, 5, -1)).toEqual([2, 3, 4]);
  });

  it("close the item that was opened first for one more, but never one that is around it", () => {
    const open = new Map<string, string | null>([["each", null], ["each 1", "run 1"], ["each 1 inner", null], ["each 1 inner 0", "run 2"]]);
    expect([...withOpened(open, "each 2", "run 3", 2).keys()]).toEqual(["each", "each 2"]);
    expect([...withOpened(open, "each 1 inner 7", "run 3", 2).keys()]).toEqual(["each", "each 1", "each 1 inner", "each 1 inner 7"]);
    expect([...withOpened(open, "each 2", "run 3", 9).keys()]).toEqual([...open.keys(), "each 2"]);
    expect(withOpened(open, "other", null, 2).size).toBe(5);
  });

  it("have one that stands for each that is gone", () => {
    const open = opened("each", "each 1");
    const waiting = linesOf(main, open, new Map());
    expect(lineFor(waiting, "each 1 ?")).toBe("each 1 ?");
    const lines = linesOf(main, open, new Map([["each 1", owner("item", ["a"])]]));
    expect(lineFor(lines, "each 1 ?")).toBe("each 1 a");
    expect(lineFor(linesOf(main, opened("each"), new Map()), "each 1 ?")).toBe("each 1");
    expect(lineFor(linesOf(main, new Map(), new Map()), "each 1 a")).toBe("each");
    expect([lineFor(lines, ""), lineFor(lines, "nowhere")]).toEqual(["start", "start"]);
  });
});
