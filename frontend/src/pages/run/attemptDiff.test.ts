import { describe, expect, it } from "vitest";

import type { RunAttempt } from "../../api/types";
import { ExactNumber } from "../../graph/exact";
import { attemptDifference, differing, MOST } from "./attemptDiff";

const amount = (digits: string) => new ExactNumber(digits);
const attempt = (more: Partial<RunAttempt>): RunAttempt =>
  ({ generation: 1, attempt: 1, status: "failed", started_at: null, finished_at: null, duration_ms: null, error: null, request: null, response: null, effect_key: null, effect_class: null, worker: null, ...more }) as RunAttempt;

describe("in what two tries differ", () => {
  it("tells each value once: what came, what went, what is another one", () => {
    const found = differing({ url: "/a", lines: [1, 2], same: { x: null } }, { url: "/b", lines: [1], old: true, same: { x: null } });
    expect(found).toEqual([
      { path: ["url"], change: "changed", here: "/a", there: "/b" },
      { path: ["lines", 1], change: "added", here: 2, there: null },
      { path: ["old"], change: "removed", here: null, there: true },
    ]);
  });

  it("compares amounts by their digits and texts that look like them as texts", () => {
    expect(differing(amount("10.50"), amount("10.5"))).toHaveLength(1);
    expect(differing(amount("10.50"), amount("10.50"))).toEqual([]);
    expect(differing("1", 1)).toHaveLength(1);
  });

  it("says nothing of sensitive values, and leaves out what every call has anew", () => {
    const mark = { $masked: [] };
    expect(differing({ iban: mark, headers: { Date: "a" } }, { iban: mark, headers: { Date: "b" } })).toEqual([]);
    expect(differing({ iban: mark }, { iban: "DE" })).toHaveLength(1);
  });

  it("tells a field of the data that is called like a header", () => {
    expect(differing({ values: { date: "2026-11-30" } }, { values: { date: "2026-12-01" } }).map((one) => one.path)).toEqual([["values", "date"]]);
  });

  it("tells so many at most", () => {
    const list = (of: number) => Array.from({ length: 500 }, () => of);
    expect(differing(list(1), list(2))).toHaveLength(MOST);
  });

  it("holds what was sent, what came back, what it failed of and by whom against each other", () => {
    const first = attempt({ request: { method: "POST", in_doubt: { policy: "ask_human" } }, error: { code: "http_500", title: "No", message: "It broke." }, worker: "w-1" });
    const second = attempt({ attempt: 2, request: { method: "PUT" }, response: { status: 201 }, worker: "w-2" });
    const found = attemptDifference(second, first);
    expect(found.request.map((one) => one.path)).toEqual([["method"]]);
    expect(found.response).toEqual([{ path: [], change: "added", here: { status: 201 }, there: null }]);
    expect(found.error.map((one) => [one.path, one.change])).toEqual([[["what"], "removed"], [["why"], "removed"]]);
    expect(found.worker).toEqual([{ path: [], change: "changed", here: "w-2", there: "w-1" }]);
    expect(attemptDifference(first, first)).toEqual({ request: [], response: [], error: [], worker: [] });
  });
});
