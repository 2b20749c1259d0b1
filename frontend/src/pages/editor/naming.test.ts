import { describe, expect, it } from "vitest";

import { kindOf, shortName, tidied, withField } from "./naming";

describe("short names", () => {
  it("are made of the label, and differ from those that are taken", () => {
    expect(shortName("Due date", [])).toBe("due_date");
    expect(shortName("Größe (m²)", [])).toBe("grosse_m2");
    expect(shortName("Total", ["total", "total_2"])).toBe("total_3");
    expect(shortName("  12 ", [])).toBe("field");
  });
  it("are never a word of the search itself", () => {
    expect(shortName("Status", [])).toBe("status_1");
  });
});

describe("kinds", () => {
  it("are guessed from what stands there", () => {
    expect(kindOf("Due", "2026-11-30")).toBe("date");
    expect(kindOf("Total", "13412.80")).toBe("amount");
    expect(kindOf("Lines", "3")).toBe("number");
    expect(kindOf("Supplier", "Brink")).toBe("text");
  });
});

describe("what is said of names", () => {
  const field = { name: "a", label: "A", kind: "text" as const, value: "x" };
  it("ends at five fields", () => {
    let naming = withField(undefined, field);
    for (let count = 0; count < 9; count += 1) naming = withField(naming, field);
    expect(naming.fields.length).toBe(5);
  });
  it("is nothing where nothing is said", () => {
    expect(tidied({ key: " ", fields: [] })).toBeUndefined();
    expect(tidied({ key: "{{ trigger.x }}", fields: [] })).toBeDefined();
  });
});
