import { describe, expect, it } from "vitest";
import { commit, HISTORY_LIMIT, NO_HISTORY, redo, undo, type Step } from "../history";
import * as operations from "../operations";
import { branching, specs } from "./fixtures";

const label = { key: "history.field", params: {} };

function run(steps: ((draft: ReturnType<typeof branching>) => void)[], groups: (string | null)[] = [], times: number[] = []): Step {
  let step: Step = { document: branching(), history: NO_HISTORY, entry: { label, patches: [], inverse: [], group: null, at: 0 } };
  steps.forEach((recipe, at) => {
    step = commit(step.document, step.history, label, recipe, { group: groups[at] ?? null, at: times[at] ?? at * 1000 }) ?? step;
  });
  return step;
}

describe("undo and redo", () => {
  it("come back to the same documents", () => {
    const start = branching();
    const done = run([
      (draft) => operations.removeSteps(draft, specs, new Set(["a"])),
      (draft) => operations.moveSteps(draft, new Map([["end", { x: 8, y: 800 }]])),
      (draft) => operations.renameStep(draft, "end", "Finish"),
    ]);
    let back = undo(done.document, done.history);
    back = back && undo(back.document, back.history);
    back = back && undo(back.document, back.history);
    expect(back?.document).toEqual(start);
    expect(back && undo(back.document, back.history)).toBeNull();
    let forth = back && redo(back.document, back.history);
    forth = forth && redo(forth.document, forth.history);
    forth = forth && redo(forth.document, forth.history);
    expect(forth?.document).toEqual(done.document);
  });

  it("take typing in one field within 600 ms as one edit", () => {
    const type = (text: string) => (draft: ReturnType<typeof branching>) => operations.setConfig(draft, specs, "a", "url", text);
    const step = run([type("h"), type("ht"), type("htt"), type("http")], ["f", "f", "f", "f"], [0, 200, 500, 2000]);
    expect(step.history.past).toHaveLength(2);
    const back = undo(step.document, step.history);
    expect(back?.document.nodes.find((node) => node.id === "a")?.config["url"]).toBe("htt");
    const more = back && undo(back.document, back.history);
    expect(more?.document).toEqual(branching());
  });

  it("keep typing in different fields apart", () => {
    const step = run(
      [(draft) => operations.setConfig(draft, specs, "a", "url", "x"), (draft) => operations.setConfig(draft, specs, "end", "url", "x")],
      ["a", "end"],
      [0, 10],
    );
    expect(step.history.past).toHaveLength(2);
  });

  it("coalesce edits that make patches of different shapes", () => {
    const step = run([(draft) => operations.setNotes(draft, "a", "n"), (draft) => operations.setNotes(draft, "a", "no"), (draft) => operations.setNotes(draft, "a", "")], ["n", "n", "n"], [0, 10, 20]);
    const back = undo(step.document, step.history);
    expect(back?.document).toEqual(branching());
  });

  it("forget what an edit changed nothing, and hold 200 levels", () => {
    const document = branching();
    expect(commit(document, NO_HISTORY, label, () => undefined, { at: 0 })).toBeNull();
    const step = run(Array.from({ length: 230 }, (_, at) => (draft: ReturnType<typeof branching>) => operations.setNotes(draft, "a", `n${at}`)));
    expect(step.history.past).toHaveLength(HISTORY_LIMIT);
  });

  it("drop what was undone once something new is done", () => {
    const step = run([(draft) => operations.setNotes(draft, "a", "x")]);
    const back = undo(step.document, step.history);
    const next = back && commit(back.document, back.history, label, (draft) => operations.setNotes(draft, "a", "y"), { at: 5000 });
    expect(next?.history.future).toEqual([]);
  });

  it("survive being stored as JSON", () => {
    const step = run([(draft) => operations.removeSteps(draft, specs, new Set(["check"]))]);
    const stored = JSON.parse(JSON.stringify(step.history)) as typeof step.history;
    expect(undo(step.document, stored)?.document).toEqual(branching());
  });
});
