import { expect, it } from "vitest";

import { cameBy } from "./signal";

const at = "2026-11-20T10:00:00.000Z";

it("reads who or what moved a waiting step on", () => {
  expect(cameBy("flow.wait_signal@1", { data: null, at, by: "link" })).toEqual({ by: "link", at });
  expect(cameBy("flow.wait_event@1", { data: 1, at, by: "Ines Kaya", name: "order.shipped", key: "PO-7" })).toEqual({ by: "Ines Kaya", at });
});

it.each([
  ["flow.wait_signal@1", { data: null, at: null, by: null }],
  ["flow.wait_event@1", null],
  ["flow.wait_event@1", [1]],
  ["people.ask@1", { at, by: "Ines Kaya" }],
] as const)("finds nobody in what %s gave: %j", (type, output) => {
  expect(cameBy(type, output as never)).toBeNull();
});
