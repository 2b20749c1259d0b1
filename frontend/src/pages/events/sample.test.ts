import { describe, expect, it } from "vitest";

import { answers, keepSample, keptSample } from "./sample";

describe("a sample for the test", () => {
  const fields = [
    { name: "order", type: "text" },
    { name: "file", type: "table" },
  ];

  it("is kept for its workflow alone", () => {
    keepSample("w1", "{}");
    expect(keptSample("w1")).toBe("{}");
    expect(keptSample("w2")).toBeNull();
  });

  it("fills a form as far as it has such fields, and never with files", () => {
    expect(answers(fields, '{"order": "PO-7", "file": "f1", "other": 1}')).toEqual({ order: "PO-7" });
    expect(answers(fields, "[1]")).toEqual({});
    expect(answers(fields, "no json")).toEqual({});
    expect(answers(fields, null)).toEqual({});
  });
});
