import { expect, test } from "vitest";

import { deedsOf } from "./deeds";

test("what failed can be retried, unless somebody said that nothing more is to be done", () => {
  expect(deedsOf({ status: "dead_lettered", cancel_requested: false, solved: null })).toEqual(["retry"]);
  const solved = { by: "Ines", at: "2026-11-20T09:00:00Z", reason: "Paid by hand." } as never;
  expect(deedsOf({ status: "dead_lettered", cancel_requested: false, solved })).toEqual([]);
});

test("what is under way can be cancelled, once", () => {
  expect(deedsOf({ status: "waiting_human", cancel_requested: false, solved: null })).toEqual(["cancel"]);
  expect(deedsOf({ status: "running", cancel_requested: true, solved: null })).toEqual([]);
  expect(deedsOf({ status: "completed", cancel_requested: false, solved: null })).toEqual([]);
});
