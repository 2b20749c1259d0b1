import { describe, expect, it } from "vitest";

import * as actions from "../actions";
import { check } from "../check";
import { BODY, boxOf, containerAt, containersAround, FRAME, framesOf, mayStandIn, outermost, settleBodies, withBodies } from "../containers";
import { changesBetween, merge } from "../diff";
import { createEditorStore, type EditorStore } from "../editorStore";
import { downstreamOf, earlierSteps, indexOf, isBehindFailure, upstreamOf } from "../indexes";
import { layout } from "../layout";
import { layoutRequest } from "../layoutClient";
import * as operations from "../operations";
import { outline, type OutlineRow } from "../outline";
import { refusal } from "../rules";
import { CARD, type GraphDocument, type GraphNode, type StepSpec } from "../types";
import { undoTurns } from "../undo";
import { walk } from "../walk";
import { edge, graph, looping, node, specs } from "./fixtures";

const EACH = specs["flow.for_each@1"] as StepSpec;
const HTTP = specs["http.request@1"] as StepSpec;
const START = specs["trigger.webhook@1"] as StepSpec;

function opened(document: GraphDocument = looping()): EditorStore {
  const store = createEditorStore(() => 0);
  store.open({ document, specs });
  return store;
}
function find(document: GraphDocument, id: string): GraphNode {
  const found = document.nodes.find((other) => other.id === id);
  if (!found) throw new Error(`no step ${id}`);
  return found;
}
const links = (document: GraphDocument) => document.edges.map((link) => `${link.source}.${link.sourceHandle}>${link.target}`).sort();
const codes = (document: GraphDocument) => check(document, specs).map((problem) => `${problem.code} ${problem.node}`).sort();

/** Containers in containers, `depth` of them, each in the one before. */
function nested(depth: number): GraphDocument {
  const frames = Array.from({ length: depth }, (_, at) => node(`c${at}`, "flow.for_each@1", at === 0 ? {} : { parent: `c${at - 1}` }));
  return graph([node("start", "trigger.webhook@1"), ...frames, node("in", "http.request@1", { parent: `c${depth - 1}` })], [edge("start", "c0")]);
}

describe("where things stand", () => {
  it("the frame follows from what stands in it", () => {
    const document = looping();
    expect(boxOf(document, specs, "each")).toEqual({ x: -24, y: 128, width: FRAME.width, height: BODY.y + 128 + CARD.height + FRAME.foot });
    expect(boxOf(document, specs, "a")).toEqual({ x: 0, y: 128 + BODY.y, width: CARD.width, height: CARD.height });
    expect(boxOf(document, specs, "b")?.y).toBe(128 + BODY.y + 128);
  });

  it("an empty one has room for a step", () => {
    const document = graph([node("each", "flow.for_each@1")]);
    expect(boxOf(document, specs, "each")).toMatchObject({ width: FRAME.width, height: FRAME.height });
  });

  it("finds the innermost frame at a point, and none beside", () => {
    const document = nested(2);
    const inner = boxOf(document, specs, "in");
    expect(containerAt(document, specs, { x: (inner?.x ?? 0) + 4, y: (inner?.y ?? 0) + 4 })).toBe("c1");
    expect(containerAt(document, specs, { x: 4, y: 4 })).toBe("c0");
    expect(containerAt(document, specs, { x: -400, y: 4 })).toBeNull();
    expect(containerAt(document, specs, { x: 4, y: 4 }, new Set(["c0", "c1"]))).toBeNull();
  });

  it("settling moves nothing on the canvas", () => {
    const document = nested(3);
    find(document, "in").position = { x: -80, y: 40 };
    const before = framesOf({ ...document }, specs).boxes;
    settleBodies(document);
    const after = framesOf({ ...document }, specs).boxes;
    expect(find(document, "in").position).toEqual({ x: 0, y: 0 });
    expect(after.get("in")).toEqual(before.get("in"));
    expect(after.get("c0")?.x).toBe(-80);
  });

  it("does not loop on containers that stand in one another in a circle", () => {
    const document = graph([node("x", "flow.for_each@1", { parent: "y" }), node("y", "flow.for_each@1", { parent: "x" }), node("z", "http.request@1", { parent: "x" })]);
    expect([...framesOf(document, specs).boxes.keys()].sort()).toEqual(["x", "y", "z"]);
    expect(indexOf(document).order.toSorted()).toEqual(["x", "y", "z"]);
    expect(containersAround(document, "z").map((one) => one.id)).toEqual(["x", "y"]);
    expect(Object.keys(layout(layoutRequest(document, specs))).sort()).toEqual(["x", "y", "z"]);
    expect(outline(document, specs).length).toBeGreaterThan(0);
    settleBodies(document);
  });
});

