/**
 * Reading texts with data in them: `Inv. {{ trigger.body.number }} line`.
 * Only the outline of an expression is read here (where it is, which data it names); evaluation is the server's.
 */

import { isJsonObject } from "./types";

export interface TextPart {
  kind: "text";
  from: number;
  to: number;
  text: string;
}
export interface ExpressionPart {
  kind: "expression";
  from: number;
  to: number;
  /** The text between the braces, trimmed. */
  source: string;
  /** Where `source` begins in the whole text. */
  sourceFrom: number;
  /** False when the closing braces are missing. */
  closed: boolean;
}
export type TemplatePart = TextPart | ExpressionPart;

export interface PathReference {
  root: string;
  /** Set when the root is `steps`. */
  key: string | null;
  path: (string | number)[];
  /** Position in the scanned source. */
  from: number;
  to: number;
  /** Position of the step key alone, when there is one; also of the step whose link it is. */
  keyFrom: number;
  keyTo: number;
}

export const ROOTS = ["trigger", "steps", "run", "vars", "item", "index", "error", "look_up", "data"] as const;

/** Splits a text into plain parts and `{{ … }}` parts; string literals may contain braces. */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    if (open < 0) break;
    if (open > at) parts.push({ kind: "text", from: at, to: open, text: text.slice(at, open) });
    let quote = "";
    let depth = 0;
    let end = -1;
    for (let cursor = open + 2; cursor < text.length; cursor += 1) {
      const char = text[cursor];
      if (quote) {
        if (char === "\\") cursor += 1;
        else if (char === quote) quote = "";
      } else if (char === '"' || char === "'") quote = char;
      else if (char === "{") depth += 1;
      else if (char === "}" && depth > 0) depth -= 1;
      else if (char === "}" && text[cursor + 1] === "}") {
        end = cursor;
        break;
      }
    }
    const closed = end >= 0;
    const stop = closed ? end : text.length;
    const inner = text.slice(open + 2, stop);
    const lead = inner.length - inner.trimStart().length;
    const to = closed ? end + 2 : text.length;
    parts.push({ kind: "expression", from: open, to, source: inner.trim(), sourceFrom: open + 2 + lead, closed });
    at = to;
  }
  if (at < text.length) parts.push({ kind: "text", from: at, to: text.length, text: text.slice(at) });
  return parts;
}

export function hasExpression(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

const STEP_WORD = /[A-Za-z_]/;
const STEP_CHAR = /[A-Za-z0-9_]/;

/** Finds every data path in an expression: `steps.order.body.items[0].price`, `trigger["x y"]`. */
export function findPaths(source: string): PathReference[] {
  const found: PathReference[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at] as string;
    if (char === '"' || char === "'") {
      at = skipString(source, at);
      continue;
    }
    if (STEP_WORD.test(char)) {
      const from = at;
      while (at < source.length && STEP_CHAR.test(source[at] as string)) at += 1;
      const word = source.slice(from, at);
      const isMember = from > 0 && previousMeaningful(source, from) === ".";
      if (isMember || !(ROOTS as readonly string[]).includes(word)) continue;
      const reference = readPath(source, word, from, at);
      // A lone `steps` names nothing; a call such as `index(…)` is a function.
      if (source[reference.to] === "(" && reference.path.length === 0) continue;
      at = reference.to;
      found.push(reference);
      continue;
    }
    if (/[0-9]/.test(char)) {
      while (at < source.length && /[0-9A-Za-z_.]/.test(source[at] as string)) at += 1;
      continue;
    }
    at += 1;
  }
  return found;
}

function previousMeaningful(source: string, at: number): string {
  let index = at - 1;
  while (index >= 0 && /\s/.test(source[index] as string)) index -= 1;
  return index >= 0 ? (source[index] as string) : "";
}

function skipString(source: string, at: number): number {
  const quote = source[at];
  let index = at + 1;
  while (index < source.length && source[index] !== quote) index += source[index] === "\\" ? 2 : 1;
  return Math.min(index + 1, source.length);
}

