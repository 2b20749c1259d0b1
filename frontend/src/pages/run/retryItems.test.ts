import { beforeAll, describe, expect, it } from "vitest";

import type { PlanItems } from "../../api/types";
import { i18n } from "../../i18n";
import { countsText } from "./retry";

const NONE: PlanItems = { total: 0, kept: 0, again: 0, repeats: 0, asks: 0, open: 0, next: null, same: true, version: null };

function says(type: string, counts: Partial<PlanItems>): string {
  return countsText({ ...NONE, ...counts }, type, i18n.getFixedT(null, "runs"), String);
}

beforeAll(async () => i18n.loadNamespaces("runs"));

describe("what becomes of the runs that a step has begun", () => {
  it("speaks of items and of turns by their number", () => {
    expect(says("flow.for_each@1", { total: 5, kept: 2, again: 2, next: 1 })).toBe("5 items · 2 kept · 2 run again · 1 comes next");
    expect(says("flow.repeat@1", { total: 1, again: 1 })).toBe("1 turn · 0 kept · 1 runs again");
    expect(says("flow.repeat@1", { total: 3, kept: 2, asks: 1 })).toBe("3 turns · 2 kept · 1 asks first");
  });

  it("speaks of a workflow that is called as of one run, which is no item", () => {
    expect(says("flow.run_workflow@1", { total: 1, again: 1 })).toBe("1 run of the other workflow · it runs again");
    expect(says("flow.run_workflow@1", { total: 1, asks: 1 })).toBe("1 run of the other workflow · it asks first");
    expect(says("flow.run_workflow@1", { total: 2, kept: 1, again: 1 })).toBe("2 runs of the other workflow · 1 kept · 1 runs again");
  });
});
