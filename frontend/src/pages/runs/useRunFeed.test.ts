import { describe, expect, it } from "vitest";

import type { Run } from "../../api/types";
import { fits, withUpdates } from "./useRunFeed";
import { runStatusName, STATUS_FILTERS, toggleFilter } from "./words";

const run = (id: string, seq: number, more: Partial<Run> = {}): Run =>
  ({ id, seq, status: "running", mode: "live", workflow: { id: "w", name: "W" }, ...more }) as Run;

describe("live updates of the run list", () => {
  const pages = { pages: [{ items: [run("a", 2), run("b", 5)], next_cursor: null }], pageParams: [null] };

  it("change rows in place and never move them", () => {
    const next = withUpdates(pages, new Map([["b", run("b", 6, { status: "completed" })]]));
    expect(next.pages[0]?.items.map((one) => [one.id, one.status])).toEqual([
      ["a", "running"],
      ["b", "completed"],
    ]);
  });

  it("ignore what is older than what is shown", () => {
    const next = withUpdates(pages, new Map([["b", run("b", 4, { status: "accepted" })]]));
    expect(next.pages[0]?.items[1]?.status).toBe("running");
  });

  it("count only new runs that the filters would show", () => {
    expect(fits(run("c", 1), { status: ["completed"] })).toBe(false);
    expect(fits(run("c", 1), { workflow: "other" })).toBe(false);
    expect(fits(run("c", 1), { status: ["running"] })).toBe(true);
    expect(fits(run("c", 1), { q: "something" })).toBe(false);
  });
});

it("a status filter that is pressed twice is off again", () => {
  const failed = STATUS_FILTERS[0];
  const on = toggleFilter(failed, undefined);
  expect(on).toEqual(["dead_lettered"]);
  expect(toggleFilter(failed, on)).toBeUndefined();
});

describe("the name of a status", () => {
  const t = ((key: string, values?: { count?: number }) => [key, values?.count].filter(Boolean).join(" ")) as never;
  const done = { status: "completed", outcome: "done" } as const;

  it("says of a run that is done how many of its items are not", () => {
    expect(runStatusName({ ...done, failed_items: 0 }, t)).toBe("common:status.done");
    const failed = { status: "dead_lettered", outcome: null } as const;
    expect(runStatusName({ ...failed, error: { code: "undo_incomplete" } }, t)).toBe("common:status.undo_incomplete");
    expect(runStatusName({ ...failed, error: { code: "http" } }, t)).toBe("common:status.failed");
    expect(runStatusName({ ...done, failed_items: 3 }, t)).toBe("runs:doneFailed 3");
  });

  it("does not claim to have counted further than a list does", () => {
    expect(runStatusName({ ...done, failed_items: 100 }, t)).toBe("runs:doneManyFailed 100");
    expect(runStatusName({ ...done, failed_items: 100 }, t, 4711)).toBe("runs:doneFailed 4711");
  });

  it("keeps to the outcome that the run has anyway", () => {
    expect(runStatusName({ status: "completed", outcome: "filtered", failed_items: 2 }, t)).toBe("common:status.filtered");
    expect(runStatusName({ status: "completed", outcome: "done_with_failures", failed_items: 0 }, t)).toBe("common:status.done_with_failures");
  });
});
