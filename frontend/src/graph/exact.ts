/**
 * Numbers that keep their digits. JavaScript's numbers lose those of long ids and of exact decimals (10.50 becomes
 * 10.5), so documents and data of runs are read with `parseExact` and written with `formatExact`: what was not touched
 * goes back as it came.
 */

/** A number that JavaScript would write differently; shown, copied and stored as `source`. Compares by its value. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }

  valueOf(): number {
    return Number(this.source);
  }
}

/** The server refuses NUL in every text, so nothing that comes from it can be taken for a mark. */
const MARK = "\u0000number:";
const MARKED = /"\\u0000number:(-?\d[\d.eE+-]*)"/g;
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function isKept(token: string): boolean {
  return token[0] === '"' || String(Number(token)) === token;
}

/** The number of a JSON number's text: JavaScript's own if that writes it the same way. */
export function exactNumber(token: string): number | ExactNumber {
  return isKept(token) ? Number(token) : new ExactNumber(token);
}

/** `JSON.parse` that keeps a number's own text if JavaScript would write it differently. */
export function parseExact(text: string): unknown {
  // Read plainly first: it refuses what is no JSON, and most texts hold nothing that needs more.
  const plain: unknown = JSON.parse(text);
  let found = false;
  const marked = text.replace(TEXT_OR_NUMBER, (token) => {
    if (isKept(token)) return token;
    found = true;
    return JSON.stringify(MARK + token);
  });
  if (!found) return plain;
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  );
}

/** JSON text of a value read by `parseExact`, with every number as it was written. Leaves out what is undefined. */
export function formatExact(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, (_key, item: unknown) => (item instanceof ExactNumber ? MARK + item.source : item), indent);
  return text === undefined ? "null" : text.replace(MARKED, "$1");
}

/** A copy that shares nothing with the value; `structuredClone` would forget what an ExactNumber is. */
export function copyOf<T>(value: T): T {
  if (value instanceof ExactNumber || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item as unknown)])) as T;
}
