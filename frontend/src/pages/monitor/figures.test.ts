import { describe, expect, it } from "vitest";

import { failedOf, failureOf, longest } from "./figures";

it("says the part that failed of those that ended by themselves, and agrees with the number beside it", () => {
  expect(failureOf({ completed: 1, failed: 0, undone: 1 })).toBe(0);
  expect(failureOf({ completed: 2, failed: 1, undone: 1 })).toBe(0.25);
  expect(failureOf({ completed: 0, failed: 0, undone: 0 })).toBeNull();
});

describe("the runs behind a figure", () => {
  const span = { since: "1h", mode: "live" as const };
  it("are, of how long they took, those that ended well, the longest first", () => {
    expect(longest(span)).toEqual({ since: "1h", mode: "live", sort: "longest", status: ["completed"] });
  });
  it("are, of the errors of a connection, those that failed of it in the same time", () => {
    expect(failedOf("0198-c1", span)).toEqual({ since: "1h", mode: "live", status: ["dead_lettered"], q: "connection:0198-c1" });
  });
});
