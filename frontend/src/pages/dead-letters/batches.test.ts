import { describe, expect, it } from "vitest";

import type { DeadLetter, RetryOutcome, Run } from "../../api/types";
import { batchesOf, fateOf, howMany, nothingYet, type Outside, type Progress, retryInBatches, tooManyFail } from "./batches";

const letter = (id: string): DeadLetter =>
  ({ run: { id, generation: 1, business_key: id, short_id: id }, message: "no", at: "2026-11-01T10:00:00Z" }) as DeadLetter;
const letters = (count: number) => Array.from({ length: count }, (_, at) => letter(`r${at}`));
const state = (status: Run["status"], generation = 2, kind?: string) =>
  ({ status, generation, waiting: kind ? { kind } : null, error: { title: "Refused" } }) as unknown as Run;

/** A world in which a second passes at once. */
function world(part: Partial<Outside> & { outcome?: (run: string) => RetryOutcome["outcome"]; becomes?: (run: string) => Run }) {
  const sent: string[][] = [];
  const told: Progress[] = [];
  let now = 0;
  const outside: Outside = {
    send: async (runs) => {
      sent.push(runs);
      return runs.map((run) => ({ run, outcome: part.outcome?.(run) ?? "retried", message: "" }));
    },
    look: async (run) => part.becomes?.(run) ?? state("completed"),
    wait: async (ms) => {
      now += ms;
    },
    now: () => now,
    stopAsked: () => false,
    gone: () => false,
    tell: (progress) => told.push(progress),
    ...part,
  };
  return { outside, sent, told, now: () => now };
}

describe("what came of a retry", () => {
  it("is open while the run is in its old go, runs, or waits for its next try", () => {
    expect(fateOf(state("dead_lettered", 1), 1)).toBe("open");
    expect(fateOf(state("running"), 1)).toBe("open");
    expect(fateOf(state("waiting_timer", 2, "retry"), 1)).toBe("open");
  });
  it("is known when the run ends, and when it waits for something else than its next try", () => {
    expect(fateOf(state("completed"), 1)).toBe("worked");
    expect(fateOf(state("dead_lettered"), 1)).toBe("failed");
    expect(fateOf(state("waiting_human"), 1)).toBe("underWay");
    expect(fateOf(state("waiting_timer", 2, "timer"), 1)).toBe("underWay");
  });
});

it("a batch holds what goes in a second", () => {
  expect(batchesOf([1, 2, 3, 4, 5, 6, 7], 5)).toEqual([[1, 2, 3, 4, 5], [6, 7]]);
  expect(batchesOf([], 5)).toEqual([]);
});

it("a number of runs is whole, at least 1 and at most all", () => {
  expect(howMany(" 3 ", 3)).toBe(3);
  for (const typed of ["", "0", "4", "1.5", "-1", "1e1"]) expect(howMany(typed, 3)).toBeUndefined();
});

describe("the rule to stop", () => {
  const tally = (part: Partial<Progress>) => ({ ...nothingYet(40), ...part });
  it("waits until something is known of five", () => {
    expect(tooManyFail(tally({ failed: 4 }))).toBe(false);
    expect(tooManyFail(tally({ failed: 4, worked: 1 }))).toBe(true);
  });
  it("of few runs, the first that fails is enough", () => {
    expect(tooManyFail(tally({ total: 3, failed: 1 }))).toBe(true);
    expect(tooManyFail(tally({ total: 3, worked: 1 }))).toBe(false);
  });
  it("counts who needs a person, but not who was retried by somebody else", () => {
    expect(tooManyFail(tally({ worked: 8, failed: 2 }))).toBe(false);
    expect(tooManyFail(tally({ worked: 8, failed: 2, asks: 1 }))).toBe(true);
    expect(tooManyFail(tally({ worked: 8, refused: 30 }))).toBe(false);
  });
});

describe("going on with many", () => {
  it("sends a batch a second and counts what came of each", async () => {
    const of = (run: string) => (run === "r1" ? "asks" : run === "r2" ? "refused" : "retried");
    const { outside, sent, now } = world({ outcome: of, becomes: (run) => state(run === "r3" ? "dead_lettered" : "completed") });
    const ended = await retryInBatches(letters(7), { rate: 5, stopRule: false }, outside);
    expect(sent.map((runs) => runs.length)).toEqual([5, 2]);
    expect(now()).toBe(2000);
    expect(ended).toMatchObject({ total: 7, sent: 7, open: 0, worked: 4, asks: 1, refused: 1, failed: 1, ended: true, stopped: null });
    expect(ended.left.map((one) => [one.letter.run.id, one.fate])).toEqual([["r1", "asks"], ["r2", "refused"], ["r3", "failed"]]);
  });

  it("stops by the rule, and leaves the rest alone", async () => {
    const { outside, sent } = world({ becomes: () => state("dead_lettered") });
    const ended = await retryInBatches(letters(40), { rate: 5, stopRule: true }, outside);
    expect(sent).toHaveLength(1);
    expect(ended).toMatchObject({ sent: 5, failed: 5, stopped: "rule", ended: true });
  });

  it("goes on against all odds where nobody asked for the rule", async () => {
    const { outside } = world({ becomes: () => state("dead_lettered") });
    expect(await retryInBatches(letters(40), { rate: 20, stopRule: false }, outside)).toMatchObject({ sent: 40, failed: 40, stopped: null });
  });

  it("under the rule, sends no more while too little is known", async () => {
    const { outside, sent } = world({ becomes: () => state("running") });
    outside.gone = () => outside.now() >= 5000;
    await retryInBatches(letters(100), { rate: 20, stopRule: true }, outside);
    expect(sent.flat()).toHaveLength(40);
  });

  it("is stopped by a person, and watches what is under way to its end", async () => {
    const { outside, sent } = world({});
    outside.stopAsked = () => sent.length === 2;
    const ended = await retryInBatches(letters(9), { rate: 1, stopRule: false }, outside);
    expect(ended).toMatchObject({ sent: 2, worked: 2, stopped: "person", ended: true });
  });

  it("stops when the server cannot be asked, and says with what", async () => {
    const down = new Error("down");
    const { outside } = world({ send: () => Promise.reject(down) });
    expect(await retryInBatches(letters(2), { rate: 1, stopRule: false }, outside)).toMatchObject({ sent: 0, stopped: "error", error: down });
  });

  it("counts a run that takes long as under way", async () => {
    const { outside, now } = world({ becomes: () => state("running") });
    expect(await retryInBatches(letters(1), { rate: 1, stopRule: true }, outside)).toMatchObject({ underWay: 1, open: 0, ended: true });
    expect(now()).toBe(60_000);
  });
});
