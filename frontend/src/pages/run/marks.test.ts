import { expect, test } from "vitest";

import { ExactNumber } from "../../graph/exact";
import { askFor, dotted, isMark } from "./marks";

test("a mark is told from data, and says what to ask for", () => {
  expect(isMark({ $masked: ["input", "body", "iban"] })).toBe(true);
  expect(isMark({ $masked: ["input"], other: 1 })).toBe(false);
  expect(isMark("••••")).toBe(false);
  expect(askFor({ $masked: ["output", "lines", 3, "iban"] })).toEqual({ side: "output", path: ["lines", 3, "iban"] });
  expect(askFor({ $masked: [] })).toBeNull();
  expect(askFor({ $masked: ["elsewhere", "iban"] })).toBeNull();
});

test("copied data holds dots and keeps every digit", () => {
  const amount = new ExactNumber("10.50");
  const copied = dotted({ amount, iban: { $masked: ["input", "iban"] }, lines: [{ iban: { $masked: [] } }] });
  expect(copied).toEqual({ amount, iban: "••••", lines: [{ iban: "••••" }] });
});