describe("order", () => {
  it("a container comes before what stands in it, and that before what follows", () => {
    expect(indexOf(looping()).order).toEqual(["start", "each", "a", "b", "end"]);
  });

  it("a body knows what comes before its container, and nobody outside knows the body", () => {
    const document = looping();
    expect([...upstreamOf(document, "b")].sort()).toEqual(["a", "start"]);
    expect([...upstreamOf(document, "end")].sort()).toEqual(["each", "start"]);
    expect(earlierSteps(document, "b").map((step) => step.id)).toEqual(["a", "start"]);
    expect([...downstreamOf(document, "start")].sort()).toEqual(["a", "b", "each", "end"]);
  });

  it("the error of a failure path is known inside too", () => {
    const document = looping();
    document.edges[0] = edge("x", "each", "error");
    document.nodes.push(node("x"));
    expect(isBehindFailure({ ...document }, "b")).toBe(true);
  });

  it("what a container did counts among what is undone", () => {
    const document = looping();
    for (const id of ["a", "b"]) find(document, id).config = { url: "x", method: "POST" };
    find(document, "end").config = { url: "x", method: "POST" };
    expect(undoTurns(document, specs, "end").map((turn) => turn.action.id)).toEqual(["end", "b", "a"]);
  });

  it("the outline shows the body below its container, before what follows", () => {
    const text = (rows: OutlineRow[], depth = 0): string[] =>
      rows.flatMap((row) => [`${" ".repeat(depth)}${row.kind === "way" ? `[${row.handle}]` : row.node}`, ...(row.kind === "goto" ? [] : text(row.children, depth + 1))]);
    expect(text(outline(looping(), specs))).toEqual(["start", "each", " [body]", "  a", "  b", "end"]);
  });

  it("arrow keys lead into a container and out of it", () => {
    const document = looping();
    expect(walk(document, specs, "start", "down")).toBe("each");
    expect(walk(document, specs, "each", "down")).toBe("a");
    expect(walk(document, specs, "a", "down")).toBe("b");
    expect(walk(document, specs, "b", "down")).toBe("end");
    expect(walk(document, specs, "b", "up")).toBe("a");
    expect(walk(document, specs, "a", "up")).toBe("each");
  });
});