function readPath(source: string, root: string, from: number, afterRoot: number): PathReference {
  const path: (string | number)[] = [];
  let at = afterRoot;
  let key: string | null = null;
  let keyFrom = -1;
  let keyTo = -1;
  const take = (segment: string | number, segmentFrom: number, segmentTo: number): void => {
    if (root === "steps" && key === null && typeof segment === "string") {
      key = segment;
      keyFrom = segmentFrom;
      keyTo = segmentTo;
      return;
    }
    // The link of a step is named by its key too, and follows it when the step is renamed.
    if (root === "run" && path.length === 1 && path[0] === "links") [keyFrom, keyTo] = [segmentFrom, segmentTo];
    path.push(segment);
  };
  for (;;) {
    if (source[at] === "." && at + 1 < source.length && STEP_CHAR.test(source[at + 1] as string)) {
      const start = at + 1;
      let end = start;
      while (end < source.length && STEP_CHAR.test(source[end] as string)) end += 1;
      // A method call is not data: `trigger.body.total.round(2)` names `trigger.body.total`.
      if (source[end] === "(") break;
      const word = source.slice(start, end);
      take(/^\d+$/.test(word) ? Number(word) : word, start, end);
      at = end;
      continue;
    }
    if (source[at] === "[") {
      const match = /^\[\s*(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\]/.exec(source.slice(at));
      if (!match) break;
      const text = match[2] ?? match[3];
      if (match[1] !== undefined) take(Number(match[1]), at + 1, at + 1 + match[1].length);
      else if (text !== undefined) {
        const start = at + match[0].indexOf(text, 2 - 1);
        take(text.replace(/\\(.)/g, "$1"), start, start + text.length);
      }
      at += match[0].length;
      continue;
    }
    break;
  }
  return { root, key, path, from, to: at, keyFrom, keyTo };
}

/** The path when the whole expression is one path and nothing else; otherwise null. */
export function simplePath(source: string): PathReference | null {
  const paths = findPaths(source);
  const only = paths[0];
  return paths.length === 1 && only && only.from === 0 && only.to === source.length ? only : null;
}

/** Writes a path the way formulas read it; names that are not words are quoted. */
export function writePath(root: string, key: string | null, path: readonly (string | number)[]): string {
  let text = root;
  if (key !== null) text += `.${key}`;
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(segment)) text += `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/** Every data path in every text of a value, with the field it stands in (`headers.0.value`). */
export function referencesIn(value: unknown, at = ""): { field: string; reference: PathReference }[] {
  if (typeof value === "string") {
    if (!value.includes("{{")) return [];
    return parseTemplate(value).flatMap((part) =>
      part.kind === "expression" ? findPaths(part.source).map((reference) => ({ field: at, reference })) : [],
    );
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => referencesIn(item, join(at, String(index))));
  if (isJsonObject(value)) {
    return Object.entries(value).flatMap(([key, item]) => referencesIn(item, join(at, key)));
  }
  return [];
}

function join(at: string, next: string): string {
  return at ? `${at}.${next}` : next;
}

/** The same text with step keys replaced; string literals and plain text stay as they are. */
export function renameInText(text: string, rename: (key: string) => string | null): string {
  if (!text.includes("{{")) return text;
  let result = "";
  let at = 0;
  for (const part of parseTemplate(text)) {
    if (part.kind !== "expression") continue;
    for (const path of findPaths(part.source)) {
      const key = path.key ?? (path.keyFrom < 0 ? null : String(path.path[1]));
      if (key === null) continue;
      const next = rename(key);
      if (next === null || next === key) continue;
      result += text.slice(at, part.sourceFrom + path.keyFrom) + next;
      at = part.sourceFrom + path.keyTo;
    }
  }
  return result + text.slice(at);
}

/** Renames in a whole value; returns the very same object when nothing changed. */
export function renameInValue<T>(value: T, rename: (key: string) => string | null): T {
  if (typeof value === "string") return renameInText(value, rename) as T;
  if (Array.isArray(value)) {
    let changed = false;
    const next = value.map((item: unknown) => {
      const renamed = renameInValue(item, rename);
      if (renamed !== item) changed = true;
      return renamed;
    });
    return changed ? (next as T) : value;
  }
  if (isJsonObject(value)) {
    let changed = false;
    const next: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      const renamed: unknown = renameInValue(item as unknown, rename);
      if (renamed !== item) changed = true;
      next[key] = renamed;
    }
    return changed ? (next as T) : value;
  }
  return value;
}
