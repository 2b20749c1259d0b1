import { beforeEach, describe, expect, it, vi } from "vitest";
import * as actions from "../actions";
import { createEditorStore, type EditorStore } from "../editorStore";
import { emptyDocument, type StepSpec } from "../types";
import { branching, specs } from "./fixtures";

let store: EditorStore;
let now = 0;
const spec = (type: string): StepSpec => specs[type] as StepSpec;
const links = (): string[] =>
  store.getState().document.edges.map((edge) => {
    const key = (id: string): string => store.getState().document.nodes.find((node) => node.id === id)?.key ?? "?";
    return `${key(edge.source)}.${edge.sourceHandle}>${key(edge.target)}`;
  });

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  store = createEditorStore(() => (now += 1000));
  store.open({ document: emptyDocument(), specs });
});

describe("building without a pointer", () => {
  it("adds steps one after the other, connected and selected", () => {
    actions.addStep(store, spec("trigger.webhook@1"), { kind: "free", position: { x: 0, y: 0 } });
    const start = store.getState().selection[0] ?? "";
    actions.addStep(store, spec("flow.decision@1"), { kind: "after", source: start });
    const decision = store.getState().selection[0] ?? "";
    actions.addStep(store, spec("http.request@1"), { kind: "after", source: decision });
    actions.addStep(store, spec("http.request@1"), { kind: "after", source: decision });
    expect(links()).toEqual(["webhook.out>decision", "decision.yes>http_request", "decision.no>http_request_2"]);
    expect(store.getState().announcement).toMatchObject({ key: "announce.addedAfter", params: { after: "Decision", count: 1 } });
  });

  it("adds into the link when the only way out is taken", () => {
    store.open({ document: branching(), specs });
    actions.addStep(store, spec("http.request@1"), { kind: "after", source: "start" });
    expect(links()).toContain("start.out>http_request");
    expect(links()).toContain("http_request.out>check");
    expect(store.getState().document.nodes.find((node) => node.id === "check")?.position.y).toBe(256);
  });

  it("a start is never connected, and a step after a stop stands alone", () => {
    store.open({ document: branching(), specs });
    actions.addStep(store, spec("trigger.webhook@1"), { kind: "after", source: "end" });
    expect(links()).toHaveLength(4);
    const stop = actions.addStep(store, spec("flow.stop@1"), { kind: "after", source: "end" });
    actions.addStep(store, spec("http.request@1"), { kind: "after", source: stop });
    expect(links()).toHaveLength(5);
  });

  it("connects, and says why not", () => {
    store.open({ document: branching(), specs });
    expect(actions.connect(store, "end", "out", "check")?.key).toBe("refusal.circle");
    expect(actions.connect(store, "check", "no", "a")).toBeNull();
  });
});

describe("one step back for everything", () => {
  it("each action is one entry and undoes completely", () => {
    store.open({ document: branching(), specs });
    const before = store.getState().document;
    store.select(["a"]);
    const deeds = [
      () => actions.duplicateSelection(store),
      () => actions.toggleSelection(store),
      () => actions.moveSelection(store, { x: 8, y: 0 }),
      () => actions.renameStep(store, "a", "Other"),
      () => void actions.addNote(store, { x: 0, y: 0 }),
      () => actions.arrange(store, { a: { x: 800, y: 800 } }),
      () => actions.moveTo(store, new Map([["end", { x: 1, y: 1 }]])),
      () => void actions.removeSelection(store),
    ];
    for (const deed of deeds) {
      store.select(["a"]);
      deed();
      expect(store.getState().history.past).toHaveLength(1);
      store.undo();
      expect(store.getState().document).toEqual(before);
      expect(store.redo()).not.toBeNull();
      store.undo();
    }
  });

  it("copies travel as text between workflows", () => {
    store.open({ document: branching(), specs });
    store.select(["check", "a"]);
    const text = actions.copySelection(store) ?? "";
    store.open({ document: emptyDocument(), specs });
    expect(actions.pasteSteps(store, text, { x: 40, y: 40 })).toBe(true);
    expect(links()).toEqual(["check.yes>a"]);
    expect(store.getState().selection).toHaveLength(2);
    expect(actions.pasteSteps(store, "no steps", { x: 0, y: 0 })).toBe(false);
  });

  it("a selection never names what is gone", () => {
    store.open({ document: branching(), specs });
    const id = actions.addStep(store, spec("http.request@1"), { kind: "after", source: "end" });
    expect(store.getState().selection).toEqual([id]);
    store.undo();
    expect(store.getState().selection).toEqual([]);
  });

  it("nothing can be changed by those who may only look", () => {
    store.open({ document: branching(), specs, readOnly: true });
    store.select(["a"]);
    actions.removeSelection(store);
    expect(store.getState().document.nodes).toHaveLength(4);
    expect(store.undo()).toBeNull();
  });
});

describe("what is wrong", () => {
  it("is found soon after an edit, and the server's word counts once it is saved", () => {
    store.open({ document: branching(), specs });
    expect(store.getState().problems).toEqual([]);
    store.edit({ key: "x", params: {} }, (draft) => {
      const step = draft.nodes[2];
      if (step) step.config = {};
    });
    vi.advanceTimersByTime(200);
    expect(store.getState().problems.map((problem) => problem.code)).toEqual(["required"]);
    store.markSaved(store.getState().document, { problems: [], summaries: { a: "words" }, effects: {} });
    expect(store.getState().problems).toEqual([]);
    expect(store.getState().summaries).toEqual({ a: "words" });
  });
});
