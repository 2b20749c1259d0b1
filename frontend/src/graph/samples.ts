/** Sample outputs as rows of the data flyout: labels for people, types, values in short. */
import { ExactNumber } from "./exact";
import { words } from "./schema";
import { writePath } from "./template";
import { isJsonObject, type Json } from "./types";

export type ValueType = "text" | "number" | "date" | "bool" | "object" | "list" | "empty";

export interface DataRow {
  /** `steps.order.body.total` */
  expression: string;
  label: string;
  /** Labels of what it lies in, outermost first. */
  trail: string[];
  type: ValueType;
  value: Json;
  depth: number;
  hasChildren: boolean;
}

export function typeOf(value: Json): ValueType {
  if (value === null) return "empty";
  if (value instanceof ExactNumber) return "number";
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "number":
      return "number";
    case "boolean":
      return "bool";
    case "object":
      return "object";
    default:
      if (/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(value)) return "date";
      return /^-?\d+(\.\d+)?$/.test(value) && value.length < 16 && !/^0\d/.test(value) ? "number" : "text";
  }
}

/** All rows below a sample in reading order, at most `limit`. */
export function dataRows(root: string, key: string | null, sample: Json, limit = 400): DataRow[] {
  const rows: DataRow[] = [];
  const visit = (value: Json, path: (string | number)[], trail: string[], depth: number): void => {
    if (rows.length >= limit || depth > 8) return;
    if (Array.isArray(value)) {
      const first = value[0];
      if (first === undefined) return;
      push(first, [...path, 0], "first", trail, depth);
      return;
    }
    if (isJsonObject(value)) {
      for (const [name, child] of Object.entries(value)) push(child, [...path, name], words(name), trail, depth);
    }
  };
  const push = (value: Json, path: (string | number)[], label: string, trail: string[], depth: number): void => {
    if (rows.length >= limit) return;
    const nested = (Array.isArray(value) || isJsonObject(value)) && Object.keys(value).length > 0;
    rows.push({ expression: writePath(root, key, path), label, trail, type: typeOf(value), value, depth, hasChildren: nested });
    if (nested) visit(value, path, [...trail, label], depth + 1);
  };
  visit(sample, [], [], 0);
  return rows;
}

/** The value at a path; undefined when the sample has none there. */
export function valueAt(sample: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = sample;
  for (const segment of path) {
    if (Array.isArray(at)) at = at[Number(segment)];
    else if (isJsonObject(at)) at = at[String(segment)];
    else return undefined;
  }
  return at;
}

/** Parts of a path that only say where a start's data came in; people do not need to read them. */
const ENVELOPE = new Set(["body", "data", "output", "fields"]);

/** "Total" for `body.total`, "Customer › Email" for `body.customer.email`. */
export function pathLabel(path: readonly (string | number)[]): string {
  const named = path.filter((segment, index) => !(index === 0 && path.length > 1 && ENVELOPE.has(String(segment))));
  return named
    .slice(-2)
    .map((segment) => (typeof segment === "number" ? `#${segment + 1}` : words(segment)))
    .join(" › ");
}
