import { describe, expect, it } from "vitest";
import { findPaths, hasExpression, parseTemplate, referencesIn, renameInText, renameInValue, simplePath, writePath } from "../template";

const sources = (text: string): string[] => parseTemplate(text).map((part) => (part.kind === "expression" ? `<${part.source}>` : part.text));

describe("reading a text with data in it", () => {
  it("splits plain text and expressions and keeps their places", () => {
    const parts = parseTemplate("Inv. {{ trigger.body.number }} line");
    expect(parts.map((part) => [part.from, part.to])).toEqual([[0, 5], [5, 30], [30, 35]]);
    expect(parts[1]).toMatchObject({ kind: "expression", source: "trigger.body.number", sourceFrom: 8, closed: true });
  });

  it("does not end an expression inside a text or an object of it", () => {
    expect(sources(`{{ "}}" }}!`)).toEqual([`<"}}">`, "!"]);
    expect(sources(`{{ {"a": {"b": 1}} }}`)).toEqual([`<{"a": {"b": 1}}>`]);
    expect(sources(String.raw`{{ 'it\'s }}' }}`)).toEqual([String.raw`<'it\'s }}'>`]);
  });

  it("says when the closing braces are missing", () => {
    expect(parseTemplate("a {{ trigger.x")[1]).toMatchObject({ kind: "expression", closed: false, source: "trigger.x" });
  });

  it("finds paths of all roots, with quoted names and positions in lists", () => {
    const [path] = findPaths(`round(steps.order.body.items[0]["unit price"], 2)`);
    expect(path).toMatchObject({ root: "steps", key: "order", path: ["body", "items", 0, "unit price"] });
    expect(findPaths(`trigger["x"].y + run.id`).map((found) => [found.root, found.path])).toEqual([["trigger", ["x", "y"]], ["run", ["id"]]]);
  });

  it("takes neither names in texts nor members of other things for data", () => {
    expect(findPaths(`"steps.a.b" ~ x.trigger.y`)).toEqual([]);
    expect(findPaths("trigger.body.total.round(2)")[0]?.path).toEqual(["body", "total"]);
  });

  it("recognises a text that is one piece of data", () => {
    expect(simplePath("steps.a.b")).not.toBeNull();
    expect(simplePath("steps.a.b + 1")).toBeNull();
    expect(simplePath("upper(steps.a.b)")).toBeNull();
    expect(hasExpression("{{ a }}")).toBe(true);
    expect(hasExpression(3)).toBe(false);
  });

  it("writes paths the way it reads them", () => {
    for (const [root, key, path] of [["steps", "a", ["b c", 0, "d"]], ["trigger", null, ["body", "x-y"]]] as const) {
      expect(simplePath(writePath(root, key, path))).toMatchObject({ root, key, path });
    }
  });

  it("lists the references of a whole configuration with their fields", () => {
    const found = referencesIn({ url: "{{ steps.a.x }}", rows: [{ value: "t {{ trigger.y }}" }], count: 3 });
    expect(found.map(({ field, reference }) => [field, reference.root, reference.key])).toEqual([["url", "steps", "a"], ["rows.0.value", "trigger", null]]);
  });
});

describe("renaming a step", () => {
  const rename = (key: string): string | null => (key === "old" ? "new" : null);

  it("rewrites every reference and nothing else", () => {
    expect(renameInText(`old {{ steps.old.x + steps["old"].y + steps.older.z }} "old"`, rename)).toBe(`old {{ steps.new.x + steps["new"].y + steps.older.z }} "old"`);
    expect(renameInText(`{{ "steps.old.x" ~ steps.old.x }}`, rename)).toBe(`{{ "steps.old.x" ~ steps.new.x }}`);
  });

  it("gives back the very same value when nothing changed", () => {
    const value = { a: ["{{ steps.other.x }}"], b: 1 };
    expect(renameInValue(value, rename)).toBe(value);
    expect(renameInValue({ a: ["{{ steps.old.x }}"] }, rename)).toEqual({ a: ["{{ steps.new.x }}"] });
  });
});

it("renames the step whose link a text reads, and no other name", () => {
  const rename = (key: string) => (key === "confirmed" ? "agreed" : null);
  expect(renameInText('{{ run.links.confirmed }} {{ run.links["confirmed"] }} {{ run.confirmed }}', rename)).toBe(
    '{{ run.links.agreed }} {{ run.links["agreed"] }} {{ run.confirmed }}',
  );
});
