import { describe, expect, it } from "vitest";
import type { FieldHints, JsonSchema } from "../graph";
import { formatExact } from "../graph";
import { branching, looping, node, specs } from "../graph/tests/fixtures";
import { isGroup, operatorFor, OPERATORS, readGroup, rightValue, sidesOf, typeFor } from "./conditions";
import { previewContext, rowsOf, shortValue, sourcesFor } from "./dataWords";
import { inputFields, inputIsClear, sentInput } from "./inputFields";
import { jsonWithData, parseJson, parseJsonWithData, quoteData } from "./jsonText";
import { DEFAULT_RETRY, totalWait, waits } from "./retry";
import { choicesOf, widgetOf } from "./widgetOf";
import { readNumber } from "./readNumber";

const t = (key: string, params?: Record<string, unknown>): string => `${key}${params ? JSON.stringify(params) : ""}`;

describe("rules", () => {
  it("read whatever is stored without losing what can be read", () => {
    const group = readGroup({ match: "any", rules: [{ left: "{{ a }}", op: "gt", right: 3, type: "number" }, 7, { match: "all", rules: [{}] }, { left: 1, op: 2, type: "x" }] });
    expect(group.match).toBe("any");
    expect(group.rules).toHaveLength(3);
    expect(group.rules[0]).toEqual({ left: "{{ a }}", op: "gt", right: 3, type: "number" });
    expect(group.rules.filter(isGroup)).toHaveLength(1);
    expect(readGroup("nonsense")).toEqual({ match: "all", rules: [] });
  });

  it("know how many sides an operator has and which kinds it fits", () => {
    expect([sidesOf("is_empty"), sidesOf("eq"), sidesOf("between")]).toEqual([1, 2, 3]);
    expect(operatorFor("bool", "gt")).toBe("is_true");
    expect(typeFor("gt", "text")).toBe("number");
    expect(typeFor("eq", "date")).toBe("date");
    for (const list of Object.values(OPERATORS)) expect(new Set(list).size).toBe(list.length);
  });

  it("store numbers as numbers and everything else as it was typed", () => {
    expect(rightValue("100", "number")).toBe(100);
    expect(rightValue("{{ trigger.x }}", "number")).toBe("{{ trigger.x }}");
    expect(rightValue("100", "text")).toBe("100");
    expect(rightValue("12345678901234567890", "number")).toBe("12345678901234567890");
  });
});

describe("JSON with data in it", () => {
  it("may have data with or without quotes around it", () => {
    expect(parseJsonWithData(`{"a": {{ trigger.x }}, "b": "t {{ steps.a.y }}"}`)).toEqual({ ok: true, value: { a: "{{ trigger.x }}", b: "t {{ steps.a.y }}" } });
    expect(parseJsonWithData(`["{{ default(x, "y") }}"]`)).toEqual({ ok: true, value: [`{{ default(x, "y") }}`] });
    expect(quoteData(`{"a": "\\"{{ x }}"}`)).toBe(`{"a": "\\"{{ x }}"}`);
  });

  it("what is stored is read back as the same", () => {
    const value = { a: "{{ trigger.body.total }}", b: [1, { c: `{{ join(x, ", ") }}` }], d: null };
    expect(parseJsonWithData(JSON.stringify(value, null, 2))).toEqual({ ok: true, value });
    expect(parseJsonWithData(jsonWithData(value))).toEqual({ ok: true, value });
    expect(jsonWithData(value)).toContain(`{{ join(x, ", ") }}`);
  });

  it("says where it stops being JSON", () => {
    const found = parseJson(`{\n  "a": 1,\n}`);
    expect(found.ok).toBe(false);
  });
});

