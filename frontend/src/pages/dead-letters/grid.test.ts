import { describe, expect, it } from "vitest";

import type { Json } from "../../api/types";
import { cellOf, changesOf, columnsOf, filledDown, type GridRow, sentencesByRun, shownAtFirst, withCell, withPaste } from "./grid";

const row = (id: string, body: Json, fixed: string | null = null): GridRow => ({
  run: { id, short_id: id, business_key: id, generation: 1 },
  node: "pay",
  type: "http.request@1",
  message: "No.",
  input: { url: "http://erp/invoices", json_body: body },
  fixed,
});

const ROWS = [
  row("a", { vat: "DE1", amount: 10, paid: false, note: null, lines: [1], iban: { $masked: [] } }),
  row("b", { vat: "DE2", amount: 10, paid: false, note: null, lines: [1], iban: { $masked: [] } }),
  row("c", { vat: "DE3", amount: 10, paid: false, note: null, lines: [1], iban: { $masked: [] } }),
];
const COLUMNS = columnsOf(ROWS, undefined);
const column = (name: string) => {
  const found = COLUMNS.find((one) => one.path.at(-1) === name);
  if (!found) throw new Error(name);
  return found;
};
const first = ROWS[0] as GridRow;

describe("columns", () => {
  it("are the single values, however deep, and no lists", () => {
    expect(COLUMNS.map((one) => one.path.join("."))).toEqual(["url", "json_body.vat", "json_body.amount", "json_body.paid", "json_body.note", "json_body.iban"]);
    expect(column("vat")).toMatchObject({ label: "vat", within: "Json body", differs: true });
  });
  it("show the data and what differs at first", () => {
    expect(shownAtFirst(COLUMNS)).not.toContain("url");
    expect(shownAtFirst([column("url")])).toEqual(["url"]);
  });
  it("are none of rows that are not changed here, nor of texts of many lines alone", () => {
    expect(columnsOf([row("x", { vat: "DE1" }, "Open the run.")], undefined)).toEqual([]);
    expect(columnsOf([row("x", { text: "one\ntwo" })], undefined).map((one) => one.label)).toEqual(["Url"]);
  });
});

describe("typing", () => {
  it("marks what differs, and no longer what is as it was again", () => {
    const typed = withCell({}, first, column("vat"), "DE9");
    expect(typed).toEqual({ a: { [column("vat").id]: "DE9" } });
    expect(withCell(typed, first, column("vat"), "DE1")).toEqual({});
  });
  it("pastes a column down and a block to the right, and no further than there are rows", () => {
    const typed = withPaste({}, "DE7\t11\r\nDE8\t12\r\nDE9\t13\r\n", ROWS, COLUMNS, { row: 1, column: 1 });
    expect(typed).toEqual({ b: { [column("vat").id]: "DE7", [column("amount").id]: "11" }, c: { [column("vat").id]: "DE8", [column("amount").id]: "12" } });
  });
  it("fills down into all below, and changes no row that is fixed", () => {
    const rows = [first, row("b", { vat: "DE2" }, "Released."), row("c", { vat: "DE3" })];
    expect(filledDown({}, rows, column("vat"), 0)).toEqual({ c: { [column("vat").id]: "DE1" } });
  });
});

describe("what is sent", () => {
  it("is what was changed alone, each value as what it was", () => {
    let typed = withCell({}, first, column("vat"), "DE9");
    typed = withCell(typed, first, column("amount"), "12,50");
    typed = withCell(typed, first, column("paid"), "TRUE");
    const { edits, wrongCount } = changesOf(typed, ROWS, COLUMNS);
    expect(wrongCount).toBe(0);
    expect(edits).toMatchObject([{ run: "a", generation: 1, node: "pay", fields: [{ path: ["json_body", "vat"], value: "DE9" }, { path: ["json_body", "amount"] }, { value: true }] }]);
    expect(String(edits[0]?.fields[1]?.value)).toBe("12.50");
  });
  it("says of each cell why it is wrong", () => {
    let typed = withCell({}, first, column("amount"), "ten");
    typed = withCell(typed, first, column("paid"), "maybe");
    typed = withCell(typed, first, column("vat"), "••••");
    expect(Object.values(changesOf(typed, ROWS, COLUMNS).wrong["a"] ?? {}).sort()).toEqual(["dots", "number", "yesNo"]);
    expect(changesOf(withCell({}, first, column("amount"), "1.234"), ROWS, COLUMNS).wrongCount).toBe(1);
  });
  it("never holds what stands for a hidden value, and can replace it", () => {
    expect(cellOf(first, column("iban"))).toEqual({ kind: "masked", text: "" });
    expect(changesOf({}, ROWS, COLUMNS).edits).toEqual([]);
    const { edits } = changesOf(withCell({}, first, column("iban"), "DE02"), ROWS, COLUMNS);
    expect(edits[0]?.fields).toEqual([{ path: ["json_body", "iban"], value: "DE02" }]);
  });
  it("the server's sentences are told by run", () => {
    expect(sentencesByRun({ "edits.a": ["No."], other: ["x"] })).toEqual({ a: "No." });
  });
});
