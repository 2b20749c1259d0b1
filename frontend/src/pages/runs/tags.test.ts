import { expect, test } from "vitest";

import { changed, problemOf, sameTag, tagOf } from "./tags";

test("a word is kept with single spaces and compared without its case", () => {
  expect(tagOf("  to   check ")).toBe("to check");
  expect(sameTag("Quarter-End", "quarter-end")).toBe(true);
  expect(sameTag("Öko", "oko")).toBe(false);
});

test("what is no plain word is told", () => {
  expect(problemOf("quarter-end")).toBeNull();
  expect(problemOf("x".repeat(41))).toBe("long");
  expect(problemOf('a "b"')).toBe("signs");
  expect(problemOf("a,b")).toBe("signs");
});

test("changes on their way are shown in their order, each once", () => {
  const add = { id: 1, tag: "Late", on: true };
  expect(changed(["to check"], [add])).toEqual(["Late", "to check"]);
  expect(changed(["late"], [add])).toEqual(["late"]);
  expect(changed(["late", "b"], [{ id: 1, tag: "LATE", on: false }, { id: 2, tag: "a", on: true }])).toEqual(["a", "b"]);
});
