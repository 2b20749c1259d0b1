import { describe, expect, it } from "vitest";

import type { ExpectedColumn, TableCheck, TableLook } from "../api/intake";
import { expectedColumns } from "../inspector/inputFields";
import { allAsked, chosen, rowsOf, said, standing, unfit, unmapped, usesOf } from "./intake";

const column = (name: string, more: Partial<ExpectedColumn> = {}): ExpectedColumn => ({
  name, label: name, type: "text", required: false, key: false, currency: "", also: [], ...more,
});
const columns = [column("invoice", { key: true }), column("amount", { type: "amount" }), column("centre", { required: true })];
const sources = { invoice: "No", centre: "KST" };
const look = { sources, asks: [], ran: [], columns: [] } as unknown as TableLook;
const check = { total: 5, fitting: 5, causes: [], value: { rows: 5 } } as unknown as TableCheck;
const none = { look, check, columns, without: null, again: false };

it("columns come from settings in any state", () => {
  expect(expectedColumns([{ name: "a" }, { label: "x" }, "b", { name: "c", type: "odd", key: true, also: ["d", 1] }])).toEqual([
    column("a"), column("c", { key: true, also: ["d"] }),
  ]);
  expect(expectedColumns(undefined)).toEqual([]);
});

it("a column of the file stands for one only", () => {
  expect(chosen(sources, "amount", "KST")).toEqual({ invoice: "No", amount: "KST" });
  expect(chosen(sources, "centre", "")).toEqual({ invoice: "No" });
  expect(usesOf([{ name: "No", kind: "text", samples: [] }, { name: "x", kind: "text", samples: [] }], sources)).toEqual(new Map([["No", "invoice"]]));
});

it("which signs numbers have changes nothing about the columns; what bounds them does", () => {
  expect(said({ header: 3 }, { decimal: "," })).toEqual({ given: { header: 3, decimal: "," }, anew: false });
  expect(said({ header: 3 }, { delimiter: ";" })).toEqual({ given: { delimiter: ";" }, anew: true });
  expect(said({ sheet: "a" }, { header: 0 })).toEqual({ given: { sheet: "a", header: 0 }, anew: true });
});

describe("what is missing", () => {
  it.each([
    ["read", { ...none, look: undefined }],
    ["column", { ...none, look: { ...look, sources: { invoice: "No" } } }],
    ["question", { ...none, look: { ...look, asks: [{ kind: "dates", column: "due", cell: "03/04", readings: ["a", "b"] }] } as TableLook }],
    ["check", { ...none, check: undefined }],
    ["rows", { ...none, check: { ...check, value: null } }],
    ["again", { ...none, look: { ...look, ran: [{}] } as TableLook }],
    [null, none],
    [null, { ...none, look: { ...look, ran: [{}] } as TableLook, again: true }],
    [null, { ...none, check: { ...check, value: null }, without: check }],
  ] as const)("%s", (missing, given) => {
    expect(standing(given).missing).toBe(missing);
    expect(standing(given).value).toEqual(missing === null ? { rows: 5 } : null);
  });

  it("is the column that is needed and that no column of the file stands for", () => {
    expect(unmapped(columns, { invoice: "No", amount: "A" }).map((one) => one.name)).toEqual(["centre"]);
  });
});

it("an answered question stays to be answered otherwise", () => {
  const first = { kind: "dates", column: "due", cell: "03/04", readings: ["a", "b"] } as const;
  const asked = allAsked([], [{ ...first, readings: ["a", "b"] }]);
  expect(allAsked(asked, [])).toBe(asked);
  expect(allAsked(asked, [{ ...first, readings: ["a", "b"], cell: "05/06" }]).map((one) => one.cell)).toEqual(["05/06"]);
});

it("rows are named in spans and counted once", () => {
  expect(rowsOf({ column: "", code: "empty", count: 4, rows: [3, 7, 8, 9], samples: [] })).toBe("3, 7–9");
  expect(unfit({ ...check, fitting: 2 })).toBe(3);
});
