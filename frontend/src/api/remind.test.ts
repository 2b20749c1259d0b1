import { expect, it } from "vitest";

import { remindedLately } from "./remind";

it("those who are asked are reminded again after an hour, and not before", () => {
  const now = Date.parse("2026-11-30T10:00:00Z");
  expect(remindedLately(null, now)).toBe(false);
  expect(remindedLately("2026-11-30T09:00:01Z", now)).toBe(true);
  expect(remindedLately("2026-11-30T09:00:00Z", now)).toBe(false);
});