describe("rules and checks", () => {
  it("no link crosses a frame", () => {
    const link = (source: string, target: string) => refusal(looping(), specs, { source, sourceHandle: "out", target, targetHandle: "in" })?.key;
    expect(link("start", "b")).toBe("refusal.border");
    expect(link("b", "end")).toBe("refusal.border");
    expect(link("each", "a")).toBe("refusal.border");
  });

  it("nothing is wrong with a container that is set up", () => {
    expect(check(looping(), specs).filter((problem) => problem.severity !== "hint")).toEqual([]);
  });

  it("says what stands where it cannot", () => {
    const empty = graph([node("start", "trigger.webhook@1"), node("each", "flow.for_each@1", { config: { items: [] } })], [edge("start", "each")]);
    expect(codes(empty)).toContain("container.empty each");
    const document = looping();
    document.nodes.push(
      node("lost", "http.request@1", { parent: "gone" }),
      node("odd", "http.request@1", { parent: "end" }),
      node("begin", "trigger.webhook@1", { parent: "each" }),
      node("round", "flow.for_each@1", { parent: "about", config: { items: [] } }),
      node("about", "flow.for_each@1", { parent: "round", config: { items: [] } }),
    );
    document.edges.push(edge("b", "end"));
    const found = codes(document);
    for (const code of ["node.parent_missing lost", "node.parent_not_container odd", "node.trigger_inside begin", "node.parent_circle round", "node.parent_circle about", "edge.crosses_container b"]) {
      expect(found).toContain(code);
    }
    expect(codes(nested(4)).filter((code) => code.startsWith("node.too_deep"))).toEqual([]);
    expect(codes(nested(5)).filter((code) => code.startsWith("node.too_deep"))).toEqual(["node.too_deep in"]);
  });

  it("says which data is not known where", () => {
    const document = looping();
    find(document, "b").config = { url: "{{ item.sku }}/{{ steps.a.body }}/{{ index }}" };
    expect(codes(document).filter((code) => code.startsWith("reference"))).toEqual([]);
    find(document, "end").config = { url: "{{ item.sku }}{{ steps.a.body }}{{ steps.each.results }}" };
    expect(codes({ ...document }).filter((code) => code.startsWith("reference"))).toEqual(["reference.inside_container end", "reference.no_items end"]);
    find(document, "a").config = { url: "{{ steps.each.results }}{{ steps.end.body }}" };
    find(document, "end").config = { url: "x" };
    expect(codes({ ...document }).filter((code) => code.startsWith("reference"))).toEqual(["reference.not_before a", "reference.not_before a"]);
  });

  it("a container knows its items only where it speaks of each", () => {
    const document = looping();
    find(document, "each").config = { items: "{{ trigger.body.lines }}", label: "{{ item.number }}" };
    expect(codes(document).filter((code) => code.startsWith("reference"))).toEqual([]);
    find(document, "each").config = { items: "{{ item.lines }}" };
    expect(codes({ ...document }).filter((code) => code.startsWith("reference"))).toEqual(["reference.no_items each"]);
  });

  it("containers stand at most four deep in one another", () => {
    const document = nested(4);
    document.nodes.push(node("other", "flow.for_each@1"), node("flat"));
    expect(mayStandIn(document, specs, "flat", "c3")).toBe(true);
    expect(mayStandIn(document, specs, "other", "c3")).toBe(false);
    expect(mayStandIn(document, specs, "c0", "other")).toBe(false);
    expect(mayStandIn(document, specs, "c1", "other")).toBe(true);
    expect(mayStandIn(document, specs, "c0", "in")).toBe(false);
    expect(mayStandIn(document, specs, "start", "c0")).toBe(false);
  });
});

