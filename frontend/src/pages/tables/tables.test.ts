import { describe, expect, it } from "vitest";

import { ExactNumber } from "../../graph/exact";
import { browserFormats, Formatter } from "../../ui";
import { cellText, columnProblems, inputText, newColumn, typedCell } from "./words";

const english = new Formatter({ ...browserFormats, locale: "en-US" }, "en");
const german = new Formatter({ ...browserFormats, locale: "de-DE" }, "de");
const YES_NO = ["Yes", "No"] as const;

describe("a cell", () => {
  it.each([
    [null, "text", "", ""],
    [true, "yes_no", "Yes", "Yes"],
    [false, "yes_no", "No", "No"],
    [1250, "number", "1,250", "1.250"],
    [1250, "amount", "1,250.00", "1.250,00"],
    [new ExactNumber("12.50"), "number", "12.50", "12,50"],
    [-0.5, "amount", "-0.50", "-0,50"],
    [new ExactNumber("123456789012345678901.123456789"), "amount", "123,456,789,012,345,678,901.123456789", "123.456.789.012.345.678.901,123456789"],
    [new ExactNumber("1E+40"), "number", "1E+40", "1E+40"],
    ["2026-02-28", "date", "Feb 28, 2026", "28. Feb. 2026"],
    ["2026-02-28", "text", "2026-02-28", "2026-02-28"],
  ] as const)("%s as %s is written with every digit, as the workspace writes it", (cell, type, inEnglish, inGerman) => {
    expect(cellText(cell, { type }, english, YES_NO)).toBe(inEnglish);
    expect(cellText(cell, { type }, german, YES_NO)).toBe(inGerman);
  });

  it.each([
    ["", "text", null],
    ["  ", "number", null],
    ["C-1", "text", "C-1"],
    ["1.250,50", "amount", "1250.50"],
    ["-0.05", "number", "-0.05"],
    ["12345678901234567890123.5", "number", "12345678901234567890123.5"],
    ["true", "yes_no", true],
    ["2026-02-28", "date", "2026-02-28"],
  ] as const)("typed as %s into %s is sent so that no digit is lost", (text, type, value) => {
    expect(typedCell(text, { type })).toEqual({ kind: "value", value });
  });

  it.each(["lots", "1.234"])("%s is asked about, never guessed", (text) => {
    expect(typedCell(text, { type: "number" }).kind).toBe("wrong");
  });

  it("comes back as it stood in its field", () => {
    expect([null, undefined, new ExactNumber("12.50"), true, "x"].map(inputText)).toEqual(["", "", "12.50", "true", "x"]);
  });
});

describe("columns", () => {
  it("need names of their own, of which none begins with an underscore", () => {
    const named = ["Customer", "", "_id", " customer "].map((name) => ({ ...newColumn([], name) }));
    expect([...columnProblems(named)]).toEqual([
      [1, "missing"],
      [2, "underscore"],
      [3, "twice"],
    ]);
  });

  it("begin with one that tells rows apart", () => {
    const first = newColumn([], "Customer");
    expect([first.key, newColumn([first], "Owes").key]).toEqual([true, false]);
  });
});
