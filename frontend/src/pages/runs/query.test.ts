import { describe, expect, it } from "vitest";

import { condition, optionOf, split, tokensOf, withCondition, without } from "./query";

describe("what people type to find runs", () => {
  it("is cut where a condition ends", () => {
    const { chips, words } = split('supplier:brink R-2026 total>=10000 workflow:"Order to cash" "two words"');
    expect(chips.map((chip) => [chip.name, chip.op, chip.value])).toEqual([
      ["supplier", ":", "brink"],
      ["total", ">=", "10000"],
      ["workflow", ":", "Order to cash"],
    ]);
    expect(words).toBe('R-2026 "two words"');
  });

  it("keeps a condition that is still being typed among the words", () => {
    expect(split("supplier:").chips).toEqual([]);
    expect(split("supplier:").words).toBe("supplier:");
  });

  it("takes conditions, and gives them up", () => {
    const text = withCondition("R-1", condition("supplier", ":", "Brink GmbH"));
    expect(text).toBe('supplier:"Brink GmbH" R-1');
    const [chip] = split(text).chips;
    expect(chip && without(text, chip)).toBe("R-1");
    expect(withCondition(text, condition("supplier", ":", "Brink GmbH"))).toBe(text);
  });

  it("never loses a word", () => {
    expect(tokensOf("a:1 b c>2").map((token) => token.text)).toEqual(["a:1", "b", "c>2"]);
  });

  it("knows which of a few words is meant, and leaves all others as they are", () => {
    const said = tokensOf("stands:Waiting by:webhook by:rosa supplier:any").map(optionOf);
    expect(said).toEqual(["waiting", "webhook", undefined, undefined]);
  });
});
