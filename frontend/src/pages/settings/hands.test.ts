import { expect, it } from "vitest";

import { byKind } from "./hands";

const thing = (kind: string, name: string, why: string | null = null) => ({ kind, id: name, name, why });

it("stands together what is of one kind and has one reason", () => {
  const found = byKind([thing("workflow", "A"), thing("question", "Q", "barred"), thing("workflow", "B"), thing("question", "R")], 0);
  expect(found.map((one) => [one.kind, one.why, one.count])).toEqual([
    ["workflow", "", 2],
    ["question", "barred", 1],
    ["question", "", 1],
  ]);
});

it("counts the questions that are not listed", () => {
  expect(byKind([thing("question", "Q")], 300).map((one) => [one.count, one.found.length])).toEqual([[301, 1]]);
  expect(byKind([], 3).map((one) => one.count)).toEqual([3]);
});
