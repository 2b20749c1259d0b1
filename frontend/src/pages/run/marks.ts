/** Sensitive values come as `{"$masked": [side, ...path]}`; what cannot be asked for has no path. Pure. */

export interface Mark {
  $masked: readonly (string | number)[];
}

export function isMark(value: unknown): value is Mark {
  return typeof value === "object" && value !== null && Object.keys(value).length === 1 && Array.isArray((value as Partial<Mark>).$masked);
}

/** What is asked of the server for it; null where it cannot be. */
export function askFor(mark: Mark): { side: "input" | "output"; path: (string | number)[] } | null {
  const [side, ...path] = mark.$masked;
  return (side === "input" || side === "output") && path.length > 0 ? { side, path } : null;
}

/** What stands for a value that is not shown, where it is read as text. */
export const DOTS = "••••";

/** The same data with dots in place of marks, to be read and copied as JSON. */
export function dotted(value: unknown): unknown {
  if (isMark(value)) return DOTS;
  if (Array.isArray(value)) return value.map(dotted);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, dotted(one)]));
}