describe("building", () => {
  it("a step added inside stands in the body, at its corner", () => {
    const store = opened(graph([node("start", "trigger.webhook@1"), node("each", "flow.for_each@1", { position: { x: -24, y: 128 } })], [edge("start", "each")]));
    const id = actions.addStep(store, HTTP, { kind: "inside", container: "each" });
    const made = find(store.getState().document, id);
    expect([made.parent, made.position, links(store.getState().document)]).toEqual(["each", { x: 0, y: 0 }, ["start.out>each"]]);
    const second = actions.addStep(store, HTTP, { kind: "inside", container: "each" });
    expect(find(store.getState().document, second).position).toEqual({ x: 320, y: 0 });
    expect(store.getState().announcement?.key).toBe("announce.addedIn");
  });

  it("what follows a step in a body stands in it too, and what follows the container makes room", () => {
    const store = opened();
    find(store.getState().document, "end");
    const id = actions.addStep(store, HTTP, { kind: "after", source: "b" });
    const { document } = store.getState();
    expect(find(document, id)).toMatchObject({ parent: "each", position: { x: 0, y: 256 } });
    expect(links(document)).toContain(`b.out>${id}`);
    const frame = boxOf(document, specs, "each");
    expect(find(document, "end").position.y).toBeGreaterThanOrEqual((frame?.y ?? 0) + (frame?.height ?? 0) + CARD.rowGap);
    store.undo();
    expect(store.getState().document).toEqual(looping());
  });

  it("a step put into a link of a body stays in it; a start never stands in one", () => {
    const store = opened();
    const id = actions.addStep(store, HTTP, { kind: "link", edge: "a-out-b" });
    expect(find(store.getState().document, id).parent).toBe("each");
    expect(find(store.getState().document, "b").position.y).toBe(256);
    const start = actions.addStep(store, START, { kind: "after", source: "a" });
    expect(find(store.getState().document, start).parent).toBeUndefined();
  });

  it("a container follows a step in the middle below it", () => {
    const store = opened(graph([node("start", "trigger.webhook@1")]));
    const id = actions.addStep(store, EACH, { kind: "after", source: "start" });
    expect(find(store.getState().document, id).position).toEqual({ x: -24, y: 128 });
    const after = actions.addStep(store, HTTP, { kind: "after", source: id });
    expect(find(store.getState().document, after).position).toEqual({ x: 0, y: 128 + FRAME.height + CARD.rowGap });
  });

  it("where containers are too deep already, a new one goes around", () => {
    const store = opened(nested(4));
    const id = actions.addStep(store, EACH, { kind: "inside", container: "c3" });
    expect(find(store.getState().document, id).parent).toBe("c2");
  });

  it("deleting a container deletes its body in one go, and heals the chain", () => {
    const store = opened();
    store.select(["each"]);
    actions.removeSelection(store);
    expect(store.getState().document.nodes.map((one) => one.id)).toEqual(["start", "end"]);
    expect(links(store.getState().document)).toEqual(["start.out>end"]);
    store.undo();
    expect(store.getState().document).toEqual(looping());
  });

  it("asks about the users of what stands in a container that is to be deleted", () => {
    const document = looping();
    find(document, "end").config = { url: "{{ steps.a.body }}" };
    expect(operations.usersOf(document, new Set(["each"])).map((one) => one.id)).toEqual(["end"]);
  });

  it("a copy of a container has a copy of its body", () => {
    const store = opened();
    store.select(["each"]);
    actions.duplicateSelection(store);
    const { document, selection } = store.getState();
    expect(selection).toHaveLength(1);
    const copy = find(document, selection[0] ?? "");
    const body = document.nodes.filter((one) => one.parent === copy.id);
    expect(body.map((one) => one.position)).toEqual([{ x: 0, y: 0 }, { x: 0, y: 128 }]);
    expect(links(document)).toContain(`${body[0]?.id}.out>${body[1]?.id}`);
    expect(new Set(document.nodes.map((one) => one.key)).size).toBe(document.nodes.length);
    expect(copy.position).toEqual({ x: -24 + FRAME.width + CARD.columnGap, y: 128 });
  });

  it("pastes with the body, into a container where asked, outside of it where it is too deep", () => {
    const store = opened();
    store.select(["each"]);
    const text = actions.copySelection(store) ?? "";
    expect(actions.pasteSteps(store, text, { x: 0, y: 900 })).toBe(true);
    const pasted = find(store.getState().document, store.getState().selection[0] ?? "");
    expect([pasted.parent, store.getState().document.nodes.filter((one) => one.parent === pasted.id).length]).toEqual([undefined, 2]);
    expect(actions.pasteSteps(store, text, { x: 0, y: 208 }, "each")).toBe(true);
    expect(find(store.getState().document, store.getState().selection[0] ?? "").parent).toBe("each");
    const deep = opened(nested(4));
    actions.pasteSteps(deep, text, { x: 0, y: 0 }, "c3");
    expect(find(deep.getState().document, deep.getState().selection[0] ?? "").parent).toBe("c2");
  });

  it("what is selected together with its container moves once", () => {
    const store = opened();
    store.select(["each", "a"]);
    actions.moveSelection(store, { x: 8, y: 0 });
    const { document } = store.getState();
    expect([find(document, "each").position, find(document, "a").position]).toEqual([{ x: -16, y: 128 }, { x: 0, y: 0 }]);
  });

  it("a step moved to the left of a body widens the frame to the left", () => {
    const store = opened();
    actions.moveTo(store, new Map([["b", { x: -100, y: 128 }]]));
    const { document } = store.getState();
    expect([find(document, "each").position.x, find(document, "a").position.x, find(document, "b").position.x]).toEqual([-124, 100, 0]);
  });
});

