import { describe, expect, it } from "vitest";

import type { JsonObject, JsonSchema } from "../../graph";
import {
  addBlock, begin, blankDesign, blocksOf, changeBlock, choose, completed, duplicateBlock, gist, moveBlock, newBlock, placeOf, record, redo, removeBlock, rowsOf, saidOfField, startAgain,
  type State, undo,
} from "./edit";
import { dataOfStep, firstRow, scopeOf } from "./scope";

const text = (words: string): JsonObject => ({ kind: "text", text: words });
const design = (...words: string[]): JsonObject => ({ ...blankDesign("Letter", "en", {}), blocks: words.map(text) });
const order = ({ design: now }: State): unknown[] => blocksOf(now).map((block) => block["text"]);

const TEXT: JsonSchema = { type: "object", properties: { kind: { const: "text", type: "string" }, text: { type: "string" }, bold: { type: "boolean", default: false } }, required: ["kind", "text"] };
const TABLE: JsonSchema = {
  type: "object",
  required: ["kind", "rows", "columns"],
  properties: {
    kind: { const: "table", type: "string" },
    rows: { type: "string" },
    columns: { type: "array", items: { type: "object", required: ["title", "value"], properties: { title: { type: "string" }, value: { type: "string" }, total: { type: "boolean", default: false } } } },
  },
};

describe("the blocks of a design", () => {
  it("are added behind the chosen one, and at the end where none is chosen", () => {
    const state: State = { design: design("a", "b"), chosen: 0 };
    expect(addBlock(state, text("new"))).toMatchObject({ chosen: 1, design: { blocks: [text("a"), text("new"), text("b")] } });
    expect(order(addBlock({ ...state, chosen: "page" }, text("new")))).toEqual(["a", "b", "new"]);
  });

  it("change places, and the chosen one stays chosen", () => {
    const state: State = { design: design("a", "b", "c"), chosen: 0 };
    const moved = moveBlock(state, 0, 2);
    expect([order(moved), moved.chosen]).toEqual([["b", "c", "a"], 2]);
    expect(moveBlock(state, 2, 0).chosen).toBe(1);
    expect(moveBlock(state, 0, -1)).toBe(state);
    expect(moveBlock(state, 2, 3)).toBe(state);
  });

  it("are duplicated beneath themselves and share nothing", () => {
    const twice = duplicateBlock({ design: design("a", "b"), chosen: 1 }, 0);
    expect([order(twice), twice.chosen]).toEqual([["a", "a", "b"], 1]);
    expect(blocksOf(twice.design)[0]).not.toBe(blocksOf(twice.design)[1]);
  });

  it("are removed: the next one is chosen, else the one before, else the page", () => {
    const state: State = { design: design("a", "b"), chosen: 1 };
    expect(removeBlock(state, 0)).toMatchObject({ chosen: 0, design: { blocks: [text("b")] } });
    expect(removeBlock(state, 1).chosen).toBe(0);
    expect(removeBlock({ design: design("a"), chosen: 0 }, 0).chosen).toBe("page");
  });

  it("keep what the model requires when a field is emptied, and lose what has a default", () => {
    const state: State = { design: { ...design(), blocks: [{ kind: "text", text: "a", bold: true }] }, chosen: 0 };
    expect(blocksOf(changeBlock(state, 0, TEXT, "text", undefined).design)[0]).toEqual({ kind: "text", text: "", bold: true });
    expect(blocksOf(changeBlock(state, 0, TEXT, "bold", undefined).design)[0]).toEqual({ kind: "text", text: "a" });
  });

  it("are told apart by what they say, data by its name", () => {
    expect(gist(text("Statement {{ data.account_number }}\nand more"))).toBe("Statement Account number");
    expect(gist({ kind: "table", columns: [{ title: "Date" }, { title: "Amount" }] })).toBe("Date, Amount");
    expect(gist({ kind: "space" })).toBe("");
  });
});

