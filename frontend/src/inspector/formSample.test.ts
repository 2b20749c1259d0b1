import { expect, it } from "vitest";

import type { GraphNode } from "../graph";
import { formSample, rowSample } from "./formSample";

const columns = [
  { name: "no", label: "Number", type: "text" }, { name: "sum", label: "Sum", type: "amount", currency: "CZK" },
  { name: "left", label: "Left", type: "amount" }, { name: "on", label: "On", type: "date" }, { name: "ok", label: "OK", type: "yes_no" },
  { name: "count", label: "Count", type: "number" },
];
const start = {
  config: {
    fields: [
      { name: "who", label: "Who", type: "text" }, { name: "kind", label: "Kind", type: "choice", options: ["a", "b"] },
      { name: "cost", label: "Cost", type: "money", currency: "USD" }, { name: "may", label: "May", type: "table", columns },
    ],
  },
} as unknown as GraphNode;

it("a form says what its answers look like before anybody has filled it in", () => {
  expect(formSample(start)).toMatchObject({ who: "Who", kind: "a", cost: { currency: "USD" }, may: { rows: 12, file: { name: "May.csv" } } });
  expect(formSample({ config: {} } as unknown as GraphNode)).toBeUndefined();
});

it("a row of a file looks as the start expects it", () => {
  expect(rowSample(start, "{{ trigger.may }}")).toEqual({
    no: "Number", sum: { amount: 1248.5, currency: "CZK" }, left: 1248.5, on: "2026-11-28", ok: true, count: 12,
  });
  for (const other of ["{{ trigger.who }}", "{{ trigger.may.file }}", "{{ steps.may }}", "may", undefined]) expect(rowSample(start, other)).toBeUndefined();
});
