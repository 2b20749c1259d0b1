import { describe, expect, it } from "vitest";

import type { AskedNow } from "../../api/askNow";
import type { DeadLetter, RetryOutcome, Run } from "../../api/types";
import { fateOf, type Outside, retryOne } from "./following";
import { howMany } from "./numbers";

const letter = { run: { id: "r0", generation: 1 }, message: "no", at: "2026-11-01T10:00:00Z" } as DeadLetter;
const state = (status: Run["status"], generation = 2, kind?: string) =>
  ({ status, generation, waiting: kind ? { kind } : null, error: { title: "Refused" } }) as unknown as Run;

/** A world in which a second passes at once. */
function world(part: { outcome?: RetryOutcome["outcome"]; becomes?: () => Run; said?: AskedNow }) {
  const sent: string[] = [];
  let now = 0;
  const outside: Outside = {
    ask: async () => part.said ?? null,
    send: async (run) => {
      sent.push(run);
      return { run, outcome: part.outcome ?? "retried", message: "Somebody was quicker." };
    },
    look: async () => part.becomes?.() ?? state("completed"),
    wait: async (ms) => {
      now += ms;
    },
    now: () => now,
    gone: () => false,
  };
  return { outside, sent, now: () => now };
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

it("a number of runs is whole, at least 1 and at most all", () => {
  expect(howMany(" 3 ", 3)).toBe(3);
  for (const typed of ["", "0", "4", "1.5", "-1", "1e1"]) expect(howMany(typed, 3)).toBeUndefined();
});

describe("trying one", () => {
  it("sends it once and tells what came of it", async () => {
    const { outside, sent } = world({ becomes: () => state("dead_lettered") });
    expect(await retryOne(letter, outside)).toEqual({ letter, fate: "failed", message: "Refused", said: null });
    expect(sent).toEqual(["r0"]);
    expect(await retryOne(letter, world({}).outside)).toMatchObject({ fate: "worked" });
  });

  it("sends nothing that the other system has already", async () => {
    const { outside, sent } = world({ said: { found: "happened", name: "4711" } as AskedNow });
    expect(await retryOne(letter, outside)).toMatchObject({ fate: "happened", said: { name: "4711" } });
    expect(sent).toEqual([]);
  });

  it("goes on where the other system says that it is not there, and where nobody can be asked", async () => {
    const said = { found: "did_not_happen" } as AskedNow;
    expect(await retryOne(letter, world({ said }).outside)).toMatchObject({ fate: "worked", said });
    const { outside } = world({});
    outside.ask = () => Promise.reject(new Error("There is no look-up."));
    expect(await retryOne(letter, outside)).toMatchObject({ fate: "worked", said: null });
  });

  it("tells why it was not retried", async () => {
    expect(await retryOne(letter, world({ outcome: "asks" }).outside)).toMatchObject({ fate: "asks" });
    expect(await retryOne(letter, world({ outcome: "refused" }).outside)).toMatchObject({ fate: "refused", message: "Somebody was quicker." });
  });

  it("counts a run that takes long as under way", async () => {
    const { outside, now } = world({ becomes: () => state("running") });
    expect(await retryOne(letter, outside)).toMatchObject({ fate: "underWay" });
    expect(now()).toBeGreaterThanOrEqual(60_000);
    expect(now()).toBeLessThan(61_000);
  });

  it("looks soon at first, and no oftener than once a second when it takes long", async () => {
    const looks: number[] = [];
    const { outside, now } = world({ becomes: () => (looks.push(now()), state("running")) });
    await retryOne(letter, outside);
    expect(looks.slice(0, 5)).toEqual([200, 600, 1_400, 2_400, 3_400]);
  });

  it("asks again where an answer did not come", async () => {
    let asked = 0;
    const { outside } = world({});
    outside.look = () => (++asked < 3 ? Promise.reject(new Error("down")) : Promise.resolve(state("completed")));
    expect(await retryOne(letter, outside)).toMatchObject({ fate: "worked" });
  });
});