describe("retry", () => {
  it("waits longer, a bit longer, or the same, up to a limit", () => {
    expect(waits({ ...DEFAULT_RETRY, attempts: 5, first_seconds: 30, factor: 4, cap_seconds: 600 })).toEqual([30, 120, 480, 600]);
    expect(waits({ ...DEFAULT_RETRY, attempts: 4, strategy: "linear", first_seconds: 10 })).toEqual([10, 20, 30]);
    expect(waits({ ...DEFAULT_RETRY, strategy: "fixed", first_seconds: 5 })).toEqual([5, 5]);
    expect(waits({ ...DEFAULT_RETRY, attempts: 1 })).toEqual([]);
  });

  it("gives up after all waits and all tries, within the total", () => {
    expect(totalWait(DEFAULT_RETRY, 30)).toBe(93);
    expect(totalWait({ ...DEFAULT_RETRY, attempts: 20, total_seconds: 100 }, 30)).toBe(100);
  });
});

describe("fields", () => {
  const field = (schema: JsonSchema, hints: FieldHints = {}) => ({ name: "x", title: "X", schema, hints, required: false, nullable: false });

  it("get the control their hint names, else one that fits their type", () => {
    expect(widgetOf(field({ type: "string" }, { widget: "duration" }))).toBe("duration");
    expect(widgetOf(field({ type: "boolean" }))).toBe("toggle");
    expect(widgetOf(field({ enum: ["a"] }))).toBe("choice");
    expect(widgetOf(field({ type: "array", items: { type: "object", properties: { a: {} } } }))).toBe("rows");
    expect(widgetOf(field({ type: "object", additionalProperties: { type: "string" } }))).toBe("key-value");
    expect(widgetOf(field({ type: "string" }, { widget: "from the future" }))).toBe("text");
  });

  it("offer their choices with labels", () => {
    expect(choicesOf({}, { options: [{ value: 1, label: "One" }] }, String)).toEqual([{ value: "1", label: "One", raw: 1 }]);
    expect(choicesOf({ enum: ["a", null] }, {}, (name) => name.toUpperCase())).toEqual([{ value: "a", label: "A", raw: "a" }]);
  });

  it.each([
    ["1234,5", "1234.5"],
    ["13.412,80", "13412.80"],
    ["13,412.80", "13412.80"],
    ["1,234,567", "1234567"],
    ["1 234 567,5", "1234567.5"],
    ["1’234.50", "1234.50"],
    ["0,125", "0.125"],
    [",5", "0.5"],
    ["1234.567", "1234.567"],
    ["1.2340", "1.2340"],
    ["−7", "-7"],
    ["007", "7"],
  ])("read the number %s in either style", (text, number) => {
    expect(readNumber(text)).toMatchObject({ kind: "number" });
    expect(formatExact(Object(readNumber(text)).value)).toBe(number);
  });

  it("ask about numbers that could be read in two ways, in words that can be typed", () => {
    expect(readNumber("10,000")).toEqual({ kind: "ambiguous", text: "10,000", large: "10000", small: "10" });
    expect(readNumber("-1.234")).toEqual({ kind: "ambiguous", text: "-1.234", large: "-1234", small: "-1.2340" });
    expect(readNumber("1.2340")).toMatchObject({ kind: "number" });
  });

  it("refuse what is no number, or not a whole one", () => {
    for (const text of ["1,23,456", "1.234.5", "1,234.567.8", "12,34.5", "ten", "1-2", "1.", "--1", "1e3"]) expect([text, readNumber(text).kind]).toEqual([text, "bad"]);
    expect(readNumber("3.5", true)).toEqual({ kind: "whole" });
    expect(readNumber("1.234,00", true)).toEqual({ kind: "number", value: 1234 });
    expect(readNumber(" ")).toEqual({ kind: "empty" });
  });

  it("of a manual start send numbers as digits, and only clear ones", () => {
    const start = { ...branching().nodes[0], config: { fields: [{ name: "amount", type: "money" }, { name: "text", type: "text" }] } };
    const fields = inputFields(start as never);
    expect(sentInput(fields, { amount: "13.412,80", text: "13.412,80" })).toEqual({ amount: "13412.80", text: "13.412,80" });
    expect(inputIsClear(fields, { amount: "13.412,80" })).toBe(true);
    expect(inputIsClear(fields, { amount: "10,000", text: "10,000" })).toBe(false);
    expect(inputIsClear(fields, {})).toBe(true);
  });

  it("of a manual start become the questions of its form", () => {
    const start = { ...branching().nodes[0], config: { fields: [{ name: "amount", label: "Amount", type: "money", required: true, currency: "USD" }, { label: "no name" }, 3] } };
    expect(inputFields(start as never)).toEqual([
      { name: "amount", label: "Amount", type: "money", required: true, options: [], help: "", placeholder: "", currency: "USD", columns: [] },
    ]);
  });
});

