import { expect, test } from "vitest";

import { narrowed, whose } from "./search";

test("an address names the type and when it is due, and what there is not is left out", () => {
  expect(narrowed({ kind: "exception", due: "late" })).toEqual({ kind: "exception", due: "late" });
  expect(narrowed({ kind: "riddle", due: 7 })).toEqual({});
});

test("all means anybody's, and an unknown word my own", () => {
  expect(whose("all")).toBe("anybody");
  expect(whose("groups")).toBe("groups");
  expect(whose("nobody")).toBeUndefined();
});
