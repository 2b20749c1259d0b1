import { describe, expect, it } from "vitest";

import { fieldsOf, isPasteOfCells, mended, pasted, typedSince, withoutFixed } from "./edits";

describe("entries that are mended in a table", () => {
  it("show the fields that hold one value", () => {
    expect(fieldsOf([{ name: "a", lines: [1], amount: 1 }, { name: "b", centre: null }, 7])).toEqual(["name", "amount", "centre"]);
  });

  it("keep what was typed while others were sent", () => {
    const sent = { 1: { amount: "2" }, 3: { name: "x" } };
    expect(typedSince({ 1: { amount: "2", name: "Ann" }, 3: { name: "xy" }, 4: { name: "z" } }, sent)).toEqual({ 1: { name: "Ann" }, 3: { name: "xy" }, 4: { name: "z" } });
    expect(typedSince(sent, sent)).toEqual({});
  });

  it("keep numbers numbers, and say what is none", () => {
    expect(mended({ amount: 1, name: "x" }, { amount: "2.5", name: "007" })).toEqual({ item: { amount: 2.5, name: "007" }, wrong: [] });
    expect(mended({ amount: 1 }, { amount: "two" }).wrong).toEqual(["amount"]);
  });

  it("take a block of cells from a spreadsheet", () => {
    const made = pasted({}, "a\t1\r\nb\t2\r\n", [4, 9, 11], ["name", "amount"], { row: 0, field: 0 });
    expect(made).toEqual({ 4: { name: "a", amount: "1" }, 9: { name: "b", amount: "2" } });
    expect(pasted({ 4: { name: "old" } }, "x\ty\tz", [4], ["name", "amount"], { row: 0, field: 1 })).toEqual({ 4: { name: "old", amount: "x" } });
  });

  it("leave entries as they are that were released", () => {
    const made = pasted({}, "a\nb\n", [4, 9], ["name"], { row: 0, field: 0 });
    expect(withoutFixed(made, [{ index: 4, fixed: "released" }, { index: 9, fixed: null }])).toEqual({ 9: { name: "b" } });
  });

  it("know a block of cells from a word", () => {
    expect(isPasteOfCells("one two\n")).toBe(false);
    expect(isPasteOfCells("one\ttwo")).toBe(true);
  });
});