describe("data of earlier steps", () => {
  it("stands nearest first, with the sample of a run before the example", () => {
    const found = sourcesFor(branching(), specs, { check: { result: true } }, "end", t);
    expect(found.map((source) => [source.title, source.root, source.key, source.origin])).toEqual([
      ["A", "steps", "a", "example"],
      ["CHECK", "steps", "check", "run"],
      ["START", "trigger", null, "example"],
    ]);
  });

  it("is handed to the preview only for the steps a text names", () => {
    const context = previewContext(branching(), specs, { a: { x: 1 }, check: { y: 2 } }, "end", new Set(["a"]));
    expect(context["steps"]).toEqual({ a: { x: 1 } });
    expect(context["trigger"]).toEqual({ body: { total: 12 } });
  });

  it("begins inside a container with its item, the first of the list as far as samples tell", () => {
    const samples = { start: { body: { lines: [{ sku: "A-1" }, { sku: "B-7" }] } } };
    const [item, ...earlier] = sourcesFor(looping(), specs, samples, "b", t);
    expect([item?.root, item?.origin, item?.sample]).toEqual(["item", "run", { sku: "A-1" }]);
    expect(earlier.map((source) => source.id)).toEqual(["a", "start"]);
    expect(item && rowsOf(item, t).map((row) => row.expression)).toEqual(["item", "item.sku", "index"]);
    expect(previewContext(looping(), specs, samples, "b", new Set())).toMatchObject({ item: { sku: "A-1" }, index: 0 });
    expect(sourcesFor(looping(), specs, samples, "end", t).map((source) => source.id)).toEqual(["each", "start"]);
  });

  it("offers what the other system answers only where it is looked up whether the step happened", () => {
    const samples = { end: { status: 201, body: { id: "INV-1" } } };
    const [asked] = sourcesFor(branching(), specs, samples, "end", t, "look_up_url");
    expect([asked?.root, asked?.origin]).toEqual(["look_up", "run"]);
    expect(asked && rowsOf(asked, t).map((row) => row.expression)).toContain("look_up.body.id");
    expect(sourcesFor(branching(), specs, samples, "end", t, "url").map((source) => source.root)).not.toContain("look_up");
    expect(previewContext(branching(), specs, samples, "end", new Set(), "look_up_found.0")).toMatchObject({ look_up: { status: 200, body: { id: "INV-1" } } });
    expect(previewContext(branching(), specs, samples, "end", new Set(), "url")).not.toHaveProperty("look_up");
  });

  it("of a container only where it speaks of each item", () => {
    expect(sourcesFor(looping(), specs, {}, "each", t, "items").map((source) => source.id)).toEqual(["start"]);
    expect(sourcesFor(looping(), specs, {}, "each", t, "label").map((source) => source.id)).toEqual(["item", "start"]);
  });

  it("the item of a list in an item is found through both", () => {
    const document = looping();
    document.nodes.push({ ...node("inner", "flow.for_each@1"), parent: "each", config: { items: "{{ item.parts }}" } }, { ...node("deep"), parent: "inner" });
    const samples = { start: { body: { lines: [{ parts: [{ no: 7 }] }] } } };
    expect(sourcesFor(document, specs, samples, "deep", t)[0]?.sample).toEqual({ no: 7 });
  });

  it("is shown in one short line", () => {
    expect(shortValue([1, 2], t)).toBe(`value.items{"count":2}`);
    expect(shortValue(null, t)).toBe("value.nothing");
    expect(shortValue("a\n b", t)).toBe("a b");
    expect(shortValue("x".repeat(200), t)).toHaveLength(120);
  });
});
