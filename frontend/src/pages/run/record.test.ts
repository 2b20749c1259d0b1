import { expect, test } from "vitest";

import de from "../../i18n/de/trail.json";
import en from "../../i18n/en/trail.json";
import { GROUPS, groupOf, KINDS, OWNERS } from "./record";

test("every kind of event belongs to a group, and an unknown one was done by somebody", () => {
  expect(groupOf({ kind: "worked", by: null })).toBe("steps");
  expect(groupOf({ kind: "accepted", by: "Ada" })).toBe("run");
  expect(groupOf({ kind: "claim", by: null })).toBe("workers");
  expect(groupOf({ kind: "hold", by: "Ada" })).toBe("people");
});

test("every group, kind and owner has words in both languages", () => {
  for (const words of [en, de]) {
    for (const group of GROUPS) expect(words.group).toHaveProperty(group);
    for (const kind of KINDS) expect(words.kind).toHaveProperty(kind);
    for (const owner of OWNERS) expect(words.because).toHaveProperty(owner);
  }
});
