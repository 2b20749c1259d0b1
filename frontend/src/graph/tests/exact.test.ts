import { describe, expect, it } from "vitest";

import { copyOf, ExactNumber, exactNumber, formatExact, parseExact } from "../exact";
import { commit, NO_HISTORY, undo } from "../history";
import { same } from "../same";
import { normaliseDocument, type GraphDocument } from "../types";

describe("numbers keep their digits", () => {
  it("reads what JavaScript would write differently as it stands", () => {
    const value = parseExact('{"amount": 10.50, "id": 9007199254740993, "count": 3, "text": "10.50 \\" 1.0"}') as Record<string, unknown>;
    expect(value["amount"]).toBeInstanceOf(ExactNumber);
    expect(String(value["amount"])).toBe("10.50");
    expect(String(value["id"])).toBe("9007199254740993");
    expect(value["count"]).toBe(3);
    expect(value["text"]).toBe('10.50 " 1.0');
  });

  it.each([
    '{"id":12345678901234567890,"price":1.10,"list":[0.1000,-7.00,1E+2,3],"text":"1.10"}',
    "123456789012345678.000000000000000001",
    '{"a":{},"b":[],"c":null,"d":true,"é\\"":"\\\\"}',
  ])("writes %s as it was read", (text) => {
    expect(formatExact(parseExact(text))).toBe(text);
  });

  it("refuses what is no JSON, also where the number is the fault", () => {
    for (const text of ["01", "1.", "[1.10", "-", "NaN", '{"a":1.0.0}']) expect(() => parseExact(text)).toThrow(SyntaxError);
  });

  it("indents like JSON.stringify and leaves out what is undefined", () => {
    expect(formatExact(parseExact('{"a":[1.10,{"b":"x"}],"c":{}}'), 2)).toBe('{\n  "a": [\n    1.10,\n    {\n      "b": "x"\n    }\n  ],\n  "c": {}\n}');
    expect(formatExact({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it("copies and compares by the text", () => {
    const value = { price: exactNumber("1.10") };
    const copy = copyOf(value);
    expect(copy).not.toBe(value);
    expect(same(copy, value)).toBe(true);
    expect(same(copy, { price: exactNumber("1.100") })).toBe(false);
    expect(same(copy, { price: 1.1 })).toBe(false);
  });
});

describe("a draft goes through the editor with its digits", () => {
  const raw = `{"format":"millrace.workflow","version":1,"nodes":[{"id":"a","key":"a","name":"A","type":"data.edit_fields@1",
    "config":{"fields":[{"name":"id","value":12345678901234567890},{"name":"price","value":10.50}]},
    "position":{"x":16.0,"y":0},"settings":{"timeout_seconds":30.0,"fallback":{"price":0.00}}}],"edges":[],"annotations":[]}`;

  it("keeps them in settings of a step and in a fallback, and reckons with plain numbers elsewhere", () => {
    const document = normaliseDocument(parseExact(raw) as GraphDocument);
    expect(document.nodes[0]?.position).toEqual({ x: 16, y: 0 });
    expect(document.nodes[0]?.settings.timeout_seconds).toBe(30);
    const text = formatExact(document);
    for (const digits of ["12345678901234567890", "10.50", "0.00"]) expect(text).toContain(`:${digits}}`);
  });

  it("keeps them through an edit, its undo and this computer's copy of both", () => {
    const document = normaliseDocument(parseExact(raw) as GraphDocument);
    const step = commit(document, NO_HISTORY, { key: "x", params: {} }, (draft) => {
      const node = draft.nodes[0];
      if (node) node.config = { fields: [{ name: "price", value: exactNumber("7.70") }] };
    }, { at: 0 });
    const kept = parseExact(formatExact({ document: step?.document, history: step?.history })) as { document: GraphDocument; history: typeof NO_HISTORY };
    expect(formatExact(kept.document)).toContain("7.70");
    expect(formatExact(undo(kept.document, kept.history)?.document)).toBe(formatExact(document));
  });
});
