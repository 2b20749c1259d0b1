import { expect, test } from "vitest";

import { nameRows, portOffsets } from "../ports";

test("names that have room stand in one row", () => {
  expect(nameRows(["Yes", "No"], portOffsets(2, 280))).toEqual([0, 0]);
});

test("names that would hide each other stand in rows below each other", () => {
  const names = ["Germany", "Czech Republic", "United Kingdom", "Otherwise"];
  expect(nameRows(names, portOffsets(4, 280))).toEqual([0, 1, 0, 1]);
});

test("a name without end takes no more room than is drawn of it", () => {
  const rows = nameRows(["A", "x".repeat(60), "B"], [-200, 0, 200]);
  expect(rows).toEqual([0, 0, 0]);
});