describe("moving in and out", () => {
  it("what is dropped outside of its frame leaves it, and the chain is healed", () => {
    const store = opened();
    const cut = actions.dropSteps(store, new Map([["a", { x: 800, y: 0 }]]));
    const { document } = store.getState();
    expect(cut).toBe(1);
    expect(find(document, "a")).toMatchObject({ position: { x: 800 + -24 + BODY.x, y: 128 + BODY.y } });
    expect(find(document, "a").parent).toBeUndefined();
    // What stays is at the corner of its body again, where it was on the canvas.
    expect(find(document, "b").position).toEqual({ x: 0, y: 0 });
    expect(boxOf(document, specs, "b")).toMatchObject({ x: 0, y: 128 + BODY.y + 128 });
    store.undo();
    expect(store.getState().document).toEqual(looping());
  });

  it("what still touches its frame widens it", () => {
    const store = opened();
    expect(actions.dropSteps(store, new Map([["b", { x: 200, y: 128 }]]))).toBe(0);
    expect(find(store.getState().document, "b")).toMatchObject({ parent: "each", position: { x: 200, y: 128 } });
  });

  it("what is dropped into a frame stands in it, and leaves its chain healed", () => {
    const document = looping();
    document.nodes.push(node("x", "http.request@1", { position: { x: 600, y: 0 } }), node("y", "http.request@1", { position: { x: 600, y: 128 } }));
    document.edges.push(edge("start", "x"), edge("x", "y"));
    const store = opened(document);
    expect(actions.dropHome(document, specs, new Map([["x", { x: 40, y: 260 }]]))).toBe("each");
    expect(actions.dropSteps(store, new Map([["x", { x: 40, y: 260 }]]))).toBe(1);
    const now = store.getState().document;
    expect(find(now, "x").parent).toBe("each");
    expect(links(now)).toContain("start.out>y");
  });

  it("a container never goes into itself, and a start into none", () => {
    const document = looping();
    expect(actions.dropHome(document, specs, new Map([["each", { x: 0, y: 200 }]]))).toBeUndefined();
    expect(actions.dropHome(document, specs, new Map([["start", { x: 0, y: 240 }]]))).toBeUndefined();
  });

  it("offers the places a selection can go to, and moves it with what undoes it", () => {
    const document = looping();
    document.nodes.push(node("u", "http.request@1", { parent: "each", position: { x: 352, y: 0 } }), node("two", "flow.for_each@1", { position: { x: 900, y: 0 } }));
    document.edges.push(edge("a", "u", "undo"));
    const store = opened(document);
    store.select(["a"]);
    expect(actions.possibleHomes(store)).toEqual([null, "two"]);
    expect(actions.moveHome(store, "two")).toBe(1);
    const now = store.getState().document;
    expect([find(now, "a").parent, find(now, "u").parent]).toEqual(["two", "two"]);
    expect(links(now)).toContain("a.undo>u");
    store.select(["a"]);
    actions.moveHome(store, null);
    expect(find(store.getState().document, "a").parent).toBeUndefined();
  });

  it("a chain moved as a whole keeps its links", () => {
    const store = opened();
    store.select(["a", "b"]);
    actions.moveHome(store, null);
    const { document } = store.getState();
    expect(links(document)).toEqual(["a.out>b", "each.out>end", "start.out>each"]);
    expect(document.nodes.filter((one) => one.parent !== undefined)).toEqual([]);
  });
});

describe("tidying up", () => {
  it("lays out bodies first, and the outer flow around their frames", () => {
    const document = looping();
    for (const one of document.nodes) one.position = { x: 0, y: 0 };
    const places = layout(layoutRequest(document, specs));
    expect([places["a"], places["b"]]).toEqual([{ x: 0, y: 0 }, { x: 0, y: 128 }]);
    const tidy = { ...document, nodes: document.nodes.map((one) => ({ ...one, position: places[one.id] ?? one.position })) };
    const { boxes } = framesOf(tidy, specs);
    const frame = boxes.get("each");
    expect(frame && (boxes.get("end")?.y ?? 0) >= frame.y + frame.height).toBe(true);
    const middle = (id: string) => (boxes.get(id)?.x ?? 0) + (boxes.get(id)?.width ?? 0) / 2;
    expect([middle("start"), middle("end"), middle("a")]).toEqual([middle("each"), middle("each"), middle("each")]);
  });
});

describe("two people", () => {
  it("says that a step went into a container", () => {
    const before = looping();
    const after = looping();
    delete find(after, "a").parent;
    expect(changesBetween(before, after, specs).map((change) => change.label.key)).toContain("change.movedOut");
  });

  it("what one changed in a container that the other deleted stands outside", () => {
    const base = looping();
    const mine = looping();
    find(mine, "a").name = "Mine";
    const theirs = graph(looping().nodes.filter((one) => !withBodies(base, new Set(["each"])).has(one.id)));
    const { document, conflicts } = merge(base, mine, theirs, "mine");
    expect(conflicts).toEqual(["a"]);
    expect(find(document, "a").parent).toBeUndefined();
  });

  it("of steps in one another only the outermost counts", () => {
    expect([...outermost(looping(), new Set(["a", "each", "end"]))].sort()).toEqual(["each", "end"]);
  });
});
