import { describe, expect, it } from "vitest";

import { tokensOf } from "../runs/query";
import { kindsOf, searchOf } from "./standing";

describe("where runs are now", () => {
  it("names only the ways in which there are runs", () => {
    expect(kindsOf({ node: "pay", running: 0, waiting: 3, failed: 1 })).toEqual(["waiting", "failed"]);
    expect(kindsOf(undefined)).toEqual([]);
  });

  it("finds the live runs of one number, and of a step as a whole", () => {
    const { q, mode } = searchOf("pay", "failed");
    expect(mode).toBe("live");
    expect(tokensOf(q ?? "").map((one) => [one.name, one.op, one.value])).toEqual([["step", "=", "pay"], ["stands", ":", "failed"]]);
    expect(searchOf("pay")).toEqual({ q: "step=pay stands:any", mode: "live" });
  });
});
