import { describe, expect, it } from "vitest";

import type { Batch } from "../../api/batches";
import { etaOf, partsOf, receivedOf, sameAmount, unitsOf } from "./numbers";

const batch = { total: 100, started: 60, done: 40, failed: 5, solved: 5, running: 8, waiting: 2, left: 40, skipped: 3, left_out: 2, per_minute: 50, started_at: "2026-11-20T10:00:00Z", finished_at: null } as Batch;

describe("numbers of a batch", () => {
  it("come to what was received", () => {
    expect(receivedOf(batch)).toBe(105);
    expect(partsOf(batch).done).toBe(45);
  });

  it("say when it is likely to be done", () => {
    const now = Date.parse("2026-11-20T10:02:00Z");
    expect(etaOf(batch, now)).toEqual({ at: now + 60_000, spread: 60_000 });
  });

  it("say nothing of the end while too little is known", () => {
    const now = Date.parse("2026-11-20T10:00:10Z");
    expect(etaOf({ ...batch, done: 1, failed: 0, solved: 0, left_out: 0 }, now)).toBeNull();
    expect(etaOf({ ...batch, per_minute: null }, now)).toBeNull();
  });

  it("are compared to the last decimal", () => {
    expect(sameAmount("30.30", "30.3")).toBe(true);
    expect(sameAmount("90071992547409.9301", "90071992547409.9302")).toBe(false);
    expect(unitsOf("-1.5")).toBe(-15_000n);
  });
});
