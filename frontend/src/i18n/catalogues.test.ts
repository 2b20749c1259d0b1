import { describe, expect, it } from "vitest";

type Tree = { [key: string]: string | Tree };
const files = import.meta.glob<{ default: Tree }>("./{en,de}/*.json", { eager: true });

function texts(tree: Tree, before = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(before + key, value);
    else for (const [inner, text] of texts(value, `${before}${key}.`)) found.set(inner, text);
  }
  return found;
}

const places = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1]).sort();
const tags = (text: string) => (text.match(/<\/?\d+\s*\/?>/g) ?? []).sort();
const areas = (language: string) =>
  Object.keys(files)
    .filter((path) => path.startsWith(`./${language}/`))
    .map((path) => path.slice(`./${language}/`.length))
    .sort();
const german = areas("de").map((area) => `./de/${area}`);

it("German has exactly the catalogues that English has", () => {
  expect(areas("de")).toEqual(areas("en"));
});

describe.each(german)("%s", (path) => {
  const de = texts(files[path]?.default ?? {});
  const en = texts(files[path.replace("/de/", "/en/")]?.default ?? {});

  it("has exactly the texts of the English catalogue", () => {
    expect([...de.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it("fills in the same values", () => {
    for (const [key, text] of de) expect([key, places(text)]).toEqual([key, places(en.get(key) ?? "")]);
  });

  it("keeps the marked-up parts", () => {
    for (const [key, text] of de) expect([key, tags(text)]).toEqual([key, tags(en.get(key) ?? "")]);
  });
});

it("no text is empty", () => {
  for (const [path, file] of Object.entries(files)) {
    for (const [key, text] of texts(file.default)) expect(text.trim(), `${path} ${key}`).not.toBe("");
  }
});

it("German calls a workflow by one name only", () => {
  for (const path of german) {
    for (const [key, text] of texts(files[path]?.default ?? {})) expect(text, `${path} ${key}`).not.toContain("Workflow");
  }
});
