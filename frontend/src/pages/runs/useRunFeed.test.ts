import { describe, expect, it } from "vitest";

import type { Run } from "../../api/types";
import { fits, withUpdates } from "./useRunFeed";
import { STATUS_FILTERS, toggleFilter } from "./words";

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
