import { expect, it } from "vitest";

import type { Asked } from "../../api/tasks";
import { whoseWords } from "./whose";

const t = ((key: string, values?: Record<string, unknown>) => [key, ...Object.values(values ?? {})].join(" ")) as unknown as Parameters<typeof whoseWords>[2];
const person = (name: string): Asked => ({ kind: "person", key: `${name}@example.com`, name, away: null });
const group = (name: string): Asked => ({ kind: "group", key: `group:${name}`, name, away: null });
const words = (asked: Asked[], more: Partial<Parameters<typeof whoseWords>[0]> = {}) =>
  whoseWords({ kind: "approval", asked, taken_by: null, taken_for: null, taken_by_me: false, ...more }, "Me@example.com", t);

it("names who is asked, oneself first, and counts whom there is no room for", () => {
  expect(words([person("Ines")])).toEqual({ pool: false, text: "Ines" });
  expect(words([person("Ines"), person("me")])).toEqual({ pool: false, text: "whose.me, Ines" });
  expect(words([person("Ines"), person("Omar"), person("Eva"), person("Kim")]).text).toBe("whose.more Ines, Omar 2");
});

it("calls a pool what any of several may see to, and names the group first", () => {
  expect(words([])).toEqual({ pool: true, text: "whose.pool whose.everybody" });
  expect(words([], { kind: "exception" }).text).toBe("whose.pool whose.retryers");
  expect(words([person("Ines"), group("Approvers")])).toEqual({ pool: true, text: "whose.pool Approvers, Ines" });
  expect(words([{ ...group("7"), name: "group:7" }]).text).toBe("whose.pool removedGroup");
});

it("says who has taken it in place of who was asked, and in whose place", () => {
  expect(words([group("Approvers")], { taken_by: "Omar" })).toEqual({ pool: false, text: "whose.takenBy Omar" });
  expect(words([group("Approvers")], { taken_by: "Omar", taken_for: "Alice" }).text).toBe("whose.takenBy away:by Omar Alice");
  expect(words([group("Approvers")], { taken_by: "Me", taken_by_me: true }).text).toBe("whose.takenByMe");
});
