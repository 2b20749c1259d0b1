import { expect, it } from "vitest";

import { failureOf } from "./figures";

it("says the part that failed of those that ended by themselves, and agrees with the number beside it", () => {
  expect(failureOf({ completed: 1, failed: 0, undone: 1 })).toBe(0);
  expect(failureOf({ completed: 2, failed: 1, undone: 1 })).toBe(0.25);
  expect(failureOf({ completed: 0, failed: 0, undone: 0 })).toBeNull();
});
