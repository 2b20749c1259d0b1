import { expect, it } from "vitest";

import { expiryOf } from "./life";

it("warns of what expires within two weeks, and says what has", () => {
  expect(expiryOf(null, "2026-11-29")).toBeNull();
  expect(expiryOf("2026-12-14", "2026-11-29")).toBeNull();
  expect(expiryOf("2026-12-05", "2026-11-29")).toEqual({ kind: "soon", days: 6 });
  expect(expiryOf("2026-11-29", "2026-11-29")).toEqual({ kind: "soon", days: 0 });
  expect(expiryOf("2026-11-27", "2026-11-29")).toEqual({ kind: "expired", days: 2 });
});