describe("a new block", () => {
  it("has an entry to begin with, and every text that is required", () => {
    expect(newBlock("text", TEXT, {})).toEqual({ kind: "text", text: "" });
    expect(newBlock("table", TABLE, {})).toEqual({ kind: "table", rows: "", columns: [{ title: "", value: "" }] });
    expect(completed(TABLE, { kind: "table", rows: "x", columns: [{ title: "a" }] })).toMatchObject({ columns: [{ title: "a", value: "" }] });
  });

  it("is a table of the first list of the data, however deep", () => {
    const sample = { who: "x", account: { entries: [{ paid_on: "2026-11-01", what: "Rent", zip: "10969", amount: 12.5, more: [1] }] } };
    expect(newBlock("table", TABLE, sample)).toEqual({
      kind: "table",
      rows: "{{ data.account.entries }}",
      columns: [
        { title: "Paid on", value: "{{ item.paid_on }}", format: "date" },
        { title: "What", value: "{{ item.what }}", format: "text" },
        { title: "Zip", value: "{{ item.zip }}", format: "text" },
        { title: "Amount", value: "{{ item.amount }}", format: "number" },
      ],
    });
  });
});

describe("what was changed", () => {
  it("is taken back and done again, with what was chosen", () => {
    const first = begin(design("a", "b"));
    const second = record(first, removeBlock(first.now, 0));
    expect(order(undo(second).now)).toEqual(["a", "b"]);
    expect(order(redo(undo(second)).now)).toEqual(["b"]);
    expect(undo(first)).toBe(first);
    expect(redo(first)).toBe(first);
  });

  it("is taken back together while one field is typed in, and not across a choice", () => {
    let history = begin(design("", "b"));
    for (const words of ["H", "Hi"]) history = record(history, changeBlock(history.now, 0, TEXT, "text", words), "0:text");
    expect(history.past).toHaveLength(1);
    history = choose(choose(history, 1), 0);
    history = record(history, changeBlock(history.now, 0, TEXT, "text", "Hi!"), "0:text");
    expect(history.past).toHaveLength(2);
    expect(order(undo(history).now)).toEqual(["Hi", "b"]);
  });

  it("can be a beginning with another design, which keeps the data where the other has none", () => {
    const state: State = { design: { ...design("a"), sample: { own: 1 } }, chosen: 0 };
    expect(startAgain(state, design())).toMatchObject({ chosen: "page", design: { sample: { own: 1 } } });
    expect(startAgain(state, { ...design("x"), sample: { theirs: 2 } })).toMatchObject({ chosen: 0, design: { sample: { theirs: 2 } } });
  });
});

describe("a problem", () => {
  it("belongs to its block or its part of the document", () => {
    expect(placeOf({ message: "", block: 2, field: "rows" })).toBe(2);
    expect(placeOf({ message: "", block: null, field: "page.accent" })).toBe("page");
    expect(placeOf({ message: "", block: null, field: "footer" })).toBe("edges");
    expect(placeOf({ message: "", block: null, field: "" })).toBeNull();
  });

  it("does not repeat the name of its field beneath it", () => {
    expect(saidOfField({ message: "height: is at most 200.", block: 0, field: "height" })).toBe("Is at most 200.");
    expect(saidOfField({ message: "There is no picture.", block: 0, field: "" })).toBe("There is no picture.");
  });
});

describe("the data of a design", () => {
  const sample = { number: 7, lines: [{ name: "Paper" }] };
  const table = { ...design(), sample, blocks: [{ kind: "table", rows: "{{ data.lines }}", columns: [] }] };
  const words = (key: string): string => key;

  it("is the document's own, and the row where a table works something out for each", () => {
    const roots = (field: string | null): string[] => scopeOf(sample, rowsOf({ design: table, chosen: 0 }), words).sources(field).map((source) => source.root);
    expect(roots("columns.0.value")).toEqual(["item", "data"]);
    expect(roots("group")).toEqual(["item", "data"]);
    expect(roots("rows")).toEqual(["data"]);
    expect(roots("columns.0.title")).toEqual(["data"]);
    expect(scopeOf(sample, rowsOf({ design: table, chosen: "page" }), words).sources("columns.0.value")).toHaveLength(1);
    expect(firstRow("{{ data.lines }}", sample)).toEqual({ name: "Paper" });
    expect(firstRow("{{ filter(data.lines) }}", sample)).toBeUndefined();
  });

  it("is taken from the step, with what its formulas give", async () => {
    const evaluate = async (template: string): Promise<JsonObject> => ({ was: template });
    expect(await dataOfStep({ a: "plain", b: ["{{ x }}"] }, evaluate)).toEqual({ a: "plain", b: [{ was: "{{ x }}" }] });
    expect(await dataOfStep("{{ x }}", evaluate)).toEqual({ was: "{{ x }}" });
    expect(await dataOfStep("no object", evaluate)).toBeNull();
  });
});
