import { describe, expect, it } from "vitest";

import { parseExact } from "../../graph/exact";
import { differencesOf } from "./corrections";

describe("what an entry was given before and after", () => {
  it("names the fields that differ, with numbers as they were written", () => {
    const before = parseExact('{"name":"Ann","amount":1.50,"way":"/fail","lines":[1]}');
    const after = parseExact('{"name":"Ann","amount":1.55,"lines":[1,2]}');
    expect(differencesOf(before, after)).toEqual([
      { name: "amount", before: "1.50", after: "1.55" },
      { name: "way", before: "/fail", after: "" },
      { name: "lines", before: "[1]", after: "[1,2]" },
    ]);
  });

  it("shows the whole where it has no fields", () => {
    expect(differencesOf("a", { a: 1 })).toEqual([{ name: "", before: "a", after: '{"a":1}' }]);
  });
});
