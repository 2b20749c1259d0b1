/** What differs between what an entry was given before and after. */
import { formatExact } from "../../graph/exact";
import { isFields } from "./edits";

export interface Difference {
  /** The field's name; empty for the whole entry. */
  name: string;
  before: string;
  after: string;
}

function shown(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : formatExact(value);
}

/** By field where both have fields, otherwise of the whole. */
export function differencesOf(before: unknown, after: unknown): Difference[] {
  if (!isFields(before) || !isFields(after)) return [{ name: "", before: shown(before), after: shown(after) }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, before: shown(before[name]), after: shown(after[name]) }))
    .filter((one) => one.before !== one.after);
}
