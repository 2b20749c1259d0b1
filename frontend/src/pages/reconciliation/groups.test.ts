import { describe, expect, it } from "vitest";

import { firstGroup, groupOf, isZero, openOf } from "./groups";

const none = { matched: 5, differing: 0, only_a: 0, only_b: 0, twice: 0 };

describe("what a reconciliation is opened at", () => {
  it("is what people have to look at, and what matches only where that is all", () => {
    expect(firstGroup(none)).toBe("matched");
    expect(firstGroup({ ...none, only_b: 2 })).toBe("only_b");
    expect(firstGroup({ ...none, only_a: 1, differing: 2 })).toBe("differing");
  });

  it("counts all that does not match", () => {
    expect(openOf(none)).toBe(0);
    expect(openOf({ ...none, only_a: 1, twice: 2 })).toBe(3);
  });

  it("takes no other word for a group", () => {
    expect(groupOf("only_a")).toBe("only_a");
    expect(groupOf("rest")).toBeUndefined();
  });
});

it.each([
  ["0", true],
  ["0.00", true],
  ["-0", true],
  ["0.01", false],
  ["-10", false],
])("%s is nothing: %s", (amount, is) => {
  expect(isZero(amount)).toBe(is);
});
