import { describe, expect, it } from "vitest";

import type { ReviewColumn, ReviewRow } from "../../api/reviews";
import { changesOf, type Edits, plainCell, withCell, withPaste } from "./edits";

const column = (name: string, type: ReviewColumn["type"], editable = true): ReviewColumn => ({ name, label: name, type, editable, required: false, total: false });
const COLUMNS = [column("supplier", "text", false), column("iban", "text"), column("amount", "amount")];
const row = (number: number, version = 0): ReviewRow => ({
  number,
  version,
  data: { supplier: `S-${number}`, iban: `IE${number}`, amount: 12.5 },
  prepared: {},
  state: "",
  reason: "",
  problems: [],
  todo: false,
  changed_by: "",
  changed_at: null,
});
const [, IBAN, AMOUNT] = COLUMNS as [ReviewColumn, ReviewColumn, ReviewColumn];

describe("what is typed into the rows of a review", () => {
  it("remembers the version that was seen when the first cell was typed", () => {
    const first = withCell({}, row(3, 4), IBAN, "IE9");
    const second = withCell(first, row(3, 5), AMOUNT, "13");
    expect(second).toEqual({ 3: { version: 4, cells: { iban: "IE9", amount: "13" } } });
  });

  it("forgets a cell that is as it was, however the amount is written", () => {
    const typed = withCell({}, row(3), AMOUNT, "13");
    expect(withCell(typed, row(3), AMOUNT, "12.50")).toEqual({});
    expect(withCell(typed, row(3), AMOUNT, "12,5")).toEqual({});
  });

  it("pastes cells from this one on, into what may be changed and is there", () => {
    const rows = [row(1), undefined, row(3)];
    expect(withPaste({}, "A\t1\nB\t2\nC\t3\n", rows, COLUMNS, { row: 0, column: 1 })).toEqual({
      1: { version: 0, cells: { iban: "A", amount: "1" } },
      3: { version: 0, cells: { iban: "C", amount: "3" } },
    });
    expect(withPaste({}, "x\tA", rows, COLUMNS, { row: 0, column: 0 })).toEqual({ 1: { version: 0, cells: { iban: "A" } } });
  });

  it("sends what can be read, and names the cells that cannot or that could be read in two ways", () => {
    const edits: Edits = {
      1: { version: 2, cells: { amount: "1.234,50", iban: "IE1" } },
      2: { version: 0, cells: { amount: "much" } },
      3: { version: 0, cells: { amount: "1.234" } },
    };
    const { changes, wrong } = changesOf(edits, COLUMNS);
    expect(changes[0]).toMatchObject({ number: 1, version: 2, values: { iban: "IE1" } });
    expect(String(changes[0]?.values?.["amount"])).toBe("1234.50");
    expect([...wrong]).toEqual(["2/amount", "3/amount"]);
  });

  it("takes the amount out of a cell that holds one with its currency", () => {
    expect([plainCell({ amount: 5, currency: "EUR" }), plainCell(null), plainCell("x")]).toEqual([5, null, "x"]);
  });
});
