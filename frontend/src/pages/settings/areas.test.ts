import { expect, it } from "vitest";

import type { RightView } from "../../api/schema.gen";
import { byArea } from "./areas";

const right = (action: string): RightView => ({ action, may: true, least: "viewer", because: "role", own_only: false });

it("keeps each right once, in the area of its thing", () => {
  const found = byArea(["audit.see", "run.see", "workflow.see", "run.retry", "quite.new"].map(right));
  expect(found.map(({ area, rights }) => [area, rights.map((one) => one.action)])).toEqual([
    ["workflows", ["workflow.see"]],
    ["runs", ["run.see", "run.retry"]],
    ["workspace", ["audit.see", "quite.new"]],
  ]);
});
