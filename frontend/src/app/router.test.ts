import { expect, it } from "vitest";

/** All of the front end as it is written, by its path from here. */
const files = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*"], { query: "?raw", import: "default", eager: true });
const router = files["./router.tsx"] ?? "";
const SCREEN = /screen\(\s*\(\) => import\("([^"]+)"\)((?:,\s*"\w+")*),?\s*\)/g;
const screens = [...router.matchAll(SCREEN)].map((found) => [found[1] ?? "", names(found[2] ?? "")] as const);

function names(list: string): Set<string> {
  return new Set([...list.matchAll(/"(\w+)"/g)].map((found) => found[1] ?? ""));
}

/** Where what a file imports stands; nothing for packages and styles. */
function placeOf(from: string, wanted: string): string | undefined {
  if (!wanted.startsWith(".")) return undefined;
  const { pathname } = new URL(wanted, `https://src/app/${from}`);
  const path = pathname.startsWith("/app/") ? `.${pathname.slice(4)}` : `..${pathname}`;
  return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`, `${path}/index.tsx`].find((one) => one in files);
}

/** The catalogues of a file and of all that comes with it; what is loaded later waits behind a boundary of its own. */
function cataloguesOf(from: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set([from]);
  for (const path of seen) {
    const text = files[path] ?? "";
    for (const [, list] of text.matchAll(/useTranslation\((\[[^\]]*\]|"\w+")/g)) {
      for (const name of names(list ?? "")) found.set(name, path);
    }
    for (const [, wanted] of text.matchAll(/(?:^|\n)(?:import|export)\s+(?!type\s)(?:[^;"]*?\sfrom\s+)?"([^"]+)"/g)) {
      const place = placeOf(path, wanted ?? "");
      if (place) seen.add(place);
    }
  }
  return found;
}

it("knows all screens", () => {
  expect(screens.length).toBe(router.match(/component: screen\(/g)?.length);
  expect(screens.length).toBeGreaterThan(30);
  expect(cataloguesOf("../pages/run/index.tsx").get("reconciliation")).toBe("../pages/run/StepPanel.tsx");
});

it.each(screens)("%s comes with all its texts, so that none hides it while it is loaded", (path, given) => {
  const place = placeOf(".", path);
  expect(place).toBeDefined();
  const lacking = [...cataloguesOf(place ?? "")].filter(([name]) => !given.has(name) && name !== "common" && name !== "shell");
  expect(lacking).toEqual([]);
});
