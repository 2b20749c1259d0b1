import { expect, it } from "vitest";

import { decisionsOf } from "./people";

it("reads who approved from a step's output", () => {
  const output = {
    outcome: "approved",
    comment: null,
    decisions: [
      { by: "Ines Kaya", at: "2026-11-20T10:00:00Z", outcome: "approved", comment: null },
      { by: "Omar Diaz", at: "2026-11-20T11:00:00Z", outcome: "rejected", comment: "Too dear." },
    ],
  };
  expect(decisionsOf(output)).toEqual([
    { by: "Ines Kaya", at: "2026-11-20T10:00:00Z", outcome: "approved", comment: "" },
    { by: "Omar Diaz", at: "2026-11-20T11:00:00Z", outcome: "rejected", comment: "Too dear." },
  ]);
});

it("reads what the builder calls an answer", () => {
  const output = { decisions: [{ by: "Ben", at: null, outcome: "approved", called: "Release it", comment: null }] };
  expect(decisionsOf(output)).toEqual([{ by: "Ben", called: "Release it", at: null, outcome: "approved", comment: "" }]);
});

it("reads in whose place somebody approved", () => {
  const output = { decisions: [{ by: "Ben", for: "Alice", at: null, outcome: "approved", comment: null }] };
  expect(decisionsOf(output)).toEqual([{ by: "Ben", inPlaceOf: "Alice", at: null, outcome: "approved", comment: "" }]);
});

it("reads who filled in a form", () => {
  const output = { answered: { by: "Ines Kaya", at: "2026-11-20T10:00:00Z", comment: "Mine." }, centre: "4711" };
  expect(decisionsOf(output)).toEqual([{ by: "Ines Kaya", at: "2026-11-20T10:00:00Z", outcome: "out", comment: "Mine." }]);
});

it.each([[null], ["late"], [{ outcome: "late" }], [{ decisions: ["?", { at: 7 }] }], [[1]]])("finds none in %j", (output) => {
  expect(decisionsOf(output)).toEqual([]);
});
