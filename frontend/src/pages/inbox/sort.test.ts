import { expect, test } from "vitest";

import { sortOf } from "./sort";

test("what a computer has kept is an order that there is, else by when it is due", () => {
  expect(sortOf("amount")).toBe("amount");
  expect(sortOf("alphabet")).toBe("due");
  expect(sortOf(null)).toBe("due");
});
