/** What of a step's data is looked for, and how a value of it is named in the editor. Pure. */
import { ExactNumber } from "../../graph/exact";
import { parseTemplate, simplePath, writePath } from "../../graph/template";
import type { GraphNode } from "../../api/types";
import { isMark } from "./marks";

export type Path = readonly (string | number)[];

export const placeOf = (path: Path): string => JSON.stringify(path);

export interface Found {
  /** How many names and values fit. */
  hits: number;
  /** The places that fit. */
  fits: ReadonlySet<string>;
  /** The places that are shown: what fits, what is inside it, and what it is inside of. */
  shows: ReadonlySet<string>;
}

/** `words` is what the page says of a name. What a sensitive value holds is not known here, and never found. */
export function findIn(data: unknown, text: string, words: (name: string) => string): Found | null {
  const wanted = text.trim().toLocaleLowerCase();
  if (!wanted) return null;
  const fits = new Set<string>();
  const shows = new Set<string>();
  const has = (said: string): boolean => said.toLocaleLowerCase().includes(wanted);
  const visit = (value: unknown, path: Path, within: boolean): boolean => {
    const place = placeOf(path);
    const name = path.at(-1);
    const named = typeof name === "string" && (has(name) || has(words(name)));
    const inside = within || named;
    let shown = inside;
    if (Array.isArray(value)) {
      value.forEach((one, index) => {
        shown = visit(one, [...path, index], inside) || shown;
      });
    } else if (typeof value === "object" && value !== null && !isMark(value) && !(value instanceof ExactNumber)) {
      for (const [key, one] of Object.entries(value)) shown = visit(one, [...path, key], inside) || shown;
    } else if (!isMark(value) && value !== null && value !== undefined && has(value instanceof ExactNumber ? value.source : String(value))) {
      fits.add(place);
      shown = true;
    }
    if (named) fits.add(place);
    if (shown) shows.add(place);
    return shown;
  };
  visit(data, [], false);
  return { hits: fits.size, fits, shows };
}

const braced = (expression: string): string => `{{ ${expression} }}`;

/** How the editor's picker writes a value that came out of this step. */
export function outputPath(node: Pick<GraphNode, "key">, isTrigger: boolean, path: Path): string {
  return braced(writePath(isTrigger ? "trigger" : "steps", isTrigger ? null : node.key, path));
}

/**
 * How a value that went into this step is written: as the step's own set-up takes it from elsewhere. Null where it is
 * typed in, or put together from several.
 */
export function inputPath(node: Pick<GraphNode, "config">, path: Path): string | null {
  let at: unknown = node.config;
  for (const [index, segment] of path.entries()) {
    if (typeof at === "string") return pathInside(at, path.slice(index));
    if (Array.isArray(at) ? typeof segment !== "number" : typeof at !== "object" || at === null || !Object.hasOwn(at, segment)) return null;
    at = (at as Record<string | number, unknown>)[segment];
  }
  return typeof at === "string" ? pathInside(at, []) : null;
}

function pathInside(template: string, rest: Path): string | null {
  const parts = parseTemplate(template.trim());
  const only = parts[0];
  if (parts.length !== 1 || only?.kind !== "expression" || !only.closed) return null;
  const found = simplePath(only.source);
  return found && braced(writePath(found.root, found.key, [...found.path, ...rest]));
}
